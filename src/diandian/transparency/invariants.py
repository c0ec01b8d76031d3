"""What must hold of the public log by itself; read from all entries: not for every request.

*Source:* design of the registry, section 2 (L1, L2, L3).
"""

from collections.abc import Iterator
from functools import partial

from diandian.audit.breaches import Breach, asked
from diandian.store.key_files import SigningKeyMissingError
from diandian.transparency import keys, queries
from diandian.transparency.files import DamagedFilesError, LogFiles, folder_of
from diandian.transparency.models import LogCheckpoint, LogEntry, LogHead
from diandian.transparency.rules import ref_of
from diandian.verifier import entries
from diandian.verifier.merkle import Frontier, leaf_hash
from diandian.verifier.notes import Checkpoint, NoteError, open_note

# By the number of each log; None where nothing is published.
Published = dict[int, str | None]


def published_now() -> Published:
    """Return the head of each log that everybody can fetch now. An unreadable one is empty text."""
    return {number: _published(number) for number, _ in queries.numbered_heads()}


def check(published: Published | None = None) -> list[Breach]:
    """Return every breach of L1 to L3 that tables and files can show.

    ``published``: of a moment before the one that the tables show, so that nothing is missed that
    was signed between them; read now where there is none.
    """
    notes = published_now() if published is None else published
    return asked(_entries_signed, partial(_files_whole, notes))


def _entries_signed() -> Iterator[Breach]:
    for head in queries.heads():
        yield from _breaches_of(head)


def _files_whole(notes: Published) -> Iterator[Breach]:
    for number, head in queries.numbered_heads():
        yield from _files_differ(number, head, notes.get(number))


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


def _published(number: int) -> str | None:
    try:
        return LogFiles(folder_of(number)).published()
    except DamagedFilesError:
        return ""


def _files_differ(number: int, head: LogHead, published: str | None) -> Iterator[Breach]:
    """L3, L1: the published head is of these entries, and so is all that everybody can fetch.

    A head that is signed and not published yet, or nothing published, is none of both.
    """
    if published is None:
        return
    subject = f"log:{head.origin}"
    try:
        known = keys.verifiers(queries.keys_of(head)) or [keys.first_verifier(head.origin)]
        shown = Checkpoint.parse(open_note(published, known)[0])
    except (NoteError, SigningKeyMissingError):
        yield Breach("L3", subject, "what is published is no head that a key of it has signed")
        return
    if shown.origin != head.origin:
        yield Breach("L3", subject, f"the head of {shown.origin} is published in its place")
    elif shown.size > head.size:
        yield Breach("L3", subject, f"{shown.size} entries are published, it has {head.size}")
    elif shown.root != queries.root_at(head, shown.size):
        yield Breach("L3", subject, f"another root is published for its first {shown.size}")
    else:
        files = LogFiles(folder_of(number))
        for path in files.differences(shown.size, queries.bodies(head, 0, shown.size)):
            yield Breach("L1", subject, f"its file {path} is not what its entries make")


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
