"""Reduction measures: what is expected of them, and what was confirmed afterwards.

A measure compares two entries, before and after, computed with the same factors. It changes an
inventory only when it is confirmed by evidence, and only by putting the entry of after in the
place of the very entry of before: where the real amount already stands there, nothing is taken off
a second time. An effect may be negative; then the measure made things worse, and says so.
*Source:* market note B1-03 and B3-03 (reduce first, with evidence).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from diandian.emissions.inventory.activities import ACTIVITIES
from diandian.emissions.inventory.activity import known_at
from diandian.emissions.inventory.compute import entry_lines
from diandian.emissions.inventory.errors import MeasureError
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.inventory.entries import Entry


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing done to emit less.

    ``label``: message id or the organiser's own words. ``before``: the entry without it.
    ``expected``: the entry as planned. ``confirmed``: the entry as it came out, or None;
    ``evidence``: SHA-256 of the file that shows it.
    """

    key: str
    label: str
    before: Entry
    expected: Entry
    confirmed: Entry | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """Grams saved; below 0 grams added. ``confirmed_g`` is None until it is confirmed."""

    key: str
    expected_g: int
    confirmed_g: int | None


def confirm(measure: Measure, entry: Entry, evidence: str) -> Measure:
    """Return the measure as confirmed.

    Raises: MeasureError without evidence, or when the entry is another one.
    """
    if not evidence.strip() or entry.key != measure.before.key:
        raise MeasureError(field="evidence")
    return replace(measure, confirmed=entry, evidence=evidence.strip())


def effect(measure: Measure, factors: FactorSet, region: str, *, non_co2: bool = True) -> Effect:
    """Compute what a measure saves, as expected and as confirmed. Raises: EntryBrokenError."""

    def grams(entry: Entry) -> int:
        return sum(line.mass_g for line in entry_lines(entry, factors, region, non_co2=non_co2))

    before = grams(measure.before)
    confirmed = measure.confirmed if measure.evidence else None
    return Effect(
        measure.key,
        before - grams(measure.expected),
        None if confirmed is None else before - grams(confirmed),
    )


def applied(entries: Sequence[Entry], measures: Iterable[Measure]) -> tuple[Entry, ...]:
    """Return the entries with confirmed measures in place; expected ones change nothing."""
    instead = {
        measure.before: measure.confirmed
        for measure in measures
        if measure.confirmed is not None and measure.evidence
    }
    return tuple(instead.get(entry, entry) for entry in entries)


# What may be served, bought or sent in place of something else; the saving is computed.
_SWAPS = (
    ("meal_buffet", "meal_buffet_frugal", N_("Serve a frugal or mostly plant-based buffet")),
    ("meal_beef", "meal_vegetarian", N_("Serve vegetarian meals")),
    ("meal", "meal_vegetarian", N_("Serve vegetarian meals")),
    ("meal_chicken", "meal_vegetarian", N_("Serve vegetarian meals")),
    ("meal_fish", "meal_vegetarian", N_("Serve vegetarian meals")),
    ("bottled_water", "tap_water", N_("Offer tap water in jugs")),
    ("paper", "paper_recycled", N_("Print on recycled paper")),
    ("waste_food_landfill", "waste_food_compost", N_("Compost the food waste")),
    ("freight_air", "freight_rail", N_("Send freight by rail")),
    ("freight_truck", "freight_rail", N_("Send freight by rail")),
    ("car", "car_electric", N_("Drive battery cars")),
    ("car_petrol", "car_electric", N_("Drive battery cars")),
    ("car_diesel", "car_electric", N_("Drive battery cars")),
    ("hotel_five", "hotel_mid", N_("Book mid-range hotels")),
    ("hotel_high", "hotel_mid", N_("Book mid-range hotels")),
)


def suggestions(entries: Iterable[Entry], factors: FactorSet, region: str) -> tuple[Measure, ...]:
    """Return measures that would save something here, the largest saving first.

    Only swaps of an activity for another in the same unit; no rate of saving is assumed.
    """
    found = []
    for entry in entries:
        for old, new, label in _SWAPS:
            if entry.activity != old or entry.own is not None:
                continue
            target = ACTIVITIES[new]
            fits = target.unit == ACTIVITIES[old].unit and entry.category in target.categories
            if not fits or not known_at(target, factors, region):
                continue
            measure = Measure(f"{entry.key}.{new}", label, entry, replace(entry, activity=new))
            saved = effect(measure, factors, region).expected_g
            if saved > 0:
                found.append((saved, measure))
    found.sort(key=lambda item: (-item[0], item[1].key))
    return tuple(measure for _, measure in found)
