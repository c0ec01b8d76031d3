"""What one address may do in a minute on pages that need no secret link."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponseBase

from diandian.kernel.errors import N_
from diandian.ui import limits
from diandian.web import errors

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

_COUNTED = N_(
    "Very many answers came from your network in this minute. Yours were not counted yet."
    " Please go back and send them again in a minute."
)
_DOWNLOADED = N_(
    "The register was downloaded very often from your network in this minute."
    " Nothing was sent. Please try again in a minute."
)


def footprints(view: View[P]) -> View[P]:
    """Answer 429 to answers that an address sends beyond ``settings.FOOTPRINTS_PER_MINUTE``."""

    @wraps(view)
    def limited(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.method == "POST" and limits.too_many_footprints(request):
            return errors.please_wait(request, _COUNTED)
        return view(request, *args, **kwargs)

    return limited


def downloads(view: View[P]) -> View[P]:
    """Answer 429 to downloads of an address beyond ``settings.DOWNLOADS_PER_MINUTE``."""

    @wraps(view)
    def limited(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if limits.too_many_downloads(request):
            return errors.please_wait(request, _DOWNLOADED)
        return view(request, *args, **kwargs)

    return limited
