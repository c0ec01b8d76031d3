"""Error pages of the site."""

import logging
import secrets
import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.translation import gettext

from diandian.kernel.errors import N_
from diandian.store import away
from diandian.ui.limits import MINUTE

log = logging.getLogger(__name__)

# A server of databases is back within seconds; guests' pages ask again by themselves.
_BACK_SOON_SECONDS = 5


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Say that nothing is here."""
    del exception
    return render(request, "ui/404.html", status=404)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Say that what was sent cannot be read, in every language; to programs in their form.

    Of the request only its address is looked at: reading the rest is what failed, and would again.
    """
    del exception
    if request.path.startswith("/api/"):
        return JsonResponse(
            {
                "type": "about:blank",
                "title": "This request cannot be read. Nothing was done.",
                "status": 400,
                "code": "unreadable",
            },
            status=400,
            content_type="application/problem+json",
        )
    facts = {"stylesheet": static("ui/diandian.css")}
    return HttpResponse(render_to_string("ui/400.html", facts), status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Say that it is our fault, with a reference that stands in the log beside the error.

    503 with a time to come back where only the database is away for a moment.
    """
    is_away = away.is_away(sys.exc_info()[1])
    reference = secrets.token_hex(2).upper()
    log.error("the visitor of %s was shown reference %s", _place(request), reference)
    facts = {"reference": reference, "stylesheet": static("ui/diandian.css")}
    response = render(request, "ui/500.html", facts, status=503 if is_away else 500)
    if is_away:
        response["Retry-After"] = str(_BACK_SOON_SECONDS)
    return response


def _place(request: HttpRequest) -> str:
    """Return the view's name for the log; the address itself may hold a secret."""
    return request.resolver_match.view_name if request.resolver_match else "?"


_WRONG_LINKS = N_(
    "Too many wrong links or codes came from your network. Nothing was changed. Please check the"
    " address for a slip and try again in a minute."
)


def please_wait(request: HttpRequest, text: str = _WRONG_LINKS) -> HttpResponse:
    """Answer 429 with a page that says when to try again; ``text`` is a message id."""
    shown = {"text": gettext(text)}
    response = render(request, "web/home/please_wait.html", shown, status=429)
    response["Retry-After"] = str(MINUTE)
    return response
