"""Appends to the public log, in the transaction of the change itself.

The head's row is locked last of all, after lanes and trail, until the caller commits: so the order
of entries is the order of commits, and an entry knows its number at once.
*Source:* design of the registry, section 5; decision 0027.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from diandian.store.inserts import Insert, InsertMany
from diandian.store.running import Answer, database
from diandian.store.transactions import require_transaction
from diandian.transparency.errors import LogClosedError, LogRefusedError
from diandian.transparency.files import folder_of, published_sizes
from diandian.transparency.models import LogEntry, LogHead
from diandian.transparency.rules import Body, first_entry, instant, ref_of
from diandian.verifier import entries

_HEADS = Insert(LogHead, skip_conflicts=True)
_ENTRIES = InsertMany(LogEntry, "position", "kind", "ref", "body")
_ADVANCE = (
    "UPDATE transparency_loghead SET size = size + %s WHERE is_open RETURNING origin, base, size,"
    " refusal"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands, and what it says."""

    origin: str
    index: int
    entry: dict[str, Any]

    def record(self) -> dict[str, Any]:
        """Return what a certificate says of it."""
        return {"origin": self.origin, "index": self.index, "entry": self.entry}


def append_many(bodies: Sequence[Body], *, at: datetime, is_ending: bool = False) -> list[Place]:
    """Append entries in their order; two statements. Returns the place of each.

    ``is_ending``: the last entry of a log, which also one may have that is not signed any more.
    A body without ``at`` gets this one. In the caller's transaction; each entry is entered once.
    Locks: the head's row, until the commit; take no lock of another row after it.
    Raises: IntegrityError for what was entered before, EntryError for what may not be published,
    LogClosedError, LogRefusedError.
    """
    require_transaction()
    if not bodies:
        return []
    # What may not be published is refused before anything is taken.
    ready = _written(bodies, at)
    return _append(ready, *_advance(len(bodies), at, is_ending=is_ending))


def ask_append(count: int, *, at: datetime) -> Callable[[Sequence[Body]], list[Place]]:
    """Take numbers for entries that are not composed yet; what it returns appends them.

    As ``append_many`` in two halves. Whoever took numbers appends as many entries, or ends the
    transaction.
    """
    require_transaction()
    assert count > 0, "something is entered"
    taken = Answer(database(), _ADVANCE, [count])
    taken.set_off()

    def append(bodies: Sequence[Body]) -> list[Place]:
        assert len(bodies) == count, "every number that was taken has its entry"
        ready = _written(bodies, at)
        rows = taken.rows()
        return _append(ready, *(_unrefused(rows[0], count) if rows else _advance(count, at)))

    return append


def _written(bodies: Sequence[Body], at: datetime) -> list[tuple[dict[str, Any], str]]:
    """Return whole entries, each with its text. Raises: EntryError."""
    moment = instant(at)
    stamped: list[dict[str, Any]] = [{"at": moment, **body} for body in bodies]
    ready: list[tuple[dict[str, Any], str]] = []
    for body in stamped:
        before = ready[-1][0] if ready else body
        is_alike = before is not body and before["type"] == body.get("type")
        ready.append((body, entries.encode(body, before if is_alike else None).decode()))
    return ready


def _append(
    ready: Sequence[tuple[dict[str, Any], str]], origin: str, base: int, size: int
) -> list[Place]:
    """Write entries behind the others of a log, whose ``size`` counts them already."""
    first = size - len(ready)
    _ENTRIES.along(
        [
            (number, body["type"], ref_of(body), text)
            for number, (body, text) in enumerate(ready, base + first)
        ]
    )
    return [Place(origin, index, body) for index, (body, _) in enumerate(ready, first)]


def append_new(bodies: Sequence[Body], *, at: datetime) -> list[Place]:
    """Append those entries that are not in the log yet. Idempotent by: what each is about.

    In the caller's transaction. Locks and raises: as ``append_many``.
    """
    require_transaction()
    if not bodies:
        return []
    # Nobody else appends between the question and the answer.
    _advance(0, at)
    refs = {ref for body in bodies if (ref := ref_of(body)) is not None}
    known = set(LogEntry.objects.filter(ref__in=refs).values_list("ref", flat=True))
    return append_many([body for body in bodies if ref_of(body) not in known], at=at)


def _advance(count: int, at: datetime, *, is_ending: bool = False) -> tuple[str, int, int]:
    """Take the next numbers of the open log; open the first log where there is none yet.

    Returns its origin, the position of its first entry, and its size with the new entries.
    Raises: LogClosedError, LogRefusedError.
    """
    rows = Answer(database(), _ADVANCE, [count]).rows()
    if not rows:
        _open_first(at)
        rows = Answer(database(), _ADVANCE, [count]).rows()
    if not rows:
        raise LogClosedError(origin=settings.LOG_ORIGIN)
    return rows[0][:3] if is_ending else _unrefused(rows[0], count)


def _unrefused(row: tuple[str, int, int, str], count: int) -> tuple[str, int, int]:
    """Return where the numbers stand, if something may stand there. Raises: LogRefusedError.

    Not where the signer refuses, nor in a place of which something else is published.
    """
    origin, base, size, refusal = row
    if refusal or size - count < published_sizes(folder_of(1)).get(origin, 0):
        raise LogRefusedError
    return origin, base, size


def _open_first(at: datetime) -> None:
    """Open the log of this installation. Of two at once, the later waits and finds it open."""
    head = LogHead(origin=settings.LOG_ORIGIN, opened_at=at)
    if LogHead.objects.exists() or not _HEADS.run([head]):
        return
    append_many([first_entry(settings.LOG_ORIGIN, None)], at=at)
