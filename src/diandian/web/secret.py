"""Pages behind secret links: never stored by caches, never indexed, guesses counted."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse

from diandian.kernel.errors import NotFoundError
from diandian.ui import limits
from diandian.web import errors
from diandian.web.errors import not_found

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def secret_page(view: View[P]) -> View[P]:
    """Guard a view whose address holds a token: 404 for guesses, 429 for many of them."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except NotFoundError:
            # Only misses wait: a hall shares one address, and 128 random bits are never guessed.
            limited = limits.one_miss_too_many(request)
            response = errors.please_wait(request) if limited else not_found(request)
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex"
        return response

    return guarded
