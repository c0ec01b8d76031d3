"""A page to keep for guests whose host answers for the journey: counted, with no claim on it."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from diandian.emissions.estimate import Estimate
from diandian.ui import drawing
from diandian.web import context, results
from diandian.web.secret import secret_page


@secret_page
def attended(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Say that a visit was counted and who answers for it; others are sent to their result."""
    footprint = results.shown_footprint(slug, token)
    where, _ = results.standing(footprint)
    if where != "host":
        return results.back_to_result(slug, token)
    scene, estimate = footprint.scene, Estimate.from_json(footprint.estimate)
    scale = drawing.scale_for(footprint.mass_g).kg_per_dot
    dots = drawing.dots_by_category(estimate.by_category(), scale)
    shown = {
        "scene": scene,
        "said": {
            "name": context.words(scene.names),
            "host": context.words(scene.host_names),
        },
        "footprint": footprint,
        "estimate": estimate,
        "dots": dots,
        "count": sum(dots.values()),
        "scale": scale,
        "link": settings.BASE_URL + request.path,
        "back_url": reverse("scene_result", args=[scene.slug, footprint.token]),
    }
    return render(request, "web/result/attended.html", shown)
