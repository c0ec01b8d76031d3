"""What no gateway divides any more goes by bank: a supplier's part to it, our fee from it.

A gateway divides no more than is left of a payment. Where a guest got money back meanwhile, at our
cost or in the gateway's console, the rest may be less than the part; and a gateway may lower what
it divides off at all. The part is owed all the same. *Source:* payments design, sections 8 to 10.
"""

from datetime import datetime

from django.db import transaction

from diandian.flows import gateways, settling
from diandian.kernel.clock import now
from diandian.ledger import actions as ledger_actions
from diandian.ledger import payouts
from diandian.payments import queries as payment_queries
from diandian.payments.messages import NOT_FOUND, Done, Rejected
from diandian.settlement import queries
from diandian.settlement.errors import LineMovesError
from diandian.settlement.lines import actions as line_actions
from diandian.settlement.models import Line, Split


def settle(line: Line, *, actor_ref: str, at: datetime | None = None) -> Line:
    """Let a part that is given up be settled by bank, once its gateway says that it is undone.

    A supplier's part gets into its next payout, which two people make. Our fee, of a supplier who
    collects, is taken off its next payout. Locks: the line. Raises: LineMovesError.
    """
    at = at or now()
    split = queries.newest_split(line)
    if not queries.is_given_up(line, at=at) or not _is_undone(line, split, at):
        raise LineMovesError
    with transaction.atomic():
        left = line_actions.leave_gateway(line, split, actor_ref=actor_ref, at=at)
        if left.is_fee_leg and left.leg.amount_minor:
            _claim_fee(left, at)
    return left


def _is_undone(line: Line, split: Split | None, at: datetime) -> bool:
    """Tell whether the gateway says that the newest leg was not paid."""
    if split is None:
        return True  # it was never asked for
    payment = payment_queries.by_no(line.payment_no)
    outcome = gateways.query_split(payment, settling.request_of(split, payment), at=at)
    if isinstance(outcome, Done):
        return settling.is_failed(split, outcome.value)
    return isinstance(outcome, Rejected) and outcome.code == NOT_FOUND


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
