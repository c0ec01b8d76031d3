"""The detailed mode: bills, meals and purchases instead of quick answers.

What is entered here stands in for the quick answer of that part of life, never beside it; the
rest stays as answered.
*Source:* methodology, section 8 (housing energy, food detailed, goods; full amount in the year of
purchase or divided by expected years, as the person chooses).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from diandian.emissions.errors import UnknownChoiceError
from diandian.emissions.life import calculator
from diandian.emissions.life.entries import (
    BASES,
    MOST_YEARS,
    Entry,
    entry_lines,
    read_activity,
    read_amount,
)
from diandian.emissions.life.errors import TooManyEntriesError
from diandian.emissions.life.parts import TIMES, per_person
from diandian.emissions.lines import M1, ONE
from diandian.emissions.numbers import plain, read_number
from diandian.kernel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diandian.emissions.activity import Value
    from diandian.emissions.context import SceneContext
    from diandian.emissions.estimate import Estimate
    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.lines import Line

MOST_ITEMS = 300


@dataclass(frozen=True, slots=True)
class Item:
    """One thing entered. ``period``: "once", "day", "week", "month" or "year".

    ``years``: over how many years a lasting thing is spread; 1 is the whole in this year.
    """

    entry: Entry
    period: str = "year"
    years: int = 1

    def to_json(self) -> dict[str, Any]:
        """Return text and whole numbers only."""
        return {
            "activity": self.entry.activity,
            "amount": plain(self.entry.amount),
            "basis": self.entry.basis,
            "period": self.period,
            "years": self.years,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Item:
        """Return the item that ``to_json`` described."""
        entry = Entry(data["activity"], Decimal(data["amount"]), data["basis"])
        return cls(entry, data["period"], int(data["years"]))


@dataclass(slots=True)
class ParsedItems:
    """Items understood, and refusals by field such as "items.0.amount"."""

    items: list[Item] = field(default_factory=list)
    errors: dict[str, InputError] = field(default_factory=dict)


def read_items(region: str, raw: Sequence[Mapping[str, str]], factor_set: FactorSet) -> ParsedItems:
    """Read items; each field is understood or has an error of its own, the others are kept.

    A raw item has texts: "activity", "amount", and where wanted "unit", "basis", "period",
    "years". Raises: UnknownChoiceError for the region, TooManyEntriesError.
    """
    context = calculator.context_of(region)
    if len(raw) > MOST_ITEMS:
        raise TooManyEntriesError(field="items", most=MOST_ITEMS)
    parsed = ParsedItems()
    for number, row in enumerate(raw):
        name = f"items.{number}"
        try:
            parsed.items.append(_item(row, context, factor_set, name))
        except InputError as error:
            parsed.errors[error.field] = error
    return parsed


def _item(row: Mapping[str, str], context: SceneContext, factors: FactorSet, name: str) -> Item:
    known = read_activity(row.get("activity", ""), context, factors, field=f"{name}.activity")
    amount = read_amount(
        row.get("amount", ""),
        row.get("unit", ""),
        known,
        field=f"{name}.amount",
        unit_field=f"{name}.unit",
    )
    basis = _one_of(row.get("basis") or "estimate", BASES, f"{name}.basis")
    period = _one_of(row.get("period") or "year", TIMES, f"{name}.period")
    years = ONE
    if known.lasting and row.get("years"):
        years = read_number(
            row["years"], unit="", minimum=ONE, maximum=MOST_YEARS, whole=True,
            field=f"{name}.years",
        )  # fmt: skip
    return Item(Entry(known.key, amount, basis), period, int(years))


def _one_of(given: str, known: Mapping[str, object], name: str) -> str:
    if given not in known:
        raise UnknownChoiceError(field=name, given=given[:40])
    return given


def item_lines(
    items: Sequence[Item], values: Mapping[str, Value], factor_set: FactorSet, region: str
) -> list[Line]:
    """Return the lines of a year; bills of the home are divided by the people in it.

    Where nobody said how many these are, the line is marked as assumed. The order of the items
    changes neither a line nor the sum. Raises: FactorMissingError.
    """
    context = calculator.context_of(region)
    people, guessed = per_person(values, context)
    lines: list[Line] = []
    for number, item in enumerate(items):
        known = item.entry.known
        share = M1.divide(people if known.shared else ONE, Decimal(item.years))
        assumed = known.shared and guessed
        asked = {"question": "people"} if assumed else {}
        lines += entry_lines(
            item.entry,
            context,
            factor_set,
            key=f"{known.group}.{known.key}.{number}",
            share=share,
            times=TIMES[item.period],
            assumed=assumed,
            details={"period": item.period, "years": str(item.years), **asked},
        )
    return lines


def estimate(
    values: Mapping[str, Value], items: Sequence[Item], factor_set: FactorSet, region: str
) -> Estimate:
    """Return the estimate of a year from items, and from quick answers for the rest.

    Levers are those of the quick answers whose part was not entered in detail. Raises:
    UnknownChoiceError, FactorMissingError.
    """
    entered = calculator.Entered(
        lines=tuple(item_lines(items, values, factor_set, region)),
        stands_for=frozenset(start for item in items for start in item.entry.known.replaces),
        stored={"items": [item.to_json() for item in items]} if items else {},
    )
    return calculator.estimate(values, factor_set, region, entered=entered)


def again(stored: Mapping[str, Any], factor_set: FactorSet) -> Estimate:
    """Return the estimate that stored inputs give with a factor set: the same grams for ever.

    Raises: UnknownChoiceError, FactorMissingError.
    """
    items = [Item.from_json(item) for item in stored.get("items", ())]
    return estimate(stored["answers"], items, factor_set, stored["region"])
