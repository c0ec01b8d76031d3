"""Chargebacks: a payer's bank takes the money first and decides later; each step is booked once.

An order that waits goes under review with its grams held: nobody retires for money that is not
here. What is retired stays retired, and its certificate good. What was decided stays decided; a
gateway that then says the opposite, or another amount, is for people: they leave what is booked, or
take over what is told. *Source:* payments design, section 8, mode B.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.flows import (
    aside,
    locks,
    overtaken,
    postings,
    refund,
    returning,
    review,
    waiting_shares,
)
from diandian.kernel.clock import now
from diandian.kernel.errors import NotFoundError
from diandian.kernel.money import EXPONENTS, Money
from diandian.ledger import actions as ledger_actions
from diandian.ledger import chart
from diandian.ledger import queries as ledger_queries
from diandian.ledger.rules import TransferLine
from diandian.orders import actions
from diandian.orders.models import Order, OrderRetirement
from diandian.payments import actions as payment_actions
from diandian.payments import merchants
from diandian.payments import rules as payment_rules
from diandian.payments.disputes import actions as dispute_actions
from diandian.payments.disputes import queries as dispute_queries
from diandian.payments.errors import DisputeChangedError, UnknownGatewayError
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
    if _is_odd(dispute, told):
        _look(order, dispute, told, at)
    elif payment_rules.next_dispute_state(dispute.state, told.state) is not None:
        _end(order, dispute, told.state, at)


def clear(
    dispute_id: int,
    *,
    actor: str,
    reason: str,
    seen: str | None = None,
    at: datetime | None = None,
) -> Dispute:
    """Leave what is booked as it is, whatever the gateway told against it; people looked into it.

    It is odd again only when the gateway tells something else. A verdict that was told with another
    amount ends it, with the amount that is booked. ``seen``: ``Dispute.seen`` of who decides.
    Locks: order, payment. Raises: NotFoundError, DisputeChangedError.
    """
    at = at or now()
    assert reason, "a decision has a reason"
    with transaction.atomic():
        order, dispute = _looked_at(dispute_id, seen)
        dispute_actions.clear_odd(dispute)
        _record(dispute, "dispute.cleared", actor, {"reason": reason}, at)
        verdict = payment_rules.next_dispute_state(dispute.state, dispute.told_state)
        if verdict is not None:
            _end(order, dispute, verdict, at)
    return dispute


def take_over(
    dispute_id: int,
    *,
    actor: str,
    reason: str,
    seen: str | None = None,
    at: datetime | None = None,
) -> Dispute:
    """Book what the gateway tells in place of what is booked: another verdict, or amount.

    All of it is undone and booked anew, on the day of now: what came back of a lost one is its
    payer's or ours again, and the supplier's share is given back; an order that ended with that
    money is open again. Locks: order, payment. Raises: NotFoundError, DisputeChangedError.
    """
    at = at or now()
    assert reason, "a decision has a reason"
    with transaction.atomic():
        order, dispute = _looked_at(dispute_id, seen)
        before = {"before": str(dispute.state), "before_minor": dispute.amount_minor}
        becomes = payment_rules.takes_over(dispute.state, dispute.told_state)
        _undo(order, dispute, at)
        dispute_actions.open_anew(dispute)
        _book(order, dispute, "opened", postings.dispute_opened(dispute), at)
        _record(dispute, "dispute.taken_over", actor, {"reason": reason, **before}, at)
        if becomes != DisputeState.OPEN:
            _end(order, dispute, becomes, at)
        refund.reopen_when_some_is_here(order)
    return dispute


def _looked_at(dispute_id: int, seen: str | None) -> tuple[Order | None, Dispute]:
    """Return a chargeback about which people decide now, and its order; both are locked.

    Raises: NotFoundError, DisputeChangedError.
    """
    found = Dispute.objects.select_related("payment").filter(id=dispute_id)
    dispute = found.first()
    if dispute is None:
        raise NotFoundError
    order = locks.lock_order_of_ref(dispute.payment.owner_ref)
    payment = payment_actions.lock(dispute.payment)
    dispute = found.get()
    dispute.payment = payment
    if not dispute.is_odd or seen not in {None, dispute.seen}:
        raise DisputeChangedError
    return order, dispute


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
        _take_share(dispute, lost_minor, at)
    overtaken.ask_for_rest(order, dispute, given_up, at=at)
    refund.close_when_all_is_back(order)


def _take_share(dispute: Dispute, lost_minor: int, at: datetime) -> None:
    """Begin to take back the supplier's share of a loss.

    Of a loss in another currency nobody here knows what it is of the supplier's part: people ask
    the supplier for it.
    """
    payment = dispute.payment
    if dispute.currency == payment.received.currency:
        waiting_shares.take_back_later(payment, lost_minor, dispute_id=dispute.id, at=at)
        return
    log.error("the share of dispute %s is in another currency: somebody must ask for it", dispute)
    _record(dispute, "dispute.share_left", review.ACTOR, {"lost_minor": lost_minor}, at)


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


def _undo(order: Order | None, dispute: Dispute, at: datetime) -> None:
    """Book back all that is booked of a chargeback but its fee, and give the share back.

    What was owed to a supplier for it may be paid already: it is claimed off the next payout.
    """
    source = f"dispute:{dispute.id}:"
    refs = [f"{source}{dispute.step(each)}" for each in ("opened", dispute.state)]
    lines: list[TransferLine] = []
    for journal in ledger_queries.journals_by_source(refs).values():
        for line in ledger_queries.lines_of(journal):
            if chart.SUPPLIER_PAYABLE in line.credit_code.split(":"):
                lines += returning.claim_advance(
                    journal, f"claim:{source}{dispute.step('')}", at=at
                )
            else:
                lines.append(line.swapped())
    _book(order, dispute, "undone", lines, at)
    returning.give_share_back(dispute.payment, dispute_queries.share_no(dispute.id), at=at)


def _is_odd(dispute: Dispute, told: DisputeSnapshot) -> bool:
    """Tell whether a gateway contradicts what is booked, in a way that nobody looked into."""
    amount = told.amount_minor, told.currency
    is_new = dispute.is_odd or amount != (dispute.told_minor, dispute.told_currency)
    differs = amount != (dispute.amount_minor, dispute.currency)
    is_opposite = payment_rules.contradicts(dispute.state, told.state)
    return (differs and is_new) or (
        is_opposite and (dispute.is_odd or told.state != dispute.told_state)
    )


def _look(order: Order | None, dispute: Dispute, told: DisputeSnapshot, at: datetime) -> None:
    """Set a chargeback aside that is told in two ways; nothing is booked for the second."""
    if not dispute_actions.mark_odd(dispute, told):
        return
    frozen = not aside.is_aside(dispute.payment) and review.money_left(order)
    here, there = (f"{each.state} {each.amount_minor} {each.currency}" for each in (dispute, told))
    log.error("dispute %s is %s here and %s there", dispute, here, there)
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
    kind = step.partition(":")[0]
    step = step if kind == "fee" else dispute.step(step)
    journal = ledger_actions.post(
        kind=f"dispute_{kind}",
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
