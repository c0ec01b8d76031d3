"""What an audit keeps for the next one: the head it saw, the keys, the tree and the book."""

import os
from hashlib import sha256
from pathlib import Path

import msgspec

from diandian.verifier.audit.book import Book
from diandian.verifier.audit.source import SourceError

VERSION = 1
_DIGEST_BYTES = 32


class Seen(msgspec.Struct):
    """One log as it was last seen: its head and who may sign it, and its tree."""

    origin: str = ""
    size: int = 0
    root: bytes = b""
    note: str = ""
    keys: list[str] = []
    roots: bytes = b""
    edge: bytes = b""


class State(msgspec.Struct):
    """The outcome of the last run that found every head consistent; ``logs`` oldest first."""

    version: int = VERSION
    logs: list[Seen] = []
    book: Book = msgspec.field(default_factory=Book)
    checked_at: str = ""


def load(path: Path | None) -> State:
    """Return what was kept, or a fresh state where there is no file. Raises: SourceError."""
    if path is None:
        return State()
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return State()
    except OSError as error:
        raise SourceError(f"the state cannot be read: {error}") from error
    digest, body = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    try:
        if sha256(body).digest() != digest:
            raise ValueError("it is damaged")  # noqa: TRY301 - one way to refuse
        state = msgspec.msgpack.decode(body, type=State)
        if state.version != VERSION:
            raise ValueError(f"it is of version {state.version}")  # noqa: TRY301 - the same
    except (ValueError, msgspec.DecodeError) as error:
        text = f"the state cannot be used: {error}. Move it away to begin anew"
        raise SourceError(text) from error
    return state


def keep(path: Path, state: State) -> None:
    """Keep the state, whole or not at all. Raises: SourceError."""
    body = msgspec.msgpack.encode(state)
    draft = path.with_name(f"{path.name}.new")
    try:
        with draft.open("wb") as file:
            file.write(sha256(body).digest() + body)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise SourceError(f"the state cannot be written: {error}") from error
