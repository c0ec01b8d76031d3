"""What is on sale: offers with their prices, as guests see them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from diandian.kernel.mass import GRAMS_PER_KG
from diandian.kernel.money import Money
from diandian.orders.errors import UnknownOfferError
from diandian.orders.models import Offer
from diandian.orders.pricing import Price, price
from diandian.registry import queries as registry_queries
from diandian.registry.models import Project
from diandian.store.statements import Param, Select, SelectMany

LOW_STOCK_G = 5_000_000
_PRICES: SelectMany[Any] = SelectMany(
    lambda ids: (
        Offer.objects.filter(project__id__in=ids, currency=Param("currency"))
        .order_by("id")
        .values_list("project_id", "price_per_tonne_minor")
    )
)
_OFFER = Select(
    lambda: (
        Offer.objects.filter(
            is_active=True,
            currency=Param("currency"),
            project__code=Param("code"),
            project__is_active=True,
        )
        .select_related("project__programme")
        .order_by("id")[:1]
    )
)


@dataclass(frozen=True, slots=True)
class OfferView:
    """An offer as a guest sees it; ``available_g`` is what can still be held now."""

    offer: Offer
    project: Project
    available_g: int
    vintage_year: int

    @property
    def price_per_tonne(self) -> Money:
        """Return the supplier's price of a tonne."""
        return Money(self.offer.price_per_tonne_minor, self.offer.currency)

    def price_of(self, mass_g: int) -> Price:
        """Return the price of a mass in grams."""
        return price_of(self.offer, mass_g)

    def is_sold_out_for(self, mass_g: int) -> bool:
        """Tell whether this mass cannot be held any more."""
        return self.available_g < mass_g

    @property
    def sold_out(self) -> bool:
        """Tell whether not even a kilogram is left."""
        return self.available_g < GRAMS_PER_KG

    @property
    def low_stock(self) -> bool:
        """Tell whether little is left."""
        return not self.sold_out and self.available_g < LOW_STOCK_G


def price_of(offer: Offer, mass_g: int) -> Price:
    """Price a mass by an offer."""
    return price(
        mass_g,
        price_per_tonne_minor=offer.price_per_tonne_minor,
        fee_basis_points=offer.fee_basis_points,
        fee_minimum_minor=offer.fee_minimum_minor,
        currency=offer.currency,
    )


def on_sale(currency: str = "CNY") -> list[OfferView]:
    """Return what is on sale, in the operator's published order; sold-out projects come last."""
    rows = list(
        Offer.objects.filter(
            is_active=True, currency=currency, project__is_active=True
        ).select_related("project__programme")
    )
    ids = [offer.project_id for offer in rows]
    stock = registry_queries.available_by_project(ids)
    vintages = registry_queries.vintage_by_project(ids)
    views = [
        OfferView(
            offer, offer.project, stock.get(offer.project_id, 0), vintages.get(offer.project_id, 0)
        )
        for offer in rows
    ]
    return sorted(views, key=lambda view: view.sold_out)


def of_project(project_code: str, currency: str = "CNY") -> Offer:
    """Return the active offer of a project by its code. Raises: UnknownOfferError."""
    offer = _OFFER.first(currency=currency, code=project_code)
    if offer is None:
        raise UnknownOfferError(field="project")
    return offer


def prices_per_tonne(project_ids: Collection[int], currency: str = "CNY") -> dict[int, Money]:
    """Return what a tonne of each project costs, as last offered; none for those never offered."""
    found = _PRICES.all(list(project_ids), currency=currency)
    return {project_id: Money(minor, currency) for project_id, minor in found}
