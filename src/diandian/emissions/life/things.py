"""Things and services: clothes, devices, large purchases, video, nights in hotels.

A purchase counts whole in the year in which it is made; the question asks for an ordinary year.
A group of things takes equal parts of the rows of its members, each a line of its own.
*Source:* methodology, section 8 (goods, digital); which rows stand for a group is ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from diandian.emissions.activity import UNKNOWN, Question
from diandian.emissions.blocks.base import Block, Option
from diandian.emissions.blocks.stay import Stay
from diandian.emissions.life.parts import amount, said
from diandian.emissions.lines import M1, ONE, Doubt, Line, make_line
from diandian.emissions.numbers import plain
from diandian.emissions.uncertainty import DEFAULT, EXACT
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from diandian.emissions.activity import Value
    from diandian.emissions.context import SceneContext
    from diandian.emissions.factor_set import FactorSet

HALF = Decimal("0.5")
# Names of things: rows that the groups below and the list of activities share.
THINGS = {
    "goods.clothing.tshirt_cotton": N_("T-shirt"),
    "goods.clothing.shirt_cotton": N_("Shirt"),
    "goods.clothing.jeans": N_("Jeans"),
    "goods.clothing.sweatshirt_cotton": N_("Sweatshirt"),
    "goods.clothing.sweater_wool": N_("Woollen sweater"),
    "goods.clothing.coat": N_("Coat"),
    "goods.clothing.dress_cotton": N_("Dress"),
    "goods.clothing.shoes_leather": N_("Leather shoes"),
    "goods.clothing.shoes_sport": N_("Sports shoes"),
    "goods.electronics.smartphone": N_("Smartphone"),
    "goods.electronics.laptop": N_("Laptop"),
    "goods.electronics.tablet": N_("Tablet"),
    "goods.electronics.television": N_("Television"),
    "goods.electronics.desktop": N_("Desktop computer"),
    "goods.electronics.monitor": N_("Monitor"),
    "goods.appliance.fridge": N_("Fridge"),
    "goods.appliance.washing_machine": N_("Washing machine"),
    "goods.appliance.air_conditioner": N_("Air conditioner"),
    "goods.appliance.dishwasher": N_("Dishwasher"),
    "goods.furniture.sofa": N_("Sofa"),
    "goods.furniture.bed": N_("Bed"),
    "goods.furniture.table_wood": N_("Wooden table"),
    "goods.furniture.chair_wood": N_("Wooden chair"),
    "goods.furniture.wardrobe": N_("Wardrobe"),
}


@dataclass(frozen=True, slots=True)
class Group:
    """Things asked for together. ``lever``: message id of buying half of them."""

    key: str
    label: str
    hint: str
    most: Decimal
    rows: tuple[str, ...]
    lever: str
    fine_tune: bool = False


GROUPS = (
    Group(
        key="clothes",
        label=N_("How many new pieces of clothing do you buy in a year?"),
        hint=N_("Second-hand ones do not count, nor do socks and underwear."),
        most=Decimal(500),
        rows=(
            "goods.clothing.tshirt_cotton",
            "goods.clothing.shirt_cotton",
            "goods.clothing.jeans",
            "goods.clothing.sweatshirt_cotton",
        ),
        lever=N_("Buy half as many new clothes"),
    ),
    Group(
        key="devices",
        label=N_("How many new phones, tablets and laptops do you buy in a year?"),
        hint=N_("One every two years is 0.5."),
        most=Decimal(50),
        rows=(
            "goods.electronics.smartphone",
            "goods.electronics.tablet",
            "goods.electronics.laptop",
        ),
        lever=N_("Keep phones and computers twice as long"),
    ),
    Group(
        key="large_items",
        label=N_("New appliances and large furniture for yourself, a year"),
        hint=N_("One every two years is 0.5."),
        most=Decimal(50),
        rows=(
            "goods.appliance.fridge",
            "goods.appliance.washing_machine",
            "goods.furniture.sofa",
            "goods.furniture.bed",
        ),
        lever=N_("Keep appliances and furniture twice as long"),
        fine_tune=True,
    ),
)


class Bought(Block):
    """One group of things bought new."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.reads = frozenset({group.key})  # type: ignore[misc]

    def questions(self, context: SceneContext) -> tuple[Question, ...]:  # noqa: ARG002 - the same everywhere
        """Return how many in a year."""
        group = self.group
        return (
            Question(
                group.key, "number", group.label, unit="item", maximum=group.most, whole=False,
                default=UNKNOWN, unknown_allowed=True, fine_tune=group.fine_tune, hint=group.hint,
            ),
        )  # fmt: skip

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return a line per member of the group, each with its part."""
        bought = amount(values, self.group.key, context)
        if not bought.value:
            return []
        part = M1.divide(ONE, Decimal(len(self.group.rows)))
        return [
            make_line(
                factors.find(row, context.country),
                key=f"things.{self.group.key}.{row.rpartition('.')[2]}",
                category="goods",
                label=THINGS[row],
                amount=bought.value,
                share=part,
                doubt=Doubt(DEFAULT),  # what was bought is not known, only how much
                assumed=bought.assumed,
                details=bought.details | {"pieces": plain(bought.value)},
            )
            for row in self.group.rows
        ]

    def levers(self, context: SceneContext, values: Mapping[str, Value]) -> Iterable[Option]:
        """Return half of them."""
        bought = amount(values, self.group.key, context)
        if bought.value and not (self.group.fine_tune and bought.assumed):
            half = plain(M1.multiply(bought.value, HALF))
            yield Option(self.group.key, self.group.lever, {self.group.key: half})


class Video(Block):
    """Video and other streams."""

    reads: ClassVar = frozenset({"video_hours"})

    def questions(self, context: SceneContext) -> tuple[Question, ...]:  # noqa: ARG002 - the same everywhere
        """Return hours a day."""
        return (
            Question(
                "video_hours", "number", N_("How many hours of video do you stream a day?"),
                unit="hour", maximum=Decimal(24), whole=False,
                default=UNKNOWN, unknown_allowed=True,
                hint=N_("Short videos, films and video calls together."),
            ),
        )  # fmt: skip

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return one line, or none without video."""
        watched = amount(values, "video_hours", context, "day")
        if not watched.value:
            return []
        line = make_line(
            factors.find("digital.video_stream", context.country),
            key="services.video",
            category="goods",
            label=N_("Video streaming"),
            amount=watched.value,
            doubt=watched.doubt,
            assumed=watched.assumed,
            details=watched.details,
        )
        return [line]

    def levers(self, context: SceneContext, values: Mapping[str, Value]) -> Iterable[Option]:
        """Return an hour less."""
        hours = amount(values, "video_hours", context).value
        if hours >= 1:
            less = {"video_hours": plain(hours - 1)}
            yield Option("video", N_("Stream an hour less a day"), less)


class HotelNights(Block):
    """Nights in hotels of a year, of unknown class: the rule of the scenes."""

    reads: ClassVar = frozenset({"hotel_nights"})

    def questions(self, context: SceneContext) -> tuple[Question, ...]:  # noqa: ARG002 - the same everywhere
        """Return how many a year."""
        return (
            Question(
                "hotel_nights", "number", N_("How many nights a year do you spend in hotels?"),
                unit="night", maximum=Decimal(366), default=UNKNOWN, unknown_allowed=True,
            ),
        )  # fmt: skip

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return one line, or none without a night."""
        nights = amount(values, "hotel_nights", context)
        return hotel_lines(
            context,
            factors,
            nights.value,
            key="services.hotel",
            doubt=Doubt(max(nights.doubt.activity if nights.assumed else EXACT, DEFAULT)),
            assumed=nights.assumed,
            details=nights.details,
        )

    def levers(self, context: SceneContext, values: Mapping[str, Value]) -> Iterable[Option]:  # noqa: ARG002 - the same everywhere
        """Return half the nights."""
        nights = said(values, "hotel_nights")
        if nights and nights > 1:
            label = N_("Spend half as many nights in hotels")
            yield Option("hotel", label, {"hotel_nights": int(nights) // 2})


def hotel_lines(
    context: SceneContext,
    factors: FactorSet,
    nights: Decimal,
    *,
    key: str,
    doubt: Doubt,
    assumed: bool,
    details: dict[str, Any],
) -> list[Line]:
    """Return the line of nights in a hotel of unknown class, as the scenes count it."""
    if not nights:
        return []
    (line,) = Stay().lines(context, {"nights": plain(nights), "stay": UNKNOWN}, factors)
    counted = replace(
        line,
        key=key,
        uncertainty_activity_pct=doubt.activity,
        assumed=assumed,
        details=line.details | details,
    )
    return [counted]
