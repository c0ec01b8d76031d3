"""The list of scenes, a scene's page and its report."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from diandian.claims import wording
from diandian.emissions.scene_kind import scene_kind, scene_kinds
from diandian.flows.inside import references_of
from diandian.kernel.clock import business_day
from diandian.kernel.memory import Memory
from diandian.registry.recalls import marks
from diandian.scenes import queries, rules
from diandian.scenes.errors import SceneNotFoundError, SceneNotPublishedError
from diandian.scenes.models import Scene, TravelOwner
from diandian.ui import drawing, htmx
from diandian.web import context, inventory
from diandian.web.secret import secret_page
from diandian.web.sponsor import said_sponsors

_LISTED = 40


@dataclass(frozen=True, slots=True)
class Tab:
    """A kind of scene above the list."""

    name: str
    url: str
    on: bool


def _tabs(query: str, kind: str) -> list[Tab]:
    base = reverse("scenes")
    kinds = [key for key in scene_kinds() if key != "life"]
    tabs = [Tab(gettext("All"), f"{base}?{urlencode({'q': query})}", on=not kind)]
    for key in kinds:
        url = f"{base}?{urlencode({'q': query, 'kind': key})}"
        tabs.append(Tab(context.kind_name(key, context.language()), url, on=key == kind))
    return tabs


def scene_list(request: HttpRequest) -> HttpResponse:
    """Show published scenes, by words and kind."""
    query = request.GET.get("q", "").strip()[:80]
    kind = request.GET.get("kind", "")
    kind = kind if kind in scene_kinds() else ""
    found = queries.search(query, kind, limit=_LISTED + 1)
    return htmx.render(
        request,
        "web/scenes/page.html",
        {
            "query": query,
            "kind": kind,
            "tabs": _tabs(query, kind),
            "cards": [context.card(scene) for scene in found[:_LISTED]],
            "more": len(found) > _LISTED,
        },
        fragment="web/scenes/_results.html",
    )


@dataclass(frozen=True, slots=True)
class Field:
    """How far a scene is, as dots. Units: grams, kilograms per dot, dots."""

    matched_g: int
    total_g: int
    guests: int
    kg_per_dot: int
    done: int
    total: int


def _field(scene: Scene) -> Field | None:
    """Return the scene's progress, or None before its first guest."""
    progress = context.progress_of(scene.id)
    if progress.guests == 0:
        return None
    total_g = max(scene.stated_total_g, progress.matched_g)
    scale = drawing.scale_for(total_g).kg_per_dot
    return Field(
        matched_g=progress.matched_g,
        total_g=scene.stated_total_g,
        guests=progress.guests,
        kg_per_dot=scale,
        done=drawing.matched_dots(progress.matched_g, total_g, scale),
        total=drawing.dot_count(total_g, scale),
    )


def _go_url(scene: Scene, mark: str) -> str:
    url = reverse("scene_go", args=[scene.slug])
    return f"{url}?c={mark}" if mark else url


def _scene_context(scene: Scene, mark: str) -> dict[str, object]:
    style, lang = context.style_of(scene), context.language()
    return {
        "scene": scene,
        "phase": queries.phase(scene, business_day()),
        "kind_name": context.kind_name(scene.kind, lang),
        "field": _field(scene),
        "measures": queries.confirmed_measures(scene),
        "covered": queries.covered_lines(scene),
        "guest_part": gettext(scene_kind(scene.kind).boundary.guest),
        "host_travel": scene.travel_owner == TravelOwner.ORGANISER,
        "last_day": rules.last_day(scene.ends_on),
        "typical": context.typical_price(scene.id),
        "go_url": _go_url(scene, mark),
        "sponsors": said_sponsors(scene),
        "said": {
            "name": context.shown_name(scene, scene.names),
            "venue": context.shown_name(scene, scene.venue_names).replace("|", ""),
            "host": context.shown_name(scene, scene.host_names).replace("|", ""),
        },
        "say": {
            "cta": wording.cta(style, lang),
            "matched": wording.label("matched", style, lang),
            "open": wording.label("open", style, lang),
            "host_paid": wording.label("host_paid", style, lang),
        },
    }


_pages: Memory[bytes] = Memory(seconds=1)
_LONGEST_QUERY = 60


def scene(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a scene: the target of its QR code. The page is the same for everybody for a second."""
    query = request.META.get("QUERY_STRING", "")
    key = (request.path, query, context.language())
    kept = _pages.get(key)
    if kept is not None:
        return HttpResponse(kept)
    try:
        found = context.published_scene(slug)
    except (SceneNotFoundError, SceneNotPublishedError) as error:
        return unavailable(request, error)
    mark = request.GET.get("c", "")
    mark = mark if queries.has_mark(found, mark) else ""
    response = render(request, "web/scene/page.html", _scene_context(found, mark))
    if len(query) <= _LONGEST_QUERY:
        _pages.put(key, response.content)
    return response


@secret_page
def trial(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Show a scene that guests may not open yet, by its host's secret link; nothing can be bought.

    Raises: SceneNotFoundError, answered as 404.
    """
    found = queries.by_test_token(slug, token)
    shown = _scene_context(found, "") | {"trial": True}
    return render(request, "web/scene/page.html", shown)


def unavailable(
    request: HttpRequest, error: SceneNotFoundError | SceneNotPublishedError
) -> HttpResponse:
    """Say that a scene does not exist or is not published, and offer the search."""
    known = isinstance(error, SceneNotPublishedError)
    return render(request, "web/scene/unavailable.html", {"known": known}, status=404)


def report(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a scene's public inventory and what was retired in it, and what was not."""
    try:
        found = context.published_scene(slug)
    except (SceneNotFoundError, SceneNotPublishedError) as error:
        return unavailable(request, error)
    standing = marks.standing_in(f"scene:{found.id}")
    lines = list(found.inventory.all())
    stated_g = found.stated_total_g
    return render(
        request,
        "web/scene/report.html",
        {
            "scene": found,
            "phase": queries.phase(found, business_day()),
            "last_day": rules.last_day(found.ends_on),
            "lines": lines,
            "lines_g": sum(line.mass_g for line in lines),
            "closed": inventory.closed_of(found),
            "references": [(gettext(label), mass_g) for label, mass_g in references_of(found)],
            "measures": queries.confirmed_measures(found),
            "retired_count": standing.count,
            "retired_g": standing.mass_g,
            "open_g": max(stated_g - standing.mass_g, 0) if stated_g else None,
        },
    )
