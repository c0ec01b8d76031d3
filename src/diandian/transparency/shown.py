"""What the public sees of a log: its files by address, its keys, and the proof of one entry."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from diandian.kernel.memory import ttl_cache
from diandian.transparency import keys, queries, witnesses
from diandian.transparency.files import CHECKPOINT, DamagedFilesError, LogFiles, folder_of
from diandian.transparency.models import LogHead
from diandian.transparency.queries import numbered_heads
from diandian.verifier import proof
from diandian.verifier.merkle import ProofError, inclusion_proof, verify_inclusion
from diandian.verifier.notes import Checkpoint, NoteError, Verifier, open_note
from diandian.verifier.policy import PolicyError
from diandian.verifier.tiles import HashReader, TileError

log = logging.getLogger(__name__)

# The only addresses below ``tile/``: nothing that a folder could be left by.
_TILE = re.compile(
    r"tile/(?:[0-9]|[1-5][0-9]|6[0-3]|entries)/(?:x[0-9]{3}/){0,5}[0-9]{3}(?P<partial>\.p/"
    r"(?:[1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Witnessed:
    """Who saw a head, and when."""

    name: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Published:
    """The head that everybody can fetch now. ``asked``: how many witnesses are asked to sign."""

    number: int
    origin: str
    size: int
    root: str
    note: str
    signed_at: datetime | None
    witnessed: tuple[Witnessed, ...]
    asked: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an entry stands. ``under``: the published head over it, None while there is none."""

    number: int
    origin: str
    index: int
    under: Published | None


@dataclass(frozen=True, slots=True)
class File:
    """A file of the log. ``is_final``: its bytes never change, and it never goes away."""

    data: bytes
    is_final: bool


def tile(number: int, path: str) -> File | None:
    """Return a tile or bundle of a log; None where there is none."""
    match = _TILE.fullmatch(path)
    if match is None:
        return None
    try:
        data = LogFiles(folder_of(number)).read(path)
    except OSError:
        return None
    return File(data, is_final=match["partial"] is None)


def checkpoint(number: int) -> bytes | None:
    """Return the published head of a log as it stands in its file; None before the first."""
    try:
        return LogFiles(folder_of(number)).read(CHECKPOINT)
    except OSError:
        return None


def key_lines(head: LogHead) -> str:
    """Return every key that ever signed a log, one line each, with the day it ends."""
    rows = queries.keys_of(head)
    lines = []
    for row in rows:
        until = f", signs until {row.drops_at:%Y-%m-%d}" if row.drops_at else ""
        lines += [f"# since {row.active_from:%Y-%m-%d}{until}", row.vkey]
    return "".join(f"{line}\n" for line in lines)


def policy(head: LogHead, base_url: str) -> str:
    """Return a tlog-policy that readers may start from: our keys, the witnesses we ask."""
    logs = [f"log {row.vkey} {base_url}" for row in queries.keys_of(head)]
    try:
        witnesses.policy()
        asked = witnesses.policy_text()
    except (OSError, PolicyError):
        asked = "quorum none\n"
    return "".join(f"{line}\n" for line in logs) + asked


def published(number: int, head: LogHead) -> Published | None:
    """Return the published head with its signatures; None where none is, or none can be read."""
    files = LogFiles(folder_of(number))
    try:
        note = files.published()
        if note is None:
            return None
        asked = _asked()
        own = keys.verifiers(queries.keys_of(head))
        text, signed = open_note(note, [*own, *asked])
        shown = Checkpoint.parse(text)
    except (DamagedFilesError, NoteError, OSError):
        return None
    row = queries.checkpoint_at(head, shown.size)
    seen = tuple(
        Witnessed(each.name, datetime.fromtimestamp(each.timestamp_s or 0, UTC))
        for each in signed
        if each.verifier.is_cosigner
    )
    return Published(
        number=number,
        origin=shown.origin,
        size=shown.size,
        root=shown.root.hex(),
        note=note,
        signed_at=row.signed_at if row is not None else None,
        witnessed=seen,
        asked=len(asked),
    )


def _asked() -> list[Verifier]:
    try:
        return list(witnesses.policy().verifiers)
    except (OSError, PolicyError):
        return []


@ttl_cache(1)
def logs() -> tuple[tuple[int, LogHead, Published | None], ...]:
    """Return every log with its published head; as of a second ago at most."""
    return tuple((number, head, published(number, head)) for number, head in numbered_heads())


def standing_of(record: Mapping[str, Any]) -> Standing | None:
    """Return where a certificate's retirement stands in the public log, by its record.

    Records of before the log do not say; their entries are looked up. None where there is none.
    """
    said = record.get("log")
    if said is None:
        said = _looked_up(record.get("retirement", ""))
    for number, head, under in logs():
        if said is not None and head.origin == said["origin"]:
            index = said["index"]
            covered = under is not None and index < under.size
            return Standing(number, head.origin, index, under if covered else None)
    return None


def _looked_up(retirement: str) -> Mapping[str, Any] | None:
    place = queries.place_of(f"retire:{retirement}")
    return None if place is None else {"origin": place[1].origin, "index": place[2]}


def proof_about(record: Mapping[str, Any]) -> str | None:
    """Return the proof that a certificate's retirement stands in the log.

    None until the head above it is published.
    """
    found = standing_of(record)
    if found is None or found.under is None:
        return None
    return proof_of(found.number, found.under, found.index)


def proof_of(number: int, shown: Published, index: int) -> str | None:
    """Return the proof that an entry stands in a log; None while its head is not published."""
    if not 0 <= index < shown.size:
        return None
    reader = HashReader(LogFiles(folder_of(number)).read, shown.size)
    try:
        hashes = inclusion_proof(index, shown.size, reader.hash_at)
        leaf = reader.hash_at(0, index)
        verify_inclusion(leaf, index, shown.size, hashes, bytes.fromhex(shown.root))
    except (OSError, TileError, ProofError) as error:
        # No proof is better than a wrong one; which file it is, ``diandian close`` tells.
        log.error("the files of the public log give no proof of entry %d: %s", index, error)  # noqa: TRY400
        return None
    return proof.write(index, hashes, shown.note)
