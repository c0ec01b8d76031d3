"""A scene that takes place inside another: the same activity is counted, and sold, once.

The one that opened first owns it; the inner scene's lines are references: their grams are shown and
not for sale. What the whole house counts (energy, water, cooling gases) must be a reference as soon
as the house counts it; catering or waste may be either's. *Source:* methodology, section 10 (rules
1, 7 and 9).
"""

from collections.abc import Collection, Mapping

from django.db import transaction
from django.utils.translation import gettext

from diandian.emissions.inventory.categories import CATEGORIES
from diandian.emissions.scene_kind import scene_kind
from diandian.flows import locks
from diandian.footprints import queries, rules
from diandian.footprints.errors import (
    AlreadyClaimedError,
    CountedTwiceError,
    NotCountedThereError,
    OuterSceneError,
)
from diandian.footprints.models import InventoryVersion
from diandian.kernel.errors import N_
from diandian.people import access
from diandian.people.queries import Visitor
from diandian.scenes import queries as scenes
from diandian.scenes.errors import SceneChoiceError, SceneNotFoundError, SceneNotPublishedError
from diandian.scenes.inside import actions
from diandian.scenes.models import Scene, SceneState
from diandian.scenes.rules import meet

# What a house counts as a whole, so that an event in it cannot have its own besides.
WHOLE_HOUSE = frozenset({"electricity", "heat", "fuel_site", "refrigerant", "water"})
# Guests' own journeys and nights are references of their own, by guest.
_OF_PEOPLE = frozenset({"attendee_travel", "attendee_lodging", "staff_travel"})
WHY = {
    "unknown": N_("no scene that is open has this address"),
    "same": N_("a scene does not lie in itself"),
    "nested": N_("one of the two is inside, or around, another scene already"),
    "later": N_("it opened later, and whichever opened first owns what both count"),
    "apart": N_("the two are not in the same city on the same days"),
}


def sources_that_may_lie_outside(scene: Scene) -> list[str]:
    """Return the sources of a scene that a house around it may count."""
    kinds = [source.category for source in scene_kind(scene.kind).host_sources]
    return [key for key in CATEGORIES if key in kinds and key not in _OF_PEOPLE]


def place_inside(visitor: Visitor, scene: Scene, slug: str, sources: Collection[str]) -> Scene:
    """State that a scene takes place in another, which counts these sources; "" takes it back.

    Locks: both scenes, in id order. Raises: OuterSceneError, SceneChoiceError,
    NotCountedThereError, AlreadyClaimedError, OrganisationNotFoundError, NotAllowedError.
    """
    access.require(visitor, scene.organisation_ref, "write")
    wanted = set(sources)
    if not slug:
        return _take_back(visitor, scene)
    if not wanted or wanted - set(sources_that_may_lie_outside(scene)):
        raise SceneChoiceError(field="sources", given=", ".join(sorted(wanted))[:60])
    try:
        found = scenes.published(slug)
    except (SceneNotFoundError, SceneNotPublishedError) as error:
        raise OuterSceneError(field="outer", why=WHY["unknown"]) from error
    if found.id == scene.id:
        raise OuterSceneError(field="outer", why=WHY["same"])
    with transaction.atomic():
        by_id = {number: locks.lock_scene(number) for number in sorted({scene.id, found.id})}
        inner, outer = by_id[scene.id], by_id[found.id]
        _refuse_unfit(inner, outer)
        held = grams_of(outer)
        missing = sorted(key for key in wanted if not held.get(key))
        if missing:
            raise NotCountedThereError(field="sources", names=_names(missing))
        _refuse_claimed(inner, wanted)
        if inner.inside_id is not None:
            _refuse_dropped(inner, wanted if inner.inside_id == outer.id else set())
        return actions.set_inside(inner, outer, sorted(wanted), actor_ref=visitor.person.ref)


def _take_back(visitor: Visitor, scene: Scene) -> Scene:
    with transaction.atomic():
        ids = {scene.id, scene.inside_id or scene.id}
        inner = {number: locks.lock_scene(number) for number in sorted(ids)}[scene.id]
        if inner.inside_id is not None:
            _refuse_dropped(inner, set())
        return actions.set_inside(inner, None, [], actor_ref=visitor.person.ref)


def _refuse_unfit(inner: Scene, outer: Scene) -> None:
    nested = outer.inside_id is not None or Scene.objects.filter(inside=inner).exists()
    earlier = inner.published_at is None or (
        outer.published_at is not None
        and (outer.published_at, outer.id) < (inner.published_at, inner.id)
    )
    why = ""
    if outer.state != SceneState.PUBLISHED:
        why = "unknown"
    elif nested:
        why = "nested"
    elif not earlier:
        why = "later"
    elif not meet(inner.place_and_days, outer.place_and_days):
        why = "apart"
    if why:
        raise OuterSceneError(field="outer", why=WHY[why])


def grams_of(scene: Scene) -> dict[str, int]:
    """Return the organiser's grams of each source in a scene's newest closed inventory."""
    version = queries.closed_inventory(scene)
    return rules.grams_by_source(version.document) if version else {}


def _refuse_claimed(inner: Scene, wanted: Collection[str]) -> None:
    """Refuse to give away what somebody paid for here already."""
    taken = set(queries.claimed_sources(inner)) & set(wanted) - set(inner.inside_sources)
    if taken:
        raise AlreadyClaimedError(field="sources", names=_names(taken))


def _refuse_dropped(inner: Scene, wanted: Collection[str]) -> None:
    """Refuse to count here again what somebody paid for in the house. Locks: none of its own."""
    dropped = set(inner.inside_sources) - set(wanted)
    assert inner.inside is not None, "only what is inside can leave"
    taken = dropped & set(queries.claimed_sources(inner.inside))
    if taken:
        raise AlreadyClaimedError(field="sources", names=_names(taken))


def refuse_double(scene: Scene, version: InventoryVersion | None) -> None:
    """Refuse to sell of an inventory what the house around it counts. No statement without one.

    Raises: CountedTwiceError.
    """
    if scene.inside_id is not None and version is not None:
        refuse_counted_twice(scene, rules.grams_by_source(version.document))


def refuse_counted_twice(scene: Scene, here: Mapping[str, int]) -> None:
    """Refuse grams here of what the whole house counts and is no reference.

    ``here``: grams by source. Raises: CountedTwiceError.
    """
    if scene.inside is None:
        return
    there = grams_of(scene.inside)
    both = {key for key in WHOLE_HOUSE if here.get(key) and there.get(key)}
    double = both - set(scene.inside_sources)
    if double:
        raise CountedTwiceError(names=_names(double), scene=scene.inside.slug)


def references_of(scene: Scene) -> list[tuple[str, int]]:
    """Return the sources that are counted elsewhere: label and grams as counted here."""
    if scene.inside_id is None:
        return []
    here = grams_of(scene)
    return [(CATEGORIES[key].label, here.get(key, 0)) for key in scene.inside_sources]


def _names(sources: Collection[str]) -> str:
    return ", ".join(gettext(CATEGORIES[key].label) for key in sorted(sources))
