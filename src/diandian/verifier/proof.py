"""The proof that an entry stands in the log: one text, to be checked offline.

*Source:* C2SP tlog-proof v1. Whether enough witnesses saw the head is the quorum's matter: see
``policy``. The extra data that the format allows is not signed, and is passed over.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from diandian.verifier import merkle, notes
from diandian.verifier.policy import Policy, open_head

HEADER = "c2sp.org/tlog-proof@v1"
_MAX_HASHES = 63


@dataclass(frozen=True, slots=True)
class Proof:
    """An entry's index, the hashes from it to the root, and the checkpoint with its signatures."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint_note: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What a proof has shown: the entry's index, the head it stands under, who signed that."""

    index: int
    checkpoint: notes.Checkpoint
    signed: tuple[notes.Signed, ...]


def write(index: int, hashes: Sequence[bytes], checkpoint_note: str) -> str:
    """Return the text of a proof."""
    lines = [HEADER, f"index {index}", *(base64.b64encode(item).decode() for item in hashes), ""]
    return "\n".join(lines) + f"\n{checkpoint_note}"


def _hash(line: str) -> bytes:
    try:
        found = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError) as error:
        raise merkle.ProofError("a line of the proof is not base 64") from error
    if len(found) != merkle.HASH_BYTES or base64.b64encode(found).decode() != line:
        raise merkle.ProofError("a line of the proof is not a hash")
    return found


def read(text: str) -> Proof:
    """Read the text of a proof; nothing is verified. Raises: ProofError."""
    head, blank, note = text.partition("\n\n")
    header, *lines = head.split("\n")
    if header != HEADER or not blank:
        raise merkle.ProofError(f"a proof begins with {HEADER}")
    if lines and lines[0].startswith("extra "):
        del lines[0]
    if not lines or not lines[0].startswith("index "):
        raise merkle.ProofError("the proof names no index")
    try:
        index = notes.decimal(lines[0].removeprefix("index "), "the index")
    except notes.NoteError as error:
        raise merkle.ProofError(str(error)) from error
    if len(lines) - 1 > _MAX_HASHES:
        raise merkle.ProofError("the proof has more hashes than any tree has levels")
    return Proof(index, tuple(_hash(line) for line in lines[1:]), note)


def check(
    text: str,
    entry_bytes: bytes,
    verifiers: Iterable[notes.Verifier],
    *,
    quorum: Policy | None = None,
) -> Shown:
    """Check that the entry stands where the proof says, under a head that the log signed.

    ``verifiers``: the keys of the log, which bear its name. ``quorum``: whose cosignatures are
    needed; without it none are. Raises: ProofError, NoteError.
    """
    found = read(text)
    head, signed = open_head(found.checkpoint_note, tuple(verifiers), quorum)
    leaf = merkle.leaf_hash(entry_bytes)
    merkle.verify_inclusion(leaf, found.index, head.size, found.hashes, head.root)
    problem = quorum.problem(signed) if quorum is not None else ""
    if problem:
        raise merkle.ProofError(problem)
    return Shown(found.index, head, signed)
