"""A guest's choice of a project, and the price before payment.

*Source:* product design, sections 4.4 and 11.
"""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from diandian.claims import wording
from diandian.flows.quote import grams_for, open_quote
from diandian.footprints.models import Footprint
from diandian.kernel.errors import DiandianError
from diandian.orders.errors import AlreadyMatchedError, FootprintExpiredError, SceneClosedError
from diandian.orders.models import Quote
from diandian.ui import drawing
from diandian.web import context, results, till
from diandian.web.secret import secret_page
from diandian.web.till import NewTotal, Wish


def _grams(footprint: Footprint, *, to_upper: bool) -> int:
    return grams_for(
        mass_g=footprint.guest_g, high_g=footprint.guest_high_g, to_upper_bound=to_upper
    )


def _page(
    request: HttpRequest,
    footprint: Footprint,
    wish: Wish,
    *,
    error: DiandianError | None = None,
    new_total: NewTotal | None = None,
) -> HttpResponse:
    scene = footprint.scene
    lang, style = context.language(), context.style_of(scene)
    buyer = till.Buyer(scene.country)
    mass_g = _grams(footprint, to_upper=wish.to_upper)
    page = till.facts(wish, mass_g=mass_g, buyer=buyer, error=error, new_total=new_total)
    chosen = page["chosen"]
    upper_g = _grams(footprint, to_upper=True)
    own_g = _grams(footprint, to_upper=False)
    page |= {
        "scene": scene,
        "footprint": footprint,
        "count": drawing.dot_count(own_g, drawing.scale_for(own_g).kg_per_dot),
        "scale": drawing.scale_for(mass_g).kg_per_dot,
        "upper_g": upper_g if upper_g > own_g else None,
        "upper_price": chosen.view.price_of(upper_g).total if chosen and upper_g > own_g else None,
        "voluntary": wording.voluntary(lang, style),
        "back_url": reverse("scene_result", args=[scene.slug, footprint.token]),
    }
    return till.answer(request, "web/pay/page.html", page)


@dataclass(frozen=True, slots=True)
class _Trip:
    """A guest's trip as the till sees it."""

    footprint: Footprint

    @property
    def buyer(self) -> till.Buyer:
        """Return a person at the scene's place."""
        return till.Buyer(self.footprint.scene.country)

    def key(self, wish: Wish) -> str:
        """Return what makes a second press of the button the same order."""
        return f"web:{self.footprint.token}:{wish.nonce}"

    def name(self, wish: Wish) -> str:
        """Return the name as typed."""
        return wish.name

    def quote(self, wish: Wish) -> Quote:
        """Price the trip."""
        return open_quote(
            project_code=wish.project,
            footprint=self.footprint,
            to_upper_bound=wish.to_upper,
            is_ordered_at_once=True,
        )

    def page(
        self,
        request: HttpRequest,
        wish: Wish,
        *,
        error: DiandianError | None = None,
        new_total: NewTotal | None = None,
    ) -> HttpResponse:
        """Show projects and prices."""
        return _page(request, self.footprint, wish, error=error, new_total=new_total)

    def carried(self) -> None:
        """Return None: a trip carries its answers in any case."""

    def lead_on(self, error: DiandianError) -> HttpResponse | None:
        """Lead a trip that cannot be ordered any more back to its result, or to its order."""
        if isinstance(error, FootprintExpiredError | SceneClosedError):
            return results.back_to_result(self.footprint.scene.slug, self.footprint.token)
        if isinstance(error, AlreadyMatchedError):
            return redirect("order", error.order_token)
        return None


@secret_page
def pay(request: HttpRequest, slug: str, token: str) -> HttpResponse:
    """Show the projects and the price; when posted, order and go to the gateway."""
    if request.method != "POST":
        footprint = results.shown_footprint(slug, token)
        where, _existing = results.standing(footprint)
        if where != "open":
            return results.back_to_result(slug, token)
        return _page(request, footprint, Wish.of(request))
    trip = _Trip(results.footprint_of(slug, token))
    return till.order(request, trip, Wish.of(request))
