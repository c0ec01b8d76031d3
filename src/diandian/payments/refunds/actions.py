"""Writes of refunds: reserved on the payment before the gateway is asked, then what it says."""

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F
from django.db.models.functions import Coalesce

from diandian.payments import queries, rules
from diandian.payments.disputes import queries as disputes
from diandian.payments.errors import (
    NotAbnormalError,
    NotCapturedError,
    OverRefundError,
    RefundConflictError,
)
from diandian.payments.messages import (
    WINDOW_OVER,
    Done,
    Outcome,
    Pending,
    RefundSnapshot,
    Rejected,
)
from diandian.payments.models import Payment, PaymentState, Refund, RefundKind, RefundState
from diandian.payments.requests import queries as requests


def request_refund(  # noqa: PLR0913 - one refund, all its facts
    *,
    payment: Payment,
    amount_minor: int,
    refund_no: str,
    reason: str,
    kind: str = RefundKind.ORDINARY,
    source: str = "",
    is_shared: bool = False,
    stated_ref: str = "",
    at: datetime,
) -> Refund:
    """Reserve money to give back, before the gateway is asked to.

    ``source``: the number of the account that its money lies on. ``is_shared``: the supplier
    stands for its part. An external refund was made by
    others: it is reserved as done, and nobody is asked for it.
    Locks: the payment's row, by one conditional update that never reserves more than was paid.
    Idempotent by: the refund number.
    Raises: NotCapturedError, OverRefundError, RefundConflictError.
    """
    assert amount_minor > 0, "a refund gives something back"
    assert connection.in_atomic_block, "the reservation and its posting are one"
    Payment.objects.select_for_update(no_key=True).get(id=payment.id)
    earlier = queries.refund_by_no(refund_no)
    if earlier is not None:
        if (earlier.payment_id, earlier.amount_minor) != (payment.id, amount_minor):
            raise RefundConflictError
        return earlier
    reserved = Payment.objects.filter(
        id=payment.id,
        state=PaymentState.SUCCEEDED,
        refunded_minor__lte=Coalesce("received_minor", "amount_minor") - amount_minor,
    ).update(refunded_minor=F("refunded_minor") + amount_minor)
    if not reserved:
        payment.refresh_from_db()
        raise OverRefundError if payment.state == PaymentState.SUCCEEDED else NotCapturedError
    payment.refunded_minor += amount_minor
    is_done = kind == RefundKind.EXTERNAL
    return Refund.objects.create(
        refund_no=refund_no,
        payment=payment,
        kind=kind,
        source=source,
        is_shared=is_shared,
        stated_ref=stated_ref,
        amount_minor=amount_minor,
        reason=reason,
        state=RefundState.SUCCEEDED if is_done else RefundState.REQUESTED,
        created_at=at,
        next_query_at=None if is_done else at + rules.FIRST_ATTEMPT,
    )


def note_sending(refund: Refund, *, gap_seconds: int, at: datetime) -> bool:
    """Note that the gateway is asked now; False when it must not be, or not yet.

    What was heard since it was looked at counts: that it ended, that a bank disputes the payment,
    or that somebody says they paid it otherwise. Nor when another refund of the payment was just
    sent: then it waits for its turn.
    Locks: the payment's row, so that of two only one goes first.
    """
    assert connection.in_atomic_block, "of two refunds one goes first"
    payment = Payment.objects.select_for_update(no_key=True).get(id=refund.payment_id)
    refund.refresh_from_db(fields=["state", "next_query_at"])
    if rules.is_refund_over(refund.state):
        return False
    if disputes.is_disputed(payment) or requests.says_paid_otherwise(refund):
        wait(refund, at=at)
        return False
    others = Refund.objects.filter(payment_id=refund.payment_id, sent_at__isnull=False)
    sent = others.exclude(id=refund.id).values_list("sent_at", flat=True)
    goes_at = rules.refund_may_go_at([each for each in sent if each], gap_seconds)
    if goes_at is not None and at < goes_at:
        postpone(refund, until=goes_at)
        return False
    Refund.objects.filter(id=refund.id).update(sent_at=at)
    refund.sent_at = at
    return True


def postpone(refund: Refund, *, until: datetime) -> None:
    """Look at a refund later; a refund that ended meanwhile stays so."""
    Refund.objects.filter(id=refund.id, next_query_at__isnull=False).update(next_query_at=until)
    refund.next_query_at = until


def refund_result(refund: Refund, outcome: Outcome[RefundSnapshot], *, at: datetime) -> bool:
    """Keep what the gateway answered about a refund; tell whether its state changed.

    A refund that failed gives its reservation back. Rejected for good is failed, no more.
    Locks: the refund's row.
    """
    assert connection.in_atomic_block, "a refund and its posting change together"
    locked = Refund.objects.select_for_update(no_key=True).get(id=refund.id)
    incoming = _refund_state(locked, outcome)
    became = rules.next_refund_state(locked.state, incoming)
    if became is not None:
        locked.state = became
        if became == RefundState.FAILED:
            _give_reservation_back(locked)
    is_over = rules.is_refund_over(locked.state)
    locked.next_query_at = None if is_over else rules.next_refund_query_at(locked.created_at, at)
    locked.save(update_fields=["state", "next_query_at"])
    refund.state, refund.next_query_at = locked.state, locked.next_query_at
    return became is not None


def _give_reservation_back(refund: Refund) -> None:
    Payment.objects.filter(id=refund.payment_id).update(
        refunded_minor=F("refunded_minor") - refund.amount_minor
    )


def _refund_state(refund: Refund, outcome: Outcome[RefundSnapshot]) -> str:
    match outcome:
        case Done(value=snapshot):
            ours = (refund.refund_no, refund.amount_minor, refund.payment.received.currency)
            theirs = (snapshot.refund_no, snapshot.amount_minor, snapshot.currency)
            # A refund that is not the one we asked for is never counted as ours.
            return str(snapshot.state) if theirs == ours else RefundState.ABNORMAL
        case Pending():
            return RefundState.SUBMITTED
        case Rejected(retryable=True):
            return str(refund.state)
        case Rejected(code=code) if code == WINDOW_OVER:
            # It will never take this one: people pay it another way.
            return RefundState.ABNORMAL
        case Rejected():
            return RefundState.FAILED
        case _:
            return RefundState.UNKNOWN


def give_up_unsent(refund: Refund) -> bool:
    """Let a refund fail that nobody was asked for yet; tell whether that was so.

    Locks: the refund's row.
    """
    assert connection.in_atomic_block, "a refund and its posting change together"
    waiting = (RefundState.REQUESTED, RefundState.ABNORMAL)
    unsent = Refund.objects.filter(id=refund.id, state__in=waiting, sent_at=None)
    return _fail(refund, bool(unsent.update(state=RefundState.FAILED, next_query_at=None)))


def undo_external(refund: Refund) -> bool:
    """Keep that a refund which was not ours did not happen after all. Locks: the refund's row."""
    assert connection.in_atomic_block, "a refund and its posting change together"
    done = Refund.objects.filter(
        id=refund.id, kind=RefundKind.EXTERNAL, state=RefundState.SUCCEEDED
    )
    return _fail(refund, bool(done.update(state=RefundState.FAILED)))


def come_back(refund: Refund) -> bool:
    """Keep that a refund of ours which was done came back; tell whether that is new.

    Locks: the refund's row.
    """
    assert connection.in_atomic_block, "a refund and its posting change together"
    done = Refund.objects.filter(id=refund.id, state=RefundState.SUCCEEDED)
    ours = done.exclude(kind=RefundKind.EXTERNAL)
    return _fail(refund, bool(ours.update(state=RefundState.FAILED)))


def _fail(refund: Refund, changed: bool) -> bool:  # noqa: FBT001 - what the update said
    if changed:
        refund.state = RefundState.FAILED
        _give_reservation_back(refund)
    return changed


def settle_otherwise(refund: Refund) -> None:
    """Keep that an abnormal refund was paid by other means. Raises: NotAbnormalError."""
    assert connection.in_atomic_block, "a refund and its posting change together"
    abnormal = Refund.objects.filter(id=refund.id, state=RefundState.ABNORMAL)
    if not abnormal.update(state=RefundState.OTHERWISE, next_query_at=None):
        refund.refresh_from_db()
        raise NotAbnormalError(state=refund.state)
    refund.state, refund.next_query_at = RefundState.OTHERWISE, None


def let_share_wait(refund_no: str, *, waits: bool) -> None:
    """Keep whether the supplier's share of a refund is still to be taken back."""
    Refund.objects.filter(refund_no=refund_no).update(share_waits=waits)


def see(refund: Refund, *, actor_ref: str) -> bool:
    """Keep who looked into a refund that was not ours; tell whether that is new."""
    unseen = Refund.objects.filter(id=refund.id, kind=RefundKind.EXTERNAL, seen_by="")
    return bool(unseen.update(seen_by=actor_ref))


def wait(refund: Refund, *, at: datetime, delay: timedelta = rules.REFUND_WAITS) -> None:
    """Leave a refund alone for a while: something else must come first."""
    postpone(refund, until=at + delay)
