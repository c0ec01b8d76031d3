"""Signed notes: the heads of the log, who signed them, and who witnessed them.

*Source:* C2SP signed-note v1, tlog-checkpoint v1, tlog-cosignature (cosignature/v1, subtree/v1).
A signature of an unknown key is passed over; one of a known key that does not fit refuses the note.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from diandian.verifier.merkle import HASH_BYTES

ED25519 = 0x01
COSIGNATURE = 0x04
ML_DSA_44 = 0x06
_KEY_BYTES = {ED25519: 32, COSIGNATURE: 32, ML_DSA_44: 1312}
_SIGNATURE_BYTES = {ED25519: 64, COSIGNATURE: 8 + 64, ML_DSA_44: 8 + 2420}
_TIMED = frozenset({COSIGNATURE, ML_DSA_44})
_KEY_ID_BYTES, _TIME_BYTES = 4, 8
_MAX_TIMESTAMP_S = 2**63 - 1
_MAX_SIZE = 2**63 - 1
_MAX_NOTE_BYTES = 262_144
_MAX_SIGNATURES = 64
_MAX_NAME_BYTES = 255
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_LEAD = "— "
_SIGNATURE_LINE = re.compile(r"— (\S+) ([A-Za-z0-9+/]+={0,2})")
_VKEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")

PrivateKey = Ed25519PrivateKey | MLDSA44PrivateKey


class NoteError(ValueError):
    """The note, checkpoint or key cannot be accepted; the text says why."""


def _from_base64(text: str, what: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data or base64.b64encode(data).decode() != text:
        raise NoteError(f"{what} is not base 64")
    return data


def _require_name(name: str) -> None:
    if not name or "+" in name or any(letter.isspace() for letter in name):
        raise NoteError("the name of a key holds no spaces and no plus, and is not empty")
    if any(ord(letter) < 32 for letter in name) or len(name.encode()) > _MAX_NAME_BYTES:  # noqa: PLR2004
        raise NoteError("the name of a key is too long or holds control characters")


def decimal(text: str, what: str) -> int:
    """Return a whole number from 0, written without leading zeros. Raises: NoteError."""
    if not _DECIMAL.fullmatch(text) or int(text) > _MAX_SIZE:
        raise NoteError(f"{what} is not a whole number without leading zeros")
    return int(text)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: its name, how many entries it has, and the root over them."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what could not be read again. Raises: NoteError."""
        lines = (self.origin, *self.extensions)
        if any(not line or any(ord(letter) < 32 for letter in line) for line in lines):  # noqa: PLR2004
            raise NoteError("a line of a checkpoint is empty or holds control characters")
        if not 0 <= self.size <= _MAX_SIZE or len(self.root) != HASH_BYTES:
            raise NoteError("a checkpoint has a size from 0 and a root of 32 bytes")

    def text(self) -> str:
        """Return the text that is signed."""
        root = base64.b64encode(self.root).decode()
        return "\n".join((self.origin, str(self.size), root, *self.extensions, ""))

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read the text of a checkpoint, without its signatures. Raises: NoteError."""
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop():  # noqa: PLR2004
            raise NoteError("a checkpoint has at least three lines, each with its end")
        origin, size, root, *extensions = lines
        return cls(
            origin,
            decimal(size, "the size of the checkpoint"),
            _from_base64(root, "the root of the checkpoint"),
            tuple(extensions),
        )


def _key_id(name: str, kind: int, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:_KEY_ID_BYTES]


def _short(text: str) -> bytes:
    data = text.encode()
    if not 1 <= len(data) <= _MAX_NAME_BYTES:
        raise NoteError("a name in a cosignature has 1 to 255 bytes")
    return bytes([len(data)]) + data


def _message(kind: int, name: str, text: str, timestamp_s: int) -> bytes:
    """Return the bytes that a signature of this kind covers."""
    if kind == ED25519:
        return text.encode()
    if kind == COSIGNATURE:
        return f"cosignature/v1\ntime {timestamp_s}\n{text}".encode()
    head = Checkpoint.parse(text)
    number = timestamp_s.to_bytes(8, "big"), (0).to_bytes(8, "big"), head.size.to_bytes(8, "big")
    return b"".join(
        (b"subtree/v1\n\0", _short(name), number[0], _short(head.origin), *number[1:], head.root)
    )


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name and what kind of signature it makes."""

    name: str
    kind: int
    public: bytes
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Refuse a key that could verify nothing. Raises: NoteError."""
        _require_name(self.name)
        if self.kind not in _KEY_BYTES:
            raise NoteError(f"keys of type {self.kind:#04x} are not known here")
        if len(self.public) != _KEY_BYTES[self.kind]:
            raise NoteError(f"the key of {self.name} has a wrong length")
        object.__setattr__(self, "key_id", _key_id(self.name, self.kind, self.public))

    @classmethod
    def parse(cls, vkey: str) -> "Verifier":
        """Read ``name+hash+key``. Raises: NoteError."""
        match = _VKEY.fullmatch(vkey.strip())
        if match is None:
            raise NoteError("a key is written as name+hash+key")
        name, key_id, material = match.groups()
        data = _from_base64(material, "the key")
        found = cls(name, data[0], data[1:])
        if found.key_id.hex() != key_id:
            raise NoteError(f"the hash of the key of {name} does not fit: there is a slip in it")
        return found

    def vkey(self) -> str:
        """Return the key as one line of text, to publish."""
        material = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"

    @property
    def is_cosigner(self) -> bool:
        """Tell whether its signatures say when the head was seen."""
        return self.kind in _TIMED

    def verify(self, text: str, signature: bytes) -> int | None:
        """Check one signature; return its time in seconds since 1970 where it has one.

        Raises: NoteError.
        """
        if len(signature) != _SIGNATURE_BYTES[self.kind]:
            raise NoteError(f"the signature of {self.name} has a wrong length")
        timestamp_s, body = None, signature
        if self.is_cosigner:
            timestamp_s = int.from_bytes(signature[:_TIME_BYTES], "big")
            body = signature[_TIME_BYTES:]
            if timestamp_s > _MAX_TIMESTAMP_S:
                raise NoteError(f"the signature of {self.name} has an impossible time")
        message = _message(self.kind, self.name, text, timestamp_s or 0)
        try:
            if self.kind == ML_DSA_44:
                MLDSA44PublicKey.from_public_bytes(self.public).verify(body, message)
            else:
                Ed25519PublicKey.from_public_bytes(self.public).verify(body, message)
        except (InvalidSignature, ValueError) as error:
            raise NoteError(f"the signature of {self.name} does not fit this text") from error
        return timestamp_s


class Signer:
    """A private key with its name. ``kind`` is taken from the key, ``COSIGNATURE`` must be asked.

    Raises: NoteError when the key makes no signatures of that kind.
    """

    def __init__(self, name: str, key: PrivateKey, *, kind: int | None = None) -> None:
        own = ML_DSA_44 if isinstance(key, MLDSA44PrivateKey) else ED25519
        self.kind = own if kind is None else kind
        if (self.kind == ML_DSA_44) != (own == ML_DSA_44):
            raise NoteError("this key makes no signatures of that kind")
        self._key = key
        self.verifier = Verifier(name, self.kind, key.public_key().public_bytes_raw())

    @property
    def name(self) -> str:
        """Return the name of the key."""
        return self.verifier.name

    def vkey(self) -> str:
        """Return the public key as one line of text, to publish."""
        return self.verifier.vkey()

    def line(self, text: str, *, timestamp_s: int | None = None) -> str:
        """Return the signature line for a text, with its end.

        ``timestamp_s``: seconds since 1970, needed by cosigners. Raises: NoteError.
        """
        head = b""
        if self.verifier.is_cosigner:
            if timestamp_s is None or not 0 <= timestamp_s <= _MAX_TIMESTAMP_S:
                raise NoteError(f"{self.name} signs with a time: give it")
            head = timestamp_s.to_bytes(_TIME_BYTES, "big")
        body = self._key.sign(_message(self.kind, self.name, text, timestamp_s or 0))
        data = base64.b64encode(self.verifier.key_id + head + body).decode()
        return f"{_LEAD}{self.name} {data}\n"


class Signed(NamedTuple):
    """A signature that was checked: whose, and when it was made if it says so."""

    verifier: Verifier
    timestamp_s: int | None

    @property
    def name(self) -> str:
        """Return the name of the key."""
        return self.verifier.name


def _require_text(text: str) -> None:
    if not text.endswith("\n") or any(ord(letter) < 32 and letter != "\n" for letter in text):  # noqa: PLR2004
        raise NoteError("the text of a note ends its last line and holds no control characters")


def sign(text: str, signers: Sequence[Signer], *, timestamp_s: int | None = None) -> str:
    """Return a note: the text with the signature of each signer.

    ``timestamp_s``: seconds since 1970, for those who sign with a time. Raises: NoteError.
    """
    _require_text(text)
    if not signers:
        raise NoteError("a note has at least one signature")
    return f"{text}\n" + "".join(signer.line(text, timestamp_s=timestamp_s) for signer in signers)


def split(note: str | bytes) -> tuple[str, list[str]]:
    """Return the text of a note and its signature lines, without their ends; nothing is verified.

    Raises: NoteError on a malformed note.
    """
    try:
        text = note.decode() if isinstance(note, bytes) else note
        length = len(note if isinstance(note, bytes) else note.encode())
    except UnicodeError as error:
        raise NoteError("the note is not UTF-8") from error
    if length > _MAX_NOTE_BYTES:
        raise NoteError("the note is too long")
    _require_text(text)
    body, blank, tail = text.rpartition("\n\n")
    if not blank:
        raise NoteError("the note has no blank line before its signatures")
    lines = tail.split("\n")[:-1]
    if not 1 <= len(lines) <= _MAX_SIGNATURES:
        raise NoteError(f"a note has 1 to {_MAX_SIGNATURES} signatures")
    return f"{body}\n", lines


def _signature(line: str) -> tuple[str, bytes, bytes]:
    match = _SIGNATURE_LINE.fullmatch(line)
    if match is None or "+" in match[1]:
        raise NoteError("a line of the note is not a signature")
    data = _from_base64(match[2], "a signature of the note")
    if len(data) <= _KEY_ID_BYTES:
        raise NoteError("a signature of the note is too short")
    return match[1], data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:]


def open_note(note: str | bytes, verifiers: Iterable[Verifier]) -> tuple[str, tuple[Signed, ...]]:
    """Return the text of a note and the signatures of known keys on it, each key once.

    Raises: NoteError when it is malformed, a known key's signature does not fit, or none is known.
    """
    text, lines = split(note)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    found: dict[tuple[str, bytes], Signed] = {}
    for line in lines:
        name, key_id, signature = _signature(line)
        verifier = known.get((name, key_id))
        if verifier is not None:
            timestamp_s = verifier.verify(text, signature)
            found.setdefault((name, key_id), Signed(verifier, timestamp_s))
    if not found:
        raise NoteError("the note carries no signature of a known key")
    return text, tuple(found.values())


def add_lines(note: str, lines: Iterable[str]) -> str:
    """Return the note with more signature lines, each once. Raises: NoteError."""
    _, known = split(note)
    fresh = dict.fromkeys(line.rstrip("\n") for line in lines)
    for line in fresh:
        _signature(line)
    added = note + "".join(f"{line}\n" for line in fresh if line not in known)
    split(added)
    return added
