"""Chargebacks: a payer's bank takes the money first and decides later; each step is booked once.

An order that waits goes under review with its grams held: nobody retires for money that is not
here. What is retired stays retired, and its certificate good. What was decided stays decided; a
gateway that then says the opposite is for people. *Source:* payments design, section 8, mode B.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.flows import aside, locks, overtaken, postings, refund, returning, review
from diandian.kernel.clock import now
from diandian.kernel.errors import NotFoundError
from diandian.kernel.money import EXPONENTS, Money
from diandian.ledger import actions as ledger_actions
from diandian.ledger import chart
from diandian.ledger.rules import TransferLine
from diandian.orders import actions
from diandian.orders.models import Order, OrderRetirement
from diandian.payments import merchants
from diandian.payments import rules as payment_rules
from diandian.payments.disputes import actions as dispute_actions
from diandian.payments.errors import UnknownGatewayError
from diandian.payments.messages import DisputeSnapshot
from diandian.payments.models import Dispute, DisputeState, Payment, Refund, RefundState

log = logging.getLogger(__name__)


def apply(order: Order | None, payment: Payment, told: DisputeSnapshot, *, at: datetime) -> None:
    """Apply what a gateway says about a chargeback. Idempotent: the same again changes nothing.

    In the caller's transaction, which holds the locks of order and payment.
    """
    if not _can_be_kept(told):
        log.error("a dispute of payment %s cannot be booked: %s", payment.payment_no, told)
        return
    dispute, is_new = dispute_actions.keep(payment, told, at=at)
    if is_new:
        _open(order, dispute, at)
    more_minor = dispute_actions.raise_fee(dispute, told.fee_minor)
    if more_minor:
        _book_fee(order, dispute, more_minor, at)
    differs = (told.amount_minor, told.currency) != (dispute.amount_minor, dispute.currency)
    if differs or payment_rules.contradicts(dispute.state, told.state):
        _look(order, dispute, told, at)
    elif payment_rules.next_dispute_state(dispute.state, told.state) is not None:
        _end(order, dispute, told.state, at)


def clear(dispute_id: int, *, actor: str, reason: str, at: datetime | None = None) -> Dispute:
    """Keep that somebody looked into a contradiction of a gateway; nothing else changes.

    Locks: order. Raises: NotFoundError.
    """
    at = at or now()
    assert reason, "a decision has a reason"
    with transaction.atomic():
        dispute = Dispute.objects.select_related("payment").filter(id=dispute_id).first()
        if dispute is None:
            raise NotFoundError
        locks.lock_order_of_ref(dispute.payment.owner_ref)
        if dispute_actions.clear_odd(dispute):
            _record(dispute, "dispute.cleared", actor, {"reason": reason}, at)
    return dispute


def _can_be_kept(told: DisputeSnapshot) -> bool:
    is_whole = bool(told.dispute_ref) and told.amount_minor > 0 and told.fee_minor >= 0
    return is_whole and told.currency in EXPONENTS


def _open(order: Order | None, dispute: Dispute, at: datetime) -> None:
    _book(order, dispute, "opened", postings.dispute_opened(dispute), at)
    frozen = not aside.is_aside(dispute.payment) and review.money_left(order)
    log.error("payment %s is disputed by a bank", dispute.payment.payment_no)
    _record(dispute, "dispute.opened", review.ACTOR, {"order_under_review": frozen}, at)


def _book_fee(order: Order | None, dispute: Dispute, more_minor: int, at: datetime) -> None:
    fee = Money(more_minor, dispute.currency)
    step = f"fee:{dispute.fee_minor}"
    lines = postings.dispute_fee(dispute, fee)
    if lines:
        _book(order, dispute, step, lines, at)


def _end(order: Order | None, dispute: Dispute, state: str, at: datetime) -> None:
    amount = _money(dispute)
    covered, source = Money(0, amount.currency), ""
    given_up: Sequence[Refund] = ()
    is_shared = state == DisputeState.LOST and _is_shared(dispute.payment)
    if state == DisputeState.WON:
        lines = postings.dispute_won(dispute)
    else:
        given_up = overtaken.give_up(order, dispute.payment, at=at)
        covered, source = _owed(order, dispute)
        lines = postings.dispute_lost(
            dispute, order, covered=covered, source=source, is_shared=is_shared
        )
    dispute_actions.end(dispute, state, covered_minor=covered.amount_minor, source=source, at=at)
    _book(order, dispute, state, lines, at)
    _record(dispute, f"dispute.{state}", review.ACTOR, {"covered_minor": covered.amount_minor}, at)
    lost_minor = amount.amount_minor - covered.amount_minor
    if lost_minor and is_shared:
        returning.take_back_later(dispute.payment, lost_minor, dispute_id=dispute.id, at=at)
    overtaken.ask_for_rest(order, dispute, given_up, at=at)
    refund.close_when_all_is_back(order)


def _is_shared(payment: Payment) -> bool:
    """Tell whether the supplier stands for what banks take after a retirement."""
    try:
        return merchants.of_payment(payment).shares_refunds
    except UnknownGatewayError:
        return False


def _owed(order: Order | None, dispute: Dispute) -> tuple[Money, str]:
    """Return what of a lost chargeback was still the customer's money, and where it lies."""
    payment, amount = dispute.payment, _money(dispute)
    payment.refresh_from_db()
    is_aside = aside.is_aside(payment)
    is_retired = order is not None and OrderRetirement.objects.filter(order=order).exists()
    if (is_retired and not is_aside) or amount.currency != payment.received.currency:
        return Money(0, amount.currency), ""
    # The disputed money itself counts as taken by now: it is what was left before.
    here_minor = min(amount.amount_minor, _before(dispute))
    return Money(here_minor, amount.currency), (
        chart.UNALLOCATED if is_aside else chart.CUSTOMER_PREPAYMENTS
    )


def _before(dispute: Dispute) -> int:
    """Return what the customer's money would be without this chargeback, in minor units."""
    payment = dispute.payment
    others = payment.disputes.exclude(id=dispute.id).filter(state=DisputeState.LOST)
    gone_minor = sum(others.values_list("covered_minor", flat=True))
    living = payment.refunds.exclude(state=RefundState.FAILED)
    gone_minor += sum(living.exclude(source=chart.GOODWILL).values_list("amount_minor", flat=True))
    return max(0, payment.received.amount_minor - gone_minor)


def _look(order: Order | None, dispute: Dispute, told: DisputeSnapshot, at: datetime) -> None:
    """Set a chargeback aside that is told in two ways; nothing is booked for the second."""
    if not dispute_actions.mark_odd(dispute):
        return
    frozen = not aside.is_aside(dispute.payment) and review.money_left(order)
    log.error("dispute %s is %s here and %s there", dispute, dispute.state, told.state)
    details = {
        "told": told.state,
        "told_minor": told.amount_minor,
        "told_currency": told.currency,
        "order_under_review": frozen,
    }
    _record(dispute, "dispute.contradicted", review.ACTOR, details, at)


def _money(dispute: Dispute) -> Money:
    return Money(dispute.amount_minor, dispute.currency)


def _book(
    order: Order | None, dispute: Dispute, step: str, lines: list[TransferLine], at: datetime
) -> None:
    journal = ledger_actions.post(
        kind=f"dispute_{step.partition(':')[0]}",
        source_ref=f"dispute:{dispute.id}:{step}",
        owner_ref=dispute.payment.owner_ref,
        lines=lines,
        at=at,
    )
    if order is not None:
        actions.link_entry(order, journal)


def _record(
    dispute: Dispute, action: str, actor: str, details: Mapping[str, object], at: datetime
) -> None:
    audit_actions.record(
        actor_ref=actor,
        action=action,
        subject_ref=dispute.payment.owner_ref,
        details={
            "payment_no": dispute.payment.payment_no,
            "dispute_ref": dispute.dispute_ref,
            "amount_minor": dispute.amount_minor,
            "currency": dispute.currency,
            **details,
        },
        at=at,
    )
