"""Writes of scenes: open a draft, describe it, publish it, withdraw it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from diandian.audit import actions as audit
from diandian.claims.levels import allowed_style
from diandian.emissions import factor_set, geo
from diandian.emissions.errors import PlaceKeyError, UnknownFactorSetError, UnknownSceneKindError
from diandian.emissions.geo_text import comparable
from diandian.emissions.scene_kind import scene_kind
from diandian.kernel.clock import now
from diandian.kernel.tokens import secret_token
from diandian.scenes import queries, rules
from diandian.scenes.errors import (
    SceneAmountError,
    SceneChoiceError,
    SceneDatesError,
    SceneDescribedError,
    SceneExistsError,
    SceneMovedError,
    ScenePosterLabelError,
    ScenePostersError,
    SceneSlugError,
    SceneStateError,
    SceneWordsError,
)
from diandian.scenes.models import (
    ClaimStyle,
    CoverState,
    InventoryLine,
    Poster,
    ReductionMeasure,
    Scene,
    SceneState,
    TravelOwner,
)

Names = dict[str, str]
_LONGEST_LABEL = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class NewScene:
    """What a host states. Site coordinates default to those of the city, the set to the newest."""

    slug: str
    kind: str
    names: Names
    host_names: Names
    venue_names: Names
    place_key: str
    starts_on: date
    ends_on: date | None = None
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    expected_guests: int = 0
    stated_total_g: int = 0
    factor_set: str = field(default_factory=lambda: factor_set.newest().id)
    with_non_co2: bool = True
    travel_owner: str = TravelOwner.GUEST
    travel_organiser_pct: int = 0
    claim_style: str = ClaimStyle.CONTRIBUTION
    audience: str = "unknown"
    is_sample: bool = False
    organisation_ref: str = ""


def _refuse_bad(new: NewScene) -> None:
    if not rules.SLUG.fullmatch(new.slug) or new.slug in rules.RESERVED_SLUGS:
        raise SceneSlugError(field="slug")
    for name in ("names", "host_names", "venue_names"):
        words = getattr(new, name)
        if not rules.has_words(words) or rules.too_long(words):
            raise SceneWordsError(field=name, limit=rules.LONGEST_WORDS)
    if new.ends_on is not None and new.ends_on < new.starts_on:
        raise SceneDatesError(field="ends_on")
    if not 0 <= new.expected_guests <= rules.MOST_GUESTS:
        raise SceneAmountError(field="expected_guests")
    if new.stated_total_g < 0:
        raise SceneAmountError(field="stated_total_g")
    _refuse_unknown(new)


def _refuse_unknown(new: NewScene) -> None:
    if new.travel_owner not in TravelOwner.values:
        raise SceneChoiceError(field="travel_owner", given=new.travel_owner)
    if not rules.is_split(new.travel_owner, new.travel_organiser_pct):
        raise SceneChoiceError(field="travel_organiser_pct", given=str(new.travel_organiser_pct))
    if new.claim_style not in ClaimStyle.values:
        raise SceneChoiceError(field="claim_style", given=new.claim_style)
    try:
        scene_kind(new.kind)
        factor_set.factor_set(new.factor_set)
    except UnknownSceneKindError as error:
        raise SceneChoiceError(field="kind", given=new.kind) from error
    except UnknownFactorSetError as error:
        raise SceneChoiceError(field="factor_set", given=new.factor_set) from error


def search_text(*texts: Names) -> str:
    """Return what searches look through: every language, compared as places are."""
    return " ".join(comparable(text.replace("|", "")) for names in texts for text in names.values())


def open_scene(new: NewScene, *, actor_ref: str) -> Scene:
    """Write a draft scene. Words are never looser than the country and the audience allow.

    Raises: InputError subclasses naming the field, SceneExistsError.
    """
    facts = columns_of_statement(new)
    try:
        with transaction.atomic():
            scene = Scene.objects.create(
                **facts,
                organisation_ref=new.organisation_ref,
                test_token=secret_token(),
                is_sample=new.is_sample,
                created_at=now(),
            )
            _record(actor_ref, "scene.opened", scene)
    except IntegrityError as error:
        raise SceneExistsError(slug=new.slug) from error
    return scene


def describe(scene: Scene, new: NewScene, *, actor_ref: str) -> Scene:
    """Write a draft's facts anew. Raises: as ``open_scene``, and SceneDescribedError.

    Composed questions fit one kind at one place with one edition; elsewhere they go.
    """
    facts = columns_of_statement(new)
    if any(facts[name] != getattr(scene, name) for name in ("kind", "region", "factor_set")):
        facts["composed"] = {}
    try:
        with transaction.atomic():
            drafts = Scene.objects.filter(id=scene.id, state=SceneState.DRAFT)
            if not drafts.update(**facts):
                raise SceneDescribedError
            scene.refresh_from_db()
            _record(actor_ref, "scene.described", scene)
    except IntegrityError as error:
        raise SceneExistsError(slug=new.slug) from error
    return scene


def columns_of_statement(new: NewScene) -> dict[str, Any]:
    """Return the columns that a host's statement sets. Raises: InputError naming the field."""
    _refuse_bad(new)
    try:
        city = geo.place(new.place_key)
    except PlaceKeyError as error:
        raise SceneChoiceError(field="place_key", given=new.place_key) from error
    return {
        "slug": new.slug,
        "kind": new.kind,
        "names": new.names,
        "host_names": new.host_names,
        "venue_names": new.venue_names,
        "place_key": new.place_key,
        "city_names": dict(city.names),
        "country": city.country,
        "region": city.region,
        "latitude": city.latitude if new.latitude is None else new.latitude,
        "longitude": city.longitude if new.longitude is None else new.longitude,
        "starts_on": new.starts_on,
        "ends_on": new.ends_on,
        "expected_guests": new.expected_guests,
        "stated_total_g": new.stated_total_g,
        "factor_set": new.factor_set,
        "method_version": factor_set.factor_set(new.factor_set).method_version,
        "with_non_co2": new.with_non_co2,
        "travel_owner": new.travel_owner,
        "travel_organiser_pct": new.travel_organiser_pct,
        "claim_style": allowed_style(new.claim_style, city.country, new.audience),
        "audience": new.audience,
        "search_text": search_text(new.names, new.host_names, new.venue_names, city.names),
    }


def add_inventory_line(
    scene: Scene,
    *,
    category: str,
    names: Names,
    mass_g: int,
    mass_per_guest_g: int = 0,
    covered: bool = False,
    evidence: str = "estimated",
) -> InventoryLine:
    """Add a part of the host's own inventory. Units: grams in all, grams per guest."""
    _refuse_bad_line(category, names, mass_g, mass_per_guest_g)
    return InventoryLine.objects.create(
        scene=scene,
        category=category,
        names=names,
        mass_g=mass_g,
        mass_per_guest_g=mass_per_guest_g,
        covered=covered,
        evidence=evidence,
    )


def add_measure(
    scene: Scene, *, category: str, names: Names, avoided_g: int = 0, confirmed: bool = False
) -> ReductionMeasure:
    """Add something the host does to emit less; guests see it once it is confirmed."""
    _refuse_bad_line(category, names, avoided_g, 0)
    return ReductionMeasure.objects.create(
        scene=scene, category=category, names=names, avoided_g=avoided_g, confirmed=confirmed
    )


def show_measure(
    scene: Scene, *, ref: str, category: str, names: Names, avoided_g: int
) -> ReductionMeasure:
    """Show guests a measure of the inventory that was confirmed. Idempotent by scene and ref."""
    assert ref, "a measure that is shown can be taken back"
    _refuse_bad_line(category, names, avoided_g, 0)
    facts = {"category": category, "names": names, "avoided_g": avoided_g, "confirmed": True}
    row, _ = ReductionMeasure.objects.update_or_create(scene=scene, ref=ref, defaults=facts)
    return row


def hide_measure(scene: Scene, *, ref: str) -> None:
    """Take such a measure back. Idempotent."""
    assert ref, "other measures are not ours to take back"
    ReductionMeasure.objects.filter(scene=scene, ref=ref).delete()


def compose_questions(scene: Scene, composed: Mapping[str, Any], *, actor_ref: str) -> Scene:
    """Write the questions that a host composed; {} for those of the kind.

    ``composed``: checked by ``scene_kinds.other.composed``. Raises: SceneDescribedError unless a
    draft, so that the operator approves what guests are asked.
    """
    with transaction.atomic():
        drafts = Scene.objects.filter(id=scene.id, state=SceneState.DRAFT)
        if not drafts.update(composed=dict(composed)):
            raise SceneDescribedError
        scene.composed = dict(composed)
        _record(actor_ref, "scene.questions_composed", scene)
    return scene


def _refuse_bad_line(category: str, names: Names, mass_g: int, mass_per_guest_g: int) -> None:
    if category not in rules.CATEGORIES:
        raise SceneChoiceError(field="category", given=category)
    if not rules.has_words(names):
        raise SceneWordsError(field="names", limit=rules.LONGEST_WORDS)
    if mass_g < 0 or mass_per_guest_g < 0:
        raise SceneAmountError(field="mass_g")


def add_poster(scene: Scene, *, mark: str, label: str = "") -> Poster:
    """Add a placement of the QR code. Idempotent by scene and mark."""
    if not rules.MARK.fullmatch(mark):
        raise SceneSlugError(field="mark")
    poster, _ = Poster.objects.get_or_create(scene=scene, mark=mark, defaults={"label": label})
    return poster


def name_poster(scene: Scene, label: str, *, actor_ref: str) -> Poster:
    """Add a placement under the next free mark: p1, p2 ... Idempotent by scene and label.

    Raises: ScenePosterLabelError, ScenePostersError.
    """
    label = " ".join(label.split())
    if not label or len(label) > _LONGEST_LABEL or not label.isprintable():
        raise ScenePosterLabelError(field="label")
    with transaction.atomic():
        Scene.objects.select_for_update().get(id=scene.id)
        posters = list(Poster.objects.filter(scene=scene))
        for poster in posters:
            if poster.label == label:
                return poster
        if len(posters) >= rules.MOST_POSTERS:
            raise ScenePostersError(limit=rules.MOST_POSTERS)
        taken = {poster.mark for poster in posters}
        mark = next(f"p{n}" for n in range(1, len(taken) + 2) if f"p{n}" not in taken)
        _record(actor_ref, "scene.poster_added", scene)
        return Poster.objects.create(scene=scene, mark=mark, label=label)


def publish(scene: Scene, *, actor_ref: str) -> Scene:
    """Let guests into a scene of the operator's own. Raises: SceneStateError unless a draft.

    An organisation's scene is submitted and approved instead.
    """
    if scene.organisation_ref:
        raise SceneStateError(state=scene.state)
    return _move(scene, SceneState.DRAFT, SceneState.PUBLISHED, actor_ref)


def submit(scene: Scene, *, actor_ref: str) -> Scene:
    """Ask the operator to let guests in; meanwhile nothing changes. Raises: SceneStateError."""
    return _move(scene, SceneState.DRAFT, SceneState.SUBMITTED, actor_ref, returned_because="")


def take_back(scene: Scene, *, actor_ref: str) -> Scene:
    """Make a submitted scene a draft again, at its host's wish. Raises: SceneStateError."""
    return _move(scene, SceneState.SUBMITTED, SceneState.DRAFT, actor_ref, done="taken_back")


def approve(scene: Scene, *, actor_ref: str, stricter: bool = False, seen: str = "") -> Scene:
    """Let guests into a submitted scene. Locks: the scene, where it must be as it was ``seen``.

    ``stricter``: only words of contribution may be used, whatever the place would allow.
    ``seen``: its ``queries.facts_digest`` as it was read. Raises: SceneMovedError, SceneStateError.
    """
    words = {"claim_style": ClaimStyle.CONTRIBUTION} if stricter else {}
    with transaction.atomic():
        if seen:
            locked = Scene.objects.select_for_update(no_key=True).get(id=scene.id)
            if seen != queries.facts_digest(locked):
                raise SceneMovedError
        return _move(scene, SceneState.SUBMITTED, SceneState.PUBLISHED, actor_ref, **words)


def send_back(scene: Scene, *, reason: str, actor_ref: str) -> Scene:
    """Return a submitted scene to its host with what should change. Raises: SceneStateError."""
    assert reason, "a host is told why"
    return _move(
        scene,
        SceneState.SUBMITTED,
        SceneState.DRAFT,
        actor_ref,
        done="sent_back",
        returned_because=reason[:300],
    )


def withdraw(scene: Scene, *, actor_ref: str) -> Scene:
    """Close a published scene for good; what was ordered stays. Raises: SceneStateError."""
    return _move(scene, SceneState.PUBLISHED, SceneState.WITHDRAWN, actor_ref)


def note_cover(scene: Scene, state: CoverState, *, claimant_ref: str) -> None:
    """Note that the organiser claims guests' lines; all of them is final. Locks: the scene's row.

    In the caller's transaction. Idempotent: what is noted never goes back.
    """
    rows = Scene.objects.filter(id=scene.id).exclude(cover_state=CoverState.ALL)
    if rows.update(cover_state=state, cover_ref=claimant_ref):
        scene.cover_state, scene.cover_ref = state, claimant_ref


def _move(
    scene: Scene,
    before: SceneState,
    after: SceneState,
    actor_ref: str,
    done: str = "",
    **changes: object,
) -> Scene:
    with transaction.atomic():
        changes["state"] = after
        if after is SceneState.PUBLISHED:
            changes["published_at"] = now()
        moved = Scene.objects.filter(id=scene.id, state=before).update(**changes)
        scene.refresh_from_db()
        if not moved:
            raise SceneStateError(state=scene.state)
        _record(actor_ref, f"scene.{done or after.value}", scene)
    return scene


def _record(actor_ref: str, action: str, scene: Scene) -> None:
    audit.record(actor_ref=actor_ref, action=action, subject_ref=f"scene:{scene.id}")
