"""What can stand in the way of money, in plain words."""

from diandian.kernel.errors import N_, ConflictError, DiandianError, Fixer, NotFoundError


class UnknownGatewayError(NotFoundError):
    """No gateway of this key is in use here."""

    code = "unknown_gateway"
    message = N_(
        "This way to pay is not available. Nothing was charged. Please choose another one."
    )


class UnknownPaymentError(NotFoundError):
    """No payment of this number."""

    code = "unknown_payment"
    message = N_("There is no payment of this number. Nothing was changed.")


class AmountOutOfRangeError(ConflictError):
    """The gateway takes no payment of this amount or currency."""

    code = "amount_out_of_range"
    message = N_(
        "This way to pay does not take this amount. Nothing was charged. Please choose another one."
    )


class PayerUnknownError(DiandianError):
    """The wallet's app did not say who pays."""

    code = "payer_unknown"
    message = N_("WeChat did not tell us who pays. Nothing was charged. Please try again.")
    fixer = Fixer.CUSTOMER
    retryable = True


class NotClosedYetError(ConflictError):
    """The gateway cannot say that an attempt is unpayable: perhaps it is just being paid."""

    code = "not_closed_yet"
    message = N_(
        "Your bank has not said yet whether you paid. Nothing was changed, and you are not charged"
        " twice. Please look again in a moment."
    )
    retryable = True


class NotCapturedError(ConflictError):
    """There is no received money to give back."""

    code = "not_captured"
    message = N_("This payment was never received. Nothing was refunded.")


class OverRefundError(ConflictError):
    """More would go back than came in."""

    code = "over_refund"
    message = N_(
        "More would be refunded than was paid. Nothing was refunded. Please check the amount."
    )


class RefundConflictError(ConflictError):
    """The refund number stands for another refund."""

    code = "refund_conflict"
    message = N_("This refund number already stands for another refund. Nothing was refunded.")


class RetiredNotRefundableError(ConflictError):
    """The credits are retired, which is final."""

    code = "retired_not_refundable"
    message = N_(
        "The credits of this order are retired, and a retirement is final. Nothing was refunded."
    )


class NothingToRefundError(DiandianError):
    """The order has no received payment."""

    code = "nothing_to_refund"
    message = N_("Nothing was received for this order, so nothing was refunded.")
    fixer = Fixer.OPERATOR
