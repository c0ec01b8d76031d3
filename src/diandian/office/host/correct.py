"""Correcting a scene that guests can open: what is proposed, what waits, what was answered."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse

from diandian.kernel.clock import now
from diandian.kernel.errors import N_, DiandianError, InputError
from diandian.office.host.form import SceneForm
from diandian.office.host.overview import scene_of
from diandian.office.host.pages import go, language, show, signed_in, words
from diandian.people import access
from diandian.people.queries import Visitor
from diandian.scenes import difference, queries
from diandian.scenes.actions import NewScene
from diandian.scenes.corrections import actions
from diandian.scenes.models import Scene
from diandian.ui.format import pick


class NoteMissingError(InputError):
    """The operator must know why something that guests rely on changes."""

    code = "note_missing"
    message = N_(
        "Please say in 1 to %(limit)s characters why the scene is corrected. Nothing was saved."
    )


@signed_in
def correct(request: HttpRequest, visitor: Visitor, slug: str) -> HttpResponse:
    """Show the facts of an open scene to correct; when posted and right, ask the operator."""
    scene = scene_of(visitor, slug)
    if request.method != "POST":
        return _page(request, visitor, scene, SceneForm.of_scene(scene))
    access.require(visitor, scene.organisation_ref, "write")
    if request.POST.get("action") == "take_back":
        return _taken_back(request, visitor, scene)
    form, note = _typed(request, scene), _note(request)
    if not note or len(note) > actions.LONGEST_NOTE:
        form.errors.append(NoteMissingError(field="note", limit=actions.LONGEST_NOTE))
    if not form.errors:
        try:
            actions.propose(
                scene,
                _statement(visitor, form, scene),
                note=note,
                actor_ref=visitor.person.ref,
                at=now(),
            )
        except DiandianError as error:
            form.refuse(error)
        else:
            return go("host_correct", slug)
    return _page(request, visitor, scene, form)


def _typed(request: HttpRequest, scene: Scene) -> SceneForm:
    """Read the form; what a correction cannot change is the scene's own, whatever was sent."""
    fixed = {"organisation": scene.organisation_ref, "kind": scene.kind, "slug": scene.slug}
    return SceneForm.read(request.POST.dict() | fixed)


def _note(request: HttpRequest) -> str:
    return " ".join(request.POST.get("note", "").split())


def _statement(visitor: Visitor, form: SceneForm, scene: Scene) -> NewScene:
    """Return what the scene would say; a place's words stay as they are by language if untouched.

    The site's coordinates stay with the city; another city brings its own.
    """
    new = form.scene(visitor.organisation(scene.organisation_ref))
    stays = new.place_key == scene.place_key
    same_venue = form.raw["venue"] == pick(scene.venue_names, language())
    return replace(
        new,
        host_names=scene.host_names,
        venue_names=scene.venue_names if same_venue else new.venue_names,
        latitude=scene.latitude if stays else None,
        longitude=scene.longitude if stays else None,
        stated_total_g=scene.stated_total_g,
        factor_set=scene.factor_set,
        with_non_co2=scene.with_non_co2,
        audience=scene.audience,
    )


def _taken_back(request: HttpRequest, visitor: Visitor, scene: Scene) -> HttpResponse:
    waiting = queries.waiting_correction(scene)
    if waiting is not None and str(waiting.id) == request.POST.get("proposal"):
        try:
            actions.take_back(waiting, actor_ref=visitor.person.ref, at=now())
        except DiandianError as error:
            return _page(request, visitor, scene, SceneForm.of_scene(scene), error)
    return go("host_correct", scene.slug)


def _page(
    request: HttpRequest,
    visitor: Visitor,
    scene: Scene,
    form: SceneForm,
    error: DiandianError | None = None,
) -> HttpResponse:
    waiting, last = queries.waiting_correction(scene), queries.last_correction(scene)
    shown = form.shown([visitor.organisation(scene.organisation_ref)])
    shown["errors"] = [*shown["errors"], *([error] if error else [])]
    shown |= {
        "scene": scene,
        "name": words(scene.names),
        "note": _note(request),
        "waiting": waiting,
        "difference": difference.rows(queries.facts_of(scene), waiting.facts) if waiting else [],
        "answered": last if last and last.decided_at else None,
        "writes": access.allows(visitor, scene.organisation_ref, "write"),
    }
    status = 422 if shown["errors"] else 200
    return show(request, visitor, "office/host/correct.html", shown, status)
