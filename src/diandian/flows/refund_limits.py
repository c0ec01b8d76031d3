"""What a gateway offers for refunds: in parts, how often, how close together, for how long.

A line that is no longer in use limits nothing here: its refunds fail when they are sent. Neither
does the time that a gateway gives for refunds: what comes too late is paid by people, another way.
*Source:* payments design, section 6 (row 31).
"""

from datetime import datetime, timedelta

from diandian.payments import merchants
from diandian.payments.errors import (
    NoPartialRefundError,
    TooManyRefundsError,
    UnknownGatewayError,
)
from diandian.payments.messages import Capabilities
from diandian.payments.models import Payment, RefundState


def gap_seconds(payment: Payment) -> int:
    """Return how long a gateway wants to pass between two refunds of one payment."""
    offered = _offered(payment)
    return 0 if offered is None else offered.refund_gap_seconds


def require(payment: Payment, amount_minor: int) -> None:
    """Refuse a refund that the gateway would refuse for good, in this form.

    Raises: NoPartialRefundError, TooManyRefundsError.
    """
    offered = _offered(payment)
    if offered is None:
        return
    if amount_minor < payment.received.amount_minor and not offered.can_partial_refund:
        raise NoPartialRefundError
    living = payment.refunds.exclude(state=RefundState.FAILED).count()
    if living >= offered.refunds_limit:
        raise TooManyRefundsError(limit=offered.refunds_limit)


def is_too_late(payment: Payment, *, at: datetime) -> bool:
    """Tell whether the time is over in which the gateway gives a payment back."""
    offered = _offered(payment)
    if offered is None or payment.paid_at is None:
        return False
    return at > payment.paid_at + timedelta(days=offered.refund_window_days)


def _offered(payment: Payment) -> Capabilities | None:
    try:
        merchant = merchants.of_payment(payment)
        return merchants.gateway_of(payment.gateway).capabilities(merchant.context)
    except UnknownGatewayError:
        return None
