"""What can stand in the way of a payout, in plain words."""

from diandian.kernel.errors import N_, ConflictError, Fixer, InputError, NotFoundError


class PayeeInvalidError(InputError):
    """A receiving detail is not one that money can be sent to."""

    code = "payee_invalid"
    message = N_(
        "This cannot be right: %(why)s. Nothing was saved. Please check it against the paper."
    )


class PayeeWaitsError(ConflictError):
    """A change of the same supplier's detail waits already."""

    code = "payee_waits"
    message = N_(
        "A change of this supplier's account waits for a second person. Nothing was saved."
        " Please let it be confirmed or refused first."
    )
    fixer = Fixer.OPERATOR


class PayeeDecidedError(ConflictError):
    """Somebody decided about it meanwhile."""

    code = "payee_decided"
    message = N_("This was decided already. Nothing was changed.")
    fixer = Fixer.OPERATOR


class SamePersonError(ConflictError):
    """Who proposed cannot approve."""

    code = "same_person"
    message = N_(
        "Whoever prepared this cannot approve it. Nothing was changed."
        " Please let a second person look at it."
    )
    fixer = Fixer.OPERATOR


class NoPayeeError(ConflictError):
    """The supplier has no confirmed detail of the kind that is needed, or it still cools down."""

    code = "no_payee"
    message = N_(
        "This supplier has no confirmed account that may be used now. Nothing was changed."
        " Please enter one, let a second person confirm it, and wait until it is in force."
    )
    fixer = Fixer.OPERATOR


class NothingDueError(ConflictError):
    """Nothing is due to this supplier in this currency by this way."""

    code = "nothing_due"
    message = N_(
        "Nothing is due to this supplier that is not in a payout already. Nothing was drafted."
        " Please look at what is due now."
    )
    fixer = Fixer.OPERATOR


class BelowMinimumError(ConflictError):
    """What is due adds up to less than a payout, or to less than nothing."""

    code = "below_minimum"
    message = N_(
        "What is due adds up to %(net)s, and a payout begins at %(minimum)s. Nothing was changed:"
        " it is carried forward to the next one."
    )
    fixer = Fixer.OPERATOR


class BatchStateError(ConflictError):
    """This batch is not where the act would take it from."""

    code = "batch_state"
    message = N_(
        "This payout is at another step now. Nothing was changed. Please look at it again."
    )
    fixer = Fixer.OPERATOR


class LineMovesError(ConflictError):
    """A line that is on its way cannot be disputed, only corrected in the next payout."""

    code = "line_moves"
    message = N_(
        "This part is locked in a payout, on its way or paid. Nothing was changed."
        " Please settle it with a claim in the next payout."
    )
    fixer = Fixer.OPERATOR


class BatchChangedError(ConflictError):
    """A payout does not add up to the statement that it was locked with."""

    code = "batch_changed"
    message = N_(
        "This payout would pay %(net)s, and its locked statement says %(stated)s. No file was made"
        " and nothing was booked. Please let somebody look why, before anything is paid."
    )
    fixer = Fixer.OPERATOR


class PayeeWithdrawnError(ConflictError):
    """The account that a payout was locked with is not in force any more."""

    code = "payee_withdrawn"
    message = N_(
        "The account of this payout was taken out of force. Nothing was approved or sent."
        " Please cancel the payout, and draft it again once an account is confirmed."
    )
    fixer = Fixer.OPERATOR


class PartDisputedError(ConflictError):
    """A bank disputes a payment that a part of this payout comes from."""

    code = "part_disputed"
    message = N_(
        "A bank disputes a payment in this payout. Nothing was locked, approved or sent. Please"
        " draft it again, or cancel it if it is locked: the part is left out until that is decided."
    )
    fixer = Fixer.OPERATOR


class UnknownBatchError(NotFoundError):
    """No batch of this number."""

    code = "unknown_batch"
    message = N_("There is no payout of this number. Nothing was changed.")


class NotForThisBankError(ConflictError):
    """The file format cannot carry this payout."""

    code = "not_for_this_bank"
    message = N_(
        "This kind of file cannot carry the payout: %(why)s. No file was made."
        " Please choose another kind."
    )
    fixer = Fixer.OPERATOR


class ResultFileError(InputError):
    """A result file of a bank that cannot be read, or contradicts what was sent."""

    code = "result_file"
    message = N_(
        "Line %(line)s of the result file cannot be used: %(why)s. Nothing of the file was taken."
        " Please ask the bank for it again."
    )
    fixer = Fixer.OPERATOR
