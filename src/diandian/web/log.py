"""The public log: a page that says what it is, and its files for whoever checks it.

The files may be fetched by any program, from pages of any origin, and kept as long as they are
final. The first log has the addresses below ``/log``, later ones those below ``/log/2`` and so on.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render

from diandian.transparency import shown
from diandian.transparency.models import LogHead
from diandian.web.errors import not_found

_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_NOW = "public, max-age=1"
# A partial file goes away once the full one is there; readers then take that.
_FOR_A_WHILE = "public, max-age=60"
_TEXT = "text/plain; charset=utf-8"


def page(request: HttpRequest) -> HttpResponse:
    """Say what the log is, how far it goes, who has witnessed it and how to check it."""
    logs = shown.logs()
    open_log = next(((number, head, found) for number, head, found in logs if head.is_open), None)
    facts: dict[str, Any] = {
        "number": open_log[0] if open_log else 1,
        "head": open_log[1] if open_log else None,
        "found": open_log[2] if open_log else None,
        "prefix": _prefix(open_log[0] if open_log else 1),
        "base_url": settings.BASE_URL,
        "closed": [(_prefix(number), head) for number, head, _ in logs if not head.is_open],
    }
    return render(request, "web/log/page.html", facts)


def _prefix(number: int) -> str:
    return "/log" if number == 1 else f"/log/{number}"


def _file(data: bytes | str, content_type: str, keep: str) -> HttpResponse:
    response = HttpResponse(data, content_type=content_type)
    response["Cache-Control"] = keep
    response["Access-Control-Allow-Origin"] = "*"
    response["X-Robots-Tag"] = "noindex"
    return response


def _only_read(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    def reading(request: HttpRequest, **where: Any) -> HttpResponse:  # noqa: ANN401 - of the address
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return view(request, **where)

    return reading


def _head(number: int) -> LogHead | None:
    return next((head for each, head, _ in shown.logs() if each == number), None)


@_only_read
def checkpoint(request: HttpRequest, number: int = 1) -> HttpResponse:
    """Send the newest signed head."""
    data = shown.checkpoint(number)
    return not_found(request) if data is None else _file(data, _TEXT, _FOR_NOW)


@_only_read
def tile(request: HttpRequest, path: str, number: int = 1) -> HttpResponse:
    """Send hashes or entries."""
    found = shown.tile(number, f"tile/{path}")
    if found is None:
        return not_found(request)
    keep = _FOR_EVER if found.is_final else _FOR_A_WHILE
    return _file(found.data, "application/octet-stream", keep)


@_only_read
def keys(request: HttpRequest, number: int = 1) -> HttpResponse:
    """Send the keys that sign, or signed, this log."""
    head = _head(number)
    return not_found(request) if head is None else _file(shown.key_lines(head), _TEXT, _FOR_A_WHILE)


@_only_read
def policy(request: HttpRequest, number: int = 1) -> HttpResponse:
    """Send a policy to start from: the log's keys and the witnesses that it asks."""
    head = _head(number)
    if head is None:
        return not_found(request)
    return _file(shown.policy(head, settings.BASE_URL + _prefix(number)), _TEXT, _FOR_A_WHILE)
