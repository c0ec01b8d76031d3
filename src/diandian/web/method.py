"""How we count, and every factor behind it: searchable, with source, year, doubt and licence."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from diandian.emissions.attributions import attributions
from diandian.emissions.factor import EmissionFactor
from diandian.emissions.factor_set import (
    METHOD_VERSION,
    FactorSet,
    factor_set,
    factor_sets,
    newest,
)
from diandian.emissions.uncertainty import INTERVALS
from diandian.kernel.errors import N_
from diandian.ui import htmx
from diandian.ui.cells import safe_cell
from diandian.web import context
from diandian.web.errors import not_found

_PAGE_ROWS = 40
_LONGEST_QUERY = 80
VERSIONS = tuple(INTERVALS)
STATUSES = {
    "verified": N_("read at the source"),
    "secondary": N_("quoted by another source"),
    "derived": N_("computed from sources"),
}
UNITS = {
    "kWh": "kWh",
    "kg": "kg",
    "passenger-km": N_("passenger-km"),
    "vehicle-km": N_("vehicle-km"),
    "tonne-km": N_("tonne-km"),
    "room-night": N_("room-night"),
    "person-night": N_("person-night"),
    "litre": N_("litre"),
    "item": N_("item"),
    "m2-year": N_("m² and year"),
    "meal": N_("meal"),
    "m3": "m³",
    "hour": N_("hour"),
    "passenger": N_("passenger"),
    "person-day": N_("person-day"),
    "GJ": "GJ",
    "cup": N_("cup"),
}
# What the calculators use a factor for, by the first part of its id.
GROUPS = {
    "transport": N_("Transport"),
    "accommodation": N_("Stay"),
    "energy": N_("Energy"),
    "food": N_("Food"),
    "meal": N_("Meals"),
    "drink": N_("Drinks"),
    "goods": N_("Goods"),
    "material": N_("Materials"),
    "waste": N_("Waste"),
    "water": N_("Water"),
    "freight": N_("Freight"),
    "digital": N_("Digital"),
    "housing": N_("Housing"),
    "refrigerant": N_("Refrigerants"),
    "life": N_("Everyday life"),
}
COLUMNS = tuple(EmissionFactor.__slots__)


@dataclass(frozen=True, slots=True)
class Shown:
    """A factor as the pages show it."""

    factor: EmissionFactor
    name: str
    unit: str
    value: str
    status: str


def plain(value: Decimal) -> str:
    """Write a factor with the digits that its source gave, no exponent."""
    return f"{value:f}"


def _unit(unit: str) -> str:
    known = UNITS.get(unit, unit)
    return gettext(known) if known else unit


def shown_factor(factor: EmissionFactor, lang: str) -> Shown:
    """Return a factor with its words in a language; the sources speak English and Chinese."""
    name = factor.activity_zh if lang == "zh-Hans" and factor.activity_zh else factor.activity
    status = STATUSES.get(factor.status)
    return Shown(
        factor=factor,
        name=name,
        unit=_unit(factor.unit),
        value=plain(factor.value),
        status=gettext(status) if status else factor.status,
    )


# The method --------------------------------------------------------------------------------------


def method(request: HttpRequest, version: str = METHOD_VERSION) -> HttpResponse:
    """Explain how emissions are estimated, in one version of the method."""
    if version not in VERSIONS:
        return not_found(request)
    editions = factor_sets()
    shown = {
        "version": version,
        "is_current": version == METHOD_VERSION,
        "versions": VERSIONS,
        "current": METHOD_VERSION,
        "editions": editions,
        "newest": next(each for each in editions if each.method_version == version),
        "credits": attributions(),
        "rail": _example("transport.rail.high_speed", "CN"),
    }
    return render(request, "web/method/page.html", shown)


def _example(factor_id: str, region: str) -> EmissionFactor | None:
    edition = newest()
    return edition.find(factor_id, region).factor if edition.has(factor_id, region) else None


# The factors -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list is narrowed to; everything empty means all."""

    q: str
    group: str
    region: str
    quality: str
    status: str

    def matches(self, row: EmissionFactor) -> bool:
        """Tell whether a factor is asked for."""
        if self.group and row.id.partition(".")[0] != self.group:
            return False
        if self.region and row.region != self.region and row.region[:2] != self.region:
            return False
        if self.quality and row.quality != self.quality:
            return False
        if self.status and row.status != self.status:
            return False
        if not self.q:
            return True
        words = f"{row.id} {row.activity} {row.activity_zh} {row.source_org} {row.source_id}"
        return all(part in words.lower() for part in self.q.lower().split())


def _asked(request: HttpRequest) -> Asked:
    fields = {name: request.GET.get(name, "").strip() for name in Asked.__slots__}
    return Asked(**{name: text[:_LONGEST_QUERY] for name, text in fields.items()})


def _edition(request: HttpRequest) -> FactorSet | None:
    """Return the edition asked for, the newest by default, None when there is none by that name."""
    wanted = request.GET.get("edition", "")
    if not wanted:
        return newest()
    return next((edition for edition in factor_sets() if edition.id == wanted), None)


@cache
def _offered(edition_id: str) -> dict[str, list[str]]:
    """Return what the filters of an edition offer; countries only, provinces under them."""
    rows = factor_set(edition_id).rows()
    return {
        "group": sorted({row.id.partition(".")[0] for row in rows}),
        "region": sorted({row.region.partition("-")[0] for row in rows}),
        "quality": sorted({row.quality for row in rows}),
        "status": sorted({row.status for row in rows}),
    }


def _options(edition: FactorSet) -> dict[str, list[tuple[str, str]]]:
    offered = _offered(edition.id)
    groups = [(key, gettext(GROUPS[key]) if key in GROUPS else key) for key in offered["group"]]
    statuses = [(key, gettext(STATUSES[key])) for key in offered["status"] if key in STATUSES]
    return {
        "group": groups,
        "region": [(key, key) for key in offered["region"]],
        "quality": [(key, key) for key in offered["quality"]],
        "status": statuses,
    }


def factors(request: HttpRequest) -> HttpResponse:
    """List the factors of an edition, narrowed by words and filters."""
    edition = _edition(request)
    if edition is None:
        return not_found(request)
    asked, lang = _asked(request), context.language()
    found = [row for row in edition.rows() if asked.matches(row)]
    page = Paginator(found, _PAGE_ROWS).get_page(request.GET.get("page"))
    shown = {
        "edition": edition,
        "editions": factor_sets(),
        "asked": asked,
        "options": _options(edition),
        "page": page,
        "count": len(found),
        "rows": [shown_factor(row, lang) for row in page],
        "csv_url": f"{reverse('factors_csv')}?{urlencode({'edition': edition.id})}",
        "json_url": f"{reverse('factors_json')}?{urlencode({'edition': edition.id})}",
    }
    return htmx.render(
        request, "web/method/factors.html", shown, fragment="web/method/_factors.html"
    )


@dataclass(frozen=True, slots=True)
class EditionRows:
    """The rows of one factor in one edition."""

    edition: FactorSet
    rows: Sequence[Shown]


def factor_page(request: HttpRequest, factor_id: str) -> HttpResponse:
    """Show one factor in all its regions and editions."""
    lang = context.language()
    editions = []
    for edition in factor_sets():
        rows = sorted(
            (row for row in edition.rows() if row.id == factor_id), key=lambda row: row.region
        )
        if rows:
            editions.append(EditionRows(edition, [shown_factor(row, lang) for row in rows]))
    if not editions:
        return not_found(request)
    first = editions[0].rows[0]
    names = {row.name for each in editions for row in each.rows}
    shown = {
        "factor_id": factor_id,
        # Names of rows often hold their country: then only the id stands for all of them.
        # Long ids may break at their dots, as titles do at a bar.
        "title": first.name if len(names) == 1 else factor_id.replace(".", ".|"),
        "several_names": len(names) > 1,
        "first": first,
        "editions": editions,
    }
    return render(request, "web/method/factor.html", shown)


def _cells(row: EmissionFactor) -> list[str]:
    values = (getattr(row, name) for name in COLUMNS)
    return [plain(each) if isinstance(each, Decimal) else each for each in values]


def _as_csv(rows: Iterable[EmissionFactor]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([safe_cell(cell) for cell in _cells(row)] for row in rows)
    return ("\ufeff" + out.getvalue()).encode()


def _as_json(edition: FactorSet) -> bytes:
    whole = {
        "schema": "diandian/factors/1",
        "edition": edition.id,
        "sha256": edition.sha256,
        "method_version": edition.method_version,
        "published_on": edition.published_on,
        "factors": [dict(zip(COLUMNS, _cells(row), strict=True)) for row in edition.rows()],
    }
    return json.dumps(whole, ensure_ascii=False).encode()


@cache
def _table(edition_id: str, ending: str) -> bytes:
    """Return an edition as a file; editions never change, so each is written once."""
    edition = factor_set(edition_id)
    return _as_csv(edition.rows()) if ending == "csv" else _as_json(edition)


def _download(request: HttpRequest, ending: str, content_type: str) -> HttpResponse:
    edition = _edition(request)
    if edition is None:
        return not_found(request)
    response = HttpResponse(_table(edition.id, ending), content_type=content_type)
    name = f"diandian-factors-{edition.id}.{ending}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def factors_csv(request: HttpRequest) -> HttpResponse:
    """Send an edition as a table."""
    return _download(request, "csv", "text/csv; charset=utf-8")


def factors_json(request: HttpRequest) -> HttpResponse:
    """Send an edition as JSON, numbers as text so that no digit is lost."""
    return _download(request, "json", "application/json")
