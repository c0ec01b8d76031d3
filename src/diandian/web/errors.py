"""Error pages of the site."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from diandian.ui.limits import MINUTE


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Say that nothing is here."""
    del exception
    return render(request, "ui/404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Say that it is our fault and that nothing was charged."""
    return render(request, "ui/500.html", status=500)


def please_wait(request: HttpRequest) -> HttpResponse:
    """Answer 429 with a page that says when to try again."""
    response = render(request, "web/home/please_wait.html", status=429)
    response["Retry-After"] = str(MINUTE)
    return response
