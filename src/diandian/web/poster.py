"""The printed poster of a scene; its mark tells the host which placement works."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.urls import reverse

from diandian.claims import wording
from diandian.kernel.canonical import digest_hex
from diandian.scenes import poster as posters
from diandian.scenes import queries
from diandian.scenes.errors import SceneNotFoundError, SceneNotPublishedError
from diandian.scenes.models import Scene
from diandian.ui import rendered
from diandian.ui.format import canonical_lang
from diandian.ui.typst import TypesettingError
from diandian.web import context
from diandian.web.scenes import unavailable


def _data(scene: Scene) -> dict[str, Any]:
    """Return what the poster says, as plain data."""
    return {
        "names": scene.names,
        "host_names": scene.host_names,
        "starts_on": scene.starts_on.isoformat(),
        "ends_on": scene.ends_on.isoformat() if scene.ends_on else None,
        "claim_style": scene.claim_style,
        "country": scene.country,
        "audience": scene.audience,
        "art": scene.kind,
        "sample": scene.is_sample,
    }


def poster(request: HttpRequest, slug: str) -> HttpResponse:
    """Send a scene's poster, A4; ``?c=`` names the placement, ``?lang=`` the language."""
    try:
        scene = context.published_scene(slug)
    except (SceneNotFoundError, SceneNotPublishedError) as error:
        return unavailable(request, error)
    mark = request.GET.get("c", "")
    mark = mark if queries.has_mark(scene, mark) else ""
    asked = canonical_lang(request.GET.get("lang", ""))
    lang = asked if asked in wording.LANGUAGES else context.language()
    short = settings.BASE_URL + reverse("scene", args=[slug])
    url = f"{short}?{urlencode({'c': mark})}" if mark else short
    data = _data(scene)
    digest = digest_hex({"data": data, "url": url, "lang": lang, "base": settings.BASE_URL})
    etag = f'"{digest[:32]}"'
    if request.headers.get("If-None-Match") == etag:
        response: HttpResponse = HttpResponseNotModified()
    else:

        def make() -> bytes:
            return posters.render_poster(data, url, short.partition("://")[2], lang)

        try:
            content = rendered.keep("poster", digest, f"{lang}.pdf", make)
        except (TypesettingError, rendered.TooManyDrawingsError) as error:
            shown = {"code": "", "error": error}
            return render(request, "web/certificate/not_now.html", shown, status=503)
        response = HttpResponse(content, content_type="application/pdf")
        response["Content-Disposition"] = f'inline; filename="diandian-{slug}-{lang}.pdf"'
    response["ETag"] = etag
    response["Cache-Control"] = "public, no-cache"
    return response
