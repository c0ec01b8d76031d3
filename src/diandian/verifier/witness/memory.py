"""What a witness remembers: the last head of each log, in one file that is replaced whole."""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from diandian.verifier.merkle import EMPTY_ROOT, HASH_BYTES


class DamagedMemoryError(Exception):
    """The file of what was seen cannot be used; without it nothing may be signed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a log was seen."""

    size: int = 0
    root: bytes = EMPTY_ROOT


class Memory:
    """Heads by origin. One process at a time; within it one thread at a time holds ``lock``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.Lock()
        self._seen = _read(path)

    def of(self, origin: str) -> Seen:
        """Return how far a log was seen; nothing yet for an unknown one."""
        return self._seen.get(origin, Seen())

    def keep(self, origin: str, seen: Seen) -> None:
        """Remember, on disk before anything is signed. Raises: OSError."""
        fresh = {**self._seen, origin: seen}
        _write(self.path, fresh)
        self._seen = fresh


def _read(path: Path) -> dict[str, Seen]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    try:
        found = json.loads(text)
        seen = {
            str(origin): Seen(int(each["size"]), bytes.fromhex(each["root"]))
            for origin, each in found.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedMemoryError(f"{path} is damaged") from error
    if any(each.size < 0 or len(each.root) != HASH_BYTES for each in seen.values()):
        raise DamagedMemoryError(f"{path} is damaged")
    return seen


def _write(path: Path, seen: Mapping[str, Seen]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    plain = {name: {"size": each.size, "root": each.root.hex()} for name, each in seen.items()}
    with draft.open("w", encoding="utf-8") as file:
        json.dump(plain, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    # The name in the folder must outlast a power cut too.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
