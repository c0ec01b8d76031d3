"""What can go wrong at the door of the desks, in words for organisers."""

from diandian.kernel.errors import N_, ConflictError, InputError, NotFoundError


class EmailError(InputError):
    """A text to which no mail can be sent."""

    code = "email"
    message = N_(
        "This is not an e-mail address to which we can write. Nothing was sent. It looks like"
        " name@example.org; please correct it."
    )


class TooManyCodesError(InputError):
    """One address asked for codes again and again."""

    code = "too_many_codes"
    retryable = True
    message = N_(
        "Several codes went to this address within the hour. No further one was sent. Please look"
        " into your mail, also among unwanted mail, or try again in an hour."
    )


class WrongCodeError(InputError):
    """Not the code that was sent."""

    code = "wrong_code"
    message = N_(
        "This is not the code that we sent. You were not signed in. Please compare it with the"
        " mail; after five wrong ones you need a new code."
    )


class CodeGoneError(InputError):
    """A code that was used, is too old, or was guessed at too often."""

    code = "code_gone"
    message = N_(
        "This code no longer works: it was used, is older than ten minutes, or five wrong ones"
        " were tried. You were not signed in. Please ask for a new code."
    )


class LegalNameError(InputError):
    """An organisation without a name, or with one that no register would hold."""

    code = "legal_name"
    message = N_(
        "The legal name of the organisation has 2 to %(limit)s characters. Nothing was saved."
        " Please write it as it stands in the register."
    )


class TaxNumberError(InputError):
    """Not the shape of a tax number."""

    code = "tax_number"
    message = N_(
        "A tax number has at most 30 letters, digits, dots, dashes and spaces. Nothing was saved."
        " Please correct it, or leave it empty."
    )


class CountryError(InputError):
    """Not a country."""

    code = "country"
    message = N_("Please choose the country of the organisation. Nothing was saved.")


class RoleError(InputError):
    """A role that does not exist."""

    code = "role"
    message = N_("Please choose what this person may do. Nothing was saved.")


class NotAllowedError(ConflictError):
    """A viewer who wants to write, an editor who wants to decide about people."""

    code = "not_allowed"
    message = N_(
        "Your role in this organisation does not allow this. Nothing was changed. Please ask an"
        " owner of the organisation."
    )


class LastOwnerError(ConflictError):
    """Somebody must be left who can decide."""

    code = "last_owner"
    message = N_(
        "An organisation keeps at least one owner. Nothing was changed. Please make another person"
        " owner first."
    )


class OrganisationNotFoundError(NotFoundError):
    """No such organisation, or one of other people: the two are not told apart."""

    code = "organisation_not_found"
