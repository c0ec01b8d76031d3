"""The front page: what this is, where to begin, how much was retired so far."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from diandian.kernel.memory import ttl_cache
from diandian.scenes import queries as scenes
from diandian.scenes.models import Scene
from diandian.ui import drawing
from diandian.web import context

_SHOWN = 6


@ttl_cache(10)
def _current() -> list[Scene]:
    """Return scenes that guests can still take part in; those not begun yet come last."""
    found = [scene for scene in scenes.search(limit=50) if scenes.takes_orders(scene)]
    return sorted(found, key=lambda scene: scenes.phase(scene) == "before")[:_SHOWN]


def home(request: HttpRequest) -> HttpResponse:
    """Show the front page."""
    totals = context.totals()
    scale = drawing.scale_for(totals.mass_g).kg_per_dot
    return render(
        request,
        "web/home/page.html",
        {
            "totals": totals,
            "scale": scale,
            "filled": drawing.matched_dots(totals.mass_g, totals.mass_g, scale),
            "cards": [context.card(scene) for scene in _current()],
        },
    )
