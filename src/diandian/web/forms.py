"""A scene kind's questions as fields of a page: with what was typed, what is wrong, what is meant.

Follow-up questions are hidden by style sheets where the browser can, shown everywhere else; whether
an answer counts is decided by ``emissions.activity``, never by what was visible.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext

from diandian.emissions import geo
from diandian.emissions.activity import UNKNOWN, Question
from diandian.emissions.errors import AmbiguousPlaceError, PlaceKeyError, UnknownPlaceError
from diandian.kernel.errors import N_, DiandianError, InputError
from diandian.ui.amounts import unit_word
from diandian.web import context

# Labels up to this long fit on a segment; longer ones get a line each.
_SHORT_LABEL = 24
# Columns of a row of segments by their count, and the widest label that fits, in Latin letters.
_COLUMNS = {2: ("n2", 24), 4: ("n4", 9), 5: ("n5", 6), 6: ("n6", 5)}
# What the follow-ups' style rules can tell apart (static/web/questions.css).
MOST_OPTIONS = 80
# The calculator's icon keys that are not in our set, and what stands in.
_ICONS = {"unknown": "help", "taxi": "car", "bus": "coach", "tram": "metro"}


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to tick. ``id`` is that of its input: o1, o2 ... over the whole page."""

    id: str
    value: str
    label: str
    icon: str
    on: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One question on the page.

    ``widget``: place, tiles, segments, list, number, flag. ``options`` of a place: rough distances
    to choose instead, ``open`` when it was not understood or one is chosen. ``other``: what was
    typed beside the listed numbers. ``when``: for each question it depends on, style classes that
    show or hide it.
    """

    key: str
    widget: str
    label: str
    hint: str
    unit: str
    value: str
    other: str
    options: tuple[Option, ...]
    suggestions: tuple[tuple[str, str], ...]
    may_be_unknown: bool
    is_unknown: bool
    when: tuple[str, ...]
    fine_tune: bool
    open: bool
    open_ended: bool

    @property
    def columns(self) -> str:
        """Return the style class that sets the columns of a row of segments; three without one."""
        columns, widest = _COLUMNS.get(len(self.options), ("", 0))
        return columns if all(_width(each.label) <= widest for each in self.options) else ""


def _width(label: str) -> int:
    """Return the width of a label in Latin letters; a Chinese character is two wide."""
    return sum(2 if letter > "\u2e7f" else 1 for letter in label)


UNITS = {
    "night": N_("nights"),
    "person": N_("people"),
    "meal": N_("meals"),
    "dish": N_("dishes"),
    "cup": N_("cups"),
    "trip": N_("trips"),
    "flight": N_("flights"),
    "hour": N_("hours"),
    "item": N_("pieces"),
    "litre": N_("litres"),
    "m2": "m²",
    "m3": "m³",
}


def raw_answers(questions: Iterable[Question], posted: Mapping[str, str]) -> dict[str, str]:
    """Return what was typed; a ticked suggestion replaces the text that it explains.

    So does a rough distance, unless another place was typed after it: a place says more.
    """
    raw = {}
    for question in questions:
        key = question.key
        # A number typed beside the listed ones means more than the one that is still ticked.
        typed = posted.get(f"{key}_other", "").strip() or _said(posted, key)
        meant = posted.get(f"{key}_meant", "") or posted.get(f"{key}_rough", "")
        if meant and typed.strip() == posted.get(f"{key}_asked", "").strip():
            typed = meant
        raw[key] = typed
    return raw


def _said(posted: Mapping[str, str], key: str) -> str:
    """Return one answer; what was typed counts more than a "don't know" ticked from the start."""
    given = posted.getlist(key) if isinstance(posted, QueryDict) else [posted.get(key, "")]
    words = [word for word in given if word.strip() and word != UNKNOWN]
    return (words or given or [""])[-1]


def raw_of_values(values: Mapping[str, object]) -> dict[str, str]:
    """Return stored answers as if they were typed, to change them."""
    return {
        key: ("1" if value else "0") if isinstance(value, bool) else str(value)
        for key, value in values.items()
    }


def fields(
    questions: Sequence[Question],
    raw: Mapping[str, str],
    errors: Mapping[str, InputError],
) -> list[Field]:
    """Return the questions as fields, in their order."""
    numbers: dict[tuple[str, str], int] = {}
    return [
        _field(question, raw, errors.get(question.key), _options(question, raw, numbers), numbers)
        for question in questions
    ]


def _options(
    question: Question, raw: Mapping[str, str], numbers: dict[tuple[str, str], int]
) -> tuple[Option, ...]:
    """Return the answers to tick, and note the number of each."""
    answer = _answer(question, raw)
    options = []
    for value, label, icon in _choices(question):
        shown, number = _ICONS.get(icon, icon), 0
        if question.kind != "place":  # what stands in a list of its own shows no follow-ups
            number = numbers[question.key, value] = len(numbers) + 1
        options.append(Option(f"o{number}", value, label, shown, on=answer == value))
    return tuple(options)


def _choices(question: Question) -> list[tuple[str, str, str]]:
    if question.kind == "flag":
        return [("True", gettext(question.label), "")]
    listed = [(each.value, gettext(each.label), each.icon) for each in question.choices]
    known = {value for value, _, _ in listed}
    if question.kind == "choice" and question.unknown_allowed and UNKNOWN not in known:
        listed.append((UNKNOWN, gettext("I don't know"), "help" if listed[0][2] else ""))
    return listed


def _answer(question: Question, raw: Mapping[str, str]) -> str:
    typed = raw.get(question.key)
    if typed is None or (typed == "" and question.kind == "choice"):
        typed = "" if question.default is None else str(question.default)
    if question.kind == "flag":
        return "True" if typed in {"1", "True", "on"} else "False"
    return typed


def _field(
    question: Question,
    raw: Mapping[str, str],
    error: InputError | None,
    options: tuple[Option, ...],
    numbers: Mapping[tuple[str, str], int],
) -> Field:
    answer = _answer(question, raw)
    listed = any(option.on for option in options)
    return Field(
        key=question.key,
        widget=_widget(question, options),
        label=gettext(question.label),
        hint=gettext(question.hint) if question.hint else "",
        unit=unit_name(question.unit),
        value=_shown(question, answer),
        other="" if listed or answer == UNKNOWN else answer,
        options=options,
        suggestions=_suggestions(error),
        may_be_unknown=question.unknown_allowed and question.kind in {"place", "number"},
        is_unknown=answer == UNKNOWN,
        when=_when(question, numbers),
        fine_tune=question.fine_tune,
        open=bool(error) or listed,
        open_ended=question.kind == "number" and bool(options),
    )


def unit_name(unit: str) -> str:
    """Return the word for a unit; symbols stay as they are."""
    return gettext(UNITS[unit]) if unit in UNITS else unit_word(unit)


def _widget(question: Question, options: tuple[Option, ...]) -> str:
    if question.kind in {"place", "flag"} or not options:
        return str(question.kind)
    icons = [option.icon for option in options if option.icon]
    # Icons help where they differ; the same bed five times says nothing.
    if len(icons) == len(options) and len(set(icons)) > len(options) // 2:
        return "tiles"
    short = all(_width(option.label) <= _SHORT_LABEL for option in options)
    return "segments" if short else "list"


def _shown(question: Question, answer: str) -> str:
    """Return the text for the input; a place's key is shown as its name."""
    if answer == UNKNOWN and question.kind in {"place", "number"}:
        return ""
    if question.kind == "place" and ":" in answer:
        if any(answer == choice.value for choice in question.choices):
            return ""
        try:
            return geo.place(answer).label(context.language())
        except PlaceKeyError:
            return answer
    return answer


def _suggestions(error: InputError | None) -> tuple[tuple[str, str], ...]:
    if isinstance(error, UnknownPlaceError):
        places = error.suggestions
    elif isinstance(error, AmbiguousPlaceError):
        places = error.candidates
    else:
        return ()
    return tuple((place.key, place.label(context.language())) for place in places)


def _when(question: Question, numbers: Mapping[tuple[str, str], int]) -> tuple[str, ...]:
    """Return style classes of the answers that show (w) or hide (u) a follow-up.

    Where style sheets cannot tell, there is none and the follow-up is always seen.
    """
    groups = []
    for key, allowed in (question.shown_when or {}).items():
        if allowed == (False,):
            number = numbers.get((key, "True"))
            groups.append(f"u{number}" if number else "")
            continue
        found = [numbers[key, str(each)] for each in allowed if (key, str(each)) in numbers]
        typed = " wmore" if len(found) < len(allowed) else ""
        if found and max(found) <= MOST_OPTIONS:
            groups.append("when " + " ".join(f"w{number}" for number in found) + typed)
    return tuple(filter(None, groups))


def summary(errors: Mapping[str, DiandianError]) -> list[DiandianError]:
    """Return the refusals in the order of the questions, for the summary on top."""
    return list(errors.values())
