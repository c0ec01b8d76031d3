"""Pages of words: what this is, what is kept about a person, the terms, who can use it."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from diandian.claims import wording
from diandian.web import context


def about(request: HttpRequest) -> HttpResponse:
    """Say what this is and what it is not."""
    shown = {"voluntary": wording.voluntary(context.language())}
    return render(request, "web/pages/about.html", shown)


def privacy(request: HttpRequest) -> HttpResponse:
    """Say what is kept about a person, how long, and how to have it erased."""
    shown = {"footprint_days": settings.FOOTPRINT_DAYS}
    return render(request, "web/pages/privacy.html", shown)


def terms(request: HttpRequest) -> HttpResponse:
    """Say what is bought and what is promised."""
    return render(
        request,
        "web/pages/terms.html",
        {"voluntary": wording.voluntary(context.language()), "test_mode": settings.TEST_MODE},
    )


def accessibility(request: HttpRequest) -> HttpResponse:
    """Say who can use these pages, what is known to be missing, and where to complain."""
    return render(request, "web/pages/accessibility.html", {})
