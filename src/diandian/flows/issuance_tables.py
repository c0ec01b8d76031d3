"""Files of issuances as an issuing registry's clerk fills them in: CSV, .xlsx or JSON; reads only.

One row is one issuance. Every problem is told by row and column. A column that is not known is a
problem as well: a buffer in a misspelt column must not be left out unseen.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn, cast

from diandian.emissions.inventory.errors import SheetError
from diandian.emissions.inventory.sheet import MOST_BYTES, looks_like_workbook, read_csv
from diandian.emissions.inventory.sheet import WHY as SHEET_WHY
from diandian.emissions.inventory.workbook import read_workbook
from diandian.flows.issuance import Issuance, OutsideRetirement
from diandian.kernel.clock import business_day, now
from diandian.kernel.errors import N_, DiandianError
from diandian.kernel.mass import GRAMS_PER_TONNE
from diandian.registry.batches.facts import BatchFacts, is_digest
from diandian.registry.errors import CellError, FileRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MOST_ROWS = 500
_MOST_TONNES = 10**9
_SHOWN = 60
_FIRST_EXCEL_DAY = date(1899, 12, 30)
_EXCEL_DAYS = range(20_000, 80_000)
WHY = {
    "needed": N_("it is missing"),
    "day": N_("a day is written 2026-01-31"),
    "future": N_("this day has not come yet"),
    "url": N_("an address begins with https:// or http://"),
    "instant": N_("a moment is written 2026-01-31T08:00Z"),
    "whole": N_("only a whole number can stand here"),
    "flag": N_("yes or no"),
    "choice": N_("it is none of the words that can stand here"),
    "long": N_("it is too long"),
    "formula": N_("it looks like a formula"),
    "sign": N_("it has signs that nobody can see"),
    "digest": N_("a digest has 64 hexadecimal digits (SHA-256)"),
    "column": N_("there is no such column"),
    "alone": N_("the retirement outside needs first, last, reference, time and digest together"),
    "json": N_("it is not JSON with a list of issuances"),
    "empty": N_("it is empty"),
    "rows": N_("it has more than 500 rows; please split it"),
    "header": N_("its first row must name the columns of the template"),
    "repeated": N_("two columns bear the same name"),
}


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


# --- cells --------------------------------------------------------------------------------------


def _bad(why: str, value: str) -> NoReturn:
    raise CellError(why=WHY[why], value=_seen(value))


def _seen(text: str) -> str:
    """Return the beginning of a stranger's text, without signs that act on a terminal."""
    return "".join(each for each in text[:_SHOWN] if each.isprintable())


def _words(most: int) -> Callable[[str], str]:
    def read(value: str) -> str:
        if len(value) > most:
            _bad("long", value)
        if not value.isprintable():
            _bad("sign", value)
        return value

    return read


def _whole(value: str) -> int:
    plain = value.replace(",", "") if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+", value) else value
    if not re.fullmatch(r"[0-9]{1,10}", plain) or int(plain) > _MOST_TONNES:
        _bad("whole", value)
    return int(plain)


def _day(value: str) -> date:
    if re.fullmatch(r"[0-9]{5}", value) and int(value) in _EXCEL_DAYS:
        return _FIRST_EXCEL_DAY + timedelta(days=int(value))  # as a workbook keeps a day
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        _bad("day", value)
    try:
        return date.fromisoformat(value)
    except ValueError:
        _bad("day", value)


def _past_day(value: str) -> date:
    found = _day(value)
    if found > business_day(now()):
        _bad("future", value)
    return found


def _instant(value: str) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        _bad("instant", value)
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    if found > now():
        _bad("future", value)
    return found


def _url(value: str) -> str:
    if not re.match(r"https?://[^\s/]", value):
        _bad("url", value)
    return _words(200)(value)


def _flag(value: str) -> bool:
    said = value.casefold()
    if said not in _YES | _NO:
        _bad("flag", value)
    return said in _YES


_YES = {"yes", "true", "1", "是", "ja"}
_NO = {"no", "false", "0", "否", "nee"}


def _choice(*words: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        found = re.sub(r"[\s-]+", "_", value.casefold())
        if found not in words:
            _bad("choice", value)
        return found

    return read


def _digest(value: str) -> str:
    if not is_digest(value.lower()):
        _bad("digest", value)
    return value.lower()


_DECLARED = ("committed", "not_required", "unknown")
_ADJUSTED = ("not_started", "pending", "completed")
# The columns of the template in their order: how a cell is read, and the same word in Chinese and
# Dutch.
_COLUMNS: dict[str, tuple[Callable[[str], Any], str]] = {
    "project": (_words(40), "项目 project"),
    "serials": (_words(300), "编号 serienummers"),
    "quantity": (_whole, "数量 aantal"),
    "vintage_year": (_whole, "年份 jaargang"),
    "period_start": (_day, "监测期开始 periode_begin"),
    "period_end": (_day, "监测期结束 periode_eind"),
    "custody": (_choice("external", "native"), "托管 bewaring"),
    "verified_by": (_words(120), "核证机构 verificateur"),
    "verified_on": (_past_day, "核证日期 geverifieerd_op"),
    "verification_ref": (_words(120), "核证报告 verificatierapport"),
    "verified_tonnes": (_whole, "核证吨数 geverifieerde_ton"),
    "evidence_sha256": (_digest, "凭证摘要 bewijs_sha256"),
    "site": (_words(40), "地块 perceel"),
    "ex_ante": (_flag, "事前 vooraf"),
    "buffer_tonnes": (_whole, "缓冲吨数 buffer_ton"),
    "credit_class": (_choice("allowance", "ccer", "puhui", "other"), "类别 klasse"),
    "recognition_evidence": (_words(300), "认可依据 erkenning"),
    "recognised_on": (_past_day, "认可日期 erkend_op"),
    "recognition_sha256": (_digest, "认可文件摘要 erkenning_sha256"),
    "adjustment_declaration": (_choice(*_DECLARED), "相应调整声明 correctieverklaring"),
    "adjustment_status": (_choice(*_ADJUSTED), "相应调整状态 correctiestatus"),
    "adjustment_reference": (_words(200), "相应调整依据 correctieverwijzing"),
    "adjustment_on": (_past_day, "相应调整日期 gecorrigeerd_op"),
    "ccp_reference": (_words(200), "CCP依据 ccp_verwijzing"),
    "ccp_on": (_past_day, "CCP日期 ccp_op"),
    "source_ref": (_words(120), "来源编号 bron"),
    "sample": (_flag, "示例 voorbeeld"),
    "retired_first": (_whole, "已注销起始吨 vernietigd_eerste"),
    "retired_last": (_whole, "已注销末尾吨 vernietigd_laatste"),
    "retired_reference": (_words(120), "注销编号 vernietigd_verwijzing"),
    "retired_at": (_instant, "注销时间 vernietigd_op"),
    "retired_sha256": (_digest, "注销凭证摘要 vernietigd_sha256"),
    "retired_url": (_url, "注销网址 vernietigd_url"),
    "retired_simulated": (_flag, "模拟注销 vernietigd_gesimuleerd"),
}  # fmt: skip
COLUMNS = tuple(_COLUMNS)
NEEDED = ("project", "serials", "quantity", "vintage_year", "period_start", "period_end")
_RETIRED = ("retired_first", "retired_last", "retired_reference", "retired_at", "retired_sha256")
_BY_WORD = {
    word.casefold(): name
    for name, (_, words) in _COLUMNS.items()
    for word in (name, *words.split())
}
_STATED = tuple(name for name in BatchFacts.__annotations__ if name in _COLUMNS)


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
    header = [_BY_WORD.get(_word(name), name) for name in table.rows[0][1]]
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
            texts[_BY_WORD.get(_word(name), name)] = str(value).strip()
        else:
            texts[name] = "9" * 16
    return {name: text for name, text in texts.items() if text}


# --- rows ---------------------------------------------------------------------------------------


def _row(number: int, raw: Mapping[str, str]) -> Row:
    values: dict[str, Any] = {}
    problems = []
    for name, text in raw.items():
        try:
            if name not in _COLUMNS:
                _bad("column", name)
            if text[:1] in {"=", "+", "@"} or text[:2] == "-=":
                _bad("formula", text)
            values[name] = _COLUMNS[name][0](text)
        except CellError as error:
            problems.append(Problem(number, _seen(name), error))
    missing = [name for name in NEEDED if name not in raw]
    if any(name in raw for name in _RETIRED) and not all(name in raw for name in _RETIRED):
        alone = CellError(why=WHY["alone"], value=_seen(raw.get("retired_reference", "")))
        problems.append(Problem(number, "retired_first", alone))
    problems += [Problem(number, name, CellError(why=WHY["needed"], value="")) for name in missing]
    shown = (_seen(raw.get("project", "")), _seen(raw.get("serials", "")))
    problems.sort(key=lambda each: _place(each.column))
    return Row(number, *shown, None if problems else _issuance(values), tuple(problems))


def _place(column: str) -> int:
    return COLUMNS.index(column) if column in _COLUMNS else len(COLUMNS)


def _issuance(values: Mapping[str, Any]) -> Issuance:
    facts = cast("BatchFacts", {name: values[name] for name in _STATED if name in values})
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
