"""One question on each page, with the dots that grow; back is the browser's and a link."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from diandian.emissions.activity import UNKNOWN, Question, Value, read_answer
from diandian.emissions.errors import AnswerMissingError, UnknownChoiceError
from diandian.emissions.life import assumptions, calculator
from diandian.emissions.place import area_name
from diandian.kernel.errors import DiandianError, InputError
from diandian.kernel.memory import ttl_cache
from diandian.ui import drawing
from diandian.web import context, forms
from diandian.web.errors import not_found
from diandian.web.life import answers as said
from diandian.web.life import look
from diandian.web.life.answers import Answers
from diandian.web.results import said as in_words

_LARGEST_G = 10**9
CHINA = "CN"


@dataclass(frozen=True, slots=True)
class Fell:
    """Why a total is smaller than on the page before."""

    dots: int
    question: str


def leads_to(path: str, query: str) -> HttpResponse:
    """Send the browser on with GET."""
    response = HttpResponse(status=303)
    response["Location"] = f"{path}?{query}"
    return response


def intro(request: HttpRequest) -> HttpResponse:
    """Say what this is, and ask where somebody lives."""
    found = said.of_request(request)
    if request.method != "POST":
        if found and "go" in request.GET:
            return _onward(found)
        return _intro(request, found.region if found else "")
    region = request.POST.get("region", "")
    if not region:
        return _intro(request, "", AnswerMissingError(field="region"))
    if region not in calculator.regions():
        return _intro(request, "", UnknownChoiceError(field="region", given=region[:40]))
    begun = found.moved_to(region) if found else Answers(region)
    return _onward(begun, before=found, changed="region")


def _intro(request: HttpRequest, region: str, error: InputError | None = None) -> HttpResponse:
    lang = context.language()
    page = {
        "a": request.POST.get("a", request.GET.get("a", ""))[: said.LONGEST],
        "region": region,
        "areas": areas(lang),
        "errors": [error] if error else [],
    }
    return render(request, "web/life/intro.html", page, status=422 if error else 200)


@ttl_cache(3600)
def areas(lang: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the regions to choose from by heading: China by province, then countries by name."""
    names = [(code, area_name(code, lang)) for code in calculator.regions()]
    provinces = [pair for pair in names if pair[0].startswith(f"{CHINA}-")]
    others = [pair for pair in names if len(pair[0]) == len(CHINA) and pair[0] != CHINA]
    unnamed = (CHINA, gettext("China, province not named"))
    return [
        (gettext("China"), [unnamed, *sorted(provinces, key=_order)]),
        (gettext("Other countries"), sorted(others, key=_order)),
    ]


def _order(pair: tuple[str, str]) -> str:
    """Order by the name without accents; Chinese ones by the English name, near to pinyin."""
    code, name = pair
    shown = area_name(code, "en") if "\u4e00" <= name[:1] <= "\u9fff" else name
    return unicodedata.normalize("NFKD", shown).casefold()


def step(request: HttpRequest, step: str) -> HttpResponse:
    """Ask one question; when it is answered, lead to the next one without an answer."""
    found = said.of_request(request)
    if found is None:
        return leads_to(reverse("life"), "")
    question = next((q for q in found.asked if q.key == step), None)
    if question is None:
        known = any(q.key == step for q in found.questions)
        return _onward(found) if known else not_found(request)
    if request.method != "POST":
        typed = found.values.get(step)
        return _page(request, found, question, "" if typed is None else str(typed))
    typed = UNKNOWN if "unknown" in request.POST else request.POST.get(step, "")
    try:
        if not typed.strip():
            raise AnswerMissingError(field=step)
        value = read_answer(question, typed)
    except InputError as error:
        error.field = step
        return _page(request, found, question, typed, error)
    assert value is not None, "what is not empty has a value"
    return _onward(found.saying(step, value), before=found, changed=step)


def _onward(now: Answers, before: Answers | None = None, changed: str = "") -> HttpResponse:
    """Lead to the next open question, or to the result; say when the total fell and why."""
    more = {}
    if before is not None:
        was_g = sum(before.running().values())
        if sum(now.running().values()) < was_g:
            more = {"was": str(was_g), "why": changed}
    following = now.open_after(changed)
    address = reverse("life_step", args=[following.key]) if following else reverse("life_result")
    return leads_to(address, now.query(**more))


def fell(request: HttpRequest, answers: Answers, mass_g: int, scale: int) -> Fell | None:
    """Return why the total is smaller than before, as the page before said; else nothing."""
    was, key = request.GET.get("was", ""), request.GET.get("why", "")
    labels = {question.key: question.label for question in answers.questions}
    if not (was.isascii() and was.isdigit() and len(was) <= len(str(_LARGEST_G))):
        return None
    dots = drawing.dot_count(int(was), scale) - drawing.dot_count(mass_g, scale)
    if dots <= 0 or key not in {"region", "fine", *labels}:
        return None
    named = {"region": gettext("Where do you live?"), "fine": gettext("More details")}
    return Fell(dots, named.get(key) or gettext(labels[key]))


def _page(
    request: HttpRequest,
    answers: Answers,
    question: Question,
    typed: str,
    error: InputError | None = None,
) -> HttpResponse:
    masses = answers.running()
    total_g = sum(masses.values())
    scale = look.scale_of(total_g)
    groups = look.groups_of(masses, scale)
    group, before = calculator.group_of(question.key), answers.before(question.key)
    ended = calculator.group_of(before.key) if before else group
    reason = assumptions.reason(question.key, calculator.context_of(answers.region))
    keys = list(calculator.GROUPS)
    here = keys.index(group)
    page = {
        "answers": answers,
        "question": replace(question, default=None),
        "label": gettext(question.label),
        "hint": gettext(question.hint) if question.hint else "",
        "unit": forms.unit_name(question.unit) if question.unit else "",
        "choices": [
            (choice.value, gettext(choice.label), choice.value == typed)
            for choice in question.choices
        ],
        "typed": "" if typed == UNKNOWN else typed,
        "is_unknown": typed == UNKNOWN,
        "reason": in_words(*reason) if reason else "",
        "group": gettext(calculator.GROUPS[group]),
        "place": here + 1,
        "marks": ["on" if n < here else "now" if n == here else "" for n in range(len(keys))],
        "ended": next((g for g in groups if g.key == ended and ended != group), None),
        "groups": look.of_groups(groups),
        "total_g": total_g,
        "count": sum(g.dots for g in groups),
        "scale": scale,
        "fell": fell(request, answers, total_g, scale),
        "errors": [error] if error else [],
        "back_url": _back(answers, before),
    }
    return render(request, "web/life/step.html", page, status=422 if error else 200)


def _back(answers: Answers, before: Question | None) -> str:
    path = reverse("life_step", args=[before.key]) if before else reverse("life")
    return f"{path}?{answers.query()}"


def fine(request: HttpRequest) -> HttpResponse:
    """Ask for the details that averages stand for, all on one page; each may stay empty."""
    found = said.of_request(request)
    if found is None:
        return leads_to(reverse("life"), "")
    if request.method != "POST":
        return _fine(request, found, forms.raw_of_values(found.values), {})
    raw = forms.raw_answers(found.fine, request.POST)
    values: dict[str, Value] = {}
    errors: dict[str, DiandianError] = {}
    for question in found.fine:
        try:
            value = read_answer(question, raw[question.key])
        except InputError as error:
            error.field = question.key
            errors[question.key] = error
            continue
        if raw[question.key].strip() and value is not None:
            values[question.key] = value
    if errors:
        return _fine(request, found, raw, errors)
    kept = {key: value for key, value in found.values.items() if key not in raw}
    return _onward(replace(found, values=kept | values), before=found, changed="fine")


def _fine(
    request: HttpRequest,
    answers: Answers,
    raw: Mapping[str, str],
    errors: Mapping[str, DiandianError],
) -> HttpResponse:
    at_fields = {key: error for key, error in errors.items() if isinstance(error, InputError)}
    # Empty is not known: a box to tick for that would overrule what is typed beside it.
    asked = [replace(question, unknown_allowed=False) for question in answers.fine]
    fields = forms.fields(asked, raw, at_fields)
    page = {
        "answers": answers,
        "fields": fields,
        "errors": forms.summary(errors),
        "back_url": f"{reverse('life_result')}?{answers.query()}",
    }
    return render(request, "web/life/fine.html", page, status=422 if errors else 200)
