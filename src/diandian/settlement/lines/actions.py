"""Writes of suppliers' parts: made once per journal, moved by what gateways say, never twice."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from diandian.audit.actions import record
from diandian.kernel.money import Money
from diandian.settlement import queries, rules
from diandian.settlement.errors import LineMovesError
from diandian.settlement.models import (
    MOVING,
    Batch,
    Line,
    LineKind,
    LineState,
    Rail,
    RestState,
    Split,
    SplitState,
)
from diandian.store.transactions import joined

_MOST_ATTEMPTS = 5
_REASON = 120


def accrue(lines: Sequence[Line]) -> int:
    """Write lines that are not there yet. Idempotent by: each ``source_ref``. Returns how many."""
    before = Line.objects.filter(source_ref__in=[line.source_ref for line in lines]).count()
    Line.objects.bulk_create(lines, ignore_conflicts=True)
    after = Line.objects.filter(source_ref__in=[line.source_ref for line in lines]).count()
    return after - before


def lock(line: Line) -> Line:
    """Return a line as it is now, locked until the transaction ends. Locks: its row."""
    assert connection.in_atomic_block, "a lock lives as long as its transaction"
    return Line.objects.select_for_update(no_key=True).get(id=line.id)


def wait(line: Line, waits_for: str, *, until: datetime) -> None:
    """Note what a line waits for, and when to look again. Changes none that moved on."""
    as_seen = Line.objects.filter(id=line.id, state=line.state, rail=line.rail)
    as_seen.update(waits_for=waits_for[:20], next_look_at=until)


def look_later(line: Line, *, at: datetime) -> None:
    """Move the next look at a part that would be the first to be looked at again, for ever."""
    Line.objects.filter(id=line.id, next_look_at__lte=at).update(next_look_at=at + rules.WAITS_LOOK)


def become_due(line: Line, *, at: datetime) -> bool:
    """Let a part be paid. A gateway divides it at once, a bank waits for a payout."""
    goes_on = at if line.rail == Rail.GATEWAY else None
    changed = Line.objects.filter(
        id=line.id, state=LineState.WAITING, rail=line.rail, disputed_at__isnull=True
    ).update(state=LineState.DUE, waits_for="", next_look_at=goes_on)
    return bool(changed)


# -- disputes ---------------------------------------------------------------------------------


def dispute(line: Line, *, note: str, actor_ref: str, at: datetime) -> Line:
    """Note that a supplier disputes a part; it is not paid until that is settled.

    It leaves a payout that is not locked yet. Locks: the line. Raises: LineMovesError.
    """
    with joined():
        locked = lock(line)
        if locked.state not in {LineState.WAITING, LineState.DUE, LineState.FAILED}:
            raise LineMovesError
        locked.disputed_at, locked.disputed_by, locked.dispute_note = at, actor_ref, note[:300]
        locked.batch, locked.next_look_at, locked.waits_for = None, None, "dispute"
        locked.save()
        _record("settlement.disputed", locked, actor_ref, at)
        return locked


def settle_dispute(line: Line, *, actor_ref: str, at: datetime) -> Line:
    """Let a disputed part go on as it was: one that failed is asked about before all else.

    What went back meanwhile stays back. Idempotent. Locks: the line.
    """
    with joined():
        locked = lock(line)
        if locked.disputed_at is None:
            return locked
        locked.disputed_at, locked.waits_for = None, ""
        # What is due at a bank waits for a payout, and nobody looks at what came back.
        by_gateway = {LineState.DUE, LineState.FAILED} if locked.rail == Rail.GATEWAY else set()
        if locked.state in {LineState.WAITING, *by_gateway}:
            locked.next_look_at = at
        locked.save()
        _record("settlement.dispute_settled", locked, actor_ref, at)
        return locked


def try_again(line: Line, *, actor_ref: str, at: datetime) -> None:
    """Let a part that failed for good be asked about, and tried, once more."""
    with joined():
        changed = Line.objects.filter(id=line.id, state=LineState.FAILED).update(next_look_at=at)
        if changed:
            _record("settlement.tried_again", line, actor_ref, at)


def leave_gateway(
    line: Line, asked: Split | None, *, is_held: bool, actor_ref: str, at: datetime
) -> Line:
    """Let a part that its gateway never divides be settled by bank: a supplier's is due there.

    Of our fee nothing is owed to the supplier: its part is done, and what the gateway still holds
    (``is_held``) is let go next. In the caller's transaction, which books what follows. ``asked``:
    the leg as it was before the gateway said that it was not paid; one that was sent since, or a
    newer one, may be paid after all. Locks: the line, its legs. Raises: LineMovesError.
    """
    locked = lock(line)
    was_sent_since = _sending(queries.newest_split(locked)) != _sending(asked)
    if not queries.is_given_up(locked, at=at) or was_sent_since:
        raise LineMovesError
    # From here on nobody sends them: a sending begins with the lock of the line.
    locked.splits.exclude(state=SplitState.PAID).update(state=SplitState.FAILED)
    columns: dict[str, object] = {"rail": Rail.BANK, "next_look_at": None}
    if locked.is_fee_leg:
        columns |= {"paid_at": at}
        if is_held:
            columns |= {"rest": RestState.HELD, "next_look_at": at}
    move(locked, LineState.PAID if locked.is_fee_leg else LineState.DUE, **columns)
    locked.rail = Rail.BANK
    _record("settlement.by_bank", locked, actor_ref, at)
    return locked


def _sending(split: Split | None) -> tuple[int, datetime | None] | None:
    """Return what tells one sending of a leg from another."""
    return (split.id, split.sent_at) if split is not None else None


# -- splits -----------------------------------------------------------------------------------


def queue_split(line: Line, *, receiver: str, at: datetime) -> Split | None:
    """Fix the numbers of a leg, before the gateway hears of it; a living one is returned.

    None: people disputed the part meanwhile, or let it go by bank. Locks: the line. Idempotent: one
    split that did not fail per line, by a constraint.
    """
    with joined():
        locked = lock(line)
        living = locked.splits.exclude(state=SplitState.FAILED).first()
        if living is not None:
            return living
        if locked.rail != Rail.GATEWAY or locked.disputed_at is not None:
            return None
        assert locked.state in {LineState.DUE, LineState.FAILED}, "only what is due is divided"
        attempt = locked.splits.count() + 1
        number = rules.split_no(locked.payment_no, attempt)
        made = Split.objects.create(
            split_no=number,
            leg_no=f"L{number}",
            line=locked,
            receiver=receiver,
            amount_minor=locked.leg.amount_minor,
            created_at=at,
        )
        move(locked, LineState.QUEUED, next_look_at=at + rules.FIRST_LOOK)
        return made


def begin_sending(split: Split, *, at: datetime) -> bool:
    """Note that a leg may arrive at its gateway from now on, before it is sent.

    Tell whether it may be sent: what failed, or goes by bank, meanwhile goes nowhere. Committed
    before the call, so that whoever lets the part go by bank sees it. Locks: the line.
    """
    with joined():
        line = lock(Line(id=split.line_id))
        ended = (SplitState.PAID, SplitState.FAILED)
        living = Split.objects.filter(id=split.id).exclude(state__in=ended)
        return line.rail == Rail.GATEWAY and bool(living.update(sent_at=at))


def keep_split(
    split: Split, state: str, *, leg_ref: str = "", reason: str = "", at: datetime
) -> bool:
    """Keep what the gateway said about a leg; tell whether it is paid since now.

    In the caller's transaction, with its booking. Paid stays paid; of what goes by bank meanwhile
    nothing else counts. Locks: the line, the split.
    """
    line = lock(Line(id=split.line_id))
    locked = Split.objects.select_for_update(no_key=True).get(id=split.id)
    goes_by_bank = line.rail == Rail.BANK and state != SplitState.PAID
    if locked.state == SplitState.PAID or goes_by_bank:
        return False
    locked.state, locked.reason = state, reason[:_REASON]
    locked.leg_ref = leg_ref or locked.leg_ref
    locked.save(update_fields=["state", "reason", "leg_ref"])
    again_at: datetime | None = rules.next_look_at(locked.created_at, at)
    match state:
        case SplitState.PAID:
            move(line, LineState.PAID, next_look_at=None, paid_at=at)
        case SplitState.FAILED:
            given_up = line.splits.count() >= _MOST_ATTEMPTS
            again_at = None if given_up else rules.next_look_at(locked.created_at, at)
            move(line, LineState.FAILED, next_look_at=again_at)
        case SplitState.QUEUED:
            move(line, LineState.QUEUED, next_look_at=again_at)
        case SplitState.UNKNOWN:
            move(line, LineState.UNKNOWN, next_look_at=again_at)
        case _:
            move(line, LineState.SUBMITTED, next_look_at=again_at)
    return state == SplitState.PAID


def fail(line: Line, reason: str) -> None:
    """Set a part aside that no gateway could move: people must look."""
    here = Line.objects.filter(id=line.id, rail=line.rail)
    here.filter(state__in=(LineState.DUE, LineState.FAILED)).update(
        state=LineState.FAILED, waits_for=reason[:20], next_look_at=None
    )


def paid_without_leg(line: Line, *, is_held: bool, at: datetime) -> bool:
    """Note that nothing has to be moved for a part: its supplier has it all already.

    ``is_held``: the gateway still holds it for legs, and is told next that none will come.
    """
    assert not line.leg.amount_minor, "nothing is to be moved"
    due = Line.objects.filter(id=line.id, state=LineState.DUE, rail=line.rail)
    changed = due.update(
        state=LineState.PAID,
        paid_at=at,
        rest=RestState.HELD if is_held else "",
        next_look_at=at if is_held else None,
    )
    return bool(changed)


def end_rest(line: Line, state: str) -> bool:
    """Keep what became of what a gateway held. Idempotent: only the first end counts."""
    held = Line.objects.filter(id=line.id, rest=RestState.HELD)
    return bool(held.update(rest=state, waits_for="", next_look_at=None))


def move(line: Line, state: str, **columns: object) -> None:
    """Write the state of a line, whose lock the caller holds; it waits for nothing any more."""
    Line.objects.filter(id=line.id).update(state=state, waits_for="", **columns)
    line.state = state


# -- owed the other way, and again -------------------------------------------------------------


def claim(line: Line, *, source_ref: str, amount: Money, at: datetime) -> Line:
    """Write what a supplier must give back of a paid part. Idempotent by: ``source_ref``."""
    made, _ = Line.objects.get_or_create(
        source_ref=source_ref,
        defaults={
            "owner_ref": line.owner_ref,
            "kind": LineKind.CLAIM,
            "supplier_ref": line.supplier_ref,
            "project_code": line.project_code,
            "rail": Rail.BANK,
            "currency": amount.currency,
            "gross_minor": -amount.amount_minor,
            "supplier_minor": -amount.amount_minor,
            "state": LineState.DUE,
            "booked_on": line.booked_on,
            "due_from": at,
        },
    )
    return made


def owe_again(line: Line, *, source_ref: str, more_minor: int, at: datetime) -> None:
    """Write that a supplier is owed again what a part had brought it, and the bank sent back.

    The part itself leaves its payout and stays paid. ``more_minor``: what was claimed of it since.
    """
    owed_minor = line.leg.amount_minor + more_minor
    Line.objects.create(
        source_ref=source_ref,
        owner_ref=line.owner_ref,
        kind=LineKind.AGAIN,
        supplier_ref=line.supplier_ref,
        project_code=line.project_code,
        rail=Rail.BANK,
        currency=line.currency,
        gross_minor=owed_minor,
        supplier_minor=owed_minor,
        state=LineState.DUE,
        booked_on=line.booked_on,
        due_from=at,
    )
    Line.objects.filter(id=line.id).update(batch=None)


# -- with payouts -----------------------------------------------------------------------------


def put_into(batch: Batch, line_ids: Sequence[int]) -> None:
    """Put lines into a draft; what changed since it was found collectable stays out."""
    free = queries.collectable(batch.supplier_ref, batch.currency, batch.rail)
    free.filter(id__in=list(line_ids)).update(batch=batch)


def move_all(batch: Batch, state: str, *, paid_at: datetime | None = None) -> None:
    """Move every line of a payout with it."""
    Line.objects.filter(batch=batch).update(state=state, paid_at=paid_at, next_look_at=None)


def let_go(batch: Batch) -> None:
    """Take every line out of a payout that is not made; what moved with it is due as before."""
    held = Line.objects.filter(batch=batch)
    if batch.rail == Rail.BANK:
        moved = held.filter(state__in=(*MOVING, LineState.PAID))
        moved.update(state=LineState.DUE, paid_at=None)
    held.update(batch=None)


def _record(action: str, line: Line, actor_ref: str, at: datetime) -> None:
    record(
        actor_ref=actor_ref,
        action=action,
        subject_ref=line.owner_ref,
        details={"line": line.id, "supplier": line.supplier_ref, "note": line.dispute_note},
        at=at,
    )
