"""What every page of the organiser's desk shares: who is signed in, refusals, never cached."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.shortcuts import render as render_template
from django.urls import reverse
from django.utils.translation import get_language

from diandian.kernel.errors import DiandianError, NotFoundError
from diandian.people import queries
from diandian.people.errors import NotAllowedError
from diandian.people.queries import Visitor
from diandian.ui.format import canonical_lang, pick

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Visitor, P], HttpResponse]

PERSON = "person"


def language() -> str:
    """Return the visitor's language as data are keyed: zh-Hans, en, nl."""
    return canonical_lang(get_language() or "en")


def words(names: dict[str, str]) -> str:
    """Return a text of the data in the visitor's language, without word joints."""
    return pick(names, language()).replace("|", "")


def visitor_of(request: HttpRequest) -> Visitor | None:
    """Return who is signed in, with the memberships of this moment; None for nobody."""
    number = request.session.get(PERSON)
    person = queries.person_by_id(number) if isinstance(number, int) else None
    return queries.visitor(person) if person else None


def signed_in(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Give a view the signed-in visitor; send others to sign in, and back afterwards."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        visitor = visitor_of(request)
        if visitor is None:
            back = urlencode({"next": request.path}) if request.method == "GET" else ""
            address = reverse("host_sign_in")
            return private(redirect(f"{address}?{back}" if back else address))
        try:
            response = view(request, visitor, *args, **kwargs)
        except NotFoundError:
            response = render_template(request, "ui/404.html", status=404)
        except NotAllowedError as error:
            response = show(request, visitor, "office/host/refused.html", {"error": error}, 403)
        return private(response)

    return guarded


def private(response: HttpResponse) -> HttpResponse:
    """Keep a page out of caches and indexes."""
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


def show(
    request: HttpRequest,
    visitor: Visitor,
    template: str,
    context: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render a page of the desk. ``here`` in the context: the part of the rail it belongs to."""
    shown = {"visitor": visitor, "here": "scenes", **(context or {})}
    return render_template(request, template, shown, status=status)


def go(name: str, *args: object) -> HttpResponse:
    """Lead on after a write, so that going back or reloading does not write again."""
    response = redirect(name, *args)
    response.status_code = 303
    return response


def at(field: str, error: DiandianError) -> DiandianError:
    """Name the field of the page beside which an error is said."""
    error.field = field  # type: ignore[attr-defined]  # what a page's error list looks for
    return error


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form of a desk that came without its token."""
    del reason
    return render_template(request, "ui/403.html", status=403)
