"""What a refund takes from a supplier's part, before the guest gets it: row 35.

Not paid yet: it is not paid. Divided by the gateway: the leg is taken back first. Paid by bank:
the supplier owes it, and the next payout is smaller; our fee that came by bank is owed, and the
next payout is larger. What came back for a refund that does not happen is settled by bank: a second
way through the gateway could fail as the first did. *Source:* payments design, sections 6 and 8.
"""

import logging
from datetime import datetime, timedelta
from typing import Literal

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.flows import accruing, gateways, return_postings, split_terms
from diandian.kernel.money import Money
from diandian.ledger import payouts
from diandian.ledger.models import Journal
from diandian.ledger.rules import TransferLine
from diandian.payments import queries as payment_queries
from diandian.payments.messages import NOT_FOUND, Done, Outcome, Pending, Rejected, Unknown
from diandian.payments.models import Payment
from diandian.payments.refunds import actions as refund_actions
from diandian.payments.splits import ReversalRequest, ReversalSnapshot
from diandian.settlement import queries, rules
from diandian.settlement.lines import actions as line_actions
from diandian.settlement.lines import queries as line_queries
from diandian.settlement.models import Line, LineState, Rail, Return, ReturnWay, SplitState
from diandian.settlement.returns import actions as return_actions

log = logging.getLogger(__name__)

# How long a guest's refund waits for a supplier's account to have enough; then ours goes alone.
WAITS_FOR_SUPPLIER = timedelta(days=3)

Answer = Literal["ready", "waiting", "short"]
_STILL_HERE = (LineState.WAITING, LineState.DUE, LineState.FAILED)


def reverse_before_refund(
    payment: Payment,
    amount_minor: int,
    *,
    at: datetime,
    refund_no: str = "",
    cause: str = "goodwill",
    since: datetime | None = None,
) -> Answer:
    """Take a refund's share back from the supplier's part, before the guest is refunded.

    Ready: the refund may go. Waiting: ask again later, with the same number. Short: the gateway
    could not take it back, or the part is on its way for too long, and its share is taken once
    that has ended; the refund goes from own funds and the operator is told. ``refund_no``: of the
    refund; without it there is one refund per payment and amount. ``cause``: goodwill or dispute.
    ``since``: when the refund was granted.
    Idempotent by: ``refund_no``. Locks: the line.
    """
    assert amount_minor > 0, "a refund gives something back"
    line = line_of(payment, at)
    if line is None:
        return "ready"  # nothing of it is owed to anybody
    number = number_of(refund_no or f"{payment.payment_no}-{amount_minor}")
    found = queries.return_by_no(number) or begin(line, number, amount_minor, cause, payment, at)
    if found is None:
        if since is None or at - since < WAITS_FOR_SUPPLIER:
            return "waiting"
        refund_actions.let_share_wait(refund_no, waits=True)
        _tell_operator("settlement.short", number, line, line.state, at)
        return "short"
    if found.way == ReturnWay.REVERSED and found.state == SplitState.QUEUED:
        _send(found, payment, at)
    return answer_of(found)


def give_share_back(payment: Payment, refund_no: str, *, at: datetime) -> None:
    """Settle with the supplier what came back for a refund that does not happen after all.

    What was forgone of a part that nobody sent yet is simply not forgone. Else a part is owed to
    the supplier, our fee by it, and gets into the next payout; what is still on its way back is
    settled once it is there. In the caller's transaction. Idempotent. Locks: the line.
    """
    found = queries.return_by_no(number_of(refund_no))
    if found is None:
        return
    if return_actions.take_up_again(found, at=at):
        return_postings.book_taken_up(found, found.line, at)
    elif not return_actions.give_back(found, at=at):
        return
    elif found.state == SplitState.PAID:
        return_postings.book_given_back(found, found.line, at)
    audit_actions.record(
        actor_ref="platform",
        action="settlement.given_back",
        subject_ref=payment.owner_ref,
        details={"return": found.return_no, "supplier": found.line.supplier_ref},
        at=at,
    )


def claim_advance(journal: Journal, source_ref: str, *, at: datetime) -> list[TransferLine]:
    """Claim from its supplier what a journal owed and is not owed after all; return the lines.

    In the caller's transaction, which books them. Idempotent by: ``source_ref``.
    """
    accruing.accrue_of(journal.owner_ref, at=at)
    line = Line.objects.get(source_ref=journal.source_ref)
    amount = Money(line.supplier_minor, line.currency)
    line_actions.claim(line, source_ref=source_ref, amount=amount, at=at)
    return payouts.build_claim(amount, supplier_ref=line.supplier_ref, is_dispute=True)


def number_of(refund_no: str) -> str:
    """Return the number of the return that a refund makes."""
    return f"V{refund_no}"[:48]


def line_of(payment: Payment, at: datetime) -> Line | None:
    """Return the part that a payment paid; one that the worker did not make yet is made here.

    What goes back before it is there would else be paid to the supplier afterwards.
    """
    line = queries.line_of_payment(payment.payment_no)
    if line is None and accruing.accrue_of(payment.owner_ref, at=at):
        line = queries.line_of_payment(payment.payment_no)
    return line


def answer_of(found: Return) -> Answer:
    """Return what a refund may do now."""
    found.refresh_from_db()
    if found.state == SplitState.PAID:
        return "ready"
    return "short" if found.state == SplitState.FAILED else "waiting"


@transaction.atomic
def begin(
    line: Line,
    number: str,
    amount_minor: int,
    cause: str,
    payment: Payment,
    at: datetime,
    *,
    way: ReturnWay | None = None,
) -> Return | None:
    """Write what is taken back, once per number; None while the part is on its way.

    ``way``: where nothing moved for certain. Locks: the line.
    """
    locked = line_actions.lock(line)
    found = queries.return_by_no(number)
    if found is not None:
        return found
    way = way if way and locked.state in _STILL_HERE else _way(locked)
    if way is None:
        return None
    refund = Money(amount_minor, locked.currency)
    already, refunded = line_queries.went_back(locked)
    leg = locked.fee if locked.is_fee_leg else locked.supplier
    amount = rules.share_of_refund(leg, locked.gross, refund, already=already, refunded=refunded)
    if way == ReturnWay.REVERSED and not amount.amount_minor:
        way = ReturnWay.FORGONE
    elif way == ReturnWay.FORGONE:
        amount = Money(min(amount.amount_minor, locked.leg.amount_minor), locked.currency)
    found = return_actions.begin_return(
        locked, return_no=number, way=way, amount=amount, refund=refund, cause=cause, at=at
    )
    if way == ReturnWay.CLAIMED and amount.amount_minor:
        line_actions.claim(locked, source_ref=f"claim:{number}", amount=amount, at=at)
    if way != ReturnWay.REVERSED:
        return_postings.book(found, locked, payment, at)
    return found


def _way(line: Line) -> ReturnWay | None:
    if line.state in _STILL_HERE and not _may_have_arrived(line):
        return ReturnWay.FORGONE
    by_bank = ReturnWay.OWED if line.is_fee_leg else ReturnWay.CLAIMED
    was_given_back = line_queries.was_given_back(line)
    if line.state == LineState.REVERSED:
        # All of it went back before: nothing is left to share but what is settled by bank.
        return by_bank if was_given_back else ReturnWay.FORGONE
    if line.state != LineState.PAID:
        return None
    # Of what is with the supplier by bank no gateway takes anything back.
    return by_bank if line.rail == Rail.BANK or was_given_back else ReturnWay.REVERSED


def _may_have_arrived(line: Line) -> bool:
    """Tell whether a failed leg is still asked about: then it may have been paid after all."""
    return line.state == LineState.FAILED and line.next_look_at is not None


# -- the gateway ------------------------------------------------------------------------------


def ask(line: Line, at: datetime) -> None:
    """Ask about a reversal on its way by its own number; send again what never arrived."""
    for found in line.returns.exclude(state__in=(SplitState.PAID, SplitState.FAILED)):
        payment = payment_queries.by_no(line.payment_no)
        outcome = _asked(found, payment, at)
        if isinstance(outcome, Rejected):
            _send(found, payment, at)
        else:
            _keep(found, payment, outcome, at)


def _asked(found: Return, payment: Payment, at: datetime) -> Outcome[ReversalSnapshot]:
    """Return what the gateway says of a reversal; rejected only where it knows none."""
    outcome = gateways.query_reversal(payment, _request(found, payment), at=at)
    if isinstance(outcome, Rejected) and outcome.code != NOT_FOUND:
        # It refused the question, not the reversal.
        return Unknown(outcome.code)
    return outcome


def _request(found: Return, payment: Payment) -> ReversalRequest:
    split = found.split
    assert split is not None, "only what was divided is taken back"
    return ReversalRequest(
        reversal_no=found.return_no,
        split_no=split.split_no,
        payment_no=payment.payment_no,
        gateway_ref=payment.gateway_ref,
        leg_no=split.leg_no,
        leg_ref=split.leg_ref,
        receiver=split.receiver,
        amount=Money(found.amount_minor, payment.currency),
    )


def _send(found: Return, payment: Payment, at: datetime) -> None:
    terms = split_terms.terms_of(payment)
    outcome: Outcome[ReversalSnapshot] = Rejected("not_offered")
    if terms is not None and terms.can_reverse:
        outcome = gateways.send_reversal(payment, _request(found, payment), at=at)
    if isinstance(outcome, Rejected) and outcome.retryable:
        outcome = _refused_for_now(found, payment, outcome, at)
    _keep(found, payment, outcome, at)


def _refused_for_now(
    found: Return, payment: Payment, refusal: Rejected, at: datetime
) -> Outcome[ReversalSnapshot]:
    """Tell the operator what keeps a sending from being taken, and end it when that lasts too long.

    An earlier sending, whose answer got lost, may have arrived: it ends only where the gateway says
    that it knows no such reversal.
    """
    if at - found.created_at >= WAITS_FOR_SUPPLIER:
        outcome = _asked(found, payment, at)
        is_unknown_there = isinstance(outcome, Rejected)
        return Rejected(refusal.code, refusal.message) if is_unknown_there else outcome
    if refusal.code != found.reason:
        line = Line.objects.get(id=found.line_id)
        log.warning("return %s is refused for now: %s", found.return_no, refusal.code)
        _tell_operator("settlement.waits", found.return_no, line, refusal.code, at)
    return refusal


def _keep(
    found: Return, payment: Payment, outcome: Outcome[ReversalSnapshot], at: datetime
) -> None:
    state, reason = _said(found, outcome)
    with transaction.atomic():
        line = Line.objects.get(id=found.line_id)
        if return_actions.keep_return(found, state, reason=reason, at=at):
            found.refresh_from_db()
            return_postings.book(found, line, payment, at)
            if found.given_back_at is not None:
                return_postings.book_given_back(found, line, at)
        elif state == SplitState.FAILED:
            log.error("return %s failed: %s; somebody must look", found.return_no, reason)
            _tell_operator("settlement.short", found.return_no, line, reason, at)


def _said(found: Return, outcome: Outcome[ReversalSnapshot]) -> tuple[str, str]:
    match outcome:
        case Done(value=snapshot) if snapshot.amount_minor != found.amount_minor:
            return SplitState.UNKNOWN, "another amount"
        case Done(value=snapshot):
            states = {"succeeded": SplitState.PAID, "failed": SplitState.FAILED}
            return states.get(snapshot.state, SplitState.SUBMITTED), snapshot.reason
        case Pending():
            return SplitState.SUBMITTED, ""
        case Rejected(code=code, retryable=True):
            return SplitState.QUEUED, code
        case Rejected(code=code):
            return SplitState.FAILED, code
        case _:
            return SplitState.UNKNOWN, ""


def _tell_operator(action: str, number: str, line: Line, reason: str, at: datetime) -> None:
    audit_actions.record(
        actor_ref="platform",
        action=action,
        subject_ref=line.owner_ref,
        details={"return": number, "supplier": line.supplier_ref, "reason": reason[:120]},
        at=at,
    )
