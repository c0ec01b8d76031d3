"""Money back to guests whose credits were not retired: reserved, booked, asked for, then confirmed.

The refund number is fixed before the gateway is asked and the same on every retry; accepted is not
done. After a retirement nothing is refunded here. *Source:* payments design, sections 4 and 8.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.flows import (
    aside,
    gateways,
    line_claims,
    locks,
    postings,
    refund_limits,
    returning,
)
from diandian.kernel.clock import now
from diandian.kernel.money import Money
from diandian.ledger import actions as ledger_actions
from diandian.ledger import chart
from diandian.ledger.rules import TransferLine
from diandian.orders import actions
from diandian.orders.models import Intake, Order, OrderRetirement, OrderState
from diandian.payments import actions as payment_actions
from diandian.payments import queries as payment_queries
from diandian.payments import rules as payment_rules
from diandian.payments.disputes import queries as disputes
from diandian.payments.errors import (
    DisputedError,
    NothingLeftError,
    NothingToRefundError,
    RetiredNotRefundableError,
)
from diandian.payments.messages import (
    NOT_FOUND,
    WINDOW_OVER,
    Outcome,
    RefundSnapshot,
    Rejected,
    Unknown,
)
from diandian.payments.models import Payment, Refund, RefundKind, RefundState
from diandian.payments.refunds import actions as refund_actions
from diandian.payments.refunds import queries as refund_queries
from diandian.registry import actions as registry_actions

log = logging.getLogger(__name__)

# Why money goes back; what was never the order's price does not change the order with it.
DUPLICATE = "duplicate"
UNFULFILLABLE = "unfulfillable"
DECIDED = "decided"
DECIDED_ASIDE = "decided_aside"
DECIDED_PART = "decided_part"
GOODWILL = "goodwill"
CONSOLE = "console"
_NOT_ITS_PRICE = (DUPLICATE, DECIDED_ASIDE)


def refund_order(order: Order, reason: str, *, at: datetime | None = None) -> Refund:
    """Refund an order in full whose credits are not retired, and free its grams.

    Idempotent by the order: while a refund is under way or done, that one is returned.
    Raises: RetiredNotRefundableError, NothingToRefundError.
    """
    at = at or now()
    with transaction.atomic():
        refunds = begin(locks.lock_order(order.id), reason, at=at)
    if not refunds:
        raise NothingToRefundError
    first, *others = refunds
    for other in others:
        send(other, at=at)
    return send(first, at=at)


def give_up(intake: Intake, reason: str, *, at: datetime) -> Refund:
    """Refund a paid order that can never be fulfilled. Idempotent by the order."""
    return refund_order(intake.order, reason[:40] or UNFULFILLABLE, at=at)


def begin(order: Order, reason: str, *, at: datetime) -> list[Refund]:
    """Reserve and book the refunds of an order that is not retired, and free its grams.

    In the caller's transaction, with the order's lock; the caller sends them after its commit.
    What was received for an order under review is its money, wherever it lies. What went back
    without us, or to a bank for good, is not asked for again.
    Raises: RetiredNotRefundableError, NothingToRefundError, DisputedError.
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
    if any(disputes.is_disputed(payment) for payment in received):
        raise DisputedError
    if order.state in {OrderState.PAID, OrderState.REVIEW}:
        free_grams(order, reason)
        actions.move(order, OrderState.UNFULFILLABLE)
    refunds = [
        open_refund(order, payment, reason, at=at)
        for payment in received
        if refund_queries.left_minor(payment) or _living(payment)
    ]
    close_when_all_is_back(order)
    return refunds


def _is_its_price(payment: Payment) -> bool:
    """Tell whether a payment is the order's money: as its price, or decided to go back as that."""
    return not aside.is_aside(payment) or payment.refunds.exists()


def _is_spare(payment: Payment) -> bool:
    return payment.refunds.filter(reason__in=_NOT_ITS_PRICE).exists()


def _living(payment: Payment) -> list[Refund]:
    return list(payment.refunds.exclude(state=RefundState.FAILED))


def free_grams(order: Order, reason: str) -> None:
    """Take an order out of the queue and release what it holds and claims."""
    intake = Intake.objects.filter(order=order).first()
    if intake is not None:
        actions.give_up(intake, reason)
    line_claims.let_go(order)
    registry_actions.release(order.ref)


def open_refund(
    order: Order | None,
    payment: Payment,
    reason: str,
    *,
    amount_minor: int | None = None,
    at: datetime,
) -> Refund:
    """Reserve and book a refund, in the caller's transaction; with no amount, of all that is left.

    Then idempotent by the payment: where nothing is left, the newest refund is returned.
    Locks: the payment's row.
    Raises: DisputedError, NothingLeftError, and what the gateway does not offer.
    """
    left_minor = refund_queries.left_minor(payment)
    living = _living(payment)
    if amount_minor is None and living and left_minor == 0:
        return living[-1]
    amount_minor = left_minor if amount_minor is None else amount_minor
    if disputes.is_disputed(payment):
        raise DisputedError
    if not 0 < amount_minor <= left_minor:
        raise NothingLeftError(left=_plain(Money(left_minor, payment.received.currency)))
    refund_limits.require(payment, amount_minor)
    return reserve(order, payment, reason, amount_minor=amount_minor, at=at)


def reserve(
    order: Order | None, payment: Payment, reason: str, *, amount_minor: int, at: datetime
) -> Refund:
    """Reserve and book a refund that may be asked for; what the gateway takes, it says itself.

    In the caller's transaction. Locks: the payment's row. Raises: OverRefundError.
    """
    is_aside = aside.is_aside(payment)
    refund = refund_actions.request_refund(
        payment=payment,
        amount_minor=amount_minor,
        refund_no=next_no(payment),
        reason=reason[:40],
        source=chart.UNALLOCATED if is_aside else chart.CUSTOMER_PREPAYMENTS,
        at=at,
    )
    book(order, refund, "requested", requested_lines(refund), at)
    return refund


def next_no(payment: Payment) -> str:
    """Return the number of the next refund of a payment, whose lock or order's lock is held.

    A fixed number: a crash between this and the call leads back to the very same refund.
    """
    ours = payment.refunds.exclude(kind=RefundKind.EXTERNAL).count()
    return f"R{payment.payment_no}" + (f"-{ours + 1}" if ours else "")


def _plain(money: Money) -> str:
    return f"{money.decimal()} {money.currency}"


def may_send(refund: Refund, *, at: datetime) -> bool:
    """Tell whether nothing must come first: what waits is looked at again in a minute.

    A bank that disputes the payment may give the same money back itself. A supplier who stands for
    refunds gives its part back first; where that takes days, or the gateway cannot take it back,
    ours goes alone, and the operator was told.
    """
    if disputes.is_disputed(refund.payment):
        return False
    if not refund.is_shared or refund.sent_at is not None:
        return True
    answer = returning.reverse_before_refund(
        refund.payment,
        refund.amount_minor,
        refund_no=refund.refund_no,
        since=refund.created_at,
        at=at,
    )
    return answer != "waiting"


def send(refund: Refund, *, at: datetime) -> Refund:
    """Ask the gateway for a refund that nobody asked it for before; keep what it says."""
    if refund.state == RefundState.REQUESTED:
        _dispatch(refund, at)
    return refund


def _dispatch(refund: Refund, at: datetime) -> bool:
    """Ask the gateway to give money back, in its turn; tell whether the state changed."""
    if not may_send(refund, at=at):
        refund_actions.wait(refund, at=at)
        return False
    if refund_limits.is_too_late(refund.payment, at=at):
        # Not asked: two people pay it another way (``abnormal``).
        return _keep(refund, Rejected(WINDOW_OVER), at)
    gap_seconds = refund_limits.gap_seconds(refund.payment)
    with transaction.atomic():
        is_its_turn = refund_actions.note_sending(refund, gap_seconds=gap_seconds, at=at)
        if refund.state == RefundState.FAILED and refund.is_shared:
            # Given up while its share was only just asked for.
            returning.give_share_back(refund.payment, refund.refund_no, at=at)
    return is_its_turn and _keep(refund, gateways.send_refund(refund, at=at), at)


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
            changed += ask(refund, at=at)
        except Exception:
            log.exception("refund %s could not be continued", refund.refund_no)
            # Those behind it get their turn.
            refund_actions.wait(refund, at=at)
    return changed


def ask(refund: Refund, *, at: datetime) -> bool:
    """Ask the gateway where a refund stands, and send it if it never arrived.

    Ask first: after a timeout the gateway may have done it, and money goes back once.
    """
    outcome = gateways.query_refund(refund, at=at)
    if isinstance(outcome, Rejected):
        if outcome.code == NOT_FOUND:
            return _dispatch(refund, at)
        # It refused the question, not the refund.
        outcome = Unknown(outcome.code)
    return _keep(refund, outcome, at)


@transaction.atomic
def _keep(refund: Refund, outcome: Outcome[RefundSnapshot], at: datetime) -> bool:
    """Keep what the gateway said, and book what follows. Locks: order, then refund."""
    order = locks.lock_order_of_ref(refund.payment.owner_ref)
    if not refund_actions.refund_result(refund, outcome, at=at):
        return False
    match refund.state:
        case RefundState.SUCCEEDED:
            book(order, refund, "settled", postings.refund_settled(refund), at)
            close_when_all_is_back(order)
        case RefundState.FAILED:
            book_failed(order, refund, at)
            tell_operator(refund, outcome)
            # Whoever was refused may have been too late: the money went back without us.
            payment_actions.ask_again(refund.payment, after=payment_rules.FIRST_ATTEMPT, at=at)
        case RefundState.ABNORMAL:
            tell_operator(refund, outcome)
    return True


def book_failed(order: Order | None, refund: Refund, at: datetime) -> None:
    """Undo the posting of a refund that did not happen, in the caller's transaction.

    What its supplier gave for it is settled with the supplier again.
    """
    undone = [line.swapped() for line in requested_lines(refund)]
    book(order, refund, "failed", undone, at)
    if refund.is_shared:
        returning.give_share_back(refund.payment, refund.refund_no, at=at)


def undo_settled(order: Order | None, refund: Refund, at: datetime) -> None:
    """Undo the postings of a refund that was done and came back, and open its order again.

    In the caller's transaction, which wrote that it failed.
    """
    undone = [line.swapped() for line in postings.refund_settled(refund)]
    book(order, refund, "unsettled", undone, at)
    book_failed(order, refund, at)
    reopen_when_some_is_here(order)


def close_when_all_is_back(order: Order | None) -> None:
    """End an order whose money all went back; nothing happens while some is on its way or here."""
    if order is not None and order.state == OrderState.UNFULFILLABLE and _all_is_back(order):
        actions.move(order, OrderState.REFUNDED)


def reopen_when_some_is_here(order: Order | None) -> None:
    """Open an order again that ended, since money came back here that was its guest's."""
    if order is not None and order.state == OrderState.REFUNDED and not _all_is_back(order):
        actions.move(order, OrderState.UNFULFILLABLE)


def _all_is_back(order: Order) -> bool:
    """Tell whether all went back of each payment whose money should, by us or others."""
    payments = [
        payment
        for payment in payment_queries.succeeded_of(order.ref)
        if disputes.is_lost(payment) or payment.refunds.exclude(reason__in=_NOT_ITS_PRICE).exists()
    ]
    return bool(payments) and all(_is_back(payment) for payment in payments)


def _is_back(payment: Payment) -> bool:
    done = payment.refunds.filter(state__in=(RefundState.SUCCEEDED, RefundState.OTHERWISE))
    back_minor = sum(done.values_list("amount_minor", flat=True))
    return back_minor + disputes.taken_minor(payment) >= payment.received.amount_minor


def tell_operator(refund: Refund, outcome: Outcome[RefundSnapshot]) -> None:
    """Write to the log and the trail that people must look at a refund."""
    why = outcome.code if isinstance(outcome, Rejected) else ""
    log.error("refund %s is %s %s: somebody must look", refund.refund_no, refund.state, why)
    audit_actions.record(
        actor_ref="platform",
        action=f"refund.{refund.state}",
        subject_ref=refund.payment.owner_ref,
        details={"refund_no": refund.refund_no, "amount_minor": refund.amount_minor, "why": why},
    )


def requested_lines(refund: Refund) -> list[TransferLine]:
    """Return what is booked when a refund is asked for, from the account that its money lies on."""
    if refund.source == chart.GOODWILL:
        return postings.refund_goodwill(refund)
    # Rows from before the account was kept are asked of the ledger.
    is_aside = (
        refund.source == chart.UNALLOCATED if refund.source else aside.is_aside(refund.payment)
    )
    return postings.refund_requested(refund, from_unallocated=is_aside)


def otherwise(order: Order | None, refund: Refund, *, at: datetime) -> None:
    """Keep and book that an abnormal refund was paid from our bank, in the caller's transaction.

    Raises: NotAbnormalError.
    """
    refund_actions.settle_otherwise(refund)
    book(order, refund, "otherwise", postings.refund_otherwise(refund), at)
    close_when_all_is_back(order)


def book(
    order: Order | None, refund: Refund, step: str, lines: list[TransferLine], at: datetime
) -> None:
    """Book a step of a refund. Idempotent by the refund and the step."""
    journal = ledger_actions.post(
        kind=f"refund_{step}",
        source_ref=f"refund:{refund.refund_no}:{step}",
        owner_ref=refund.payment.owner_ref,
        lines=lines,
        at=at,
    )
    if order is not None:
        actions.link_entry(order, journal)
