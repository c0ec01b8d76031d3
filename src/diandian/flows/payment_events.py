"""What happens when a gateway speaks: every trigger asks it, one procedure applies its answer.

A notice, a guest who returns and the poller only lead to our own signed question; the answer
changes the payment by rank, and on the first success the order's money, grams and queue change
with it in one commit. *Source:* payments design, section 5.
"""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from diandian.flows import (
    aftermath,
    allocator,
    aside,
    came_back,
    gateways,
    line_claims,
    locks,
    notice_intake,
    postings,
    refund,
    review,
)
from diandian.kernel.clock import now
from diandian.kernel.money import Money
from diandian.ledger import actions as ledger_actions
from diandian.ledger.rules import TransferLine
from diandian.orders import actions, rules
from diandian.orders.errors import CoverChangedError
from diandian.orders.models import Order, OrderState
from diandian.payments import actions as payment_actions
from diandian.payments import lines
from diandian.payments import queries as payment_queries
from diandian.payments import rules as payment_rules
from diandian.payments.errors import UnknownPaymentError
from diandian.payments.inbox import actions as inbox_actions
from diandian.payments.messages import NOT_FOUND, Ack, Done, Rejected, Snapshot
from diandian.payments.models import Notification, Payment, PaymentState, Refund
from diandian.registry import actions as registry_actions
from diandian.registry.errors import HoldGoneError, NotEnoughCreditsError

log = logging.getLogger(__name__)

_UNPAYABLE = (PaymentState.FAILED, PaymentState.CLOSED)
_GIVEN_UP = (OrderState.EXPIRED, OrderState.CANCELLED)
# A page that says "checking" asks again by itself: nobody is kept waiting for longer than this.
_GUESTS_WAIT = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class _Next:
    """What to do once the commit is safe."""

    fulfil: Order | None = None
    refund: Refund | None = None


# -- triggers ---------------------------------------------------------------------------------


def receive_notice(
    gateway_key: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    merchant_key: str = "",
    within: timedelta | None = None,
    at: datetime | None = None,
) -> Ack:
    """Take a gateway's notice: verify it, keep it, act on it; return the answer it wants.

    ``within``: how long the gateway may take to answer our question; what cannot be known by then
    is left to the worker. None: as long as it takes.
    Idempotent by the notice's id. A refused notice leaves no row. Once a notice is kept, the answer
    is yes, whatever happens next: our own tries go on from the kept row.
    """
    at = at or now()
    heard = notice_intake.hear(gateway_key, merchant_key, headers, body, at=at)
    if isinstance(heard, Ack):
        return heard
    merchant, notice = heard.merchant, heard.notice
    is_left = within is not None and not gateways.is_ready(merchant, at=at)
    kept = inbox_actions.store_notice(
        gateway=gateway_key,
        merchant=merchant.context.account,
        notice=notice,
        body_sha256=hashlib.sha256(body).hexdigest(),
        is_left=is_left,
        at=at,
    )
    if kept is not None and not is_left:
        with lines.patience(within):
            _try_notice(kept, at)
    return heard.ack


def refresh(payment_no: str, *, at: datetime | None = None) -> str:
    """Ask the gateway about a payment and apply its answer; return the payment's state.

    A guest waits for this: what is not known within seconds is asked again later.
    Raises: UnknownPaymentError.
    """
    with lines.patience(_GUESTS_WAIT):
        return _refresh(payment_queries.by_no(payment_no), at or now())


def poll_due(limit: int = 50, *, at: datetime | None = None) -> int:
    """Ask about every payment whose time has come. Returns how many changed their state."""
    at = at or now()
    changed = 0
    for payment in payment_queries.due_for_query(at, limit):
        before = payment.state
        try:
            changed += _refresh(payment, at) != before
        except Exception:
            log.exception("payment %s could not be asked about", payment.payment_no)
        payment_actions.note_query(payment, at=at)
    return changed


def retry_notices(limit: int = 50, *, at: datetime | None = None) -> int:
    """Try kept notices again that could not be applied. Returns how many were tried."""
    at = at or now()
    due = payment_queries.notices_due(at, limit)
    for notice in due:
        _try_notice(notice, at)
    return len(due)


def close_or_refresh(payment: Payment, *, at: datetime) -> bool:
    """Make an unpaid payment unpayable at its gateway; tell whether it now certainly is.

    False means: it was paid after all (and that was applied), or nobody knows yet.
    """
    if payment.state in _UNPAYABLE:
        return True
    if payment.state == PaymentState.SUCCEEDED:
        return False
    match gateways.close_payment(payment, at=at):
        case Done(value="not_found_yet"):
            # Not proof of unpayable while its link could still be opened.
            return payment_actions.give_up(payment, at=at)
        case Done():
            return _refresh(payment, at) in _UNPAYABLE
    return False


# -- the one procedure ------------------------------------------------------------------------


def _try_notice(notice: Notification, at: datetime) -> None:
    """Act on a kept notice; whatever goes wrong, it is tried again later."""
    try:
        found = payment_queries.refund_of_notice(notice)
        if found is not None and came_back.go_on(found, at=at):
            inbox_actions.finish_notice(notice)
        elif found is not None:
            inbox_actions.park_notice(notice, at=at)
        elif notice.payment_no or notice.gateway_ref or notice.refund_no:
            _refresh(payment_queries.of_notice(notice), at, notice)
        else:
            inbox_actions.finish_notice(notice)  # it is about no payment at all
    except UnknownPaymentError:
        log.warning("notice %s is about a payment that is not here (yet)", notice.notice_id)
        inbox_actions.park_notice(notice, at=at)
    except Exception:
        log.exception("notice %s could not be applied, it will be tried again", notice.notice_id)
        inbox_actions.park_notice(notice, at=at)


def _refresh(payment: Payment, at: datetime, notice: Notification | None = None) -> str:
    if payment.state == PaymentState.SUCCEEDED:
        # Final here; what became of its money since then are rows of their own.
        is_known = aftermath.follow(payment, at=at)
        if notice is not None and is_known:
            inbox_actions.finish_notice(notice)
        elif notice is not None:
            inbox_actions.park_notice(notice, at=at)
        return payment.state
    match gateways.query_payment(payment, at=at):
        case Done(value=snapshot):
            return _settle(payment, snapshot, at, notice)
        case Rejected(code=code) if code == NOT_FOUND:
            if payment_actions.give_up(payment, at=at):
                return PaymentState.CLOSED
    if notice is not None:
        inbox_actions.park_notice(notice, at=at)
    return payment.state


def _settle(payment: Payment, snapshot: Snapshot, at: datetime, notice: Notification | None) -> str:
    """Apply a gateway's answer, and on the first success all that follows from it.

    Locks: order, payment, then what the registry and the ledger lock.
    """
    if notice is None and _is_old_news(payment, snapshot):
        return payment.state
    with transaction.atomic():
        order = locks.lock_order_of_ref(payment.owner_ref)
        applied = payment_actions.apply(payment, snapshot, at=at)
        todo = _consequences(order, applied, at)
        _look_further(order, applied.payment, snapshot, at)
        if notice is not None:
            inbox_actions.finish_notice(notice)
    _do(todo, at)
    return applied.became


def _look_further(order: Order | None, payment: Payment, snapshot: Snapshot, at: datetime) -> None:
    """Apply what happened to the money of a payment before we heard that it came."""
    if payment.state != PaymentState.SUCCEEDED or not (
        snapshot.refunded_minor or snapshot.disputes
    ):
        return
    told = aftermath.Told(snapshot, ())
    if not aftermath.apply(order, payment, told, at=at):
        payment_actions.ask_again(payment, after=payment_rules.FIRST_ATTEMPT, at=at)


def _is_old_news(payment: Payment, snapshot: Snapshot) -> bool:
    """Tell, without a lock, that nothing changes: the page of a waiting guest asks often."""
    same = payment_rules.next_state(payment.state, snapshot.state) is None
    return same and not payment_rules.mismatches(
        snapshot,
        payment_no=payment.payment_no,
        merchant=payment.merchant,
        mode=payment.mode,
        amount=Money(payment.amount_minor, payment.currency),
    )


def _consequences(order: Order | None, applied: payment_actions.Applied, at: datetime) -> _Next:
    payment = applied.payment
    if applied.mismatch:
        review.payment_differs(order, applied, at=at)
        return _Next()
    if not applied.changed or applied.became != PaymentState.SUCCEEDED:
        # A declined payment leaves the order open: its grams stay held for another try.
        return _Next()
    if order is None:
        log.error("payment %s belongs to no order", payment.payment_no)
        aside.keep(None, payment, at=at)
        return _Next()
    if order.state == OrderState.AWAITING_PAYMENT:
        return _accept(order, payment, at)
    if order.state in _GIVEN_UP:
        return _accept_late(order, payment, at)
    return _send_back_duplicate(order, payment, at)


def _accept(order: Order, payment: Payment, at: datetime) -> _Next:
    """Take the money for an order whose grams are held."""
    try:
        registry_actions.commit_hold(order.ref)
    except HoldGoneError:
        return _accept_late(order, payment, at)
    _book(order, payment, "capture", postings.capture(payment), at)
    paid = actions.mark_paid(order, payment, at=at)
    assert paid, "an order that waits for its payment can be paid"
    return _Next(fulfil=order)


def _accept_late(order: Order, payment: Payment, at: datetime) -> _Next:
    """Take money that came after the order was given up: hold again, else give it back."""
    _book(order, payment, "capture", postings.capture(payment), at)
    # What its owner cancelled is not retired against their will.
    if order.state != OrderState.CANCELLED and _take_up_again(order, payment, at):
        log.info("order %s was paid late and its grams are still there", order.id)
        return _Next(fulfil=order)
    log.warning("order %s was paid too late, the money goes back", order.id)
    actions.move(order, OrderState.UNFULFILLABLE)
    line_claims.let_go(order)
    return _Next(refund=refund.open_refund(order, payment, refund.UNFULFILLABLE, at=at))


def _take_up_again(order: Order, payment: Payment, at: datetime) -> bool:
    """Hold the grams again and mark the order paid; no other project is used without consent.

    False, with nothing changed, when the grams are gone, the same trip has another live order, or
    somebody else claims its lines by now.
    """
    try:
        with transaction.atomic():
            line_claims.claim_again(order, at=at)
            registry_actions.hold(
                project_id=order.project_id,
                mass_g=order.mass_g,
                owner_ref=order.ref,
                expires_at=at + rules.HOLD_GRACE,
            )
            registry_actions.commit_hold(order.ref)
            return actions.mark_paid(order, payment, at=at)
    except (NotEnoughCreditsError, IntegrityError, CoverChangedError):
        return False


def _send_back_duplicate(order: Order, payment: Payment, at: datetime) -> _Next:
    """Keep money aside that the order does not need; its own state does not change."""
    aside.keep(order, payment, at=at)
    if order.state == OrderState.REVIEW:
        return _Next()  # people decide here
    log.warning("order %s was paid twice, the second payment goes back", order.id)
    return _Next(refund=refund.open_refund(order, payment, refund.DUPLICATE, at=at))


def _do(todo: _Next, at: datetime) -> None:
    """Go on at once after the commit; the worker is the safety net for whatever fails here."""
    try:
        if todo.fulfil is not None:
            allocator.see_to(todo.fulfil.id, at=at)
        if todo.refund is not None:
            refund.send(todo.refund, at=at)
    except Exception:
        log.exception("the worker must go on with %s", todo)


# -- bookings ---------------------------------------------------------------------------------


def _book(
    order: Order | None, payment: Payment, kind: str, lines: list[TransferLine], at: datetime
) -> None:
    journal = ledger_actions.post(
        kind=kind,
        source_ref=f"payment:{payment.payment_no}:{kind}",
        owner_ref=payment.owner_ref,
        lines=lines,
        at=at,
    )
    if order is not None:
        actions.link_entry(order, journal)
