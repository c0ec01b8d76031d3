"""Who claims which line while an order lives: one gram, one claimant.

An order claims in the transaction that holds its grams, before anything is paid, so that of two who
want the same part one is refused with their money untouched. What an order claims is given back
when it ends unretired, and stays for ever once it is fulfilled.
*Source:* methodology, section 10 (rules 1, 2 and 6); market study, M1.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from django.utils.translation import get_language

from diandian.flows import inside, locks
from diandian.footprints import actions, queries, rules
from diandian.footprints.models import Claimant, InventoryVersion
from diandian.orders import queries as order_queries
from diandian.orders.errors import (
    AlreadyCoveredError,
    BeingCoveredError,
    CoverChangedError,
    SponsoringClosedError,
    SponsorPayingError,
)
from diandian.orders.models import HolderKind, Order, OrderState
from diandian.scenes import actions as scene_actions
from diandian.scenes.models import CoverState, Scene, SceneState, Sponsoring

WHOLE_PCT = 100
# Who covers by an order of their own, and how their claims are marked.
COVERERS: dict[str, Claimant] = {
    HolderKind.HOST: Claimant.HOST,
    HolderKind.SPONSOR: Claimant.SPONSOR,
}
# A room's factor covers the whole house: guests' nights lie within a hotel's own inventory.
_HOUSE = "hotel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """What a cover's quote claims, so that it can be found again as it was quoted.

    ``version_id``: of the closed inventory. ``up_to_id``: the newest footprint counted.
    ``for_everyone``: guests' own parts too. ``guests_only``: nothing but those. ``budget_g``: at
    most so many grams, 0 for no bound. ``claimed_g``: grams in all.
    """

    version_id: int
    up_to_id: int
    for_everyone: bool
    share_percent: int
    guests_only: bool = False
    budget_g: int = 0
    claimed_g: int = 0

    def to_json(self) -> dict[str, object]:
        """Return whole numbers and a flag."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> "Cover":
        """Return the cover that ``to_json`` described."""
        return cls(**data)  # type: ignore[arg-type]


def has_rooms_inside(scene: Scene) -> bool:
    """Tell whether guests' nights lie within the scene's own inventory."""
    return scene.kind == _HOUSE


def lines_for_sale(scene: Scene, version: InventoryVersion | None) -> dict[str, int]:
    """Return the claimable grams of a closed inventory's lines; what lies elsewhere is none."""
    if version is None:
        return {}
    return rules.claimable(version.document, elsewhere=scene.inside_sources)


def plan(scene: Scene, lines: Mapping[str, int], cover: Cover) -> rules.Taken:
    """Return what a cover claims now. ``lines``: claimable grams of the site, by line."""
    inside = has_rooms_inside(scene)
    visits = queries.open_visits(
        scene, up_to_id=cover.up_to_id, for_everyone=cover.for_everyone, rooms=not inside
    )
    if cover.guests_only:
        runs, visits = [], [visit for visit in visits if not visit.is_host_part]
    else:
        matched_g = queries.visit_sums(scene).rooms_matched_g if inside else 0
        runs = rules.open_runs(lines, queries.site_claims(scene), less_g=matched_g)
    share_g = rules.grams_of(runs, visits) * cover.share_percent // WHOLE_PCT
    return rules.take(runs, visits, min(share_g, cover.budget_g or share_g))


# --- an order's life ----------------------------------------------------------------------------


def claim(order: Order, *, at: datetime, is_late: bool = False) -> None:
    """Claim what an order pays for, in the transaction that holds its grams.

    ``is_late``: it was given up and is paid after all; a sponsor then needs no leave any more.

    Locks: for a cover, the scene. Raises: IntegrityError when somebody else claims a
    part of it, CoverChangedError when a cover's quote no longer fits, SponsoringClosedError,
    SponsorPayingError.
    """
    if order.footprint is not None:
        actions.claim_lines(order.footprint, claimant_ref=order.ref, at=at)
    elif order.quote.cover is not None:
        _claim_cover(order, Cover.from_json(order.quote.cover), at, is_late=is_late)


def claim_again(order: Order, *, at: datetime) -> None:
    """Claim for an order that was given up and is paid after all. Idempotent by the order.

    Raises: as ``claim``.
    """
    if _may_claim(order) and not queries.has_claims(order.ref, order.footprint_id):
        claim(order, at=at, is_late=True)


def let_go(order: Order) -> None:
    """Give back what an order claims that ends unretired. Idempotent."""
    if order.footprint_id is not None:
        actions.release_guest_claims(order.footprint_id, claimant_ref=order.ref)
    elif _may_claim(order):
        actions.release_cover_claims(claimant_ref=order.ref)


def complete(order: Order) -> None:
    """Note that an organiser covers everybody, once that is fulfilled. Locks: the scene."""
    if order.holder_kind != HolderKind.HOST or order.quote.cover is None or order.scene is None:
        return
    cover = Cover.from_json(order.quote.cover)
    if cover.for_everyone and cover.share_percent == WHOLE_PCT:
        scene_actions.note_cover(order.scene, CoverState.ALL, claimant_ref=order.ref)


def part_of(cover: Cover) -> Sponsoring:
    """Return which part of a scene a cover takes over."""
    if cover.guests_only:
        return Sponsoring.GUESTS
    return Sponsoring.BOTH if cover.for_everyone else Sponsoring.REST


def refuse_unopened(scene: Scene, part: Sponsoring) -> None:
    """Refuse what the organiser did not open to sponsors. Raises: SponsoringClosedError."""
    is_open = scene.is_open_to_sponsors and scene.state == SceneState.PUBLISHED
    if not is_open or scene.sponsoring not in {part, Sponsoring.BOTH}:
        raise SponsoringClosedError


def _may_claim(order: Order) -> bool:
    return order.footprint_id is not None or order.holder_kind in COVERERS


def _claim_cover(order: Order, cover: Cover, at: datetime, *, is_late: bool) -> None:
    assert order.scene_id is not None, "a cover is of a scene"
    scene = locks.lock_scene(order.scene_id)
    if order.holder_kind == HolderKind.SPONSOR and not is_late:
        refuse_unopened(scene, part_of(cover))
        # Under the scene's lock, so exact: what is unpaid keeps guests away from what it holds.
        if order_queries.other_sponsor_waits(order):
            raise SponsorPayingError
    # Visits are a sponsor's without the organiser's inventory.
    version = None if cover.guests_only else queries.closed_inventory(scene)
    if not cover.guests_only and (version is None or version.id != cover.version_id):
        raise CoverChangedError
    inside.refuse_double(scene, version)
    taken = plan(scene, lines_for_sale(scene, version), cover)
    if taken.mass_g != cover.claimed_g:
        raise CoverChangedError
    _write(scene, version, taken, order, at)


def _write(
    scene: Scene,
    version: InventoryVersion | None,
    taken: rules.Taken,
    order: Order,
    at: datetime,
) -> None:
    kind, ref, claimed_g = COVERERS[order.holder_kind], order.ref, 0
    if version is not None:
        claimed_g = actions.claim_site(
            version, taken.runs, claimant_kind=kind, claimant_ref=ref, at=at
        )
    claimed_g += actions.claim_visits(
        taken.visits,
        claimant_kind=kind,
        claimant_ref=ref,
        rooms=not has_rooms_inside(scene),
        at=at,
    )
    assert claimed_g == taken.mass_g, "the parts of a visit are its lines"
    if not all(visit.is_host_part for visit in taken.visits):
        scene_actions.note_cover(scene, CoverState.SOME, claimant_ref=ref)


# --- what guests are told before they pay -------------------------------------------------------


def refuse_all_covered(scene: Scene) -> None:
    """Refuse to sell to guests what the organiser covers for everybody. Costs no statement.

    Raises: AlreadyCoveredError.
    """
    if scene.cover_state == CoverState.ALL:
        raise AlreadyCoveredError(name=covered_by(scene, scene.cover_ref))


def refuse_claimed(footprint_id: int, scene: Scene) -> None:
    """Refuse to sell to a guest what a cover claims; one statement where there is a cover.

    Raises: AlreadyCoveredError, BeingCoveredError.
    """
    if scene.cover_state != CoverState.NONE:
        refuse_taken(footprint_id, scene)


def refuse_taken(footprint_id: int, scene: Scene) -> None:
    """Say so where a cover claims a guest's lines. Raises: as ``refuse_claimed``."""
    ref = queries.cover_claim_on(footprint_id)
    if not ref:
        return
    order = order_queries.order_of_ref(ref)
    paid = order is None or order.state != OrderState.AWAITING_PAYMENT
    raise (AlreadyCoveredError if paid else BeingCoveredError)(name=covered_by(scene, ref))


def covered_by(scene: Scene, ref: str) -> str:
    """Return the name on the covering order, else the host's in the reader's language."""
    order = order_queries.order_of_ref(ref)
    if order is not None and order.beneficiary_name:
        return order.beneficiary_name
    names = {lang.lower(): text for lang, text in scene.host_names.items()}
    wanted = (get_language() or "en").lower()
    return str(names.get(wanted) or names.get("en") or next(iter(names.values()), ""))
