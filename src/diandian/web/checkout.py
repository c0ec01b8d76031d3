"""A guest's choice of a project, and the price before payment.

*Source:* product design, sections 4.4 and 11.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from diandian.claims import wording
from diandian.flows.quote import grams_for, open_quote
from diandian.footprints.models import Footprint
from diandian.kernel.errors import DiandianError
from diandian.orders.errors import AlreadyMatchedError, FootprintExpiredError, SceneClosedError
from diandian.orders.models import Quote
from diandian.ui import drawing, htmx
from diandian.ui import format as write
from diandian.ui.kept import Form, blank
from diandian.ui.templatetags import dd
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
    if wish.is_untouched and not error and not new_total and not htmx.wants_fragment(request):
        filled = _FORM.fill(_form_key(page), lambda: _blanked(page), _texts(page))
        return till.answer_of_form(filled)
    return till.answer(request, "web/pay/page.html", page)


# The page as it opens differs from guest to guest in texts only.
_FORM = Form("web/pay/page.html", seconds=2)


def _form_key(page: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what the page's look depends on."""
    cards = [
        (card.view.offer.id, card.view.available_g, card.view.price_per_tonne, card.gone, card.on)
        for card in page["cards"]
    ]
    has_upper = page["upper_g"] is not None
    return (
        page["scene"].slug,
        page["voluntary"],
        page["may_withdraw"],
        page["sales_stopped"],
        page["offered"],
        has_upper,
        tuple(cards),
    )


def _texts(page: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts that are a guest's own."""
    lang, chosen, upper_g = context.language(), page["chosen"], page["upper_g"]
    texts = {"back": str(page["back_url"])}
    if chosen is None:
        return texts
    price = chosen.price
    texts |= {
        "token": page["footprint"].token,
        "nonce": page["wish"].nonce,
        "dots": write.dots(page["count"], lang),
        "mass": write.exact_mass(page["mass_g"], lang),
        "minor": str(page["agreed_minor"]),
        "total": write.money(price.total, lang),
        "supplier": write.money(price.supplier, lang),
        "fee": write.money(price.fee, lang),
        "split": dd.split_bar(page["split"]),
    }
    if upper_g is not None:
        texts["upper"] = write.exact_mass(upper_g, lang)
        texts["upper_total"] = write.money(page["upper_price"], lang)
    return texts | {
        _price_name(card): write.money(card.price.total, lang)
        for card in page["cards"]
        if not card.gone
    }


def _price_name(card: till.Card) -> str:
    return f"price_{card.view.offer.id}"


def _blanked(page: Mapping[str, Any]) -> dict[str, object]:
    """Return the page's facts with a blank for each of a guest's own texts."""
    chosen = page["chosen"]
    blanked = {**page, "back_url": blank("back")}
    if chosen is None:
        return blanked
    price = {"total": blank("total"), "supplier": blank("supplier"), "fee": blank("fee")}
    return blanked | {
        "wish": replace(page["wish"], nonce=blank("nonce")),
        "footprint": {"token": blank("token")},
        "count": blank("dots"),
        "mass_g": blank("mass"),
        "agreed_minor": blank("minor"),
        "split": blank("split"),
        "upper_g": page["upper_g"] and blank("upper"),
        "upper_price": blank("upper_total"),
        "chosen": {"view": chosen.view, "price": price},
        "cards": [
            card if card.gone else replace(card, price={"total": blank(_price_name(card))})
            for card in page["cards"]
        ],
    }


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
