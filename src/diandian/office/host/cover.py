"""What guests leave open, and the organisation answering for it."""

from django.http import HttpRequest, HttpResponse

from diandian.office.host.overview import scene_of
from diandian.office.host.pages import show, signed_in, words
from diandian.people.queries import Visitor


@signed_in
def cover(request: HttpRequest, visitor: Visitor, slug: str) -> HttpResponse:
    """Say what is left of a scene."""
    scene = scene_of(visitor, slug)
    shown = {"scene": scene, "name": words(scene.names)}
    return show(request, visitor, "office/host/cover.html", shown)
