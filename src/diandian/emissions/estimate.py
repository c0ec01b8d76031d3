"""An estimate: lines that add up, their interval, and what would have made it smaller.

A pure result of answers, a factor set and a method version; it holds whole numbers, text and
decimals as text, so that it can be stored, hashed and computed again for ever.
*Source:* methodology, sections 1, 9, 11 and 12.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from diandian.emissions.bare_lines import FINEST, read_activity_lines
from diandian.emissions.lines import CATEGORIES, Line, recomputed_g
from diandian.emissions.uncertainty import interval
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diandian.emissions.factor_set import FactorSet

__all__ = [
    "CATEGORIES",
    "Estimate",
    "Lever",
    "Line",
    "Narrow",
    "Praise",
    "estimate_lines",
    "finish",
]

ROUNDING = "r1"  # a gram per line, half up; the total is the sum of the rounded lines
# Where a document carries sums, it may carry the estimate that they sum up under this name.
CARRIED = "carried"
NARROW = {
    "mode": N_("Telling us how you travel would narrow the range most."),
    "stay": N_("Telling us the kind of hotel would narrow the range most."),
    "local": N_("Telling us how you get around the city would narrow the range."),
    "local_km": N_("Telling us the kilometres in the city would narrow the range."),
    "meals": N_("Telling us the number of meals would narrow the range."),
    "meal_kind": N_("Telling us what you eat would narrow the range."),
    "fuel": N_("Telling us what the car runs on would narrow the range."),
    "way": N_("Telling us how you came would narrow the range most."),
    "way_km": N_("Telling us how far you came would narrow the range."),
}


@dataclass(frozen=True, slots=True)
class Lever:
    """One thing that would have made it smaller, and by how much; computed, not looked up."""

    key: str
    label: str
    params: dict[str, str]
    saves_g: int


@dataclass(frozen=True, slots=True)
class Praise:
    """A good choice already made, and what it saved against the usual other one."""

    label: str
    params: dict[str, str]
    saves_g: int


@dataclass(frozen=True, slots=True)
class Narrow:
    """A question to come back to, and why: its answer would narrow the interval, or is unusual."""

    question: str
    label: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """The result. Units: grams of CO2e. ``doubt_pct``: U of the total as text, per cent.

    ``interval_form``: "factor" (divided and multiplied by 1 + U), or "symmetric" by m1 where that
    does not reach 0. ``method_version``: that of the factor set.
    """

    lines: tuple[Line, ...]
    mass_g: int
    low_g: int
    high_g: int
    without_non_co2_g: int
    word: str
    interval_form: str
    doubt_pct: str
    factor_set_id: str
    factor_set_sha256: str
    method_version: str
    rounding: str
    inputs: dict[str, Any] = field(default_factory=dict)
    levers: tuple[Lever, ...] = ()
    praise: Praise | None = None
    narrow: tuple[Narrow, ...] = ()

    def by_category(self) -> dict[str, int]:
        """Return grams per category that has lines, the largest first."""
        sums: dict[str, int] = {}
        for line in self.lines:
            sums[line.category] = sums.get(line.category, 0) + line.mass_g
        return dict(sorted(sums.items(), key=lambda pair: (-pair[1], pair[0])))

    @property
    def confirm(self) -> tuple[Narrow, ...]:
        """Return the answers to ask back about, since they are possible but far from usual."""
        asked = (
            (line.details.get("question", ""), line.details.get("confirm")) for line in self.lines
        )
        return tuple(Narrow(question, label) for question, label in asked if label)

    def adds_up(self) -> bool:
        """Tell whether every line gives its grams again and the lines give the total."""
        right = all(recomputed_g(line) == line.mass_g for line in self.lines)
        return right and sum(line.mass_g for line in self.lines) == self.mass_g

    def to_json(self) -> dict[str, Any]:
        """Return the estimate as text, whole numbers, flags, lists and dictionaries."""
        data: dict[str, Any] = {name: getattr(self, name) for name in _PLAIN}
        data["lines"] = [line.to_json() for line in self.lines]
        data["levers"] = [_flat(lever) for lever in self.levers]
        data["praise"] = _flat(self.praise) if self.praise else None
        data["narrow"] = [_flat(item) for item in self.narrow]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Estimate:
        """Return the estimate that ``to_json`` described."""
        values: dict[str, Any] = {name: data[name] for name in _PLAIN}
        values["lines"] = tuple(Line.from_json(line) for line in data["lines"])
        values["levers"] = tuple(Lever(**lever) for lever in data["levers"])
        values["praise"] = Praise(**data["praise"]) if data["praise"] else None
        values["narrow"] = tuple(Narrow(**item) for item in data["narrow"])
        return cls(**values)


_RICH = {"lines", "levers", "praise", "narrow"}
_PLAIN = tuple(name for name in Estimate.__slots__ if name not in _RICH)


def _flat(item: Lever | Praise | Narrow) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__slots__}


def without_person(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an estimate's JSON without answers and places; grams, factors and doubts stay.

    Of a document of sums, the estimate behind them goes whole: its amounts are answers.
    """
    data = {name: value for name, value in data.items() if name != CARRIED}
    lines = [{**line, "details": {}, "params": {}, **_unsourced(line)} for line in data["lines"]]
    return {**data, "lines": lines, "inputs": {}, "levers": [], "praise": None, "narrow": []}


def _unsourced(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes that take the sender's own words out of a line with their own factor."""
    if line["factor_set"] != "own":
        return {}
    return {"factor_region": "", "source": dict.fromkeys(line["source"], "")}


def _narrowing(lines: Sequence[Line], asked: Mapping[str, str]) -> tuple[Narrow, ...]:
    weight: dict[str, int] = {}
    for line in lines:
        question = line.details.get("question", "")
        if line.assumed and question in asked:
            own = int(line.uncertainty_activity_pct + line.uncertainty_factor_pct)
            weight[question] = weight.get(question, 0) + line.mass_g * own
    best = sorted(weight, key=lambda question: (-weight[question], question))
    return tuple(Narrow(question, asked[question]) for question in best[:2] if weight[question])


def finish(
    lines: Sequence[Line],
    factor_set: FactorSet,
    inputs: dict[str, Any],
    *,
    levers: Sequence[Lever] = (),
    praise: Praise | None = None,
    narrow: Mapping[str, str] = NARROW,
) -> Estimate:
    """Add lines up to an estimate with its interval, by the method of the factor set.

    ``narrow``: message id by question, for those whose answer would narrow the interval.
    """
    kept = tuple(lines)
    low_g, high_g, doubt, word, form = interval(kept, factor_set.method_version)
    return Estimate(
        lines=kept,
        mass_g=sum(line.mass_g for line in kept),
        low_g=low_g,
        high_g=high_g,
        without_non_co2_g=sum(line.without_non_co2_g for line in kept),
        word=word,
        interval_form=form,
        doubt_pct=f"{doubt:.1f}",
        factor_set_id=factor_set.id,
        factor_set_sha256=factor_set.sha256,
        method_version=factor_set.method_version,
        rounding=ROUNDING,
        inputs=inputs,
        levers=tuple(sorted(levers, key=lambda lever: (-lever.saves_g, lever.key))),
        praise=praise,
        narrow=_narrowing(kept, narrow),
    )


def estimate_lines(
    factor_set: FactorSet,
    activity_lines: Sequence[Mapping[str, object]],
    *,
    finest: int = FINEST,
) -> Estimate:
    """Compute bare activity lines, as the API sends them.

    A line is {"factor", "region", "amount", "unit", "share", "basis"} or {"own_factor": {"value",
    "unit", "source"}, "amount", "unit", "share", "basis"}; unit, share and basis may be left out.
    Raises: ActivityLineError whose field names the line, such as "lines.0.amount".
    """
    lines, inputs = read_activity_lines(factor_set, activity_lines, finest=finest)
    return finish(lines, factor_set, {"lines": inputs})
