"""Questions of a scene kind, and how raw answers become values that can be computed with.

Each answer is understood or refused at its own field; the other answers are kept. "Don't know" is
an answer where the question allows it.
*Source:* methodology, section 4 (defaults), ``numbers.py`` for what counts as a number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from diandian.emissions.errors import AnswerMissingError, UnknownChoiceError
from diandian.emissions.geo import resolve_place
from diandian.emissions.numbers import plain, read_number
from diandian.kernel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

UNKNOWN = "unknown"
Kind = Literal["place", "choice", "number", "flag"]
Value = str | int | bool
_YES = {"1", "on", "true", "yes", "是", "ja"}
_NO = {"", "0", "off", "false", "no", "否", "nee"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to choose. ``icon``: key of an icon, "" for none."""

    value: str
    label: str
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One question to the guest.

    ``choices``: of a choice; of a place, what may be answered instead (rough distances).
    ``label``, ``hint``: message ids. ``unit``: of a number ("night", "km", "kg", ...).
    ``shown_when``: {other key: allowed values}; a question that is not shown has no answer.
    ``fine_tune``: hidden until the guest asks for detail; its default is an average.
    """

    key: str
    kind: Kind
    label: str
    choices: tuple[Choice, ...] = ()
    unit: str = ""
    minimum: Decimal = Decimal(0)
    maximum: Decimal = Decimal(0)
    whole: bool = True
    default: Value | None = None
    unknown_allowed: bool = False
    shown_when: Mapping[str, tuple[Value, ...]] | None = None
    fine_tune: bool = False
    hint: str = ""


@dataclass(slots=True)
class ParsedAnswers:
    """Values by question key (text, whole numbers, flags), and refusals by question key."""

    values: dict[str, Value] = field(default_factory=dict)
    errors: dict[str, InputError] = field(default_factory=dict)


def is_shown(question: Question, values: Mapping[str, Value]) -> bool:
    """Tell whether a question is asked, given the answers before it."""
    wanted = question.shown_when or {}
    return all(values.get(key) in allowed for key, allowed in wanted.items())


def parse(questions: Iterable[Question], raw: Mapping[str, str]) -> ParsedAnswers:
    """Read raw answers; every field is either understood or has an error of its own.

    Answers to questions that are not shown are dropped, so equal situations have equal values.
    """
    parsed = ParsedAnswers()
    for question in questions:
        if not is_shown(question, parsed.values):
            continue
        try:
            value = read_answer(question, raw.get(question.key, ""))
        except InputError as error:
            error.field = question.key
            parsed.errors[question.key] = error
        else:
            if value is not None:
                parsed.values[question.key] = value
    return parsed


def read_answer(question: Question, text: str) -> Value | None:
    """Return the value that a text means for a question; an empty one means the default.

    Raises: InputError of the kind that fits.
    """
    if question.kind == "flag":
        return _flag(question, text)
    if not text.strip():
        if question.default is None and not question.fine_tune:
            raise AnswerMissingError(field=question.key)
        return question.default
    if question.unknown_allowed and text.strip() == UNKNOWN:
        return UNKNOWN
    if question.kind == "choice":
        return _choice(question, text.strip())
    if question.kind == "place":
        offered = any(choice.value == text.strip() for choice in question.choices)
        return text.strip() if offered else resolve_place(text).key
    return _number(question, text)


def _flag(question: Question, text: str) -> bool:
    word = text.strip().casefold()
    if word in _YES:
        return True
    if word == "" and isinstance(question.default, bool):
        return question.default
    if word in _NO:
        return False
    raise UnknownChoiceError(field=question.key, given=text[:40])


def _choice(question: Question, text: str) -> str:
    if any(choice.value == text for choice in question.choices):
        return text
    raise UnknownChoiceError(field=question.key, given=text[:40])


def _number(question: Question, text: str) -> Value:
    amount = read_number(
        text,
        unit=question.unit,
        minimum=question.minimum,
        maximum=question.maximum,
        whole=question.whole,
        field=question.key,
    )
    return int(amount) if question.whole else plain(amount)
