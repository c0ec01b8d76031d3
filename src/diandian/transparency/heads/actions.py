"""Writes of what is signed: heads, cosignatures, keys, and why nothing is signed.

*Source:* design of the registry, section 5; L2.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from diandian.store.inserts import Insert
from diandian.store.transactions import require_transaction
from diandian.transparency import queries
from diandian.transparency.actions import append_many
from diandian.transparency.models import LogCheckpoint, LogEntry, LogHead, LogKey
from diandian.transparency.rules import Body, first_entry, instant, ref_of
from diandian.verifier import entries
from diandian.verifier.merkle import Frontier, leaf_hash

_CHECKPOINTS = Insert(LogCheckpoint, skip_conflicts=True)
# Whoever knows an old key has this long to learn the new one, out of the log that both sign.
BOTH_SIGN_FOR = timedelta(days=90)


def keep_checkpoint(
    head: LogHead, *, size: int, previous_size: int, root: bytes, note: str, at: datetime
) -> LogCheckpoint | None:
    """Store a signed head before anybody sees it; None when another signer was first (L2).

    The database allows one root for a size, and one head after each.
    """
    row = LogCheckpoint(
        head=head,
        size=size,
        previous_size=previous_size,
        root=root.hex(),
        note=note,
        signed_at=at,
    )
    return row if _CHECKPOINTS.run([row]) else None


def add_cosignatures(row: LogCheckpoint, lines: Iterable[str]) -> None:
    """Add the signature lines of witnesses to a head. Idempotent by: each line.

    Locks: the head's row.
    """
    with transaction.atomic():
        locked = LogCheckpoint.objects.select_for_update().get(id=row.id)
        known = locked.cosignatures.splitlines()
        fresh = [line for line in dict.fromkeys(lines) if line not in known]
        locked.cosignatures = "".join(f"{line}\n" for line in [*known, *fresh])
        locked.save(update_fields=["cosignatures"])
    row.cosignatures = locked.cosignatures


def set_refusal(head: LogHead, code: str) -> bool:
    """Say why a log's heads are not signed, or that they are again. True when that is news."""
    changed = LogHead.objects.filter(origin=head.origin).exclude(refusal=code)
    return bool(changed.update(refusal=code))


def register_key(head: LogHead, vkey: str, *, at: datetime) -> LogKey:
    """Let a key sign a log's heads. Idempotent by: the key."""
    row, _ = LogKey.objects.get_or_create(vkey=vkey, defaults={"head": head, "active_from": at})
    return row


def rotate(head: LogHead, vkey: str, *, at: datetime) -> LogKey:
    """Let a new key sign from now on, said in the log itself; the others sign 90 days more.

    In the caller's transaction. Idempotent by: the key. Locks: the head of the log.
    """
    known = LogKey.objects.filter(vkey=vkey).first()
    if known is not None:
        return known
    append_many([{"type": "key", "vkey": vkey, "from": instant(at)}], at=at)
    return _sign_with(head, vkey, at=at)


def _sign_with(head: LogHead, vkey: str, *, at: datetime) -> LogKey:
    """Let a key sign, and the others end later."""
    others = LogKey.objects.filter(head=head, drops_at__isnull=True).exclude(vkey=vkey)
    others.update(drops_at=at + BOTH_SIGN_FOR)
    return register_key(head, vkey, at=at)


def close(head: LogHead, *, next_origin: str, at: datetime) -> LogHead:
    """Close a log with its last entry and open the next, which begins with the closed one's head.

    In the caller's transaction: no grams move between two logs. Locks: the head of the log.
    """
    require_transaction()
    before = lock_head(head)
    frontier = Frontier()
    for data in queries.bodies(before):
        frontier.append(leaf_hash(data))
    said = {"size": frontier.size, "root": frontier.root().hex()}
    [last] = append_many([{"type": "close", **said}], at=at, is_ending=True)
    frontier.append(leaf_hash(entries.encode(last.entry)))
    assert last.index + 1 == frontier.size, "nothing stands behind the last entry"
    LogHead.objects.filter(origin=head.origin).update(is_open=False, closed_at=at)
    previous = {"origin": head.origin, "size": frontier.size, "root": frontier.root().hex()}
    return open_next(next_origin, previous, at=at)


def open_next(origin: str, previous: Body | None, *, at: datetime) -> LogHead:
    """Open a log where none is open. ``previous``: origin, size and root of the one before it.

    In the caller's transaction. Raises: IntegrityError when one is open or the name was used.
    """
    require_transaction()
    base = sum(each.size for each in queries.heads())
    head = LogHead.objects.create(origin=origin, base=base, opened_at=at)
    append_many([first_entry(origin, previous)], at=at)
    head.refresh_from_db()
    return head


def lock_head(head: LogHead) -> LogHead:
    """Return a log whose size nobody changes until the transaction ends. Locks: its row."""
    require_transaction()
    return LogHead.objects.select_for_update().get(origin=head.origin)


def restore(head: LogHead, missing: Sequence[bytes], *, at: datetime) -> None:
    """Enter again what was published and this database has lost, byte for byte.

    In the caller's transaction, which has compared all entries before with those published.
    Locks: the head of the log. Raises: EntryError, IntegrityError.
    """
    locked = lock_head(head)
    rows = []
    for offset, data in enumerate(missing):
        body = entries.decode(data)
        position = locked.base + locked.size + offset
        rows.append(
            LogEntry(position=position, kind=body["type"], ref=ref_of(body), body=data.decode())
        )
    LogEntry.objects.bulk_create(rows, batch_size=500)
    LogHead.objects.filter(origin=head.origin).update(size=locked.size + len(rows))
    for row in rows:
        if row.kind == "key":
            _sign_with(head, entries.decode(row.body.encode())["vkey"], at=at)
