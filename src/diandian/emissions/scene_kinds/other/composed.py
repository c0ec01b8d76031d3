"""Questions that an organiser composes from known activities, as data and without code.

A composition is JSON:

    {"keep": ["travel", "stay"],
     "questions": [{"activity": "coach", "labels": {"en": "Kilometres by shuttle"},
                    "unit": "km", "default": "12", "maximum": "200"}]}

``keep``: ready parts of the visit asked besides (travel, stay, local, meals). ``labels``: the
question by language, one at least. ``default``: what is taken for "don't know", in ``unit``.
``unit`` and ``maximum`` may be left out. Every answer is computed as any other line, and the
composition is stored with the estimate, so that it can be computed again.
*Source:* methodology, sections 4 and 11 (a count is exact, a guess 30 %, a default 60 %).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn

from diandian.emissions.activity import UNKNOWN, Question
from diandian.emissions.blocks.base import Block, number
from diandian.emissions.inventory.activities import ACTIVITIES
from diandian.emissions.inventory.activity import factor_unit, known_at, parts
from diandian.emissions.inventory.amounts import read_amount
from diandian.emissions.inventory.categories import CATEGORIES
from diandian.emissions.inventory.errors import ComposedError
from diandian.emissions.inventory.units import converted, unit_named
from diandian.emissions.lines import M1, ONE, ZERO, Doubt, make_line
from diandian.emissions.numbers import plain
from diandian.emissions.scene_kinds.other.kind import KIND
from diandian.emissions.uncertainty import DEFAULT, EXACT, GUESS
from diandian.kernel.errors import N_, InputError
from diandian.kernel.units import UnitError

if TYPE_CHECKING:
    from diandian.emissions.activity import Value
    from diandian.emissions.context import SceneContext
    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.inventory.activity import Activity
    from diandian.emissions.lines import Line
    from diandian.emissions.scene_kind import SceneKind

MOST_QUESTIONS, LONGEST_LABEL = 4, 120
LANGUAGES = ("zh-Hans", "en", "nl")
MAXIMUM = Decimal(100_000)
COUNTED = {"meal", "cup", "item", "sheet", "room-night", "person-night"}
_PARTS = dict(zip(("travel", "stay", "local", "meals"), KIND.blocks, strict=True))
WHY = {
    "shape": N_("it is not described as it should be"),
    "many": N_("one to four questions can be composed"),
    "keep": N_("this part of a visit does not exist"),
    "activity": N_("this activity is not one that guests can be asked about"),
    "place": N_("there is no factor for this activity here"),
    "label": N_("it needs a text of 1 to 120 characters in one language at least"),
    "unit": N_("the unit does not fit the activity"),
    "default": N_("it needs a number that stands for “don't know”, not above the largest"),
    "maximum": N_("the largest answer must be a number above 0"),
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """One composed question."""

    key: str
    activity: Activity
    labels: dict[str, str]
    unit: str
    default: Decimal
    maximum: Decimal

    def to_json(self) -> dict[str, Any]:
        return {
            "activity": self.activity.key,
            "labels": self.labels,
            "unit": self.unit,
            "default": plain(self.default),
            "maximum": plain(self.maximum),
        }


class Composed(Block):
    """The composed questions of one scene, worded in one language."""

    def __init__(self, asked: tuple[_Asked, ...], language: str) -> None:
        self.asked = asked
        self.language = language
        self.reads = frozenset(one.key for one in asked)  # type: ignore[misc]

    def questions(self, context: SceneContext) -> tuple[Question, ...]:  # noqa: ARG002 - the same everywhere
        """Return the questions in the organiser's words."""
        return tuple(
            Question(
                one.key, "number", one.labels.get(self.language) or next(iter(one.labels.values())),
                unit=one.unit, maximum=one.maximum, whole=False,
                default=UNKNOWN, unknown_allowed=True,
            )
            for one in self.asked
        )  # fmt: skip

    def lines(
        self, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
    ) -> list[Line]:
        """Return the lines of every question."""
        return [line for one in self.asked for line in _lines(one, context, values, factors)]


def compose(data: object, factors: FactorSet, region: str, *, language: str = "en") -> SceneKind:
    """Return the kind "other" with composed questions.

    ``language``: of the questions' words, another one where they have none in it. The grams do not
    depend on it. Raises: ComposedError whose field names the part, such as "questions.0.unit".
    """
    if not isinstance(data, Mapping):
        _refuse("", "shape")
    keep, raw = data.get("keep", []), data.get("questions")
    if not isinstance(keep, list) or not isinstance(raw, list):
        _refuse("questions", "shape")
    if not 1 <= len(raw) <= MOST_QUESTIONS:
        _refuse("questions", "many")
    if any(not isinstance(name, str) or name not in _PARTS for name in keep):
        _refuse("keep", "keep")
    asked = tuple(_asked(item, number, factors, region) for number, item in enumerate(raw))
    blocks = tuple(block for name, block in _PARTS.items() if name in keep)
    stored = {
        "keep": [name for name in _PARTS if name in keep],
        "questions": [one.to_json() for one in asked],
    }
    return replace(KIND, blocks=(*blocks, Composed(asked, language)), inputs={"composed": stored})


def _refuse(field: str, why: str) -> NoReturn:
    raise ComposedError(field=field, why=WHY[why])


def _asked(raw: object, number: int, factors: FactorSet, region: str) -> _Asked:
    field = f"questions.{number}"
    if not isinstance(raw, Mapping):
        _refuse(field, "shape")
    name = raw.get("activity")
    activity = ACTIVITIES.get(name) if isinstance(name, str) else None
    if activity is None or not activity.guest:
        _refuse(f"{field}.activity", "activity")
    if not known_at(activity, factors, region):
        _refuse(f"{field}.activity", "place")
    maximum = _number(raw.get("maximum", plain(MAXIMUM)), f"{field}.maximum", "maximum", MAXIMUM)
    if not maximum:
        _refuse(f"{field}.maximum", "maximum")
    return _Asked(
        key=f"own{number}",
        activity=activity,
        labels=_labels(raw.get("labels"), f"{field}.labels"),
        unit=_unit(raw.get("unit", activity.unit), activity, f"{field}.unit"),
        default=_number(raw.get("default"), f"{field}.default", "default", maximum),
        maximum=maximum,
    )


def _labels(raw: object, field: str) -> dict[str, str]:
    if not isinstance(raw, Mapping):
        _refuse(field, "label")
    labels = {}
    for language in LANGUAGES:
        text = raw.get(language, "")
        if not isinstance(text, str) or len(text) > LONGEST_LABEL or not text.isprintable():
            _refuse(field, "label")
        if text.strip():
            labels[language] = text.strip()
    if not labels:
        _refuse(field, "label")
    return labels


def _unit(raw: object, activity: Activity, field: str) -> str:
    unit = unit_named(raw) if isinstance(raw, str) else None
    try:
        converted(ONE, unit or "", activity.unit)
    except UnitError:
        _refuse(field, "unit")
    return unit or ""


def _number(raw: object, field: str, why: str, largest: Decimal) -> Decimal:
    if not isinstance(raw, str):
        _refuse(field, why)
    try:
        return read_amount(raw, field=field, largest=largest)
    except InputError:
        _refuse(field, why)


def _lines(
    one: _Asked, context: SceneContext, values: Mapping[str, Value], factors: FactorSet
) -> list[Line]:
    unknown = values.get(one.key, UNKNOWN) == UNKNOWN
    typed = one.default if unknown else number(values, one.key)
    if not typed:
        return []
    activity = one.activity
    amount = converted(typed, one.unit, activity.unit)
    if activity.becomes:
        amount = M1.multiply(amount, activity.ratio)
    guess = EXACT if activity.unit in COUNTED else GUESS
    return [
        make_line(
            part.found,
            key=f"{one.key}.{activity.key}{part.suffix}",
            category=CATEGORIES[activity.categories[0]].broad,
            label=part.label,
            amount=converted(amount, factor_unit(activity), part.found.factor.unit),
            share=part.ratio,
            params={},
            doubt=Doubt(DEFAULT if unknown else guess, ZERO),
            assumed=unknown,
            without=part.without,
            details={"question": one.key, "stated": f"{plain(typed)} {one.unit}"},
        )
        for part in parts(activity, factors, context.region, non_co2=context.non_co2)
    ]
