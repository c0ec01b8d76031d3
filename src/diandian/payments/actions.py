"""Writes of attempts to pay; each is safe to repeat."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import BooleanField, DateTimeField, F, JSONField

from diandian.kernel.money import Money
from diandian.kernel.tokens import ALPHABET
from diandian.payments import merchants, queries, rules
from diandian.payments.errors import AmountOutOfRangeError, UnknownGatewayError
from diandian.payments.messages import Done, Instruction, Outcome, Pending, Rejected, Snapshot
from diandian.payments.models import OPEN_STATES, Payment, PaymentState
from diandian.store.inserts import Insert
from diandian.store.statements import Param, Update

_PAYMENTS = Insert(Payment, skip_conflicts=True)
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
_NUMBER_LETTERS = 16  # 80 random bits behind the day: never used twice, never guessed


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
    *,
    owner_ref: str,
    amount: Money,
    gateway: str,
    supplier_ref: str,
    flow: str = "",
    expires_at: datetime,
    at: datetime,
) -> Payment:
    """Write the attempt to pay, before any gateway hears of it.

    ``flow``: the key of one of the gateway's flows, "" for its first.
    Idempotent by: the owner, who has one open attempt at most; a second start returns it.
    Raises: UnknownGatewayError, AmountOutOfRangeError.
    """
    merchant = merchants.for_supplier(gateway, supplier_ref)
    context = merchant.context
    capabilities = merchants.gateway_of(gateway).capabilities(context)
    flows = [each.key for each in capabilities.flows]
    if flow not in {"", *flows}:
        raise UnknownGatewayError
    if not rules.is_in_range(amount, capabilities):
        raise AmountOutOfRangeError
    assert expires_at > at, "a payment begins before its deadline"
    payment = Payment(
        payment_no=new_payment_no(at),
        owner_ref=owner_ref,
        gateway=gateway,
        mode=context.mode,
        merchant=context.account,
        settlement=merchant.settlement,
        flow=flow or flows[0],
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
    A fresh instruction that is refused ends nothing: the earlier one may just be followed.
    """
    match outcome:
        case Done(value=instruction):
            if _keep_instruction(payment, instruction):
                return payment
        case Pending():
            _take_state(payment, PaymentState.SUBMITTED)
        case Rejected(code=code, retryable=False) if not payment.instruction:
            _take_state(payment, PaymentState.FAILED, reason=code[:120])
        case Rejected():
            pass  # never sent, or only not anew: the attempt stays as it was and is sent again
        case _:
            soon = at + rules.FIRST_ATTEMPT
            _take_state(payment, PaymentState.UNKNOWN, next_query_at=soon)
    payment.refresh_from_db()
    assert payment.state != PaymentState.CREATED or isinstance(outcome, Rejected)
    return payment


def _keep_instruction(payment: Payment, instruction: Instruction) -> bool:
    until = instruction.valid_until
    facts = {
        "state": PaymentState.PENDING,
        "instruction": {
            "kind": instruction.kind,
            "url": instruction.url,
            "text": instruction.text,
            "parameters": dict(instruction.parameters),
            "valid_until": until.isoformat() if until else None,
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


def ask_again(payment: Payment, *, after: timedelta, at: datetime) -> None:
    """Have the gateway asked about a received payment once more: something may have happened."""
    Payment.objects.filter(id=payment.id, state=PaymentState.SUCCEEDED).update(
        next_query_at=at + after
    )


def lock(payment: Payment) -> Payment:
    """Return a payment as it is now, locked until the transaction ends. Locks: its row."""
    assert connection.in_atomic_block, "a lock lives as long as its transaction"
    return Payment.objects.select_for_update(no_key=True).get(id=payment.id)


def give_up(payment: Payment, *, at: datetime) -> bool:
    """Close a payment that its gateway never came to know, once no late creation is possible.

    Returns False, and changes nothing, before deadline and grace are over or when it got further;
    where a gateway's links live longer than our deadline, theirs is the one that counts.
    """
    if not rules.is_past_grace(_link_ends_at(payment), at):
        return False
    return _take_state(payment, PaymentState.CLOSED, reason="never_created", next_query_at=None)


def _link_ends_at(payment: Payment) -> datetime:
    context = merchants.of_payment(payment).context
    capabilities = merchants.gateway_of(payment.gateway).capabilities(context)
    return rules.link_ends_at(
        created_at=payment.created_at,
        expires_at=payment.expires_at,
        shortest_life_seconds=capabilities.shortest_life_seconds,
    )


def supersede(payment: Payment) -> bool:
    """Set an open attempt aside for another one; it is asked about until its grace is over."""
    changed = Payment.objects.filter(id=payment.id, state__in=OPEN_STATES).update(
        is_superseded=True
    )
    payment.refresh_from_db()
    assert payment.is_superseded or payment.state not in OPEN_STATES
    return bool(changed)
