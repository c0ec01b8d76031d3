"""Orders that nobody paid: close at the gateway, then release; never by a timer alone."""

import logging
from datetime import datetime

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.emissions.life.certified import is_carried, sums_alone
from diandian.flows import line_claims, locks
from diandian.flows.payment_events import close_or_refresh
from diandian.kernel.clock import now
from diandian.orders import actions, queries, rules
from diandian.orders.models import Order, OrderState
from diandian.payments import actions as payment_actions
from diandian.payments import queries as payment_queries
from diandian.payments.models import Payment
from diandian.registry import actions as registry_actions

log = logging.getLogger(__name__)


def release_expired(limit: int = 100, *, at: datetime | None = None) -> int:
    """Expire unpaid orders past their grace and release their grams. Returns how many.

    An order whose gateway does not say "can no longer be paid" keeps its grams and is asked about
    again after a pause that grows; after a day it goes to people.
    """
    at = at or now()
    return sum(_try(order, at) for order in queries.due_for_release(at, limit))


def _try(order: Order, at: datetime) -> bool:
    released = False
    try:
        released = _expire(order, at)
    except Exception:
        log.exception("order %s could not be released", order.id)
    if not released:
        actions.note_release_tried(order, at=at)
        if at >= order.created_at + rules.NOBODY_KNOWS_AFTER:
            _hand_over(order, at)
    return released


def _expire(order: Order, at: datetime, to: OrderState = OrderState.EXPIRED) -> bool:
    attempts = payment_queries.of_owner(order.ref)
    # Also those that were set aside for another way to pay. Each is tried, whatever the others say.
    closed = [_is_unpayable(payment, at) for payment in attempts]
    if not all(closed):
        return False
    with transaction.atomic():
        order.refresh_from_db(fields=["state"])
        if not actions.move(order, to):
            return False
        line_claims.let_go(order)
        _drop_answers(order)
        registry_actions.release(order.ref)
    log.info("order %s became %s, its grams are free again", order.id, to)
    return True


def _is_unpayable(payment: Payment, at: datetime) -> bool:
    """Close an attempt at its gateway; an error there must not keep the others open.

    Who asked in vain asked for the poller too, which has its own turn later.
    """
    try:
        if close_or_refresh(payment, at=at):
            return True
    except Exception:
        log.exception("payment %s could not be closed", payment.payment_no)
    payment_actions.note_query(payment, at=at)
    return False


def _hand_over(order: Order, at: datetime) -> None:
    """Let people decide about an order whose gateway says nothing definite; its grams stay held.

    Locks: the order.
    """
    with transaction.atomic():
        locked = locks.lock_order(order.id)
        if not actions.move(locked, OrderState.REVIEW):
            return
        audit_actions.record(
            actor_ref="platform",
            action="order.payment_unknown",
            subject_ref=order.ref,
            details={"since": order.created_at.isoformat()},
            at=at,
        )
    log.error("nobody says whether order %s was paid: people must look", order.id)


def _drop_answers(order: Order) -> None:
    """Forget the answers that were to go along with a certificate: there will be none."""
    if order.footprint_id is not None or order.scene_id is not None:
        return  # not for a year of life: the quote need not be read
    estimate = order.quote.estimate
    if estimate and is_carried(estimate):
        actions.set_estimate(order, sums_alone(estimate))


def cancel_order(order: Order, *, at: datetime | None = None) -> bool:
    """Cancel an unpaid order at its owner's wish; a payment that went through meanwhile wins."""
    if order.state != OrderState.AWAITING_PAYMENT:
        return False
    return _expire(order, at or now(), OrderState.CANCELLED)
