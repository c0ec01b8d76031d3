"""What is refused about recalls."""

from diandian.kernel.errors import N_, ConflictError, Fixer, InputError, NotFoundError

# How a recall stands, in words.
STATES = {
    "opened": N_("waiting for a second person"),
    "running": N_("at work"),
    "done": N_("worked off"),
    "dropped": N_("given up"),
}


class RecallNotFoundError(NotFoundError):
    """No recall has this number."""

    code = "recall_not_found"
    message = N_("There is no recall of this number. Please check it for a slip.")
    fixer = Fixer.OPERATOR


class RecallFactsError(InputError):
    """What a recall was opened with does not fit together."""

    code = "recall_facts"
    message = N_("This recall does not fit: %(why)s. Nothing was changed. Please correct it.")
    fixer = Fixer.OPERATOR


class RecalledAlreadyError(ConflictError):
    """Some of these grams are in a recall already."""

    code = "recalled_already"
    message = N_(
        "Some of these serials are in recall %(other)s already. Nothing was changed."
        " Please recall only the others."
    )
    fixer = Fixer.OPERATOR


class SamePersonError(ConflictError):
    """Who opened a recall cannot approve it."""

    code = "same_person"
    message = N_(
        "%(name)s opened this recall and cannot approve it too. Nothing was changed."
        " Please let a second person look at it."
    )
    fixer = Fixer.OPERATOR


class RecallSettledError(ConflictError):
    """A recall that is at work, or was dropped, is not decided once more."""

    code = "recall_settled"
    message = N_(
        "Recall %(recall)s was decided already: it is %(why)s. Nothing was changed."
        " Please look at its page."
    )
    fixer = Fixer.OPERATOR
