"""Computes an inventory: entries and guests' answers in, an estimate of the organiser's grams out.

What guests answer for is computed too, and kept outside the organiser's total. The interval is a
factor range by every method: that of the organiser was one before m2 made it the rule for all.
*Source:* methodology, sections 1, 2, 5, 10 and 11.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from diandian.emissions.bare_lines import own_factor
from diandian.emissions.errors import FactorMissingError
from diandian.emissions.estimate import Estimate, finish
from diandian.emissions.inventory.activities import ACTIVITIES
from diandian.emissions.inventory.activity import Part, factor_unit, parts
from diandian.emissions.inventory.categories import CATEGORIES
from diandian.emissions.inventory.entries import ALL_PCT, QUALITY_PCT, Entry
from diandian.emissions.inventory.errors import EntryBrokenError
from diandian.emissions.inventory.narrowing import Narrowing, ranked
from diandian.emissions.inventory.units import converted
from diandian.emissions.lines import M1, ONE, Doubt, Line, make_line
from diandian.emissions.numbers import plain
from diandian.emissions.uncertainty import factor_range
from diandian.kernel.units import UnitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.inventory.activity import Activity
    from diandian.emissions.inventory.travel import Extrapolation

KIND = "inventory"  # tells stored inputs of an inventory from those of a visit


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a scene emitted.

    ``own``: the organiser's estimate. ``guests``: what guests answer for, shown as information and
    in no total of the organiser's. ``unproven``: keys of entries called metered or invoiced without
    a file that shows it. ``uncounted_people``: guests whose travel is unknown and was not guessed.
    """

    own: Estimate
    guests: Estimate
    unproven: tuple[str, ...]
    uncounted_people: int

    def by_category(self) -> dict[str, int]:
        """Return the organiser's grams per source, in the order of the sources."""
        return _sums(self.own.lines, "source", CATEGORIES)

    def by_group(self) -> dict[str, int]:
        """Return the organiser's grams per group of the 2019 guideline; "" is beyond its list."""
        return _sums(self.own.lines, "group", ())

    def by_nzce(self) -> dict[str, int]:
        """Return the organiser's grams per category of the NZCE method."""
        return _sums(self.own.lines, "nzce", ())

    def narrowing(self) -> tuple[Narrowing, ...]:
        """Return what would narrow the organiser's interval, the most useful first."""
        return ranked(self.own.lines)


def estimate(
    entries: Sequence[Entry],
    factors: FactorSet,
    region: str,
    *,
    guests: Extrapolation | None = None,
    non_co2: bool = True,
) -> Inventory:
    """Compute an inventory.

    ``region``: ISO 3166-2 of the scene. ``guests``: their travel and nights, from
    ``travel.extrapolate``. ``non_co2``: count the non-CO2 effect of flights, fixed per scene.
    Raises: EntryBrokenError on an entry that no reader would let through, or a repeated key.
    """
    keys = [entry.key for entry in entries]
    if len(set(keys)) != len(keys):
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise EntryBrokenError(key=repeated, why="another entry has the same key")
    own: list[Line] = []
    others: list[Line] = []
    for entry in entries:
        own += entry_lines(entry, factors, region, non_co2=non_co2)
        others += entry_lines(entry, factors, region, non_co2=non_co2, owner="guest")
    inputs: dict[str, Any] = {
        "kind": KIND,
        "entries": [entry.to_json() for entry in entries],
        "region": region,
        "non_co2": non_co2,
    }
    uncounted = 0
    if guests is not None:
        own += guests.own
        others += guests.others
        uncounted = guests.uncounted_people
        # Answers are not kept here; the sums over them are, so that the whole can be replayed.
        inputs["guests"] = {
            "strata": guests.to_json(),
            "lines": [line.to_json() for line in guests.own],
        }
    claimed = {"metered", "invoiced"}
    unproven = (e.key for e in entries if e.quality in claimed and not e.evidence)
    return Inventory(
        own=ranged(finish(own, factors, inputs)),
        guests=ranged(finish(others, factors, {})),
        unproven=tuple(unproven),
        uncounted_people=uncounted,
    )


def replay(inputs: Mapping[str, Any], factors: FactorSet) -> Estimate:
    """Compute a stored inventory of the organiser again; the same set gives the same for ever.

    Entries are computed from their amounts. The guests' lines are carried as they are, with the
    factors of the day; each can be checked by its own numbers (``Estimate.adds_up``).
    Raises: EntryBrokenError.
    """
    lines = [
        line
        for data in inputs["entries"]
        for line in entry_lines(
            Entry.from_json(data), factors, inputs["region"], non_co2=inputs["non_co2"]
        )
    ]
    lines += [Line.from_json(data) for data in inputs.get("guests", {}).get("lines", [])]
    return ranged(finish(lines, factors, dict(inputs)))


def ranged(result: Estimate) -> Estimate:
    """Return an estimate whose interval is a factor range, whatever its width and method."""
    doubt = Decimal(result.doubt_pct)  # as printed, so that anybody can recompute the ends
    low_g, high_g = factor_range(result.mass_g, doubt)
    return replace(result, low_g=low_g, high_g=high_g, interval_form="factor")


def entry_lines(
    entry: Entry,
    factors: FactorSet,
    region: str,
    *,
    non_co2: bool = True,
    owner: str = "organiser",
) -> list[Line]:
    """Return the lines of one owner's part of an entry: the use, then the supply.

    Raises: EntryBrokenError.
    """
    pct = entry.organiser_pct if owner == "organiser" else ALL_PCT - entry.organiser_pct
    activity = ACTIVITIES.get(entry.activity)
    category = CATEGORIES.get(entry.category)
    if activity is None or category is None or entry.category not in activity.categories:
        raise EntryBrokenError(key=entry.key, why="no such activity in that source")
    sound = 0 < entry.share <= 1 and entry.uses >= 1 and 0 <= pct <= ALL_PCT and entry.amount >= 0
    if not sound or entry.quality not in QUALITY_PCT:
        raise EntryBrokenError(key=entry.key, why="a number is outside what can be meant")
    if not pct:
        return []
    share = M1.divide(M1.multiply(entry.share, M1.divide(pct, ALL_PCT)), Decimal(entry.uses))
    details: dict[str, Any] = {
        "entry": entry.key,
        "source": category.key,
        "group": category.group,
        "nzce": category.nzce,
        "quality": entry.quality,
        "evidence": entry.evidence,
        "moves_with": f"entry {entry.key}",  # the litres of the fuel are those of its supply
        "stated": f"{plain(entry.amount)} {entry.unit}",
        "share_of_scene": plain(entry.share),
        "uses": str(entry.uses),
        "organiser_pct": plain(entry.organiser_pct),
    }
    try:
        return [
            make_line(
                part.found,
                key=f"{category.key}.{entry.key}{part.suffix}",
                category=category.broad,
                label=part.label,
                amount=_amount(entry, activity, part),
                share=M1.multiply(share, part.ratio),
                params={},
                doubt=Doubt(QUALITY_PCT[entry.quality]),
                assumed=entry.quality == "default",
                without=part.without,
                details=details,
            )
            for part in _parts(entry, activity, factors, region, non_co2=non_co2)
        ]
    except (UnitError, FactorMissingError) as error:
        raise EntryBrokenError(key=entry.key, why=str(error)) from error


def _parts(
    entry: Entry, activity: Activity, factors: FactorSet, region: str, *, non_co2: bool
) -> list[Part]:
    if entry.own is None:
        return parts(activity, factors, region, non_co2=non_co2)
    # A supplier's value is taken for the whole; adding our supply row could count it twice.
    found = own_factor(entry.own.value, activity.unit, entry.own.source, entry.own.doubt_pct)
    return [Part("", found, activity.label, ONE, None)]


def _amount(entry: Entry, activity: Activity, part: Part) -> Decimal:
    amount = converted(entry.amount, entry.unit, activity.unit)
    if entry.own is not None:
        return amount
    if activity.becomes:
        amount = M1.multiply(amount, activity.ratio)
    return converted(amount, factor_unit(activity), part.found.factor.unit)


def _sums(lines: Iterable[Line], name: str, order: Iterable[str]) -> dict[str, int]:
    sums: dict[str, int] = dict.fromkeys(order, 0)
    for line in lines:
        tag = line.details.get(name, "")
        sums[tag] = sums.get(tag, 0) + line.mass_g
    return {tag: mass_g for tag, mass_g in sums.items() if mass_g or tag in order}
