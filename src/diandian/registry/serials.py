"""Serial numbers as ranges of integers, and grams as places inside them; pure.

First and last are both part of a range, and the count is theirs: 1 to 120 are 120 credits.
*Source:* design of the registry, sections 1.1 and 3.3. No issuing registry has published the exact
form of its serials to us: each parser takes what its samples show and refuses everything else.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from diandian.kernel.mass import GRAMS_PER_TONNE
from diandian.registry.errors import SerialFormatError

GRAMS_PER_CREDIT = GRAMS_PER_TONNE
# A single hyphen never parts first and last: it stands inside prefixes.
_RANGE = re.compile(
    r"(?P<prefix>[A-Z0-9./_-]*?)(?<![0-9])(?P<first>[0-9]{1,15})"
    r"\s*(?:~|–|—|至|--|\bTO\b)\s*"
    r"(?P<again>[A-Z0-9./_-]*?)(?<![0-9])(?P<last>[0-9]{1,15})"
)
_LONGEST_TEXT = 300


class Numbered(Protocol):
    """Whatever has a prefix, ends and the text they were read from (a range, a stored block)."""

    @property
    def prefix(self) -> str:
        """What stands before the number."""

    @property
    def first(self) -> int:
        """The first number, included."""

    @property
    def last(self) -> int:
        """The last number, included."""

    @property
    def raw(self) -> str:
        """The text as it was received."""


@dataclass(frozen=True, slots=True)
class SerialRange:
    """A run of serials: ``first`` >= 1 and ``last`` are both included; ``raw`` is the text read."""

    prefix: str
    first: int
    last: int
    raw: str

    @property
    def count(self) -> int:
        """Return how many credits the range has."""
        return self.last - self.first + 1

    def overlaps(self, other: "SerialRange") -> bool:
        """Tell whether two ranges share a serial."""
        return self.prefix == other.prefix and self.first <= other.last and other.first <= self.last


def _match(text: str) -> re.Match[str]:
    plain = unicodedata.normalize("NFKC", text).strip().upper()
    match = _RANGE.fullmatch(plain) if len(text) <= _LONGEST_TEXT else None
    if match is None:
        raise SerialFormatError(field="serial_text", text=text)
    return match


def parse_generic(text: str) -> SerialRange:
    """Read ``PREFIX-000001~000120``, with the prefix repeated before the last number or not."""
    match = _match(text)
    first, last = int(match["first"]), int(match["last"])
    if first < 1 or last < first or match["again"] not in {"", match["prefix"]}:
        raise SerialFormatError(field="serial_text", text=text)
    return SerialRange(match["prefix"], first, last, text.strip())


def _beginning_with(mark: str) -> Callable[[str], SerialRange]:
    def parse_marked(text: str) -> SerialRange:
        found = parse_generic(text)
        if not found.prefix.startswith(mark):
            raise SerialFormatError(field="serial_text", text=text)
        return found

    return parse_marked


PARSERS: dict[str, Callable[[str], SerialRange]] = {
    "cdcer": _beginning_with("CD"),
    "ccer": _beginning_with("CCER"),
    "generic": parse_generic,
}


def parse(parser_key: str, text: str) -> SerialRange:
    """Read a serial range by the numbering of a programme. Raises: SerialFormatError."""
    parser = PARSERS.get(parser_key)
    if parser is None:
        raise SerialFormatError(field="serial_parser", text=parser_key)
    return parser(text)


def format_serial(block: Numbered, number: int) -> str:
    """Write one serial of a block as its registry does: prefix, then as many digits."""
    if not block.first <= number <= block.last:
        raise ValueError(f"{number} is not within {block.first} to {block.last}")
    width = len(_match(block.raw)["first"])
    return f"{block.prefix}{number:0{width}d}"


def gram_to_serial(first: int, gram: int) -> tuple[int, int]:
    """Return the serial in which a gram of a batch lies, and its place inside it.

    Units: grams from the start of the batch; the place is 0 .. 999,999.
    """
    if gram < 0:
        raise ValueError("grams are counted from zero")
    return first + gram // GRAMS_PER_CREDIT, gram % GRAMS_PER_CREDIT
