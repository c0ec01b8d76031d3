"""What is on sale at the operator's desk, and from what amount on each way to pay takes it.

A project that a guest cannot choose for a small trip is hidden by one of two bounds: the gateway's
own smallest payment, or the share that it divides off where the supplier collects.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from diandian.flows import split_terms
from diandian.kernel.mass import GRAMS_PER_KG
from diandian.kernel.money import Money
from diandian.orders import offers
from diandian.orders.offers import OfferView
from diandian.payments import merchants, ways
from diandian.payments.merchant_files import Merchant

_MOST_KG = 100_000


@dataclass(frozen=True, slots=True)
class FromHere:
    """A way to pay of an offer. ``from_g``: the smallest mass that it takes, None for none at all.

    ``price``: of that mass. ``is_fee``: whether our fee makes the bound.
    """

    gateway: str
    from_g: int | None
    price: Money | None
    is_fee: bool


class ShowsOffers:
    """A list to read that begins with what guests see of it."""

    list_before_template = "office/desk/offers.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list, and above it from what amount on each offer can be bought."""
        found = [(view, _ways_of(view)) for view in offers.on_sale()]
        page: HttpResponse = super().changelist_view(  # type: ignore[misc]
            request, (extra_context or {}) | {"on_sale": found}
        )
        return page


def _ways_of(view: OfferView) -> list[FromHere]:
    return [_from(view, each) for each in merchants.serving(view.project.supplier_ref)]


def _from(view: OfferView, merchant: Merchant) -> FromHere:
    gateway = gettext(ways.NAMES.get(merchant.gateway, merchant.gateway))
    if not _takes(view, merchant, _MOST_KG):
        is_fee = not _takes_fee(view, merchant, _MOST_KG)
        return FromHere(gateway, None, None, is_fee=is_fee)
    low, high = 0, _MOST_KG  # what is not taken, what is
    while high - low > 1:
        middle = (low + high) // 2
        if _takes(view, merchant, middle):
            high = middle
        else:
            low = middle
    price = view.price_of(high * GRAMS_PER_KG).total
    is_fee = low > 0 and not _takes_fee(view, merchant, low)
    return FromHere(gateway, high * GRAMS_PER_KG, price, is_fee=is_fee)


def _takes(view: OfferView, merchant: Merchant, mass_kg: int) -> bool:
    """Tell whether a mass is not too small for a way to pay; too large is nothing to hide."""
    total = view.price_of(mass_kg * GRAMS_PER_KG).total
    capabilities = merchants.gateway_of(merchant.gateway).capabilities(merchant.context)
    limits = capabilities.limits_minor.get(total.currency)
    is_enough = limits is not None and total.amount_minor >= max(limits[0], 1)
    return is_enough and _takes_fee(view, merchant, mass_kg)


def _takes_fee(view: OfferView, merchant: Merchant, mass_kg: int) -> bool:
    price = view.price_of(mass_kg * GRAMS_PER_KG)
    return split_terms.takes_fee(merchant, price.fee, price.total)
