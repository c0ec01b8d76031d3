"""The result of a calculation: dots, range, what could be less, and how every line was counted."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext

from diandian.claims import wording
from diandian.emissions.errors import UnknownFactorSetError
from diandian.emissions.estimate import Estimate
from diandian.emissions.factor_set import factor_set
from diandian.emissions.lines import Line
from diandian.emissions.reasons import REASONS
from diandian.flows import line_claims
from diandian.flows.elsewhere import PARTS
from diandian.footprints import queries
from diandian.footprints.models import Footprint
from diandian.kernel.clock import business_day, now
from diandian.kernel.errors import N_
from diandian.kernel.mass import GRAMS_PER_KG, grams_to_buy
from diandian.orders import queries as orders
from diandian.orders.errors import AlreadyCoveredError, BeingCoveredError
from diandian.orders.models import Order
from diandian.orders.offers import OfferView
from diandian.scenes import queries as scenes
from diandian.scenes.errors import SceneNotFoundError, SceneNotPublishedError
from diandian.scenes.models import Scene
from diandian.ui import drawing
from diandian.ui import format as write
from diandian.ui.kept import Kept
from diandian.web import context, forms, result_forms
from diandian.web.comparisons import Comparison, comparisons
from diandian.web.secret import secret_page

WORDS = {"high": N_("quite certain"), "fair": N_("fair"), "rough": N_("rough")}
# Beginnings of factor ids, the more special first.
ICONS = {
    "transport.air": "plane",
    "transport.rail.metro": "metro",
    "transport.rail": "train",
    "transport.road.coach": "coach",
    "transport.road.bus": "coach",
    "transport.road": "car",
    "transport.active": "bike",
    "transport.ferry": "ferry",
}

_ROW = Kept("web/result/_row.html")
_STEP = Kept("web/result/_step.html")
# Equal lines are written equally, in a tenth of the time that ``str`` takes.
_written = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Row:
    """One category of a result, as dots."""

    kind: str
    icon: str
    name: str
    count: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the arithmetic, in words."""

    line: Line
    name: str
    unit: str
    reason: str


@dataclass(frozen=True, slots=True)
class Saving:
    """Something that would have made it smaller, in dots."""

    name: str
    dots: int


def said(label: str, params: Mapping[str, str]) -> str:
    """Translate a message id of the calculator and fill it in."""
    try:
        return gettext(label) % params
    except (KeyError, TypeError, ValueError):
        return gettext(label)


def _name(line: Line) -> str:
    return said(line.label, line.params_in(context.language()))


def _rows(estimate: Estimate, dots: Mapping[str, int]) -> list[Row]:
    """Return the guest's own categories, the largest first."""
    rows = []
    for kind, mass_g in estimate.by_category().items():
        lines = [line for line in estimate.lines if line.category == kind]
        main = max(lines, key=lambda line: line.mass_g)
        note = _travel_note(estimate, main) if kind == "travel" else ""
        if mass_g:
            rows.append(Row(kind, _icon(main), _name(main), dots.get(kind, 0), note))
    return rows


def _icon(line: Line) -> str:
    """Return the icon of the way somebody came, or of the category."""
    for beginning, icon in ICONS.items():
        if line.factor_id.startswith(beginning):
            return icon
    return line.category


def _travel_note(estimate: Estimate, main: Line) -> str:
    """Return praise for a good way to come, or say that it is an average; others say it inside."""
    if estimate.praise is not None:
        return said(estimate.praise.label, estimate.praise.params)
    if not main.assumed:
        return ""
    if main.details.get("question", "").endswith("_km"):
        return gettext("An average: you did not say how far.")
    return gettext("An average: you did not say how.")


def _host_rows(scene: Scene, scale: int, paid: str) -> list[Row]:
    """Return what the host pays for each guest: full dots, never part of the guest's number."""
    return [
        Row(
            line.category,
            line.category,
            f"{context.words(line.names)} · {paid}",
            drawing.dot_count(line.mass_per_guest_g, scale),
        )
        for line in scenes.covered_lines(scene)
        if line.mass_per_guest_g
    ]


def _comparisons(estimate: Estimate, scene: Scene) -> list[Comparison]:
    try:
        found = factor_set(estimate.factor_set_id)
    except UnknownFactorSetError:
        return []
    return comparisons(estimate.mass_g, found, scene.country) if estimate.mass_g else []


def first_offer(mass_g: int) -> OfferView | None:
    """Return the offer that is chosen beforehand: the first of the published order with enough."""
    return next((view for view in context.offers() if not view.is_sold_out_for(mass_g)), None)


def footprint_of(slug: str, token: str) -> Footprint:
    """Return the footprint of a scene's secret link. Raises: NotFoundError."""
    footprint = queries.by_token(token)
    if footprint.scene.slug != slug:
        raise SceneNotFoundError
    return footprint


def shown_footprint(slug: str, token: str) -> Footprint:
    """Return a footprint to look at, with the scene from memory; ordering reads both anew.

    Raises: NotFoundError.
    """
    footprint = queries.bare_by_token(token)
    try:
        scene = context.published_scene(slug)
    except (SceneNotFoundError, SceneNotPublishedError):
        return footprint_of(slug, token)
    if scene.id != footprint.scene_id:
        raise SceneNotFoundError
    footprint.scene = scene
    return footprint


def standing(footprint: Footprint) -> tuple[str, Order | None]:
    """Return what may be done with a footprint, and the order it already has.

    One of: matched (it has an order), expired, closed, host (the host answers for it), covered (the
    host or a sponsor claims it already), elsewhere (all counted in another scene), zero, open.
    """
    order = orders.live_order_of_footprint(footprint.id)
    if order is not None:
        return "matched", order
    if footprint.expires_at <= now():
        return "expired", None
    if not scenes.takes_orders(footprint.scene):
        return "closed", None
    if footprint.is_hosts:
        return "host", None
    if covered(footprint):
        return "covered", None
    empty = "elsewhere" if footprint.elsewhere_g else "zero"
    return ("open" if footprint.guest_g else empty), None


def covered(footprint: Footprint) -> str:
    """Return what a guest is told whose part the host claims already, or nothing."""
    try:
        line_claims.refuse_all_covered(footprint.scene)
        line_claims.refuse_claimed(footprint.id, footprint.scene)
    except (AlreadyCoveredError, BeingCoveredError) as refusal:
        return gettext(refusal.message) % refusal.params
    return ""


def references_of(footprint: Footprint) -> list[tuple[str, str, int]]:
    """Return what was counted in another scene first: its address, what it is, and grams here."""
    found: dict[tuple[str, str], int] = {}
    for line in footprint.estimate["lines"]:
        slug, part = footprint.elsewhere.get(line["key"]), PARTS.get(line["category"], "")
        if slug is not None:
            key = (slug, gettext(part))
            found[key] = found.get(key, 0) + int(line["mass_g"])
    return [(slug, said, mass_g) for (slug, said), mass_g in found.items()]


def _savings(estimate: Estimate, scale: int) -> list[Saving]:
    return [
        Saving(said(lever.label, lever.params), lever.saves_g // (scale * GRAMS_PER_KG))
        for lever in estimate.levers
        if lever.saves_g >= scale * GRAMS_PER_KG
    ]


def _step(line: Line) -> Step:
    reason = gettext(REASONS[line.reason]) if line.reason in REASONS else ""
    return Step(line, _name(line), forms.unit_name(line.unit), reason)


def _body(footprint: Footprint, scene: Scene, scale: int) -> str:
    """Return the part of the page that rests on the answers alone."""
    lang, style = context.language(), context.style_of(scene)
    hosts = _host_rows(scene, scale, wording.label("host_paid", style, lang))

    estimate = Estimate.from_json(footprint.estimate)
    page = _body_context(estimate, scene, scale)
    return result_forms.body(page | {"host_rows": [_drawn_row(row, "full") for row in hosts]}, lang)


def _drawn_row(row: Row, state: str = "hollow") -> str:
    return _ROW.draw((row, state), lambda: {"row": row, "state": state})


def drawn_step(line: Line) -> str:
    """Return how one line was counted."""
    return _STEP.draw(_written(line), lambda: {"step": _step(line)})


def _body_context(estimate: Estimate, scene: Scene, scale: int) -> dict[str, object]:
    dots = drawing.dots_by_category(estimate.by_category(), scale)
    return {
        "estimate": estimate,
        "scale": scale,
        "count": sum(dots.values()),
        "rows": [_drawn_row(row) for row in _rows(estimate, dots) if row.count],
        "comparisons": _comparisons(estimate, scene),
        "savings": _savings(estimate, scale),
        "narrow": [gettext(item.label) for item in estimate.narrow],
        "steps": [drawn_step(line) for line in estimate.lines],
        "word": gettext(WORDS.get(estimate.word, WORDS["rough"])),
        "with_flights": estimate.without_non_co2_g != estimate.mass_g,
    }


def _context(footprint: Footprint, where: str, order: Order | None) -> dict[str, object]:
    scene = footprint.scene
    lang, style = context.language(), context.style_of(scene)
    mass_g = grams_to_buy(footprint.mass_g)
    scale = drawing.scale_for(mass_g).kg_per_dot
    count = drawing.dot_count(footprint.mass_g, scale)
    offer = first_offer(grams_to_buy(footprint.guest_g)) if where == "open" else None
    return {
        "scene": scene,
        "footprint": footprint,
        "body": _body(footprint, scene, scale),
        "standing": where,
        "covered": covered(footprint) if where == "covered" else "",
        "order": order,
        "count": count,
        "dots": write.dots(count, lang),
        "expires_on": business_day(footprint.expires_at).isoformat(),
        "price": offer.price_of(grams_to_buy(footprint.guest_g)).total if offer else None,
        "references": references_of(footprint),
        "say": {
            "match": wording.match_button(style, drawing.dot_count(footprint.guest_g, scale), lang),
            "voluntary": wording.voluntary(lang, style),
        },
        "back_url": f"{reverse('scene_go', args=[scene.slug])}?from={footprint.token}",
    }


@secret_page
def result(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Show a result by its secret link."""
    footprint = shown_footprint(slug, token)
    where, order = standing(footprint)
    if where == "expired":
        return expired(request, footprint)
    page = _context(footprint, where, order)
    page["link"] = settings.BASE_URL + request.path
    if where == "open":
        return HttpResponse(result_forms.page(page, context.language()))
    return render(request, "web/result/page.html", page)


def expired(request: HttpRequest, footprint: Footprint) -> HttpResponse:
    """Offer to count again with the same answers, in one click."""
    raw = forms.raw_of_values(footprint.answers)
    return render(
        request, "web/result/expired.html", {"scene": footprint.scene, "answers": raw}, status=410
    )


def back_to_result(slug: str, token: str) -> HttpResponse:
    """Send the browser to the result."""
    return redirect("scene_result", slug, token)
