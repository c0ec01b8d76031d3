"""Shares of suppliers that are taken back later, as the part was just moving when money went back.

A chargeback that was lost, and a refund that waited long enough, do not wait for a gateway or a
bank: what the supplier stands for of them is taken as soon as its part has ended its way.
*Source:* payments design, section 8; decisions 0055 and 0058.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.flows import returning
from diandian.payments import actions as payment_actions
from diandian.payments.disputes import actions as dispute_actions
from diandian.payments.disputes import queries as disputes
from diandian.payments.models import Dispute, Payment, Refund, RefundState
from diandian.payments.refunds import actions as refund_actions
from diandian.payments.refunds import queries as refunds
from diandian.settlement import queries
from diandian.settlement.models import Line, ReturnWay

log = logging.getLogger(__name__)

# As many are looked through at a time, to find those whose part has ended its way.
_MOST = 2_000
_Owner = TypeVar("_Owner", Dispute, Refund)


def take_back_later(payment: Payment, amount_minor: int, *, dispute_id: int, at: datetime) -> None:
    """Begin to take back a supplier's share of what a bank took for good; the worker goes on.

    While the part is just moving its share waits, with the dispute, until that has ended.
    In the caller's transaction: no gateway is asked here. Idempotent by: the dispute.
    """
    line = returning.line_of(payment, at)
    if line is None or _begin_of_dispute(line, payment, amount_minor, dispute_id, at):
        return
    dispute_actions.let_share_wait(dispute_id, waits=True)
    log.warning("a part of payment %s is on its way, its share waits", payment.payment_no)
    audit_actions.record(
        actor_ref="platform",
        action="settlement.waits",
        subject_ref=line.owner_ref,
        details={"dispute": dispute_id, "supplier": line.supplier_ref, "reason": line.state},
        at=at,
    )


def take_back_waiting(limit: int = 50, *, at: datetime) -> None:
    """Go on with shares that waited for a moving part; what still moves waits on. Idempotent.

    So does what the gateway contradicted since: people look first. ``limit``: of either kind.
    """
    told = [each for each in disputes.with_waiting_share(_MOST) if not each.is_odd]
    _take_all(told, limit, _take_of_dispute, at)
    _take_all(refunds.with_waiting_share(_MOST), limit, _take_of_refund, at)


def _take_all(
    owners: Sequence[_Owner],
    limit: int,
    take: Callable[[_Owner, Line, datetime], None],
    at: datetime,
) -> None:
    moving = queries.moving_of({each.payment.payment_no for each in owners})
    # All of a payout that a bank keeps for weeks must not keep the others waiting.
    for owner in [each for each in owners if each.payment.payment_no not in moving][:limit]:
        try:
            line = returning.line_of(owner.payment, at)
            assert line is not None, "what moves is there"
            take(owner, line, at)
        except Exception:
            log.exception("the share of %s could not be taken back yet", owner)


def forgo_waiting(line: Line, payment: Payment, *, at: datetime) -> bool:
    """Take shares that wait from a part of which certainly nothing moved; tell whether one was.

    The caller knows that from the gateway: such a part is not tried again for what goes back.
    """
    waiting = disputes.waiting_shares_of(payment)
    for dispute in waiting:
        _take_of_dispute(dispute, line, at, way=ReturnWay.FORGONE)
    refunded = refunds.waiting_shares_of(payment)
    for refund in refunded:
        _take_of_refund(refund, line, at, way=ReturnWay.FORGONE)
    return bool(waiting or refunded)


def _take_of_dispute(
    dispute: Dispute, line: Line, at: datetime, *, way: ReturnWay | None = None
) -> None:
    lost_minor = dispute.amount_minor - dispute.covered_minor
    with transaction.atomic():
        if _begin_of_dispute(line, dispute.payment, lost_minor, dispute.id, at, way=way):
            dispute_actions.let_share_wait(dispute.id, waits=False)


def _begin_of_dispute(
    line: Line,
    payment: Payment,
    amount_minor: int,
    dispute_id: int,
    at: datetime,
    *,
    way: ReturnWay | None = None,
) -> bool:
    """Tell whether the share of a lost chargeback is being taken back: once for each."""
    number = returning.number_of(disputes.share_no(dispute_id))
    if queries.return_by_no(number) is not None:
        return True
    return returning.begin(line, number, amount_minor, "dispute", payment, at, way=way) is not None


def _take_of_refund(
    refund: Refund, line: Line, at: datetime, *, way: ReturnWay | None = None
) -> None:
    """Take the share of a refund; of one that did not happen nothing is taken.

    Locks: the payment, so that it does not fail meanwhile; the line.
    """
    number, amount_minor = returning.number_of(refund.refund_no), refund.amount_minor
    with transaction.atomic():
        payment = payment_actions.lock(refund.payment)
        refund.refresh_from_db(fields=["state"])
        if refund.state != RefundState.FAILED and not returning.begin(
            line, number, amount_minor, "goodwill", payment, at, way=way
        ):
            return
        refund_actions.let_share_wait(refund.refund_no, waits=False)
