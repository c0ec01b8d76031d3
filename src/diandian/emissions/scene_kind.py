"""The contract of a scene kind: what is asked, how it is computed, where its boundary runs.

A kind is one folder below ``scene_kinds/`` whose ``kind.py`` holds ``KIND``. Most kinds only
choose building blocks; levers and praise are computed again with other answers, not looked up.
*Source:* methodology, section 7 (boundary per scene).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from diandian.emissions.context import SceneContext
from diandian.emissions.errors import FactorMissingError, UnknownSceneKindError
from diandian.emissions.estimate import Lever, Praise, finish
from diandian.emissions.pinned import used_places
from diandian.kernel.errors import InputError
from diandian.kernel.folders import plug_in_modules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from diandian.emissions.activity import Question, Value
    from diandian.emissions.blocks.base import Block, Option
    from diandian.emissions.estimate import Estimate
    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.inventory.boundary import HostSource
    from diandian.emissions.lines import Line

__all__ = ["SceneContext", "SceneKind", "scene_kind", "scene_kinds"]

PACKAGE = "diandian.emissions.scene_kinds"
# What fits nowhere else stands at the end of every list.
OTHER = "other"
MOST_LEVERS = 5


@dataclass(frozen=True, slots=True)
class Boundary:
    """Who answers for what. Message ids of whole phrases."""

    guest: str
    host: str
    outside: str


@dataclass(frozen=True, slots=True)
class SceneKind:
    """One kind of scene.

    ``names``: by language. ``skip``: makes the lever of not coming at all, or None where that
    makes no sense. ``host_sources``: what the organiser counts, in the order of the form.
    ``inputs``: stored with every estimate of this kind, besides the answers.
    """

    key: str
    names: dict[str, str]
    blocks: tuple[Block, ...]
    boundary: Boundary
    skip: Callable[[Sequence[Line], SceneContext, FactorSet], Lever] | None = None
    host_sources: tuple[HostSource, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)

    def questions(self, context: SceneContext) -> tuple[Question, ...]:
        """Return the questions, those for fine-tuning last."""
        asked = [question for block in self.blocks for question in block.questions(context)]
        return tuple(sorted(asked, key=lambda question: question.fine_tune))

    def compute(
        self, context: SceneContext, values: Mapping[str, Value], factor_set: FactorSet
    ) -> Estimate:
        """Return the estimate for parsed answers.

        Raises: InputError whose field names a question; FactorMissingError.
        """
        parts = [block.lines(context, values, factor_set) for block in self.blocks]
        lines = [line for part in parts for line in part]
        work = _Comparison(self.blocks, parts, context, values, factor_set)
        levers = work.levers()
        if self.skip is not None and lines:
            levers.append(self.skip(lines, context, factor_set))
        useful = [lever for lever in levers if lever.saves_g > 0]
        useful.sort(key=lambda lever: (-lever.saves_g, lever.key))
        return finish(
            lines,
            factor_set,
            self._inputs(context, values),
            levers=useful[:MOST_LEVERS],
            praise=work.praise(),
        )

    def _inputs(self, context: SceneContext, values: Mapping[str, Value]) -> dict[str, Any]:
        return {
            "kind": self.key,
            "answers": dict(values),
            "city": context.city_key,
            "region": context.region,
            "country": context.country,
            "non_co2": context.non_co2,
            **used_places(context, values.values()),
            **self.inputs,
        }


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The same visit with other answers, block by block."""

    blocks: tuple[Block, ...]
    parts: list[list[Line]]
    context: SceneContext
    values: Mapping[str, Value]
    factors: FactorSet

    def saving(self, option: Option) -> int:
        """Return grams saved by other answers (below 0: emitted more); 0 if they cannot be."""
        changed = {**self.values, **option.changes}
        saved = 0
        for block, part in zip(self.blocks, self.parts, strict=True):
            if block.reads.isdisjoint(option.changes):
                continue
            try:
                other = block.lines(self.context, changed, self.factors)
            except (InputError, FactorMissingError):
                return 0
            saved += sum(line.mass_g for line in part) - sum(line.mass_g for line in other)
        return saved

    def levers(self) -> list[Lever]:
        """Return the levers with what each saves."""
        options = [o for block in self.blocks for o in block.levers(self.context, self.values)]
        return [Lever(o.key, o.label, o.params, self.saving(o)) for o in options]

    def praise(self) -> Praise | None:
        """Return the first good choice that saved something."""
        for block in self.blocks:
            for option in block.praises(self.context, self.values):
                saved = -self.saving(option)
                dots = (saved + 500) // 1000
                if dots > 0:
                    return Praise(option.label, option.params | {"dots": str(dots)}, saved)
        return None


@cache
def scene_kinds() -> dict[str, SceneKind]:
    """Return every scene kind by key, found by looking into the folder; "other" comes last."""
    found: dict[str, SceneKind] = {}
    for key, module in plug_in_modules(PACKAGE, "kind"):
        kind = module.KIND
        if not isinstance(kind, SceneKind) or kind.key != key:
            raise TypeError(f"scene_kinds/{key}/kind.py does not hold KIND with that key")
        found[key] = kind
    return dict(sorted(found.items(), key=lambda item: item[0] == OTHER))


def scene_kind(key: str) -> SceneKind:
    """Return one scene kind. Raises: UnknownSceneKindError."""
    try:
        return scene_kinds()[key]
    except KeyError:
        raise UnknownSceneKindError(key=key[:40]) from None
