"""A company takes over a part of a scene: what is open to it, a price, an order in its name.

The organiser says what may be sponsored: guests' own parts, what is left of the organiser's, or
both. A sponsor's claims are runs and parts like any cover's, so no gram has two claimants; guests
whose visit a sponsor claims are told who before they pay. A visit is taken over whole, oldest
first; guests who come later are not claimed by anybody. *Source:* market study, M1.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from diandian.flows import cover, host_orders, locks
from diandian.flows.checkout import PayBy
from diandian.flows.line_claims import WHOLE_PCT, Cover, refuse_unopened
from diandian.footprints import queries
from diandian.kernel.clock import now
from diandian.kernel.errors import N_
from diandian.kernel.mass import GRAMS_PER_KG, grams_to_buy
from diandian.orders import progress
from diandian.orders import queries as order_queries
from diandian.orders.errors import (
    NothingLeftError,
    QuoteNotFoundError,
    SponsoringClosedError,
    VisitsWholeError,
)
from diandian.orders.models import HolderKind, Order, Quote
from diandian.people import access
from diandian.people.queries import Visitor
from diandian.scenes.models import Scene, Sponsoring

PARTS = {
    Sponsoring.GUESTS: N_("Visits of guests, each whole"),
    Sponsoring.REST: N_("What is left of the organiser's"),
    Sponsoring.BOTH: N_("Both"),
}
REFUSALS = (SponsoringClosedError, NothingLeftError, VisitsWholeError)


@dataclass(frozen=True, slots=True)
class Open:
    """What is open of the parts that the organiser lets sponsors take over. Units: grams."""

    guests_g: int
    rest_g: int

    def of(self, part: Sponsoring) -> int:
        """Return what is open of a part."""
        guests_g = 0 if part is Sponsoring.REST else self.guests_g
        return guests_g + (0 if part is Sponsoring.GUESTS else self.rest_g)


def parts_open(scene: Scene) -> list[Sponsoring]:
    """Return the parts that a sponsor may choose from, as the organiser opened them."""
    if scene.sponsoring == Sponsoring.BOTH:
        return [Sponsoring.GUESTS, Sponsoring.REST, Sponsoring.BOTH]
    return [Sponsoring(scene.sponsoring)] if scene.is_open_to_sponsors else []


def open_of(scene: Scene) -> Open:
    """Return what is unclaimed now. Reads sums only; takes no lock."""
    own_g = cover.residual_of(scene).residual_g
    return Open(cover.residual_of(scene, for_everyone=True).residual_g - own_g, own_g)


def taken_over(scene: Scene) -> dict[str, int]:
    """Return the grams that each sponsor took over, by the name on the certificate.

    No statement where sponsoring was never open.
    """
    if scene.sponsoring == Sponsoring.NONE:
        return {}
    given: dict[str, int] = {}
    for order in progress.of_sponsors(scene):
        claimed_g = int((order.quote.cover or {}).get("claimed_g", 0))
        given[order.beneficiary_name] = given.get(order.beneficiary_name, 0) + claimed_g
    return given


def open_quote(
    scene: Scene,
    *,
    part: Sponsoring,
    kg: int | None,
    project_code: str,
    organisation_ref: str = "",
    currency: str = "CNY",
    at: datetime | None = None,
) -> Quote:
    """Price what a sponsor takes over: at most ``kg`` kilograms of a part, or all that is open.

    Nothing is claimed, held or charged before the order. Locks: the scene.
    Raises: SponsoringClosedError, NothingLeftError, VisitsWholeError, InventoryOpenError,
    UnknownOfferError, TooMuchError, SoldOutError.
    """
    at = at or now()
    with transaction.atomic():
        locked = locks.lock_scene(scene.id)
        wish, claimed_g = _planned(locked, part, kg)
        if not wish.guests_only:
            wish = replace(wish, version_id=cover.closed_of(locked, at).id)
        return cover.write_quote(
            locked,
            replace(wish, claimed_g=claimed_g),
            wanted_g=grams_to_buy(claimed_g),
            project_code=project_code,
            currency=currency,
            holder=(HolderKind.SPONSOR, organisation_ref),
            at=at,
        )


def would_claim_g(scene: Scene, *, part: Sponsoring, kg: int | None) -> int:
    """Return the grams to buy for what a sponsor would take over now. Takes no lock.

    Raises: SponsoringClosedError, NothingLeftError, VisitsWholeError.
    """
    return grams_to_buy(_planned(scene, part, kg)[1])


def _planned(scene: Scene, part: Sponsoring, kg: int | None) -> tuple[Cover, int]:
    """Return a cover, its inventory not named yet, and what it claims now."""
    refuse_unopened(scene, part)
    if not open_of(scene).of(part):
        raise NothingLeftError
    wish = Cover(
        version_id=0,
        up_to_id=queries.last_footprint_id(scene),
        for_everyone=part != Sponsoring.REST,
        guests_only=part == Sponsoring.GUESTS,
        share_percent=WHOLE_PCT,
        budget_g=(kg or 0) * GRAMS_PER_KG,
    )
    claimed_g = cover.planned_g(scene, wish)
    if not claimed_g:
        raise VisitsWholeError(field="kg")
    return wish, claimed_g


# --- for an organisation that is signed in ------------------------------------------------------


def quote_of(visitor: Visitor, scene: Scene, token: str) -> Quote:
    """Return a sponsor's quote of one of the visitor's organisations for this scene.

    Raises: QuoteNotFoundError also for quotes of others, NotAllowedError.
    """
    quote = order_queries.quote_by_token(token)
    is_sponsors = quote.holder_kind == HolderKind.SPONSOR and quote.scene_id == scene.id
    if not is_sponsors or not visitor.role_in(quote.holder_ref):
        raise QuoteNotFoundError
    access.require(visitor, quote.holder_ref, "write")
    return quote


def place(visitor: Visitor, quote: Quote, *, language: str, by: PayBy) -> Order:
    """Order a sponsor's quote in the organisation's legal name. Idempotent by: the quote.

    Raises: as ``place_order``, NotAllowedError.
    """
    access.require(visitor, quote.holder_ref, "write")
    assert quote.holder_kind == HolderKind.SPONSOR, "a sponsor's quote"
    return host_orders.order_for(
        visitor,
        quote,
        kind="sponsor",
        action="scene.sponsored",
        language=language,
        by=by,
    )
