"""What happens to a payment after it was received: refunds that were not ours, and chargebacks.

A notice or the statement leads to our own signed question; its answer says how much went back in
all, and what banks dispute. What our refunds do not explain was given back in the gateway's own
console. Where a gateway's answer does not say how much (WeChat Pay; Alipay, of a part), a proven
statement does. *Source:* payments design, sections 6 (rows 33, 34) and 8.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.flows import aside, came_back, disputes, gateways, locks, postings, refund, review
from diandian.kernel.clock import now
from diandian.ledger import chart
from diandian.orders.models import Order, OrderRetirement
from diandian.payments import actions as payment_actions
from diandian.payments import rules as payment_rules
from diandian.payments.messages import Done, Snapshot
from diandian.payments.models import Payment, PaymentState, Refund, RefundKind, RefundState
from diandian.payments.refunds import actions as refund_actions
from diandian.payments.refunds import queries as refund_queries

log = logging.getLogger(__name__)

# When the gateway did not answer, or our own refunds moved while it did.
_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Told:
    """What a gateway said of a received payment; ``refunds``: as they stood when it was asked.

    An answer that our own refunds have overtaken proves nothing about others.
    """

    snapshot: Snapshot
    refunds: tuple[tuple[str, str], ...]


def follow(payment: Payment, *, at: datetime) -> bool:
    """Ask the gateway what became of a received payment, and apply it; False when nobody knows yet.

    Then it is asked again by itself. Idempotent: the same answer changes nothing.
    """
    # Each is asked about, whatever the others say.
    said = [came_back.go_on(each, at=at) for each in refund_queries.asked_for(payment)]
    before = refund_queries.states_of(payment)
    outcome = gateways.query_payment(payment, at=at)
    is_known = isinstance(outcome, Done) and _settle(payment, Told(outcome.value, before), at)
    is_known = is_known and all(said)
    if not is_known:
        payment_actions.ask_again(payment, after=_AGAIN, at=at)
    return is_known


@transaction.atomic
def _settle(payment: Payment, told: Told, at: datetime) -> bool:
    order = locks.lock_order_of_ref(payment.owner_ref)
    return apply(order, payment, told, at=at)


def apply(order: Order | None, payment: Payment, told: Told, *, at: datetime) -> bool:
    """Apply what a gateway said of a received payment; False when it is overtaken.

    In the caller's transaction, which holds the order's lock. Locks: the payment.
    """
    locked = payment_actions.lock(payment)
    snapshot = told.snapshot
    mismatch = payment_rules.mismatches(
        snapshot,
        payment_no=locked.payment_no,
        merchant=locked.received_by,
        mode=locked.mode,
        amount=locked.received,
    )
    if mismatch:
        log.error("payment %s differs in: %s", locked.payment_no, ", ".join(mismatch))
        return True
    for each in snapshot.disputes:
        disputes.apply(order, locked, each, at=at)
    if refund_queries.states_of(locked) != told.refunds:
        return False
    _count_external(order, locked, snapshot.refunded_minor, at)
    return True


@transaction.atomic
def apply_stated(payment: Payment, *, amount_minor: int, stated_ref: str, at: datetime) -> bool:
    """Keep a refund that a proven statement has, no refund of ours explains and no answer told.

    False where it may be one that we know: then people compare. Idempotent by: ``stated_ref``, the
    gateway's number of it. Locks: the order, then the payment.
    """
    order = locks.lock_order_of_ref(payment.owner_ref)
    locked = payment_actions.lock(payment)
    external = locked.refunds.filter(kind=RefundKind.EXTERNAL, state=RefundState.SUCCEEDED)
    if external.filter(stated_ref=stated_ref).exists():
        return False
    # What an answer counted may be this one among others; what is not booked cannot go back.
    if external.filter(stated_ref="").exists() or locked.state != PaymentState.SUCCEEDED:
        return False
    if locked.refunded_minor + amount_minor > locked.received.amount_minor:
        log.error("more went back of payment %s than came in", locked.payment_no)
        return False
    _add(order, locked, amount_minor, at, stated_ref)
    return True


def see(refund_id: int, *, actor: str, reason: str, at: datetime | None = None) -> Refund:
    """Keep who looked into a refund that was not ours, and why it is right.

    Raises: NotFoundError.
    """
    at = at or now()
    assert reason, "a decision has a reason"
    with transaction.atomic():
        found = refund_queries.refund_by_id(refund_id)
        if refund_actions.see(found, actor_ref=actor):
            _record("refund.external_seen", found, actor, {"reason": reason}, at)
    return found


# -- refunds that are not ours ----------------------------------------------------------------


def _count_external(
    order: Order | None, payment: Payment, refunded_minor: int, at: datetime
) -> None:
    """Keep as external what our own refunds do not explain of all that went back."""
    refunds = list(payment.refunds.select_related("payment"))
    external = [
        each
        for each in refunds
        if each.kind == RefundKind.EXTERNAL and each.state == RefundState.SUCCEEDED
    ]
    ours = [(each.state, each.amount_minor) for each in refunds if each.kind != RefundKind.EXTERNAL]
    known_minor = sum(each.amount_minor for each in external)
    told_minor = min(refunded_minor, payment.received.amount_minor)
    if told_minor < refunded_minor:
        log.error("more went back of payment %s than came in", payment.payment_no)
    is_minor = payment_rules.external_minor(told_minor, known_minor, ours)
    if is_minor < known_minor:
        # They did not happen after all; what is left of them is counted anew. What a proven
        # statement has did happen, whatever this answer does not say.
        for each in external:
            if not each.stated_ref:
                _undo(order, each, at)
        known_minor = sum(each.amount_minor for each in external if each.stated_ref)
    if is_minor > known_minor:
        payment.refresh_from_db()
        _add(order, payment, is_minor - known_minor, at)


def _add(
    order: Order | None, payment: Payment, amount_minor: int, at: datetime, stated_ref: str = ""
) -> None:
    number = payment.refunds.filter(kind=RefundKind.EXTERNAL).count() + 1
    made = refund_actions.request_refund(
        payment=payment,
        amount_minor=amount_minor,
        refund_no=f"X{payment.payment_no}-{number}",
        reason=refund.CONSOLE,
        kind=RefundKind.EXTERNAL,
        source=_source(order, payment, amount_minor),
        stated_ref=stated_ref,
        at=at,
    )
    refund.book(order, made, "requested", refund.requested_lines(made), at)
    refund.book(order, made, "settled", postings.refund_settled(made), at)
    frozen = not aside.is_aside(payment) and review.money_left(order)
    log.error("%s of payment %s went back without us", amount_minor, payment.payment_no)
    _record("refund.external", made, review.ACTOR, {"order_under_review": frozen}, at)
    refund.close_when_all_is_back(order)


def _source(order: Order | None, payment: Payment, amount_minor: int) -> str:
    """Return the account that pays: ours, once the grams are retired or nothing else is left."""
    if refund_queries.left_minor(payment) < amount_minor:
        return chart.GOODWILL
    if aside.is_aside(payment):
        return chart.UNALLOCATED
    is_retired = order is not None and OrderRetirement.objects.filter(order=order).exists()
    return chart.GOODWILL if is_retired else chart.CUSTOMER_PREPAYMENTS


def _undo(order: Order | None, external: Refund, at: datetime) -> None:
    if not refund_actions.undo_external(external):
        return
    refund.undo_settled(order, external, at)
    _record("refund.external_undone", external, review.ACTOR, {}, at)


def _record(
    action: str, made: Refund, actor: str, details: Mapping[str, object], at: datetime
) -> None:
    audit_actions.record(
        actor_ref=actor,
        action=action,
        subject_ref=made.payment.owner_ref,
        details={
            "refund_no": made.refund_no,
            "amount_minor": made.amount_minor,
            "currency": made.payment.received.currency,
            "source": made.source,
            **details,
        },
        at=at,
    )
