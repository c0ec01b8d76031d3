"""The list of a visitor's scenes, and one scene: where it stands, how it fills, what to do."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext

from diandian.claims import wording
from diandian.claims.levels import allowed_style
from diandian.emissions.scene_kind import scene_kinds
from diandian.kernel.errors import N_, DiandianError, InputError
from diandian.office.host.pages import go, language, show, signed_in, words
from diandian.orders import progress
from diandian.orders import queries as orders
from diandian.people import access
from diandian.people.queries import Visitor
from diandian.scenes import actions, queries
from diandian.scenes.errors import SceneNotFoundError
from diandian.scenes.models import Scene, SceneState
from diandian.ui import drawing
from diandian.ui.format import pick
from diandian.ui.frame import LANGUAGE_NAMES

# The state in a word, and the colour of its chip.
STATES = {
    SceneState.DRAFT: (N_("Draft"), "plain"),
    SceneState.SUBMITTED: (N_("Waiting for approval"), "warn"),
    SceneState.PUBLISHED: (N_("Open to guests"), "ok"),
    SceneState.WITHDRAWN: (N_("Closed"), "plain"),
}
_SAMPLE = "tianfu26"


class CloseNotMeantError(InputError):
    """Closing is for good, so one tick more is asked for."""

    code = "close_not_meant"
    message = N_("Please tick that you mean it. The scene is still open.")


@dataclass(frozen=True, slots=True)
class Card:
    """A scene in the list. Units: grams."""

    slug: str
    kind: str
    name: str
    kind_name: str
    state: str
    tone: str
    guests: int
    matched_g: int


def scene_of(visitor: Visitor, slug: str, right: str = "read") -> Scene:
    """Return a scene that a visitor may read, or write.

    Raises: SceneNotFoundError also for scenes of others, NotAllowedError.
    """
    scene = queries.by_slug(slug)
    if not scene.organisation_ref or not visitor.role_in(scene.organisation_ref):
        raise SceneNotFoundError
    access.require(visitor, scene.organisation_ref, right)
    return scene


@signed_in
def listed(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show the scenes of the visitor's organisations."""
    cards = [_card(scene) for scene in queries.of_organisations(visitor.refs)]
    sample = Scene.objects.filter(slug=_SAMPLE, state=SceneState.PUBLISHED).exists()
    writes = any(access.allows(visitor, ref, "write") for ref in visitor.refs)
    shown = {
        "cards": cards,
        "may_open": writes or not visitor.refs,
        "sample_url": reverse("scene", args=[_SAMPLE]) if sample else "",
    }
    return show(request, visitor, "office/host/list.html", shown)


def _card(scene: Scene) -> Card:
    filled = orders.scene_progress(scene)
    label, tone = STATES[SceneState(scene.state)]
    return Card(
        slug=scene.slug,
        kind=scene.kind,
        name=words(scene.names),
        kind_name=pick(scene_kinds()[scene.kind].names, language()),
        state=gettext(label),
        tone=tone,
        guests=filled.guests,
        matched_g=filled.matched_g,
    )


@signed_in
def one(request: HttpRequest, visitor: Visitor, slug: str) -> HttpResponse:
    """Show one scene; when posted, do what its button says."""
    scene = scene_of(visitor, slug)
    if request.method != "POST":
        return _page(request, visitor, scene)
    access.require(visitor, scene.organisation_ref, "write")
    try:
        _act(request, scene, visitor.person.ref)
    except DiandianError as error:
        scene.refresh_from_db()
        return _page(request, visitor, scene, error)
    return go("host_scene", slug)


def _act(request: HttpRequest, scene: Scene, actor_ref: str) -> None:
    action = request.POST.get("action", "")
    if action == "submit":
        actions.submit(scene, actor_ref=actor_ref)
    elif action == "take_back":
        actions.take_back(scene, actor_ref=actor_ref)
    elif action == "poster":
        actions.name_poster(scene, request.POST.get("label", ""), actor_ref=actor_ref)
    elif action == "close":
        if request.POST.get("meant") != "1":
            raise CloseNotMeantError(field="meant")
        actions.withdraw(scene, actor_ref=actor_ref)


def _page(
    request: HttpRequest, visitor: Visitor, scene: Scene, error: DiandianError | None = None
) -> HttpResponse:
    label, tone = STATES[SceneState(scene.state)]
    filled = orders.scene_progress(scene)
    total_g = max(scene.stated_total_g, filled.matched_g)
    scale = drawing.scale_for(total_g).kg_per_dot
    style = str(allowed_style(scene.claim_style, scene.country, scene.audience))
    labels = {poster.mark: poster.label or poster.mark for poster in scene.posters.all()}
    shown = {
        "scene": scene,
        "name": words(scene.names),
        "state": gettext(label),
        "tone": tone,
        "kind_name": pick(scene_kinds()[scene.kind].names, language()),
        "writes": access.allows(visitor, scene.organisation_ref, "write"),
        "public_url": settings.BASE_URL + reverse("scene", args=[scene.slug]),
        "test_url": settings.BASE_URL + reverse("scene_test", args=[scene.slug, scene.test_token]),
        "filled": filled,
        "scale": scale,
        "done": drawing.matched_dots(filled.matched_g, total_g, scale) if total_g else 0,
        "total": drawing.dot_count(total_g, scale) if total_g else 0,
        "matched_word": wording.label("matched", style, language()),
        "days": progress.by_day(scene),
        "marks": [(labels.get(row.mark, ""), row) for row in progress.by_mark(scene)],
        "posters": sorted(scene.posters.all(), key=lambda poster: (len(poster.mark), poster.mark)),
        "languages": [(code, name) for code, name, _ in LANGUAGE_NAMES],
        "errors": [error] if error else [],
    }
    return show(request, visitor, "office/host/scene.html", shown, 409 if error else 200)
