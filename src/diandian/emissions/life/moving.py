"""Getting around: the car, the way to work, long trains, flights counted one by one.

A flight takes the mean distance of its band, so that nobody has to name places; the detailed
mode takes kilometres.
*Source:* methodology, sections 3 (means of the bands, 1,484 and 6,799 km), 4 (rows) and 8.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from diandian.emissions.activity import UNKNOWN, Choice, Question
from diandian.emissions.blocks.air import CABINS as CABIN_ROWS
from diandian.emissions.blocks.air import FRONT_CABIN
from diandian.emissions.blocks.base import Block, Option, pair, with_upstream
from diandian.emissions.blocks.city_ride import LABELS as RIDE_LABELS
from diandian.emissions.blocks.city_ride import SUPPLY, ride_lines
from diandian.emissions.blocks.ground import vehicle_lines
from diandian.emissions.blocks.travel import CABINS, MOST_IN_A_CAR, RIDES
from diandian.emissions.life.parts import Amount, amount, chosen, said, stand_in
from diandian.emissions.lines import M1, ONE, Doubt, make_line
from diandian.emissions.numbers import plain
from diandian.emissions.uncertainty import DEFAULT, EXACT, GUESS
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from diandian.emissions.activity import Value
    from diandian.emissions.context import SceneContext
    from diandian.emissions.factor_set import FactorSet, FoundFactor
    from diandian.emissions.lines import Line

MOST_CAR_KM, MOST_WEEK_KM, MOST_FLIGHTS = Decimal(200_000), Decimal(5000), Decimal(200)
BAND_KM = {"short": Decimal(1484), "long": Decimal(6799)}  # one way, means of DESNZ
CAR = (N_("Car"), SUPPLY)
TRAIN = (N_("Train"), SUPPLY)
LABELS = {
    "short": (N_("Flights of up to 3,700 km"), SUPPLY),
    "long": (N_("Flights of more than 3,700 km"), SUPPLY),
}
CARS = (
    Choice("petrol", N_("Petrol")),
    Choice("diesel", N_("Diesel")),
    Choice("hybrid", N_("Hybrid")),
    Choice("electric", N_("Electric")),
    Choice("none", N_("No car")),
    Choice(UNKNOWN, N_("Don't know"), "unknown"),
)
RIDDEN = tuple(car.value for car in CARS if car.value != "none")
WAYS = (
    *RIDES,
    Choice("train", N_("Train"), "train"),
    Choice("taxi", N_("Taxi or ride-hailing"), "taxi"),
    Choice("car", N_("Own car, counted above"), "car"),
    Choice("none", N_("I do not commute")),
    Choice(UNKNOWN, N_("Don't know"), "unknown"),
)
MEASURED = ("metro", "bus", "ebike", "train", "taxi")


class Car(Block):
    """The car: kilometres of a year, divided by the people usually in it."""

    reads: ClassVar = frozenset({"car", "car_km", "car_people"})

    def questions(self, context: SceneContext) -> tuple[Question, ...]:  # noqa: ARG002 - the same everywhere
        """Return which car, how far, how many in it."""
        ridden = {"car": RIDDEN}
        return (
            Question(
                "car", "choice", N_("What does the car you use run on?"), CARS,
                default=UNKNOWN, unknown_allowed=True,
            ),
            Question(
                "car_km", "number", N_("How many kilometres do you go by car in a year?"),
                unit="km", maximum=MOST_CAR_KM, whole=False,
                default=UNKNOWN, unknown_allowed=True, shown_when=ridden,
            ),
            Question(
                "car_people", "number", N_("How many people are usually in the car?"),
                unit="person", minimum=ONE, maximum=Decimal(MOST_IN_A_CAR),
                default=UNKNOWN, unknown_allowed=True, shown_when=ridden, fine_tune=True,
            ),
        )  # fmt: skip

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return the lines of the car, none without one."""
        fuel = chosen(values, "car")
        driven = self._driven(context, values)
        if fuel == "none" or not driven.value:
            return []
        people = said(values, "car_people") or ONE
        return vehicle_lines(
            factors,
            fuel=fuel,
            regions=(context.country, context.region),
            key="moving.car",
            category="local",
            labels=CAR,
            km=driven.value,
            share=M1.divide(ONE, people),
            params={"km": plain(driven.value)},
            doubt=driven.doubt,
            assumed=driven.assumed or fuel == UNKNOWN,
            details=driven.details | {"people": plain(people), "km": plain(driven.value)},
        )

    def _driven(self, context: SceneContext, values: Mapping[str, Value]) -> Amount:
        if chosen(values, "car") == UNKNOWN and said(values, "car_km") is None:
            return stand_in("car", context)
        return amount(values, "car_km", context)

    def levers(self, context: SceneContext, values: Mapping[str, Value]) -> Iterable[Option]:
        """Return a fifth fewer kilometres, an electric car, one more person."""
        fuel, driven = chosen(values, "car"), self._driven(context, values)
        guessed = fuel == UNKNOWN and driven.assumed
        if fuel == "none" or guessed or not driven.value:
            return
        km = plain(M1.multiply(driven.value, Decimal("0.8")))
        yield Option("drive_less", N_("Drive a fifth less"), {"car_km": km})
        if fuel in {"petrol", "diesel", "hybrid"}:
            yield Option(
                "electric_car", N_("Drive the same in an electric car"), {"car": "electric"}
            )
        people = said(values, "car_people") or ONE
        if fuel != UNKNOWN and people < 4:  # noqa: PLR2004 - seats of an ordinary car, less one
            label = N_("Take one more person along")
            yield Option("share_car", label, {"car_people": int(people) + 1})


class Commute(Block):
    """The way to work or school, and other rides in the city."""

    reads: ClassVar = frozenset({"commute", "commute_km"})

    def questions(self, context: SceneContext) -> tuple[Question, ...]:  # noqa: ARG002 - the same everywhere
        """Return how, and how far a week."""
        return (
            Question(
                "commute", "choice", N_("How do you mostly get to work or school?"), WAYS,
                default=UNKNOWN, unknown_allowed=True,
            ),
            Question(
                "commute_km", "number", N_("How many kilometres is that a week, there and back?"),
                unit="km", maximum=MOST_WEEK_KM, whole=False,
                default=UNKNOWN, unknown_allowed=True, shown_when={"commute": MEASURED},
            ),
        )  # fmt: skip

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return the lines of the way; none by car, which is counted there."""
        way = chosen(values, "commute")
        if way in {"none", "car"}:
            return []
        ridden = amount(values, "commute_km", context, "week")
        asked = {"question": "commute"} if way == UNKNOWN or way not in MEASURED else {}
        if way == "train":
            return train_lines(context, factors, ridden, "moving.commute")
        lines = ride_lines(
            context,
            {},
            factors,
            ride="bus" if way == UNKNOWN else way,
            km=ridden.value,
            key="moving.commute",
            category="local",
            doubt=ridden.doubt,
            assumed=ridden.assumed,
            question="commute_km",
            average=RIDE_LABELS["taxi"],
        )
        for line in lines:
            line.details.update(ridden.details | asked)
        return lines

    def levers(self, context: SceneContext, values: Mapping[str, Value]) -> Iterable[Option]:
        """Return public transport for the taxi, an e-bike for short ways."""
        way = chosen(values, "commute")
        if way == "taxi":
            yield Option("commute_metro", N_("Commute by metro or bus"), {"commute": "metro"})
        near = amount(values, "commute_km", context).value <= 150  # noqa: PLR2004 - 15 km one way
        if way in {"taxi", "bus", "metro"} and near:
            yield Option("commute_bike", N_("Commute by e-bike"), {"commute": "ebike"})


class Trains(Block):
    """Long trains; left out unless given, under one per cent for most people."""

    reads: ClassVar = frozenset({"train_km"})

    def questions(self, context: SceneContext) -> tuple[Question, ...]:  # noqa: ARG002 - the same everywhere
        """Return the kilometres of a year."""
        return (
            Question(
                "train_km", "number", N_("Kilometres by train in a year, commuting aside"),
                unit="km", maximum=Decimal(200_000), whole=False, default="0",
                unknown_allowed=True, fine_tune=True,
            ),
        )  # fmt: skip

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return the lines of going by train, or nothing."""
        if not said(values, "train_km"):
            return []
        return train_lines(context, factors, amount(values, "train_km", context), "moving.train")


class Flights(Block):
    """Return flights of a year, in two bands."""

    reads: ClassVar = frozenset({"flights_short", "flights_long", "cabin"})

    def questions(self, context: SceneContext) -> tuple[Question, ...]:  # noqa: ARG002 - the same everywhere
        """Return how many of each band, and the class."""
        return (
            Question(
                "flights_short", "number",
                N_("How many return flights of up to five hours do you take in a year?"),
                unit="flight", maximum=MOST_FLIGHTS, default=UNKNOWN, unknown_allowed=True,
                hint=N_("There and back is one. Up to about 3,700 km each way."),
            ),
            Question(
                "flights_long", "number",
                N_("How many longer return flights do you take in a year?"),
                unit="flight", maximum=MOST_FLIGHTS, default=UNKNOWN, unknown_allowed=True,
            ),
            Question(
                "cabin", "choice", N_("Which class?"), CABINS,
                default="economy", unknown_allowed=True, fine_tune=True,
            ),
        )  # fmt: skip

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return the lines of both bands."""
        cabin = chosen(values, "cabin")
        lines: list[Line] = []
        for band, km in BAND_KM.items():
            flown = amount(values, f"flights_{band}", context)
            if not flown.value:
                continue
            lines += flight_lines(
                context,
                factors,
                band=band,
                cabin=cabin if cabin in CABIN_ROWS else "economy",
                km=M1.multiply(flown.value, km * 2),
                key=f"moving.flights_{band}",
                doubt=Doubt(DEFAULT if flown.assumed else EXACT, GUESS),  # a mean distance
                assumed=flown.assumed,
                details=flown.details | {"flights": plain(flown.value), "km_one_way": plain(km)},
            )
        return lines

    def levers(self, context: SceneContext, values: Mapping[str, Value]) -> Iterable[Option]:  # noqa: ARG002 - the same everywhere
        """Return one flight fewer in each band, and economy."""
        labels = {
            "long": N_("One long return flight fewer a year"),
            "short": N_("One shorter return flight fewer a year"),
        }
        for band, label in labels.items():
            flown = said(values, f"flights_{band}")
            if flown:
                yield Option(f"fewer_{band}", label, {f"flights_{band}": int(flown) - 1})
        if chosen(values, "cabin") not in {"economy", UNKNOWN}:
            yield Option("economy", N_("Fly economy"), {"cabin": "economy"})


def train_lines(context: SceneContext, factors: FactorSet, ridden: Amount, key: str) -> list[Line]:
    """Return the lines of going by train: the row of the country, else a stand-in."""
    rows = {"CN": "transport.rail.high_speed", "FR": "transport.rail.regional"}
    row = rows.get(context.country, "transport.rail.national")
    return pair(
        with_upstream(factors, row, context.country),
        key=f"{key}.train" if key == "moving.commute" else key,
        category="local" if key == "moving.commute" else "travel",
        labels=TRAIN,
        amount=ridden.value,
        params={"km": plain(ridden.value)},
        doubt=ridden.doubt,
        assumed=ridden.assumed,
        details=ridden.details,
    )


def flight_rows(context: SceneContext, band: str, cabin: str) -> tuple[str, str, Decimal]:
    """Return the flight's row without its ending, that of the fuel, and the cabin's ratio.

    Short flights from mainland China are taken to be domestic, which most of them are.
    """
    if band == "short" and context.country == "CN":
        ratio = ONE if cabin == "economy" else FRONT_CABIN
        return "transport.air.china_domestic", "transport.air.short_haul.average.wtt", ratio
    seat = cabin if band == "long" else ("economy" if cabin == "economy" else "business")
    row = f"transport.air.{band}_haul.{seat}"
    return row, f"{row}.wtt", ONE


def flight_lines(  # noqa: PLR0913 - shared with the detailed mode; all by name
    context: SceneContext,
    factors: FactorSet,
    *,
    band: str,
    cabin: str,
    km: Decimal,
    key: str,
    doubt: Doubt,
    assumed: bool = False,
    share: Decimal = ONE,
    details: dict[str, str] | None = None,
) -> list[Line]:
    """Return the lines of flying ``km`` kilometres, and of the fuel's supply."""
    row, fuel, ratio = flight_rows(context, band, cabin)
    twin: FoundFactor = factors.find(f"{row}.norf", context.country)
    flown = factors.find(f"{row}.rf", context.country) if context.non_co2 else twin
    found = (("", flown), (".wtt", factors.find(fuel, context.country)))
    return [
        make_line(
            factor,
            key=f"{key}{suffix}",
            category="travel",
            label=LABELS[band][1 if suffix else 0],
            amount=km,
            share=M1.multiply(share, ratio),
            params={"km": plain(km)},
            doubt=doubt,
            assumed=assumed,
            without=None if suffix else twin.factor.value,
            details={**(details or {}), "cabin": cabin},
        )
        for suffix, factor in found
    ]
