"""Journeys: section 3 (distances, bands) and the travel rows of section 4."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import Any

from tests.emissions.second_opinion.arithmetic import Part, root
from tests.emissions.second_opinion.data import (
    Factors,
    RefusedError,
    Row,
    Spot,
    airport_of,
    great_circle,
    spot,
    to_metre,
)

DETOUR = {"train": Fraction("1.2"), "metro": Fraction("1.2"),
          "coach": Fraction("1.5"), "car": Fraction("1.5")}  # fmt: skip
TOO_FAR = {"train": 12000, "metro": 200, "coach": 3000, "car": 6000}
KWH_PER_KM = Fraction("0.20698")
NONE, GUESS, DEFAULT = Fraction(0), Fraction(30), Fraction(60)
Doubts = tuple[Fraction, Fraction]
CHINA_BY_LAND = {"CN", "HK", "MO"}
EUROPE = {"AT", "BE", "CH", "CZ", "DE", "DK", "ES", "FR", "GB", "HU",
          "IT", "LI", "LU", "MC", "NL", "PL", "PT", "SE", "SI", "SK"}  # fmt: skip
# Lower and upper kilometres of a rough distance, and whether it begins in another country.
ROUGH = {"band:under_50": (0, 50, False), "band:50_200": (50, 200, False),
         "band:200_500": (200, 500, False), "band:500_1000": (500, 1000, False),
         "band:1000_2000": (1000, 2000, False), "band:over_2000": (2000, 4000, False),
         "band:abroad_near": (1000, 4000, True),
         "band:abroad_far": (4000, 16000, True)}  # fmt: skip
LOCAL = {"metro": "transport.rail.metro", "bus": "transport.road.bus.local",
         "ebike": "transport.active.ebike", "bicycle": "transport.active.bicycle",
         "walk": "transport.active.walk"}  # fmt: skip


@dataclass(frozen=True)
class Way:
    """From where to where, as far as it is known. ``rough``: half-width of a rough distance."""

    circle: Fraction
    land: str
    region: str
    lands: frozenset[str]
    rough: Fraction | None = None

    @property
    def together(self) -> str:
        """Return what the errors of all lines of a rough distance hang on."""
        return "" if self.rough is None else "rough"

    @property
    def by_land(self) -> bool:
        """Tell whether no sea lies between."""
        lands = self.lands
        return len(lands) == 1 or lands <= CHINA_BY_LAND or lands <= EUROPE

    def km(self, mode: str) -> Fraction:
        """Return kilometres one way; a rough distance was said along the way."""
        if self.circle > TOO_FAR[mode]:
            raise RefusedError("too far")
        return self.circle if self.together else to_metre(self.circle * DETOUR[mode])

    def doubts(self, between: int, *, sure: bool) -> tuple[Fraction, Fraction]:
        """Return the doubts of activity and distance. ``between``: that of two places."""
        if self.rough is None:
            return Fraction(0 if sure else 60), Fraction(between)
        if sure:
            return self.rough, Fraction(0)
        both = root(self.rough**2 + 60**2)
        return Fraction(floor(both * 10 + Fraction(1, 2)), 10), Fraction(0)


def between(start: Spot, end: Spot) -> Way:
    """Return the way between two places."""
    lands = frozenset({start.country, end.country})
    return Way(great_circle(start, end), start.country, start.region, lands)


def roughly(name: str, case: "Case") -> Way:
    """Return the way of a rough distance: rows and electricity of the scene."""
    low, high, abroad = ROUGH[name]
    middle = Fraction(low + high, 2)
    half = floor(Fraction(high - low, 2) / middle * 1000 + Fraction(1, 2))
    lands = frozenset({case.country, *(["elsewhere"] if abroad else [])})
    return Way(middle, case.country, case.region, lands, Fraction(half, 10))


@dataclass(frozen=True)
class Case:
    """What one calculation knows."""

    answers: dict[str, Any]
    city: str
    country: str
    region: str
    non_co2: bool
    factors: Factors

    def number(self, name: str, otherwise: int) -> Fraction:
        """Return a number that was answered, or what stands in."""
        given = self.answers.get(name, "unknown")
        return Fraction(otherwise) if given == "unknown" else Fraction(str(given))

    def said(self, name: str) -> bool:
        """Tell whether a question has a real answer."""
        return self.answers.get(name, "unknown") != "unknown"

    @property
    def at_home(self) -> bool:
        """Tell whether the guest lives in the scene's city."""
        return self.answers.get("live_here") is True or self.answers.get("from") == self.city


def named(rows: list[Row], key: str) -> Iterator[tuple[str, Row]]:
    """Return rows with keys: the use, then the supply."""
    yield from zip((key, f"{key}.wtt"), rows, strict=False)


def car(case: Case, key: str, km: Fraction, share: Fraction, lands: tuple[str, str],
        doubts: Doubts) -> Iterator[Part]:  # fmt: skip
    """Return the lines of a car. ``lands``: of the car, and of its electricity."""
    fuel = case.answers.get("fuel", "unknown")
    activity, distance = doubts
    if fuel == "electric":
        row = case.factors.find("energy.electricity.grid", lands[1])
        yield Part(f"{key}.electric", row, km * KWH_PER_KM, share, max(activity, GUESS), distance)
        return
    rows = case.factors.use_and_supply(f"transport.road.car.average.{fuel}", lands[0])
    for name, row in named(rows, key):
        yield Part(name, row, km, share, activity, distance)


def ride(case: Case, how: str, km: Fraction, key: str, doubts: Doubts) -> Iterator[Part]:
    """Return the lines of getting about in a city; what is not known counts as a taxi."""
    if how == "car":
        share = 1 / case.number("occupants", 1)
        yield from car(case, f"{key}.car", km, share, (case.country, case.region), doubts)
        return
    if how in LOCAL:
        rows = case.factors.use_and_supply(LOCAL[how], case.country)
    elif case.country == "CN":
        rows = [case.factors.find("transport.road.taxi.ride_hailing.vehicle", "CN"),
                case.factors.find("transport.road.taxi.regular.vehicle.wtt", "CN")]  # fmt: skip
    else:
        rows = case.factors.use_and_supply("transport.road.taxi.regular", case.country)
    name = how if how in LOCAL or how == "taxi" else "average"
    for name_of_line, row in named(rows, f"{key}.{name}"):
        yield Part(name_of_line, row, km, Fraction(1), *doubts)


def travel(case: Case) -> Iterator[Part]:
    """Return the lines of coming and going."""
    mode, trips = case.answers.get("mode", "unknown"), _trips(case)
    if case.at_home:
        yield from _in_town(case, mode, trips)
        return
    way = _way(case)
    if mode == "plane":
        parts = _flight(case, way, trips, Fraction(1), sure=True)
    elif mode != "unknown":
        parts = _ground(case, mode, way, trips, Fraction(1), sure=True)
    else:
        parts = _not_known(case, way, trips)
    yield from (replace(part, together=way.together) for part in parts)


def _way(case: Case) -> Way:
    origin = case.answers["from"]
    return roughly(origin, case) if origin in ROUGH else between(spot(origin), spot(case.city))


def _trips(case: Case) -> int:
    return 1 if case.answers.get("trip") == "one_way" else 2


def _in_town(case: Case, mode: str, trips: int) -> Iterator[Part]:
    if mode == "plane":
        raise RefusedError("no flight within a city")
    by = {
        "car": "car",
        "coach": "bus",
        "train": "metro",
        "metro": case.answers.get("ride", "metro"),
    }
    counted = mode == "car" and "car_km" in case.answers
    km = case.number("car_km", 10) if counted else Fraction(10)
    doubts = (NONE if counted else DEFAULT, NONE)
    yield from ride(case, by.get(mode, "average"), km * trips, "travel.city", doubts)


def _not_known(case: Case, way: Way, trips: int) -> Iterator[Part]:
    if way.circle > 3000 or not way.by_land:
        yield from _flight(case, way, trips, Fraction(1), sure=False)
        return
    half = Fraction(1, 2)
    yield from _ground(case, "train", way, trips, half, sure=False)
    if way.circle < 300:
        yield from _ground(case, "car", way, trips, half, sure=False)
    else:
        yield from _flight(case, way, trips, half, sure=False)


def _rail_row(case: Case, way: Way) -> str:
    ordinary = case.answers.get("train") == "ordinary"
    inside = way.land if len(way.lands) == 1 else ""
    if inside == "CN":
        return "transport.rail.conventional" if ordinary else "transport.rail.high_speed"
    if inside == "FR":
        return "transport.rail.intercity" if ordinary else "transport.rail.high_speed"
    return "transport.rail.intercity" if inside == "US" else "transport.rail.national"


def _ground(case: Case, mode: str, way: Way, trips: int, weight: Fraction,
            *, sure: bool) -> Iterator[Part]:  # fmt: skip
    km, doubts = way.km(mode), way.doubts(15, sure=sure)
    if mode == "metro":
        yield from ride(case, case.answers.get("ride", "metro"), km * trips, "travel.city", doubts)
        return
    if mode == "car":
        if "car_km" in case.answers:
            km, doubts = case.number("car_km", 0), (GUESS, NONE)
        share = weight / case.number("occupants", 1)
        yield from car(case, "travel.car", km * trips, share, (way.land, way.region), doubts)
        return
    factor = "transport.road.coach" if mode == "coach" else _rail_row(case, way)
    key = "travel.coach" if mode == "coach" else "travel.rail"
    for name, row in named(case.factors.use_and_supply(factor, way.land), key):
        yield Part(name, row, km * trips, weight, *doubts)


def _flight(case: Case, way: Way, trips: int, weight: Fraction, *, sure: bool) -> Iterator[Part]:
    how = (trips, weight, sure)
    if way.together:
        if case.answers.get("via") or way.circle < 100:
            raise RefusedError("no such flight")
        yield from _leg(case, way, 1, how)
        return
    start, end = spot(case.answers["from"]), spot(case.city)
    via = [spot(case.answers["via"])] if case.answers.get("via") else []
    ports = [airport_of(each) for each in (start, *via, end)]
    legs = [(a, b) for a, b in pairwise(ports) if a != b]
    if not legs or any(great_circle(*leg) < 100 for leg in legs):
        raise RefusedError("no flight that short")
    for number, (a, b) in enumerate(legs, 1):
        yield from _leg(case, between(a, b), number, how)
    for number, (a, b) in enumerate(((start, legs[0][0]), (legs[-1][1], end)), 1):
        if great_circle(a, b) > 60:
            km = to_metre(great_circle(a, b) * DETOUR["coach"])
            rows = case.factors.use_and_supply("transport.road.coach", a.country)
            for name, row in named(rows, f"travel.ground.{number}"):
                yield Part(name, row, km * trips, weight, DEFAULT, Fraction(15))


def _leg(case: Case, way: Way, number: int, how: tuple[int, Fraction, bool]) -> Iterator[Part]:
    trips, weight, sure = how
    km, cabin = way.circle, case.answers.get("cabin", "economy")
    cabin = "economy" if cabin == "unknown" else cabin
    front = Fraction(1) if cabin == "economy" else Fraction(3, 2)
    air = "transport.air"
    if km < 500:
        row, fuel = f"{air}.domestic.average", f"{air}.domestic.average.wtt"
    elif way.lands == {"CN"}:
        row, fuel = f"{air}.china_domestic", f"{air}.short_haul.average.wtt"
    else:
        front = Fraction(1)
        seat = "economy" if cabin == "economy" else "business"
        row = f"{air}.short_haul.{seat}" if km <= 3700 else f"{air}.long_haul.{cabin}"
        fuel = f"{row}.wtt"
    land = "GB" if "GB" in way.lands else way.land
    bare = case.factors.find(f"{row}.norf", land)
    full = case.factors.find(f"{row}.rf", land) if case.non_co2 else bare
    doubts = way.doubts(5, sure=sure)
    amount, share, key = km * trips, weight * front, f"travel.air.{number}"
    yield Part(key, full, amount, share, *doubts, without=bare.value)
    yield Part(f"{key}.wtt", case.factors.find(fuel, land), amount, share, *doubts)
