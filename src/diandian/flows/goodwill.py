"""Money back after a retirement: an expense of ours, asked for by one person, granted by another.

The credits stay retired and the certificate stays good: nothing but money moves. It never happens
by itself. *Source:* payments design, section 6 (row 29).
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.flows import abnormal, aside, locks, refund, refund_limits
from diandian.kernel.clock import now
from diandian.kernel.money import Money
from diandian.ledger import chart
from diandian.orders.models import Order, OrderRetirement
from diandian.payments import actions as payment_actions
from diandian.payments import merchants
from diandian.payments import queries as payment_queries
from diandian.payments.disputes import queries as disputes
from diandian.payments.errors import (
    DisputedError,
    NothingLeftError,
    NothingToRefundError,
    NotRetiredError,
)
from diandian.payments.models import MoneyRequest, MoneyRequestKind, Payment, Refund, RefundKind
from diandian.payments.refunds import actions as refund_actions
from diandian.payments.refunds import queries as refund_queries
from diandian.payments.requests import actions as request_actions


def price_paid(order: Order) -> Payment:
    """Return the received payment that is an order's price. Raises: NothingToRefundError."""
    for payment in payment_queries.succeeded_of(order.ref):
        if not aside.is_aside(payment):
            return payment
    raise NothingToRefundError


def ask(
    order_id: int, *, amount_minor: int, actor: str, reason: str, at: datetime | None = None
) -> MoneyRequest:
    """Ask a second person for a goodwill refund of a retired order, in minor units of its price.

    Idempotent while the same request waits. Locks: order, payment.
    Raises: NotRetiredError, NothingToRefundError, NothingLeftError, DisputedError,
    MoneyRequestWaitsError, and what the gateway does not offer.
    """
    at = at or now()
    with transaction.atomic():
        order = locks.lock_order(order_id)
        if not OrderRetirement.objects.filter(order=order).exists():
            raise NotRetiredError
        payment = payment_actions.lock(price_paid(order))
        _require(payment, amount_minor)
        wish = request_actions.Wish(MoneyRequestKind.GOODWILL, amount_minor, reason)
        asked, is_new = request_actions.ask(payment, wish, asked_by=actor, at=at)
        if is_new:
            _record("goodwill.asked", asked, actor, {"reason": reason}, at)
    return asked


def confirm(request: MoneyRequest, *, actor: str, at: datetime | None = None) -> MoneyRequest:
    """Do what another person asked for: give money back, or book that it was paid otherwise.

    The decision and its posting are one commit; the gateway is asked after it.
    Locks: order, payment, request. Raises: OwnMoneyRequestError, MoneyRequestDecidedError,
    NotAbnormalError, NothingLeftError, DisputedError, and what the gateway does not offer.
    """
    at = at or now()
    if request.kind == MoneyRequestKind.OTHERWISE:
        return abnormal.confirm_otherwise(request, actor=actor, at=at)
    with transaction.atomic():
        order = locks.lock_order_of_ref(request.payment.owner_ref)
        payment = payment_actions.lock(request.payment)
        decided = request_actions.decide(request, confirms=True, decided_by=actor, at=at)
        made = _grant(order, payment, decided.amount_minor, at)
        request_actions.note_refund(decided, made)
        details = {"asked_by": decided.asked_by, "refund_no": made.refund_no}
        _record("goodwill.granted", decided, actor, details, at)
    refund.send_all([made], at=at)
    return decided


def refuse(request: MoneyRequest, *, actor: str, at: datetime | None = None) -> MoneyRequest:
    """Turn a request down; whoever asked may take it back so. Raises: MoneyRequestDecidedError."""
    at = at or now()
    with transaction.atomic():
        decided = request_actions.decide(request, confirms=False, decided_by=actor, at=at)
        _record(f"{decided.kind}.refused", decided, actor, {}, at)
    return decided


def _require(payment: Payment, amount_minor: int) -> None:
    if disputes.is_disputed(payment):
        raise DisputedError
    left = Money(refund_queries.left_minor(payment), payment.received.currency)
    if not 0 < amount_minor <= left.amount_minor:
        raise NothingLeftError(left=f"{left.decimal()} {left.currency}")
    refund_limits.require(payment, amount_minor)


def _grant(order: Order | None, payment: Payment, amount_minor: int, at: datetime) -> Refund:
    _require(payment, amount_minor)
    made = refund_actions.request_refund(
        payment=payment,
        amount_minor=amount_minor,
        refund_no=refund.next_no(payment),
        reason=refund.GOODWILL,
        kind=RefundKind.GOODWILL,
        source=chart.GOODWILL,
        is_shared=merchants.of_payment(payment).shares_refunds,
        at=at,
    )
    refund.book(order, made, "requested", refund.requested_lines(made), at)
    return made


def _record(
    action: str, request: MoneyRequest, actor: str, details: Mapping[str, object], at: datetime
) -> None:
    audit_actions.record(
        actor_ref=actor,
        action=action,
        subject_ref=request.payment.owner_ref,
        details={
            "request": request.id,
            "payment_no": request.payment.payment_no,
            "amount_minor": request.amount_minor,
            "currency": request.payment.received.currency,
            **details,
        },
        at=at,
    )
