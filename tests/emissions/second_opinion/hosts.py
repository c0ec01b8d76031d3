"""An organiser's inventory: sections 5, 6, 10 and 11.

What section 10 leaves open for guests who did not answer, the product decides, and says so where it
counts them: whose answers a thin stratum borrows, and what a sample's own error is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from math import floor
from typing import Any

from tests.emissions.second_opinion.arithmetic import HALF, Opinion, Part, digits, opinion, root
from tests.emissions.second_opinion.data import Factors, RefusedError, Row
from tests.emissions.second_opinion.guests import Guests

ONE, NONE = Fraction(1), Fraction(0)
DOUBT = {"metered": 5, "invoiced": 5, "estimated": 30, "default": 60}
ENERGY_MJ = {"MJ": ONE, "GJ": Fraction(1000), "kWh": Fraction("3.6"), "MWh": Fraction(3600),
             "therm": Fraction("29.307107") * Fraction("3.6")}  # fmt: skip
SIZE = {"km": ONE, "m": Fraction("0.001"), "mile": Fraction("1.609344"),
        "kg": ONE, "g": Fraction("0.001"), "tonne": Fraction(1000),
        "litre": ONE, "us_gallon": Fraction("3.785411784"), "m3": Fraction(1000)}  # fmt: skip
SHEET_KG = Fraction("0.0049896")
KWH_PER_KM = Fraction("0.20698")
STARS = {"hotel": ("midscale_fnb", "1"), "hotel_budget": ("economy", "0.86"),
         "hotel_mid": ("midscale", "0.85"), "hotel_high": ("upscale", "1.15"),
         "hotel_five": ("", "1.73")}  # fmt: skip
# unit, family of rows: activity=row; a row that ends in ".rf" has a twin in ".norf"
_TABLE = """
kWh energy: electricity=electricity.grid gas_kwh=fuel.natural_gas.gross_kwh
kWh energy.fuel: coal_kwh=coal.industrial.gross_kwh
GJ energy: heat=heat.district
m3 energy.fuel: gas_m3=natural_gas.m3
m3 water: water=supply
litre energy.fuel: lpg=lpg.litre propane=propane.litre diesel=diesel.mineral.litre
litre energy.fuel: petrol=petrol.mineral.litre heating_oil=gas_oil.litre
kg refrigerant: r410a=r410a r32=hfc-32 r134a=hfc-134a r404a=r404a r407c=r407c r507a=r507a
kg refrigerant: r22=r22 r290=r290
passenger-km transport.rail: train_fast=high_speed train=conventional metro=metro
passenger-km transport.road: bus=bus.local coach=coach
passenger-km transport: ferry=sea.ferry.average ebike=active.ebike bicycle=active.bicycle
passenger-km transport.air: flight_china=china_domestic.rf flight_under_500=domestic.average.rf
passenger-km transport.air: flight_short=short_haul.economy.rf flight_long=long_haul.economy.rf
passenger-km transport.air.short_haul: flight_short_business=business.rf
passenger-km transport.air.long_haul: flight_long_business=business.rf
vehicle-km transport.road: taxi=taxi.ride_hailing.vehicle car=car.average.unknown
vehicle-km transport.road.car.average: car_petrol=petrol car_diesel=diesel car_hybrid=hybrid
vehicle-km energy: car_electric=electricity.grid
person-night accommodation: hostel=hostel.person_night
meal meal: meal=pork meal_vegetarian=vegetarian meal_vegan=vegan meal_chicken=chicken
meal meal: meal_fish=fish_white meal_beef=beef breakfast=breakfast.continental
cup drink: coffee=coffee_cup
litre drink: tea=tea bottled_water=bottled_water tap_water=tap_water juice=fruit_juice
litre drink: soft_drink=soda beer=beer wine=wine
kg material: paper=paper.primary paper_recycled=paper.recycled board=board.primary
kg material: wood=wood.primary aluminium=aluminium.primary steel=steel_can.primary
kg material: glass=glass.primary plastic=plastic.primary plastic_film=plastic_film.primary
kg material: pvc=pvc.primary textile=clothing.primary
sheet material: sheet_a4=paper.primary
item goods: tshirt=clothing.tshirt_cotton
tonne-km freight.road: freight_truck=hgv.average freight_truck_cold=hgv.refrigerated
tonne-km freight: freight_van=road.van.diesel freight_rail=rail freight_ship=sea.container
tonne-km freight: freight_air=air.long_haul.rf
kg waste.household_residual: waste_landfill=landfill waste_burned=incineration_fossil
kg waste: waste_food_landfill=food.landfill waste_food_compost=food.composting
kg waste: waste_paper_recycled=paper.recycled waste_wood_recycled=wood.recycled
kg waste: waste_plastic_burned=plastic.incineration_fossil
kg waste: waste_plastic_recycled=plastic.recycled waste_glass_recycled=glass.recycled
kg waste: waste_metal_recycled=metal_can.recycled
hour digital: streaming=video_stream video_call=video_call
"""


def _rows() -> Iterator[tuple[str, tuple[str, str]]]:
    for line in _TABLE.strip().splitlines():
        head, _, named = line.partition(": ")
        unit, family = head.split(" ")
        for key, row in (pair.split("=") for pair in named.split(" ")):
            yield key, (unit, f"{family}.{row}")


ROWS = dict(_rows())
# Meals studied in China; elsewhere they stand in, a grade worse.
CHINESE = {"meal_buffet": "meal.buffet.hotel", "meal_buffet_frugal": "meal.buffet.hotel.low",
           "meal_hotpot": "meal.hotpot"}  # fmt: skip
# Where the row itself is not known, another of the same kind.
ELSE = {"train_fast": "transport.rail.national", "train": "transport.rail.national",
        "taxi": "transport.road.taxi.regular.vehicle"}  # fmt: skip
SUPPLY = {"transport.road.taxi.ride_hailing.vehicle": "transport.road.taxi.regular.vehicle.wtt",
          "transport.air.china_domestic": "transport.air.short_haul.average.wtt",
          "water.supply": "water.treatment"}  # fmt: skip
COMPLETE = {"energy.electricity.grid", "energy.heat.district"}
BURNED = ("TTW", "tailpipe", "operation (fuel", "operation (direct", "combustion")
# Rows of single provinces that nobody has checked: section 4 takes the country's.
BY_COUNTRY = {"transport.rail.metro", "transport.road.bus.local"}


@dataclass(frozen=True)
class Host:
    """A scene's inventory and the edition asked."""

    region: str
    non_co2: bool
    factors: Factors

    @property
    def country(self) -> str:
        return self.region[:2]

    def find(self, name: str) -> Row:
        """Return the row of a name."""
        bare = name.removesuffix(".wtt")
        return self.factors.find(name, self.country if bare in BY_COUNTRY else self.region)

    def has(self, name: str) -> bool:
        return self.factors.has(name, self.region)

    def rows(self, activity: str) -> Iterator[tuple[str, Row, Fraction, Fraction | None]]:
        """Return suffix, row, ratio and value of the twin without non-CO2."""
        if activity in STARS:
            house, ratio = STARS[activity]
            room = "accommodation.hotel.room"
            if self.country == "CN":
                yield "", self.find(f"{room}.{house}" if house else room), ONE, None
            else:
                yield "", self.find(room), Fraction(ratio), None
            return
        if activity in CHINESE:
            row = self.factors.find(CHINESE[activity], "CN")
            yield "", row if self.country == "CN" else row.worse(), ONE, None
            return
        name = ROWS[activity][1]
        if not self.has(name) and activity in ELSE:
            name = ELSE[activity]
        yield from self._use_and_supply(name)

    def _use_and_supply(self, name: str) -> Iterator[tuple[str, Row, Fraction, Fraction | None]]:
        base = name.removesuffix(".rf")
        row, without = self.find(name), None
        if base != name:
            twin = self.find(f"{base}.norf")
            row, without = (row if self.non_co2 else twin), twin.value
        yield "", row, ONE, without
        if base in COMPLETE:
            return
        supply = SUPPLY.get(base)
        if supply is None:
            supply = f"{base}.wtt"
            if not row.scope.startswith(BURNED) or not self.has(supply):
                return
        yield ".wtt", self.find(supply), ONE, None


def converted(amount: Fraction, unit: str, wanted: str) -> Fraction:
    """Return an amount in another unit."""
    if unit == wanted:
        return amount
    if unit in ENERGY_MJ and wanted in ENERGY_MJ:
        return digits(digits(amount * ENERGY_MJ[unit]) / ENERGY_MJ[wanted])
    wanted = "km" if wanted in {"passenger-km", "vehicle-km"} else wanted
    if unit == wanted:
        return amount
    return digits(digits(amount * SIZE[unit]) / SIZE[wanted])


def _unit(activity: str) -> str:
    if activity in STARS:
        return "room-night"
    return "meal" if activity in CHINESE else ROWS[activity][0]


def entry_parts(host: Host, entry: dict[str, Any], *, guests: bool = False) -> Iterator[Part]:
    """Return the lines of an entry, the organiser's part or the guests'."""
    activity, unit = entry["activity"], _unit(entry["activity"])
    pct = Fraction(entry["organiser_pct"])
    pct = 100 - pct if guests else pct
    if not pct:
        return
    share = digits(digits(Fraction(entry["share"]) * digits(pct / 100)) / entry["uses"])
    amount = converted(Fraction(entry["amount"]), entry["unit"], unit)
    doubt, key = Fraction(DOUBT[entry["quality"]]), f"{entry['category']}.{entry['key']}"
    shared = {"activity": doubt, "together": f"entry {entry['key']}"}
    if own := entry["own"]:
        source, value, doubt_pct = (own[name] for name in ("source", "value", "doubt_pct"))
        numbers = {"value": Fraction(value), "grade": "", "doubt": Fraction(doubt_pct)}
        row = Row("own", source, "own", unit, "", everywhere=False, **numbers)
        yield Part(key, row, amount, share, **shared)
        return
    if activity == "sheet_a4":
        amount, unit = digits(amount * SHEET_KG), "kg"
    if activity == "car_electric":
        amount, unit = digits(amount * KWH_PER_KM), "kWh"
    for end, row, ratio, without in host.rows(activity):
        in_unit = converted(amount, unit, row.unit)
        yield Part(f"{key}{end}", row, in_unit, digits(share * ratio), without=without, **shared)


def as_range(found: Opinion, parts: Iterable[Part]) -> Opinion:
    """Return an opinion whose ends are the total divided and multiplied by 1 + U, as printed."""
    kept = list(parts)
    total = found.mass_g
    if not total:
        return replace(found, low_g=0, high_g=0)
    doubt = root(variance(kept)) / total
    printed = Decimal(doubt.numerator) / Decimal(doubt.denominator)
    times = 1 + Fraction(printed.quantize(Decimal("0.1"), ROUND_HALF_EVEN)) / 100
    low, high = floor(total / times + HALF), floor(total * times + HALF)
    return replace(found, low_g=low, high_g=high)


def variance(parts: Iterable[Part]) -> Fraction:
    """Return squared grams times per cent: what moves together is added first."""
    errors: dict[object, Fraction] = {}
    square = NONE
    for part in parts:
        errors[part.row.name] = errors.get(part.row.name, NONE) + part.grams * part.row.doubt
        if part.together:
            moved = errors.get(part.together, NONE)
            errors[part.together] = moved + part.grams * part.activity
        else:
            square += (part.grams * part.activity) ** 2
        square += (part.grams * part.distance) ** 2
    return square + sum(each**2 for each in errors.values())


@dataclass(frozen=True)
class Said:
    """What an organiser and the guests said. ``guests``: None where nobody was asked."""

    inputs: dict[str, Any]
    guests: list[dict[str, Any]] | None = None
    attendance: dict[str, int] = field(default_factory=dict)
    city: str = ""
    organiser_pct: Fraction = Fraction(100)


def inventory(said: Said, factors: Factors) -> tuple[Opinion, Opinion]:
    """Return the organiser's inventory, and what guests answer for beside it.

    Raises: RefusedError.
    """
    host = Host(said.inputs["region"], said.inputs["non_co2"], factors)
    both: list[Opinion] = []
    asked = said.guests is not None
    people = Guests(said.guests or [], said.city, host.country, factors) if asked else None
    for others in (False, True):
        parts = [
            part
            for entry in said.inputs["entries"]
            for part in entry_parts(host, entry, guests=others)
        ]
        if people is not None:
            pct = said.organiser_pct
            parts += people.parts(said.attendance, pct, others=others)
        both.append(as_range(opinion(parts, factors.method), parts))
    return both[0], both[1]


__all__ = ["RefusedError", "Said", "inventory"]
