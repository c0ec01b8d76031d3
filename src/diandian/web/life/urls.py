"""Addresses of the footprint of a life. None of them holds a secret of ours; answers are theirs."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.urls import path

from diandian.web import throttle
from diandian.web.life import detailed, diary, file, match, result, steps

View = Callable[..., HttpResponse]


def _theirs(view: View) -> View:
    """Keep answers out of caches and search engines, and count what an address sends."""

    @wraps(view)
    def kept(request: HttpRequest, /, **kwargs: str) -> HttpResponse:
        response = view(request, **kwargs)
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex"
        return response

    return throttle.footprints(kept)  # type: ignore[return-value]


urlpatterns = [
    path("", throttle.footprints(steps.intro), name="life"),
    path("/result", _theirs(result.result), name="life_result"),
    path("/try/<slug:lever>.ics", _theirs(result.reminder), name="life_reminder"),
    path("/details", _theirs(steps.fine), name="life_fine"),
    path("/detailed", _theirs(detailed.detailed), name="life_detailed"),
    path("/diary", _theirs(diary.diary), name="life_diary"),
    path("/diandian-life.json", _theirs(file.export), name="life_export"),
    path("/contribute", _theirs(match.choose), name="life_match"),
    path("/pay", _theirs(match.pay), name="life_pay"),
    path("/<slug:step>", _theirs(steps.step), name="life_step"),
]
