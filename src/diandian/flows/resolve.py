"""What people decide about orders: money back, or accepted after all; each once, with its reason.

Every decision is made under the order's lock and written to the trail in the same commit. With
``dry`` all of it is done and undone again: what it would do, and what it refuses, is what it does.
*Source:* payments design, sections 4 to 6 (rows 13 to 15, 27 to 33).
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.flows import aside, fulfil, locks, refund
from diandian.flows.payment_events import close_or_refresh
from diandian.kernel.clock import now
from diandian.kernel.money import Money
from diandian.orders import actions, queries, rules
from diandian.orders.errors import (
    MoneyDiffersError,
    NotUnderReviewError,
    SoldOutError,
    StillPayableError,
    WaitUntilError,
)
from diandian.orders.models import Order, OrderRetirement, OrderState
from diandian.payments import actions as payment_actions
from diandian.payments import queries as payment_queries
from diandian.payments.disputes import queries as disputes
from diandian.payments.errors import (
    DisputedError,
    LookAgainError,
    NothingToRefundError,
    PartNeedsReviewError,
    RetiredNotRefundableError,
    UnknownPaymentError,
)
from diandian.payments.models import OPEN_STATES, Payment, Refund
from diandian.registry import actions as registry_actions
from diandian.registry.errors import HoldGoneError, NotEnoughCreditsError

log = logging.getLogger(__name__)

# Paid and neither retired nor refunded yet.
_OPEN = (OrderState.PAID, OrderState.REVIEW, OrderState.UNFULFILLABLE)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a decision did, or would do.

    ``moved``: what goes back, by refund number, or becomes the price, by payment number.
    """

    order: Order
    before: str
    after: str
    moved: tuple[tuple[str, Money], ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a payment to send back. ``seen_minor``: what was on its way back when it was seen.

    Both in minor units of what the payment brought.
    """

    payment_no: str
    amount_minor: int
    seen_minor: int


def received(order: Order) -> list[Money]:
    """Return what was received for an order and is not on its way back."""
    return [aside.left(payment) for payment in aside.at_hand(order)]


def accept(
    order_id: int, *, actor: str, reason: str, dry: bool = False, at: datetime | None = None
) -> Decision:
    """Take what was received for an order under review as its price, and fulfil it.

    Idempotent: a second call is refused, since the order is no longer under review.
    Locks: order, then lanes.
    Raises: NotUnderReviewError, MoneyDiffersError, DisputedError, SoldOutError.
    """
    return _accept(order_id, None, actor, reason, dry=dry, at=at or now())


def keep_waiting(
    order_id: int,
    *,
    until: datetime,
    actor: str,
    reason: str,
    dry: bool = False,
    at: datetime | None = None,
) -> Decision:
    """Accept an order that could not be retired, and go on trying until a moment.

    Then it is under review again. Idempotent, locks, raises: as ``accept``; WaitUntilError.
    """
    at = at or now()
    if not at < until <= at + rules.LONGEST_KEPT:
        raise WaitUntilError(days=rules.LONGEST_KEPT.days)
    return _accept(order_id, until, actor, reason, dry=dry, at=at)


def _accept(
    order_id: int, until: datetime | None, actor: str, reason: str, *, dry: bool, at: datetime
) -> Decision:
    with transaction.atomic():
        order = _under_review(order_id)
        taken = _whole_price(order)
        if any(disputes.is_disputed(payment) for payment in taken):
            raise DisputedError
        for payment in taken:
            if aside.is_aside(payment):
                aside.allocate(order, payment, at=at)
        _hold(order, at)
        moved = actions.pay(order, taken[0])
        assert moved, "its lock is ours"
        actions.requeue(order, keep_until=until, at=at)
        decision = Decision(order, OrderState.REVIEW, OrderState.PAID, _amounts(taken))
        action = "order.accepted" if until is None else "order.kept_waiting"
        _end(decision, action, actor, reason, until=until, dry=dry, at=at)
    if not dry:
        fulfil.fulfil_order(order.id, at=at)
    return decision


def give_back(
    order_id: int, *, actor: str, reason: str, dry: bool = False, at: datetime | None = None
) -> Decision:
    """Send everything back that was received for an order under review, and free its grams.

    Where nothing was received, its payments are closed at the gateway and it is cancelled.
    Idempotent: a second call is refused, since the order is no longer under review.
    Locks: order, payments, lanes. Raises: NotUnderReviewError, StillPayableError.
    """
    at = at or now()
    if not dry:
        _close_payments(order_id, at)
    with transaction.atomic():
        order = _under_review(order_id)
        if payment_queries.succeeded_of(order.ref):
            refunds = refund.begin(order, refund.DECIDED, at=at)
        else:
            refunds = []
            _cancel(order, dry=dry)
        after = order.state
        decision = Decision(order, OrderState.REVIEW, after, _refunded(refunds))
        _end(decision, "order.given_back", actor, reason, dry=dry, at=at)
    if not dry:
        refund.send_all(refunds, at=at)
    return decision


def refund_order(
    order_id: int, *, actor: str, reason: str, dry: bool = False, at: datetime | None = None
) -> Decision:
    """Refund an order that is not fulfilled; of any other, send back what lies aside for it.

    What was paid twice or not as agreed was never the price of grams that are retired.
    Idempotent: what is on its way back is not sent again.
    Locks: order, payments, lanes. Raises: RetiredNotRefundableError, NothingToRefundError.
    """
    at = at or now()
    with transaction.atomic():
        order = locks.lock_order(order_id)
        before = order.state
        ready = aside.at_hand(order)
        if not ready:
            raise _why_nothing(order)
        refunds: list[Refund] = []
        if before in _OPEN:
            refunds = refund.begin(order, refund.DECIDED, at=at)
        begun = {each.payment_id for each in refunds}
        refunds += [
            refund.open_refund(order, payment, refund.DECIDED_ASIDE, at=at)
            for payment in ready
            if payment.id not in begun and aside.is_aside(payment)
        ]
        fresh = {payment.id for payment in ready}
        refunds = [each for each in refunds if each.payment_id in fresh]
        if not refunds:
            raise _why_nothing(order)
        decision = Decision(order, before, order.state, _refunded(refunds))
        _end(decision, "order.refunded", actor, reason, dry=dry, at=at)
    if not dry:
        refund.send_all(refunds, at=at)
    return decision


def refund_part(
    order_id: int,
    *,
    part: Part,
    actor: str,
    reason: str,
    dry: bool = False,
    at: datetime | None = None,
) -> Decision:
    """Send back a part of a payment: what was too much, or what people decide under review.

    A part of the price goes back only under review: an order that goes on is worth its price.
    Idempotent: it is refused when anything went back since ``part.seen_minor`` was looked up.
    Locks: order, payments. Raises: UnknownPaymentError, PartNeedsReviewError, LookAgainError,
    DisputedError, NothingLeftError, and what the gateway does not offer.
    """
    at = at or now()
    with transaction.atomic():
        order = locks.lock_order(order_id)
        payment = payment_actions.lock(payment_queries.by_no(part.payment_no))
        if payment.owner_ref != order.ref:
            raise UnknownPaymentError
        if not aside.is_aside(payment) and order.state != OrderState.REVIEW:
            raise PartNeedsReviewError(state=order.state)
        if payment.refunded_minor != part.seen_minor:
            raise LookAgainError
        made = refund.open_refund(
            order, payment, refund.DECIDED_PART, amount_minor=part.amount_minor, at=at
        )
        decision = Decision(order, order.state, order.state, _refunded([made]))
        _end(decision, "order.refunded_in_part", actor, reason, dry=dry, at=at)
    if not dry:
        refund.send_all([made], at=at)
    return decision


def _under_review(order_id: int) -> Order:
    order = locks.lock_order(order_id)
    if order.state != OrderState.REVIEW:
        raise NotUnderReviewError(state=order.state)
    assert not OrderRetirement.objects.filter(order=order).exists(), "what is retired is completed"
    return order


def _whole_price(order: Order) -> list[Payment]:
    """Return the receipts that make exactly the order's total: one of them, or all together.

    A sale is booked by who collected its price, so what makes it together was collected alike.
    Raises: MoneyDiffersError.
    """
    total = Money(order.quote.total_minor, order.quote.currency)
    ready = aside.at_hand(order)
    # Money at another merchant's account is not ours to sell for.
    ours = [payment for payment in ready if payment.received_by == payment.merchant]
    for payment in ours:
        if aside.left(payment) == total:
            return [payment]
    same = [payment for payment in ours if payment.received.currency == total.currency]
    came_alike = len({payment.settlement for payment in same}) == 1
    if came_alike and sum(aside.left(each).amount_minor for each in same) == total.amount_minor:
        return same
    received = " + ".join(_plain(aside.left(payment)) for payment in ready)
    raise MoneyDiffersError(total=_plain(total), received=received or "0")


def _hold(order: Order, at: datetime) -> None:
    """Bind what the order holds, or hold it again. Raises: SoldOutError."""
    try:
        try:
            registry_actions.commit_hold(order.ref)
        except HoldGoneError:
            registry_actions.hold(
                project_id=order.project_id,
                mass_g=order.mass_g,
                owner_ref=order.ref,
                expires_at=at + rules.HOLD_GRACE,
            )
            registry_actions.commit_hold(order.ref)
    except NotEnoughCreditsError as error:
        raise SoldOutError(available_g=error.available_g) from error


def _close_payments(order_id: int, at: datetime) -> None:
    """Make an order under review unpayable, outside any transaction, as far as its gateway says."""
    order = queries.order_by_number(order_id)
    if order is None or order.state != OrderState.REVIEW:
        return
    for payment in payment_queries.of_owner(order.ref):
        if payment.state in OPEN_STATES:
            close_or_refresh(payment, at=at)


def _cancel(order: Order, *, dry: bool) -> None:
    payments = payment_queries.of_owner(order.ref)
    # A dry run asks no gateway: it shows what happens when the gateway agrees.
    if not dry and any(payment.state in OPEN_STATES for payment in payments):
        raise StillPayableError
    moved = actions.move(order, OrderState.CANCELLED)
    assert moved, "its lock is ours"
    refund.free_grams(order, "nothing was received")


def _why_nothing(order: Order) -> Exception:
    if OrderRetirement.objects.filter(order=order).exists():
        return RetiredNotRefundableError()
    if any(disputes.is_disputed(each) for each in payment_queries.succeeded_of(order.ref)):
        return DisputedError()
    return NothingToRefundError()


def _end(
    decision: Decision,
    action: str,
    actor: str,
    reason: str,
    *,
    until: datetime | None = None,
    dry: bool,
    at: datetime,
) -> None:
    """Write a decision to the trail; a dry one is undone."""
    assert actor, "somebody decides"
    assert reason, "a decision has a reason"
    audit_actions.record(
        actor_ref=actor,
        action=action,
        subject_ref=decision.order.ref,
        details={
            "reason": reason,
            "before": str(decision.before),
            "after": str(decision.after),
            "amounts": [
                [number, money.amount_minor, money.currency] for number, money in decision.moved
            ],
            **({"until": until.isoformat()} if until else {}),
        },
        at=at,
    )
    if dry:
        transaction.set_rollback(True)


def _amounts(payments: list[Payment]) -> tuple[tuple[str, Money], ...]:
    return tuple((payment.payment_no, aside.left(payment)) for payment in payments)


def _refunded(refunds: list[Refund]) -> tuple[tuple[str, Money], ...]:
    return tuple(
        (each.refund_no, Money(each.amount_minor, each.payment.received.currency))
        for each in refunds
    )


def _plain(money: Money) -> str:
    return f"{money.decimal()} {money.currency}"
