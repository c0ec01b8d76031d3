"""Money on to the enterprise that reduced: when a part is due, and how the gateway passes it on.

Every number is committed before the gateway hears of it and used again on every retry. Unknown is
asked about by the same number; only a leg that certainly failed is tried under a new one.
*Source:* payments design, sections 4, 9 and 10; rows 36 and 37.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.flows import gateways, held_rest, matched, returning, split_terms, waiting_shares
from diandian.kernel.clock import now
from diandian.kernel.money import Money
from diandian.ledger import actions as ledger_actions
from diandian.ledger import payouts
from diandian.payments import merchants
from diandian.payments import queries as payment_queries
from diandian.payments.disputes import queries as disputes
from diandian.payments.errors import UnknownGatewayError
from diandian.payments.messages import NOT_FOUND, Done, Outcome, Pending, Rejected
from diandian.payments.models import Payment
from diandian.payments.splits import SplitLeg, SplitRequest, SplitSnapshot, SplitTerms
from diandian.settlement import queries, rules
from diandian.settlement.lines import actions as line_actions
from diandian.settlement.models import (
    Line,
    LineState,
    Payee,
    Rail,
    Split,
    SplitState,
)

log = logging.getLogger(__name__)

# The offer of this room to those who refund.
reverse_before_refund = returning.reverse_before_refund


def settle(limit: int = 50, *, at: datetime | None = None) -> int:
    """Look at every part whose time has come. Returns how many changed their state."""
    at = at or now()
    changed = 0
    for line in queries.lines_to_look_at(at, limit):
        before = line.state
        try:
            look(line, at=at)
        except UnknownGatewayError:
            line_actions.wait(line, "merchant", until=at + rules.WAITS_LOOK)
        except Exception:
            log.exception("line %s could not be settled, it will be tried again", line.id)
            line_actions.wait(line, "fault", until=at + rules.WAITS_LOOK)
        # Of whatever nothing could be done, the others get their turn.
        line_actions.look_later(line, at=at)
        line.refresh_from_db()
        changed += line.state != before
    # Last: what just ended its way may have to come back.
    waiting_shares.take_back_waiting(at=at)
    return changed


def look(line: Line, *, at: datetime) -> None:
    """Do the next thing for one part, if its time has come. Idempotent."""
    steps = {
        LineState.WAITING: _consider,
        LineState.DUE: _divide,
        LineState.QUEUED: _ask,
        LineState.SUBMITTED: _ask,
        LineState.UNKNOWN: _ask,
        LineState.FAILED: _ask_failed,
        LineState.REVERSING: returning.ask,
        LineState.PAID: held_rest.release,
    }
    step = steps.get(LineState(line.state))
    # What is in a payout by bank moves with it; a gateway's statement moves nothing.
    with_payout = line.batch_id is not None and line.rail == Rail.BANK
    if step is not None and not with_payout:
        step(line, at)


# -- when -------------------------------------------------------------------------------------


def _consider(line: Line, at: datetime) -> None:
    """Let a part become due, or note what it waits for."""
    reason, until = waits_for(line, at)
    if reason:
        line_actions.wait(line, reason, until=until)
    elif line_actions.become_due(line, at=at):
        line.refresh_from_db()
        if line.rail == Rail.GATEWAY:
            _divide(line, at)


def waits_for(line: Line, at: datetime) -> tuple[str, datetime]:
    """Return what a part waits for ("" for nothing), and when to look again."""
    later = at + rules.WAITS_LOOK
    if line.disputed_at is not None:
        return "dispute", later
    if at < line.due_from:
        return "refund_window", line.due_from
    if line.payment_no:
        payment = payment_queries.by_no(line.payment_no)
        if disputes.is_disputed(payment):
            return "dispute", later
        ready_at = _dividable_from(line, payment)
        if at < ready_at:
            return "gateway", ready_at
        if not matched.is_matched(payment):
            return "statement", later
    return ("", at) if _payee_of(line, at) else ("supplier", later)


def _dividable_from(line: Line, payment: Payment) -> datetime:
    """Return from when on the gateway divides a payment."""
    assert payment.paid_at is not None, "only what was received is owed"
    terms = split_terms.terms_of(payment) if line.rail == Rail.GATEWAY else None
    return payment.paid_at + timedelta(seconds=terms.wait_seconds if terms else 0)


def _payee_of(line: Line, at: datetime) -> Payee | None:
    """Return where a supplier receives a part; of one who collects: that it is who collected."""
    gateway = line.gateway if line.rail == Rail.GATEWAY else ""
    payee = queries.payee_in_force(line.supplier_ref, gateway=gateway, at=at)
    if payee is None or not line.is_fee_leg:
        return payee
    context = merchants.of_payment(payment_queries.by_no(line.payment_no)).context
    return payee if payee.detail["account"] == context.sub_merchant else None


# -- through the gateway ----------------------------------------------------------------------


def _divide(line: Line, at: datetime) -> None:
    """Fix the numbers of a leg, and only then ask the gateway for it."""
    if line.rail != Rail.GATEWAY:
        return
    payment = payment_queries.by_no(line.payment_no)
    if line.disputed_at is not None or disputes.is_disputed(payment):
        line_actions.wait(line, "dispute", until=at + rules.WAITS_LOOK)
        return
    terms, payee = split_terms.terms_of(payment), _payee_of(line, at)
    if payee is None or terms is None:
        line_actions.wait(line, "supplier", until=at + rules.WAITS_LOOK)
        return
    if waiting_shares.forgo_waiting(line, payment, at=at):
        return  # the rest has its turn later
    if not line.leg.amount_minor:
        is_new = line_actions.paid_without_leg(line, is_held=terms.holds_rest, at=at)
        if is_new and terms.holds_rest:
            line.refresh_from_db()
            held_rest.release(line, at)
        return
    if not rules.is_within_cap(line.leg, line.gross, terms.cap_basis_points):
        _give_up(line, "over_cap", at)
        return
    receiver = _receiver(payment, payee, terms)
    split = line_actions.queue_split(line, receiver=receiver, at=at)
    if split is not None:
        _send(split, payment, at)


def _receiver(payment: Payment, payee: Payee, terms: SplitTerms) -> str:
    """Return who gets the leg: the supplier, or we where the supplier collected."""
    if terms.pays_supplier:
        return str(payee.detail["account"])
    return terms.fee_account or merchants.of_payment(payment).context.merchant


def _give_up(line: Line, reason: str, at: datetime) -> None:
    line_actions.fail(line, reason)
    _tell_operator(line, reason, at)


def request_of(split: Split, payment: Payment) -> SplitRequest:
    """Return the question about a leg: the same one on every retry."""
    return SplitRequest(
        split_no=split.split_no,
        payment_no=payment.payment_no,
        gateway_ref=payment.gateway_ref,
        legs=(
            SplitLeg(
                leg_no=split.leg_no,
                receiver=split.receiver,
                amount=Money(split.amount_minor, payment.currency),
                text=payment.owner_ref,
            ),
        ),
    )


def _send(split: Split, payment: Payment, at: datetime) -> None:
    # The round may have begun minutes ago; whoever asks the gateway about this counts from now.
    if not line_actions.begin_sending(split, at=max(at, now())):
        return
    outcome = gateways.send_split(payment, request_of(split, payment), at=at)
    _keep(split, payment, outcome, at)


def _ask(line: Line, at: datetime) -> None:
    """Ask about what is on its way by its own number; send again what never arrived."""
    split = queries.living_split(line)
    if split is None:
        return
    payment = payment_queries.by_no(line.payment_no)
    outcome = gateways.query_split(payment, request_of(split, payment), at=at)
    if isinstance(outcome, Rejected) and outcome.code == NOT_FOUND:
        _send_again(line, split, payment, at)
    else:
        _keep(split, payment, outcome, at)


def _send_again(line: Line, split: Split, payment: Payment, at: datetime) -> None:
    """Send what its gateway does not know, if nothing came in between meanwhile.

    What a bank took since, and nobody asked the gateway for, fails: it goes nowhere. Of a receiver
    that is not in force any more: a leg that was not sent, or refused, fails and may get another
    number; one whose answer got lost waits, for it may have arrived after all.
    """
    if disputes.is_disputed(payment):
        line_actions.wait(line, "dispute", until=at + rules.WAITS_LOOK)
        return
    if split.state == SplitState.QUEUED and disputes.waiting_shares_of(payment):
        _keep(split, payment, Rejected("taken_back"), at)
        return
    terms, payee = split_terms.terms_of(payment), _payee_of(line, at)
    receiver = _receiver(payment, payee, terms) if payee and terms else ""
    if receiver == split.receiver:
        _send(split, payment, at)
    elif split.state == SplitState.QUEUED:
        _keep(split, payment, Rejected("receiver_not_in_force"), at)
    else:
        line_actions.wait(line, "supplier", until=at + rules.WAITS_LOOK)


def _ask_failed(line: Line, at: datetime) -> None:
    """Try a failed leg under a new number, but only once the gateway says that it failed."""
    split = queries.newest_split(line)
    if split is None:
        _divide(line, at)
        return
    payment = payment_queries.by_no(line.payment_no)
    outcome = gateways.query_split(payment, request_of(split, payment), at=at)
    match outcome:
        case Done(value=snapshot) if is_failed(split, snapshot):
            _divide(line, at)
        case Rejected(code=code) if code == NOT_FOUND:
            _divide(line, at)
        case Done():
            # It was paid after all.
            _keep(split, payment, outcome, at)
        case _:
            line_actions.wait(line, "gateway", until=at + rules.WAITS_LOOK)


def _keep(split: Split, payment: Payment, outcome: Outcome[SplitSnapshot], at: datetime) -> None:
    """Keep what the gateway said about a leg, and book what follows, in one commit."""
    state, leg_ref, reason = _said(split, outcome)
    with transaction.atomic():
        is_paid = line_actions.keep_split(split, state, leg_ref=leg_ref, reason=reason, at=at)
        line = Line.objects.get(id=split.line_id)
        if is_paid:
            _book(split, line, payment, at)
        if line.state == LineState.FAILED and line.next_look_at is None:
            _tell_operator(line, reason, at)


def _said(split: Split, outcome: Outcome[SplitSnapshot]) -> tuple[str, str, str]:
    """Return a leg's state, its name at the gateway, and the reason that was given."""
    match outcome:
        case Done(value=snapshot):
            return _leg_state(split, snapshot)
        case Pending():
            return SplitState.SUBMITTED, "", ""
        case Rejected(code=code, retryable=True):
            return SplitState.QUEUED, "", code
        case Rejected(code=code):
            return SplitState.FAILED, "", code
        case _:
            return SplitState.UNKNOWN, "", ""


def is_failed(split: Split, snapshot: SplitSnapshot) -> bool:
    """Tell whether an answer says that our leg failed."""
    return _leg_state(split, snapshot)[0] == SplitState.FAILED


def _leg_state(split: Split, snapshot: SplitSnapshot) -> tuple[str, str, str]:
    """Return what an answer says of our leg; one about another leg or amount is unknown."""
    found = next((leg for leg in snapshot.legs if leg.leg_no == split.leg_no), None)
    if found is None or found.amount_minor != split.amount_minor:
        return SplitState.UNKNOWN, "", "another leg"
    states = {"succeeded": SplitState.PAID, "failed": SplitState.FAILED}
    return states.get(found.state, SplitState.SUBMITTED), found.leg_ref, found.reason


def _book(split: Split, line: Line, payment: Payment, at: datetime) -> None:
    amount, gateway = Money(split.amount_minor, line.currency), payment.gateway
    if line.is_fee_leg:
        ours = merchants.of_payment(payment).context.merchant
        booked = {
            "split_fee": payouts.build_split_fee(amount, gateway=gateway),
            "split_fee_credited": payouts.build_split_fee_credited(
                amount, gateway=gateway, merchant=ours
            ),
        }
    else:
        passed_on = payouts.build_transfer(
            amount,
            supplier_ref=line.supplier_ref,
            gateway=gateway,
            merchant=payment.received_by,
        )
        booked = {"transfer": passed_on}
    for kind, lines in booked.items():
        ledger_actions.post(
            kind=kind,
            source_ref=f"split:{split.split_no}:{kind}",
            owner_ref=line.owner_ref,
            lines=lines,
            at=at,
        )


def _tell_operator(line: Line, reason: str, at: datetime) -> None:
    log.error("line %s could not be paid: %s; somebody must look", line.id, reason)
    audit_actions.record(
        actor_ref="platform",
        action="settlement.failed",
        subject_ref=line.owner_ref,
        details={"line": line.id, "supplier": line.supplier_ref, "reason": reason[:120]},
        at=at,
    )
