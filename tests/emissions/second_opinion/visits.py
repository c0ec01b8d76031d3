"""A visit of each kind: sections 4 and 7, with the defaults for what is not known."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from tests.emissions.second_opinion.arithmetic import Opinion, Part, opinion
from tests.emissions.second_opinion.data import Factors, Row
from tests.emissions.second_opinion.travel import DEFAULT, GUESS, NONE, Case, ride, travel

ROOM, PERSON = "accommodation.hotel.room", "accommodation.hotel.person_night"
CHINESE_ROOM = {"budget": f"{ROOM}.economy", "mid": f"{ROOM}.midscale", "high": f"{ROOM}.upscale",
                "five_star": ROOM, "unknown": f"{ROOM}.midscale_fnb"}  # fmt: skip
TAIWANESE = {"budget": "general", "mid": "tourist", "high": "tourist",
             "five_star": "international", "unknown": "tourist"}  # fmt: skip
STARS = {"budget": "0.86", "mid": "0.85", "high": "1.15", "five_star": "1.73", "unknown": "1"}
MEAL = {"canteen": "meal.pork", "vegetarian": "meal.vegetarian", "chicken": "meal.chicken",
        "fish": "meal.fish_white", "beef": "meal.beef", "hotpot": "meal.hotpot",
        "banquet": "meal.buffet.hotel", "unknown": "meal.pork"}  # fmt: skip
DRINK = {"tea": "tea", "coffee": "coffee", "soft": "soda", "beer": "beer", "wine": "wine"}
GOODS = {"beef": "beef", "pork": "pork", "chicken": "chicken", "egg": "egg", "rice": "rice",
         "greens": "cabbage", "fruit": "apple"}  # fmt: skip
# Meals a night, and on a day trip, where the guest does not say.
MEALS = {"conference": (1, 0), "hotel": (2, 0), "scenic_spot": (3, 1), "other": (3, 0)}
KINDS = {*MEALS, "restaurant", "supermarket", "lines"}  # of which there is a second opinion
BASIS = {
    "meter": 5,
    "ticket": 5,
    "invoice": 5,
    "count": 0,
    "map": 10,
    "estimate": 30,
    "default": 60,
}
SIZE = {"kWh": 1, "MWh": 1000, "km": 1, "m": "0.001", "mile": "1.609344", "kg": 1, "g": "0.001",
        "litre": 1, "us_gallon": "3.785411784", "m3": 1000}  # fmt: skip


def second_opinion(inputs: dict[str, Any], factors: Factors) -> Opinion:
    """Return what a visit or bare lines should come to. Raises: RefusedError."""
    return opinion(_parts(inputs, factors), factors.method)


def _parts(inputs: dict[str, Any], factors: Factors) -> Iterator[Part]:
    if "lines" in inputs:
        yield from (_bare(line, n, factors) for n, line in enumerate(inputs["lines"]))
        return
    where = (inputs["city"], inputs["country"], inputs["region"])
    case = Case(inputs["answers"], *where, inputs["non_co2"], factors)
    if inputs["kind"] == "restaurant":
        yield from (*_outing(case), *_eaten(case))
    elif inputs["kind"] == "supermarket":
        yield from (*_outing(case), *_basket(case))
    else:
        usual = MEALS[inputs["kind"]]
        yield from (*travel(case), *_stay(case), *_local(case), *_meals(case, *usual))


def _stay(case: Case) -> Iterator[Part]:
    nights = case.number("nights", 0)
    kind = case.answers.get("stay", "unknown")
    if nights and kind == "friends":
        home = Row("home", "", "", "person-night", "", False, Fraction(0), "A", Fraction(0))
        yield Part("stay.friends", home, nights)
    elif nights:
        row, ratio = _house(case, kind)
        people = case.number("room_people", 1) if row.unit == "room-night" else 1
        yield Part(f"stay.{kind}", row, nights, ratio / people, _if_unknown(kind))


def _if_unknown(kind: str) -> Fraction:
    return DEFAULT if kind == "unknown" else NONE


def _house(case: Case, kind: str) -> tuple[Row, Fraction]:
    find, land, one = case.factors.find, case.country, Fraction(1)
    if kind == "hostel":
        homestay = f"{PERSON}.measured.homestay"
        if land == "CN":
            return find(homestay, "TW").worse(), one
        return find(homestay if land == "TW" else "accommodation.hostel.person_night", land), one
    if land == "CN":
        return find(CHINESE_ROOM[kind], "CN"), one
    if land == "TW":
        return find(f"{PERSON}.measured.{TAIWANESE[kind]}", "TW"), one
    row = ROOM if case.factors.has(ROOM, land) else f"{PERSON}.world_2005"
    return find(row, land), Fraction(STARS[kind])


def _local(case: Case) -> Iterator[Part]:
    how = case.answers.get("local", "unknown")
    if how == "none" or (how == "unknown" and case.at_home):
        return
    doubt = 30 if "local_km" in case.answers else 60
    yield from ride(case, how, case.number("local_km", 20), "local", (Fraction(doubt), NONE))


def _meals(case: Case, a_night: int, day_trip: int) -> Iterator[Part]:
    nights = case.number("nights", 0)
    meals = case.number("meals", int(nights * a_night if nights else day_trip))
    kind = case.answers.get("meal_kind", "unknown")
    if meals:
        sure = case.said("meals") and kind != "unknown"
        row = case.factors.find(MEAL[kind], case.country)
        yield Part(f"food.meals.{kind}", row, meals, activity=NONE if sure else DEFAULT)


def _outing(case: Case) -> Iterator[Part]:
    how = case.answers.get("way", "unknown")
    doubt = 30 if case.said("way_km") and how != "unknown" else 60
    yield from ride(
        case, how, case.number("way_km", 10) * 2, "travel.outing", (Fraction(doubt), NONE)
    )


def _eaten(case: Case) -> Iterator[Part]:
    dishes = case.number("dishes", 0)
    kind = case.answers.get("meal_kind", "unknown")
    if dishes and case.country == "CN":
        row = case.factors.find("meal.restaurant_dish", "CN")
        yield Part("food.dishes", row, dishes, 1 / case.number("diners", 1))
    else:
        row = case.factors.find(MEAL[kind], case.country)
        yield Part(f"food.meals.{kind}", row, Fraction(1), activity=_if_unknown(kind))
    drink = case.answers.get("drink", "none")
    if drink != "none":
        row = case.factors.find(f"drink.{DRINK[drink]}", case.country)
        litres = case.number("cups", 1) / 4
        yield Part(f"food.drink.{drink}", row, litres, activity=DEFAULT)


def _basket(case: Case) -> Iterator[Part]:
    for name, food in GOODS.items():
        amount = case.number(f"{name}_kg", 0)
        if amount:
            row = case.factors.find(f"food.{food}.agribalyse", case.country)
            yield Part(f"goods.{name}", row, amount, activity=GUESS)


def _bare(line: dict[str, Any], number: int, factors: Factors) -> Part:
    without = None
    if own := line.get("own_factor"):
        value, doubt = Fraction(own["value"]), Fraction(own.get("uncertainty_pct", 60))
        source = own["source"]
        row = Row("own", source, "own", own["unit"], "", False, value, "D", doubt)
    else:
        row = factors.find(line["factor"], line["region"])
        if row.id.endswith(".rf"):
            without = factors.find(f"{row.id[:-3]}.norf", line["region"]).value
    unit = line.get("unit", row.unit)
    amount = Fraction(line["amount"])
    if unit != row.unit:
        amount = amount * Fraction(SIZE[unit]) / Fraction(SIZE[row.unit])
    share = Fraction(line.get("share", 1))
    doubt_pct = Fraction(BASIS[line.get("basis", "estimate")])
    return Part(f"lines.{number}", row, amount, share, doubt_pct, without=without)
