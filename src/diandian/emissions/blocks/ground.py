"""Trains, coaches and cars between places.

*Source:* methodology, sections 3 (detours) and 4 (rows per country; fuel unknown, one occupant).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from diandian.emissions.blocks.base import number, pair, text, with_upstream
from diandian.emissions.lines import M1, ONE, Doubt, make_line
from diandian.emissions.numbers import plain
from diandian.emissions.uncertainty import GUESS
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from diandian.emissions.blocks.journey import Journey
    from diandian.emissions.factor_set import FactorSet, FoundFactor
    from diandian.emissions.lines import Line

BATTERY_KWH_PER_KM = Decimal("0.20698")  # DESNZ 2025, average battery car, UK electricity
FUELS = ("petrol", "diesel", "hybrid", "electric")
# Of a journey between places, and of one of a rough distance.
FAST = (
    N_("High-speed train, %(origin)s – %(destination)s"),
    N_("High-speed train, about %(km)s km one way, as you said"),
)
TRAIN = (
    N_("Train, %(origin)s – %(destination)s"),
    N_("Train, about %(km)s km one way, as you said"),
)
COACH = (
    N_("Coach, %(origin)s – %(destination)s"),
    N_("Coach, about %(km)s km one way, as you said"),
)
CAR = (
    N_("Car, %(occupants)s in it, %(origin)s – %(destination)s"),
    N_("Car, %(occupants)s in it, about %(km)s km one way, as you said"),
)
TRAIN_SUPPLY = N_("Train, supply of the energy")
COACH_SUPPLY, CAR_SUPPLY = N_("Coach, supply of the fuel"), N_("Car, supply of the fuel")


def rail_row(journey: Journey) -> str:
    """Return the id of the rail row: by country, else the national average as a stand-in."""
    ordinary = text(journey.values, "train", "high_speed") == "ordinary"
    if journey.mainland:
        return "transport.rail.conventional" if ordinary else "transport.rail.high_speed"
    if journey.inland:
        if journey.country == "FR":
            return "transport.rail.intercity" if ordinary else "transport.rail.high_speed"
        if journey.country == "US":
            return "transport.rail.intercity"
    return "transport.rail.national"


def rail_lines(journey: Journey) -> list[Line]:
    """Return the lines of going by train."""
    measured = journey.measured("rail")
    row = rail_row(journey)
    fast = row.endswith("high_speed")
    return pair(
        with_upstream(journey.factors, row, journey.country),
        key="travel.rail",
        category="travel",
        labels=(journey.label(*(FAST if fast else TRAIN)), "" if fast else TRAIN_SUPPLY),
        amount=journey.amount(measured.distance_km),
        share=journey.weight,
        params=journey.names(measured.distance_km),
        doubt=journey.doubt(),
        assumed=journey.assumed,
        details=journey.details(measured),
    )


def coach_lines(journey: Journey) -> list[Line]:
    """Return the lines of going by coach."""
    measured = journey.measured("coach")
    return pair(
        with_upstream(journey.factors, "transport.road.coach", journey.country),
        key="travel.coach",
        category="travel",
        labels=(journey.label(*COACH), COACH_SUPPLY),
        amount=journey.amount(measured.distance_km),
        share=journey.weight,
        params=journey.names(measured.distance_km),
        doubt=journey.doubt(),
        assumed=journey.assumed,
        details=journey.details(measured),
    )


def car_lines(journey: Journey) -> list[Line]:
    """Return the lines of going by car, divided by the people in it."""
    measured = journey.measured("car")
    occupants = number(journey.values, "occupants", 1)
    km, doubt, details = measured.distance_km, journey.doubt(), journey.details(measured)
    if "car_km" in journey.values:
        km, doubt = number(journey.values, "car_km"), Doubt(activity=GUESS)
        details = details | {"distance_km": plain(km), "correction_reason": "", "correction": "1"}
    details["question"] = "fuel"
    return vehicle_lines(
        journey.factors,
        fuel=text(journey.values, "fuel", "unknown"),
        regions=(journey.country, journey.region),
        key="travel.car",
        category="travel",
        labels=(journey.label(*CAR), CAR_SUPPLY),
        km=journey.amount(km),
        share=M1.divide(journey.weight, occupants),
        params=journey.names(km) | {"occupants": plain(occupants)},
        doubt=doubt,
        assumed=journey.assumed,
        details=details,
    )


def vehicle_lines(  # noqa: PLR0913 - shared by journeys and rides in the city
    factors: FactorSet,
    *,
    fuel: str,
    regions: tuple[str, str],
    key: str,
    category: str,
    labels: tuple[str, str],
    km: Decimal,
    share: Decimal = ONE,
    params: dict[str, str],
    doubt: Doubt,
    assumed: bool,
    details: dict[str, Any],
) -> list[Line]:
    """Return the lines of a car. ``regions``: country of the car, region of its electricity.

    Units: ``km`` of the vehicle; a battery car's become kWh.
    """
    if fuel == "electric":
        grid = factors.find("energy.electricity.grid", regions[1])
        return [
            make_line(
                grid,
                key=f"{key}.electric",
                category=category,
                label=labels[0],
                amount=M1.multiply(km, BATTERY_KWH_PER_KM),
                share=share,
                params=params,
                doubt=Doubt(max(doubt.activity, GUESS), doubt.distance),
                assumed=assumed,
                details=details | {"kwh_per_km": str(BATTERY_KWH_PER_KM)},
            )
        ]
    known = fuel if fuel in FUELS else "unknown"
    rows: tuple[tuple[str, FoundFactor], ...] = with_upstream(
        factors, f"transport.road.car.average.{known}", regions[0]
    )
    return pair(
        rows,
        key=key,
        category=category,
        labels=labels,
        amount=km,
        share=share,
        params=params,
        doubt=doubt,
        assumed=assumed,
        details=details,
    )
