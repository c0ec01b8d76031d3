"""What must hold of the public log by itself; read from all entries: not for every request.

*Source:* design of the registry, section 2 (L1, L2).
"""

from collections.abc import Iterator

from diandian.audit.breaches import Breach, asked
from diandian.transparency import queries
from diandian.transparency.files import LogFiles, folder_of
from diandian.transparency.models import LogCheckpoint, LogEntry, LogHead
from diandian.transparency.rules import ref_of
from diandian.verifier import entries
from diandian.verifier.merkle import Frontier, leaf_hash


def check() -> list[Breach]:
    """Return every breach of L1 and L2 that the tables can show."""
    return asked(_entries_signed, _files_whole)


def _entries_signed() -> Iterator[Breach]:
    for head in queries.heads():
        yield from _breaches_of(head)


def _files_whole() -> Iterator[Breach]:
    for number, head in queries.numbered_heads():
        yield from _files_differ(number, head)


def _breaches_of(head: LogHead) -> Iterator[Breach]:
    subject = f"log:{head.origin}"
    yield from _places_filled(head, subject)
    signed = dict(
        LogCheckpoint.objects.filter(head=head).order_by("size").values_list("size", "root")
    )
    frontier = Frontier()
    for index, row in enumerate(queries.entry_rows(head)):
        data = row.body.encode()
        yield from _entry_is_whole(row, f"{subject}:{index}", data)
        frontier.append(leaf_hash(data))
        root = signed.pop(frontier.size, None)
        if root is not None and root != frontier.root().hex():
            yield Breach("L2", subject, f"another root was signed for its first {frontier.size}")
    for size in signed:
        yield Breach("L1", subject, f"{size} entries were signed, and there are {frontier.size}")


def _files_differ(number: int, head: LogHead) -> Iterator[Breach]:
    """L1: what everybody can fetch is made of these entries."""
    last = queries.last_checkpoint(head)
    files = LogFiles(folder_of(number))
    if last is None or files.published() != last.full_note:
        return
    for path in files.differences(last.size, queries.bodies(head, 0, last.size)):
        yield Breach("L1", f"log:{head.origin}", f"its file {path} is not what its entries make")


def _places_filled(head: LogHead, subject: str) -> Iterator[Breach]:
    """L1: the entries fill the places of their log, without a gap."""
    place = {"position__gte": head.base, "position__lt": head.base + head.size}
    found = LogEntry.objects.filter(**place).count()
    if found != head.size:
        yield Breach("L1", subject, f"says {head.size} entries and has {found}")


def _entry_is_whole(row: LogEntry, subject: str, data: bytes) -> Iterator[Breach]:
    """L1, L5: an entry is one that may be published, and is found by what it is about."""
    try:
        body = entries.decode(data)
    except entries.EntryError as error:
        yield Breach("L5", subject, str(error))
        return
    if (row.kind, row.ref) != (body["type"], ref_of(body)):
        yield Breach("L1", subject, "is kept under another name than its own")
