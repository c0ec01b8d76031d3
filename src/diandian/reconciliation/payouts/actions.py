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


def prove(day: GatewayDay, line: Line, *, actor_ref: str, at: datetime) -> GatewayPayout:
    """Keep a payout that a statement's line proves, in the caller's transaction, with its booking.

    Idempotent by: the gateway's number and the direction. One that somebody entered and nobody
    decided about yet is proven by the line; what is booked already stays as it is.
    """
    require_transaction()
    known = queries.by_ref(
        day.gateway, day.mode, day.account, line.ref, is_return=line.gross_minor > 0
    )
    if known is None:
        made, _ = GatewayPayout.objects.get_or_create(
            gateway=day.gateway,
            mode=day.mode,
            account=day.account,
            payout_ref=line.ref,
            is_return=line.gross_minor > 0,
            state=PayoutState.BOOKED,
            defaults={
                "merchant_key": day.merchant_key,
                "amount_minor": abs(line.gross_minor),
                "currency": line.currency,
                "paid_on": line.day,
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
