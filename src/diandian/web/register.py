"""The public register of retirements: newest first, filtered, totals equal to the rows below.

Anyone may read and download it; names are not in it. Downloads speak no language: columns and codes
are the same for everybody.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from diandian.kernel.clock import now
from diandian.kernel.errors import N_, NotFoundError
from diandian.kernel.memory import ttl_cache
from diandian.registry import queries
from diandian.registry.queries import RetiredRange
from diandian.scenes.models import Scene
from diandian.web import context

PAGE_ROWS = 20
_STREAMED_ROWS = 500
_RANGES_SHOWN = 2
HOLDERS = {
    "person": N_("Guest"),
    "host": N_("Host"),
    "company": N_("Company"),
    "sponsor": N_("Sponsor"),
}
PURPOSES = {"trip": N_("Trip"), "lump_sum": N_("Amount without a trip")}
COLUMNS = (
    "retirement",
    "retired_at",
    "mass_g",
    "project",
    "programme",
    "vintage_year",
    "serial_ranges",
    "purpose",
    "context_ref",
    "scene",
    "holder_kind",
    "claim_from",
    "claim_to",
    "upstream_state",
    "subject_commit",
    "sample",
)


@dataclass(frozen=True, slots=True)
class Filters:
    """What was asked for; unknown values find nothing instead of everything."""

    project: str = ""
    year: str = ""
    scene: str = ""
    holder: str = ""

    def query(self) -> str:
        """Return the filters as part of an address."""
        asked = {name: getattr(self, name) for name in self.__slots__}
        return urlencode({name: value for name, value in asked.items() if value})

    def lookups(self) -> dict[str, Any] | None:
        """Return the arguments of the registry's queries, or None when nothing can match."""
        found: dict[str, Any] = {}
        try:
            if self.project:
                found["project"] = queries.project_by_code(self.project)
        except NotFoundError:
            return None
        if self.year:
            if not (self.year.isascii() and self.year.isdecimal() and len(self.year) == 4):  # noqa: PLR2004 - digits of a year
                return None
            found["vintage_year"] = int(self.year)
        if self.scene:
            scene = _scene_id(self.scene)
            if scene is None:
                return None
            found["context_ref"] = f"scene:{scene}"
        if self.holder:
            found["holder_kind"] = self.holder
        return found


def _filters(request: HttpRequest) -> Filters:
    asked = {name: request.GET.get(name, "").strip()[:60] for name in Filters.__slots__}
    return Filters(**asked)


def _scene_id(slug: str) -> int | None:
    return Scene.objects.filter(slug=slug).values_list("id", flat=True).first()


def _scenes_of(refs: Sequence[str]) -> dict[str, Scene]:
    ids = {int(ref[6:]) for ref in refs if ref.startswith("scene:") and ref[6:].isdecimal()}
    return {f"scene:{scene.id}": scene for scene in Scene.objects.filter(id__in=ids)}


# The page ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """One retirement as the page shows it. Units: grams."""

    public_id: str
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


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a filter."""

    value: str
    text: str
    on: bool


def _choices(filters: Filters) -> dict[str, list[Choice]]:
    """Return what the filters offer; what was asked for stays selected even if unknown."""
    projects, scenes = _offered()
    offered = {
        "project": [(code, context.words(names)) for code, names in projects],
        "year": [(str(year), str(year)) for year in _years()],
        "scene": [(slug, context.words(names)) for slug, names in scenes],
        "holder": [(key, gettext(text)) for key, text in HOLDERS.items()],
    }
    choices = {}
    for name, options in offered.items():
        asked = getattr(filters, name)
        if asked and asked not in dict(options):
            options.append((asked, asked))
        choices[name] = [Choice(value, text, value == asked) for value, text in options]
    return choices


@ttl_cache(30)
def _offered() -> tuple[list[tuple[str, dict[str, str]]], list[tuple[str, dict[str, str]]]]:
    """Return projects and the newest published scenes, as (key, names)."""
    scenes = Scene.objects.filter(state="published").order_by("-starts_on", "id")[:100]
    projects = queries.projects(active_only=False)
    return [(p.code, p.names) for p in projects], [(s.slug, s.names) for s in scenes]


@ttl_cache(30)
def _years() -> list[int]:
    """Return the vintages on offer, newest first."""
    ids = [project.id for project in queries.projects(active_only=False)]
    years = set(queries.vintage_by_project(ids).values())
    years |= {row.vintage_year for row in queries.retirements(limit=PAGE_ROWS)}
    return sorted(years, reverse=True)


def _rows(found: Sequence[Any]) -> list[Row]:
    ranges = queries.ranges_of_many(found)
    scenes = _scenes_of([row.context_ref for row in found])
    return [
        Row(
            public_id=row.public_id,
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
    filters, before_id = _filters(request), _before(request)
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
        "filters": filters,
        "choices": _choices(filters),
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


# Downloads ---------------------------------------------------------------------------------------


def _records(filters: Filters) -> Iterator[dict[str, Any]]:
    """Yield every matching record, newest first, some hundreds to a query."""
    lookups = filters.lookups()
    before_id: int | None = None
    while lookups is not None:
        found = queries.retirements(**lookups, before_id=before_id, limit=_STREAMED_ROWS)
        if not found:
            return
        scenes = _scenes_of([row.context_ref for row in found])
        for record in queries.public_records(found):
            scene = scenes.get(str(record["context_ref"]))
            yield {**record, "scene": scene.slug if scene else ""}
        before_id = found[-1].id


def _serials(record: dict[str, Any]) -> str:
    return "; ".join(
        f"{part['serial_first']}+{part['offset_first_g']}g"
        f" to {part['serial_last']}+{part['offset_last_g']}g"
        for part in record["ranges"]
    )


def safe_cell(value: object) -> str:
    """Return a table cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r", "\n"} else text


class _Echo:
    """Gives back each line that a csv writer hands over."""

    def write(self, line: str) -> str:
        return line


def _csv_lines(filters: Filters) -> Iterator[str]:
    writer = csv.writer(_Echo())
    # Spreadsheets take a file without this mark for the local code page.
    yield "\ufeff" + str(writer.writerow(COLUMNS))
    for record in _records(filters):
        cells = {**record, "serial_ranges": _serials(record)}
        yield str(writer.writerow([safe_cell(cells[name]) for name in COLUMNS]))


def _json_parts(filters: Filters) -> Iterator[str]:
    """Yield one JSON object in parts; the totals come last, counted from the rows sent."""
    head = {
        "schema": "diandian/register/1",
        "made_at": now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "filters": {name: getattr(filters, name) for name in Filters.__slots__},
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "retirements": [\n'
    count, mass_g = 0, 0
    for record in _records(filters):
        yield (",\n" if count else "") + json.dumps(record, ensure_ascii=False)
        count, mass_g = count + 1, mass_g + record["mass_g"]
    yield "\n], " + json.dumps({"count": count, "mass_g": mass_g})[1:] + "\n"


def _download(parts: Iterator[str], content_type: str, ending: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse((part.encode() for part in parts), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="diandian-register.{ending}"'
    response["Cache-Control"] = "no-cache"
    return response


def as_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Send the filtered register as a table."""
    return _download(_csv_lines(_filters(request)), "text/csv; charset=utf-8", "csv")


def as_json(request: HttpRequest) -> StreamingHttpResponse:
    """Send the filtered register as JSON."""
    return _download(_json_parts(_filters(request)), "application/json", "json")
