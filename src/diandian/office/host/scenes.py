"""Opening and correcting a scene, with the phone page beside what is typed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from diandian.claims import wording
from diandian.emissions import geo
from diandian.kernel.errors import DiandianError
from diandian.office.host.form import SceneForm
from diandian.office.host.overview import scene_of
from diandian.office.host.pages import go, language, show, signed_in
from diandian.people import access
from diandian.people.models import Organisation
from diandian.people.queries import Visitor
from diandian.scenes import actions
from diandian.scenes.errors import SceneDescribedError
from diandian.scenes.models import Scene, SceneState

_SUGGESTED = 8


def _writable(visitor: Visitor) -> list[Organisation]:
    return [each for each in visitor.organisations if access.allows(visitor, each.ref, "write")]


@signed_in
def new(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Ask for a scene; when posted and right, keep it as a draft."""
    hosts = _writable(visitor)
    if not hosts:
        return go("host_organisation_new")
    if request.method != "POST":
        return _page(request, visitor, SceneForm.empty(hosts[0]), hosts)
    return _posted(request, visitor, hosts, None)


@signed_in
def edit(request: HttpRequest, visitor: Visitor, slug: str) -> HttpResponse:
    """Show a draft's facts; when posted and right, keep them."""
    scene = scene_of(visitor, slug, "write")
    if scene.state != SceneState.DRAFT:
        return go("host_scene", slug)
    hosts = _writable(visitor)
    if request.method != "POST":
        form = SceneForm.read(SceneForm.of_scene(scene).raw)
        return _page(request, visitor, form, hosts, scene)
    return _posted(request, visitor, hosts, scene)


def _posted(
    request: HttpRequest, visitor: Visitor, hosts: list[Organisation], scene: Scene | None
) -> HttpResponse:
    form = SceneForm.read(request.POST)
    if scene is not None:
        form.raw["organisation"] = scene.organisation_ref
    if request.POST.get("action") == "preview":
        # The button for browsers without scripts: nothing is saved, nothing is refused.
        return _page(request, visitor, form, hosts, scene, previewed=True)
    organisation = visitor.organisation(form.raw["organisation"])
    access.require(visitor, organisation.ref, "write")
    if not form.errors:
        try:
            kept = _keep(visitor, form, organisation, scene)
        except SceneDescribedError:
            return go("host_scene", scene.slug if scene else "")
        except DiandianError as error:
            form.refuse(error)
        else:
            return go("host_scene", kept.slug)
    return _page(request, visitor, form, hosts, scene)


def _keep(
    visitor: Visitor, form: SceneForm, organisation: Organisation, scene: Scene | None
) -> Scene:
    stated, actor_ref = form.scene(organisation), visitor.person.ref
    if scene is not None:
        return actions.describe(scene, stated, actor_ref=actor_ref)
    return actions.open_scene(stated, actor_ref=actor_ref)


def _page(
    request: HttpRequest,
    visitor: Visitor,
    form: SceneForm,
    hosts: list[Organisation],
    scene: Scene | None = None,
    *,
    previewed: bool = False,
) -> HttpResponse:
    shown = form.shown(hosts)
    if previewed:
        shown["errors"] = []
    shown |= {"scene": scene, "previewed": previewed, "cta": _cta(form, hosts)}
    status = 422 if shown["errors"] and request.method == "POST" else 200
    return show(request, visitor, "office/host/edit.html", shown, status)


def _cta(form: SceneForm, hosts: list[Organisation]) -> str:
    return wording.cta(str(form.pictured(hosts)["style"]), language())


@signed_in
def preview(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Answer the phone page of what is typed so far, for pages with scripts."""
    hosts = _writable(visitor)
    form = SceneForm.read(request.POST)
    shown = {**form.pictured(hosts), "cta": _cta(form, hosts)}
    return render(request, "office/host/_preview.html", shown)


@signed_in
def places(request: HttpRequest, visitor: Visitor) -> HttpResponse:  # noqa: ARG001 - signed in
    """Answer names of places that begin like what is being typed, for pages with scripts."""
    typed = request.GET.get("place", "")[: geo.LONGEST_NAME]
    found = geo.find_places(typed, limit=_SUGGESTED) if typed.strip() else []
    labels = [place.label(language()) for place in found]
    return render(request, "office/host/_places.html", {"labels": labels})
