"""Money back to guests whose credits were not retired: reserved, booked, asked for, then confirmed.

The refund number is fixed before the gateway is asked and the same on every retry; accepted is not
done. After a retirement nothing is refunded here. *Source:* payments design, sections 4 and 8.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.flows import aside, gateways, line_claims, locks, postings
from diandian.kernel.clock import now
from diandian.ledger import actions as ledger_actions
from diandian.ledger.rules import TransferLine
from diandian.orders import actions
from diandian.orders.models import Intake, Order, OrderRetirement, OrderState
from diandian.payments import queries as payment_queries
from diandian.payments.errors import NothingToRefundError, RetiredNotRefundableError
from diandian.payments.messages import NOT_FOUND, Outcome, RefundSnapshot, Rejected
from diandian.payments.models import Payment, Refund, RefundState
from diandian.payments.refunds import actions as refund_actions
from diandian.registry import actions as registry_actions

log = logging.getLogger(__name__)

# Why money goes back; what was never the order's price does not change the order with it.
DUPLICATE = "duplicate"
UNFULFILLABLE = "unfulfillable"
DECIDED = "decided"
DECIDED_ASIDE = "decided_aside"
_NOT_ITS_PRICE = (DUPLICATE, DECIDED_ASIDE)


def refund_order(order: Order, reason: str, *, at: datetime | None = None) -> Refund:
    """Refund an order in full whose credits are not retired, and free its grams.

    Idempotent by the order: while a refund is under way or done, that one is returned.
    Raises: RetiredNotRefundableError, NothingToRefundError.
    """
    at = at or now()
    with transaction.atomic():
        first, *others = begin(locks.lock_order(order.id), reason, at=at)
    for other in others:
        send(other, at=at)
    return send(first, at=at)


def give_up(intake: Intake, reason: str, *, at: datetime) -> Refund:
    """Refund a paid order that can never be fulfilled. Idempotent by the order."""
    return refund_order(intake.order, reason[:40] or UNFULFILLABLE, at=at)


def begin(order: Order, reason: str, *, at: datetime) -> list[Refund]:
    """Reserve and book the refunds of an order that is not retired, and free its grams.

    In the caller's transaction, with the order's lock; the caller sends them after its commit.
    What was received for an order under review is its money, wherever it lies.
    Raises: RetiredNotRefundableError, NothingToRefundError.
    """
    if OrderRetirement.objects.filter(order=order).exists():
        raise RetiredNotRefundableError
    all_of_it = order.state == OrderState.REVIEW
    received = [
        payment
        for payment in payment_queries.succeeded_of(order.ref)
        if not _is_spare(payment) and (all_of_it or _is_its_price(payment))
    ]
    if not received:
        raise NothingToRefundError
    if order.state in {OrderState.PAID, OrderState.REVIEW}:
        free_grams(order, reason)
        actions.move(order, OrderState.UNFULFILLABLE)
    return [open_refund(order, payment, reason, at=at) for payment in received]


def _is_its_price(payment: Payment) -> bool:
    """Tell whether a payment is the order's money: as its price, or decided to go back as that."""
    return not aside.is_aside(payment) or payment.refunds.exists()


def _is_spare(payment: Payment) -> bool:
    return payment.refunds.filter(reason__in=_NOT_ITS_PRICE).exists()


def free_grams(order: Order, reason: str) -> None:
    """Take an order out of the queue and release what it holds and claims."""
    intake = Intake.objects.filter(order=order).first()
    if intake is not None:
        actions.give_up(intake, reason)
    line_claims.let_go(order)
    registry_actions.release(order.ref)


def open_refund(order: Order | None, payment: Payment, reason: str, *, at: datetime) -> Refund:
    """Reserve and book the full refund of a payment, in the caller's transaction.

    Idempotent by the payment: a refund that did not fail is returned. Locks: the payment's row.
    """
    earlier = list(payment.refunds.all())
    living = next((refund for refund in earlier if refund.state != RefundState.FAILED), None)
    if living is not None:
        return living
    # A fixed number: a crash between this and the call leads back to the very same refund.
    number = f"R{payment.payment_no}" + (f"-{len(earlier) + 1}" if earlier else "")
    refund = refund_actions.request_refund(
        payment=payment,
        amount_minor=payment.received.amount_minor,
        refund_no=number,
        reason=reason[:40],
        at=at,
    )
    _book(order, refund, "requested", _requested_lines(refund), at)
    return refund


def send(refund: Refund, *, at: datetime) -> Refund:
    """Ask the gateway for a refund that nobody asked it for before; keep what it says."""
    if refund.state == RefundState.REQUESTED:
        _keep(refund, gateways.send_refund(refund, at=at), at)
    return refund


def send_all(refunds: Sequence[Refund], *, at: datetime) -> None:
    """Send refunds after their commit; the worker is the safety net for whatever fails here."""
    for each in refunds:
        try:
            send(each, at=at)
        except Exception:
            log.exception("the worker must go on with refund %s", each.refund_no)


def continue_refunds(limit: int = 100, *, at: datetime | None = None) -> int:
    """Ask about open refunds, send those that never arrived. Returns how many changed."""
    at = at or now()
    changed = 0
    for refund in payment_queries.refunds_due(at, limit):
        try:
            changed += _continue(refund, at)
        except Exception:
            log.exception("refund %s could not be continued", refund.refund_no)
    return changed


def continue_one(refund: Refund, *, at: datetime) -> bool:
    """Go on with a refund that somebody told us about; tell whether it changed."""
    if refund.next_query_at is None:
        return False  # it is done
    return _continue(refund, at)


def _continue(refund: Refund, at: datetime) -> bool:
    # Ask first: after a timeout the gateway may have done it, and money goes back once.
    outcome = gateways.query_refund(refund, at=at)
    if isinstance(outcome, Rejected) and outcome.code == NOT_FOUND:
        outcome = gateways.send_refund(refund, at=at)
    return _keep(refund, outcome, at)


@transaction.atomic
def _keep(refund: Refund, outcome: Outcome[RefundSnapshot], at: datetime) -> bool:
    """Keep what the gateway said, and book what follows. Locks: order, then refund."""
    order = locks.lock_order_of_ref(refund.payment.owner_ref)
    if not refund_actions.refund_result(refund, outcome, at=at):
        return False
    match refund.state:
        case RefundState.SUCCEEDED:
            _book(order, refund, "settled", postings.refund_settled(refund), at)
            if order is not None and _all_is_back(order):
                actions.move(order, OrderState.REFUNDED)
        case RefundState.FAILED:
            undone = [line.swapped() for line in _requested_lines(refund)]
            _book(order, refund, "failed", undone, at)
            _tell_operator(refund)
        case RefundState.ABNORMAL:
            _tell_operator(refund)
    return True


def _all_is_back(order: Order) -> bool:
    """Tell whether nothing that should go back for an order is still on its way."""
    wanted: dict[int, bool] = {}
    for refund in payment_queries.refunds_of(order.ref):
        if refund.reason not in _NOT_ITS_PRICE:
            done = refund.state == RefundState.SUCCEEDED
            wanted[refund.payment_id] = wanted.get(refund.payment_id, False) or done
    return bool(wanted) and all(wanted.values())


def _tell_operator(refund: Refund) -> None:
    log.error("refund %s is %s: somebody must look", refund.refund_no, refund.state)
    audit_actions.record(
        actor_ref="platform",
        action=f"refund.{refund.state}",
        subject_ref=refund.payment.owner_ref,
        details={"refund_no": refund.refund_no, "amount_minor": refund.amount_minor},
    )


def _requested_lines(refund: Refund) -> list[TransferLine]:
    from_unallocated = aside.is_aside(refund.payment)
    return postings.refund_requested(refund, from_unallocated=from_unallocated)


def _book(
    order: Order | None, refund: Refund, step: str, lines: list[TransferLine], at: datetime
) -> None:
    journal = ledger_actions.post(
        kind=f"refund_{step}",
        source_ref=f"refund:{refund.refund_no}:{step}",
        owner_ref=refund.payment.owner_ref,
        lines=lines,
        at=at,
    )
    if order is not None:
        actions.link_entry(order, journal)
