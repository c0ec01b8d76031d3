"""Where the reductions come from: projects on sale, their batches, serials and retirements."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from diandian.kernel.errors import N_, NotFoundError
from diandian.kernel.memory import ttl_cache
from diandian.kernel.money import Money
from diandian.orders.offers import OfferView
from diandian.registry import queries
from diandian.registry.pool import queries as pool_queries
from diandian.registry.pool.queries import Pool
from diandian.registry.recalls import marks
from diandian.registry.stock import BatchStock
from diandian.ui import drawing
from diandian.web import context, flow, money, project_facts, recalls, register
from diandian.web.errors import not_found

_LATEST = 10
_FIELD_DOTS = 200
BATCH_STATES = {
    "draft": N_("not on sale"),
    "open": N_("on sale"),
    "frozen": N_("paused"),
    "exhausted": N_("sold out"),
    "closed": N_("closed"),
    "recalled": N_("recalled"),
}
# State of a gram, how its dot is drawn, and the word for it.
_STATES = (
    ("available_g", "hollow", N_("free")),
    ("held_g", "half", N_("held")),
    ("retired_g", "full", N_("retired")),
    ("buffer_g", "hollow", N_("buffer")),
    ("blocked_g", "hollow", N_("paused")),
    ("cancelled_g", "hollow", N_("cancelled")),
)


@dataclass(frozen=True, slots=True)
class Part:
    """Grams in one state, for the legend beside the picture."""

    key: str
    name: str
    drawn: str
    mass_g: int


@dataclass(frozen=True, slots=True)
class Stock:
    """Where a project's grams are, as words and as dots of one scale."""

    issued_g: int
    parts: Sequence[Part]
    kg_per_dot: int
    retired_dots: int
    held_dots: int
    all_dots: int


def _stock(masses: dict[str, int]) -> Stock:
    issued_g = masses["issued_g"]
    kg_per_dot = 1
    while issued_g > _FIELD_DOTS * kg_per_dot * 1000:
        kg_per_dot *= 10
    parts = [
        Part(key, gettext(name), drawn, masses.get(key, 0))
        for key, drawn, name in _STATES
        if masses.get(key, 0) or key in {"available_g", "held_g", "retired_g"}
    ]
    return Stock(
        issued_g=issued_g,
        parts=parts,
        kg_per_dot=kg_per_dot,
        retired_dots=drawing.matched_dots(masses["retired_g"], issued_g, kg_per_dot),
        held_dots=drawing.dot_count(masses["held_g"], kg_per_dot),
        all_dots=drawing.dot_count(issued_g, kg_per_dot),
    )


@ttl_cache(5)
def _masses(project_code: str) -> dict[str, int]:
    return queries.stock(queries.project_by_code(project_code))


@ttl_cache(5)
def _pool(project_code: str) -> Pool:
    project = queries.project_by_code(project_code)
    return pool_queries.pools([project]).get(project.id, Pool())


@dataclass(frozen=True, slots=True)
class Listed:
    """A project in the list; ``offer`` is None when it is not on sale."""

    view: OfferView | None
    code: str
    kind: str
    names: dict[str, str]
    note: str
    supplier: str
    price: Money | None
    vintage_year: int
    stock: Stock
    is_sample: bool


def _note(project: object) -> str:
    parts = (
        context.words(getattr(project, "category_names")),  # noqa: B009 - a row of the registry
        context.words(getattr(project, "place_names")),  # noqa: B009
    )
    return " · ".join(part for part in parts if part)


def project_list(request: HttpRequest) -> HttpResponse:
    """List the projects in the order in which guests see them, those not on sale last."""
    views = {view.project.code: view for view in context.offers()}
    rows = queries.projects()
    order = list(views)
    rows.sort(key=lambda row: order.index(row.code) if row.code in views else len(order))
    listed = []
    for row in rows:
        view = views.get(row.code)
        listed.append(
            Listed(
                view=view,
                code=row.code,
                kind=row.kind,
                names=row.names,
                note=_note(row),
                supplier=context.words(row.supplier_names),
                price=view.price_per_tonne if view else None,
                vintage_year=view.vintage_year if view else 0,
                stock=_stock(_masses(row.code)),
                is_sample=row.is_sample,
            )
        )
    return render(request, "web/projects/list.html", {"projects": listed})


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch with its state in words."""

    entry: BatchStock
    state: str


def _batches(rows: Sequence[BatchStock]) -> list[BatchRow]:
    return [
        BatchRow(row, gettext(BATCH_STATES.get(row.batch.state, row.batch.state))) for row in rows
    ]


def project_page(request: HttpRequest, code: str) -> HttpResponse:
    """Show one project: what it is, its batches and serials, what was retired."""
    try:
        project = queries.project_by_code(code)
    except NotFoundError:
        return not_found(request)
    view = next((each for each in context.offers() if each.project.code == code), None)
    standing = marks.standing_of_project(project)
    stock = _stock(_masses(code))
    kg_per_dot = stock.kg_per_dot
    shown = {
        "project": project,
        "note": _note(project),
        "view": view,
        "stock": stock,
        "batches": _batches(queries.batch_stocks(project)),
        "recalls": recalls.latest_of(project),
        "rows": register.latest(project, _LATEST),
        "flow": flow.of_project(project.code, _masses(code), _pool(code), kg_per_dot),
        "kg_per_dot": kg_per_dot,
        "retired_count": standing.certificates,
        "retired_g": standing.mass_g,
        "on_file": project_facts.of(project),
        "months": money.by_month(project.code),
    }
    return render(request, "web/projects/page.html", shown)
