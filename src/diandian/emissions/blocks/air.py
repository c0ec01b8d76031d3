"""Flights: legs between airports, each in its own band, with the way to a distant airport.

Great circle without uplift, since the rows hold the detour. The non-CO2 effect is the ``.rf`` row;
``without_non_co2_g`` of a line comes from its ``.norf`` twin.
*Source:* methodology, sections 3 (bands, nearby airports) and 4 (Chinese flights).
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from diandian.emissions.blocks.base import pair, text, with_upstream
from diandian.emissions.blocks.journey import BetweenPlaces, RoughJourney
from diandian.emissions.errors import (
    NoAirportError,
    RoughChangeError,
    SamePlaceFlightError,
    TooNearToFlyError,
)
from diandian.emissions.geo import distance
from diandian.emissions.lines import M1, ONE, Doubt, make_line
from diandian.emissions.uncertainty import CITY_PAIR, DEFAULT, TICKET
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from diandian.emissions.blocks.journey import Journey
    from diandian.emissions.context import SceneContext
    from diandian.emissions.geo import Distance, Place
    from diandian.emissions.lines import Line

SHORT_KM, LONG_KM = Decimal(500), Decimal(3700)
SHORTEST_KM = 100  # airports nearer than this serve one region: the answer is taken for a slip
OWN_AIRPORT_KM = 60  # nearer than this an airport counts as the city's own, without a ground leg
FRONT_CABIN = Decimal("1.5")  # seats of a front cabin where only an average row exists
CABINS = ("economy", "premium_economy", "business", "first")
FLIGHT = (
    N_("Flight, %(origin)s – %(destination)s"),
    N_("Flight, about %(km)s km one way, as you said"),
)
SUPPLY = N_("Flight, supply of the fuel")
GROUND_LABELS = (
    N_("Way to the airport, %(origin)s – %(destination)s"),
    N_("Way to the airport, supply of the fuel"),
)


def airport_of(spot: Place, context: SceneContext) -> Place:
    """Return the airport taken for a place. Raises: NoAirportError."""
    if not spot.nearest_airports:
        raise NoAirportError(field="from", place=spot.in_both())
    return context.place(f"iata:{spot.nearest_airports[0]}")


def _route(journey: BetweenPlaces, via: str) -> tuple[tuple[Place, Place], ...]:
    """Return the legs between airports."""
    context = journey.context
    spots = [journey.origin, *([context.place(via)] if via else []), journey.destination]
    stops = [airport_of(spot, context) for spot in spots]
    legs = tuple((a, b) for a, b in pairwise(stops) if a.key != b.key)
    hops = [distance(a, b, "air").great_circle_km for a, b in legs]
    if not legs or min(hops) < SHORTEST_KM:
        ends = {
            "origin": journey.origin.in_both(),
            "destination": journey.destination.in_both(),
        }
        raise SamePlaceFlightError(field="mode", **ends)
    return legs


def band(leg: Distance, cabin: str, *, mainland: bool) -> tuple[str, str, Decimal]:
    """Return the row of the flight without its ending, that of the fuel, and the cabin's ratio."""
    ratio = ONE if cabin == "economy" else FRONT_CABIN
    km = leg.great_circle_km
    if km < SHORT_KM:
        return "transport.air.domestic.average", "transport.air.domestic.average.wtt", ratio
    if mainland:
        return "transport.air.china_domestic", "transport.air.short_haul.average.wtt", ratio
    if km <= LONG_KM:
        row = f"transport.air.short_haul.{'economy' if cabin == 'economy' else 'business'}"
        return row, f"{row}.wtt", ONE
    row = f"transport.air.long_haul.{cabin}"
    return row, f"{row}.wtt", ONE


def air_lines(journey: Journey) -> list[Line]:
    """Return the lines of flying, and of getting to airports that are not the city's own.

    A rough distance is one leg, as long as it was said to be; the band of its row goes by that.
    """
    via = text(journey.values, "via", "")
    if isinstance(journey, RoughJourney):
        return _rough_leg(journey, via)
    assert isinstance(journey, BetweenPlaces), "a journey is the one or the other"
    legs = _route(journey, via)
    lines: list[Line] = []
    for number, (start, end) in enumerate(legs, 1):
        lines += _leg(replace(journey, origin=start, destination=end), number)
    ends = ((journey.origin, legs[0][0]), (legs[-1][1], journey.destination))
    for number, (start, end) in enumerate(ends, 1):
        lines += _ground(replace(journey, origin=start, destination=end), number)
    return lines


def _rough_leg(journey: RoughJourney, via: str) -> list[Line]:
    if via:
        raise RoughChangeError(field="via")
    if journey.circle_km < SHORTEST_KM:
        raise TooNearToFlyError(field="mode", distance=int(journey.circle_km))
    return _leg(journey, 1)


def _leg(journey: Journey, number: int) -> list[Line]:
    cabin = text(journey.values, "cabin", "economy")
    if cabin not in CABINS:  # "don't know" is economy
        cabin = "economy"
    measured = journey.travelled("air")
    row, fuel, ratio = band(measured, cabin, mainland=journey.mainland)
    region = "GB" if "GB" in journey.countries else journey.country
    twin = journey.factors.find(f"{row}.norf", region)
    found = journey.factors.find(f"{row}.rf", region) if journey.context.non_co2 else twin
    shared: dict[str, Any] = {
        "category": "travel",
        "amount": journey.amount(measured.distance_km),
        "share": M1.multiply(journey.weight, ratio),
        "params": journey.names(measured.distance_km),
        "doubt": journey.doubt(TICKET),
        "assumed": journey.assumed,
        "details": journey.details(measured, cabin=cabin, cabin_ratio=str(ratio)),
    }
    key = f"travel.air.{number}"
    label = journey.label(*FLIGHT)
    flight = make_line(found, key=key, label=label, without=twin.factor.value, **shared)
    supply = make_line(journey.factors.find(fuel, region), key=f"{key}.wtt", label=SUPPLY, **shared)
    return [flight, supply]


def _ground(journey: BetweenPlaces, number: int) -> list[Line]:
    measured = journey.travelled("coach")
    if measured.great_circle_km <= OWN_AIRPORT_KM:
        return []
    return pair(
        with_upstream(journey.factors, "transport.road.coach", journey.country),
        key=f"travel.ground.{number}",
        category="travel",
        labels=GROUND_LABELS,
        amount=journey.amount(measured.distance_km),
        share=journey.weight,
        params=journey.names(measured.distance_km),
        doubt=Doubt(DEFAULT, CITY_PAIR),  # by coach is our assumption
        assumed=True,
        details=journey.details(measured),
    )
