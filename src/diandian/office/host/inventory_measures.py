"""Reductions: what would save something here, what was planned, and what a file confirms."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, override

from diandian.emissions.inventory.activities import ACTIVITIES
from diandian.emissions.inventory.entries import Entry
from diandian.emissions.numbers import plain
from diandian.flows import inventory as flow
from diandian.flows import inventory_files, measures
from diandian.footprints import inventory, queries
from diandian.footprints.worksheet import Plan
from diandian.kernel.errors import DiandianError, NotFoundError
from diandian.office.host.inventory import frame, since_of
from diandian.office.host.inventory_entry import sent_file
from diandian.office.host.overview import scene_of
from diandian.office.host.pages import go, language, show, signed_in
from diandian.people.errors import NotAllowedError
from diandian.people.queries import Visitor
from diandian.scenes.models import Scene
from diandian.ui.amounts import amount_words, unit_word

_LANGUAGES = {"zh-Hans": "zh-hans", "en": "en", "nl": "nl"}
_LONGEST_KEY = 60
_LISTED = 200


@signed_in
def page(request: HttpRequest, visitor: Visitor, slug: str) -> HttpResponse:
    """Show the measures; when posted, do what a button says."""
    scene = scene_of(visitor, slug)
    if request.method != "POST":
        return _page(request, visitor, scene)
    try:
        _act(request, visitor, scene)
    except (NotFoundError, NotAllowedError):
        raise
    except DiandianError as error:
        return _page(request, visitor, scene, error)
    return go("host_inventory_measures", slug)


def _act(request: HttpRequest, visitor: Visitor, scene: Scene) -> None:
    sent = request.POST
    action, key = sent.get("action", ""), sent.get("key", "")[:_LONGEST_KEY]
    if action == "tick":
        measures.tick(visitor, scene, key)
    elif action == "add":
        measures.add(visitor, scene, key, sent.get("words", "")[:1000], sent.get("amount", "")[:80])
    elif action == "take_back":
        measures.take_back(visitor, scene, key)
    elif action == "confirm":
        plan = flow.standing_of(visitor, scene).sheet.planned(key)
        file = sent_file(request)
        digest = sent.get("evidence", "")[:64]
        if file is not None:
            digest = inventory_files.keep_evidence(visitor, scene, *file).digest
        measures.confirm(
            visitor,
            scene,
            key,
            amount=sent.get("amount", "")[:80],
            evidence=digest,
            names=_names(plan),
            since=since_of(request),
        )


def _names(plan: Plan) -> dict[str, str]:
    """Return what guests read: our words in every language, the organiser's as they wrote them."""
    if plan.words:
        return {language(): plan.words}
    names = {}
    for lang, code in _LANGUAGES.items():
        with override(code):
            names[lang] = gettext(plan.measure.label)
    return names


def _page(
    request: HttpRequest, visitor: Visitor, scene: Scene, error: DiandianError | None = None
) -> HttpResponse:
    standing = flow.standing_of(visitor, scene)
    sheet = standing.sheet
    entries = sheet.all_entries()
    sent = request.POST if error is not None else {}
    shown = frame(visitor, scene, standing) | {
        "suggested": [
            _shown(scene, Plan(each, "", 0))
            for each in measures.suggested(scene, entries, sheet.plans)
        ],
        "planned": [_shown(scene, plan) for plan in sheet.plans.values()],
        "entries": [
            (each.key, gettext(ACTIVITIES[each.activity].label), unit_word(each.unit))
            for each in entries[:_LISTED]
            if each.activity in ACTIVITIES
        ],
        "files": [row for row in queries.evidence_of(scene) if row.erased_at is None],
        "typed": {name: sent.get(name, "")[:200] for name in ("key", "words", "amount", "action")},
        "errors": [error] if error else [],
    }
    status = 422 if error else 200
    return show(request, visitor, "office/host/inventory/measures.html", shown, status)


def _shown(scene: Scene, plan: Plan) -> dict[str, object]:
    measure = plan.measure
    effect = inventory.effect_of(scene, plan)
    confirmed_g = effect.confirmed_g if effect else None
    return {
        "key": measure.key,
        "label": plan.words or gettext(measure.label),
        "before": _entry(measure.before),
        "after": _entry(measure.expected),
        "unit": unit_word(measure.expected.unit),
        "amount": plain(measure.expected.amount),
        "expected_g": effect.expected_g if effect else None,
        "confirmed_g": confirmed_g,
        "worse_g": -confirmed_g if confirmed_g is not None and confirmed_g < 0 else 0,
        "evidence": measure.evidence,
    }


def _entry(entry: Entry) -> str:
    known = ACTIVITIES.get(entry.activity)
    label = gettext(known.label) if known else entry.activity
    return f"{label}, {amount_words(entry.amount, entry.unit)}"
