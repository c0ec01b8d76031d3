"""Reads of scenes: by address, by search, and when they are open."""

from collections.abc import Iterable
from datetime import date, datetime
from hmac import compare_digest
from typing import Any

from diandian.emissions.geo_text import comparable
from diandian.kernel.clock import business_day
from diandian.scenes import facts, rules
from diandian.scenes.errors import SceneNotFoundError, SceneNotPublishedError
from diandian.scenes.models import (
    InventoryLine,
    ReductionMeasure,
    Scene,
    SceneState,
    SceneVersion,
    VersionState,
)
from diandian.scenes.rules import Phase

_LONGEST_QUERY = 80


def by_slug(slug: str) -> Scene:
    """Return a scene in any state, with its parts. Raises: SceneNotFoundError."""
    scene = (
        Scene.objects.filter(slug=slug).prefetch_related("inventory", "measures", "posters").first()
    )
    if scene is None:
        raise SceneNotFoundError
    return scene


def published(slug: str) -> Scene:
    """Return a published scene. Raises: SceneNotFoundError, SceneNotPublishedError."""
    scene = by_slug(slug)
    if scene.state != SceneState.PUBLISHED:
        raise SceneNotPublishedError
    return scene


def by_test_token(slug: str, token: str) -> Scene:
    """Return a scene that guests may not open yet, by its secret. Raises: SceneNotFoundError."""
    scene = by_slug(slug)
    waiting = scene.state in {SceneState.DRAFT, SceneState.SUBMITTED}
    if not (waiting and scene.test_token and compare_digest(scene.test_token, token)):
        raise SceneNotFoundError
    return scene


def by_sponsor_token(slug: str, token: str) -> Scene:
    """Return a scene that is open to sponsors, by its secret. Raises: SceneNotFoundError."""
    scene = by_slug(slug)
    is_open = scene.state == SceneState.PUBLISHED and scene.sponsor_token
    if not (is_open and compare_digest(scene.sponsor_token, token)):
        raise SceneNotFoundError
    return scene


def of_organisations(refs: Iterable[str]) -> list[Scene]:
    """Return the scenes of organisations in any state, newest first."""
    wanted = [ref for ref in refs if ref]
    rows = Scene.objects.filter(organisation_ref__in=wanted).prefetch_related("posters")
    return list(rows.order_by("-starts_on", "-id"))


def submitted() -> list[Scene]:
    """Return the scenes that wait for the operator, oldest first."""
    return list(Scene.objects.filter(state=SceneState.SUBMITTED).order_by("id"))


def free_slug(wanted: str) -> str:
    """Return an address like the wished one that no scene has: it, or with -2, -3 ... added."""
    taken = set(Scene.objects.filter(slug__startswith=wanted[:36]).values_list("slug", flat=True))
    if wanted not in taken:
        return wanted
    return next(
        slug for n in range(2, len(taken) + 3) if (slug := f"{wanted[:36]}-{n}") not in taken
    )


def search(query: str = "", kind: str = "", limit: int = 50) -> list[Scene]:
    """Return published scenes whose names, host, place or city hold every word of the query."""
    scenes = Scene.objects.filter(state=SceneState.PUBLISHED)
    if kind:
        scenes = scenes.filter(kind=kind)
    for word in query[:_LONGEST_QUERY].split():
        wanted = comparable(word)
        if wanted:
            scenes = scenes.filter(search_text__contains=wanted)
    return list(scenes[:limit])


def phase(scene: Scene, today: date | None = None) -> Phase:
    """Return where a day lies in a scene's life: before, open, after, closed."""
    return rules.phase_of(scene.starts_on, scene.ends_on, today or business_day())


def takes_orders(scene: Scene, at: datetime | None = None) -> bool:
    """Tell whether guests may still take part: also before the event, and for 30 days after."""
    return scene.state == SceneState.PUBLISHED and phase(scene, business_day(at)) != "closed"


def covered_lines(scene: Scene) -> list[InventoryLine]:
    """Return what the host pays for; no extra query on a scene of ``by_slug``."""
    return [line for line in scene.inventory.all() if line.covered]


def confirmed_measures(scene: Scene) -> list[ReductionMeasure]:
    """Return what the host did to emit less; no extra query on a scene of ``by_slug``."""
    return [measure for measure in scene.measures.all() if measure.confirmed]


def has_mark(scene: Scene, mark: str) -> bool:
    """Tell whether a poster with this mark was printed for the scene."""
    return any(poster.mark == mark for poster in scene.posters.all())


# --- versions -----------------------------------------------------------------------------------


def facts_of(scene: Scene) -> dict[str, Any]:
    """Return the facts that guests rely on, as they stand."""
    return facts.facts_of({key: getattr(scene, key) for key in facts.KEYS})


def facts_digest(scene: Scene) -> str:
    """Return a digest of all that an operator approves: facts, kind, edition, questions."""
    fixed = [scene.slug, scene.kind, scene.factor_set, scene.with_non_co2, scene.composed]
    return facts.digest(facts_of(scene), fixed, scene.inside_id, scene.inside_sources)


def correction_digest(scene: Scene, version: SceneVersion) -> str:
    """Return a digest of a correction and of what it corrects."""
    return facts.digest(version.facts, version.id, facts_digest(scene))


def waiting_correction(scene: Scene) -> SceneVersion | None:
    """Return the correction that waits for the operator."""
    return SceneVersion.objects.filter(scene=scene, state=VersionState.PROPOSED).first()


def last_correction(scene: Scene) -> SceneVersion | None:
    """Return what was proposed last, whatever became of it."""
    rows = SceneVersion.objects.filter(scene=scene).exclude(proposed_by_ref="")
    return rows.order_by("-id").first()


def waiting_corrections() -> list[SceneVersion]:
    """Return the corrections that wait for the operator, oldest first."""
    rows = SceneVersion.objects.filter(state=VersionState.PROPOSED).select_related("scene")
    return list(rows.order_by("id"))


def versions(scene: Scene) -> list[SceneVersion]:
    """Return the versions that are or were in force, newest first; none of an uncorrected scene."""
    return list(SceneVersion.objects.filter(scene=scene, number__isnull=False).order_by("-number"))
