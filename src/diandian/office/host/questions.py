"""Questions that a host composes for a scene of the kind "other", from known activities."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from diandian.emissions.inventory.activities import ACTIVITIES
from diandian.emissions.inventory.activity import known_at
from diandian.emissions.scene_kinds.other.composed import LANGUAGES, MOST_QUESTIONS
from diandian.emissions.scene_kinds.other.described import PARTS
from diandian.flows import questions as flow
from diandian.footprints.calculation import factors_of
from diandian.kernel.errors import DiandianError, NotFoundError
from diandian.office.host.form import NAMES
from diandian.office.host.overview import scene_of
from diandian.office.host.pages import go, show, signed_in, words
from diandian.people import access
from diandian.people.errors import NotAllowedError
from diandian.people.queries import Visitor
from diandian.scenes.errors import SceneNotFoundError
from diandian.scenes.models import Scene, SceneState
from diandian.ui.amounts import unit_word

TONGUES = {"zh-Hans": "中文", "en": "English", "nl": "Nederlands"}
_WORDS = ("unit", "default", "maximum")


@signed_in
def page(request: HttpRequest, visitor: Visitor, slug: str) -> HttpResponse:
    """Show the questions of a scene; when posted and right, keep them."""
    scene = scene_of(visitor, slug)
    if scene.kind != flow.KIND:
        raise SceneNotFoundError
    if request.method != "POST":
        return _page(request, visitor, scene, scene.composed or {"keep": list(PARTS)})
    composed = {} if request.POST.get("action") == "clear" else _typed(request)
    try:
        flow.set_questions(visitor, scene, composed)
    except (NotFoundError, NotAllowedError):
        raise
    except DiandianError as error:
        scene.refresh_from_db()
        return _page(request, visitor, scene, composed, error)
    return go("host_scene", slug)


def _typed(request: HttpRequest) -> dict[str, Any]:
    sent, asked = request.POST, []
    for number in range(MOST_QUESTIONS):
        activity = sent.get(f"questions.{number}.activity", "")[:40]
        labels = {
            lang: sent.get(f"questions.{number}.{field}", "")[:400].strip()
            for field, lang in NAMES.items()
        }
        if not activity and not any(labels.values()):
            continue
        one: dict[str, Any] = {"activity": activity, "labels": labels}
        for name in _WORDS:
            text = sent.get(f"questions.{number}.{name}", "")[:80].strip()
            if text or name == "default":
                one[name] = text
        asked.append(one)
    return {"keep": [part for part in PARTS if sent.get(f"keep.{part}") == "1"], "questions": asked}


def _page(
    request: HttpRequest,
    visitor: Visitor,
    scene: Scene,
    composed: dict[str, Any],
    error: DiandianError | None = None,
) -> HttpResponse:
    asked = [*composed.get("questions", []), *({} for _ in range(MOST_QUESTIONS))][:MOST_QUESTIONS]
    factors = factors_of(scene)
    shown = {
        "scene": scene,
        "name": words(scene.names),
        "is_draft": scene.state == SceneState.DRAFT,
        "writes": access.allows(visitor, scene.organisation_ref, "write"),
        "parts": [
            (key, gettext(label), key in composed.get("keep", [])) for key, label in PARTS.items()
        ],
        "asked": [_slot(number, one) for number, one in enumerate(asked)],
        "activities": [
            (each.key, gettext(each.label), unit_word(each.unit))
            for each in ACTIVITIES.values()
            if each.guest and known_at(each, factors, scene.region)
        ],
        "has_own": bool(scene.composed),
        "errors": [error] if error else [],
    }
    return show(request, visitor, "office/host/questions.html", shown, 422 if error else 200)


def _slot(number: int, one: dict[str, Any]) -> dict[str, Any]:
    labels = one.get("labels", {})
    fields = {lang: field for field, lang in NAMES.items()}
    return {
        "number": number,
        "prefix": f"questions.{number}",
        "activity": one.get("activity", ""),
        "labels": [(fields[lang], lang, TONGUES[lang], labels.get(lang, "")) for lang in LANGUAGES],
        **{name: one.get(name, "") for name in _WORDS},
    }
