"""Estimates without keeping anything: a scene's answers, or bare lines with factors.

*Source:* methodology, sections 2 (own factors), 9 and 11; nothing is stored.
"""

from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, Literal

import msgspec
from django.utils.translation import gettext
from dmr import Body, modify
from msgspec import UNSET, UnsetType

from diandian.api.base import WRITES, ApiController, Word, language, refusals
from diandian.api.problems import FieldError, ManyFieldsError
from diandian.api.scenes import published
from diandian.emissions.activity import Question, parse
from diandian.emissions.estimate import Estimate, Lever, Praise, estimate_lines
from diandian.emissions.factor_set import factor_set, newest
from diandian.emissions.lines import Line
from diandian.emissions.reasons import REASONS
from diandian.footprints.calculation import calculate, questions_of
from diandian.kernel.errors import InputError
from diandian.scenes.models import Scene

Amount = (
    Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,9})?$")]
    | Annotated[int, msgspec.Meta(ge=0, le=10**12)]
)
FactorValue = (
    Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,6}(\.[0-9]{1,9})?$")]
    | Annotated[int, msgspec.Meta(ge=0, le=10**6)]
)
Percent = (
    Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,3}(\.[0-9]{1,9})?$")]
    | Annotated[int, msgspec.Meta(ge=0, le=1000)]
)
Share = (
    Annotated[str, msgspec.Meta(pattern=r"^(10|[0-9](\.[0-9]{1,9})?)$")]
    | Annotated[int, msgspec.Meta(ge=0, le=10)]
)
DecimalText = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]
Basis = Literal["meter", "ticket", "invoice", "count", "map", "estimate", "default"]
# Answers as JSON has them; the scene's questions say which fit.
Answers = Annotated[
    dict[str, Any],
    msgspec.Meta(
        extra_json_schema={
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]}
        }
    ),
]
MOST_LINES = 1000
# Beyond this, programs that hold numbers as binary fractions would lose grams.
LARGEST_G = 2**53 - 1


class OwnFactor(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A factor of the sender's own: kg CO2e per unit, with where it comes from.

    Without ``uncertainty_pct`` it counts as plus or minus 60 %.
    """

    value: FactorValue
    unit: Word
    source: Word
    uncertainty_pct: Percent | UnsetType = UNSET


class LineIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An activity: an amount of a unit, and the factor of a region or one's own.

    ``share``: which part of it counts, 1 when left out. ``basis``: how the amount is known.
    """

    amount: Amount
    factor: Word | UnsetType = UNSET
    region: Word | UnsetType = UNSET
    own_factor: OwnFactor | UnsetType = UNSET
    unit: Word | UnsetType = UNSET
    share: Share | UnsetType = UNSET
    basis: Basis | UnsetType = UNSET


class EstimateIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Either ``scene`` with ``answers``, or ``lines`` (with ``factor_set``, else the newest)."""

    scene: Word | None = None
    answers: Answers | None = None
    factor_set: Word | None = None
    lines: Annotated[list[LineIn], msgspec.Meta(min_length=1, max_length=MOST_LINES)] | None = None


class SourceOut(msgspec.Struct, kw_only=True):
    """Where a factor was published."""

    org: str
    title: str
    year: str
    table: str


class LineOut(msgspec.Struct, kw_only=True):
    """One step: ``amount`` x ``value`` x ``share`` kilograms, rounded once to ``mass_g``.

    ``reason`` is "" for the very factor asked for, else why another one serves.
    """

    key: str
    category: str
    label: str
    mass_g: int
    without_non_co2_g: int
    amount: DecimalText
    unit: str
    factor: str
    region: str
    factor_set: str
    value: DecimalText
    share: DecimalText
    uncertainty_pct: DecimalText
    quality: str
    assumed: bool
    reason: str
    reason_text: str
    source: SourceOut


class SavingOut(msgspec.Struct, kw_only=True):
    """What another choice saves, or saved."""

    label: str
    saves_g: int


class EstimateOut(msgspec.Struct, kw_only=True):
    """An estimate. Units: grams of CO2e; about 19 in 20 such trips lie within ``low`` to ``high``.

    ``doubt_pct``: U, text. By method m2 the ends are ``mass_g`` divided and multiplied by
    1 + ``doubt_pct`` / 100; by m1 they may be symmetric. ``word``: high, fair or rough.
    ``factor_set_sha256`` names the exact factors.
    """

    mass_g: int
    low_g: int
    high_g: int
    doubt_pct: str
    without_non_co2_g: int
    word: str
    factor_set: str
    factor_set_sha256: str
    method_version: str
    lines: list[LineOut]
    by_category: dict[str, int]
    levers: list[SavingOut]
    praise: SavingOut | None
    would_narrow: list[str]


def estimated(wish: EstimateIn) -> tuple[Estimate, Scene | None]:
    """Return the estimate of an input, and its scene where it has one.

    Raises: NotFoundError, InputError naming the field, FactorMissingError.
    """
    if (wish.scene is None) == (wish.lines is None):
        raise FieldError("scene", "one_of")
    if wish.scene is not None:
        if wish.factor_set is not None:
            raise FieldError("factor_set", "one_of")
        scene = published(wish.scene)
        return _of_scene(scene, wish.answers or {}), scene
    if wish.answers is not None:
        raise FieldError("answers", "one_of")
    factors = factor_set(wish.factor_set) if wish.factor_set else newest()
    lines = [_plain(line, number) for number, line in enumerate(wish.lines or [])]
    return _within_bounds(estimate_lines(factors, lines)), None


def _plain(line: LineIn, number: int) -> dict[str, object]:
    if (line.factor is UNSET) == (line.own_factor is UNSET):
        raise FieldError(f"lines.{number}.factor", "one_of")
    plain: dict[str, object] = msgspec.to_builtins(line)
    return plain


def _within_bounds(estimate: Estimate) -> Estimate:
    if estimate.high_g > LARGEST_G:
        raise FieldError("lines", "wrong_form")
    return estimate


def _of_scene(scene: Scene, answers: Mapping[str, object]) -> Estimate:
    questions = questions_of(scene)
    raw, wrong = _as_typed(questions, answers)
    parsed = parse(questions, raw)
    wrong += [error for key, error in parsed.errors.items() if key not in {e.field for e in wrong}]
    if wrong:
        raise ManyFieldsError([_inside_answers(error) for error in wrong])
    try:
        return calculate(scene, parsed.values)
    except InputError as error:
        raise _inside_answers(error) from error


def _inside_answers(error: InputError) -> InputError:
    error.field = f"answers.{error.field}"
    return error


def _as_typed(
    questions: tuple[Question, ...], answers: Mapping[str, object]
) -> tuple[dict[str, str], list[InputError]]:
    """Return the answers as somebody would type them, and those that are no answers at all."""
    known = {question.key for question in questions}
    raw: dict[str, str] = {}
    wrong: list[InputError] = []
    for key, value in answers.items():
        if key not in known:
            wrong.append(FieldError(key[:60], "unknown_question"))
        elif isinstance(value, bool):
            raw[key] = "true" if value else "false"
        elif isinstance(value, str | int | Decimal):
            raw[key] = str(value)
        elif value is not None:
            wrong.append(FieldError(key, "wrong_form"))
    return raw, wrong


def said(label: str, params: Mapping[str, object]) -> str:
    """Translate a message id of the calculator and fill it in."""
    text = gettext(label)
    try:
        return text % params
    except (KeyError, TypeError, ValueError):
        return text


def _saving(item: Lever | Praise) -> SavingOut:
    return SavingOut(label=said(item.label, item.params), saves_g=item.saves_g)


def _line(line: Line, lang: str) -> LineOut:
    own = line.factor_set == "own"
    return LineOut(
        key=line.key,
        category=line.category,
        label=said(line.label, line.params_in(lang)),
        mass_g=line.mass_g,
        without_non_co2_g=line.without_non_co2_g,
        amount=f"{line.activity_amount:f}",
        unit=line.unit,
        factor=line.factor_id,
        # An own factor has a source instead of a region.
        region="" if own else line.factor_region,
        factor_set=line.factor_set,
        value=f"{line.value:f}",
        share=f"{line.share:f}",
        uncertainty_pct=f"{line.uncertainty_factor_pct:f}",
        quality=line.quality,
        assumed=line.assumed,
        reason=line.reason,
        reason_text=gettext(REASONS[line.reason]) if line.reason in REASONS else "",
        source=SourceOut(
            org=line.source.org,
            title=line.source.title,
            year=line.source.year,
            table=line.source.table,
        ),
    )


def shown(estimate: Estimate) -> EstimateOut:
    """Return an estimate as the API shows it, in the caller's language."""
    lang = language()
    return EstimateOut(
        mass_g=estimate.mass_g,
        low_g=estimate.low_g,
        high_g=estimate.high_g,
        doubt_pct=estimate.doubt_pct,
        without_non_co2_g=estimate.without_non_co2_g,
        word=estimate.word,
        factor_set=estimate.factor_set_id,
        factor_set_sha256=estimate.factor_set_sha256,
        method_version=estimate.method_version,
        lines=[_line(line, lang) for line in estimate.lines],
        by_category=estimate.by_category(),
        levers=[_saving(lever) for lever in estimate.levers],
        praise=_saving(estimate.praise) if estimate.praise else None,
        would_narrow=[gettext(item.label) for item in estimate.narrow],
    )


class EstimatesController(ApiController):
    """Estimates."""

    tags = ("Calculation",)

    @modify(
        operation_id="makeEstimate",
        summary="Calculate; nothing is stored",
        status_code=HTTPStatus.OK,
        extra_responses=refusals(404, *WRITES),
    )
    def post(self, parsed_body: Body[EstimateIn]) -> EstimateOut:
        """Answer for a scene's answers or for bare lines."""
        estimate, _scene = estimated(parsed_body)
        return shown(estimate)
