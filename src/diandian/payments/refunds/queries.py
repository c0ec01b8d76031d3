"""Reads refunds for those who decide about them."""

from diandian.kernel.errors import NotFoundError
from diandian.payments.disputes import queries as disputes
from diandian.payments.models import Payment, Refund, RefundKind, RefundState

_OVER = (RefundState.SUCCEEDED, RefundState.FAILED, RefundState.OTHERWISE)


def left_minor(payment: Payment) -> int:
    """Return what of a received payment can still go back, in minor units.

    Not what went back or is on its way, nor what the payer's bank took.
    """
    gone_minor = payment.refunded_minor + disputes.taken_minor(payment)
    return max(0, payment.received.amount_minor - gone_minor)


def states_of(payment: Payment) -> tuple[tuple[str, str], ...]:
    """Return number and state of every refund of a payment, to notice that one changed."""
    return tuple(Refund.objects.filter(payment=payment).values_list("refund_no", "state"))


def open_of_payment(payment: Payment) -> list[Refund]:
    """Return the refunds of a payment that its gateway still works on, oldest first."""
    rows = Refund.objects.filter(payment=payment).exclude(state__in=_OVER)
    return list(rows.select_related("payment"))


def asked_for(payment: Payment) -> list[Refund]:
    """Return the refunds of a payment that its gateway may still say something new about.

    Also those that are done: they may come back.
    """
    rows = Refund.objects.filter(payment=payment, sent_at__isnull=False)
    over = (RefundState.FAILED, RefundState.OTHERWISE)
    return list(rows.exclude(state__in=over).select_related("payment"))


def open_by_age() -> list[Refund]:
    """Return all refunds that are on their way or found no way home, oldest first."""
    return list(Refund.objects.exclude(state__in=_OVER).select_related("payment"))


def failed(limit: int) -> list[Refund]:
    """Return refunds that failed, newest first."""
    rows = Refund.objects.filter(state=RefundState.FAILED).exclude(kind=RefundKind.EXTERNAL)
    return list(rows.select_related("payment").order_by("-id")[:limit])


def external_unseen() -> list[Refund]:
    """Return refunds that were not made by us and that nobody looked into yet, oldest first."""
    rows = Refund.objects.filter(kind=RefundKind.EXTERNAL, seen_by="")
    return list(rows.exclude(state=RefundState.FAILED).select_related("payment"))


def refund_by_id(number: int) -> Refund:
    """Return a refund. Raises: NotFoundError."""
    found = Refund.objects.select_related("payment").filter(id=number).first()
    if found is None:
        raise NotFoundError
    return found
