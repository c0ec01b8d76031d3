"""Without network: the worker that keeps a scene's questions, and the pages it shows instead.

The worker's address is below ``/s/``, so by the browser's own rule it sees nothing outside: no
orders, certificates, desks. What it keeps is decided in ``workers/keep.js``. Where it is switched
off, the same address answers a worker that deletes what was kept and unregisters itself.
"""

import hashlib
from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse

from diandian.kernel.canonical import canonical_json

_WORKERS = Path(__file__).parent / "workers"
# What the kept pages load; a page without one of these would still work.
_PARTS = (
    "ui/diandian.css",
    "ui/icon.svg",
    "web/questions.css",
    "ui/offline.js",
    "django_htmx/htmx-2.min.js",
)


def worker(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - the same for everybody
    """Answer the worker, or the one that goes where ``settings.OFFLINE_PAGES`` says so."""
    body = _keep() if settings.OFFLINE_PAGES else (_WORKERS / "gone.js").read_bytes()
    response = HttpResponse(body, content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@cache
def _keep() -> bytes:
    """Return the worker with what it keeps; its version is the digest of all of it."""
    source = (_WORKERS / "keep.js").read_bytes()
    kept = {
        "parts": [static(name) for name in _PARTS],
        "offline": reverse("offline"),
        "payment": reverse("offline_payment"),
    }
    version = hashlib.sha256(source + canonical_json(kept)).hexdigest()[:16]
    return b"const KEPT = %b;\n%b" % (canonical_json(kept | {"version": version}), source)


def offline(request: HttpRequest) -> HttpResponse:
    """Say that a page needs the network."""
    return _instead(request, payment=False)


def payment(request: HttpRequest) -> HttpResponse:
    """Say that nothing has been charged."""
    return _instead(request, payment=True)


def _instead(request: HttpRequest, *, payment: bool) -> HttpResponse:
    response = render(request, "web/offline/page.html", {"payment": payment})
    response["X-Robots-Tag"] = "noindex"
    return response
