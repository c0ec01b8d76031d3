"""Appends to the public log, in the transaction of the change itself.

The head's row is locked last of all, after lanes and trail, until the caller commits: so the order
of entries is the order of commits, and an entry knows its number at once.
*Source:* design of the registry, section 5; decision 0027.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from diandian.store.inserts import Insert, InsertMany
from diandian.store.running import database, fetched
from diandian.store.transactions import require_transaction
from diandian.transparency.errors import LogClosedError
from diandian.transparency.models import LogEntry, LogHead
from diandian.transparency.rules import Body, first_entry, instant, ref_of
from diandian.verifier import entries

_HEADS = Insert(LogHead, skip_conflicts=True)
_ENTRIES = InsertMany(LogEntry, "position", "kind", "ref", "body")
_ADVANCE = (
    "UPDATE transparency_loghead SET size = size + %s WHERE is_open RETURNING origin, base, size"
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


def append_many(bodies: Sequence[Body], *, at: datetime) -> list[Place]:
    """Append entries in their order; two statements. Returns the place of each.

    A body without ``at`` gets this one. In the caller's transaction; each entry is entered once.
    Locks: the head's row, until the commit; take no lock of another row after it.
    Raises: IntegrityError for what was entered before, EntryError for what may not be published,
    LogClosedError.
    """
    require_transaction()
    if not bodies:
        return []
    now = instant(at)
    stamped = [{"at": now, **body} for body in bodies]
    written = [entries.encode(body).decode() for body in stamped]
    origin, base, size = _advance(len(written), at)
    first = size - len(written)
    _ENTRIES.along(
        [
            (base + first + offset, body["type"], ref_of(body), text)
            for offset, (body, text) in enumerate(zip(stamped, written, strict=True))
        ]
    )
    return [Place(origin, first + offset, body) for offset, body in enumerate(stamped)]


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


def _advance(count: int, at: datetime) -> tuple[str, int, int]:
    """Take the next numbers of the open log; open the first log where there is none yet.

    Returns its origin, the position of its first entry, and its size with the new entries.
    """
    on = database()
    rows = fetched(on, _ADVANCE, [count])
    if not rows:
        _open_first(at)
        rows = fetched(on, _ADVANCE, [count])
    if not rows:
        raise LogClosedError(origin=settings.LOG_ORIGIN)
    origin, base, size = rows[0]
    return origin, base, size


def _open_first(at: datetime) -> None:
    """Open the log of this installation. Of two at once, the later waits and finds it open."""
    head = LogHead(origin=settings.LOG_ORIGIN, opened_at=at)
    if LogHead.objects.exists() or not _HEADS.run([head]):
        return
    append_many([first_entry(settings.LOG_ORIGIN, None)], at=at)
