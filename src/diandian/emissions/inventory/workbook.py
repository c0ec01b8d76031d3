"""Reads the first sheet of an .xlsx with the standard library only.

A workbook is a zip of XML from a stranger: sizes are bounded before anything is unpacked, a
document type is refused before any entity could be declared, and nothing but cells is looked at.
Formulas give the value that was stored when the file was saved; they are not computed.
*Source:* ECMA-376 part 1, SpreadsheetML (cells, shared and inline strings).
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import TYPE_CHECKING
from xml.parsers import expat

from diandian.emissions.inventory.sheet import MOST_COLUMNS, MOST_ROWS, Table, checked_row, refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    _Start = Callable[[str, dict[str, str]], None]
    _Name = Callable[[str], None]

MOST_PARTS, MOST_UNPACKED = 500, 20_000_000
_BOOK, _LINKS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_STRINGS = "xl/sharedStrings.xml"
# zipfile's own word for an encrypted part or an unknown compression (RuntimeError, and what
# derives from it) is a refusal of the file like all others.
_BROKEN = (
    zipfile.BadZipFile, zlib.error, expat.ExpatError, KeyError, ValueError, OSError, EOFError,
    RuntimeError,
)  # fmt: skip
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


def read_workbook(data: bytes) -> Table:
    """Return the rows of the first sheet. Raises: SheetError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            _check_sizes(book)
            strings = _Strings()
            if _STRINGS in book.namelist():
                _parse(book, _STRINGS, strings.start, strings.end, strings.text)
            cells = _Cells(strings.found)
            _parse(book, _first_sheet(book), cells.start, cells.end, cells.text)
    except _BROKEN:
        refuse("broken")
    return Table(tuple(cells.rows()))


def _check_sizes(book: zipfile.ZipFile) -> None:
    parts = book.infolist()
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        refuse("bomb")


def _parse(book: zipfile.ZipFile, name: str, start: _Start, end: _Name, text: _Name) -> None:
    with book.open(name) as part:
        content = part.read(MOST_UNPACKED + 1)
    if len(content) > MOST_UNPACKED:  # the size in the list is the sender's word
        refuse("bomb")
    parser = expat.ParserCreate("UTF-8", " ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = lambda *_: refuse("dtd")
    parser.StartElementHandler = lambda tag, attributes: start(tag.rpartition(" ")[2], attributes)
    parser.EndElementHandler = lambda tag: end(tag.rpartition(" ")[2])
    parser.CharacterDataHandler = text
    parser.Parse(content, True)  # noqa: FBT003 - expat takes no names


def _first_sheet(book: zipfile.ZipFile) -> str:
    ids: list[str] = []
    targets: dict[str, str] = {}

    def sheet(tag: str, attributes: dict[str, str]) -> None:
        if tag == "sheet":
            ids.extend(value for name, value in attributes.items() if name.endswith(" id"))

    def link(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    _parse(book, _BOOK, sheet, _nothing, _nothing)
    _parse(book, _LINKS, link, _nothing, _nothing)
    target = targets[ids[0]] if ids else ""
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _nothing(_: str) -> None:
    """Let what is not a table pass."""


class _Strings:
    """Collects shared strings; readings of Chinese or Japanese words (rPh) are no part of them."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._parts: list[str] = []
        self._reading = 0
        self._inside = False

    def start(self, tag: str, _: dict[str, str]) -> None:
        if tag == "si":
            self._parts = []
        elif tag == "rPh":
            self._reading += 1
        elif tag == "t":
            self._inside = not self._reading

    def end(self, tag: str) -> None:
        if tag == "si":
            self.found.append("".join(self._parts))
        elif tag == "rPh":
            self._reading -= 1
        elif tag == "t":
            self._inside = False

    def text(self, words: str) -> None:
        if self._inside:
            self._parts.append(words)


class _Cells:
    """Collects cells by row and column."""

    def __init__(self, strings: list[str]) -> None:
        self._strings = strings
        self._rows: dict[int, dict[int, str]] = {}
        self._row = 0
        self._column = -1
        self._kind = ""
        self._parts: list[str] = []
        self._inside = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "row":
            self._row = int(number) if (number := attributes.get("r", "")).isdecimal() else (
                self._row + 1
            )  # fmt: skip
            self._column = -1
        elif tag == "c":
            match = _REFERENCE.fullmatch(attributes.get("r", ""))
            self._column = _column(match[1]) if match else self._column + 1
            self._kind = attributes.get("t", "n")
            self._parts = []
        elif tag in {"v", "t"}:
            self._inside = True
        elif tag == "mergeCell":
            # Only the first of them holds the text: the other rows would take a default for it.
            refuse("merged")

    def end(self, tag: str) -> None:
        if tag in {"v", "t"}:
            self._inside = False
        elif tag == "c":
            self._keep()

    def text(self, words: str) -> None:
        if self._inside:
            self._parts.append(words)

    def _keep(self) -> None:
        value = "".join(self._parts)
        if self._kind == "s" and value:
            if not value.isdecimal() or int(value) >= len(self._strings):
                refuse("broken")
            value = self._strings[int(value)]
        if not value.strip():
            return
        if self._column >= MOST_COLUMNS:
            refuse("columns")
        self._rows.setdefault(self._row, {})[self._column] = value
        if len(self._rows) > MOST_ROWS + 1:
            refuse("rows")

    def rows(self) -> list[tuple[int, tuple[str, ...]]]:
        """Return the rows in order, blank cells as ""."""
        found = []
        for number in sorted(self._rows):
            row = self._rows[number]
            cells = checked_row([row.get(column, "") for column in range(max(row) + 1)])
            found.append((number, cells))
        return found


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
