"""Serial numbers as ranges of integers, and grams as places inside them; pure.

First and last are both part of a range, and the count is theirs: 1 to 120 are 120 credits.
*Source:* design of the registry, sections 1.1 and 3.3. How a registry writes its serials is a
folder of ``serial_formats``; each takes what its samples show and refuses everything else.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Protocol, cast

from diandian.kernel.folders import plug_in_modules
from diandian.kernel.mass import GRAMS_PER_TONNE
from diandian.registry.errors import SerialFormatError
from diandian.registry.serial_formats.base import Numbering, Reading, plain

GRAMS_PER_CREDIT = GRAMS_PER_TONNE
_FOLDER = "diandian.registry.serial_formats"
_SHOWN = 80


class Numbered(Protocol):
    """Whatever keeps the text of a range and its numbering (a range, a stored block)."""

    @property
    def first(self) -> int:
        """The first number, included."""

    @property
    def last(self) -> int:
        """The last number, included."""

    @property
    def raw(self) -> str:
        """The text as it was received."""

    @property
    def numbering(self) -> str:
        """The key of the form in which it is written."""


@dataclass(frozen=True, slots=True)
class SerialRange:
    """A run of serials: ``first`` >= 1 and ``last`` are both included; ``raw`` is the text read.

    ``stated``: what the text says beside the numbers.
    """

    prefix: str
    first: int
    last: int
    raw: str
    numbering: str = "generic"
    stated: Reading | None = None

    @property
    def count(self) -> int:
        """Return how many credits the range has."""
        return self.last - self.first + 1

    def overlaps(self, other: "SerialRange") -> bool:
        """Tell whether two ranges share a serial."""
        return self.prefix == other.prefix and self.first <= other.last and other.first <= self.last


@cache
def numberings() -> dict[str, Numbering]:
    """Return every numbering by its key."""
    return {key: cast("Numbering", found) for key, found in plug_in_modules(_FOLDER, "numbering")}


def parse(key: str, text: str) -> SerialRange:
    """Read a serial range by the numbering of a programme. Raises: SerialFormatError."""
    numbering = numberings().get(key)
    if numbering is None:
        raise SerialFormatError(field="serial_parser", text=key[:_SHOWN], example="generic")
    reading = _read(numbering, text)
    if reading is None:
        raise SerialFormatError(field="serial_text", text=text[:_SHOWN], example=numbering.EXAMPLE)
    raw = " ".join(text.split())
    return SerialRange(reading.prefix, reading.first, reading.last, raw, key, reading)


def _read(numbering: Numbering, text: str) -> Reading | None:
    clean = plain(text)
    reading = numbering.read(clean) if clean is not None else None
    if reading is None or reading.first < 1 or reading.last < reading.first:
        return None
    return reading


@lru_cache(maxsize=1024)
def _reading(key: str, raw: str) -> Reading:
    reading = _read(numberings()[key], raw)
    assert reading is not None, "what was read once is read again"
    return reading


def format_serial(block: Numbered, number: int) -> str:
    """Write one serial of a block as its registry does, with as many digits."""
    if not block.first <= number <= block.last:
        raise ValueError(f"{number} is not within {block.first} to {block.last}")
    reading = _reading(block.numbering, block.raw)
    if reading.between == "~":
        return f"{reading.head}{number:0{reading.width}d}"
    # Registries that write ranges only write a single one as a range of one.
    return format_range(block, number, number)


def format_range(block: Numbered, first: int, last: int) -> str:
    """Write some serials of a block as its registry does, both ends included."""
    if not block.first <= first <= last <= block.last:
        raise ValueError(f"{first} to {last} is not within {block.first} to {block.last}")
    numbering = numberings()[block.numbering]
    return numbering.write(_reading(block.numbering, block.raw), first, last)


def gram_to_serial(first: int, gram: int) -> tuple[int, int]:
    """Return the serial in which a gram of a batch lies, and its place inside it.

    Units: grams from the start of the batch; the place is 0 .. 999,999.
    """
    if gram < 0:
        raise ValueError("grams are counted from zero")
    return first + gram // GRAMS_PER_CREDIT, gram % GRAMS_PER_CREDIT
