"""The frame of every page: what is the same for everybody is written once per language.

Head links, test bar and footer depend on nothing but the language and the operator's settings.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.template.loader import get_template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from diandian.ui.format import canonical_lang

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest
    from django.template.context import Context

LANGUAGE_NAMES = (("zh-Hans", "中文", "中文"), ("en", "EN", "English"), ("nl", "NL", "Nederlands"))
_PRESENT = ' aria-current="true"'
_STEPS = 4

_parts: dict[tuple[str, str | None, tuple[object, ...]], SafeString] = {}


def site_facts(context: Context) -> Mapping[str, object]:
    """Return what the frame says about the operator: the context's own ``site`` or the settings."""
    return cast("Mapping[str, object] | None", context.get("site")) or {
        "test_mode": getattr(settings, "TEST_MODE", False),
        "operator_name": getattr(settings, "OPERATOR_NAME", ""),
        "filing_number": getattr(settings, "OPERATOR_FILING", ""),
    }


def part(context: Context, template: str) -> SafeString:
    """Return a part of the frame; it may use ``site`` and nothing else of the page."""
    site = site_facts(context)
    key = (template, get_language(), tuple(site.values()))
    kept = _parts.get(key)
    if kept is None:
        kept = SafeString(get_template(template).render({"site": site}))
        _parts[key] = kept
    return kept


def offline_script(context: Context) -> SafeString:
    """Link the script of the pages that phones keep, unless that is switched off."""
    kept = getattr(settings, "OFFLINE_PAGES", False)
    return part(context, "ui/_offline_script.html") if kept else SafeString("")


def address_with(context: Context, key: str, value: str) -> str:
    """Return this page's address with one key of the query set; the rest of it stays."""
    request: HttpRequest | None = context.get("request")
    if request is None:
        return f"?{key}={value}"
    if not request.GET:
        return f"{request.path}?{key}={value}"
    query = request.GET.copy()
    query[key] = value
    return f"{request.path}?{query.urlencode()}"


def language_links(context: Context) -> SafeString:
    """Link this page in each language, the present one marked."""
    current = canonical_lang(get_language() or "en")
    links = [
        f'<a href="{escape(address_with(context, "lang", code))}" lang="{code}" hreflang="{code}"'
        f' rel="nofollow" aria-label="{name}"{_PRESENT if code == current else ""}>{short}</a>'
        for code, short, name in LANGUAGE_NAMES
    ]
    return mark_safe("".join(links))  # noqa: S308 - addresses are escaped, the rest is ours


@cache
def step_marks(step: int) -> SafeString:
    """Draw the four steps of the guest's way: done, present and to come."""
    classes = (
        ' class="on"' if place < step else ' class="now"' if place == step else ""
        for place in range(1, _STEPS + 1)
    )
    return mark_safe("".join(f"<i{each}></i>" for each in classes))  # noqa: S308 - fixed text
