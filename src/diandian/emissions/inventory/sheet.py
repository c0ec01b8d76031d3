"""A table as rows of texts, from a CSV file or a workbook, whatever a stranger sends.

Rows keep the numbers they have in the file, so that a problem can be found there.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import NoReturn

from diandian.emissions.inventory.errors import SheetError
from diandian.kernel.errors import N_

MOST_BYTES = 2_000_000
MOST_ROWS, MOST_COLUMNS, MOST_CHARACTERS = 5000, 40, 2000
WHY = {
    "empty": N_("it is empty"),
    "large": N_("it is larger than 2 MB"),
    "rows": N_("it has more than 5,000 rows; please split it"),
    "columns": N_("it has more than 40 columns"),
    "cell": N_("a cell is longer than 2,000 characters"),
    "encoding": N_("its text is in no encoding we know; please save it as CSV in UTF-8"),
    "quotes": N_("a quotation mark is not closed"),
    "old": N_("it is protected by a password or an old .xls; please save it as .xlsx or CSV"),
    "broken": N_("it is damaged, or not a workbook"),
    "bomb": N_("it unpacks to far more than it should"),
    "dtd": N_("it holds instructions that a table does not need"),
    "merged": N_("it has merged cells; please separate them, so that each row says all it means"),
    "header": N_("its first row must name the columns “activity” and “amount”"),
    "repeated": N_("two columns bear the same name"),
}
_ZIP, _OLD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows by their number in the file, blank ones left out. ``separator``: of a CSV, or ""."""

    rows: tuple[tuple[int, tuple[str, ...]], ...]
    separator: str = ""


def refuse(why: str) -> NoReturn:
    """Raise SheetError for a key of WHY."""
    raise SheetError(field="file", why=WHY[why])


def read_csv(data: bytes) -> Table:
    """Read a CSV file: UTF-8, UTF-16 with its mark, or GB 18030 as Chinese spreadsheets save it.

    Raises: SheetError.
    """
    text = _decoded(data)
    separator = _separator(text)
    csv.field_size_limit(MOST_BYTES)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[tuple[int, tuple[str, ...]]] = []
    number = 0
    while True:
        start = number + 1
        try:
            cells = next(lines)
        except StopIteration:
            break
        except csv.Error:
            refuse("quotes")
        number += 1
        checked = checked_row(cells)
        if checked:
            rows.append((start, checked))
        if len(rows) > MOST_ROWS + 1:
            refuse("rows")
    return Table(tuple(rows), separator)


def checked_row(cells: list[str]) -> tuple[str, ...]:
    """Return the trimmed cells of a row, () for a blank one. Raises: SheetError."""
    trimmed = [cell.strip() for cell in cells]
    while trimmed and not trimmed[-1]:
        trimmed.pop()
    if len(trimmed) > MOST_COLUMNS:
        refuse("columns")
    if any(len(cell) > MOST_CHARACTERS for cell in trimmed):
        refuse("cell")
    return tuple(trimmed)


def looks_like_workbook(data: bytes) -> bool:
    """Tell whether bytes begin as a workbook does. Raises: SheetError on one nobody can read."""
    if not data.strip():
        refuse("empty")
    if len(data) > MOST_BYTES:
        refuse("large")
    if data.startswith(_OLD):
        refuse("old")
    return data.startswith(_ZIP)


def _decoded(data: bytes) -> str:
    marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for codec in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    refuse("encoding")


def _separator(text: str) -> str:
    head = text.lstrip("\r\n").partition("\n")[0]
    return max((",", ";", "\t"), key=head.count)
