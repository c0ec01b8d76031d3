"""What a scene leaves open, a price for it, and the order in the organisation's name.

Two steps on one address: choose and be quoted, then pay what the quote says. A quote lasts an hour
and names its grams; what guests match meanwhile makes the order be refused, never doubled.
"""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from diandian.certificates import queries as certificates
from diandian.claims import wording
from diandian.claims.levels import allowed_style
from diandian.flows import host_orders, ways
from diandian.flows.checkout import PayBy
from diandian.flows.cover import Residual, residual_of
from diandian.kernel.errors import DiandianError, NotFoundError
from diandian.kernel.money import Money
from diandian.office.host.overview import scene_of
from diandian.office.host.pages import language, show, signed_in, words
from diandian.orders import offers, progress
from diandian.orders import queries as orders
from diandian.orders.models import Order, OrderState, Quote
from diandian.payments.messages import Browser
from diandian.payments.ways import browser_of
from diandian.people import access
from diandian.people.errors import NotAllowedError
from diandian.people.queries import Visitor
from diandian.scenes.models import Scene, SceneState
from diandian.ui import limits
from diandian.ui.format import mass

_WHOLE = "100"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the organiser chose."""

    project: str
    share: str
    for_everyone: bool
    to_upper: bool

    @property
    def share_percent(self) -> int:
        """Return the share as a number; 0, which is refused, for anything else."""
        typed = self.share.strip().rstrip(" %％")
        right = typed.isascii() and typed.isdigit() and len(typed) <= len(_WHOLE)
        return int(typed) if right else 0


def _wish(request: HttpRequest, own: Residual) -> Wish:
    sent = request.POST
    return Wish(
        project=sent.get("project", "")[:60],
        share=sent.get("share_percent", _WHOLE)[:10],
        for_everyone=sent.get("whose", "own" if own.residual_g else "everyone") == "everyone",
        to_upper=sent.get("upper") == "1",
    )


@signed_in
def rest(request: HttpRequest, visitor: Visitor, slug: str) -> HttpResponse:
    """Show what is left; when posted, quote it, or order what was quoted."""
    scene = scene_of(visitor, slug)
    if request.method != "POST":
        return _page(request, visitor, scene)
    access.require(visitor, scene.organisation_ref, "write")
    token = request.POST.get("quote", "")
    quote: Quote | None = None
    try:
        if not token:
            quote = _quoted(request, visitor, scene)
            return _quote_page(request, visitor, scene, quote)
        quote = host_orders.quote_of(visitor, scene, token[:40])
        by = pay_by(request, quote)
        order = host_orders.place(visitor, scene, quote, language=language(), by=by)
    except (NotFoundError, NotAllowedError):
        raise
    except DiandianError as error:
        return _page(request, visitor, scene, error)
    return to_payment(order)


def _quoted(request: HttpRequest, visitor: Visitor, scene: Scene) -> Quote:
    wish = _wish(request, residual_of(scene))
    return host_orders.open_quote(
        visitor,
        scene,
        project_code=wish.project,
        share_percent=wish.share_percent,
        for_everyone=wish.for_everyone,
        to_upper_bound=wish.to_upper,
    )


def pay_by(request: HttpRequest, quote: Quote) -> PayBy:
    """Return the chosen way to pay a quote. Raises: UnknownGatewayError, AmountOutOfRangeError."""
    wanted = ways.due(quote, quote.offer.project.supplier_ref)
    way = ways.choose(wanted, _browser(request), request.POST.get("way", ""))
    return PayBy(way.gateway, way.flow, limits.client_ip(request))


def _browser(request: HttpRequest) -> Browser:
    return browser_of(request.META.get("HTTP_USER_AGENT", ""))


def to_payment(order: Order) -> HttpResponse:
    """Lead to the gateway, or to the order's own page when it is paid from there."""
    waits = order.state == OrderState.AWAITING_PAYMENT
    url = ways.leads_to(orders.latest_payment(order)) if waits else ""
    response = redirect(url or reverse("order", args=[order.token]))
    response.status_code = 303
    return response


def _page(
    request: HttpRequest, visitor: Visitor, scene: Scene, error: DiandianError | None = None
) -> HttpResponse:
    own, everyone = residual_of(scene), residual_of(scene, for_everyone=True)
    style = str(allowed_style(scene.claim_style, scene.country, scene.audience))
    left_g = max(own.residual_g, everyone.residual_g)
    views = offers.on_sale()
    wish = _wish(request, own)
    free = [view.project.code for view in views if not view.sold_out]
    shown = {
        "scene": scene,
        "name": words(scene.names),
        "own": own,
        "everyone": everyone,
        "left_g": left_g,
        "title": wording.label("cover", style, language(), mass=mass(left_g, language())),
        "is_open": scene.state == SceneState.PUBLISHED,
        "writes": access.allows(visitor, scene.organisation_ref, "write"),
        "views": views,
        "wish": wish,
        "chosen": wish.project if wish.project in free else next(iter(free), ""),
        "certificates": _certificates(scene),
        "voluntary": wording.voluntary(language(), style),
        "errors": [error] if error else [],
    }
    return show(request, visitor, "office/host/cover.html", shown, 409 if error else 200)


def _certificates(scene: Scene) -> list[tuple[Order, str]]:
    """Return what the organisation ordered for this scene, each with its certificate's code."""
    return [
        (order, certificates.code_of_order(order.ref) or "") for order in progress.of_hosts(scene)
    ]


def _quote_page(request: HttpRequest, visitor: Visitor, scene: Scene, quote: Quote) -> HttpResponse:
    shown = quote_shown(request, scene, quote) | {
        "url": reverse("host_cover", args=[scene.slug]),
        "organisation": visitor.organisation(scene.organisation_ref),
    }
    return show(request, visitor, "office/host/quote.html", shown)


def quote_shown(request: HttpRequest, scene: Scene, quote: Quote) -> dict[str, object]:
    """Return what a page shows of a price before it is paid."""
    total = Money(quote.total_minor, quote.currency)
    offered = ways.offered(ways.due(quote, quote.offer.project.supplier_ref), _browser(request))
    style = str(allowed_style(scene.claim_style, scene.country, scene.audience))
    return {
        "scene": scene,
        "name": words(scene.names),
        "quote": quote,
        "project": quote.offer.project,
        "supplier": Money(quote.supplier_minor, quote.currency),
        "fee": Money(quote.fee_minor, quote.currency),
        "total": total,
        "split": [("primary", quote.supplier_minor), ("fee", quote.fee_minor)],
        "offered": offered,
        "way": offered.find(""),
        "voluntary": wording.voluntary(language(), style),
    }
