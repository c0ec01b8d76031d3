"""Estimate to price: a quote for exact grams of one project, which holds for an hour."""

from collections.abc import Mapping
from datetime import datetime

from diandian.flows import line_claims, sales
from diandian.footprints.models import Footprint
from diandian.footprints.rules import ALL_PCT, host_g
from diandian.kernel.clock import now
from diandian.kernel.mass import grams_to_buy
from diandian.orders import actions, offers, rules
from diandian.orders.errors import (
    FootprintExpiredError,
    HostAnswersError,
    NothingToRetireError,
    SceneClosedError,
    SoldOutError,
    TooMuchError,
)
from diandian.orders.models import HolderKind, Offer, Quote
from diandian.registry import queries as registry_queries
from diandian.scenes.models import Scene
from diandian.scenes.queries import takes_orders


def grams_for(*, mass_g: int, high_g: int, to_upper_bound: bool) -> int:
    """Return the grams to retire for an estimate: whole kilograms, rounded up."""
    return grams_to_buy(high_g if to_upper_bound else mass_g)


def open_quote(  # noqa: PLR0913 - one of three subjects, and how
    *,
    project_code: str,
    footprint: Footprint | None = None,
    scene: Scene | None = None,
    estimate: Mapping[str, object] | None = None,
    mass_g: int | None = None,
    to_upper_bound: bool = False,
    currency: str = "CNY",
    holder_kind: str = HolderKind.PERSON,
    holder_ref: str = "",
    is_ordered_at_once: bool = False,
    at: datetime | None = None,
) -> Quote:
    """Price a saved footprint, an estimate or a plain mass; nothing is held or charged yet.

    Give one of ``footprint``, ``estimate`` (JSON of an Estimate) or ``mass_g``; with an estimate,
    ``mass_g`` is the part of it that is wanted. Of a scene whose travel is split, only the guest's
    part is priced. ``holder_kind``, ``holder_ref``: in whose
    name, such as company and "organisation:7". ``is_ordered_at_once``: the order that follows
    holds the grams or is refused, so the stock is not looked at here, and it writes the quote.
    Raises: SalesPausedError, UnknownOfferError, NothingToRetireError, TooMuchError, SoldOutError,
    SceneClosedError, HostAnswersError, AlreadyCoveredError, FootprintExpiredError.
    """
    at = at or now()
    if footprint is not None:
        if footprint.expires_at <= at:
            raise FootprintExpiredError
        scene = footprint.scene
        wanted = grams_for(
            mass_g=footprint.guest_g,
            high_g=footprint.guest_high_g,
            to_upper_bound=to_upper_bound,
        )
    elif estimate is not None and mass_g is not None:
        wanted = grams_to_buy(mass_g)
    elif estimate is not None:
        mass_g, high_g = _guests_part(estimate, scene)
        wanted = grams_for(mass_g=mass_g, high_g=high_g, to_upper_bound=to_upper_bound)
    else:
        wanted = grams_to_buy(mass_g or 0)
    if scene is not None:
        _refuse_scene(scene, footprint, at)
    offer = offer_for(wanted, project_code, currency, looks_at_stock=not is_ordered_at_once)
    return actions.write_quote(
        offer=offer,
        price=offers.price_of(offer, wanted),
        mass_g=wanted,
        scene=scene,
        footprint=footprint,
        estimate=estimate,
        holder_kind=holder_kind,
        holder_ref=holder_ref,
        is_ordered_at_once=is_ordered_at_once,
        at=at,
    )


def offer_for(
    wanted_g: int, project_code: str, currency: str, *, looks_at_stock: bool = True
) -> Offer:
    """Return a project's offer if it can serve that mass now. Units: grams.

    Raises: SalesPausedError, UnknownOfferError, NothingToRetireError, TooMuchError, SoldOutError.
    """
    sales.refuse_while_stopped()
    if wanted_g == 0:
        raise NothingToRetireError(field="mass_g")
    if wanted_g > rules.ORDER_LIMIT_G:
        raise TooMuchError(field="mass_g", limit_t=rules.ORDER_LIMIT_G // 1_000_000)
    offer = offers.of_project(project_code, currency)
    if looks_at_stock:
        available_g = registry_queries.available_g(offer.project_id)
        if available_g < wanted_g:
            raise SoldOutError(available_g=available_g)
    return offer


def _guests_part(estimate: Mapping[str, object], scene: Scene | None) -> tuple[int, int]:
    """Return the mass and the upper end of what the guest answers for in an estimate."""
    mass_g, high_g = int(str(estimate["mass_g"])), int(str(estimate["high_g"]))
    hosts_g = host_g(estimate, scene.organiser_pct) if scene is not None else 0
    if not hosts_g:
        return mass_g, high_g
    return mass_g - hosts_g, -(-high_g * (mass_g - hosts_g) // mass_g)


def _refuse_scene(scene: Scene, footprint: Footprint | None, at: datetime) -> None:
    if not takes_orders(scene, at):
        raise SceneClosedError
    # One gram, one claimant: what the organiser answers for or covers is not sold to guests again.
    # Whose the travel is, a footprint knows since it was saved.
    if footprint.is_hosts if footprint is not None else scene.organiser_pct == ALL_PCT:
        raise HostAnswersError
    line_claims.refuse_all_covered(scene)
    if footprint is not None:
        line_claims.refuse_claimed(footprint.id, scene)
