"""Writes of the inbox: a verified notice is kept once, and tried until it could be applied."""

from datetime import date, datetime

from django.db.models import F

from diandian.kernel.clock import business_day
from diandian.payments import rules
from diandian.payments.messages import VerifiedNotice
from diandian.payments.models import NoticeState, Notification, RefusedNotices
from diandian.store.inserts import Insert
from diandian.store.statements import Param, Update

_NOTICES = Insert(Notification, skip_conflicts=True)
_APPLIED = Update(
    lambda _: Notification.objects.filter(id=Param("id")),
    state=NoticeState.APPLIED,
    next_attempt_at=None,
)


def store_notice(
    *,
    gateway: str,
    merchant: str,
    notice: VerifiedNotice,
    body_sha256: str,
    is_left: bool = False,
    at: datetime,
) -> Notification | None:
    """Keep a verified notice, so that it outlasts a crash; None when it is known already.

    ``is_left``: whoever received it does not work on it, the worker should at once.
    Idempotent by: gateway, merchant and the notice's own id.
    """
    kept = Notification(
        gateway=gateway,
        merchant=merchant,
        notice_id=notice.notice_id,
        kind=notice.kind,
        payment_no=notice.payment_no,
        gateway_ref=notice.gateway_ref,
        refund_no=notice.refund_no,
        body_sha256=body_sha256,
        received_at=at,
        # Whoever received it works at once; a later time is for the case that it crashes.
        next_attempt_at=at if is_left else at + rules.FIRST_ATTEMPT,
    )
    return kept if _NOTICES.run([kept]) else None


def finish_notice(notification: Notification) -> None:
    """Mark a notice as applied."""
    _APPLIED.along(id=notification.id)


def park_notice(notification: Notification, *, at: datetime) -> None:
    """Set a notice aside for another try, later each time; after too many people must look."""
    attempts = notification.attempts + 1
    again_at = rules.next_notice_attempt_at(attempts, at)
    notification.attempts = attempts
    notification.state = NoticeState.DEAD if again_at is None else NoticeState.PARKED
    notification.next_attempt_at = again_at
    notification.save(update_fields=["attempts", "state", "next_attempt_at"])


def count_refused(
    *, gateway: str, merchant_key: str, reason: str, count: int, at: datetime
) -> None:
    """Add to the day's count of notices that were not believed. Repeated, it counts again."""
    row, _ = RefusedNotices.objects.get_or_create(
        day=business_day(at),
        gateway=gateway,
        merchant_key=merchant_key,
        reason=reason,
        defaults={"last_at": at},
    )
    RefusedNotices.objects.filter(id=row.id).update(count=F("count") + count, last_at=at)


def forget_refused(before: date) -> int:
    """Remove the counts of refused notices of the days before one; return how many rows."""
    removed, _ = RefusedNotices.objects.filter(day__lt=before).delete()
    return removed
