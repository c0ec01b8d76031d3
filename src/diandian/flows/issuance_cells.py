"""The columns of a file of issuances: how a cell is read, and in which words it is refused; pure.

What a cell says is taken as it stands or named with its reason; nothing is guessed.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from diandian.kernel.clock import business_day, now
from diandian.kernel.errors import N_
from diandian.registry.batches.facts import BatchFacts, is_digest
from diandian.registry.errors import CellError

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_TONNES = 10**9
SHOWN = 60
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


def bad(why: str, value: str) -> NoReturn:
    """Refuse a cell, by a key of WHY. Raises: CellError."""
    raise CellError(why=WHY[why], value=seen(value))


def seen(text: str) -> str:
    """Return the beginning of a stranger's text, without signs that act on a terminal."""
    return "".join(each for each in text[:SHOWN] if each.isprintable())


def _words(most: int) -> Callable[[str], str]:
    def read(value: str) -> str:
        if len(value) > most:
            bad("long", value)
        if not value.isprintable():
            bad("sign", value)
        return value

    return read


def _whole(value: str) -> int:
    plain = value.replace(",", "") if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+", value) else value
    if not re.fullmatch(r"[0-9]{1,10}", plain) or int(plain) > _MOST_TONNES:
        bad("whole", value)
    return int(plain)


def _day(value: str) -> date:
    if re.fullmatch(r"[0-9]{5}", value) and int(value) in _EXCEL_DAYS:
        return _FIRST_EXCEL_DAY + timedelta(days=int(value))  # as a workbook keeps a day
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        bad("day", value)
    try:
        return date.fromisoformat(value)
    except ValueError:
        bad("day", value)


def _past_day(value: str) -> date:
    found = _day(value)
    if found > business_day(now()):
        bad("future", value)
    return found


def _instant(value: str) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        bad("instant", value)
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    if found > now():
        bad("future", value)
    return found


def _url(value: str) -> str:
    if not re.match(r"https?://[^\s/]", value):
        bad("url", value)
    return _words(200)(value)


def _flag(value: str) -> bool:
    said = value.casefold()
    if said not in _YES | _NO:
        bad("flag", value)
    return said in _YES


_YES = {"yes", "true", "1", "是", "ja"}
_NO = {"no", "false", "0", "否", "nee"}


def _choice(*words: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        found = re.sub(r"[\s-]+", "_", value.casefold())
        if found not in words:
            bad("choice", value)
        return found

    return read


def _digest(value: str) -> str:
    if not is_digest(value.lower()):
        bad("digest", value)
    return value.lower()


_DECLARED = ("committed", "not_required", "unknown")
_ADJUSTED = ("not_started", "pending", "completed")
# The columns of the template in their order: how a cell is read, and the same word in Chinese and
# Dutch.
READERS: dict[str, tuple[Callable[[str], Any], str]] = {
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
    "retired_first": (_whole, "已注销起始吨 afgeboekt_eerste"),
    "retired_last": (_whole, "已注销末尾吨 afgeboekt_laatste"),
    "retired_reference": (_words(120), "注销编号 afgeboekt_verwijzing"),
    "retired_at": (_instant, "注销时间 afgeboekt_op"),
    "retired_sha256": (_digest, "注销凭证摘要 afgeboekt_sha256"),
    "retired_url": (_url, "注销网址 afgeboekt_url"),
    "retired_simulated": (_flag, "模拟注销 afgeboekt_gesimuleerd"),
}  # fmt: skip
COLUMNS = tuple(READERS)
NEEDED = ("project", "serials", "quantity", "vintage_year", "period_start", "period_end")
RETIRED = ("retired_first", "retired_last", "retired_reference", "retired_at", "retired_sha256")
BY_WORD = {
    word.casefold(): name for name, (_, words) in READERS.items() for word in (name, *words.split())
}
STATED = tuple(name for name in BatchFacts.__annotations__ if name in READERS)
