"""Whole page or fragment from one view: pages work without scripts, htmx makes them smoother.

A fragment is a template of its own (``_name.html``) that the page includes, so that the two never
differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import render as render_template
from django.utils.cache import patch_vary_headers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse


def wants_fragment(request: HttpRequest) -> bool:
    """Tell whether htmx asks for a part; restoring history needs the whole page."""
    details = getattr(request, "htmx", None)
    if not details:
        return False
    return not details.boosted and not details.history_restore_request


def render(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    fragment: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the page, or its fragment template when htmx asks for one."""
    chosen = fragment if fragment and wants_fragment(request) else template
    response = render_template(request, chosen, dict(context or {}), status=status)
    if fragment:
        patch_vary_headers(response, ("HX-Request",))
    return response
