"""The public register of retirements: newest first, filtered, totals equal to the rows below.

Anyone may read and download it; names are not in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from diandian.registry import queries
from diandian.registry.queries import RetiredRange
from diandian.registry.recalls.marks import marks_of
from diandian.scenes.models import Scene
from diandian.web.register_filters import HOLDERS, Filters, fields, scenes_of
from diandian.web.retirement import number_of, path_of

PAGE_ROWS = 20
_RANGES_SHOWN = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One retirement as the page shows it. Units: grams.

    ``mark``: what a recall did to it. ``replaces``: the number of the one it stands in for.
    """

    number: str
    url: str
    is_held: bool
    retired_at: datetime
    mass_g: int
    project: dict[str, str]
    project_code: str
    vintage_year: int
    ranges: Sequence[RetiredRange]
    more_ranges: int
    scene: Scene | None
    holder: str
    is_sample: bool
    mark: str
    replaces: str
    replaces_url: str


def _rows(found: Sequence[Any]) -> list[Row]:
    ranges = queries.ranges_of_many(found)
    states = queries.upstream_states(ranges)
    scenes = scenes_of([row.context_ref for row in found])
    met = marks_of(found)
    return [
        Row(
            number=number_of(row.public_id),
            url=path_of(row.public_id),
            is_held=states[row.id].state == "held",
            retired_at=row.retired_at,
            mass_g=row.mass_g,
            project=row.project.names,
            project_code=row.project.code,
            vintage_year=row.vintage_year,
            ranges=ranges[row.id][:_RANGES_SHOWN],
            more_ranges=max(len(ranges[row.id]) - _RANGES_SHOWN, 0),
            scene=scenes.get(row.context_ref),
            holder=gettext(HOLDERS.get(row.holder_kind, row.holder_kind)),
            is_sample=row.is_sample,
            mark=met[row.id].state,
            replaces=number_of(met[row.id].replaces) if met[row.id].replaces else "",
            replaces_url=path_of(met[row.id].replaces) if met[row.id].replaces else "",
        )
        for row in found
    ]


def latest(project: Any, limit: int) -> list[Row]:  # noqa: ANN401 - a row of the registry
    """Return the newest retirements of a project, for its page."""
    return _rows(queries.retirements(project=project, limit=limit))


def _before(request: HttpRequest) -> int | None:
    text = request.GET.get("before", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None  # noqa: PLR2004 - fits the column


def page(request: HttpRequest) -> HttpResponse:
    """Show the register."""
    filters, before_id = Filters.of(request), _before(request)
    lookups = filters.lookups()
    found: Sequence[Any] = []
    count, mass_g = 0, 0
    if lookups is not None:
        found = queries.retirements(**lookups, before_id=before_id, limit=PAGE_ROWS + 1)
        count, mass_g = queries.retirement_totals(**lookups)
    more = len(found) > PAGE_ROWS
    found = found[:PAGE_ROWS]
    query = filters.query()
    base = f"{reverse('register')}?{query}&" if query else f"{reverse('register')}?"
    shown = {
        "fields": fields(filters),
        "rows": _rows(found),
        "count": count,
        "mass_g": mass_g,
        "older_url": f"{base}before={found[-1].id}" if more else "",
        "newest_url": base.rstrip("?&") if before_id is not None else "",
        "csv_url": reverse("register_csv") + (f"?{query}" if query else ""),
        "json_url": reverse("register_json") + (f"?{query}" if query else ""),
        "is_filtered": bool(query),
    }
    return render(request, "web/register/page.html", shown)
