"""Writes of requests about money: nobody alone gives away what is ours."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from diandian.payments.errors import (
    MoneyRequestDecidedError,
    MoneyRequestWaitsError,
    OwnMoneyRequestError,
)
from diandian.payments.models import MoneyRequest, MoneyRequestState, Payment, Refund


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for. ``amount_minor`` of what the payment brought.

    ``refund``: the one it is about. ``evidence``: where it can be read that it was paid otherwise.
    """

    kind: str
    amount_minor: int
    reason: str
    refund: Refund | None = None
    evidence: str = ""


def ask(payment: Payment, wish: Wish, *, asked_by: str, at: datetime) -> tuple[MoneyRequest, bool]:
    """Keep a request until a second person decides; return it, and whether it is new.

    The caller holds the payment's lock. Idempotent while the same request of the same person waits.
    Raises: MoneyRequestWaitsError.
    """
    assert connection.in_atomic_block, "a request and its trail are one"
    assert asked_by, "somebody asks"
    assert wish.reason, "a request has a reason"
    waiting = MoneyRequest.objects.filter(
        payment=payment, kind=wish.kind, state=MoneyRequestState.WAITING
    ).first()
    if waiting is None:
        made = MoneyRequest.objects.create(
            kind=wish.kind,
            payment=payment,
            refund=wish.refund,
            amount_minor=wish.amount_minor,
            reason=wish.reason,
            evidence=wish.evidence,
            asked_by=asked_by,
            asked_at=at,
        )
        return made, True
    known = (waiting.amount_minor, waiting.refund, waiting.asked_by)
    if known != (wish.amount_minor, wish.refund, asked_by):
        raise MoneyRequestWaitsError
    return waiting, False


def decide(request: MoneyRequest, *, confirms: bool, decided_by: str, at: datetime) -> MoneyRequest:
    """Confirm or refuse a request; what follows is the caller's, in the same transaction.

    Whoever asked may take it back, never confirm it. Locks: the request.
    Raises: MoneyRequestDecidedError, OwnMoneyRequestError.
    """
    assert connection.in_atomic_block, "a decision and what follows from it are one"
    assert decided_by, "somebody decides"
    rows = MoneyRequest.objects.select_for_update(of=("self",), no_key=True)
    row = rows.select_related("payment", "refund").get(id=request.id)
    if row.state != MoneyRequestState.WAITING:
        raise MoneyRequestDecidedError
    if confirms and row.asked_by == decided_by:
        raise OwnMoneyRequestError
    row.state = MoneyRequestState.DONE if confirms else MoneyRequestState.REFUSED
    row.decided_by, row.decided_at = decided_by, at
    row.save(update_fields=["state", "decided_by", "decided_at"])
    return row


def note_refund(request: MoneyRequest, refund: Refund) -> None:
    """Tie a confirmed request to the refund that was made of it."""
    MoneyRequest.objects.filter(id=request.id).update(refund=refund)
    request.refund = refund
