"""Bills, meals and purchases of a year, and the days of a diary: section 8, rows of section 4."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from tests.emissions.second_opinion.arithmetic import Opinion, Part, digits, opinion
from tests.emissions.second_opinion.data import Factors, RefusedError, Row
from tests.emissions.second_opinion.lives import (
    DEFAULT,
    GUESS,
    KWH_PER_KM,
    NONE,
    ONE,
    TIMES,
    Life,
    both,
    flight,
    hotel,
    quick_lines,
    ride,
    waste,
)

KWH_PER_GJ = digits(Fraction(10_000, 36))  # a conversion is a number of 28 digits too
BASIS = {"bill": Fraction(5), "count": NONE, "estimate": GUESS}
FUELS = {"gas": "natural_gas.m3", "heating_oil": "gas_oil.litre", "lpg": "lpg.litre",
         "petrol": "petrol.mineral.litre", "diesel": "diesel.mineral.litre"}  # fmt: skip
RIDES = {"car_petrol": "road.car.average.petrol", "car_diesel": "road.car.average.diesel",
         "car_hybrid": "road.car.average.hybrid", "motorbike": "road.motorbike.average",
         "metro": "rail.metro", "bus": "road.bus.local", "ebike": "active.ebike",
         "bicycle": "active.bicycle", "walk": "active.walk", "coach": "road.coach",
         "ferry": "sea.ferry.average"}  # fmt: skip
MEALS = {"meal_vegan": "meal.vegan", "meal_vegetarian": "meal.vegetarian",
         "meal_everyday": "meal.pork", "meal_chicken": "meal.chicken",
         "meal_fish": "meal.fish_white", "meal_beef": "meal.beef",
         "meal_hotpot": "meal.hotpot", "meal_banquet": "meal.buffet.hotel",
         "breakfast": "meal.breakfast.continental"}  # fmt: skip
WEIGHED = {"beef", "pork", "chicken", "cod", "salmon", "shrimp", "egg", "cheese_hard", "butter",
           "yogurt", "rice", "pasta", "lentil", "cabbage", "apple"}  # fmt: skip
DRINKS = {"milk", "soy_milk", "tea", "soda", "bottled_water", "beer", "wine"}
GOODS = {
    "clothing": "tshirt_cotton shirt_cotton jeans sweatshirt_cotton sweater_wool coat dress_cotton"
    " shoes_leather shoes_sport",
    "electronics": "smartphone laptop tablet television desktop monitor",
    "appliance": "fridge washing_machine air_conditioner dishwasher",
    "furniture": "sofa bed table_wood chair_wood wardrobe",
    "consumable": "detergent_liquid dish_soap shampoo",
}
OTHERS = {"heat": "energy.heat.district", "coffee_cup": "drink.coffee_cup",
          "video": "digital.video_stream", "video_call": "digital.video_call"}  # fmt: skip
HOME = {"electricity", "gas", "heat", "heating_oil", "lpg", "water", "waste"}
SHARED = HOME - {"waste"}
MOVING = {*RIDES, "petrol", "diesel", "car_electric", "taxi", "train", "fast_train",
          "flight_short", "flight_long"}  # fmt: skip
# Quick lines that an entry stands in for, by the beginning of their keys.
ALL_MEALS = ("food.beef", "food.meat", "food.vegetarian", "food.vegan", "food.day",
             "food.breakfast")  # fmt: skip
CAR, WAY, TRAIN = ("moving.car",), ("moving.commute",), ("moving.train",)
INSTEAD = {
    "electricity": ("home.electricity",),
    "gas": ("home.gas", "home.cooking_gas", "home.heating.gas"),
    "heat": ("home.heating.district",),
    "heating_oil": ("home.heating.oil",),
    "water": ("home.water",),
    "waste": ("home.waste",),
    "flight_short": ("moving.flights_short",),
    "flight_long": ("moving.flights_long",),
    "coffee_cup": ("food.coffee_cups",),
    "drink_beer": ("food.alcohol_glasses",),
    "drink_wine": ("food.alcohol_glasses",),
    "video": ("services.video",),
    "hotel_night": ("services.hotel",),
    **dict.fromkeys(["car_petrol", "car_diesel", "car_hybrid", "car_electric"], CAR),
    **dict.fromkeys(["petrol", "diesel"], CAR),
    **dict.fromkeys(["taxi", "metro", "bus", "ebike", "bicycle", "walk"], WAY),
    **dict.fromkeys(["train", "fast_train"], TRAIN),
    **dict.fromkeys([*MEALS, *(f"food_{name}" for name in WEIGHED)], ALL_MEALS),
}
LARGE = ("things.large_items",)
OF_GOODS = {"clothing": ("things.clothes",), "electronics": ("things.devices",),
            "appliance": LARGE, "furniture": LARGE}  # fmt: skip


def _family(activity: str) -> str:
    return next((kind for kind, names in GOODS.items() if activity in names.split()), "")


def group_of(activity: str) -> str:
    """Return the group of an activity, with which the key of its lines begins."""
    if activity in HOME or activity in MOVING:
        return "home" if activity in HOME else "moving"
    if _family(activity):
        return "things"
    return "services" if activity in {"video", "video_call", "hotel_night"} else "food"


def rows_of(life: Life, activity: str) -> list[tuple[str, Row, Fraction, Fraction | None]]:
    """Return suffix, row, units of the row for one of the activity, and the twin's value."""
    if activity.startswith("flight_"):
        full, bare, fuel, _ = flight(life, activity.removeprefix("flight_"))
        return [("", full, ONE, bare.value), (".wtt", fuel, ONE, None)]
    if activity == "heat" and not life.china:
        rows = life.supplied("energy.heat.district")
        return [(end, row, KWH_PER_GJ, None) for end, row in both("", rows)]
    if activity == "water":
        named = zip(("", ".treatment"), ("water.supply", "water.treatment"), strict=True)
        return [(end, life.row(name), ONE, None) for end, name in named]
    if activity == "car_electric":
        return [("", life.grid(), KWH_PER_KM, None)]
    return [(end, row, ONE, None) for end, row in both("", _simple(life, activity))]


def _simple(life: Life, activity: str) -> list[Row]:
    """Return the rows of an activity in its own unit."""
    special = {
        "electricity": lambda: [life.grid()],
        "waste": lambda: [life.row(waste(life))],
        "taxi": lambda: ride(life, "taxi"),
        "train": lambda: _ordinary(life),
        "fast_train": lambda: _fast(life),
        "hotel_night": lambda: [hotel(life)],
    }
    if activity in special:
        return special[activity]()
    if activity in FUELS:
        return life.supplied(f"energy.fuel.{FUELS[activity]}")
    if activity in RIDES:
        return life.ridden(f"transport.{RIDES[activity]}")
    if activity in {"meal_hotpot", "meal_banquet"} and not life.china:
        raise RefusedError("Chinese meals are counted in China")
    return [life.row(_name_of(activity))]


def _name_of(activity: str) -> str:
    """Return the row of what is one row."""
    food, drink = activity.removeprefix("food_"), activity.removeprefix("drink_")
    if food in WEIGHED:
        return f"food.{food}.agribalyse"
    if drink in DRINKS:
        return f"drink.{drink}"
    if family := _family(activity):
        return f"goods.{family}.{activity}"
    return (MEALS | OTHERS)[activity]


def _ordinary(life: Life) -> list[Row]:
    kinds = {"CN": "conventional", "FR": "regional"}
    return life.ridden(f"transport.rail.{kinds.get(life.country, 'national')}")


def _fast(life: Life) -> list[Row]:
    if life.country not in {"CN", "FR"}:
        raise RefusedError("no such trains known")
    return life.ridden("transport.rail.high_speed")


def _entered(life: Life, entry: dict[str, Any], key: str, share: Fraction, doubt: Fraction,
             times: Fraction = ONE) -> Iterator[Part]:  # fmt: skip
    amount = digits(Fraction(entry["amount"]) * times)
    for end, row, units, without in rows_of(life, entry["activity"]):
        yield Part(f"{key}{end}", row, digits(amount * units), share, doubt, without=without)


def _items(life: Life, items: Iterable[dict[str, Any]]) -> Iterator[Part]:
    people, sure = life.one_of_home()
    for number, item in enumerate(items):
        activity = item["activity"]
        shared = activity in SHARED
        share = digits((people if shared else ONE) / item["years"])
        doubt = BASIS[item["basis"]] if sure or not shared else DEFAULT
        key = f"{group_of(activity)}.{activity}.{number}"
        yield from _entered(life, item, key, share, doubt, TIMES[item["period"]])


def year(inputs: dict[str, Any], factors: Factors) -> Opinion:
    """Return what a year should come to. Raises: RefusedError."""
    life = Life(inputs["answers"], inputs["region"], factors, inputs["non_co2"])
    items = inputs.get("items", [])
    gone = tuple(
        start
        for item in items
        for start in INSTEAD.get(item["activity"]) or OF_GOODS.get(_family(item["activity"]), ())
    )
    left = [
        part
        for part in quick_lines(life)
        if not f"{part.key}.".startswith(tuple(f"{g}." for g in gone))
    ]
    return opinion([*left, *_items(life, items)], factors.method)


def diary(inputs: dict[str, Any], factors: Factors) -> Opinion:
    """Return what the entries of a diary should come to. Raises: RefusedError."""
    life = Life({}, inputs["region"], factors, inputs["non_co2"])
    parts: list[Part] = []
    for number, entry in enumerate(inputs["entries"]):
        activity = entry["activity"]
        share = digits(Fraction(1, entry["people"] if activity in SHARED else 1))
        key = f"{group_of(activity)}.{activity}.{number}"
        parts += _entered(life, entry, key, share, BASIS[entry["basis"]])
    return opinion(parts, factors.method)
