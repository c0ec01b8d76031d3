"""Reads of payments, refunds and the inbox."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from django.db import connection
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
_BY_REF = Select(
    lambda: Payment.objects.filter(
        # The second condition is the index's own.
        gateway_ref=Param("gateway_ref"),
        gateway_ref__gt="",
        gateway=Param("gateway"),
        merchant=Param("merchant"),
    )
)


def by_no(payment_no: str) -> Payment:
    """Return a payment by our number. Raises: UnknownPaymentError."""
    payment = _BY_NO.first(payment_no=payment_no)
    if payment is None:
        raise UnknownPaymentError
    return payment


def of_notice(notice: Notification) -> Payment:
    """Return the payment that a notice is about, by our number or the gateway's own.

    Raises: UnknownPaymentError.
    """
    if notice.payment_no:
        payment = by_no(notice.payment_no)
        if (payment.gateway, payment.merchant) != (notice.gateway, notice.merchant):
            raise UnknownPaymentError
        return payment
    if not notice.gateway_ref:
        raise UnknownPaymentError
    found = _BY_REF.first(
        gateway=notice.gateway, merchant=notice.merchant, gateway_ref=notice.gateway_ref
    )
    if found is None:
        raise UnknownPaymentError
    return found


def refund_of_notice(notice: Notification) -> Refund | None:
    """Return the refund that a notice is about; None when it is none of ours there."""
    found = refund_by_no(notice.refund_no) if notice.refund_no else None
    if found is None:
        return None
    payment = found.payment
    is_there = (payment.gateway, payment.merchant) == (notice.gateway, notice.merchant)
    return found if is_there else None


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


def notices_given_up() -> int:
    """Return how many notices were believed and could never be applied."""
    return Notification.objects.filter(state=NoticeState.DEAD).count()


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


def modes_seen() -> set[str]:
    """Return the modes of the first and the last payment: live and test never share a database."""
    by_age = Payment.objects.values_list("mode", flat=True)
    ends = (by_age.order_by("id").first(), by_age.order_by("-id").first())
    return {mode for mode in ends if mode is not None}


def database_time() -> datetime | None:
    """Return the time on the database's machine; None where it is a file on ours."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (found,) = cursor.fetchone()
    return found if isinstance(found, datetime) else None


def refunds_open() -> int:
    """Return how many refunds are on their way or found no way home."""
    settled = (RefundState.SUCCEEDED, RefundState.FAILED, RefundState.OTHERWISE)
    return Refund.objects.exclude(state__in=settled).count()


def refund_by_no(refund_no: str) -> Refund | None:
    """Return a refund by our number."""
    return Refund.objects.filter(refund_no=refund_no).select_related("payment").first()


def refunds_of(owner_ref: str) -> list[Refund]:
    """Return the refunds of an owner, oldest first."""
    return list(Refund.objects.filter(payment__owner_ref=owner_ref).select_related("payment"))
