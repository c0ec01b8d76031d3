"""Short ways: around the scene's city, and to a restaurant or shop and back.

*Source:* methodology, section 4 (2 trips of 10 km by taxi where nothing is known, grade D).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from diandian.emissions.activity import Choice, Question
from diandian.emissions.blocks.base import Block, Option, number, text
from diandian.emissions.blocks.city_ride import AVERAGE_LOCAL, AVERAGE_WAY, UNKNOWN_KM, ride_lines
from diandian.emissions.blocks.travel import FUELS, MOST_IN_A_CAR, RIDES, lives_here
from diandian.emissions.lines import Doubt
from diandian.emissions.uncertainty import DEFAULT, GUESS
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from diandian.emissions.activity import Value
    from diandian.emissions.context import SceneContext
    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.lines import Line

TRIPS = 2
GREEN = {"metro", "bus", "ebike", "bicycle", "walk", "none"}
TAXI = Choice("taxi", N_("Taxi or ride-hailing"), "taxi")
BY_METRO = N_("Take the metro or a shared bike in the city")


class LocalTransport(Block):
    """Getting around the scene's city; the average unless the guest fine-tunes."""

    reads: ClassVar = frozenset({"local", "local_km", "live_here", "from"})

    def questions(self, context: SceneContext) -> tuple[Question, ...]:  # noqa: ARG002 - the same everywhere
        """Return how, and how far in all."""
        ways = (Choice("unknown", N_("Average")), TAXI, *RIDES, Choice("none", N_("No rides")))
        return (
            Question(
                "local", "choice", N_("Getting around the city"), ways,
                default="unknown", unknown_allowed=True, fine_tune=True,
            ),
            Question(
                "local_km", "number", N_("Kilometres in the city, in all"), unit="km",
                maximum=Decimal(500), whole=False, fine_tune=True,
                shown_when={"local": tuple(way.value for way in ways[1:-1])},
            ),
        )  # fmt: skip

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return one ride; none for those who live here and did not answer."""
        ride = text(values, "local", "unknown")
        if ride == "none" or (ride == "unknown" and lives_here(context, values)):
            return []
        stated = "local_km" in values
        return ride_lines(
            context,
            {},
            factors,
            ride=ride,
            km=number(values, "local_km", TRIPS * UNKNOWN_KM),
            key="local",
            category="local",
            doubt=Doubt(GUESS if stated else DEFAULT),
            assumed=not stated,
            question="local" if ride == "unknown" else "local_km",
            average=AVERAGE_LOCAL,
        )

    def levers(self, context: SceneContext, values: Mapping[str, Value]) -> Iterable[Option]:
        """Return metro for taxi."""
        ride = text(values, "local", "unknown")
        if ride not in GREEN and not (ride == "unknown" and lives_here(context, values)):
            yield Option("local_metro", BY_METRO, {"local": "metro"})


class Outing(Block):
    """The way to a restaurant, shop or other place nearby, and back."""

    reads: ClassVar = frozenset({"way", "way_km", "occupants", "fuel"})

    def questions(self, context: SceneContext) -> tuple[Question, ...]:  # noqa: ARG002 - the same everywhere
        """Return how, and how far one way."""
        ways = (
            RIDES[4], RIDES[3], RIDES[2], RIDES[0], RIDES[1],
            Choice("car", N_("Car, own or shared"), "car"), TAXI,
            Choice("unknown", N_("Don't know"), "unknown"),
        )  # fmt: skip
        car = {"way": ("car",)}
        return (
            Question("way", "choice", N_("How did you come?"), ways, unknown_allowed=True),
            Question(
                "occupants", "number", N_("How many people are in the car, with you?"),
                unit="person", minimum=Decimal(1), maximum=Decimal(MOST_IN_A_CAR), default=1,
                shown_when=car,
            ),
            Question(
                "way_km", "number", N_("How many kilometres, one way?"), unit="km",
                maximum=Decimal(500), whole=False, default="unknown", unknown_allowed=True,
            ),
            Question(
                "fuel", "choice", N_("What does the car run on?"), FUELS,
                default="unknown", unknown_allowed=True, shown_when=car, fine_tune=True,
            ),
        )  # fmt: skip

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return the ride there and back."""
        way = text(values, "way", "unknown")
        stated = values.get("way_km", "unknown") != "unknown"
        return ride_lines(
            context,
            values,
            factors,
            ride=way,
            km=number(values, "way_km", UNKNOWN_KM) * TRIPS,
            key="travel.outing",
            category="travel",
            doubt=Doubt(GUESS if stated and way != "unknown" else DEFAULT),
            assumed=not stated or way == "unknown",
            question="way" if way == "unknown" else "way_km",
            average=AVERAGE_WAY,
        )

    def levers(self, context: SceneContext, values: Mapping[str, Value]) -> Iterable[Option]:  # noqa: ARG002 - the same everywhere
        """Return metro or bike for car and taxi, and company in the car."""
        way = values.get("way")
        if way in {"car", "taxi"}:
            yield Option("outing_metro", N_("Come by metro or bus"), {"way": "metro"})
            yield Option("outing_bike", N_("Come by bike or on foot"), {"way": "bicycle"})
