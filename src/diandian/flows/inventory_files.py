"""Files of an inventory: evidence, and tables to import; each checked by its content.

A table is checked first and shown with every problem. Only a clean one waits, by its digest, for
the button; then it is read, compared and checked once more, and all of it is written, or nothing.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from diandian.audit import actions as audit
from diandian.emissions.inventory.imports import Import, Problem, dry_run
from diandian.flows import inventory as flow
from diandian.flows import locks
from diandian.footprints import actions, queries
from diandian.footprints import evidence as files
from diandian.footprints.calculation import factors_of
from diandian.footprints.errors import (
    AlreadyImportedError,
    DuplicateEntryError,
    EvidenceUnknownError,
    ImportGoneError,
    TooManyEntriesError,
)
from diandian.footprints.models import Evidence
from diandian.footprints.worksheet import MOST_ENTRIES, Worksheet
from diandian.kernel.clock import now
from diandian.people import access
from diandian.people.queries import Visitor
from diandian.scenes.models import Scene

MOST_FILES = 200


# --- evidence -----------------------------------------------------------------------------------


def keep_evidence(
    visitor: Visitor, scene: Scene, data: bytes, name: str, *, at: datetime | None = None
) -> Evidence:
    """Keep a file that shows a number. Idempotent by scene and content.

    Locks: the scene. Raises: EvidenceFileError, OrganisationNotFoundError, NotAllowedError.
    """
    access.require(visitor, scene.organisation_ref, "write")
    checked = files.check(data, name)
    at = at or now()
    with transaction.atomic():
        locked = locks.lock_scene(scene.id)
        have = queries.evidence_digests(locked)
        if len(have) >= MOST_FILES and checked.digest not in have:
            files.refuse("many")
        row = actions.keep_evidence(locked, checked, actor_ref=visitor.person.ref, at=at)
        if checked.digest not in have:
            _record(visitor, "evidence.kept", locked, row.digest, at)
    return row


def read_evidence(visitor: Visitor, scene: Scene, digest: str) -> tuple[Evidence, bytes | None]:
    """Return a file and its bytes; None for bytes that are gone or no longer what they were.

    Raises: EvidenceNotFoundError, OrganisationNotFoundError.
    """
    access.require(visitor, scene.organisation_ref, "read")
    row = queries.evidence(scene, digest)
    return row, files.read(row.stored_path, row.digest)


def erase_evidence(
    visitor: Visitor, scene: Scene, digest: str, *, at: datetime | None = None
) -> None:
    """Erase a file for good: bytes and name. The open inventory names it no more.

    Closed versions keep the digest alone. Locks: the scene. Raises: EvidenceNotFoundError.
    """
    access.require(visitor, scene.organisation_ref, "write")
    at = at or now()
    with transaction.atomic():
        locked = locks.lock_scene(scene.id)
        row = queries.evidence(locked, digest)
        if flow.standing_of(visitor, locked).open is not None:
            with flow.editing(visitor, locked, "inventory.evidence_erased", at=at) as work:
                work.details["entries"] = work.sheet.forget_evidence(digest)
        actions.erase_evidence(row, at=at)
        _record(visitor, "evidence.erased", locked, digest, at)


def _record(visitor: Visitor, action: str, scene: Scene, digest: str, at: datetime) -> None:
    audit.record(
        actor_ref=visitor.person.ref,
        action=action,
        subject_ref=f"scene:{scene.id}",
        details={"digest": digest},
        at=at,
    )


# --- imports ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checked:
    """What a table holds. ``digest``: by which a clean one can be imported, else ""."""

    found: Import
    problems: tuple[Problem, ...]
    digest: str


def check_import(visitor: Visitor, scene: Scene, data: bytes, names: Mapping[str, str]) -> Checked:
    """Read a table and say everything that is wrong with it; nothing of it is imported.

    ``names``: see ``entries.Reader``. Raises: SheetError when it is no such table;
    InventoryClosedError, OrganisationNotFoundError, NotAllowedError.
    """
    access.require(visitor, scene.organisation_ref, "write")
    flow.require_writable(scene)
    found = _read(scene, data, names)
    sheet = flow.standing_of(visitor, scene).sheet
    problems = found.problems or _beside(scene, sheet, found)
    if problems:
        return Checked(found, problems, "")
    digest = hashlib.sha256(data).hexdigest()
    files.sweep_checked(scene.id)
    files.write(files.path_of(scene.id, digest, checked=True), data)
    return Checked(found, (), digest)


def import_checked(visitor: Visitor, scene: Scene, digest: str, names: Mapping[str, str]) -> int:
    """Import all rows of a checked table, or none. Returns how many entries were added.

    Idempotent by: the file's digest. Locks: the scene. Raises: ImportGoneError,
    AlreadyImportedError, InventoryClosedError, OrganisationNotFoundError, NotAllowedError.
    """
    access.require(visitor, scene.organisation_ref, "write")
    if not files.is_digest(digest):
        raise ImportGoneError
    path = files.path_of(scene.id, digest, checked=True)
    with flow.editing(visitor, scene, "inventory.imported") as work:
        if work.sheet.imported(digest):
            raise AlreadyImportedError
        data = files.read(path, digest)
        if data is None:
            raise ImportGoneError
        found = _read(work.scene, data, names)
        if found.problems or _beside(work.scene, work.sheet, found):
            raise ImportGoneError
        keys = work.sheet.add_all(found.entries, digest)
        work.details |= {"digest": digest, "entries": len(keys)}
        transaction.on_commit(lambda: files.remove(path))
    return len(keys)


def _read(scene: Scene, data: bytes, names: Mapping[str, str]) -> Import:
    return dry_run(data, factors_of(scene), scene.region, names=names)


def _beside(scene: Scene, sheet: Worksheet, found: Import) -> tuple[Problem, ...]:
    """Return what is wrong with rows beside the entries and files that are there already."""
    repeated, here = sheet.repeated(found.entries), queries.evidence_digests(scene)
    problems = []
    for entry in found.entries:
        row = int(entry.key.removeprefix("row "))
        if entry.key in repeated:
            problems.append(Problem(row, "activity", DuplicateEntryError(field="activity")))
        if entry.evidence and entry.evidence not in here:
            problems.append(Problem(row, "evidence", EvidenceUnknownError(field="evidence")))
    if len(sheet.entries) + len(found.entries) > MOST_ENTRIES:
        too_many = TooManyEntriesError(field="file", limit=MOST_ENTRIES)
        problems.append(Problem(1, "activity", too_many))
    return tuple(problems)
