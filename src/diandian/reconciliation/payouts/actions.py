"""Writes of payouts of gateways to our bank; what is booked with them is their flow's."""

from datetime import date, datetime

from django.db import IntegrityError, transaction

from diandian.reconciliation.errors import (
    PayoutByTwoError,
    PayoutKnownError,
    PayoutStateError,
)
from diandian.reconciliation.models import GatewayDay, GatewayPayout, PayoutState
from diandian.reconciliation.payouts import queries
from diandian.reconciliation.rules import Line
from diandian.store.transactions import require_transaction


def prove(day: GatewayDay, line: Line, *, actor_ref: str, at: datetime) -> GatewayPayout | None:
    """Keep a payout that a statement's line proves, in the caller's transaction, with its booking.

    Idempotent by: the gateway's number and the direction. One that somebody entered and nobody
    decided about yet is proven by the line; what is booked already stays as it is. None where
    people entered one like it under a number that no statement tells: they look first.
    """
    require_transaction()
    known = queries.by_ref(
        day.gateway, day.mode, day.account, line.ref, is_return=line.gross_minor > 0
    )
    if known is None:
        told = payout_of(day, line)
        if queries.by_hand_like(told) is not None:
            return None
        made, _ = GatewayPayout.objects.get_or_create(
            gateway=day.gateway,
            mode=day.mode,
            account=day.account,
            payout_ref=line.ref,
            is_return=told.is_return,
            state=PayoutState.BOOKED,
            defaults={
                "merchant_key": day.merchant_key,
                "amount_minor": told.amount_minor,
                "currency": told.currency,
                "paid_on": told.paid_on,
                "row_id": line.source,
                "asked_by": actor_ref,
                "asked_at": at,
            },
        )
        return made
    proven = GatewayPayout.objects.filter(
        id=known.id,
        state=PayoutState.ASKED,
        amount_minor=abs(line.gross_minor),
        currency=line.currency,
    )
    proven.update(state=PayoutState.BOOKED, row_id=line.source, decided_at=at)
    known.refresh_from_db()
    return known


def payout_of(day: GatewayDay, line: Line) -> GatewayPayout:
    """Return the payout that a statement's line tells of, not written yet."""
    return GatewayPayout(
        gateway=day.gateway,
        mode=day.mode,
        account=day.account,
        payout_ref=line.ref,
        is_return=line.gross_minor > 0,
        amount_minor=abs(line.gross_minor),
        currency=line.currency,
        paid_on=line.day,
    )


def ask(payout: GatewayPayout) -> GatewayPayout:
    """Keep what somebody read on the bank's statement; a second person decides.

    Raises: PayoutKnownError when it is known by its number, or by its line at the bank.
    """
    try:
        with transaction.atomic():
            payout.save(force_insert=True)
    except IntegrityError as error:
        raise PayoutKnownError(number=payout.payout_ref or payout.bank_ref) from error
    return payout


def lock(payout: GatewayPayout, state: str) -> GatewayPayout:
    """Return a payout that nobody else changes meanwhile. Raises: PayoutStateError.

    Locks: the payout's row.
    """
    require_transaction()
    locked = GatewayPayout.objects.select_for_update(no_key=True, of=("self",)).get(id=payout.id)
    if locked.state != state:
        raise PayoutStateError
    return locked


def decide(
    payout: GatewayPayout, state: str, *, reason: str = "", actor_ref: str, at: datetime
) -> None:
    """Write what a second person decided, in the caller's transaction, under the payout's lock.

    Who entered it may take it back, and nothing else. Raises: PayoutByTwoError.
    """
    require_transaction()
    assert state != PayoutState.ASKED, "a decision ends the asking"
    if state == PayoutState.BOOKED and payout.asked_by == actor_ref:
        raise PayoutByTwoError
    payout.state, payout.reason = state, reason
    payout.decided_by, payout.decided_at = actor_ref, at
    payout.save(update_fields=["state", "reason", "decided_by", "decided_at"])


def ask_undo(payout: GatewayPayout, *, reason: str, actor_ref: str) -> None:
    """Write that somebody asks to undo a booking by people, under the payout's lock.

    Raises: PayoutStateError when somebody did before, or a statement tells of it.
    """
    require_transaction()
    if payout.undo_by or queries.is_told(payout):
        raise PayoutStateError
    payout.undo_by, payout.reason = actor_ref, reason
    payout.save(update_fields=["undo_by", "reason"])


def decide_undo(payout: GatewayPayout, *, is_undone: bool, actor_ref: str, at: datetime) -> None:
    """Write what a second person decided about undoing, under the payout's lock.

    Who asked may take it back, and nothing else.
    Raises: PayoutByTwoError; PayoutStateError when nobody asked, or a statement tells of it.
    """
    require_transaction()
    if not payout.undo_by:
        raise PayoutStateError
    if not is_undone:
        payout.undo_by, payout.reason = "", ""
    elif queries.is_told(payout):
        raise PayoutStateError
    elif payout.undo_by == actor_ref:
        raise PayoutByTwoError
    else:
        payout.state, payout.undone_by, payout.undone_at = PayoutState.REFUSED, actor_ref, at
    payout.save(update_fields=["state", "reason", "undo_by", "undone_by", "undone_at"])


def note_arrival(payout: GatewayPayout, *, bank_ref: str, bank_day: date, actor_ref: str) -> None:
    """Write on which line of our bank a payout arrived, under its lock.

    Raises: PayoutStateError when somebody did before, PayoutKnownError when that line is taken.
    """
    require_transaction()
    if payout.bank_ref:
        raise PayoutStateError
    payout.bank_ref, payout.bank_day, payout.arrived_by = bank_ref, bank_day, actor_ref
    try:
        with transaction.atomic():
            payout.save(update_fields=["bank_ref", "bank_day", "arrived_by"])
    except IntegrityError as error:
        raise PayoutKnownError(number=bank_ref) from error
