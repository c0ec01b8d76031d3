"""Reads of the public log."""

from collections.abc import Collection, Iterator
from datetime import datetime

from django.db.models import Q

from diandian.store.statements import Param, Select
from diandian.transparency.models import LogCheckpoint, LogEntry, LogHead, LogKey
from diandian.verifier.merkle import Frontier, leaf_hash

_OPEN = Select(lambda: LogHead.objects.filter(is_open=True)[:1])
_BY_REF = Select(lambda: LogEntry.objects.filter(ref=Param("ref"))[:1])
_PORTION = 2000


def open_head() -> LogHead | None:
    """Return the log that takes entries now, if one was opened yet."""
    return _OPEN.first()


def heads() -> list[LogHead]:
    """Return every log, the oldest first."""
    return list(LogHead.objects.order_by("base", "opened_at"))


def entry_about(ref: str) -> LogEntry | None:
    """Return the entry about something, such as ``retire:`` and the retirement's number."""
    return _BY_REF.first(ref=ref)


def place_of(ref: str) -> tuple[int, LogHead, int] | None:
    """Return where the entry about something stands: its log's number, the log, the index."""
    row = entry_about(ref)
    if row is None:
        return None
    for number, head in reversed(numbered_heads()):
        if head.base <= row.position:
            return number, head, row.position - head.base
    return None


def places_of(refs: Collection[str]) -> dict[str, tuple[str, int]]:
    """Return where the log speaks of some things: its origin, and the entry's number in it."""
    rows = LogEntry.objects.filter(ref__in=refs).values_list("ref", "position")
    found: dict[str, tuple[str, int]] = {}
    all_heads = heads() if refs else []
    for ref, position in rows:
        head = [each for each in all_heads if each.base <= position][-1]
        found[str(ref)] = (head.origin, position - head.base)
    return found


def known_refs(refs: Collection[str]) -> set[str]:
    """Return which of some things the log speaks of."""
    found = LogEntry.objects.filter(ref__in=refs).values_list("ref", flat=True)
    return {ref for ref in found if ref is not None}


def entry_rows(head: LogHead, start: int = 0, end: int | None = None) -> Iterator[LogEntry]:
    """Yield a log's entries from index ``start`` up to, not including, ``end``."""
    last = head.size if end is None else min(end, head.size)
    for first in range(start, last, _PORTION):
        rows = LogEntry.objects.filter(
            position__gte=head.base + first, position__lt=head.base + min(first + _PORTION, last)
        )
        yield from rows.order_by("position")


def bodies(head: LogHead, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Yield the bytes of a log's entries from index ``start`` up to, not including, ``end``."""
    for row in entry_rows(head, start, end):
        yield row.body.encode()


def root_at(head: LogHead, size: int) -> bytes:
    """Return the root over a log's first entries, made of all of them: not for every request."""
    frontier = Frontier()
    for data in bodies(head, 0, size):
        frontier.append(leaf_hash(data))
    return frontier.root()


# --- what was signed ----------------------------------------------------------------------------


def numbered_heads() -> list[tuple[int, LogHead]]:
    """Return every log with its number in the addresses, from 1."""
    return list(enumerate(heads(), start=1))


def last_checkpoint(head: LogHead) -> LogCheckpoint | None:
    """Return the newest signed head of a log."""
    return LogCheckpoint.objects.filter(head=head).order_by("-size").first()


def checkpoint_at(head: LogHead, size: int) -> LogCheckpoint | None:
    """Return the signed head of a size, if that size was signed."""
    return LogCheckpoint.objects.filter(head=head, size=size).first()


def keys_of(head: LogHead, *, at: datetime | None = None) -> list[LogKey]:
    """Return the keys of a log, oldest first; with ``at`` those that sign at that moment."""
    rows = LogKey.objects.filter(head=head)
    if at is not None:
        rows = rows.filter(Q(drops_at__isnull=True) | Q(drops_at__gt=at), active_from__lte=at)
    return list(rows.order_by("id"))
