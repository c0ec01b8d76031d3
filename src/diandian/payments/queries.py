"""Reads of payments, refunds and the inbox."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from django.db.models import Min

from diandian.kernel.clock import business_day, day_starts
from diandian.payments.errors import UnknownPaymentError
from diandian.payments.models import (
    OPEN_STATES,
    NoticeState,
    Notification,
    Payment,
    PaymentState,
    Refund,
    RefundState,
)
from diandian.store.statements import Param, Select

_NEAR = timedelta(days=4)
_BY_NO = Select(lambda: Payment.objects.filter(payment_no=Param("payment_no")))


def by_no(payment_no: str) -> Payment:
    """Return a payment by our number. Raises: UnknownPaymentError."""
    payment = _BY_NO.first(payment_no=payment_no)
    if payment is None:
        raise UnknownPaymentError
    return payment


def of_notice(notice: Notification) -> Payment:
    """Return the payment that a notice is about. Raises: UnknownPaymentError."""
    payment = by_no(notice.payment_no)
    if (payment.gateway, payment.merchant) != (notice.gateway, notice.merchant):
        raise UnknownPaymentError
    return payment


def open_of(owner_ref: str) -> Payment | None:
    """Return the open attempt of an owner; there is one at most."""
    return Payment.objects.filter(
        owner_ref=owner_ref, state__in=OPEN_STATES, is_superseded=False
    ).first()


def latest_of(owner_ref: str) -> Payment | None:
    """Return the newest attempt of an owner."""
    return Payment.objects.filter(owner_ref=owner_ref).order_by("-id").first()


def of_owner(owner_ref: str) -> list[Payment]:
    """Return every attempt of an owner, oldest first."""
    return list(Payment.objects.filter(owner_ref=owner_ref))


def succeeded_of(owner_ref: str) -> list[Payment]:
    """Return the received payments of an owner, oldest first."""
    return list(Payment.objects.filter(owner_ref=owner_ref, state=PaymentState.SUCCEEDED))


def due_for_query(at: datetime, limit: int) -> list[Payment]:
    """Return payments that the gateway should be asked about, longest due first."""
    return list(Payment.objects.filter(next_query_at__lte=at).order_by("next_query_at")[:limit])


def notices_due(at: datetime, limit: int) -> list[Notification]:
    """Return notices that were kept but not applied yet."""
    waiting = (NoticeState.VERIFIED, NoticeState.PARKED)
    due = Notification.objects.filter(next_attempt_at__lte=at, state__in=waiting)
    return list(due.order_by("next_attempt_at")[:limit])


def first_day(gateway: str, mode: str, account: str) -> date | None:
    """Return the business day on which the first payment at an account was begun."""
    mine = Payment.objects.filter(gateway=gateway, mode=mode, merchant=account)
    first: datetime | None = mine.aggregate(at=Min("created_at"))["at"]
    return business_day(first) if first else None


def any_agreed(
    gateway: str, mode: str, account: str, settlements: Collection[str], day: date
) -> bool:
    """Tell whether a payment near a day was begun under one of some settlements."""
    near = (day_starts(day - _NEAR), day_starts(day + _NEAR))
    mine = Payment.objects.filter(gateway=gateway, mode=mode, merchant=account)
    return mine.filter(settlement__in=settlements, paid_at__range=near).exists()


def refunds_due(at: datetime, limit: int) -> list[Refund]:
    """Return refunds that are not settled yet and should be asked about."""
    due = Refund.objects.filter(next_query_at__lte=at).select_related("payment")
    return list(due.order_by("next_query_at")[:limit])


def refunds_open() -> int:
    """Return how many refunds are on their way or found no way home."""
    settled = (RefundState.SUCCEEDED, RefundState.FAILED)
    return Refund.objects.exclude(state__in=settled).count()


def refund_by_no(refund_no: str) -> Refund | None:
    """Return a refund by our number."""
    return Refund.objects.filter(refund_no=refund_no).select_related("payment").first()


def refunds_of(owner_ref: str) -> list[Refund]:
    """Return the refunds of an owner, oldest first."""
    return list(Refund.objects.filter(payment__owner_ref=owner_ref).select_related("payment"))
