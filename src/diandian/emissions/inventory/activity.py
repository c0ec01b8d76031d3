"""A known activity: what may be counted, in which unit, with which rows of a factor set.

*Source:* methodology, sections 1 (well-to-wheel is two lines), 2 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from diandian.emissions.blocks.base import NEEDS_UPSTREAM
from diandian.emissions.blocks.city_ride import SUPPLY
from diandian.emissions.errors import FactorMissingError
from diandian.emissions.lines import NON_CO2, ONE
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from diandian.emissions.factor_set import FactorSet, FoundFactor


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a factor set to try.

    ``ratio``: by which its result is scaled (class of a hotel). ``only``: a country in which the
    row is taken, "" for everywhere. ``home``: where the row lives; elsewhere it stands in for the
    place, one grade worse. ``national``: the country's row is taken though a province has one,
    since those of provinces are second-hand and unchecked (methodology, section 4).
    """

    id: str
    ratio: Decimal = ONE
    only: str = ""
    home: str = ""
    national: bool = False


@dataclass(frozen=True, slots=True)
class Activity:
    """One thing that can be counted.

    ``label``: a message id. ``categories``: the sources it may belong to, the usual one first.
    ``unit``: the unit that forms offer. ``rows``: asked in this order. ``becomes``, ``ratio``: the
    factor's unit and how much of it one ``unit`` is, where they differ (a sheet weighs 4.9896 g).
    ``guest``: may be asked of a guest in a composed question.
    """

    key: str
    label: str
    categories: tuple[str, ...]
    unit: str
    rows: tuple[Row, ...]
    becomes: str = ""
    ratio: Decimal = ONE
    guest: bool = False


class Part(NamedTuple):
    """One line to be made: ``suffix`` of its key, row, label, ratio, and value without non-CO2."""

    suffix: str
    found: FoundFactor
    label: str
    ratio: Decimal
    without: Decimal | None


# Rows whose second part has a name of its own, or none where the rule of scopes expects one.
_SECOND: Mapping[str, str] = {
    "water.supply": "water.treatment",
    "transport.road.taxi.ride_hailing.vehicle": "transport.road.taxi.regular.vehicle.wtt",
    "transport.air.china_domestic": "transport.air.short_haul.average.wtt",
    "energy.electricity.grid": "",
    "energy.heat.district": "",
}
_SECOND_LABELS: Mapping[str, str] = {"water.treatment": N_("Treatment of the waste water")}
# Rows of these scopes hold the use only; the supply of the fuel is a row of its own.
_USE_ONLY = (*NEEDS_UPSTREAM, "combustion")


def parts(activity: Activity, factors: FactorSet, region: str, *, non_co2: bool) -> list[Part]:
    """Return the rows an activity is counted with at a place: the use, then the supply.

    ``non_co2``: count the non-CO2 effect of flights. Raises: FactorMissingError.
    """
    row = _row(activity, factors, region)
    base = row.id.removesuffix(NON_CO2)
    without = None
    if row.id == base:
        found = _found(factors, row, row.id, region)
    else:
        twin = _found(factors, row, f"{base}.norf", region)
        found = _found(factors, row, row.id, region) if non_co2 else twin
        without = twin.factor.value
    first = Part("", found, activity.label, row.ratio, without)
    second = _second(base, found, factors, region)
    return [first, *(Part(".wtt", one, label, row.ratio, None) for one, label in second)]


def known_at(activity: Activity, factors: FactorSet, region: str) -> bool:
    """Tell whether an activity can be counted at a place."""
    try:
        parts(activity, factors, region, non_co2=True)
    except FactorMissingError:
        return False
    return True


def factor_unit(activity: Activity) -> str:
    """Return the unit in which an activity enters its line, before the row's own unit."""
    return activity.becomes or activity.unit


def _row(activity: Activity, factors: FactorSet, region: str) -> Row:
    country = region[:2]
    fitting = [row for row in activity.rows if row.only in {"", country}]
    for row in fitting:
        if row.home or factors.has(row.id, region):
            return row
    raise FactorMissingError(factor_id=activity.rows[-1].id, region=region)


def _found(factors: FactorSet, row: Row, factor_id: str, region: str) -> FoundFactor:
    if row.home and row.home != region[:2]:
        return factors.stand_in(factor_id, row.home)
    return factors.find(factor_id, row.home or (region[:2] if row.national else region))


def _second(
    base: str, found: FoundFactor, factors: FactorSet, region: str
) -> list[tuple[FoundFactor, str]]:
    name = _SECOND.get(base)
    if name == "":
        return []
    if name is None:
        # The supply of a flight's fuel does not bear ".rf".
        burned = found.factor.scope_included.startswith(_USE_ONLY)
        name = f"{base}.wtt"
        if not burned or not factors.has(name, region):  # ships, freight trains: none published
            return []
    return [(factors.find(name, region), _SECOND_LABELS.get(name, SUPPLY))]
