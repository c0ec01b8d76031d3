"""What a reconciliation refuses."""

from diandian.kernel.errors import N_, ConflictError, Fixer, InputError, NotFoundError


class UnknownDayError(NotFoundError):
    """No such day of a gateway."""

    code = "unknown_gateway_day"
    message = N_("There is no statement day of this number. Nothing was changed.")


class UnknownDifferenceError(NotFoundError):
    """The difference is gone, or was never there."""

    code = "unknown_difference"
    message = N_(
        "This difference is not there any more. Nothing was signed. Please look at the day again."
    )


class DifferenceChangedError(ConflictError):
    """What somebody signs is what they saw."""

    code = "difference_changed"
    message = N_(
        "This difference has changed since you opened the page. Nothing was signed. Please look at"
        " it again."
    )
    fixer = Fixer.OPERATOR


class SignedAlreadyError(ConflictError):
    """The second signature is another person's."""

    code = "signed_already"
    message = N_(
        "You have signed this already. Nothing was changed. Please ask a second person to look at"
        " it and sign."
    )
    fixer = Fixer.OPERATOR


class DayIsClosedError(ConflictError):
    """A closed day stays as it was closed."""

    code = "gateway_day_closed"
    message = N_("This day of the gateway is closed. Nothing was changed.")
    fixer = Fixer.OPERATOR


class ReasonNeededError(InputError):
    """An exception without a reason explains nothing."""

    code = "exception_reason"
    message = N_(
        "A reason of 1 to %(limit)s characters is missing. Nothing was signed. Please write why"
        " this difference is in order."
    )
    fixer = Fixer.OPERATOR


class UnknownPayoutError(NotFoundError):
    """No such payout of a gateway."""

    code = "unknown_gateway_payout"
    message = N_("There is no such payout of a gateway. Nothing was changed.")


class PayoutFactsError(InputError):
    """What was entered of a payout cannot be booked. ``field``: which part of it."""

    code = "gateway_payout_facts"
    message = N_(
        "This payout cannot be booked as it was entered. Nothing was changed. Account, amount, day"
        " and reference must be as the bank's statement has them. Where the gateway gives"
        " statements of funds, its own number of the payout is needed, too."
    )
    fixer = Fixer.OPERATOR


class PayoutKnownError(ConflictError):
    """The same money is not booked twice."""

    code = "gateway_payout_known"
    message = N_(
        "A payout like this is known already (%(number)s). Nothing was changed. If it is the same"
        " money, please confirm there that it arrived."
    )
    fixer = Fixer.OPERATOR


class PayoutStateError(ConflictError):
    """Somebody was here before."""

    code = "gateway_payout_state"
    message = N_(
        "Somebody has decided about this payout, or confirmed it, since you opened the page."
        " Nothing was changed. Please look at it again."
    )
    fixer = Fixer.OPERATOR


class PayoutByTwoError(ConflictError):
    """Who claims money does not decide about it."""

    code = "gateway_payout_by_two"
    message = N_(
        "You entered this payout yourself. Nothing was booked. Please ask a second person to"
        " compare it with the bank's statement."
    )
    fixer = Fixer.OPERATOR
