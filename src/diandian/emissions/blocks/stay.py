"""Nights: the kind of house and the people in the room.

In mainland China each class has its own row, since the country row (53.5 kg) describes five-star
houses only; elsewhere the country row is scaled by the class ratios of ADEME.
*Source:* methodology, section 4 ("Chinese hotels").
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from diandian.emissions.activity import Choice, Question
from diandian.emissions.blocks.base import Block, Option, number, text
from diandian.emissions.factor import EmissionFactor
from diandian.emissions.factor_set import FoundFactor
from diandian.emissions.lines import M1, ONE, ZERO, Doubt, make_line
from diandian.emissions.numbers import plain
from diandian.emissions.uncertainty import DEFAULT, EXACT
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from diandian.emissions.activity import Value
    from diandian.emissions.context import SceneContext
    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.lines import Line

MOST_NIGHTS, MOST_IN_A_ROOM = Decimal(60), Decimal(6)
ROOM = "accommodation.hotel.room"
WORLD = "accommodation.hotel.person_night.world_2005"
MEASURED = "accommodation.hotel.person_night.measured"
CHINA = {
    "budget": f"{ROOM}.economy",
    "mid": f"{ROOM}.midscale",
    "high": f"{ROOM}.upscale",
    "five_star": ROOM,
    "unknown": f"{ROOM}.midscale_fnb",
}
TAIWAN = {
    "budget": f"{MEASURED}.general",
    "mid": f"{MEASURED}.tourist",
    "high": f"{MEASURED}.tourist",
    "five_star": f"{MEASURED}.international",
    "unknown": f"{MEASURED}.tourist",
}
# kg per room-night that bound a class whose row is doubtful: (row or value, low, high)
PRINTED_RANGE = {"unknown": ("11", "53.5"), "five_star": ("30.31", "53.5")}
CLASS_RATIO = {
    "budget": Decimal("0.86"),
    "mid": Decimal("0.85"),
    "high": Decimal("1.15"),
    "five_star": Decimal("1.73"),
    "unknown": ONE,
}
CLASSES = (
    Choice("budget", N_("Budget"), "bed"),
    Choice("mid", N_("Mid-range"), "bed"),
    Choice("high", N_("Upscale"), "bed"),
    Choice("five_star", N_("Five stars"), "bed"),
    Choice("hostel", N_("Hostel or homestay"), "bed"),
    Choice("friends", N_("With friends or family"), "home"),
    Choice("unknown", N_("Don't know"), "unknown"),
)
LABELS = {
    "budget": N_("Budget hotel, nights: %(nights)s"),
    "mid": N_("Mid-range hotel, nights: %(nights)s"),
    "high": N_("Upscale hotel, nights: %(nights)s"),
    "five_star": N_("Five-star hotel, nights: %(nights)s"),
    "hostel": N_("Hostel or homestay, nights: %(nights)s"),
    "friends": N_("With friends or family, nights: %(nights)s (counted at their home, not here)"),
    "unknown": N_("Hotel, average, nights: %(nights)s"),
}
NIGHTS = tuple(Choice(str(n), N_("No night") if n == 0 else str(n)) for n in range(6))
_AT_HOME = FoundFactor(
    EmissionFactor(
        id="accommodation.home",
        activity="Night at the home of friends or family",
        activity_zh="住亲友家",
        unit="person-night",
        region="own",
        proxy_for="",
        value=ZERO,
        scope_included="outside the boundary",
        year_valid="",
        factor_set="m1",  # where the rule was first written; later methods keep it
        source_id="m1",
        source_org="Diandian",
        source_title="Method m1, section 4",
        source_year="2026",
        source_table="",
        licence="Apache-2.0",
        uncertainty_pct=ZERO,
        quality="A",
        quality_reason="a rule of the boundary, not a measurement",
        status="derived",
        notes="",
    ),
    1,
    "outside_boundary",
)


class Stay(Block):
    """Nights away from home. ``usual_nights``: the answer that stands there at first."""

    reads: ClassVar = frozenset({"nights", "stay", "room_people"})

    def __init__(self, usual_nights: int = 0) -> None:
        self.usual_nights = usual_nights

    def questions(self, context: SceneContext) -> tuple[Question, ...]:  # noqa: ARG002 - the same everywhere
        """Return nights, class, and people in the room."""
        some = {"nights": tuple(range(1, int(MOST_NIGHTS) + 1))}
        return (
            Question(
                "nights", "number", N_("How many nights?"), NIGHTS,
                unit="night", maximum=MOST_NIGHTS, default=self.usual_nights,
            ),
            Question(
                "stay", "choice", N_("What kind of stay?"), CLASSES,
                default="unknown", unknown_allowed=True, shown_when=some,
            ),
            Question(
                "room_people", "number", N_("How many people share the room?"),
                unit="person", minimum=ONE, maximum=MOST_IN_A_ROOM, default=1,
                shown_when=some, fine_tune=True,
            ),
        )  # fmt: skip

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return one line, or none without a night."""
        nights = number(values, "nights", 0)
        if not nights:
            return []
        kind = text(values, "stay", "unknown")
        found, ratio = _row(context, factors, kind)
        people = number(values, "room_people", 1) if found.factor.unit == "room-night" else ONE
        unsure = kind == "unknown"
        details: dict[str, Any] = {"class": kind, "class_ratio": str(ratio), "question": "stay"}
        if context.country == "CN" and kind in PRINTED_RANGE:
            low, high = (M1.divide(nights * Decimal(kg), people) for kg in PRINTED_RANGE[kind])
            details |= {"printed_low_kg": f"{low:.3f}", "printed_high_kg": f"{high:.3f}"}
        line = make_line(
            found,
            key=f"stay.{kind}",
            category="stay",
            label=LABELS[kind],
            amount=nights,
            share=M1.divide(ratio, people),
            params={"nights": plain(nights)},
            doubt=Doubt(DEFAULT if unsure else EXACT),
            assumed=unsure,
            details=details | {"people": plain(people)},
        )
        return [line]

    def levers(self, context: SceneContext, values: Mapping[str, Value]) -> Iterable[Option]:  # noqa: ARG002 - the same everywhere
        """Return one night fewer, a shared room, a simpler house."""
        nights = int(number(values, "nights", 0))
        kind = text(values, "stay", "unknown")
        if nights > 1:
            yield Option("one_night_fewer", N_("Stay one night fewer"), {"nights": nights - 1})
        if nights and kind not in {"friends", "hostel"}:
            if number(values, "room_people", 1) == 1:
                yield Option("share_room", N_("Share a room with somebody"), {"room_people": 2})
            if kind in {"high", "five_star"}:
                yield Option("simpler", N_("Choose a mid-range hotel"), {"stay": "mid"})


def _row(context: SceneContext, factors: FactorSet, kind: str) -> tuple[FoundFactor, Decimal]:
    """Return the row of a class and the ratio by which it is scaled."""
    country = context.country
    if kind == "friends":
        return _AT_HOME, ONE
    if kind == "hostel":
        if country == "CN":
            return factors.stand_in(f"{MEASURED}.homestay", "TW"), ONE
        if country == "TW":
            return factors.find(f"{MEASURED}.homestay", "TW"), ONE
        return factors.find("accommodation.hostel.person_night", country), ONE
    for land, rows in (("CN", CHINA), ("TW", TAIWAN)):
        if country == land:
            return factors.find(rows[kind], land), ONE
    row = ROOM if factors.has(ROOM, country) else WORLD
    return factors.find(row, country), CLASS_RATIO[kind]
