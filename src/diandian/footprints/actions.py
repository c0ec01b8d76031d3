"""Writes of footprints, of inventories, and of who claims which line."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import transaction

from diandian.emissions.estimate import Estimate, without_person
from diandian.footprints import evidence as files
from diandian.footprints import queries, rules
from diandian.footprints.errors import (
    InventoryBrokenError,
    InventoryMovedError,
    NoOpenInventoryError,
)
from diandian.footprints.models import (
    Claimant,
    Evidence,
    Footprint,
    InventoryVersion,
    LineClaim,
    Part,
    SiteClaim,
)
from diandian.footprints.worksheet import Worksheet
from diandian.kernel import tokens
from diandian.scenes.models import Scene
from diandian.store.inserts import Insert
from diandian.store.transactions import joined, require_transaction

_FOOTPRINTS = Insert(Footprint)
_CLAIMS = Insert(LineClaim)
_SITE_CLAIMS = Insert(SiteClaim)
# A cover of a large scene claims tens of thousands of parts, some hundred visits at a time.
_VISITS_AT_ONCE = 200


def save(
    *,
    scene: Scene,
    values: Mapping[str, str | int | bool],
    estimate: Estimate,
    at: datetime,
    poster_mark: str = "",
) -> Footprint:
    """Keep a guest's answers and their estimate for thirty days, behind a new secret token.

    Who owns the travel is fixed now, as the scene says; a later change is for later footprints.
    """
    data = estimate.to_json()
    return _FOOTPRINTS.one(
        Footprint(
            token=tokens.secret_token(),
            scene=scene,
            scene_version=scene.version,
            answers=dict(values),
            estimate=data,
            mass_g=estimate.mass_g,
            low_g=estimate.low_g,
            high_g=estimate.high_g,
            organiser_pct=scene.organiser_pct,
            host_g=rules.host_g(data, scene.organiser_pct),
            poster_mark=poster_mark[:8],
            created_at=at,
            expires_at=at + timedelta(days=settings.FOOTPRINT_DAYS),
        )
    )


def erase(footprint: Footprint, *, at: datetime) -> None:
    """Erase a person's answers and places; the grams stay, so that claims and totals still hold."""
    estimate = without_person(footprint.estimate)
    nameless = dict.fromkeys(footprint.elsewhere, "")
    Footprint.objects.filter(id=footprint.id).update(
        answers={}, estimate=estimate, elsewhere=nameless, erased_at=at
    )


# --- who claims ---------------------------------------------------------------------------------


def claim_lines(footprint: Footprint, *, claimant_ref: str, at: datetime) -> None:
    """Write that a guest claims their part of each line; a claimed part breaks the transaction.

    Raises, with the transaction's next statement at the latest: IntegrityError when any part has a
    claimant.
    """
    _CLAIMS.along(_rows(footprint, Part.GUEST, Claimant.GUEST, claimant_ref, at))


def refer(footprint: Footprint, keys: Collection[str], owner: Footprint, *, at: datetime) -> int:
    """Write that lines of a visit were counted in another scene first. Returns their grams.

    They take the place of any claim, so nobody can buy them here. Raises: IntegrityError when
    somebody claims one of them already.
    """
    require_transaction()
    parts = rules.parts_of(footprint.estimate, footprint.organiser_pct, host=False)
    taken = [(key, mass_g) for key, mass_g in parts if key in keys]
    rows = [
        LineClaim(
            footprint_id=footprint.id,
            line_key=key,
            claimant_kind=Claimant.REFERENCE,
            claimant_ref=f"footprint:{owner.id}",
            mass_g=mass_g,
            claimed_at=at,
        )
        for key, mass_g in taken
    ]
    _CLAIMS.run(rows)
    footprint.elsewhere = footprint.elsewhere | dict.fromkeys(dict(taken), owner.scene.slug)
    footprint.elsewhere_g += sum(mass_g for _, mass_g in taken)
    footprint.save(update_fields=["elsewhere", "elsewhere_g"])
    return sum(mass_g for _, mass_g in taken)


def take_references_back(footprint: Footprint) -> None:
    """Let everything of a visit count here again. Idempotent."""
    require_transaction()
    LineClaim.objects.filter(footprint=footprint, claimant_kind=Claimant.REFERENCE).delete()
    footprint.elsewhere, footprint.elsewhere_g = {}, 0
    footprint.save(update_fields=["elsewhere", "elsewhere_g"])


def claim_visits(
    visits: Sequence[rules.Visit],
    *,
    claimant_kind: Claimant,
    claimant_ref: str,
    rooms: bool,
    at: datetime,
) -> int:
    """Write that a cover claims parts of visits; a claimed part breaks the transaction.

    ``rooms``: False leaves guests' nights out. Returns the grams claimed.
    Raises: IntegrityError when any part has a claimant.
    """
    require_transaction()
    claimed_g, rest = 0, iter(visits)
    needed = Footprint.objects.only("estimate", "organiser_pct", "elsewhere")
    while some := list(islice(rest, _VISITS_AT_ONCE)):
        found = needed.in_bulk([visit.footprint_id for visit in some])
        rows = []
        for visit in some:
            part = Part.HOST if visit.is_host_part else Part.GUEST
            rows += _rows(
                found[visit.footprint_id], part, claimant_kind, claimant_ref, at, rooms=rooms
            )
        _CLAIMS.run(rows)
        claimed_g += sum(row.mass_g for row in rows)
    return claimed_g


def _rows(
    footprint: Footprint,
    part: Part,
    kind: Claimant,
    claimant_ref: str,
    at: datetime,
    *,
    rooms: bool = True,
) -> list[LineClaim]:
    parts = rules.parts_of(
        footprint.estimate,
        footprint.organiser_pct,
        host=part is Part.HOST,
        rooms=rooms or part is Part.HOST,
        elsewhere=footprint.elsewhere,
    )
    return [
        LineClaim(
            footprint_id=footprint.id,
            line_key=key,
            part=part,
            claimant_kind=kind,
            claimant_ref=claimant_ref,
            mass_g=mass_g,
            claimed_at=at,
        )
        for key, mass_g in parts
    ]


def claim_site(
    version: InventoryVersion,
    runs: Iterable[rules.Run],
    *,
    claimant_kind: Claimant,
    claimant_ref: str,
    at: datetime,
) -> int:
    """Write that a cover claims grams of the site's lines. Returns how many.

    Raises: IntegrityError when somebody claims from the same gram on.
    """
    rows = [
        SiteClaim(
            scene_id=version.scene_id,
            version=version,
            line_key=run.line_key,
            start_g=run.start_g,
            mass_g=run.mass_g,
            claimant_kind=claimant_kind,
            claimant_ref=claimant_ref,
            claimed_at=at,
        )
        for run in runs
    ]
    _SITE_CLAIMS.run(rows)
    return sum(row.mass_g for row in rows)


def release_guest_claims(footprint_id: int, *, claimant_ref: str) -> int:
    """Give back what a guest's order claims that ended unretired. Returns how many parts.

    Idempotent: a second call finds nothing.
    """
    rows = LineClaim.objects.filter(footprint_id=footprint_id, claimant_ref=claimant_ref)
    return rows.delete()[0]


def release_cover_claims(*, claimant_ref: str) -> int:
    """Give back what a cover claims that ended unretired. Returns how many rows.

    Idempotent: a second call finds nothing.
    """
    covers = LineClaim.objects.exclude(claimant_kind=Claimant.GUEST)
    parts = covers.filter(claimant_ref=claimant_ref)
    runs = SiteClaim.objects.filter(claimant_ref=claimant_ref)
    return parts.delete()[0] + runs.delete()[0]


# --- inventories --------------------------------------------------------------------------------


def save_inventory(scene: Scene, document: Mapping[str, Any], *, at: datetime) -> InventoryVersion:
    """Write a scene's open inventory, anew or for the first time since the last was closed.

    ``document``: of ``rules.inventory_document``. Raises: InventoryBrokenError.
    """
    problem = rules.problem_of(document)
    if problem:
        raise InventoryBrokenError(field="document", why=problem)
    facts = {
        "document": dict(document),
        "mass_g": document["mass_g"],
        "high_g": document["high_g"],
        "created_at": at,
    }
    with joined():
        _lock(scene)
        number = queries.last_inventory_number(scene) + 1
        version, _ = InventoryVersion.objects.update_or_create(
            scene=scene, closed_at=None, defaults=facts, create_defaults=facts | {"number": number}
        )
    return version


def close_inventory(scene: Scene, *, at: datetime) -> InventoryVersion:
    """Close a scene's open inventory: it never changes again. Raises: NoOpenInventoryError."""
    with joined():
        _lock(scene)
        version = InventoryVersion.objects.filter(scene=scene, closed_at=None).first()
        if version is None:
            raise NoOpenInventoryError
        version.closed_at = at
        version.save(update_fields=["closed_at"])
    return version


def save_work(scene: Scene, sheet: Worksheet, *, at: datetime) -> InventoryVersion:
    """Write what an open inventory holds, the first time as a new version.

    ``sheet.revision`` is one more than that of the row it was read from. Raises:
    InventoryMovedError when somebody wrote meanwhile; nothing is written then.
    """
    require_transaction()
    facts = {"work": sheet.to_json(), "revision": sheet.revision}
    version = queries.open_inventory(scene)
    if version is None:
        number = queries.last_inventory_number(scene) + 1
        return InventoryVersion.objects.create(
            scene=scene,
            number=number,
            document=rules.stated_document([]) | {"stated": False},
            mass_g=0,
            high_g=0,
            created_at=at,
            **facts,
        )
    rows = InventoryVersion.objects.filter(
        id=version.id, closed_at=None, revision=sheet.revision - 1
    )
    if not rows.update(**facts):
        raise InventoryMovedError
    version.work, version.revision = facts["work"], sheet.revision
    return version


def keep_evidence(
    scene: Scene, checked: files.Checked, *, actor_ref: str, at: datetime
) -> Evidence:
    """Keep a file and write its row. Idempotent by scene and digest; an erased one comes back."""
    path = files.path_of(scene.id, checked.digest)
    facts = {
        "name": checked.name,
        "kind": checked.kind,
        "size_bytes": len(checked.data),
        "stored_path": path,
        "added_by_ref": actor_ref,
        "added_at": at,
        "erased_at": None,
    }
    with joined():
        _lock(scene)
        row = Evidence.objects.filter(scene=scene, digest=checked.digest, erased_at=None).first()
        files.write(path, checked.data)
        if row is None:
            row, _ = Evidence.objects.update_or_create(
                scene=scene, digest=checked.digest, defaults=facts
            )
    return row


def erase_evidence(row: Evidence, *, at: datetime) -> None:
    """Erase a file's bytes and name; its digest stays. Idempotent."""
    require_transaction()
    Evidence.objects.filter(id=row.id, erased_at=None).update(name="", erased_at=at)
    # Only once nobody can roll it back: a row without its file would be a lie.
    transaction.on_commit(lambda: _remove_erased(row))


def _remove_erased(row: Evidence) -> None:
    """Take the bytes away, unless the same file was sent again meanwhile."""
    if Evidence.objects.filter(id=row.id, erased_at__isnull=False).exists():
        files.remove(row.stored_path)


def _lock(scene: Scene) -> None:
    """Let one after the other count a scene's versions. Locks: the scene's row."""
    list(Scene.objects.select_for_update(no_key=True).filter(id=scene.id).values_list("id"))
