"""The year of one life: questions, reading answers, the estimate, what would make it smaller.

Public services (schools, hospitals, roads) are not counted, and a visit matched at a scene is
never added here; the page says both.
*Source:* methodology, sections 8 and 10 (rule 10).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from diandian.emissions.activity import ParsedAnswers, Question, is_shown, parse
from diandian.emissions.context import SceneContext
from diandian.emissions.errors import FactorMissingError, UnknownChoiceError
from diandian.emissions.estimate import Lever, finish
from diandian.emissions.factor_set import newest
from diandian.emissions.life.eating import Diet, Drinks
from diandian.emissions.life.home import Electricity, Heating, Waste, Water
from diandian.emissions.life.moving import Car, Commute, Flights, Trains
from diandian.emissions.life.things import GROUPS as BOUGHT
from diandian.emissions.life.things import Bought, HotelNights, Video
from diandian.emissions.place import areas
from diandian.kernel.errors import N_, InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from diandian.emissions.activity import Value
    from diandian.emissions.blocks.base import Block, Option
    from diandian.emissions.estimate import Estimate
    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.lines import Line

KIND = "life"
GRID = "energy.electricity.grid"
MOST_LEVERS = 5
GROUPS = {
    "home": N_("Home"),
    "moving": N_("Getting around"),
    "food": N_("Food"),
    "things": N_("Things"),
    "services": N_("Digital and services"),
}
# In the order in which they are asked; the key of a line begins with its group.
BLOCKS: dict[str, tuple[Block, ...]] = {
    "home": (Electricity(), Heating(), Water(), Waste()),
    "moving": (Car(), Commute(), Trains(), Flights()),
    "food": (Diet(), Drinks()),
    "things": tuple(Bought(group) for group in BOUGHT),
    "services": (Video(), HotelNights()),
}
OUTSIDE = (
    N_("Public services such as schools, hospitals and roads: nobody can change them alone."),
    N_("The building of homes and long-lived works."),
    N_("Visits that you matched at a scene: they have certificates of their own."),
)
NARROW = {
    "people": N_("Telling us how many live in your home would narrow the range."),
    "electricity_kwh": N_("Telling us the kWh of a bill would narrow the range."),
    "heating": N_("Telling us how your home is heated would narrow the range most."),
    "gas_m3": N_("Telling us the gas of a bill would narrow the range most."),
    "home_m2": N_("Telling us the size of your home would narrow the range."),
    "car": N_("Telling us whether and how you go by car would narrow the range most."),
    "car_km": N_("Telling us the kilometres by car would narrow the range most."),
    "commute": N_("Telling us how you get to work would narrow the range."),
    "commute_km": N_("Telling us how far you commute would narrow the range."),
    "flights_short": N_("Telling us your flights of a year would narrow the range most."),
    "flights_long": N_("Telling us your long flights of a year would narrow the range most."),
    "diet": N_("Telling us what you eat would narrow the range."),
    "clothes": N_("Telling us how many clothes you buy would narrow the range."),
    "devices": N_("Telling us how many devices you buy would narrow the range."),
    "hotel_nights": N_("Telling us your nights in hotels would narrow the range."),
}
# lever -> (effort, cost): our judgement, shown as such beside what the lever saves
EFFORTS = {"easy": N_("Easy"), "some": N_("Some effort"), "large": N_("A larger change")}
COSTS = {"saves": N_("Saves money"), "same": N_("Costs about the same"), "costs": N_("Costs money")}
_NOTES = {
    "electricity": ("easy", "saves"),
    "gas": ("some", "saves"),
    "drive_less": ("some", "saves"),
    "electric_car": ("large", "costs"),
    "share_car": ("some", "saves"),
    "commute_metro": ("some", "saves"),
    "commute_bike": ("some", "saves"),
    "fewer_long": ("some", "saves"),
    "fewer_short": ("some", "saves"),
    "economy": ("easy", "saves"),
    "less_meat": ("some", "saves"),
    "no_beef": ("easy", "same"),
    "clothes": ("easy", "saves"),
    "devices": ("easy", "saves"),
    "large_items": ("easy", "saves"),
    "video": ("easy", "same"),
    "hotel": ("some", "saves"),
}


@cache
def regions() -> tuple[str, ...]:
    """Return the regions to choose from: provinces of China, and countries with a grid row."""
    known = {row.region for row in newest().rows() if row.id == GRID}
    return tuple(code for code in areas() if code.startswith("CN-") or code in known)


def context_of(region: str, *, non_co2: bool = True) -> SceneContext:
    """Return what the blocks need to know. Raises: UnknownChoiceError for the field "region"."""
    if region not in regions():
        raise UnknownChoiceError(field="region", given=region[:40])
    return SceneContext(city_key="", region=region, country=region[:2], non_co2=non_co2)


def _blocks() -> Iterable[tuple[str, Block]]:
    return ((group, block) for group, blocks in BLOCKS.items() for block in blocks)


def questions(region: str) -> tuple[Question, ...]:
    """Return the questions in order, those for fine-tuning last. Raises: UnknownChoiceError.

    Twelve to fifteen are asked, depending on the answers (``shown_when``); each takes "unknown".
    """
    context = context_of(region)
    asked = [question for _, block in _blocks() for question in block.questions(context)]
    return tuple(sorted(asked, key=lambda question: question.fine_tune))


def group_of(question_key: str) -> str:
    """Return the key of a question's group, "" for an unknown question."""
    return next((group for group, block in _blocks() if question_key in block.reads), "")


def read(region: str, raw: Mapping[str, str]) -> ParsedAnswers:
    """Return values and refusals by question key; what is left empty counts as "unknown".

    Raises: UnknownChoiceError when the region is not one of ``regions()``.
    """
    return parse(questions(region), raw)


@lru_cache(maxsize=8192)
def _lines_of(
    block: Block,
    context: SceneContext,
    factors: FactorSet,
    given: tuple[tuple[str, Value], ...],
) -> tuple[Line, ...]:
    """Return a block's lines, remembered: of a year that changes by one answer the rest stands.

    ``given``: the answers that the block reads, no others.
    """
    return tuple(block.lines(context, dict(given), factors))


@dataclass(frozen=True, slots=True)
class Entered:
    """Lines that were entered in detail.

    ``stands_for``: beginnings of the keys of quick lines that they replace. ``stored``: goes to
    the estimate's inputs.
    """

    lines: tuple[Line, ...] = ()
    stands_for: frozenset[str] = frozenset()
    stored: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Year:
    """The quick lines of one year, and what they would be with other answers."""

    context: SceneContext
    values: Mapping[str, Value]
    factors: FactorSet
    stands_for: frozenset[str] = frozenset()

    def of(self, block: Block, values: Mapping[str, Value]) -> list[Line]:
        """Return the lines of a block, but for those that were entered in detail."""
        given = tuple((key, values[key]) for key in sorted(block.reads) if key in values)
        lines = _lines_of(block, self.context, self.factors, given)
        if not self.stands_for:
            return list(lines)
        return [line for line in lines if not _starts(line.key, self.stands_for)]

    def lines(self) -> list[Line]:
        """Return all lines in the order of asking."""
        return [line for _, block in _blocks() for line in self.of(block, self.values)]

    def saving(self, option: Option) -> int:
        """Return grams saved by other answers; 0 if they cannot be computed."""
        changed = {**self.values, **option.changes}
        saved = 0
        for _, block in _blocks():
            if block.reads.isdisjoint(option.changes):
                continue
            try:
                other = self.of(block, changed)
            except (InputError, FactorMissingError):
                return 0
            saved += sum(line.mass_g for line in self.of(block, self.values))
            saved -= sum(line.mass_g for line in other)
        return saved

    def levers(self) -> tuple[Lever, ...]:
        """Return the levers that save something, the largest first, of equal ones the first."""
        options = [o for _, block in _blocks() for o in block.levers(self.context, self.values)]
        found = [Lever(o.key, o.label, o.params, self.saving(o)) for o in options]
        found.sort(key=lambda lever: (-lever.saves_g, lever.key))
        kept: list[Lever] = []
        for lever in found:
            if lever.saves_g > 0 and (not kept or kept[-1].saves_g != lever.saves_g):
                kept.append(lever)
        return tuple(kept)


def _starts(key: str, beginnings: frozenset[str]) -> bool:
    return any(key == start or key.startswith(f"{start}.") for start in beginnings)


NOTHING = Entered()


def estimate(
    values: Mapping[str, Value],
    factor_set: FactorSet,
    region: str,
    *,
    entered: Entered = NOTHING,
    with_levers: bool = True,
) -> Estimate:
    """Return the estimate of one year of one person, with its levers where they are wanted.

    ``values``: of ``read``. Units: grams of CO2e a year. Raises: UnknownChoiceError,
    FactorMissingError.
    """
    year = _Year(context_of(region), values, factor_set, entered.stands_for)
    return finish(
        [*year.lines(), *entered.lines],
        factor_set,
        {**_inputs(year.context, values), **entered.stored},
        levers=year.levers()[:MOST_LEVERS] if with_levers else (),
        narrow=NARROW,
    )


def _inputs(context: SceneContext, values: Mapping[str, Value]) -> dict[str, Any]:
    """Return what is stored with an estimate, so that it can be computed again."""
    return {
        "kind": KIND,
        "answers": dict(values),
        "region": context.region,
        "country": context.country,
        "non_co2": context.non_co2,
        "period": "year",
    }


def levers(values: Mapping[str, Value], factor_set: FactorSet, region: str) -> tuple[Lever, ...]:
    """Return every lever that applies, the largest first; the page shows three.

    Each is this calculator run again with one answer changed. Those that save nothing are left
    out, and of two that save the same only the first by key is kept.
    """
    return _Year(context_of(region), values, factor_set).levers()


def lever_note(key: str) -> tuple[str, str]:
    """Return (effort, cost) of a lever as message ids; our judgement. Raises: KeyError."""
    effort, cost = _NOTES[key]
    return EFFORTS[effort], COSTS[cost]


def by_group(lines: Iterable[Line]) -> dict[str, int]:
    """Return grams of every group, in the order of asking."""
    sums = dict.fromkeys(GROUPS, 0)
    for line in lines:
        sums[line.key.partition(".")[0]] += line.mass_g
    return sums


def running(
    values: Mapping[str, Value], answered: Collection[str], factor_set: FactorSet, region: str
) -> dict[str, int]:
    """Return grams by group of what is answered so far, for the dots that grow page by page.

    ``answered``: keys of the questions gone past, "unknown" included. A part of life counts once
    all its questions were gone past, what is only fine-tuned with the end of its group; so going
    on never takes dots away.
    """
    context = context_of(region)
    past = set(answered)
    lines: list[Line] = []
    for blocks in BLOCKS.values():
        asked = {block: _asked(block, context, values) for block in blocks}
        whole = set().union(*asked.values())
        for block, keys in asked.items():
            if (keys or whole) <= past:
                lines += block.lines(context, values, factor_set)
    return by_group(lines)


def _asked(block: Block, context: SceneContext, values: Mapping[str, Value]) -> set[str]:
    shown = (q for q in block.questions(context) if not q.fine_tune and is_shown(q, values))
    return {question.key for question in shown}
