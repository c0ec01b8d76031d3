"""Decides about a head that a log sends: sign it, or say why not."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from diandian.verifier import notes
from diandian.verifier.merkle import HASH_BYTES, ProofError, verify_consistency
from diandian.verifier.witness.memory import Memory, Seen

SIZE_TYPE = "text/x.tlog.size"
_PLAIN = "text/plain; charset=utf-8"
_MOST_HASHES = 63


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered. ``status``: of HTTP."""

    status: HTTPStatus
    body: str
    content_type: str = _PLAIN


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: from which size on, the proof, the note."""

    old_size: int
    proof: tuple[bytes, ...]
    note: str


class BadRequestError(ValueError):
    """This is no request of the protocol."""


def read(body: bytes) -> Asked:
    """Read the body of a request. Raises: BadRequestError."""
    try:
        head, blank, note = body.decode().partition("\n\n")
        first, *lines = head.split("\n")
        if not blank or not first.startswith("old ") or len(lines) > _MOST_HASHES:
            raise BadRequestError("a request is old SIZE, hashes, an empty line and a checkpoint")
        old_size = notes.decimal(first.removeprefix("old "), "the old size")
        return Asked(old_size, tuple(_hash(line) for line in lines), note)
    except (UnicodeDecodeError, notes.NoteError) as error:
        raise BadRequestError(str(error)) from error


def _hash(line: str) -> bytes:
    try:
        found = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequestError("a line of the proof is not base 64") from error
    if len(found) != HASH_BYTES:
        raise BadRequestError("a line of the proof is not a hash")
    return found


class Witness:
    """Signs heads that continue what it has seen. ``logs``: the keys of each log, by origin."""

    def __init__(
        self,
        signer: notes.Signer,
        logs: Mapping[str, Sequence[notes.Verifier]],
        memory: Memory,
        clock: Callable[[], int],
    ) -> None:
        assert signer.verifier.is_cosigner, "a witness says when it saw a head"
        self._signer = signer
        self._logs = logs
        self._memory = memory
        self._clock = clock

    def answer(self, body: bytes) -> Answer:
        """Answer one request; what is signed is remembered on disk before. Raises: OSError."""
        try:
            asked = read(body)
            text, _ = notes.split(asked.note)
            head = notes.Checkpoint.parse(text)
        except (BadRequestError, notes.NoteError) as error:
            return Answer(HTTPStatus.BAD_REQUEST, f"{error}\n")
        known = self._logs.get(head.origin)
        if known is None:
            return Answer(HTTPStatus.NOT_FOUND, "this log is not known here\n")
        try:
            notes.open_note(asked.note, known)
        except notes.NoteError:
            return Answer(HTTPStatus.FORBIDDEN, "no known key of the log has signed this\n")
        if asked.old_size > head.size:
            return Answer(HTTPStatus.BAD_REQUEST, "the old size is beyond the new one\n")
        with self._memory.lock:
            return self._decide(asked, head, text)

    def _decide(self, asked: Asked, head: notes.Checkpoint, text: str) -> Answer:
        seen = self._memory.of(head.origin)
        if asked.old_size != seen.size or (head.size == seen.size and head.root != seen.root):
            return Answer(HTTPStatus.CONFLICT, f"{seen.size}\n", SIZE_TYPE)
        try:
            verify_consistency(seen.size, seen.root, head.size, head.root, asked.proof)
        except ProofError as error:
            return Answer(HTTPStatus.UNPROCESSABLE_ENTITY, f"{error}\n")
        if head.size > seen.size:
            self._memory.keep(head.origin, Seen(head.size, head.root))
        return Answer(HTTPStatus.OK, self._signer.line(text, timestamp_s=self._clock()))
