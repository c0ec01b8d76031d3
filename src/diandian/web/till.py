"""The till: where every page that sells grams ends, whatever they are for.

The button states the obligation, so what it said is posted with it: a total that became another one
is shown and asked about again, never charged. *Source:* product design, sections 4.4 and 11.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from secrets import token_urlsafe
from typing import Any, Protocol

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from diandian.claims import withdrawal
from diandian.flows import checkout, sales, ways
from diandian.flows.checkout import PayBy
from diandian.kernel.errors import DiandianError, InputError
from diandian.kernel.money import Money
from diandian.orders import queries as orders
from diandian.orders.errors import (
    IdempotencyConflictError,
    PaymentUnavailableError,
    SoldOutError,
)
from diandian.orders.models import Order, OrderState, Quote
from diandian.orders.offers import OfferView
from diandian.orders.pricing import Price
from diandian.payments import ways as payment_ways
from diandian.payments.messages import Browser
from diandian.payments.models import Payment
from diandian.payments.ways import Offered
from diandian.ui import htmx, limits
from diandian.ui.kept import Kept
from diandian.web import context, guest

_LONGEST_NONCE, _SHORTEST_LONE_NONCE = 40, 16
# As old as the list of offers itself may be.
_FACTS = Kept("web/pay/_facts.html", seconds=2)
_STOCK = Kept("web/pay/_stock.html", seconds=2)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the guest chose, and what the pressed button had promised to charge for it.

    ``was_asked``: whether the page asked about the right to withdraw; ``at_once``: the guest ticked
    that they give it up. ``way``: the key of a way to pay; ``browser``, ``client_ip``: whence.
    """

    project: str = ""
    to_upper: bool = False
    name: str = ""
    on_board: bool = False
    way: str = ""
    nonce: str = field(default_factory=lambda: token_urlsafe(12))
    agreed_for: str = ""
    agreed_minor: str = ""
    was_asked: bool = False
    at_once: bool = False
    browser: Browser = "desktop"
    client_ip: str = ""

    @property
    def is_untouched(self) -> bool:
        """Tell whether nothing was chosen or typed yet."""
        return self == Wish(nonce=self.nonce, browser=self.browser, client_ip=self.client_ip)

    @property
    def subject(self) -> str:
        """Return for what the button's total stood."""
        return f"{self.project}{'+' if self.to_upper else ''}"

    @classmethod
    def of(cls, request: HttpRequest) -> "Wish":
        """Read a posted form or the query of a refresh.

        A link ticks no box: only who posts the form gives up a right.
        """
        posted = request.method == "POST"
        data = request.POST if posted else request.GET
        nonce = data.get("nonce", "")
        return cls(
            project=data.get("project", ""),
            to_upper=data.get("upper") == "1",
            name=data.get("name", ""),
            on_board=data.get("board") == "1",
            way=data.get("way", ""),
            nonce=nonce if 0 < len(nonce) <= _LONGEST_NONCE else token_urlsafe(12),
            agreed_for=data.get("agreed_for", ""),
            agreed_minor=data.get("agreed_minor", ""),
            was_asked=posted and data.get("asked") == "1",
            at_once=posted and data.get("at_once") == "1",
            browser=browser_of(request),
            client_ip=limits.client_ip(request),
        )

    @classmethod
    def unlisted(cls, request: HttpRequest) -> "Wish":
        """Read the wish of a page whose purchases are on no board of guests.

        Nothing but the nonce tells two orders of such a page apart, so a short one is exchanged.
        """
        wish = replace(cls.of(request), on_board=False)
        is_long = len(wish.nonce) >= _SHORTEST_LONE_NONCE
        return wish if is_long else replace(wish, nonce=token_urlsafe(12))


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who buys, as far as the law asks. ``country``: of the scene or home, "" where unknown."""

    country: str = ""
    is_person: bool = True

    @property
    def may_withdraw(self) -> bool:
        """Tell whether the page must ask before anything is retired."""
        return withdrawal.applies(
            is_person=self.is_person, country=self.country, language=context.language()
        )


@dataclass(frozen=True, slots=True)
class Card:
    """A project to choose, priced for this trip.

    ``gone``: it cannot be chosen. ``too_small``: since no gateway would divide our fee off so
    small an amount.
    """

    view: OfferView
    price: Price
    gone: bool
    too_small: bool
    on: bool
    facts: str
    stock: str


@dataclass(frozen=True, slots=True)
class NewTotal:
    """A total that differs from the one on the pressed button."""

    old: Money | None
    new: Money
    same_choice: bool


def cards_for(mass_g: int, wish: Wish) -> list[Card]:
    """Return the projects; the wished one, else the first with enough, is chosen. Units: grams."""
    cards = [_card(view, mass_g) for view in context.offers()]
    if all(card.gone for card in cards):
        # Rather one that cannot be paid, with the reason, than "sold out".
        cards = [replace(card, gone=card.gone and not card.too_small) for card in cards]
    codes = [card.view.project.code for card in cards if not card.gone]
    chosen = wish.project if wish.project in codes else codes[0] if codes else ""
    return [replace(card, on=card.view.project.code == chosen) for card in cards]


def _card(view: OfferView, mass_g: int) -> Card:
    price, is_sold_out = view.price_of(mass_g), view.is_sold_out_for(mass_g)
    too_small = not is_sold_out and ways.is_fee_too_large(_due(view, price))
    return Card(
        view,
        price,
        gone=is_sold_out or too_small,
        too_small=too_small,
        on=False,
        facts=_part(_FACTS, view),
        stock=_part(_STOCK, view),
    )


def _due(view: OfferView, price: Price) -> ways.Due:
    return ways.Due(view.project.supplier_ref, price.total, price.fee)


def _part(kept: Kept, view: OfferView) -> str:
    """Return a part of a card that no guest's own numbers change."""
    key = (view.project.id, view.available_g, view.price_per_tonne)
    return kept.draw(key, lambda: {"view": view})


def split_of(chosen: Card | None) -> list[tuple[str, int]]:
    """Return where the money goes, as parts of a bar; nothing without a project."""
    if chosen is None:
        return []
    return [
        ("primary", chosen.price.supplier.amount_minor),
        ("fee", chosen.price.fee.amount_minor),
    ]


def facts(
    wish: Wish,
    *,
    mass_g: int,
    buyer: Buyer,
    error: DiandianError | None,
    new_total: NewTotal | None,
) -> dict[str, Any]:
    """Return what every page that sells shows: projects, where the money goes, ways to pay."""
    cards = cards_for(mass_g, wish)
    chosen = next((card for card in cards if card.on), None)
    offered = _offered(chosen, wish)
    return {
        "wish": wish,
        "mass_g": mass_g,
        "cards": cards,
        "chosen": chosen,
        "agreed_minor": chosen.price.total.amount_minor if chosen else "",
        "split": split_of(chosen),
        "offered": offered,
        "way": offered and (offered.find(wish.way) or offered.find("")),
        "new_total": new_total,
        "errors": [error] if error else [],
        "may_withdraw": buyer.may_withdraw,
        "sales_stopped": sales.are_stopped(),
    }


def _offered(chosen: Card | None, wish: Wish) -> Offered | None:
    """Return the ways to pay for the chosen project; None without one."""
    if chosen is None:
        return None
    return ways.offered(_due(chosen.view, chosen.price), wish.browser)


def answer(request: HttpRequest, template: str, page: Mapping[str, Any]) -> HttpResponse:
    """Show a page that sells, or what a change of its form refreshes; 409 when it refused."""
    response = htmx.render(request, template, dict(page), fragment="web/pay/_refreshed.html")
    response.status_code = 409 if page["errors"] or page["new_total"] else 200
    patch_vary_headers(response, ("User-Agent",))
    return response


def answer_with_ways(
    request: HttpRequest, template: str, page: Mapping[str, Any], status: int
) -> HttpResponse:
    """Show a page that offers ways to pay, which are others in another browser."""
    response = render(request, template, dict(page), status=status)
    patch_vary_headers(response, ("User-Agent",))
    return response


def answer_of_form(page: str) -> HttpResponse:
    """Show a page that was filled in; to scripts the same address answers something else."""
    response = HttpResponse(page)
    patch_vary_headers(response, ("HX-Request", "User-Agent"))
    return response


class Basket(Protocol):
    """What is sold on a page, and how the page looks."""

    @property
    def buyer(self) -> Buyer:
        """Return who buys."""

    def key(self, wish: Wish) -> str:
        """Return what makes a second press of the button the same order."""

    def name(self, wish: Wish) -> str:
        """Return the name for the certificate. Raises: name errors."""

    def quote(self, wish: Wish) -> Quote:
        """Price what was chosen. Raises: whatever ``open_quote`` refuses."""

    def page(
        self,
        request: HttpRequest,
        wish: Wish,
        *,
        error: DiandianError | None = None,
        new_total: NewTotal | None = None,
    ) -> HttpResponse:
        """Show projects and prices."""

    def carried(self) -> Mapping[str, object] | None:
        """Return the estimate with its answers, where the guest asked for them to go along."""

    def lead_on(self, error: DiandianError) -> HttpResponse | None:
        """Return where a refusal of this basket's own leads, or None."""


def order(request: HttpRequest, basket: Basket, wish: Wish) -> HttpResponse:
    """Order what was chosen and go to the gateway; pressed twice, the same order."""
    earlier = orders.order_by_idempotency_key(_key(basket, wish))
    if earlier is not None:
        return _to_payment(earlier)
    guest_key = guest.key_for_order(request)
    try:
        name, quote = basket.name(wish), basket.quote(wish)
        changed = _changed_total(wish, Money(quote.total_minor, quote.currency))
        if changed is not None:
            return basket.page(request, wish, new_total=changed)
        by = _by(wish, quote)
        placed = checkout.place_order(
            quote_token=quote.token,
            beneficiary_name=name,
            on_board=wish.on_board,
            language=context.language(),
            by=by,
            idempotency_key=_key(basket, wish),
            guest_key=guest_key,
            fresh_quote=quote,
            carried=basket.carried(),
            retire_at_once=wish.at_once or not (wish.was_asked or basket.buyer.may_withdraw),
            country=basket.buyer.country,
        )
    except DiandianError as error:
        return _refused(request, basket, wish, error)
    response = _to_payment(placed)
    guest.remember(request, response, guest_key)
    return response


def _by(wish: Wish, quote: Quote) -> PayBy:
    """Return the chosen way to pay. Raises: UnknownGatewayError, AmountOutOfRangeError."""
    wanted = ways.due(quote, quote.offer.project.supplier_ref)
    way = ways.choose(wanted, wish.browser, wish.way)
    return PayBy(way.gateway, way.flow, wish.client_ip)


def _key(basket: Basket, wish: Wish) -> str:
    """Return the key of an order; with and without the tick are two, since consent is not found."""
    return basket.key(wish) + (":at_once" if wish.at_once else "")


def _refused(
    request: HttpRequest, basket: Basket, wish: Wish, error: DiandianError
) -> HttpResponse:
    """Lead on from a refused order: to what exists already, or back to the choice."""
    elsewhere = basket.lead_on(error)
    if elsewhere is not None:
        return elsewhere
    if isinstance(error, IdempotencyConflictError | PaymentUnavailableError):
        placed = orders.order_by_idempotency_key(_key(basket, wish))
        # Written, but perhaps no way to pay yet: its own page offers to try again.
        if placed is not None:
            response = redirect("order", placed.token)
            guest.remember(request, response, placed.guest_key)
            return response
    if isinstance(error, SoldOutError):
        context.forget_offers()
    return basket.page(request, wish, error=_at_our_field(error))


def _changed_total(wish: Wish, total: Money) -> NewTotal | None:
    """Compare the total with what the pressed button said."""
    same_choice = wish.agreed_for == wish.subject
    if same_choice and wish.agreed_minor == str(total.amount_minor):
        return None
    digits = wish.agreed_minor.isascii() and wish.agreed_minor.isdigit()
    old = Money(int(wish.agreed_minor[:15]), total.currency) if digits else None
    return NewTotal(old, total, same_choice)


def _at_our_field(error: DiandianError) -> DiandianError:
    """Name the field of this page that an error belongs to."""
    if isinstance(error, InputError) and error.field not in {"project", "name"}:
        error.field = "name" if "name" in error.field else ""
    return error


def _to_payment(order: Order) -> HttpResponse:
    """Send the browser to the gateway, or to the order's own page when it is paid from there."""
    payment = order.newest_payment or orders.latest_payment(order)
    response = redirect(way_on(order, payment))
    response.status_code = 303
    return response


def way_on(order: Order, payment: Payment | None) -> str:
    """Return where an attempt goes on: at the gateway, with a question, or on the order's page."""
    if order.state == OrderState.AWAITING_PAYMENT and payment is not None:
        if ways.lacks_payer(payment):
            return reverse("order_payer", args=[order.token])
        url = ways.leads_to(payment)
        if url:
            return url
    return reverse("order", args=[order.token])


def browser_of(request: HttpRequest) -> Browser:
    """Return where the guest is, by what the browser says."""
    return payment_ways.browser_of(request.META.get("HTTP_USER_AGENT", ""))
