"""Estimate to price: a quote for exact grams of one project, which holds for an hour."""

from collections.abc import Mapping
from datetime import datetime

from diandian.footprints.models import Footprint
from diandian.kernel.clock import now
from diandian.kernel.mass import grams_to_buy
from diandian.orders import actions, queries, rules
from diandian.orders.errors import (
    FootprintExpiredError,
    HostAnswersError,
    NothingToRetireError,
    SceneClosedError,
    SoldOutError,
    TooMuchError,
)
from diandian.orders.models import Quote
from diandian.registry import queries as registry_queries
from diandian.scenes.models import Scene, TravelOwner
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
    at: datetime | None = None,
) -> Quote:
    """Price a saved footprint, an estimate or a plain mass; nothing is held or charged yet.

    Give one of ``footprint``, ``estimate`` (JSON of an Estimate) or ``mass_g``.
    Raises: UnknownOfferError, NothingToRetireError, TooMuchError, SoldOutError, SceneClosedError,
    HostAnswersError, FootprintExpiredError.
    """
    at = at or now()
    if footprint is not None:
        if footprint.expires_at <= at:
            raise FootprintExpiredError
        scene = footprint.scene
        wanted = grams_for(
            mass_g=footprint.mass_g, high_g=footprint.high_g, to_upper_bound=to_upper_bound
        )
    elif estimate is not None:
        wanted = grams_for(
            mass_g=int(str(estimate["mass_g"])),
            high_g=int(str(estimate["high_g"])),
            to_upper_bound=to_upper_bound,
        )
    else:
        wanted = grams_to_buy(mass_g or 0)
    if scene is not None:
        _refuse_scene(scene, at)
    if wanted == 0:
        raise NothingToRetireError(field="mass_g")
    if wanted > rules.ORDER_LIMIT_G:
        raise TooMuchError(field="mass_g", limit_t=rules.ORDER_LIMIT_G // 1_000_000)
    offer = queries.offer_of_project(project_code, currency)
    available_g = registry_queries.available_g(offer.project_id)
    if available_g < wanted:
        raise SoldOutError(available_g=available_g)
    return actions.write_quote(
        offer=offer,
        price=queries.price_of(offer, wanted),
        mass_g=wanted,
        scene=scene,
        footprint=footprint,
        estimate=estimate,
        at=at,
    )


def _refuse_scene(scene: Scene, at: datetime) -> None:
    if not takes_orders(scene, at):
        raise SceneClosedError
    if scene.travel_owner == TravelOwner.ORGANISER:
        # One gram, one claimant: what the organiser answers for is not sold to guests again.
        raise HostAnswersError
