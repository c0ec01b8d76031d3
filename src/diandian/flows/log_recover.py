"""After a restored backup: entries that were published and lost come back out of the files.

Only what a key of ours has signed, and only behind entries that are the same. What the registry has
lost with them does not come back: batches on which both differ are frozen until people have looked.
*Source:* design of the registry, L3.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.flows import batches, log_check, log_entries, log_guard
from diandian.kernel.clock import now
from diandian.registry.models import BatchState, CreditBatch
from diandian.transparency import actions as log_actions
from diandian.transparency import keys, queries
from diandian.transparency.errors import LogNotRecoverableError
from diandian.transparency.files import DamagedFilesError, LogFiles, folder_of
from diandian.transparency.heads import actions as head_actions
from diandian.transparency.models import LogHead
from diandian.verifier.entries import EntryError
from diandian.verifier.merkle import Frontier, leaf_hash
from diandian.verifier.notes import Checkpoint, NoteError, open_note
from diandian.verifier.tiles import (
    ENTRIES,
    TILE_WIDTH,
    Tile,
    TileError,
    cut_entries,
    read_tile,
)

_STANDS_STILL = {BatchState.FROZEN, BatchState.RECALLED}


@dataclass(frozen=True, slots=True)
class Recovered:
    """What came back. ``frozen``: batches on which registry and log differ.

    ``trouble``: why the log stands still all the same, one of ``heads.trouble``; then nothing was
    frozen yet.
    """

    entries: int
    frozen: tuple[str, ...]
    trouble: str = ""


def recover(
    folder: Path | None = None, *, actor: str, reason: str, at: datetime | None = None
) -> Recovered:
    """Join the entries that were published to those of this database.

    That ends the stop of sales, unless the log is still behind what others have seen of it.
    ``folder``: a copy of the published files; else our own. Idempotent.
    Locks: the head of the log. Raises: LogNotRecoverableError.
    """
    at = at or now()
    number, head = _open_head()
    files = LogFiles(folder or folder_of(number))
    try:
        shown = _shown(files, head)
        with transaction.atomic():
            audit_actions.record(
                actor_ref=actor,
                action="log.recovered",
                subject_ref=f"log:{head.origin}"[:120],
                details={"size": shown.size, "reason": reason},
                at=at,
            )
            missing = _missing(files, head_actions.lock_head(head), shown)
            head_actions.restore(head, missing, at=at)
            # In one commit: once the stop ends, nobody may use grams that the log counts otherwise.
            trouble = log_guard.look(at=at)
            frozen = () if trouble else _freeze_what_differs(actor, at)
    except (DamagedFilesError, NoteError, TileError, EntryError, OSError) as error:
        raise LogNotRecoverableError(reason=str(error)) from error
    return Recovered(len(missing), frozen, trouble)


def _open_head() -> tuple[int, LogHead]:
    for number, head in queries.numbered_heads():
        if head.is_open:
            return number, head
    raise LogNotRecoverableError(reason="no log is open here")


def _shown(files: LogFiles, head: LogHead) -> Checkpoint:
    """Return the published head, which a key of ours has signed."""
    rows = queries.keys_of(head)
    known = keys.verifiers(rows) if rows else [keys.first_verifier(head.origin)]
    published = files.published()
    if published is None:
        raise LogNotRecoverableError(reason="there is no published head")
    text, _ = open_note(published, known)
    shown = Checkpoint.parse(text)
    if shown.origin != head.origin:
        raise LogNotRecoverableError(reason=f"it is the log {shown.origin}")
    if shown.size < head.size:
        raise LogNotRecoverableError(
            reason=f"it has {shown.size} entries, and the database {head.size}"
        )
    return shown


def _missing(files: LogFiles, head: LogHead, shown: Checkpoint) -> list[bytes]:
    """Return the entries behind ours; all of them together must have the root that was signed."""
    frontier = Frontier()
    for data in queries.bodies(head):
        frontier.append(leaf_hash(data))
    missing: list[bytes] = []
    for number in range(head.size // TILE_WIDTH, -(-shown.size // TILE_WIDTH)):
        width = min(TILE_WIDTH, shown.size - number * TILE_WIDTH)
        found = cut_entries(read_tile(files.read, Tile(ENTRIES, number, width)), width)
        missing += found[max(0, head.size - number * TILE_WIDTH) :]
    for data in missing:
        frontier.append(leaf_hash(data))
    if frontier.root() != shown.root:
        raise LogNotRecoverableError(reason="its first entries are not those of the database")
    return missing


def _freeze_what_differs(actor: str, at: datetime) -> tuple[str, ...]:
    """Stop batches whose grams the log counts otherwise: some were used before the backup."""
    numbers = [
        breach.subject_ref.removeprefix("batch:")
        for breach in log_check.check()
        if breach.rule == "L4"
    ]
    stopped = []
    for batch in CreditBatch.objects.filter(public_id__in=numbers).order_by("public_id"):
        if batch.state in _STANDS_STILL:
            # It stands still already; the log says that it does for this reason too.
            with transaction.atomic():
                log_actions.append_many([log_entries.frozen(batch, log_check.RESTORED)], at=at)
            continue
        batches.freeze(batch.public_id, reason=log_check.RESTORED, actor_ref=actor, at=at)
        stopped.append(batch.public_id)
    return tuple(stopped)
