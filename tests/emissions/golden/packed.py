"""The part of the corpus that is kept packed: years, diaries and organisers' inventories.

One footprint a line, as in the other files; packed, since their lines are many and alike.
"""

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from diandian.emissions.estimate import Estimate
from tests.emissions.golden import corpus
from tests.emissions.golden.hosts import Guest, Host

ASKED = "asked"


def files() -> list[Path]:
    """Return the packed files."""
    return sorted(corpus.HERE.glob("*.jsonl.gz"))


def text_of(path: Path) -> str:
    """Return what a file holds."""
    return gzip.decompress(path.read_bytes()).decode()


def write(path: Path, text: str) -> None:
    """Write a file; the same text gives the same bytes on the same machine."""
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def digest() -> str:
    """Return one SHA-256 over names and texts: how they are packed is no promise."""
    whole = sha256()
    for path in files():
        whole.update(path.name.encode() + b"\0" + text_of(path).encode())
    return whole.hexdigest()


def asked(host: Host, guests: Estimate) -> dict[str, Any] | None:
    """Return what guests of an inventory said, and what is theirs; None where nobody was asked."""
    if host.guests is None:
        return None
    return {
        "guests": [guest.inputs for guest in host.guests],
        "attendance": host.attendance,
        "organiser_pct": str(host.organiser_pct),
        "city": host.scene.city_key,
        "theirs": [guests.mass_g, guests.low_g, guests.high_g],
    }


def stated() -> Iterator[tuple[str, dict[str, Any]]]:
    """Return every footprint with its name, such as "diary:12"; "asked" where guests were."""
    for path in files():
        first, *rows = text_of(path).splitlines()
        assert json.loads(first) == corpus.COLUMNS
        for number, row in enumerate(rows, 2):
            entry = json.loads(row)
            found = corpus.read(entry) | {ASKED: entry.get(ASKED)}
            yield f"{path.name.partition('.')[0]}:{number}", found


def pct_of(found: dict[str, Any]) -> Decimal:
    """Return the organiser's part of guests' travel."""
    return Decimal(found[ASKED]["organiser_pct"])


__all__ = ["ASKED", "Guest", "asked", "digest", "files", "pct_of", "stated", "text_of", "write"]
