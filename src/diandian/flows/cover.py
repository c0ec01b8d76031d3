"""The organiser's cover: what of a scene is still unclaimed, and a price for the rest of it.

Two readings of "the rest". The organiser's own: the closed inventory's lines and the organiser's
part of every guest's travel; what guests answer for is not in it. For everyone: guests' unclaimed
parts as well; once that is retired in full, guests who arrive later are told so before they pay.
Duplicate answers of one person cannot be told apart, since guests are not known.
*Source:* methodology, sections 9 and 10; market study, M1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from diandian.flows import inside, locks
from diandian.flows.line_claims import WHOLE_PCT, Cover, has_rooms_inside, plan
from diandian.flows.quote import offer_for
from diandian.footprints import actions as footprint_actions
from diandian.footprints import queries, rules
from diandian.footprints.models import Claimant, InventoryVersion
from diandian.kernel.clock import now
from diandian.kernel.mass import grams_to_buy
from diandian.orders import actions, offers
from diandian.orders.errors import (
    InventoryOpenError,
    NothingLeftError,
    SceneClosedError,
    ShareError,
)
from diandian.orders.models import HolderKind, Quote
from diandian.scenes.models import Scene, SceneState


@dataclass(frozen=True, slots=True)
class Residual:
    """What of an inventory is claimed by whom, and what is left. Units: grams.

    ``inventory_g``: all that the organiser may cover. ``claimed_by_guests_g``: what guests claim of
    the very same grams. ``residual_g``: unclaimed now, never below 0; orders that are not paid yet
    count as claims. ``high_g``: its upper end. ``is_stated``: only stated, no inventory was closed.
    """

    inventory_g: int
    claimed_by_guests_g: int
    claimed_by_host_g: int
    claimed_by_sponsors_g: int
    residual_g: int
    high_g: int
    is_stated: bool


@dataclass(frozen=True, slots=True)
class _Site:
    """The organiser's lines: of the newest closed inventory, else as the host stated them."""

    version: InventoryVersion | None
    document: Mapping[str, Any]
    elsewhere: Sequence[str]
    is_stated: bool = False

    @property
    def lines(self) -> dict[str, int]:
        return rules.claimable(self.document, elsewhere=self.elsewhere)


def residual_of(scene: Scene, *, for_everyone: bool = False) -> Residual:
    """Return what is left to cover in a scene. Reads sums only; takes no lock.

    ``for_everyone``: with the guests' own parts, else what the organiser answers for.
    """
    site = _site(scene)
    lines, sums = site.lines, queries.visit_sums(scene)
    inside = has_rooms_inside(scene)
    matched_g = sums.rooms_matched_g if inside else 0
    site_g = sum(lines.values())
    runs = rules.open_runs(lines, queries.site_claims(scene), less_g=matched_g)
    open_site_g = sum(run.mass_g for run in runs)
    inventory_g, visits_g = site_g + sums.host_g, sums.open_host_g
    by_guests_g = min(matched_g, site_g)
    site_claimed_g = queries.site_claimed_g(scene)
    by_host_g = site_claimed_g.get(Claimant.HOST, 0) + sums.host_claimed_g
    by_sponsors_g = site_claimed_g.get(Claimant.SPONSOR, 0) + sums.sponsored_host_g
    if for_everyone:
        up_to_id = queries.last_footprint_id(scene)
        open_visits = queries.open_visits(
            scene, up_to_id=up_to_id, for_everyone=True, rooms=not inside
        )
        theirs_g = sum(visit.mass_g for visit in open_visits if not visit.is_host_part)
        claimed_g = sums.guest_claimed_g - matched_g
        inventory_g += theirs_g + claimed_g + sums.guest_claimed_by_host_g + sums.sponsored_guest_g
        by_guests_g += claimed_g
        by_host_g += sums.guest_claimed_by_host_g
        by_sponsors_g += sums.sponsored_guest_g
        visits_g += theirs_g
    high_g = _upper(open_site_g, site.document["mass_g"], site.document["high_g"])
    return Residual(
        inventory_g=inventory_g,
        claimed_by_guests_g=by_guests_g,
        claimed_by_host_g=by_host_g,
        claimed_by_sponsors_g=by_sponsors_g,
        residual_g=open_site_g + visits_g,
        high_g=high_g + _upper(visits_g, sums.mass_g, sums.high_g),
        is_stated=site.is_stated,
    )


def open_cover_quote(  # noqa: PLR0913 - what is covered, by whom, and how
    scene: Scene,
    *,
    organisation_ref: str,
    project_code: str,
    share_percent: int = WHOLE_PCT,
    to_upper_bound: bool = False,
    for_everyone: bool = False,
    currency: str = "CNY",
    at: datetime | None = None,
) -> Quote:
    """Price what is left of a scene; nothing is claimed, held or charged before the order.

    ``share_percent``: of what is left; the site's lines come first, then visits whole, oldest
    first, as long as they fit. Whole kilograms, rounded up. What the host only stated is closed as
    an inventory, so that what is bought stays what it is. Locks: the scene.
    Raises: ShareError, SceneClosedError, NothingLeftError, InventoryOpenError, UnknownOfferError,
    TooMuchError, SoldOutError.
    """
    at = at or now()
    if isinstance(share_percent, bool) or not 1 <= share_percent <= WHOLE_PCT:
        raise ShareError(field="share_percent")
    if scene.state != SceneState.PUBLISHED:
        raise SceneClosedError
    with transaction.atomic():
        locks.lock_scene(scene.id)
        left = residual_of(scene, for_everyone=for_everyone)
        if not left.residual_g:
            raise NothingLeftError
        cover = Cover(
            version_id=closed_of(scene, at).id,
            up_to_id=queries.last_footprint_id(scene),
            for_everyone=for_everyone,
            share_percent=share_percent,
        )
        claimed_g = planned_g(scene, cover)
        if not claimed_g:
            raise NothingLeftError
        upper_g = _upper(claimed_g, left.residual_g, left.high_g)
        return write_quote(
            scene,
            replace(cover, claimed_g=claimed_g),
            wanted_g=grams_to_buy(upper_g if to_upper_bound else claimed_g),
            project_code=project_code,
            currency=currency,
            holder=(HolderKind.HOST, organisation_ref),
            at=at,
        )


def planned_g(scene: Scene, cover: Cover) -> int:
    """Return the grams that a cover would claim now."""
    return plan(scene, _site(scene).lines, cover).mass_g


def write_quote(
    scene: Scene,
    cover: Cover,
    *,
    wanted_g: int,
    project_code: str,
    currency: str,
    holder: tuple[HolderKind, str],
    at: datetime,
) -> Quote:
    """Price a cover. ``holder``: kind and reference of whose name it will stand in.

    Raises: UnknownOfferError, TooMuchError, SoldOutError.
    """
    offer = offer_for(wanted_g, project_code, currency)
    return actions.write_quote(
        offer=offer,
        price=offers.price_of(offer, wanted_g),
        mass_g=wanted_g,
        scene=scene,
        footprint=None,
        cover=cover.to_json(),
        holder_kind=holder[0],
        holder_ref=holder[1],
        at=at,
    )


def _site(scene: Scene) -> _Site:
    version = queries.closed_inventory(scene)
    if version is not None and not version.document.get("stated"):
        return _Site(version, version.document, scene.inside_sources)
    return _Site(version, queries.stated_inventory(scene), scene.inside_sources, is_stated=True)


def closed_of(scene: Scene, at: datetime) -> InventoryVersion:
    """Return the closed inventory, made of what the host stated where there is none of its own.

    Raises: CountedTwiceError, InventoryOpenError.
    """
    inside.refuse_double(scene, queries.closed_inventory(scene))
    site = _site(scene)
    if site.version is not None and site.version.document == site.document:
        return site.version
    if queries.has_open_inventory(scene):
        raise InventoryOpenError
    footprint_actions.save_inventory(scene, site.document, at=at)
    return footprint_actions.close_inventory(scene, at=at)


def _upper(part_g: int, mass_g: int, high_g: int) -> int:
    """Return a part's share of an upper end, rounded up to a gram."""
    return -(-part_g * high_g // mass_g) if mass_g else part_g
