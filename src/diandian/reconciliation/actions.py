"""Writes of statements, of what they were matched with, and of signatures."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from django.db.models import F

from diandian.reconciliation import rules
from diandian.reconciliation.errors import DayIsClosedError, SignedAlreadyError
from diandian.reconciliation.models import (
    DayState,
    GatewayDay,
    MatchItem,
    Signature,
    StatementFile,
    StatementRow,
)
from diandian.reconciliation.rules import Item
from diandian.store.transactions import joined, require_transaction

_PORTION = 1000
_LONGEST_PROBLEM = 120
# What may differ between two matches of one item.
_CHANGES = (
    *("kind", "outcome", "detail", "row_id", "gateway_ref", "our_no", "theirs_minor"),
    *("fee_minor", "ours_minor", "at_stake_minor", "currency", "seen"),
)


def begin_day(
    *,
    gateway: str,
    mode: str,
    account: str,
    merchant_key: str,
    settlement: str,
    day: date,
    due_at: datetime,
) -> GatewayDay:
    """Write that a day has a statement to come. Idempotent by: account and day."""
    made, _ = GatewayDay.objects.get_or_create(
        gateway=gateway,
        mode=mode,
        account=account,
        day=day,
        defaults={
            "merchant_key": merchant_key,
            "settlement": settlement,
            "next_attempt_at": due_at,
        },
    )
    return made


def lock(day: GatewayDay) -> GatewayDay:
    """Return a day that nobody else changes meanwhile. Raises: DayIsClosedError.

    Locks: the day's row.
    """
    require_transaction()
    locked = GatewayDay.objects.select_for_update(no_key=True).get(id=day.id)
    if locked.state == DayState.CLOSED:
        raise DayIsClosedError
    return locked


def note_refused(day: GatewayDay, problem: str, *, at: datetime) -> None:
    """Note that a statement could not be had, and when to ask again. Nothing else is stored."""
    GatewayDay.objects.filter(id=day.id).exclude(state=DayState.CLOSED).update(
        problem=problem[:_LONGEST_PROBLEM],
        attempts=F("attempts") + 1,
        next_attempt_at=rules.next_attempt_at(day.attempts, at),
    )


def store_file(
    day: GatewayDay,
    *,
    kind: str,
    sha256: str,
    is_proven: bool,
    size_bytes: int,
    rows: Sequence[StatementRow],
    at: datetime,
) -> StatementFile:
    """Keep a statement with all its lines, in the caller's transaction, under the day's lock.

    Idempotent by: day, kind and digest.
    """
    require_transaction()
    file, is_new = StatementFile.objects.get_or_create(
        day=day,
        kind=kind,
        sha256=sha256,
        defaults={
            "is_proven": is_proven,
            "size_bytes": size_bytes,
            "lines": len(rows),
            "fetched_at": at,
        },
    )
    if is_new:
        for number, row in enumerate(rows, start=1):
            row.file, row.number = file, number
        StatementRow.objects.bulk_create(rows, batch_size=_PORTION)
    return file


def store_match(
    day: GatewayDay,
    found: Mapping[str, Sequence[Item]],
    *,
    next_attempt_at: datetime | None,
    at: datetime,
) -> None:
    """Write the classes of a day anew, in the caller's transaction, under the day's lock.

    ``found``: items by kind of statement. What did not change stays as it is, with its age and
    owner. Idempotent.
    """
    require_transaction()
    known = {(row.statement_kind, row.key): row for row in MatchItem.objects.filter(day=day)}
    fresh, changed = [], []
    for kind, items in found.items():
        for item in items:
            row = _as_row(day, kind, item, at)
            before = known.pop((kind, row.key), None)
            if before is None:
                fresh.append(row)
            elif _take_over(before, row):
                changed.append(before)
    gone = [row.id for row in known.values()]
    for start in range(0, len(gone), _PORTION):
        MatchItem.objects.filter(id__in=gone[start : start + _PORTION]).delete()
    MatchItem.objects.bulk_create(fresh, batch_size=_PORTION)
    MatchItem.objects.bulk_update(changed, [*_COLUMNS, "first_seen_at"], batch_size=_PORTION // 5)
    GatewayDay.objects.filter(id=day.id).update(
        state=DayState.OPEN,
        problem="",
        attempts=0,
        matched_at=at,
        next_attempt_at=next_attempt_at,
    )
    day.refresh_from_db()


_COLUMNS = [name.removesuffix("_id") for name in _CHANGES]


def _as_row(day: GatewayDay, statement_kind: str, item: Item, at: datetime) -> MatchItem:
    line, fact = item.line, item.fact
    shown = line or fact
    assert shown is not None, "an item is of somebody"
    return MatchItem(
        day=day,
        statement_kind=statement_kind,
        key=item.key,
        kind=item.kind,
        outcome=item.outcome,
        detail=item.detail,
        row_id=line.source if line else None,
        gateway_ref=shown.ref,
        our_no=fact.our_no if fact else shown.our_no,
        theirs_minor=line.gross_minor if line else None,
        fee_minor=rules.fee_of(line) if line else None,
        ours_minor=fact.amount_minor if fact and fact.state == "done" else None,
        at_stake_minor=item.at_stake_minor,
        currency=shown.currency,
        seen=item.seen(),
        first_seen_at=at,
    )


def _take_over(before: MatchItem, row: MatchItem) -> bool:
    """Bring a row up to date; tell whether anything changed. Its age begins with its class."""
    changed = [name for name in _CHANGES if getattr(before, name) != getattr(row, name)]
    for name in changed:
        setattr(before, name, getattr(row, name))
    if "outcome" in changed:
        before.first_seen_at = row.first_seen_at
    return bool(changed)


def close_day(day: GatewayDay, figures: Mapping[str, object], sha256: str, *, at: datetime) -> None:
    """Close a day for ever with its figures, in the caller's transaction, under the day's lock."""
    require_transaction()
    GatewayDay.objects.filter(id=day.id).exclude(state=DayState.CLOSED).update(
        state=DayState.CLOSED,
        figures=dict(figures),
        sha256=sha256,
        closed_at=at,
        next_attempt_at=None,
    )
    day.refresh_from_db()


def ask_again(day: GatewayDay, *, at: datetime) -> None:
    """Let a day be fetched and matched at the next turn."""
    GatewayDay.objects.filter(id=day.id).exclude(state=DayState.CLOSED).update(next_attempt_at=at)


def sign(item: MatchItem, *, reason: str, actor_ref: str, at: datetime) -> Signature:
    """Write that somebody says a difference is in order, as it is now.

    Raises: SignedAlreadyError.
    """
    assert reason, "an exception has a reason"
    with joined():
        made, is_new = Signature.objects.get_or_create(
            day_id=item.day_id,
            statement_kind=item.statement_kind,
            key=item.key,
            seen=item.seen,
            actor_ref=actor_ref,
            defaults={"reason": reason, "at": at},
        )
    if not is_new:
        raise SignedAlreadyError
    return made


def take(item: MatchItem, *, actor_ref: str) -> None:
    """Write who looks into a difference; empty: nobody any more."""
    MatchItem.objects.filter(id=item.id).update(owner_ref=actor_ref)
