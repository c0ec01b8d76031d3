"""The diary: what was done on which day, and the course of the months.

An entry is one known activity on one day, or an hour or a bill of it. Values only: where they are
kept is the reader's own matter. A diary and a year's estimate are two views of one life and are
never added up.
*Source:* methodology, sections 8 and 9.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from diandian.emissions.errors import UnknownChoiceError
from diandian.emissions.estimate import finish
from diandian.emissions.life import calculator
from diandian.emissions.life.entries import (
    BASES,
    Entry,
    entry_lines,
    read_activity,
    read_amount,
)
from diandian.emissions.life.errors import NotADayError, TooManyEntriesError
from diandian.emissions.life.home import MOST_PEOPLE
from diandian.emissions.lines import M1, ONE
from diandian.emissions.numbers import plain, read_number
from diandian.kernel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from diandian.emissions.estimate import Estimate
    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.lines import Line

T = TypeVar("T")
KIND = "life_diary"
MOST_ENTRIES = 5000
EARLIEST = date(2000, 1, 1)
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class DiaryEntry:
    """One activity on one day. ``people``: how many share a bill of the home, 1 for no sharing."""

    day: date
    entry: Entry
    people: int = 1

    def to_json(self) -> dict[str, Any]:
        """Return text and whole numbers only: what an export holds."""
        return {
            "day": self.day.isoformat(),
            "activity": self.entry.activity,
            "amount": plain(self.entry.amount),
            "unit": self.entry.known.unit,
            "basis": self.entry.basis,
            "people": self.people,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DiaryEntry:
        """Return the entry that ``to_json`` described."""
        entry = Entry(data["activity"], Decimal(data["amount"]), data["basis"])
        return cls(date.fromisoformat(data["day"]), entry, int(data["people"]))


@dataclass(slots=True)
class ParsedEntry:
    """An entry, or refusals by field: "day", "activity", "amount", "unit", "basis", "people"."""

    entry: DiaryEntry | None = None
    errors: dict[str, InputError] = field(default_factory=dict)


class Month(NamedTuple):
    """A month's sum. Unit: grams of CO2e. ``days``: days with an entry."""

    year: int
    month: int
    mass_g: int
    by_group: dict[str, int]
    lines: tuple[Line, ...]
    days: int


def read_day(text: str, today: date) -> date:
    """Return a day written as 2026-11-22, 2026/11/22 or 2026年11月22日.

    Raises: NotADayError for anything else, for days to come and for those before 2000.
    """
    typed = unicodedata.normalize("NFKC", text).strip()
    match = _DAY.match(typed)
    try:
        found = date(*map(int, match.groups())) if match else None
    except ValueError:
        found = None
    if found is None or not EARLIEST <= found <= today:
        raise NotADayError(field="day", given=typed[:40])
    return found


def read_entry(
    region: str, raw: Mapping[str, str], factor_set: FactorSet, *, today: date
) -> ParsedEntry:
    """Read one entry; each field is understood or has an error of its own.

    ``raw``: "day", "activity", "amount", and where wanted "unit", "basis", "people". ``today``:
    the reader's own day, later ones are refused. Raises: UnknownChoiceError for the region.
    """
    context = calculator.context_of(region)
    parsed = ParsedEntry()

    def understood(read: Callable[[], T]) -> T | None:
        try:
            return read()
        except InputError as error:
            parsed.errors[error.field] = error
            return None

    day = understood(lambda: read_day(raw.get("day", ""), today))
    known = understood(
        lambda: read_activity(raw.get("activity", ""), context, factor_set, field="activity")
    )
    basis = understood(lambda: _basis(raw.get("basis", "")))
    people = understood(lambda: _people(raw.get("people", "")))
    if known is None:
        return parsed
    amount = understood(
        lambda: read_amount(
            raw.get("amount", ""), raw.get("unit", ""), known, field="amount", unit_field="unit"
        )
    )
    if day and amount is not None and basis and people:
        parsed.entry = DiaryEntry(day, Entry(known.key, amount, basis), people)
    return parsed


def _basis(text: str) -> str:
    basis = text.strip() or "estimate"
    if basis not in BASES:
        raise UnknownChoiceError(field="basis", given=basis[:40])
    return basis


def _people(text: str) -> int:
    if not text.strip():
        return 1
    people = read_number(
        text, unit="person", minimum=ONE, maximum=MOST_PEOPLE, whole=True, field="people"
    )
    return int(people)


def diary_lines(
    entries: Iterable[DiaryEntry], factor_set: FactorSet, region: str
) -> list[tuple[DiaryEntry, tuple[Line, ...]]]:
    """Return entries by day with their lines; the order in which they are given changes nothing.

    Bills of the home are divided by the people of the entry. Raises: TooManyEntriesError,
    FactorMissingError, UnknownChoiceError for the region.
    """
    context = calculator.context_of(region)
    kept = sorted(entries, key=_order)
    if len(kept) > MOST_ENTRIES:
        raise TooManyEntriesError(field="entries", most=MOST_ENTRIES)
    found = []
    for number, noted in enumerate(kept):
        known = noted.entry.known
        people = Decimal(noted.people if known.shared else 1)
        lines = entry_lines(
            noted.entry,
            context,
            factor_set,
            key=f"{known.group}.{known.key}.{number}",
            share=M1.divide(ONE, people),
            details={"day": noted.day.isoformat()},
        )
        found.append((noted, tuple(lines)))
    return found


def _order(noted: DiaryEntry) -> tuple[date, str, Decimal, str, int]:
    entry = noted.entry
    return (noted.day, entry.activity, entry.amount, entry.basis, noted.people)


def months(entries: Iterable[DiaryEntry], factor_set: FactorSet, region: str) -> tuple[Month, ...]:
    """Return every month from the first entry to the last, months without entries included.

    Raises: as ``diary_lines``.
    """
    by_month: dict[int, list[tuple[DiaryEntry, tuple[Line, ...]]]] = {}
    for noted, lines in diary_lines(entries, factor_set, region):
        by_month.setdefault(noted.day.year * 12 + noted.day.month - 1, []).append((noted, lines))
    if not by_month:
        return ()
    span = range(min(by_month), max(by_month) + 1)
    return tuple(_month(number, by_month.get(number, ())) for number in span)


def _month(number: int, noted: Iterable[tuple[DiaryEntry, tuple[Line, ...]]]) -> Month:
    kept = tuple(noted)
    lines = tuple(line for _, some in kept for line in some)
    return Month(
        year=number // 12,
        month=number % 12 + 1,
        mass_g=sum(line.mass_g for line in lines),
        by_group=calculator.by_group(lines),
        lines=lines,
        days=len({entry.day for entry, _ in kept}),
    )


def estimate(entries: Iterable[DiaryEntry], factor_set: FactorSet, region: str) -> Estimate:
    """Return the entries as one estimate, such as those of a month, to be matched or printed.

    Raises: as ``diary_lines``.
    """
    noted = diary_lines(entries, factor_set, region)
    context = calculator.context_of(region)
    stored = {
        "kind": KIND,
        "entries": [entry.to_json() for entry, _ in noted],
        "region": context.region,
        "country": context.country,
        "non_co2": context.non_co2,
    }
    return finish([line for _, lines in noted for line in lines], factor_set, stored)


def again(stored: Mapping[str, Any], factor_set: FactorSet) -> Estimate:
    """Return the estimate that stored inputs give with a factor set: the same grams for ever.

    Raises: as ``diary_lines``.
    """
    entries = [DiaryEntry.from_json(entry) for entry in stored["entries"]]
    return estimate(entries, factor_set, stored["region"])
