"""The versions of a scene that was corrected: what stood there when, in plain sight."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from diandian.scenes import difference, queries
from diandian.scenes.errors import SceneNotFoundError, SceneNotPublishedError
from diandian.web import context
from diandian.web.scenes import unavailable


def versions(request: HttpRequest, slug: str) -> HttpResponse:
    """Show each version with what it changed; the first one whole."""
    try:
        found = context.published_scene(slug)
    except (SceneNotFoundError, SceneNotPublishedError) as error:
        return unavailable(request, error)
    kept = difference.history(queries.versions(found))
    first = kept[-1][0].facts if kept else queries.facts_of(found)
    shown = {"scene": found, "versions": kept, "first": difference.whole(first)}
    return render(request, "web/scene/versions.html", shown)
