"""What every numbering knows: plain text in, a reading out, and the same form back.

A numbering is a module with

* ``EXAMPLE``: a range as its registry writes it,
* ``read(text)``: the reading of a plain text (see ``plain``), or None when it is none,
* ``write(reading, first, last)``: a part of the block as its registry writes it.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Protocol

LONGEST_TEXT = 300
# Full-width forms that Chinese keyboards type stand for the plain ones; nothing else is read as a
# digit or a letter that it only resembles.
_FULL_WIDTH = {0xFF01 + n: 0x21 + n for n in range(94)} | {0x3000: 0x20}
_NUMBERED = re.compile(r"[0-9]{1,15}")
_RANGE = re.compile(
    # A single hyphen never parts first and last here: it stands inside prefixes.
    r"(?P<prefix>[A-Z0-9./_-]*?)(?<![0-9])(?P<first>[0-9]{1,15})"
    r" ?(?:~|–|—|至|--|\bTO\b) ?"
    r"(?P<again>[A-Z0-9./_-]*?)(?<![0-9])(?P<last>[0-9]{1,15})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a text says. ``prefix``: within it a number is given out once, however it is written.

    ``head``, ``between``, ``tail``: what stands around the numbers; ``width``: digits of the first.
    The rest is what the text states beside them, None or "" where it does not.
    """

    prefix: str
    first: int
    last: int
    head: str
    width: int
    between: str = "~"
    tail: str = ""
    project: str = ""
    country: str = ""
    vintage_year: int | None = None
    period: tuple[date, date] | None = None


class Numbering(Protocol):
    """A module of a folder of this package."""

    EXAMPLE: str

    def read(self, text: str) -> Reading | None:
        """Return what a plain text says, None when it is not of this form."""

    def write(self, reading: Reading, first: int, last: int) -> str:
        """Write a part of the block that was read."""


def plain(text: str) -> str | None:
    """Return a text in plain capitals with single blanks; None for one nobody would write."""
    if len(text) > LONGEST_TEXT:
        return None
    return " ".join(text.translate(_FULL_WIDTH).split()).upper()


def read_marked(text: str, mark: str = "") -> Reading | None:
    """Read ``PREFIX-000001~000120``, with the prefix repeated before the last number or not."""
    match = _RANGE.fullmatch(text)
    if match is None or match["again"] not in {"", match["prefix"]}:
        return None
    if not match["prefix"].startswith(mark):
        return None
    return Reading(
        prefix=match["prefix"],
        first=int(match["first"]),
        last=int(match["last"]),
        head=match["prefix"],
        width=len(match["first"]),
    )


def read_form(form: re.Pattern[str], text: str) -> Reading | None:
    """Read what a form names: ``head``, ``first``, ``last``, ``country``, ``vintage``, ``project``.

    The last of them is optional. What stands between the numbers is written back as it came.
    """
    match = form.fullmatch(text)
    if match is None:
        return None
    return Reading(
        prefix=match["head"],
        first=int(match["first"]),
        last=int(match["last"]),
        head=match["head"],
        between=text[match.end("first") : match.start("last")].lower(),
        width=len(match["first"]),
        project=match.groupdict().get("project", ""),
        country=match["country"],
        vintage_year=int(match["vintage"]),
    )


def write_plain(reading: Reading, first: int, last: int) -> str:
    """Write head, first number, what stands between, last number, tail."""
    numbers = [f"{number:0{reading.width}d}" for number in (first, last)]
    return f"{reading.head}{reading.between.join(numbers)}{reading.tail}"


def day(text: str) -> date | None:
    """Read a day written DDMMYYYY; None when there is no such day."""
    if not re.fullmatch(r"[0-9]{8}", text):
        return None
    try:
        return date(int(text[4:]), int(text[2:4]), int(text[:2]))
    except ValueError:
        return None


def bare_number(text: str) -> str:
    """Return the number in a project's name at its registry: ``VCS0017`` and ``17`` are one."""
    numbers = _NUMBERED.findall(text.translate(_FULL_WIDTH))
    return numbers[0].lstrip("0") or "0" if len(numbers) == 1 else ""
