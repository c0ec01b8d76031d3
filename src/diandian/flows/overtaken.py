"""Refunds that a lost chargeback overtook: the bank gave the money back before any gateway did.

What no gateway was asked for is given up, so that the guest does not get it twice. What the bank
left of it is asked for anew, so that none of it is forgotten; where two people granted it, or look
at its order, they decide. *Source:* payments design, section 6 (row 34).
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from diandian.audit import actions as audit_actions
from diandian.flows import refund
from diandian.orders.models import Order, OrderState
from diandian.payments.models import Dispute, Payment, Refund, RefundKind
from diandian.payments.refunds import actions as refund_actions
from diandian.payments.refunds import queries as refund_queries

log = logging.getLogger(__name__)


def give_up(order: Order | None, payment: Payment, *, at: datetime) -> list[Refund]:
    """Let the refunds of a payment fail that no gateway was asked for; return them.

    In the caller's transaction, which holds the locks of order and payment.
    """
    open_ones = refund_queries.open_of_payment(payment)
    given_up = [each for each in open_ones if refund_actions.give_up_unsent(each)]
    for each in given_up:
        refund.book_failed(order, each, at)
    return given_up


def ask_for_rest(
    order: Order | None, dispute: Dispute, given_up: Sequence[Refund], *, at: datetime
) -> None:
    """Ask anew for what a lost chargeback left of the refunds that were given up for it.

    In the same transaction, once the chargeback has ended; the worker sends it.
    """
    if not given_up:
        return
    payment = dispute.payment
    rest_minor = _rest_minor(order, dispute, given_up)
    if rest_minor:
        refund.reserve(order, payment, given_up[0].reason, amount_minor=rest_minor, at=at)
    lost_minor = sum(each.amount_minor for each in given_up)
    log.warning("refunds of payment %s were given up: a bank was first", payment.payment_no)
    audit_actions.record(
        actor_ref="platform",
        action="refund.given_up",
        subject_ref=payment.owner_ref,
        details={
            "refund_nos": [each.refund_no for each in given_up],
            "amount_minor": lost_minor,
            "again_minor": rest_minor,
            "dispute_ref": dispute.dispute_ref,
        },
        at=at,
    )


def _rest_minor(order: Order | None, dispute: Dispute, given_up: Sequence[Refund]) -> int:
    """Return what goes back anew, in minor units; nothing where people decide.

    What another bank still decides about is among it: it is sent when that bank gave it back.
    """
    is_granted = any(each.kind == RefundKind.GOODWILL for each in given_up)
    is_looked_at = order is not None and order.state == OrderState.REVIEW
    if is_granted or is_looked_at or dispute.currency != dispute.payment.received.currency:
        return 0
    return max(0, sum(each.amount_minor for each in given_up) - dispute.amount_minor)
