"""Writes of payments, refunds and the inbox; each is safe to repeat."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import BooleanField, DateTimeField, F, JSONField
from django.db.models.functions import Coalesce

from diandian.kernel.money import Money
from diandian.kernel.tokens import ALPHABET
from diandian.payments import merchants, queries, rules
from diandian.payments.errors import (
    AmountOutOfRangeError,
    NotCapturedError,
    OverRefundError,
    RefundConflictError,
)
from diandian.payments.gateway import (
    Done,
    Instruction,
    Outcome,
    Pending,
    RefundSnapshot,
    Rejected,
    Snapshot,
    VerifiedNotice,
)
from diandian.payments.models import (
    OPEN_STATES,
    NoticeState,
    Notification,
    Payment,
    PaymentState,
    Refund,
    RefundState,
)
from diandian.store.inserts import Insert
from diandian.store.statements import Param, Update

_PAYMENTS = Insert(Payment, skip_conflicts=True)
_NOTICES = Insert(Notification, skip_conflicts=True)
_INSTRUCTED = Update(
    lambda _: Payment.objects.filter(id=Param("id"), state__in=OPEN_STATES),
    state=Param("state"),
    instruction=Param("instruction", JSONField()),
    gateway_ref=Param("gateway_ref"),
)
_BECAME = Update(
    lambda _: Payment.objects.filter(id=Param("id"), state=Param("before")),
    state=Param("state"),
    is_late=Param("is_late", BooleanField()),
    paid_at=Param("paid_at", DateTimeField()),
    gateway_ref=Param("gateway_ref"),
    next_query_at=Param("next_query_at", DateTimeField()),
)
_APPLIED = Update(
    lambda _: Notification.objects.filter(id=Param("id")),
    state=NoticeState.APPLIED,
    next_attempt_at=None,
)

_NUMBER_LETTERS = 16  # 80 random bits behind the day: never used twice, never guessed
_FIRST_ATTEMPT = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Applied:
    """What a snapshot did to a payment. ``mismatch``: facts that differ, then nothing changed."""

    payment: Payment
    changed: bool
    became: str
    mismatch: tuple[str, ...] = ()
    late: bool = False


def new_payment_no(at: datetime) -> str:
    """Return a fresh number of 24 letters and digits, which every gateway takes."""
    tail = "".join(secrets.choice(ALPHABET) for _ in range(_NUMBER_LETTERS))
    return f"DD{at:%y%m%d}{tail}"


def start(
    *, owner_ref: str, amount: Money, gateway: str, expires_at: datetime, at: datetime
) -> Payment:
    """Write the attempt to pay, before any gateway hears of it.

    Idempotent by: the owner, who has one open attempt at most; a second start returns it.
    Raises: UnknownGatewayError, AmountOutOfRangeError.
    """
    context = merchants.context_for(gateway)
    if not rules.is_in_range(amount, merchants.gateway_of(gateway).capabilities(context)):
        raise AmountOutOfRangeError
    assert expires_at > at, "a payment begins before its deadline"
    payment = Payment(
        payment_no=new_payment_no(at),
        owner_ref=owner_ref,
        gateway=gateway,
        mode=context.mode,
        merchant=context.merchant,
        amount_minor=amount.amount_minor,
        currency=amount.currency,
        created_at=at,
        expires_at=expires_at,
        next_query_at=rules.next_query_at(
            PaymentState.CREATED, created_at=at, expires_at=expires_at, at=at
        ),
    )
    if _PAYMENTS.run([payment]):
        return payment
    earlier = queries.open_of(owner_ref)
    assert earlier is not None, "whoever was faster has an open attempt"
    return earlier


def submitted(payment: Payment, outcome: Outcome[Instruction], *, at: datetime) -> Payment:
    """Keep what the gateway answered to the creation; return the payment as it is now.

    A notice may have been faster: a state that is further on stays. Unknown is kept as unknown.
    """
    match outcome:
        case Done(value=instruction):
            if _keep_instruction(payment, instruction):
                return payment
        case Pending():
            _take_state(payment, PaymentState.SUBMITTED)
        case Rejected(code=code, retryable=False):
            _take_state(payment, PaymentState.FAILED, reason=code[:120])
        case Rejected():
            pass  # never sent: the attempt stays as it was and is sent again
        case _:
            soon = at + _FIRST_ATTEMPT
            _take_state(payment, PaymentState.UNKNOWN, next_query_at=soon)
    payment.refresh_from_db()
    assert payment.state != PaymentState.CREATED or isinstance(outcome, Rejected)
    return payment


def _keep_instruction(payment: Payment, instruction: Instruction) -> bool:
    facts = {
        "state": PaymentState.PENDING,
        "instruction": {
            "kind": instruction.kind,
            "url": instruction.url,
            "text": instruction.text,
        },
        "gateway_ref": instruction.gateway_ref,
    }
    kept = _INSTRUCTED.run(id=payment.id, **facts)
    if kept:
        for name, value in facts.items():
            setattr(payment, name, value)
    return bool(kept)


def _take_state(payment: Payment, state: str, **columns: object) -> bool:
    lawful = rules.states_below(state)
    return bool(
        Payment.objects.filter(id=payment.id, state__in=lawful).update(state=state, **columns)
    )


def apply(payment: Payment, snapshot: Snapshot, *, at: datetime) -> Applied:
    """Apply what the gateway says to a payment, by rank; the same snapshot twice changes it once.

    Must run inside a transaction, after the order was locked.
    Locks: the payment's row, by an update on condition that nobody changed its state meanwhile.
    """
    assert connection.in_atomic_block, "a payment and what follows from it change together"
    mismatch = rules.mismatches(
        snapshot,
        payment_no=payment.payment_no,
        merchant=payment.merchant,
        mode=payment.mode,
        amount=Money(payment.amount_minor, payment.currency),
    )
    if mismatch:
        return _apply_odd(payment, snapshot, mismatch, at)
    while (became := rules.next_state(payment.state, snapshot.state)) is not None:
        if _become(payment, became, snapshot, at):
            return Applied(payment, changed=True, became=became, late=payment.is_late)
        # Somebody was faster: look again at what it is now.
        payment.refresh_from_db()
    return Applied(payment, changed=False, became=payment.state)


def _become(payment: Payment, became: str, snapshot: Snapshot, at: datetime) -> bool:
    changes = {
        "state": became,
        "is_late": became == PaymentState.SUCCEEDED and rules.is_final(payment.state),
        "paid_at": snapshot.paid_at,
        "gateway_ref": snapshot.gateway_ref or payment.gateway_ref,
        "next_query_at": rules.next_query_at(
            became, created_at=payment.created_at, expires_at=payment.expires_at, at=at
        ),
    }
    if not _BECAME.run(id=payment.id, before=payment.state, **changes):
        return False
    for name, value in changes.items():
        setattr(payment, name, value)
    return True


def _apply_odd(
    payment: Payment, snapshot: Snapshot, mismatch: tuple[str, ...], at: datetime
) -> Applied:
    """Remember a difference once; money that arrived all the same is kept as what it is.

    An answer that is not about this payment at all changes no state: the gateway is asked on.
    """
    reason = f"mismatch: {', '.join(mismatch)}"
    follows = rules.may_follow(snapshot, mismatch)
    while follows and (became := rules.next_state(payment.state, snapshot.state)) is not None:
        if _become(payment, became, snapshot, at):
            if became == PaymentState.SUCCEEDED:
                _keep_odd_receipt(payment, snapshot)
            _keep_reason(payment, reason)
            return Applied(payment, True, became, mismatch, payment.is_late)  # noqa: FBT003
        payment.refresh_from_db()
    is_news = payment.state != PaymentState.SUCCEEDED and _keep_reason(payment, reason)
    return Applied(payment, changed=is_news, became=payment.state, mismatch=mismatch)


def _keep_odd_receipt(payment: Payment, snapshot: Snapshot) -> None:
    payment.received_minor = snapshot.amount_minor
    payment.received_currency = snapshot.currency
    payment.received_merchant = snapshot.merchant
    payment.save(update_fields=["received_minor", "received_currency", "received_merchant"])


def _keep_reason(payment: Payment, reason: str) -> bool:
    """Keep why a payment is looked at; tell whether that is new."""
    changed = Payment.objects.filter(id=payment.id).exclude(reason=reason).update(reason=reason)
    payment.reason = reason
    return bool(changed)


def _next_query_at(payment: Payment, at: datetime) -> datetime | None:
    return rules.next_query_at(
        payment.state, created_at=payment.created_at, expires_at=payment.expires_at, at=at
    )


def note_query(payment: Payment, *, at: datetime) -> None:
    """Note that the gateway was asked without news, and when to ask next.

    Changes nothing when the payment moved on meanwhile: then its new state set the next time.
    """
    Payment.objects.filter(id=payment.id, state=payment.state, next_query_at__lte=at).update(
        query_count=F("query_count") + 1, next_query_at=_next_query_at(payment, at)
    )


def give_up(payment: Payment, *, at: datetime) -> bool:
    """Close a payment that its gateway never came to know, once no late creation is possible.

    Returns False, and changes nothing, before deadline and grace are over or when it got further.
    """
    if not rules.is_past_grace(payment.expires_at, at):
        return False
    return _take_state(payment, PaymentState.CLOSED, reason="never_created", next_query_at=None)


def supersede(payment: Payment) -> bool:
    """Set an open attempt aside for another one; it is asked about until its grace is over."""
    changed = Payment.objects.filter(id=payment.id, state__in=OPEN_STATES).update(
        is_superseded=True
    )
    payment.refresh_from_db()
    assert payment.is_superseded or payment.state not in OPEN_STATES
    return bool(changed)


# -- the inbox --------------------------------------------------------------------------------


def store_notice(
    *, gateway: str, merchant: str, notice: VerifiedNotice, body_sha256: str, at: datetime
) -> Notification | None:
    """Keep a verified notice, so that it outlasts a crash; None when it is known already.

    Idempotent by: gateway, merchant and the notice's own id.
    """
    kept = Notification(
        gateway=gateway,
        merchant=merchant,
        notice_id=notice.notice_id,
        kind=notice.kind,
        payment_no=notice.payment_no,
        body_sha256=body_sha256,
        received_at=at,
        # Whoever received it works at once; this is for the case that it crashes.
        next_attempt_at=at + _FIRST_ATTEMPT,
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


# -- refunds ----------------------------------------------------------------------------------


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
        next_query_at=at + _FIRST_ATTEMPT,
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
