"""What a gateway offers for refunds: in parts, how often, how close together, for how long.

A line that is no longer in use limits nothing here: its refunds fail when they are sent.
*Source:* payments design, section 6 (row 31).
"""

from datetime import datetime, timedelta

from diandian.payments import merchants
from diandian.payments.errors import (
    NoPartialRefundError,
    RefundWindowError,
    TooManyRefundsError,
    UnknownGatewayError,
)
from diandian.payments.messages import Capabilities
from diandian.payments.models import Payment, RefundState


def gap_seconds(payment: Payment) -> int:
    """Return how long a gateway wants to pass between two refunds of one payment."""
    offered = _offered(payment)
    return 0 if offered is None else offered.refund_gap_seconds


def require(payment: Payment, amount_minor: int, *, at: datetime) -> None:
    """Refuse a refund that the gateway would refuse for good.

    Raises: NoPartialRefundError, TooManyRefundsError, RefundWindowError.
    """
    offered = _offered(payment)
    if offered is None:
        return
    if amount_minor < payment.received.amount_minor and not offered.can_partial_refund:
        raise NoPartialRefundError
    living = payment.refunds.exclude(state=RefundState.FAILED).count()
    if living >= offered.refunds_limit:
        raise TooManyRefundsError(limit=offered.refunds_limit)
    window = timedelta(days=offered.refund_window_days)
    if payment.paid_at is not None and at > payment.paid_at + window:
        raise RefundWindowError(days=offered.refund_window_days)


def _offered(payment: Payment) -> Capabilities | None:
    try:
        merchant = merchants.of_payment(payment)
        return merchants.gateway_of(payment.gateway).capabilities(merchant.context)
    except UnknownGatewayError:
        return None
