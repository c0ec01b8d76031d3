"""A year from questions: section 8, with the rows of sections 3, 4 and 6.

What stands in where somebody does not know is activity data of the statistics named beside it, and
doubtful by 60 %, "default of this document"; so is whatever is divided by people nobody counted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.emissions.second_opinion.arithmetic import Part, digits
from tests.emissions.second_opinion.data import Factors, Row

ONE, NONE, GUESS, DEFAULT = Fraction(1), Fraction(0), Fraction(30), Fraction(60)
TIMES = {"once": ONE, "year": ONE, "month": Fraction(12), "week": Fraction("52.142857"),
         "day": Fraction(365)}  # fmt: skip
KWH_PER_KM = Fraction("0.20698")
MEAN_KM = {"short": Fraction(1484), "long": Fraction(6799)}  # one way, section 3
HEATED_NORTH = {"CN-BJ", "CN-TJ", "CN-HE", "CN-SX", "CN-NM", "CN-LN", "CN-JL", "CN-HL", "CN-SD",
                "CN-HA", "CN-SN", "CN-GS", "CN-QH", "CN-NX", "CN-XJ"}  # fmt: skip
# question -> (China, Netherlands and everywhere else); in the question's unit but for
# electricity (kWh a person and year) and home_m2 (m2 a person)
STAND_IN = {
    "people": ("2.62", "2.1"),  # census 2020; CBS 2023
    "electricity_kwh": ("956", "1167"),  # 1.35e12 kWh over 1,411.78e6 people; 2,450 over 2.1
    "home_m2": ("41.76", "53"),
    "car_km": ("18900", "18900"),
    "car": ("2771", "6478"),  # car km of an inhabitant
    "commute_km": ("91.8", "198"),  # five days there and back over 9.18 and 19.8 km
    "flights_short": ("0.21", "0.57"),
    "flights_long": ("0.01", "0.29"),
    "clothes": ("13", "13"),
    "devices": ("0.5", "0.5"),
    "large_items": ("0.25", "0.25"),
    "video_hours": ("2.6", "2.6"),
    "hotel_nights": ("3", "3"),
    "coffee_cups": ("1", "1"),
    "alcohol_glasses": ("2", "2"),
    "waste_kg": ("3", "3"),
}
DUTCH_CAR_KM = "10809"
GJ_PER_M2 = Fraction("0.354")
DIETS = {"vegan": (0, 0), "vegetarian": (0, 0), "some": (1, 4), "daily": (2, 8), "much": (5, 9)}
MIXED = {"some", "daily", "much"}
BOUGHT = {
    "clothes": [f"goods.clothing.{name}" for name in
                ("tshirt_cotton", "shirt_cotton", "jeans", "sweatshirt_cotton")],
    "devices": [f"goods.electronics.{name}" for name in ("smartphone", "tablet", "laptop")],
    "large_items": ["goods.appliance.fridge", "goods.appliance.washing_machine",
                    "goods.furniture.sofa", "goods.furniture.bed"],
}  # fmt: skip


@dataclass(frozen=True)
class Life:
    """One person, and the edition asked."""

    answers: dict[str, Any]
    region: str
    factors: Factors
    non_co2: bool = True

    @property
    def country(self) -> str:
        return self.region[:2]

    @property
    def china(self) -> bool:
        return self.country == "CN"

    def row(self, factor: str) -> Row:
        return self.factors.find(factor, self.country)

    def grid(self) -> Row:
        return self.factors.find("energy.electricity.grid", self.region)

    def supplied(self, factor: str) -> list[Row]:
        """Return a fuel's row and that of its supply."""
        return [self.row(factor), self.row(f"{factor}.wtt")]

    def ridden(self, factor: str) -> list[Row]:
        return self.factors.use_and_supply(factor, self.country)

    def chosen(self, question: str) -> str:
        return str(self.answers.get(question, "unknown"))

    def said(self, question: str) -> Fraction | None:
        given = self.answers.get(question, "unknown")
        return None if given == "unknown" else Fraction(str(given))

    def stand_in(self, question: str) -> Fraction:
        if question == "car_km" and self.country == "NL":
            return Fraction(DUTCH_CAR_KM)
        return Fraction(STAND_IN[question][0 if self.china else 1])

    def a_year(self, question: str, period: str = "year") -> tuple[Fraction, Fraction]:
        """Return the amount of a year and its doubt."""
        given = self.said(question)
        if given is None:
            return self.stand_in(question) * TIMES[period], DEFAULT
        return given * TIMES[period], GUESS

    def one_of_home(self) -> tuple[Fraction, bool]:
        """Return one person's share, and whether it was said."""
        people = self.said("people")
        return digits(1 / (people or self.stand_in("people"))), people is not None

    def bill(self, question: str) -> tuple[Fraction, Fraction, Fraction]:
        """Return amount of a year, share and doubt of a monthly bill of the home."""
        share, sure = self.one_of_home()
        amount, doubt = self.a_year(question, "month")
        return amount, share, doubt if sure else DEFAULT


def both(key: str, rows: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    return zip((key, f"{key}.wtt"), rows, strict=False)


def _home(life: Life) -> Iterator[Part]:
    amount, share, doubt = life.stand_in("electricity_kwh"), ONE, DEFAULT
    if life.said("electricity_kwh") is not None:
        amount, share, doubt = life.bill("electricity_kwh")
    yield Part("home.electricity", life.grid(), amount, share, doubt)
    yield from _heat(life)
    if life.said("water_m3"):
        amount, share, doubt = life.bill("water_m3")
        for name in ("water.supply", "water.treatment"):
            yield Part(f"home.{name}", life.row(name), amount, share, doubt)
    kg, doubt = life.a_year("waste_kg", "week")
    if kg:
        yield Part("home.waste", life.row(waste(life)), kg, activity=doubt)


def waste(life: Life) -> str:
    return f"waste.household_residual.{'landfill' if life.china else 'incineration_fossil'}"


def _heat(life: Life) -> Iterator[Part]:
    way = life.chosen("heating")
    known = way != "unknown"
    if not known:
        way = "gas"
        if life.china:
            way = "district" if life.region in HEATED_NORTH else "none"
    if way == "gas" and life.said("gas_m3") is not None:
        yield from _gas(life, "gas_m3", "home.gas")
    elif way in {"gas", "district", "oil", "wood"}:
        yield _by_area(life, way, known=known)
    if life.said("cooking_gas_m3"):
        yield from _gas(life, "cooking_gas_m3", "home.cooking_gas")


def _gas(life: Life, question: str, key: str) -> Iterator[Part]:
    amount, share, doubt = life.bill(question)
    for name, row in both(key, life.supplied("energy.fuel.natural_gas.m3")) if amount else ():
        yield Part(name, row, amount, share, doubt)


def _by_area(life: Life, way: str, *, known: bool) -> Part:
    floor, share = life.stand_in("home_m2"), ONE
    if known and way != "gas" and life.said("home_m2") is not None:
        floor, (share, _) = life.said("home_m2") or NONE, life.one_of_home()
    key = f"home.heating.{way}"
    if way == "district" and life.china:
        return Part(key, life.row("energy.heat.district"), floor * GJ_PER_M2, share, DEFAULT)
    name = {"wood": "wood_stove"}.get(way, way)
    row = life.factors.find(f"housing.heating.{name}", "FR")
    return Part(key, row if life.country == "FR" else row.worse(), floor, share, DEFAULT)


def _moving(life: Life) -> Iterator[Part]:
    yield from _car(life)
    yield from _commute(life)
    if life.said("train_km"):
        km, doubt = life.a_year("train_km")
        for name, row in both("moving.train", life.ridden(_train(life))):
            yield Part(name, row, km, activity=doubt)
    for band, mean in MEAN_KM.items():
        flown, doubt = life.a_year(f"flights_{band}")
        if flown:
            doubts = (DEFAULT if doubt == DEFAULT else NONE, GUESS)
            yield from _flown(life, band, flown * 2 * mean, doubts)


def _car(life: Life) -> Iterator[Part]:
    fuel = life.chosen("car")
    unsaid = fuel == "unknown" and life.said("car_km") is None
    km, doubt = life.a_year("car" if unsaid else "car_km")
    if fuel == "none" or not km:
        return
    share = digits(1 / (life.said("car_people") or ONE))
    if fuel == "electric":
        yield Part("moving.car.electric", life.grid(), km * KWH_PER_KM, share, max(doubt, GUESS))
        return
    for name, row in both("moving.car", life.ridden(f"transport.road.car.average.{fuel}")):
        yield Part(name, row, km, share, doubt)


def _commute(life: Life) -> Iterator[Part]:
    way = life.chosen("commute")
    if way in {"none", "car"}:
        return
    km, doubt = life.a_year("commute_km", "week")
    way = "bus" if way == "unknown" else way
    for name, row in both(f"moving.commute.{way}", ride(life, way)):
        yield Part(name, row, km, activity=doubt)


def ride(life: Life, way: str) -> list[Row]:
    if way == "taxi" and life.china:
        taxi = "transport.road.taxi"
        return [life.row(f"{taxi}.ride_hailing.vehicle"), life.row(f"{taxi}.regular.vehicle.wtt")]
    named = {"metro": "rail.metro", "bus": "road.bus.local", "taxi": "road.taxi.regular"}
    factor = _train(life) if way == "train" else f"transport.{named.get(way, f'active.{way}')}"
    return life.ridden(factor)


def _train(life: Life) -> str:
    kinds = {"CN": "high_speed", "FR": "regional"}
    return f"transport.rail.{kinds.get(life.country, 'national')}"


def flight(life: Life, band: str, cabin: str = "economy") -> tuple[Row, Row, Row, Fraction]:
    """Return rows with and without the non-CO2 effect, of the fuel, and the cabin's ratio."""
    ratio = ONE
    if band == "short" and life.china:
        base, fuel = "transport.air.china_domestic", "transport.air.short_haul.average.wtt"
        ratio = ONE if cabin == "economy" else Fraction(3, 2)
    else:
        seat = cabin if band == "long" or cabin == "economy" else "business"
        base = f"transport.air.{band}_haul.{seat}"
        fuel = f"{base}.wtt"
    bare = life.row(f"{base}.norf")
    return life.row(f"{base}.rf") if life.non_co2 else bare, bare, life.row(fuel), ratio


def _flown(life: Life, band: str, km: Fraction, doubts: tuple[Fraction, Fraction],
           ) -> Iterator[Part]:  # fmt: skip
    cabin = life.chosen("cabin")
    full, bare, fuel, ratio = flight(life, band, "economy" if cabin == "unknown" else cabin)
    key = f"moving.flights_{band}"
    yield Part(key, full, km, ratio, *doubts, without=bare.value)
    yield Part(f"{key}.wtt", fuel, km, ratio, *doubts)


def _food(life: Life) -> Iterator[Part]:
    diet = life.chosen("diet")
    unknown = diet == "unknown"
    if unknown and life.china:
        day = life.row("food.diet.day_recommended")
        yield Part("food.day", day, TIMES["day"], activity=DEFAULT)
    else:
        doubt = DEFAULT if unknown else GUESS
        for kind, row, meals in _meals(life, diet):
            if meals:
                a_year = meals * TIMES["week"]
                yield Part(f"food.{kind}", life.row(f"meal.{row}"), a_year, activity=doubt)
        kind = life.chosen("breakfast")
        if kind != "none":
            row = life.row(f"meal.breakfast.{'continental' if kind == 'unknown' else kind}")
            yield Part("food.breakfast", row, 7 * TIMES["week"], activity=doubt)
    for question, period, row_name, size in (
        ("coffee_cups", "day", "drink.coffee_cup", ONE),
        ("alcohol_glasses", "week", "drink.beer", Fraction(1, 4)),
    ):
        drunk, doubt = life.a_year(question, period)
        in_the_day = unknown and life.china and life.said(question) is None
        if drunk and not in_the_day:
            yield Part(f"food.{question}", life.row(row_name), drunk * size, activity=doubt)


def _meals(life: Life, diet: str) -> Iterator[tuple[str, str, Fraction]]:
    """Return kinds, rows and meals a week; fourteen main meals, the rest has no meat."""
    if diet == "unknown":
        yield "meat", "pork", Fraction(14)
        return
    beef, meat = map(Fraction, DIETS[diet])
    if diet in MIXED:
        given = life.said("beef_meals"), life.said("meat_meals")
        beef, meat = (usual if one is None else one
                      for one, usual in zip(given, (beef, meat), strict=True))  # fmt: skip
    yield "beef", "beef", beef
    yield "meat", "pork", meat
    rest = "vegan" if diet == "vegan" else "vegetarian"
    yield rest, rest, max(14 - beef - meat, NONE)


def _things(life: Life) -> Iterator[Part]:
    for group, rows in BOUGHT.items():
        bought, _ = life.a_year(group)
        for name in rows if bought else ():
            key = f"things.{group}.{name.split('.')[-1]}"
            part = digits(Fraction(1, len(rows)))
            yield Part(key, life.row(name), bought, part, DEFAULT)


def _services(life: Life) -> Iterator[Part]:
    hours, doubt = life.a_year("video_hours", "day")
    if hours:
        yield Part("services.video", life.row("digital.video_stream"), hours, activity=doubt)
    nights, _ = life.a_year("hotel_nights")
    if nights:
        yield Part("services.hotel", hotel(life), nights, activity=DEFAULT)


def hotel(life: Life) -> Row:
    """Return the row of a night in a hotel of unknown class."""
    room, person = "accommodation.hotel.room", "accommodation.hotel.person_night"
    by_country = {"CN": f"{room}.midscale_fnb", "TW": f"{person}.measured.tourist"}
    usual = room if life.factors.has(room, life.country) else f"{person}.world_2005"
    return life.row(by_country.get(life.country, usual))


def quick_lines(life: Life) -> list[Part]:
    """Return the lines of a year from questions."""
    return [*_home(life), *_moving(life), *_food(life), *_things(life), *_services(life)]
