"""The year: its dots, what to compare it with, three things to change, and how it was counted."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from diandian.claims import wording
from diandian.emissions.activity import UNKNOWN, Question
from diandian.emissions.estimate import Estimate
from diandian.emissions.life import calculator, comparison
from diandian.emissions.life.comparison import Figure
from diandian.emissions.place import area_name
from diandian.kernel.clock import business_day
from diandian.kernel.mass import GRAMS_PER_KG
from diandian.ui import drawing
from diandian.web import context, forms
from diandian.web.errors import not_found
from diandian.web.life import answers as said
from diandian.web.life import look, steps
from diandian.web.life.answers import Answers
from diandian.web.reminder import calendar
from diandian.web.results import WORDS, drawn_step
from diandian.web.results import said as in_words

_SHOWN_LEVERS = 3


@dataclass(frozen=True, slots=True)
class Compared:
    """A published figure beside the year. ``mark``: class of its outline, "" for none."""

    figure: Figure
    name: str
    includes: str
    dots: int
    mark: str


@dataclass(frozen=True, slots=True)
class Change:
    """Something that would make the year smaller, with our judgement of effort and cost."""

    key: str
    name: str
    dots: int
    effort: str
    cost: str


@dataclass(frozen=True, slots=True)
class Said:
    """A question with its answer in words, to change it."""

    key: str
    label: str
    answer: str


def result(request: HttpRequest) -> HttpResponse:
    """Show the year that the answers in the address give."""
    found = said.of_request(request)
    if found is None:
        return steps.leads_to(reverse("life"), "")
    estimate = found.estimate()
    scale = look.scale_of(estimate.mass_g)
    groups = look.groups_of(calculator.by_group(estimate.lines), scale)
    compared = _compared(found.region, scale)
    page = {
        "answers": found,
        "query": found.query(),
        "link": f"{settings.BASE_URL}{request.path}?{found.query()}",
        "estimate": estimate,
        "scale": scale,
        "count": sum(group.dots for group in groups),
        "groups": groups,
        "compared": compared,
        "picture": look.outlined(
            groups, [(each.mark, each.dots) for each in compared if each.mark]
        ),
        "word": gettext(WORDS.get(estimate.word, WORDS["rough"])),
        "with_flights": estimate.without_non_co2_g != estimate.mass_g,
        "changes": changes(estimate, scale),
        "narrow": [gettext(item.label) for item in estimate.narrow],
        "steps": [drawn_step(line) for line in estimate.lines],
        "outside": [gettext(each) for each in calculator.OUTSIDE],
        "said": _said(found),
        "open": sum(1 for question in found.asked if question.key not in found.values),
        "fell": steps.fell(request, found, estimate.mass_g, scale),
        "voluntary": wording.voluntary(context.language()),
        "back_url": _back(found),
    }
    return render(request, "web/life/result.html", page)


def _back(answers: Answers) -> str:
    last = answers.asked[-1]
    return f"{reverse('life_step', args=[last.key])}?{answers.query()}"


def _compared(region: str, scale: int) -> list[Compared]:
    """Return the averages and the level to reach; the first of each is drawn as an outline."""
    made = [
        _beside(figure, _average_name(figure), scale, "" if place else "average")
        for place, figure in enumerate(comparison.averages(region))
    ]
    level = comparison.climate_level(business_day().year)
    name = gettext("The level for %(year)s that keeps warming to 1.5 degrees")
    return [*made, _beside(level, name % {"year": level.year}, scale, "level")]


def _beside(figure: Figure, name: str, scale: int, mark: str) -> Compared:
    dots = drawing.dot_count(figure.mass_g, scale)
    return Compared(figure, name, gettext(figure.includes), dots, mark)


def _average_name(figure: Figure) -> str:
    if figure.basis == "world":
        return gettext("World average, %(year)s") % {"year": figure.year}
    named = {"place": area_name(figure.region, context.language()), "year": figure.year}
    return gettext("Average: %(place)s, %(year)s") % named


def changes(estimate: Estimate, scale: int) -> list[Change]:
    """Return the three changes that save most, as far as they save a dot."""
    found = []
    for lever in estimate.levers:
        dots = lever.saves_g // (scale * GRAMS_PER_KG)
        if dots:
            effort, cost = calculator.lever_note(lever.key)
            name = in_words(lever.label, lever.params)
            found.append(Change(lever.key, name, dots, gettext(effort), gettext(cost)))
    return found[:_SHOWN_LEVERS]


def _said(answers: Answers) -> list[Said]:
    """Return what was answered, question by question."""
    return [
        Said(question.key, gettext(question.label), _answer(question, answers.values[question.key]))
        for question in answers.asked
        if question.key in answers.values
    ]


def _answer(question: Question, value: object) -> str:
    if value == UNKNOWN:
        return gettext("Don't know")
    named = {choice.value: choice.label for choice in question.choices}
    if value in named:
        return gettext(named[str(value)])
    unit = forms.unit_name(question.unit) if question.unit else ""
    return f"{value} {unit}".strip()


def reminder(request: HttpRequest, lever: str) -> HttpResponse:
    """Send an all-day reminder two weeks ahead of a change that somebody wants to try.

    It leads to /life without the answers: calendars are often kept by others.
    """
    found = said.of_request(request)
    tried = _named(found.estimate(), lever) if found else None
    if tried is None:
        return not_found(request)
    title = gettext("I will try: %(change)s") % {"change": tried.name}
    return calendar(f"life-{lever}", title, settings.BASE_URL + reverse("life"))


def _named(estimate: Estimate, lever: str) -> Change | None:
    found = changes(estimate, look.scale_of(estimate.mass_g))
    return next((change for change in found if change.key == lever), None)
