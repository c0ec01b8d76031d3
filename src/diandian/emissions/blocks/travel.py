"""The way to the scene and back: from which city or roughly how far, by what, how.

"Don't know" takes the mean of the two usual modes for the distance, all of it marked as assumed:
under 300 km train and car, to 3,000 km train and plane, beyond and across the sea plane alone.
*Source:* methodology, sections 3 and 4; the rule for "don't know" is ours.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from diandian.emissions.activity import Choice, Question
from diandian.emissions.blocks.air import air_lines
from diandian.emissions.blocks.bands import BAND_CHOICES, BANDS
from diandian.emissions.blocks.base import Block, Option, number, text
from diandian.emissions.blocks.city_ride import AVERAGE_WAY, UNKNOWN_KM, ride_lines
from diandian.emissions.blocks.ground import car_lines, coach_lines, rail_lines
from diandian.emissions.blocks.journey import EUROPE, BetweenPlaces, RoughJourney
from diandian.emissions.errors import AnswerMissingError, SamePlaceFlightError
from diandian.emissions.geo import distance
from diandian.emissions.lines import Doubt
from diandian.emissions.uncertainty import CITY_PAIR, DEFAULT, EXACT
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from diandian.emissions.activity import Value
    from diandian.emissions.blocks.journey import Journey
    from diandian.emissions.context import SceneContext
    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.lines import Line

HALF = Decimal("0.5")
ROAD_OR_RAIL_KM, RAIL_OR_AIR_KM, TRAIN_INSTEAD_KM = 300, 3000, 1500
MOST_IN_A_CAR = 9
LINES: dict[str, Callable[[Journey], list[Line]]] = {
    "train": rail_lines,
    "plane": air_lines,
    "car": car_lines,
    "coach": coach_lines,
}
MODES = (
    Choice("train", N_("Train"), "train"),
    Choice("plane", N_("Plane"), "plane"),
    Choice("car", N_("Car, own or shared"), "car"),
    Choice("coach", N_("Coach"), "coach"),
    Choice("metro", N_("Metro or bike"), "metro"),
    Choice("unknown", N_("Don't know"), "unknown"),
)
CABINS = (
    Choice("economy", N_("Economy")),
    Choice("premium_economy", N_("Premium economy")),
    Choice("business", N_("Business")),
    Choice("first", N_("First")),
)
FUELS = (
    Choice("petrol", N_("Petrol")),
    Choice("diesel", N_("Diesel")),
    Choice("hybrid", N_("Hybrid")),
    Choice("electric", N_("Electric")),
    Choice("unknown", N_("Don't know")),
)
RIDES = (
    Choice("metro", N_("Metro"), "metro"),
    Choice("bus", N_("City bus"), "bus"),
    Choice("ebike", N_("E-bike or e-scooter"), "bike"),
    Choice("bicycle", N_("Bicycle or shared bike"), "bike"),
    Choice("walk", N_("On foot"), "walk"),
)
CAR_ONLY = {"mode": ("car",)}
ROUGH_METRO = N_("Metro or bike, about %(km)s km one way, as you said")
BY_TRAIN = N_("By train: about %(dots)s dots fewer than flying.")
BY_COACH = N_("By coach: about %(dots)s dots fewer than flying.")
TOGETHER = N_("Together in one car: about %(dots)s dots fewer than alone.")


def lives_here(context: SceneContext, values: Mapping[str, Value]) -> bool:
    """Tell whether the guest's home is in the scene's city."""
    return values.get("live_here") is True or values.get("from") == context.city_key


class Travel(Block):
    """There and back between the guest's city and the scene's."""

    reads: ClassVar = frozenset(
        [
            "live_here",
            "from",
            "mode",
            "cabin",
            "via",
            "occupants",
            "fuel",
            "car_km",
            "train",
            "ride",
            "trip",
        ]
    )

    def questions(self, context: SceneContext) -> tuple[Question, ...]:
        """Return city, mode, and what each mode asks further."""
        one, many = Decimal(1), Decimal(MOST_IN_A_CAR)
        trips = (Choice("return", N_("There and back")), Choice("one_way", N_("One way")))
        trains = (
            Choice("high_speed", N_("High-speed train")),
            Choice("ordinary", N_("Ordinary train")),
        )
        here = {"live_here": (False,)}
        asked = (
            Question("live_here", "flag", N_("I live here"), default=False),
            Question("from", "place", N_("From which city?"), BAND_CHOICES, shown_when=here),
            Question(
                "mode", "choice", N_("How do you mainly travel?"), MODES, unknown_allowed=True
            ),
            Question(
                "cabin", "choice", N_("Which class?"), CABINS,
                default="economy", unknown_allowed=True, shown_when={"mode": ("plane",)},
            ),
            Question(
                "occupants", "number", N_("How many people are in the car, with you?"),
                unit="person", minimum=one, maximum=many, default=1, shown_when=CAR_ONLY,
            ),
            Question(
                "fuel", "choice", N_("What does the car run on?"), FUELS,
                default="unknown", unknown_allowed=True, shown_when=CAR_ONLY,
            ),
            Question(
                "ride", "choice", N_("By what exactly?"), RIDES,
                default="metro", shown_when={"mode": ("metro",)}, fine_tune=True,
            ),
            Question(
                "via", "place", N_("Changing planes in which city?"),
                shown_when={"mode": ("plane",)}, fine_tune=True,
            ),
            Question(
                "car_km", "number", N_("Kilometres by car, one way"), unit="km",
                minimum=Decimal(0), maximum=Decimal(10000), whole=False,
                shown_when=CAR_ONLY, fine_tune=True,
            ),
            Question(
                "trip", "choice", N_("There and back, or one way?"), trips,
                default="return", fine_tune=True,
            ),
        )  # fmt: skip
        if context.country != "CN":
            return asked
        train = Question(
            "train", "choice", N_("Which kind of train?"), trains,
            default="high_speed", unknown_allowed=True,
            shown_when={"mode": ("train",)}, fine_tune=True,
        )  # fmt: skip
        return (*asked, train)

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return the travel lines. Raises: InputError naming "mode" or "from"."""
        mode = text(values, "mode", "unknown")
        trips = 1 if values.get("trip") == "one_way" else 2
        if lives_here(context, values):
            return _within_the_city(context, values, factors, mode, trips)
        origin = values.get("from")
        if not isinstance(origin, str):
            raise AnswerMissingError(field="from")
        journey = _journey(context, values, factors, origin, trips)
        if mode == "metro":
            return _by_metro(journey)
        if mode in LINES:
            return LINES[mode](journey)
        return _average(journey)

    def levers(self, context: SceneContext, values: Mapping[str, Value]) -> Iterable[Option]:
        """Return train for plane or car, economy, direct, one more in the car."""
        mode = values.get("mode")
        if mode in {"plane", "car"} and train_goes(context, values):
            instead = {"mode": "train", "train": "high_speed"}
            label = N_("Take the train instead of the plane")
            if mode == "car":
                label = N_("Take the train instead of the car")
            yield Option("train", label, instead)
        if mode == "plane" and values.get("cabin") not in {"economy", "unknown", None}:
            yield Option("economy", N_("Fly economy"), {"cabin": "economy"})
        if mode == "plane" and values.get("via"):
            yield Option("direct", N_("Fly direct, without changing planes"), {"via": ""})
        people = int(number(values, "occupants", 1))
        if mode == "car" and people < 4:  # noqa: PLR2004 - seats of an ordinary car, less one
            yield Option("share_car", N_("Take one more person along"), {"occupants": people + 1})
        if mode == "car" and lives_here(context, values):
            yield Option("metro", N_("Take the metro or a bike"), {"mode": "metro"})

    def praises(self, context: SceneContext, values: Mapping[str, Value]) -> Iterable[Option]:
        """Return flying for those on the ground, and driving alone for those who share."""
        mode = values.get("mode")
        if mode in {"train", "coach"} and not lives_here(context, values):
            label = BY_TRAIN if mode == "train" else BY_COACH
            yield Option("not_flown", label, {"mode": "plane", "cabin": "economy"})
        if mode == "car" and number(values, "occupants", 1) > 1:
            yield Option("together", TOGETHER, {"occupants": 1})


def _journey(
    context: SceneContext,
    values: Mapping[str, Value],
    factors: FactorSet,
    origin: str,
    trips: int,
) -> Journey:
    if band := BANDS.get(origin):
        return RoughJourney(context, values, factors, trips, band=band)
    start, end = context.place(origin), context.place(context.city_key)
    return BetweenPlaces(context, values, factors, trips, origin=start, destination=end)


def train_goes(context: SceneContext, values: Mapping[str, Value]) -> bool:
    """Tell whether a train is a fair proposal: connected railways and not over 1,500 km."""
    origin = values.get("from")
    if not isinstance(origin, str) or lives_here(context, values):
        return False
    if band := BANDS.get(origin):
        return not band.abroad and band.km <= TRAIN_INSTEAD_KM
    start, end = context.place(origin), context.place(context.city_key)
    both = {start.country, end.country}
    connected = both <= {"CN", "HK"} or both <= EUROPE or len(both) == 1
    return connected and distance(start, end, "rail").great_circle_km <= TRAIN_INSTEAD_KM


def _average(journey: Journey) -> list[Line]:
    km = journey.circle_km
    if km > RAIL_OR_AIR_KM or not journey.by_land:
        return air_lines(replace(journey, assumed=True))
    half = replace(journey, weight=HALF, assumed=True)
    other = car_lines if km < ROAD_OR_RAIL_KM else air_lines
    return rail_lines(half) + other(half)


def _by_metro(journey: Journey) -> list[Line]:
    measured = journey.measured("metro")
    lines = ride_lines(
        journey.context,
        journey.values,
        journey.factors,
        ride=text(journey.values, "ride", "metro"),
        km=journey.amount(measured.distance_km),
        key="travel.city",
        category="travel",
        doubt=journey.doubt(CITY_PAIR),
        assumed=False,
        question="mode",
        average=AVERAGE_WAY,
    )
    for line in lines:
        line.details.update(journey.details(measured))
    if isinstance(journey, RoughJourney):
        names = journey.names(measured.distance_km)
        lines[0] = replace(lines[0], label=ROUGH_METRO, params=names)
    return lines


def _within_the_city(
    context: SceneContext,
    values: Mapping[str, Value],
    factors: FactorSet,
    mode: str,
    trips: int,
) -> list[Line]:
    if mode == "plane":
        city = context.place(context.city_key).in_both()
        raise SamePlaceFlightError(field="mode", origin=city, destination=city)
    rides = {"car": "car", "coach": "bus", "train": "metro", "metro": text(values, "ride", "metro")}
    known = "car_km" in values and mode == "car"
    km = number(values, "car_km", UNKNOWN_KM) if mode == "car" else Decimal(UNKNOWN_KM)
    return ride_lines(
        context,
        values,
        factors,
        ride=rides.get(mode, "average"),
        km=km * trips,
        key="travel.city",
        category="travel",
        doubt=Doubt(EXACT if known else DEFAULT),
        assumed=not known,
        question="mode",
        average=AVERAGE_WAY,
    )
