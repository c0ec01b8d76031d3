"""Getting around a city by taxi, metro, bus, car, bicycle or on foot.

Metro and bus take the country's row: the rows of single provinces are second-hand and unchecked.
*Source:* methodology, section 4 (rows; 2 trips of 10 km by taxi where nothing is known).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from diandian.emissions.blocks.base import number, pair, text, with_upstream
from diandian.emissions.blocks.ground import vehicle_lines
from diandian.emissions.lines import M1, ONE
from diandian.emissions.numbers import plain
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from diandian.emissions.activity import Value
    from diandian.emissions.context import SceneContext
    from diandian.emissions.factor_set import FactorSet, FoundFactor
    from diandian.emissions.lines import Doubt, Line

UNKNOWN_KM = 10  # one way, where the guest does not say
LABELS = {
    "taxi": N_("Taxi or ride-hailing, %(km)s km"),
    "metro": N_("Metro, %(km)s km"),
    "bus": N_("City bus, %(km)s km"),
    "car": N_("Own car, %(occupants)s in it, %(km)s km"),
    "ebike": N_("E-bike or e-scooter, %(km)s km"),
    "bicycle": N_("Bicycle or shared bike, %(km)s km"),
    "walk": N_("On foot, %(km)s km"),
}
AVERAGE_LOCAL = N_("Getting around the city, average: taxi, %(km)s km")
AVERAGE_WAY = N_("Way there and back, average: taxi, %(km)s km")
SUPPLY = N_("Supply of the fuel or power")
ROWS = {
    "metro": "transport.rail.metro",
    "bus": "transport.road.bus.local",
    "ebike": "transport.active.ebike",
    "bicycle": "transport.active.bicycle",
    "walk": "transport.active.walk",
}


def ride_lines(  # noqa: PLR0913 - shared by three blocks
    context: SceneContext,
    values: Mapping[str, Value],
    factors: FactorSet,
    *,
    ride: str,
    km: Decimal,
    key: str,
    category: str,
    doubt: Doubt,
    assumed: bool,
    question: str,
    average: str,
) -> list[Line]:
    """Return the lines of ``km`` kilometres in all; an unknown ride is a taxi's.

    ``average``: the label of an unknown ride.
    """
    label = LABELS.get(ride, average)
    shared: dict[str, Any] = {
        "key": f"{key}.{ride if ride in LABELS else 'average'}",
        "category": category,
        "labels": (label, SUPPLY),
        "params": {"km": plain(km)},
        "doubt": doubt,
        "assumed": assumed,
        "details": {"question": question, "distance_km": plain(km)},
    }
    if ride == "car":
        occupants = number(values, "occupants", 1)
        shared["params"] = {"km": plain(km), "occupants": plain(occupants)}
        return vehicle_lines(
            factors,
            fuel=text(values, "fuel", "unknown"),
            regions=(context.country, context.region),
            km=km,
            share=M1.divide(ONE, occupants),
            **shared,
        )
    if ride in ROWS:
        return pair(with_upstream(factors, ROWS[ride], context.country), amount=km, **shared)
    return pair(_taxi(context, factors), amount=km, **shared)


def _taxi(context: SceneContext, factors: FactorSet) -> tuple[tuple[str, FoundFactor], ...]:
    if context.country != "CN":
        return with_upstream(factors, "transport.road.taxi.regular", context.country)
    supply = factors.find("transport.road.taxi.regular.vehicle.wtt", "CN")
    return (
        ("", factors.find("transport.road.taxi.ride_hailing.vehicle", "CN")),
        (".wtt", supply),
    )
