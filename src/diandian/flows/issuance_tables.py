"""Files of issuances as an issuing registry's clerk fills them in: CSV, .xlsx or JSON; reads only.

One row is one issuance. Every problem is told by row and column. A column that is not known is a
problem as well: a buffer in a misspelt column must not be left out unseen.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, cast

from diandian.emissions.inventory.errors import SheetError
from diandian.emissions.inventory.sheet import MOST_BYTES, looks_like_workbook, read_csv
from diandian.emissions.inventory.sheet import WHY as SHEET_WHY
from diandian.emissions.inventory.workbook import read_workbook
from diandian.flows.issuance import Issuance, OutsideRetirement
from diandian.flows.issuance_cells import (
    BY_WORD,
    COLUMNS,
    NEEDED,
    READERS,
    RETIRED,
    STATED,
    WHY,
    bad,
    seen,
)
from diandian.kernel.mass import GRAMS_PER_TONNE
from diandian.registry.errors import CellError, FileRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diandian.kernel.errors import DiandianError
    from diandian.registry.batches.facts import BatchFacts

MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a cell. ``row`` as in the file; ``column``: the name of the template."""

    row: int
    column: str
    error: DiandianError


@dataclass(frozen=True, slots=True)
class Row:
    """One issuance of a file; ``issuance`` is None where a cell could not be read."""

    number: int
    project: str
    serials: str
    issuance: Issuance | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds. ``digest``: SHA-256 of its bytes."""

    rows: tuple[Row, ...]
    digest: str


# --- files --------------------------------------------------------------------------------------


def read(data: bytes) -> Table:
    """Read a file of issuances, whatever a stranger sends. Raises: FileRefusedError."""
    try:
        is_workbook = looks_like_workbook(data)
        if not is_workbook and data.lstrip()[:1] in {b"{", b"["}:
            cells = _of_json(data)
        else:
            cells = _of_table(read_workbook(data) if is_workbook else read_csv(data))
    except SheetError as error:
        raise FileRefusedError(field="file", why=str(error.params["why"])) from error
    if not cells:
        refuse("empty")
    if len(cells) > MOST_ROWS:
        refuse("rows")
    return Table(
        tuple(_row(number, raw) for number, raw in cells), hashlib.sha256(data).hexdigest()
    )


def refuse(why: str) -> NoReturn:
    """Raise FileRefusedError for a key of WHY."""
    raise FileRefusedError(field="file", why=WHY[why])


def too_large() -> NoReturn:
    """Refuse a file by its size. Raises: FileRefusedError."""
    raise FileRefusedError(field="file", why=SHEET_WHY["large"])


def _of_table(table: Any) -> list[tuple[int, dict[str, str]]]:  # noqa: ANN401 - rows of texts
    if not table.rows:
        return []
    header = [BY_WORD.get(_word(name), name) for name in table.rows[0][1]]
    named = [name for name in header if name]
    if not set(NEEDED) <= set(named):
        refuse("header")
    if len(named) != len(set(named)):
        refuse("repeated")
    return [
        (number, {name: cell for name, cell in zip(header, cells, strict=False) if cell})
        for number, cells in table.rows[1:]
        if any(cells)
    ]


def _word(name: str) -> str:
    return name.strip().casefold().replace(" ", "_")


def _of_json(data: bytes) -> list[tuple[int, dict[str, str]]]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        refuse("json")
    rows = found.get("issuances") if isinstance(found, dict) else found
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        refuse("json")
    return [(number, _texts(row)) for number, row in enumerate(rows, start=1)]


def _texts(row: Mapping[str, object]) -> dict[str, str]:
    texts = {}
    for name, value in row.items():
        if value is None:
            continue
        if isinstance(value, bool):
            value = "yes" if value else "no"  # noqa: PLW2901 - the same value as a text
        if not isinstance(value, str | int):
            refuse("json")
        if isinstance(value, str) or abs(value) < 10**15:
            texts[BY_WORD.get(_word(name), name)] = str(value).strip()
        else:
            texts[name] = "9" * 16
    return {name: text for name, text in texts.items() if text}


# --- rows ---------------------------------------------------------------------------------------


def _row(number: int, raw: Mapping[str, str]) -> Row:
    values: dict[str, Any] = {}
    problems = []
    for name, text in raw.items():
        try:
            if name not in READERS:
                bad("column", name)
            if text[:1] in {"=", "+", "@"} or text[:2] == "-=":
                bad("formula", text)
            values[name] = READERS[name][0](text)
        except CellError as error:
            problems.append(Problem(number, seen(name), error))
    missing = [name for name in NEEDED if name not in raw]
    if any(name in raw for name in RETIRED) and not all(name in raw for name in RETIRED):
        alone = CellError(why=WHY["alone"], value=seen(raw.get("retired_reference", "")))
        problems.append(Problem(number, "retired_first", alone))
    problems += [Problem(number, name, CellError(why=WHY["needed"], value="")) for name in missing]
    shown = (seen(raw.get("project", "")), seen(raw.get("serials", "")))
    problems.sort(key=lambda each: _place(each.column))
    return Row(number, *shown, None if problems else _issuance(values), tuple(problems))


def _place(column: str) -> int:
    return COLUMNS.index(column) if column in READERS else len(COLUMNS)


def _issuance(values: Mapping[str, Any]) -> Issuance:
    facts = cast("BatchFacts", {name: values[name] for name in STATED if name in values})
    if "verified_tonnes" in values:
        facts["verified_g"] = values["verified_tonnes"] * GRAMS_PER_TONNE
    retired = []
    if "retired_first" in values:
        retired.append(
            OutsideRetirement(
                first_tonne=values["retired_first"],
                last_tonne=values["retired_last"],
                reference=values["retired_reference"],
                retired_at=values["retired_at"],
                evidence_sha256=values["retired_sha256"],
                registry_url=values.get("retired_url", ""),
                is_simulated=values.get("retired_simulated", False),
            )
        )
    return Issuance(
        serial_text=values["serials"],
        quantity=values["quantity"],
        vintage_year=values["vintage_year"],
        period_start=values["period_start"],
        period_end=values["period_end"],
        custody=values.get("custody", "external"),
        source_ref=values.get("source_ref", "") or _source(values["project"], values["serials"]),
        site_code=values.get("site", ""),
        buffer_g=values.get("buffer_tonnes", 0) * GRAMS_PER_TONNE,
        is_ex_ante=values.get("ex_ante", False),
        is_sample=values.get("sample", False),
        facts=facts,
        retired=retired,
    )


def _source(project: str, serials: str) -> str:
    """Return a name for an issuance without one: the same serials again are the same issuance."""
    said = "".join(serials.split()).upper()
    return f"serials:{project}:{hashlib.sha256(said.encode()).hexdigest()[:32]}"


def template() -> str:
    """Return a CSV to fill in: the columns and one invented row, marked as a sample.

    It begins with a byte order mark, so that spreadsheets read it as UTF-8.
    """
    row = dict.fromkeys(COLUMNS, "") | {
        "project": "sample-rooftop-solar",
        "serials": "CDCER-SAMPLE-PV26-000001~000120",
        "quantity": "120",
        "vintage_year": "2025",
        "period_start": "2025-01-01",
        "period_end": "2025-12-31",
        "custody": "external",
        "verified_by": "Sample verifier",
        "verified_on": "2026-02-01",
        "verification_ref": "SAMPLE-REPORT-1",
        "verified_tonnes": "120",
        "credit_class": "puhui",
        "sample": "yes",
    }
    return "\ufeff" + _csv([COLUMNS, tuple(row.values())])


def _csv(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


__all__ = [
    "COLUMNS", "MOST_BYTES", "MOST_ROWS", "WHY", "Problem", "Row", "Table", "read", "template",
    "too_large",
]  # fmt: skip
