"""Stating that a scene takes place inside another one, and what is counted there."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from diandian.emissions.inventory.categories import CATEGORIES
from diandian.flows import inside
from diandian.kernel.errors import DiandianError, InputError, NotFoundError
from diandian.office.host.overview import scene_of
from diandian.office.host.pages import go, show, signed_in, words
from diandian.people import access
from diandian.people.errors import NotAllowedError
from diandian.people.queries import Visitor

_LONGEST_ADDRESS = 200


@signed_in
def page(request: HttpRequest, visitor: Visitor, slug: str) -> HttpResponse:
    """Show the house around a scene; when posted, state it or take it back."""
    scene, error = scene_of(visitor, slug), None
    around = scene.inside.slug if scene.inside else ""
    chosen = set(scene.inside_sources)
    offered = inside.sources_that_may_lie_outside(scene)
    if request.method == "POST":
        back = request.POST.get("action") == "take_back"
        around = "" if back else _slug(request.POST.get("outer", ""))
        chosen = set() if back else {key for key in offered if request.POST.get(f"source.{key}")}
        try:
            # An empty address is a mistake here, and not the wish to take it back.
            inside.place_inside(visitor, scene, around if back else around or "-", chosen)
        except (NotFoundError, NotAllowedError):
            raise
        except DiandianError as refused:
            error = refused
        else:
            return go("host_inside", slug)
    shown = {
        "scene": scene,
        "name": words(scene.names),
        "outer": scene.inside,
        "outer_name": words(scene.inside.names) if scene.inside else "",
        "references": [(gettext(label), mass_g) for label, mass_g in inside.references_of(scene)],
        "around": around,
        "sources": [(key, gettext(CATEGORIES[key].label), key in chosen) for key in offered],
        "writes": access.allows(visitor, scene.organisation_ref, "write"),
        "errors": [error] if error else [],
    }
    status = (422 if isinstance(error, InputError) else 409) if error else 200
    return show(request, visitor, "office/host/inside.html", shown, status)


def _slug(typed: str) -> str:
    """Return the address after /s/ of whatever was pasted."""
    return typed[:_LONGEST_ADDRESS].strip().rstrip("/").rpartition("/")[2]
