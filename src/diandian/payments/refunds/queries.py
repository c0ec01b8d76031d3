"""Reads refunds for those who decide about them."""

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from diandian.kernel.errors import NotFoundError
from diandian.payments.disputes import queries as disputes
from diandian.payments.models import Payment, Refund, RefundKind, RefundState

_RECEIVED = Coalesce("payment__received_minor", "payment__amount_minor")
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
    """Return refunds that failed, newest first.

    First all those of money that is still here and was not asked for again, however old they are:
    nobody may forget it. After a retirement that money is ours, so goodwill is among the others.
    """
    rows = Refund.objects.filter(state=RefundState.FAILED).exclude(kind=RefundKind.EXTERNAL)
    newest_first = rows.select_related("payment").order_by("-id")
    later = Refund.objects.filter(payment=OuterRef("payment"), id__gt=OuterRef("id"))
    owed = newest_first.exclude(kind=RefundKind.GOODWILL).exclude(Exists(later))
    here = owed.filter(payment__refunded_minor__lt=_RECEIVED)
    first = [each for each in here if left_minor(each.payment)]
    known = {each.id for each in first}
    return first + [each for each in newest_first[:limit] if each.id not in known]


def external_unseen() -> list[Refund]:
    """Return refunds that were not made by us and that nobody looked into yet, oldest first."""
    rows = Refund.objects.filter(kind=RefundKind.EXTERNAL, seen_by="")
    return list(rows.exclude(state=RefundState.FAILED).select_related("payment"))


def with_waiting_share(limit: int) -> list[Refund]:
    """Return refunds of which suppliers' shares are still to come back, oldest first."""
    return list(_with_waiting_share()[:limit])


def waiting_shares_of(payment: Payment) -> list[Refund]:
    """Return the refunds of a payment of which the supplier's share is still to come back."""
    return list(_with_waiting_share().filter(payment=payment))


def _with_waiting_share() -> QuerySet[Refund]:
    return Refund.objects.filter(share_waits=True).select_related("payment").order_by("id")


def refund_by_id(number: int) -> Refund:
    """Return a refund. Raises: NotFoundError."""
    found = Refund.objects.select_related("payment").filter(id=number).first()
    if found is None:
        raise NotFoundError
    return found
