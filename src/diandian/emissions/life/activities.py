"""The known activities of bills, meals, purchases and days: what somebody can enter by itself.

An activity becomes one line, or two where a fuel's supply is a row of its own. Food by weight is
of one family of rows (Agribalyse) and never of a second beside it.
*Source:* methodology, sections 4, 6 and 8.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from diandian.emissions.blocks.base import with_upstream
from diandian.emissions.blocks.ground import BATTERY_KWH_PER_KM
from diandian.emissions.errors import FactorMissingError
from diandian.emissions.life.home import GAS, waste_row
from diandian.emissions.life.moving import flight_rows
from diandian.emissions.life.parts import with_supply
from diandian.emissions.life.things import THINGS, hotel_lines
from diandian.emissions.lines import NO_DOUBT, ONE
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from diandian.emissions.context import SceneContext
    from diandian.emissions.factor_set import FactorSet, FoundFactor


class Step(NamedTuple):
    """One row of an activity. ``times``: units of the row per unit of the activity."""

    suffix: str
    found: FoundFactor
    times: Decimal = ONE
    without: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """Something that can be entered with an amount.

    ``category``: of the estimate's lines. ``unit``: in which amounts are stored. ``shared``: a
    bill of the whole home, divided by the people in it. ``lasting``: may be spread over years.
    ``replaces``: beginnings of line keys of the quick answers which an entry stands in for.
    """

    key: str
    group: str
    category: str
    label: str
    unit: str
    steps: Callable[[SceneContext, FactorSet], tuple[Step, ...]] = field(compare=False)
    replaces: tuple[str, ...] = ()
    shared: bool = False
    lasting: bool = False


def _row(factor_id: str) -> Callable[[SceneContext, FactorSet], tuple[Step, ...]]:
    def steps(context: SceneContext, factors: FactorSet) -> tuple[Step, ...]:
        return (Step("", factors.find(factor_id, context.country)),)

    return steps


def _supplied(factor_id: str) -> Callable[[SceneContext, FactorSet], tuple[Step, ...]]:
    def steps(context: SceneContext, factors: FactorSet) -> tuple[Step, ...]:
        return tuple(Step(*pair) for pair in with_supply(factors, factor_id, context.country))

    return steps


def _ridden(factor_id: str) -> Callable[[SceneContext, FactorSet], tuple[Step, ...]]:
    def steps(context: SceneContext, factors: FactorSet) -> tuple[Step, ...]:
        return tuple(Step(*pair) for pair in with_upstream(factors, factor_id, context.country))

    return steps


def _grid(times: Decimal) -> Callable[[SceneContext, FactorSet], tuple[Step, ...]]:
    def steps(context: SceneContext, factors: FactorSet) -> tuple[Step, ...]:
        return (Step("", factors.find("energy.electricity.grid", context.region), times),)

    return steps


def _flown(band: str) -> Callable[[SceneContext, FactorSet], tuple[Step, ...]]:
    def steps(context: SceneContext, factors: FactorSet) -> tuple[Step, ...]:
        row, fuel, _ = flight_rows(context, band, "economy")
        twin = factors.find(f"{row}.norf", context.country)
        flown = factors.find(f"{row}.rf", context.country) if context.non_co2 else twin
        supply = Step(".wtt", factors.find(fuel, context.country))
        return (Step("", flown, without=twin.factor.value), supply)

    return steps


def _heat(context: SceneContext, factors: FactorSet) -> tuple[Step, ...]:
    if context.country == "CN":
        return (Step("", factors.find("energy.heat.district", "CN")),)
    kwh = Decimal(10_000) / 36  # in a GJ
    pairs = with_supply(factors, "energy.heat.district", context.country)
    return tuple(Step(suffix, found, kwh) for suffix, found in pairs)


def _water(context: SceneContext, factors: FactorSet) -> tuple[Step, ...]:
    return (
        Step("", factors.find("water.supply", context.country)),
        Step(".treatment", factors.find("water.treatment", context.country)),
    )


def _taxi(context: SceneContext, factors: FactorSet) -> tuple[Step, ...]:
    if context.country != "CN":
        return _ridden("transport.road.taxi.regular")(context, factors)
    supply = factors.find("transport.road.taxi.regular.vehicle.wtt", "CN")
    return (
        Step("", factors.find("transport.road.taxi.ride_hailing.vehicle", "CN")),
        Step(".wtt", supply),
    )


def _train(context: SceneContext, factors: FactorSet) -> tuple[Step, ...]:
    rows = {"CN": "transport.rail.conventional", "FR": "transport.rail.regional"}
    return _ridden(rows.get(context.country, "transport.rail.national"))(context, factors)


def _fast_train(context: SceneContext, factors: FactorSet) -> tuple[Step, ...]:
    if context.country not in {"CN", "FR"}:
        raise FactorMissingError(factor_id="transport.rail.high_speed", region=context.region)
    return _ridden("transport.rail.high_speed")(context, factors)


def _waste(context: SceneContext, factors: FactorSet) -> tuple[Step, ...]:
    return _row(waste_row(context))(context, factors)


def _hotel(context: SceneContext, factors: FactorSet) -> tuple[Step, ...]:
    (line,) = hotel_lines(context, factors, ONE, key="", doubt=NO_DOUBT, assumed=False, details={})
    return (Step("", factors.find(line.factor_id, context.country), line.share),)


def _chinese(factor_id: str) -> Callable[[SceneContext, FactorSet], tuple[Step, ...]]:
    def steps(context: SceneContext, factors: FactorSet) -> tuple[Step, ...]:
        if context.country != "CN":
            raise FactorMissingError(factor_id=factor_id, region=context.region)
        return _row(factor_id)(context, factors)

    return steps


def _home() -> Iterator[Activity]:
    gas = ("home.gas", "home.cooking_gas", "home.heating.gas")
    bills = (
        ("electricity", N_("Electricity at home"), "kWh", _grid(ONE), ("home.electricity",)),
        ("gas", GAS, "m3", _supplied("energy.fuel.natural_gas.m3"), gas),
        ("heat", N_("District heating"), "GJ", _heat, ("home.heating.district",)),
        ("heating_oil", N_("Heating oil"), "litre", _supplied("energy.fuel.gas_oil.litre"),
         ("home.heating.oil",)),
        ("lpg", N_("Bottled gas"), "litre", _supplied("energy.fuel.lpg.litre"), ()),
        ("water", N_("Water from the tap"), "m3", _water, ("home.water",)),
    )  # fmt: skip
    for key, label, unit, steps, replaces in bills:
        yield Activity(key, "home", "stay", label, unit, steps, replaces, shared=True)
    waste = N_("Household waste")
    yield Activity("waste", "home", "stay", waste, "kg", _waste, ("home.waste",))


def _moving() -> Iterator[Activity]:
    car, way = ("moving.car",), ("moving.commute",)
    cars = (
        ("car_petrol", N_("Petrol car"), "km", _ridden("transport.road.car.average.petrol")),
        ("car_diesel", N_("Diesel car"), "km", _ridden("transport.road.car.average.diesel")),
        ("car_hybrid", N_("Hybrid car"), "km", _ridden("transport.road.car.average.hybrid")),
        ("car_electric", N_("Electric car"), "km", _grid(BATTERY_KWH_PER_KM)),
        ("petrol", N_("Petrol"), "litre", _supplied("energy.fuel.petrol.mineral.litre")),
        ("diesel", N_("Diesel"), "litre", _supplied("energy.fuel.diesel.mineral.litre")),
    )
    for key, label, unit, steps in cars:
        yield Activity(key, "moving", "local", label, unit, steps, car)
    rides = (
        ("motorbike", N_("Motorbike"), _ridden("transport.road.motorbike.average"), ()),
        ("taxi", N_("Taxi or ride-hailing"), _taxi, way),
        ("metro", N_("Metro"), _ridden("transport.rail.metro"), way),
        ("bus", N_("City bus"), _ridden("transport.road.bus.local"), way),
        ("ebike", N_("E-bike or e-scooter"), _ridden("transport.active.ebike"), way),
        ("bicycle", N_("Bicycle or shared bike"), _ridden("transport.active.bicycle"), way),
        ("walk", N_("On foot"), _ridden("transport.active.walk"), way),
    )
    for key, label, steps, replaces in rides:
        yield Activity(key, "moving", "local", label, "km", steps, replaces)
    trips = (
        ("coach", N_("Coach"), _ridden("transport.road.coach"), ()),
        ("train", N_("Train"), _train, ("moving.train",)),
        ("fast_train", N_("High-speed train"), _fast_train, ("moving.train",)),
        ("ferry", N_("Ferry"), _ridden("transport.sea.ferry.average"), ()),
        ("flight_short", N_("Flights of up to 3,700 km"), _flown("short"),
         ("moving.flights_short",)),
        ("flight_long", N_("Flights of more than 3,700 km"), _flown("long"),
         ("moving.flights_long",)),
    )  # fmt: skip
    for key, label, steps, replaces in trips:
        yield Activity(key, "moving", "travel", label, "km", steps, replaces)


EATEN = (
    "food.beef", "food.meat", "food.vegetarian", "food.vegan", "food.day", "food.breakfast",
)  # fmt: skip


def _food() -> Iterator[Activity]:
    meals = (
        ("meal_vegan", N_("Meals of plants only"), _row("meal.vegan")),
        ("meal_vegetarian", N_("Vegetarian meals"), _row("meal.vegetarian")),
        ("meal_everyday", N_("Everyday meals"), _row("meal.pork")),
        ("meal_chicken", N_("Meals with chicken"), _row("meal.chicken")),
        ("meal_fish", N_("Meals with fish"), _row("meal.fish_white")),
        ("meal_beef", N_("Meals with beef or lamb"), _row("meal.beef")),
        ("meal_hotpot", N_("Hotpot meals"), _chinese("meal.hotpot")),
        ("meal_banquet", N_("Buffet or banquet meals"), _chinese("meal.buffet.hotel")),
        ("breakfast", N_("Breakfasts"), _row("meal.breakfast.continental")),
    )
    for key, label, steps in meals:
        yield Activity(key, "food", "food", label, "meal", steps, EATEN)
    weighed = (
        ("beef", N_("Beef")), ("pork", N_("Pork")), ("chicken", N_("Chicken or duck")),
        ("cod", N_("White fish")), ("salmon", N_("Salmon")), ("shrimp", N_("Shrimp")),
        ("egg", N_("Eggs")), ("cheese_hard", N_("Cheese")), ("butter", N_("Butter")),
        ("yogurt", N_("Yoghurt")), ("rice", N_("Rice and noodles")), ("pasta", N_("Pasta")),
        ("lentil", N_("Beans and lentils")), ("cabbage", N_("Vegetables")), ("apple", N_("Fruit")),
    )  # fmt: skip
    for name, label in weighed:
        steps = _row(f"food.{name}.agribalyse")
        yield Activity(f"food_{name}", "food", "food", label, "kg", steps, EATEN)
    coffee, alcohol = ("food.coffee_cups",), ("food.alcohol_glasses",)
    yield Activity(
        "coffee_cup", "food", "food", N_("Coffee"), "cup", _row("drink.coffee_cup"), coffee
    )
    drinks = (
        ("milk", N_("Milk"), ()), ("soy_milk", N_("Soy milk"), ()), ("tea", N_("Tea"), ()),
        ("soda", N_("Soft drink"), ()), ("bottled_water", N_("Bottled water"), ()),
        ("beer", N_("Beer"), alcohol), ("wine", N_("Wine"), alcohol),
    )  # fmt: skip
    for name, label, replaces in drinks:
        steps = _row(f"drink.{name}")
        yield Activity(f"drink_{name}", "food", "food", label, "litre", steps, replaces)


_REPLACED = {
    "clothing": ("things.clothes",),
    "electronics": ("things.devices",),
    "appliance": ("things.large_items",),
    "furniture": ("things.large_items",),
}


def _goods() -> Iterator[Activity]:
    for row, label in THINGS.items():
        _, kind, name = row.split(".")
        yield Activity(
            name, "things", "goods", label, "item", _row(row), _REPLACED[kind], lasting=True
        )
    for name, label in (
        ("detergent_liquid", N_("Washing liquid")),
        ("dish_soap", N_("Washing-up liquid")),
        ("shampoo", N_("Shampoo")),
    ):
        steps = _row(f"goods.consumable.{name}")
        yield Activity(name, "things", "goods", label, "kg", steps)


def _services() -> Iterator[Activity]:
    video = ("services.video",)
    stream, call = _row("digital.video_stream"), _row("digital.video_call")
    hotel = ("services.hotel",)
    yield Activity("video", "services", "goods", N_("Video streaming"), "hour", stream, video)
    yield Activity("video_call", "services", "goods", N_("Video calls"), "hour", call)
    yield Activity(
        "hotel_night", "services", "stay", N_("Night in a hotel"), "night", _hotel, hotel
    )


ALL: dict[str, Activity] = {
    activity.key: activity
    for some in (_home(), _moving(), _food(), _goods(), _services())
    for activity in some
}


def activities(context: SceneContext, factors: FactorSet) -> tuple[Activity, ...]:
    """Return the activities that have a factor in a region, in the order of the groups."""
    return tuple(activity for activity in ALL.values() if available(activity, context, factors))


def available(activity: Activity, context: SceneContext, factors: FactorSet) -> bool:
    """Tell whether an activity has its factors in a region."""
    try:
        activity.steps(context, factors)
    except FactorMissingError:
        return False
    return True
