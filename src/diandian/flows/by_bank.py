"""What no gateway divides any more goes by bank: a supplier's part to it, our fee from it.

A gateway divides no more than is left of a payment. Where a guest got money back meanwhile, at our
cost or in the gateway's console, the rest may be less than the part; and a gateway may lower what
it divides off at all. The part is owed all the same. *Source:* payments design, sections 8 to 10.
"""

from datetime import datetime

from django.db import transaction

from diandian.flows import gateways, matched, settling, split_terms
from diandian.kernel.clock import now
from diandian.ledger import actions as ledger_actions
from diandian.ledger import payouts
from diandian.payments import queries as payment_queries
from diandian.payments.disputes import queries as disputes
from diandian.payments.errors import UnknownGatewayError
from diandian.payments.messages import NOT_FOUND, Done, Rejected
from diandian.payments.models import Payment
from diandian.settlement import queries, rules
from diandian.settlement.errors import LineMovesError
from diandian.settlement.lines import actions as line_actions
from diandian.settlement.models import Line, Split, SplitState


def settle(line: Line, *, actor_ref: str, at: datetime | None = None) -> Line:
    """Let a part that is given up be settled by bank, once its gateway says that it is undone.

    A supplier's part gets into its next payout, which two people make. Our fee, of a supplier who
    collects, is taken off its next payout. Locks: the line. Raises: LineMovesError.
    """
    at = at or now()
    if not queries.is_given_up(line, at=at):
        raise LineMovesError
    # Read before the gateway is asked: what is sent after this shows in it.
    split = queries.newest_split(line)
    payment = payment_queries.by_no(line.payment_no)
    if not _may_leave(split, payment, at):
        raise LineMovesError
    is_held = line.is_fee_leg and _is_rest_held(payment)
    with transaction.atomic():
        left = line_actions.leave_gateway(line, split, is_held=is_held, actor_ref=actor_ref, at=at)
        if left.is_fee_leg and left.leg.amount_minor:
            _claim_fee(left, at)
    return left


def _may_leave(split: Split | None, payment: Payment, at: datetime) -> bool:
    """Tell whether only its gateway keeps a part from being paid, and did not pay it."""
    if disputes.is_disputed(payment):
        return False
    try:
        return _is_undone(split, payment, at) if split else matched.is_matched(payment)
    except UnknownGatewayError:
        # Of a merchant that is not in use any more nobody can be asked: what was sent may be paid.
        return split is None and matched.stands_on_statement(payment)


def _is_undone(split: Split, payment: Payment, at: datetime) -> bool:
    """Tell whether the gateway says that the newest leg was not paid.

    It does not know yet what is just being sent, and may never answer: its time must be over.
    """
    sent_at = split.sent_at or split.created_at
    if split.state != SplitState.FAILED and sent_at > at - rules.SENT_BY_THEN:
        return False
    outcome = gateways.query_split(payment, settling.request_of(split, payment), at=at)
    if isinstance(outcome, Done):
        return settling.is_failed(split, outcome.value)
    return isinstance(outcome, Rejected) and outcome.code == NOT_FOUND


def _is_rest_held(payment: Payment) -> bool:
    try:
        terms = split_terms.terms_of(payment)
    except UnknownGatewayError:
        return False
    return terms is not None and terms.holds_rest


def _claim_fee(line: Line, at: datetime) -> None:
    source_ref = f"claim:fee:{line.payment_no}"
    line_actions.claim(line, source_ref=source_ref, amount=line.leg, at=at)
    ledger_actions.post(
        kind="split_fee_claimed",
        source_ref=source_ref,
        owner_ref=line.owner_ref,
        lines=payouts.build_split_fee_claimed(line.leg, supplier_ref=line.supplier_ref),
        at=at,
    )
