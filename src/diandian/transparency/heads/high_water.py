"""How far each log was signed, in a file outside the backups: what does not come back with them.

A line for each log: its name, the key id of its first key, size and root (hexadecimal). Lines only
go up. A file that cannot be read is a refusal; one that cannot be written is told, no more.
*Source:* design of the registry, L3; decision 0051.
"""

import logging
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from diandian.verifier.notes import Verifier

log = logging.getLogger(__name__)

_ROOT_BYTES = 32


class HighWaterError(Exception):
    """The file is there and does not say what it should."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a log was signed. ``size``: entries."""

    size: int
    root: bytes


def path() -> Path | None:
    """Return the file, or None where the operator has none."""
    return Path(settings.HIGH_WATER) if settings.HIGH_WATER else None


def read(origin: str, first: Verifier) -> Mark | None:
    """Return the mark of a log, by its name and its first key. Raises: HighWaterError."""
    return _marks().get(_name(origin, first))


def raise_to(origin: str, first: Verifier, mark: Mark) -> None:
    """Keep a mark, unless a higher one stands there. Idempotent; a full disk is only told."""
    target = path()
    if target is None:
        return
    name = _name(origin, first)
    try:
        marks = _marks()
        if name in marks and marks[name].size >= mark.size:
            return
        marks[name] = mark
        _write(target, marks)
    except (OSError, HighWaterError) as error:
        log.error("the high-water file was not written: %s", error)  # noqa: TRY400


def _name(origin: str, first: Verifier) -> str:
    return f"{origin} {first.key_id.hex()}"


def _marks() -> dict[str, Mark]:
    target = path()
    if target is None:
        return {}
    try:
        text = target.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise HighWaterError(f"{target} cannot be read: {error}") from error
    return dict(_parsed(line) for line in text.splitlines())


def _parsed(line: str) -> tuple[str, Mark]:
    try:
        origin, key_id, size, root = line.split(" ")
        mark = Mark(int(size), bytes.fromhex(root))
    except ValueError as error:
        raise HighWaterError(f"no line of a high-water file: {line[:80]!r}") from error
    if mark.size < 0 or len(mark.root) != _ROOT_BYTES:
        raise HighWaterError(f"no line of a high-water file: {line[:80]!r}")
    return f"{origin} {key_id}", mark


def _write(target: Path, marks: dict[str, Mark]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}")
    with draft.open("w", encoding="utf-8") as file:
        file.writelines(f"{name} {mark.size} {mark.root.hex()}\n" for name, mark in marks.items())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(target)
