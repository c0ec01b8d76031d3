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


class NothingLeftError(ConflictError):
    """All that is asked for went back already, is on its way, or lies with the payer's bank."""

    code = "nothing_left"
    message = N_(
        "Only %(left)s of this payment can still go back. Nothing was refunded. Please check what"
        " is already on its way, and whether a bank disputes it."
    )
    fixer = Fixer.OPERATOR


class DisputeChangedError(ConflictError):
    """Something else is told of a chargeback, or somebody decided about it."""

    code = "dispute_changed"
    message = N_(
        "The gateway has said something else about this chargeback since you looked, or somebody"
        " has decided. Nothing was changed. Please look again."
    )
    fixer = Fixer.OPERATOR


class DisputedError(ConflictError):
    """A bank took the money of this payment."""

    code = "disputed"
    message = N_(
        "A bank disputes this payment, or its gateway told two things about that. Nothing was"
        " changed. Please wait until the bank has decided, or decide first which of the two holds."
    )
    fixer = Fixer.OPERATOR


class NoPartialRefundError(ConflictError):
    """The gateway gives a payment back in full only."""

    code = "no_partial_refund"
    message = N_(
        "This way to pay gives a payment back only in full. Nothing was refunded. Please refund all"
        " of it, or pay the part by other means."
    )
    fixer = Fixer.OPERATOR


class TooManyRefundsError(ConflictError):
    """The gateway takes so many refunds of one payment and no more."""

    code = "too_many_refunds"
    message = N_(
        "This way to pay takes %(limit)s refunds of one payment, and they are used up. Nothing was"
        " refunded. Please pay the rest by other means."
    )
    fixer = Fixer.OPERATOR


class LookAgainError(ConflictError):
    """Money went back since somebody looked."""

    code = "look_again"
    message = N_(
        "Money of this payment went back since you looked. Nothing was refunded. Please look again"
        " at what is left, and decide then."
    )
    fixer = Fixer.OPERATOR


class PartNeedsReviewError(ConflictError):
    """A part of an order's price goes back only while people look at the order."""

    code = "part_needs_review"
    message = N_(
        "A part of an order's price goes back only while it is under review. Nothing was refunded."
    )
    fixer = Fixer.OPERATOR


class NotRetiredError(ConflictError):
    """Goodwill is for what is retired; anything else is simply refunded."""

    code = "not_retired"
    message = N_(
        "The credits of this order are not retired. Nothing was asked for. Please refund the order"
        " instead."
    )
    fixer = Fixer.OPERATOR


class NotAbnormalError(ConflictError):
    """The refund found its way, or may still find it."""

    code = "not_abnormal"
    message = N_(
        "This refund does not need other means now. Nothing was changed. Please look at it again."
    )
    fixer = Fixer.OPERATOR


class MendingNotOfferedError(ConflictError):
    """The gateway has no second way home for money."""

    code = "mending_not_offered"
    message = N_(
        "The gateway took no second try for this refund. Nothing was changed. Please pay the guest"
        " by other means, and have a second person confirm it."
    )
    fixer = Fixer.OPERATOR


class PaidOtherwiseError(ConflictError):
    """Somebody says that they paid a refund by other means, and a second person decides."""

    code = "paid_otherwise"
    message = N_(
        "Somebody says that this refund was paid by other means, and it waits for a second person."
        " The gateway was not asked. Please confirm that request if the money went, or refuse it"
        " and then try again."
    )
    fixer = Fixer.OPERATOR


class OwnMoneyRequestError(ConflictError):
    """Whoever asked does not confirm."""

    code = "own_money_request"
    message = N_(
        "You asked for this yourself. Nothing was changed. Please let a second person decide."
    )
    fixer = Fixer.OPERATOR


class MoneyRequestDecidedError(ConflictError):
    """A request is decided once."""

    code = "money_request_decided"
    message = N_("This request was decided before. Nothing was changed.")
    fixer = Fixer.OPERATOR


class MoneyRequestWaitsError(ConflictError):
    """Another request about the same payment waits."""

    code = "money_request_waits"
    message = N_(
        "Another request about this payment waits for a second person. Nothing was asked for."
        " Please have that one decided first."
    )
    fixer = Fixer.OPERATOR
