"""Imports a table of entries: every problem by row and column, and all or nothing.

``dry_run`` reads a whole file and says everything that is wrong with it. Its entries are there
only when nothing is, so that nothing can be half-imported.
*Source:* methodology, section 10.1 (the same activity is counted once).
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diandian.emissions.inventory.activities import ACTIVITIES
from diandian.emissions.inventory.entries import FIELDS, Entry, Reader
from diandian.emissions.inventory.errors import DuplicateRowError
from diandian.emissions.inventory.sheet import Table, looks_like_workbook, read_csv, refuse
from diandian.emissions.inventory.workbook import read_workbook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.inventory.boundary import HostSource
    from diandian.kernel.errors import InputError

_NEEDED = ("activity", "amount")
# Column names as the three languages' templates have them.
_COLUMNS = {
    "activity": "活动 activiteit",
    "category": "来源 source bron",
    "amount": "数量 hoeveelheid",
    "unit": "单位 eenheid",
    "quality": "数据来源 kwaliteit",
    "share_pct": "占比 aandeel_pct",
    "uses": "使用次数 gebruik",
    "owner": "归属 eigenaar",
    "own_value": "自有因子 eigen_waarde",
    "own_source": "因子来源 eigen_bron",
    "own_doubt_pct": "因子不确定度 eigen_onzekerheid_pct",
    "note": "备注 opmerking",
    "evidence": "凭证 bewijs",
}
_BY_COLUMN = {word: field for field, words in _COLUMNS.items() for word in (field, *words.split())}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one cell. ``row`` as in the file; ``column``: the field."""

    row: int
    column: str
    error: InputError


@dataclass(frozen=True, slots=True)
class Import:
    """What a file holds. ``entries`` is empty while there is a problem.

    ``unknown_columns``: names of columns that were not read; they are no problem.
    """

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    rows: int
    unknown_columns: tuple[str, ...]


def dry_run(
    data: bytes, factors: FactorSet, region: str, *, names: Mapping[str, str] | None = None
) -> Import:
    """Read a CSV or .xlsx file of entries.

    ``names``: translated words by the key they mean, in lower case (see ``Reader``). Keys of
    entries are "row 2" and so on. Raises: SheetError when the file is no such table.
    """
    table = read_workbook(data) if looks_like_workbook(data) else read_csv(data)
    if not table.rows:
        refuse("empty")
    columns, unknown = _columns(table.rows[0][1])
    reader = Reader(factors, region, names or {}, comma_fractions=table.separator == ";")
    entries, problems = _read(table, columns, reader)
    if not entries and not problems:
        refuse("empty")
    rows = len(table.rows) - 1
    return Import(() if problems else tuple(entries), tuple(problems), rows, unknown)


def _columns(header: Iterable[str]) -> tuple[dict[int, str], tuple[str, ...]]:
    columns: dict[int, str] = {}
    unknown = []
    for number, name in enumerate(header):
        field = _BY_COLUMN.get(name.casefold().replace(" ", "_"))
        if field in columns.values():
            refuse("repeated")
        if field is not None:
            columns[number] = field
        elif name:
            unknown.append(name)
    if not set(_NEEDED) <= set(columns.values()):
        refuse("header")
    return columns, tuple(unknown)


def _read(
    table: Table, columns: Mapping[int, str], reader: Reader
) -> tuple[list[Entry], list[Problem]]:
    entries: list[Entry] = []
    problems: list[Problem] = []
    seen: dict[tuple[object, ...], int] = {}
    for number, cells in table.rows[1:]:
        raw = {field: cells[at] for at, field in columns.items() if at < len(cells)}
        if not any(raw.values()):
            continue
        read = reader.read(raw, f"row {number}")
        if read.entry is None:
            problems += [Problem(number, field, error) for field, error in read.errors.items()]
            continue
        same = tuple(value for name, value in read.entry.to_json().items() if name != "key")
        other = seen.setdefault(tuple(map(str, same)), number)
        if other != number:
            error = DuplicateRowError(field="activity", other=other)
            problems.append(Problem(number, "activity", error))
        entries.append(read.entry)
    order = {field: place for place, field in enumerate(FIELDS)}
    problems.sort(key=lambda problem: (problem.row, order.get(problem.column, 0)))
    return entries, problems


def template(sources: Iterable[HostSource]) -> str:
    """Return a CSV to fill in: the columns, and a row without an amount for each source.

    It begins with a byte order mark, so that spreadsheets read it as UTF-8.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(FIELDS)
    for source in sources:
        if source.category in {"attendee_travel", "attendee_lodging"}:
            continue  # the guests say that themselves
        row = dict.fromkeys(FIELDS, "")
        row |= {
            "activity": source.activity,
            "category": source.category,
            "unit": ACTIVITIES[source.activity].unit,
            "quality": "estimated",
            "share_pct": "100",
            "uses": "1",
            "owner": "organiser",
        }
        writer.writerow(row.values())
    return "\ufeff" + out.getvalue()
