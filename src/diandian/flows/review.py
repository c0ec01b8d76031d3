"""What people must decide: an order is set aside, nothing is retired or sent back until they did.

How they decide stands in ``resolve``. *Source:* payments design, sections 4 and 5.
"""

import logging
from datetime import datetime

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.flows import aside, locks
from diandian.orders import actions, queries
from diandian.orders.models import Intake, Order, OrderState
from diandian.payments import queries as payment_queries
from diandian.payments.actions import Applied
from diandian.payments.disputes import queries as disputes
from diandian.payments.models import PaymentState
from diandian.payments.refunds import queries as refund_queries

log = logging.getLogger(__name__)

ACTOR = "platform"


def overdue(*, at: datetime) -> list[Order]:
    """Return the orders about which people should have decided by now, oldest first.

    Not those of which a payer's bank decides: until then nobody can. Where a gateway told two
    things of that, people decide.
    """
    return [order for order in queries.review_overdue(at) if not _waits_for_bank(order)]


def _waits_for_bank(order: Order) -> bool:
    received = payment_queries.succeeded_of(order.ref)
    return is_disputed(order) and not any(disputes.is_odd(payment) for payment in received)


def is_disputed(order: Order) -> bool:
    """Tell whether a bank still decides about money of an order."""
    received = payment_queries.succeeded_of(order.ref)
    return any(disputes.is_disputed(payment) for payment in received)


def payment_differs(order: Order | None, applied: Applied, *, at: datetime) -> None:
    """Keep aside what a payment brought that is not as agreed; freeze an order that waits for it.

    In the caller's transaction, which holds the order's lock. An order that is paid, completed or
    given up stays what it is: this money was never its price.
    """
    if not applied.changed:
        return
    payment = applied.payment
    received = payment.received if payment.state == PaymentState.SUCCEEDED else None
    if received is not None and received.amount_minor > 0:
        aside.keep(order, payment, at=at)
    frozen = (
        order is not None
        and order.state == OrderState.AWAITING_PAYMENT
        and actions.move(order, OrderState.REVIEW)
    )
    log.error("payment %s differs in: %s", payment.payment_no, ", ".join(applied.mismatch))
    audit_actions.record(
        actor_ref=ACTOR,
        action="payment.mismatch",
        subject_ref=payment.owner_ref,
        details={
            "payment_no": payment.payment_no,
            "differs": list(applied.mismatch),
            "received_minor": 0 if received is None else received.amount_minor,
            "currency": "" if received is None else received.currency,
            "order_under_review": frozen,
        },
        at=at,
    )


def money_left(order: Order | None) -> bool:
    """Set a paid order aside whose money went without us; its grams stay held.

    In the caller's transaction, which holds the order's lock; who calls writes the trail. Tells
    whether it did: an order that is retired, given up or already looked at stays what it is.
    """
    if order is None or order.state != OrderState.PAID:
        return False
    moved = actions.move(order, OrderState.REVIEW)
    intake = Intake.objects.filter(order=order).first()
    if moved and intake is not None:
        actions.park(intake)
    return moved


def money_waits() -> list[Order]:
    """Return the orders whose money should go back and that nothing sends, oldest first."""
    return [order for order in queries.unfulfillable() if _waits(order)]


def _waits(order: Order) -> bool:
    """Tell whether money of an order is here, no bank decides about it, and none is on its way."""
    if is_disputed(order) or not aside.at_hand(order):
        return False
    received = payment_queries.succeeded_of(order.ref)
    return not any(refund_queries.open_of_payment(payment) for payment in received)


def keeps_failing(intake: Intake, error: Exception, *, at: datetime) -> bool:
    """Take a paid order that fails again and again out of the queue; its grams stay held.

    Returns False when it is not waiting any more. Locks: the order.
    """
    with transaction.atomic():
        order = locks.lock_order(intake.order_id)
        if order.state != OrderState.PAID or not actions.move(order, OrderState.REVIEW):
            return False
        actions.park(intake)
        audit_actions.record(
            actor_ref=ACTOR,
            action="order.under_review",
            subject_ref=order.ref,
            details={
                "attempts": intake.attempts,
                "error": f"{type(error).__name__}: {error}"[:200],
            },
            at=at,
        )
    log.error("order %s failed %s times and is under review", order.id, intake.attempts)
    return True
