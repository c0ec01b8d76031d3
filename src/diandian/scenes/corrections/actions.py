"""Corrects published scenes by versions: proposed by the host, decided by the operator.

Guests see the version in force and can read the ones before. A footprint keeps the version that it
was made under, and with it who owns the travel. *Source:* methodology, section 10 (rule 2).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from diandian.audit import actions as audit
from diandian.claims.levels import Style
from diandian.emissions.errors import FactorMissingError
from diandian.emissions.factor_set import factor_set
from diandian.emissions.inventory.errors import ComposedError
from diandian.emissions.scene_kinds.other.composed import compose
from diandian.scenes import facts, queries, rules
from diandian.scenes.actions import NewScene, columns_of_statement, search_text
from diandian.scenes.errors import (
    CorrectionApartError,
    CorrectionGoneError,
    CorrectionPlaceError,
    CorrectionWaitsError,
    NothingCorrectedError,
    SceneMovedError,
    SceneStateError,
)
from diandian.scenes.models import Scene, SceneState, SceneVersion, VersionState

LONGEST_NOTE = 300


def propose(
    scene: Scene, new: NewScene, *, note: str, actor_ref: str, at: datetime
) -> SceneVersion:
    """Write what a host wants to correct; nothing changes before it is approved.

    Address, kind, edition and audience stay as they are; words never become looser.
    Raises: InputError naming the field, SceneStateError unless published, NothingCorrectedError,
    CorrectionWaitsError while one waits, CorrectionPlaceError where the questions do not fit,
    CorrectionApartError where it would leave the house around it.
    """
    if scene.state != SceneState.PUBLISHED:
        raise SceneStateError(state=scene.state)
    columns = columns_of_statement(new)
    if scene.claim_style == Style.CONTRIBUTION:
        columns["claim_style"] = scene.claim_style
    wanted = facts.facts_of(columns)
    if not facts.changes(queries.facts_of(scene), wanted):
        raise NothingCorrectedError
    _refuse_unasked(scene, str(wanted["region"]))
    _refuse_apart(scene, columns)
    try:
        with transaction.atomic():
            version = SceneVersion.objects.create(
                scene=scene,
                facts=wanted,
                note=note[:LONGEST_NOTE],
                proposed_by_ref=actor_ref,
                proposed_at=at,
            )
            _record(actor_ref, "scene.correction_proposed", version, at)
    except IntegrityError as error:
        raise CorrectionWaitsError from error
    return version


def _refuse_unasked(scene: Scene, region: str) -> None:
    """Refuse a place at which the scene's own questions have no factors."""
    if not scene.composed or region == scene.region:
        return
    try:
        compose(scene.composed, factor_set(scene.factor_set), region)
    except (ComposedError, FactorMissingError) as error:
        raise CorrectionPlaceError(field="place_key") from error


def _refuse_apart(scene: Scene, columns: Mapping[str, Any]) -> None:
    """Refuse to move a scene away from the house that counts for it, or a house from its scenes."""
    moved = (columns["place_key"], columns["starts_on"], columns["ends_on"])
    around = Q(scenes_inside=scene) | Q(inside=scene)
    for other in Scene.objects.filter(around):
        if not rules.meet(moved, other.place_and_days):
            raise CorrectionApartError(field="place_key", scene=other.slug)


def take_back(version: SceneVersion, *, actor_ref: str, at: datetime) -> SceneVersion:
    """Drop a proposal at its host's wish. Raises: CorrectionGoneError when it was decided."""
    return _decide(version, VersionState.TAKEN_BACK, actor_ref, at)


def refuse(version: SceneVersion, *, reason: str, actor_ref: str, at: datetime) -> SceneVersion:
    """Refuse a proposal and tell the host why. Raises: CorrectionGoneError."""
    assert reason, "a host is told why"
    return _decide(version, VersionState.REFUSED, actor_ref, at, answer=reason[:LONGEST_NOTE])


def approve(version: SceneVersion, *, seen: str = "", actor_ref: str, at: datetime) -> Scene:
    """Let a correction come into force as the scene's next version. Locks: the scene.

    ``seen``: digest of the proposal as it was read, see ``queries.correction_digest``.
    What was claimed, bought or estimated before keeps the version it was made under.
    Raises: CorrectionGoneError, SceneMovedError, SceneStateError, CorrectionApartError.
    """
    with transaction.atomic():
        scene = Scene.objects.select_for_update(no_key=True).get(id=version.scene_id)
        if scene.state != SceneState.PUBLISHED:
            raise SceneStateError(state=scene.state)
        if seen and seen != queries.correction_digest(scene, version):
            raise SceneMovedError
        before = queries.facts_of(scene)
        _keep_first(scene, before)
        number = scene.version + 1
        _decide(version, VersionState.APPROVED, actor_ref, at, number=number)
        columns = facts.columns_of(version.facts)
        _refuse_apart(scene, columns)
        texts = (columns[key] for key in ("names", "host_names", "venue_names", "city_names"))
        columns |= {"version": number, "search_text": search_text(*texts)}
        Scene.objects.filter(id=scene.id).update(**columns)
        scene.refresh_from_db()
    return scene


def _keep_first(scene: Scene, before: dict[str, object]) -> None:
    """Keep what was approved first, from the moment there is something to compare it with."""
    if SceneVersion.objects.filter(scene=scene, number=scene.version).exists():
        return
    began_at = scene.published_at or scene.created_at
    SceneVersion.objects.create(
        scene=scene,
        number=scene.version,
        state=VersionState.APPROVED,
        facts=before,
        proposed_at=began_at,
        decided_at=began_at,
    )


def _decide(
    version: SceneVersion,
    state: VersionState,
    actor_ref: str,
    at: datetime,
    **more: object,
) -> SceneVersion:
    with transaction.atomic():
        waiting = SceneVersion.objects.filter(id=version.id, state=VersionState.PROPOSED)
        decided = {"state": state, "decided_by_ref": actor_ref, "decided_at": at, **more}
        if not waiting.update(**decided):
            raise CorrectionGoneError
        version.refresh_from_db()
        _record(actor_ref, f"scene.correction_{state.value}", version, at)
    return version


def _record(actor_ref: str, action: str, version: SceneVersion, at: datetime) -> None:
    audit.record(
        actor_ref=actor_ref,
        action=action,
        subject_ref=f"scene:{version.scene_id}",
        details={"version": version.number, "proposal": version.id},
        at=at,
    )
