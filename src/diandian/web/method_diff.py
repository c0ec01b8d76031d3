"""What lies between two editions of the factors: results that would move, and why."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from diandian.emissions.factor_diff import (
    ChangedFactor,
    MovedLine,
    MovedResult,
    changed_factors,
    moved_results,
)
from diandian.emissions.factor_set import FactorSet, factor_set, factor_sets, newest
from diandian.web import context
from diandian.web.errors import not_found
from diandian.web.method import Shown, shown_factor
from diandian.web.results import said

_PAGE_ROWS = 80


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line of a trip that is not the same in both editions."""

    moved: MovedLine
    name: str


@dataclass(frozen=True, slots=True)
class ShownTrip:
    """A known trip in both editions. ``change``: in per cent with its sign."""

    result: MovedResult
    name: str
    change: str
    lines: list[ShownLine]


@dataclass(frozen=True, slots=True)
class ShownChange:
    """A factor in both editions; None where there is no such row."""

    factor_id: str
    region: str
    name: str
    before: Shown | None
    after: Shown | None
    change: str


@cache
def _changed(before: str, after: str) -> tuple[ChangedFactor, ...]:
    """Return the rows that differ; editions never change, so each pair is compared once."""
    return changed_factors(factor_set(before), factor_set(after))


@cache
def _moved(before: str, after: str) -> tuple[MovedResult, ...]:
    return moved_results(factor_set(before), factor_set(after))


def _signed(change: Decimal | None) -> str:
    if change is None:
        return ""
    return f"{change:+}%".replace("-", "\N{MINUS SIGN}") if change else "0%"


def _trip(result: MovedResult, lang: str) -> ShownTrip:
    lines = [
        ShownLine(moved, said(moved.line.label, moved.line.params_in(lang)))
        for moved in result.lines
    ]
    return ShownTrip(result, gettext(result.trip.label), _signed(result.change_pct), lines)


def _change(changed: ChangedFactor, lang: str) -> ShownChange:
    before, after = (
        shown_factor(row, lang) if row else None for row in (changed.before, changed.after)
    )
    named = after or before
    return ShownChange(
        changed.factor_id,
        changed.region,
        named.name if named else changed.factor_id,
        before,
        after,
        _signed(changed.change_pct),
    )


def _wanted(request: HttpRequest) -> tuple[FactorSet, FactorSet] | None:
    """Return the editions asked for, else the oldest and the newest; None for unknown ones."""
    known = {edition.id: edition for edition in factor_sets()}
    before = known.get(request.GET.get("from", "") or factor_sets()[-1].id)
    after = known.get(request.GET.get("to", "") or newest().id)
    return (before, after) if before and after else None


def diff(request: HttpRequest) -> HttpResponse:
    """Compare two editions: five trips with the lines that move, and every row that differs."""
    wanted = _wanted(request)
    if wanted is None:
        return not_found(request)
    before, after = wanted
    lang = context.language()
    found = _changed(before.id, after.id)
    page = Paginator(found, _PAGE_ROWS).get_page(request.GET.get("page"))
    shown = {
        "before": before,
        "after": after,
        "editions": factor_sets(),
        "trips": [_trip(result, lang) for result in _moved(before.id, after.id)],
        "count": len(found),
        "page": page,
        "changes": [_change(changed, lang) for changed in page],
    }
    return render(request, "web/method/diff.html", shown)
