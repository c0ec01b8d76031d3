"""Refunds that were done and came back: a payer's bank may return them to the gateway days later.

The gateway then says that the refund failed. The money is here again, its order is open again and
people decide, as of any refund that failed. *Source:* payments design, section 6 (row 32).
"""

import logging
from datetime import datetime

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.flows import gateways, locks, postings, refund
from diandian.payments.messages import NOT_FOUND, Done, RefundSnapshot, Rejected
from diandian.payments.models import Refund, RefundKind, RefundState
from diandian.payments.refunds import actions as refund_actions

log = logging.getLogger(__name__)


def go_on(told: Refund, *, at: datetime) -> bool:
    """Go on with a refund that somebody told us about; tell whether nobody need tell us again.

    One that is open is asked about by itself until it ends, one that was done is not.
    """
    if told.state == RefundState.SUCCEEDED and told.kind != RefundKind.EXTERNAL:
        return _look_again(told, at)
    if told.next_query_at is not None:
        refund.ask(told, at=at)
    return True


def _look_again(done: Refund, at: datetime) -> bool:
    """Ask whether a refund that was done came back; tell whether the gateway said it.

    One that it does not know any more, since it was long ago, does not come back.
    """
    outcome = gateways.query_refund(done, at=at)
    if not isinstance(outcome, Done):
        return isinstance(outcome, Rejected) and outcome.code == NOT_FOUND
    if _is_back(done, outcome.value):
        if postings.is_advanced(done):
            _leave_to_people(done, at)
        else:
            _undo(done, outcome, at)
    return True


@transaction.atomic
def _undo(done: Refund, outcome: Done[RefundSnapshot], at: datetime) -> None:
    """Book that a refund did not happen, and open its order again. Locks: order, then refund."""
    order = locks.lock_order_of_ref(done.payment.owner_ref)
    if not refund_actions.come_back(done):
        return
    refund.undo_settled(order, done, at)
    refund.tell_operator(done, outcome)


def _leave_to_people(done: Refund, at: datetime) -> None:
    """Tell that a refund is back in a supplier's account for which we owe, or paid, the supplier.

    What that supplier then owes us is settled by people.
    """
    log.error("refund %s came back to its supplier: somebody must look", done.refund_no)
    audit_actions.record(
        actor_ref="platform",
        action="refund.contradicted",
        subject_ref=done.payment.owner_ref,
        details={"refund_no": done.refund_no, "amount_minor": done.amount_minor},
        at=at,
    )


def _is_back(done: Refund, said: RefundSnapshot) -> bool:
    ours = ("failed", done.refund_no, done.amount_minor, done.payment.received.currency)
    return (said.state, said.refund_no, said.amount_minor, said.currency) == ours
