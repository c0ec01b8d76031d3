"""Refunds that found no way home: tried once more, or paid by other means with two people's word.

The gateway accepted such a refund and then could not pay it out, as with a closed card, or its
time for refunds was over. It stays reserved until it is done, so that the same money never goes
back twice.
*Source:* payments design, section 6 (row 32).
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.flows import gateways, locks, refund
from diandian.kernel.clock import now
from diandian.payments import actions as payment_actions
from diandian.payments.disputes import queries as disputes
from diandian.payments.errors import (
    DisputedError,
    MendingNotOfferedError,
    NotAbnormalError,
    PaidOtherwiseError,
)
from diandian.payments.messages import Rejected
from diandian.payments.models import (
    MoneyRequest,
    MoneyRequestKind,
    Payment,
    Refund,
    RefundState,
)
from diandian.payments.refunds import queries as refund_queries
from diandian.payments.requests import actions as request_actions
from diandian.payments.requests import queries as requests


def mend(refund_id: int, *, actor: str, reason: str, at: datetime | None = None) -> Refund:
    """Have the gateway try an abnormal refund once more; what comes of it, it says by itself.

    It is asked first: what found its way meanwhile is not tried again. Nor is what somebody says
    they paid by other means, until that is refused.
    Locks: order, payment. Raises: NotFoundError, NotAbnormalError, MendingNotOfferedError,
    DisputedError, PaidOtherwiseError.
    """
    at = at or now()
    assert reason, "a decision has a reason"
    abnormal = _still_abnormal(refund_id, at)
    if abnormal.sent_at is None:
        raise MendingNotOfferedError  # the gateway never had it: its time for it was over
    with transaction.atomic():
        locks.lock_order_of_ref(abnormal.payment.owner_ref)
        _refuse_disputed(payment_actions.lock(abnormal.payment))
        if requests.says_paid_otherwise(abnormal):
            raise PaidOtherwiseError
        _record("refund.mending", abnormal, actor, {"reason": reason}, at)
    outcome = gateways.mend_refund(abnormal, at=at)
    if isinstance(outcome, Rejected):
        raise MendingNotOfferedError
    refund.ask(abnormal, at=at)
    return abnormal


def ask_otherwise(
    refund_id: int, *, evidence: str, actor: str, reason: str, at: datetime | None = None
) -> MoneyRequest:
    """Ask a second person to confirm that an abnormal refund was paid by other means.

    ``evidence``: where that can be read, such as the reference of a bank transfer.
    Locks: order, payment.
    Raises: NotFoundError, NotAbnormalError, DisputedError, MoneyRequestWaitsError.
    """
    at = at or now()
    assert evidence, "whoever confirms looks at something"
    abnormal = _still_abnormal(refund_id, at)
    with transaction.atomic():
        locks.lock_order_of_ref(abnormal.payment.owner_ref)
        payment = payment_actions.lock(abnormal.payment)
        _refuse_disputed(payment)
        wish = request_actions.Wish(
            kind=MoneyRequestKind.OTHERWISE,
            amount_minor=abnormal.amount_minor,
            reason=reason,
            refund=abnormal,
            evidence=evidence,
        )
        asked, is_new = request_actions.ask(payment, wish, asked_by=actor, at=at)
        if is_new:
            details = {"reason": reason, "evidence": evidence, "request": asked.id}
            _record("refund.otherwise_asked", abnormal, actor, details, at)
    return asked


def confirm_otherwise(request: MoneyRequest, *, actor: str, at: datetime) -> MoneyRequest:
    """Book that an abnormal refund was paid from our bank, as somebody else asked for.

    The gateway is asked first. Locks: order, payment, request.
    Raises: NotAbnormalError, DisputedError, OwnMoneyRequestError, MoneyRequestDecidedError.
    """
    assert request.refund_id is not None, "it is about a refund"
    abnormal = _still_abnormal(request.refund_id, at)
    with transaction.atomic():
        order = locks.lock_order_of_ref(abnormal.payment.owner_ref)
        _refuse_disputed(payment_actions.lock(abnormal.payment))
        decided = request_actions.decide(request, confirms=True, decided_by=actor, at=at)
        refund.otherwise(order, abnormal, at=at)
        details = {"asked_by": decided.asked_by, "evidence": decided.evidence}
        _record("refund.otherwise", abnormal, actor, details, at)
    return decided


def _refuse_disputed(payment: Payment) -> None:
    """Refuse while a bank decides: it may give the guest the same money. Raises: DisputedError."""
    if disputes.is_disputed(payment):
        raise DisputedError


def _still_abnormal(refund_id: int, at: datetime) -> Refund:
    """Return a refund that its gateway calls abnormal now; an unclear answer changes nothing."""
    found = refund_queries.refund_by_id(refund_id)
    if found.state == RefundState.ABNORMAL:
        refund.ask(found, at=at)
    if found.state != RefundState.ABNORMAL:
        raise NotAbnormalError(state=found.state)
    return found


def _record(
    action: str, abnormal: Refund, actor: str, details: Mapping[str, object], at: datetime
) -> None:
    audit_actions.record(
        actor_ref=actor,
        action=action,
        subject_ref=abnormal.payment.owner_ref,
        details={
            "refund_no": abnormal.refund_no,
            "amount_minor": abnormal.amount_minor,
            "currency": abnormal.payment.received.currency,
            **details,
        },
        at=at,
    )
