"""Writes of refunds: reserved on the payment before the gateway is asked, then what it says."""

from datetime import datetime

from django.db import connection
from django.db.models import F
from django.db.models.functions import Coalesce

from diandian.payments import queries, rules
from diandian.payments.errors import NotCapturedError, OverRefundError, RefundConflictError
from diandian.payments.messages import Done, Outcome, Pending, RefundSnapshot, Rejected
from diandian.payments.models import Payment, PaymentState, Refund, RefundState


def request_refund(
    *, payment: Payment, amount_minor: int, refund_no: str, reason: str, at: datetime
) -> Refund:
    """Reserve money to give back, before the gateway is asked to.

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
    return Refund.objects.create(
        refund_no=refund_no,
        payment=payment,
        amount_minor=amount_minor,
        reason=reason,
        created_at=at,
        next_query_at=at + rules.FIRST_ATTEMPT,
    )


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
            Payment.objects.filter(id=locked.payment_id).update(
                refunded_minor=F("refunded_minor") - locked.amount_minor
            )
    done = rules.REFUND_RANKS[locked.state] >= rules.REFUND_FINAL_RANK
    locked.next_query_at = None if done else rules.next_refund_query_at(locked.created_at, at)
    locked.save(update_fields=["state", "next_query_at"])
    refund.state, refund.next_query_at = locked.state, locked.next_query_at
    return became is not None


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
        case Rejected():
            return RefundState.FAILED
        case _:
            return RefundState.UNKNOWN
