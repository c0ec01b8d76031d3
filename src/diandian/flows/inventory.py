"""The organiser's inventory: who may write it, one change after the other, each with its trail.

Access is asked here and not only in pages. Each change is one transaction under the scene's lock:
the worksheet is read, changed and written; what somebody else changed meanwhile is kept, and only
a change of the very same thing is refused. *Source:* methodology, sections 5, 7, 9 and 10.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from diandian.audit import actions as audit
from diandian.emissions.inventory.boundary import Declared
from diandian.emissions.inventory.entries import Entry, ReadEntry, Reader
from diandian.flows import inside, locks
from diandian.footprints import actions, inventory, queries, rules
from diandian.footprints.calculation import factors_of
from diandian.footprints.errors import (
    EvidenceUnknownError,
    InventoryClosedError,
    InventoryMovedError,
    InventoryUnreadyError,
    NoOpenInventoryError,
)
from diandian.footprints.models import InventoryVersion
from diandian.footprints.worksheet import Worksheet
from diandian.kernel.clock import now
from diandian.people import access
from diandian.people.queries import Visitor
from diandian.scenes.models import Scene


@dataclass(slots=True)
class Editing:
    """A worksheet while it is changed. ``details``: what the trail says of the change."""

    scene: Scene
    sheet: Worksheet
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a scene's inventory stands: the open version, or the newest closed one, or neither.

    ``sheet``: of the open version, else of the closed one, else empty.
    """

    open: InventoryVersion | None
    closed: InventoryVersion | None
    sheet: Worksheet

    @property
    def is_writable(self) -> bool:
        """Tell whether it can be written without beginning the next version first."""
        return self.open is not None or self.closed is None


def standing_of(visitor: Visitor, scene: Scene) -> Standing:
    """Return where an inventory stands. What a host only stated counts as none.

    Raises: OrganisationNotFoundError for others' scenes.
    """
    access.require(visitor, scene.organisation_ref, "read")
    return _standing(scene)


def _standing(scene: Scene) -> Standing:
    version, closed = queries.open_inventory(scene), queries.closed_inventory(scene)
    if closed is not None and closed.document.get("stated"):
        closed = None
    newest = version or closed
    return Standing(version, closed, Worksheet.from_json(newest.work if newest else {}))


def require_writable(scene: Scene) -> None:
    """Refuse to change what is closed. Raises: InventoryClosedError."""
    if not _standing(scene).is_writable:
        raise InventoryClosedError


@contextmanager
def editing(
    visitor: Visitor, scene: Scene, action: str, *, at: datetime | None = None
) -> Iterator[Editing]:
    """Open a worksheet to change it, in one transaction with its line in the trail.

    What raises inside changes nothing. Locks: the scene, then the trail.
    Raises: OrganisationNotFoundError, NotAllowedError, InventoryClosedError.
    """
    access.require(visitor, scene.organisation_ref, "write")
    at = at or now()
    with transaction.atomic():
        locked = locks.lock_scene(scene.id)
        standing = _standing(locked)
        if not standing.is_writable:
            raise InventoryClosedError
        sheet = standing.sheet
        before = sheet.to_json()
        sheet.revision += 1
        work = Editing(locked, sheet)
        yield work
        if sheet.to_json() | {"revision": before["revision"]} == before:
            return  # nothing to write, nothing to tell
        version = actions.save_work(locked, sheet, at=at)
        _record(visitor, action, locked, {"version": version.number} | work.details, at)


def _record(
    visitor: Visitor, action: str, scene: Scene, details: Mapping[str, Any], at: datetime
) -> None:
    audit.record(
        actor_ref=visitor.person.ref,
        action=action,
        subject_ref=f"scene:{scene.id}",
        details=dict(details),
        at=at,
    )


# --- entries ------------------------------------------------------------------------------------


def reader_of(scene: Scene, names: Mapping[str, str] | None = None) -> Reader:
    """Return how texts become entries at a scene. ``names``: see ``entries.Reader``."""
    return Reader(factors_of(scene), scene.region, names or {})


def put_entry(
    visitor: Visitor, scene: Scene, raw: Mapping[str, str], *, key: str = "", since: int
) -> ReadEntry:
    """Add an entry, or with ``key`` change one. Returns it, or refusals by field.

    ``raw``: texts by ``entries.FIELDS``. ``since``: the revision that the form showed.
    Idempotent: the same new entry sent twice is there once. Locks: the scene.
    Raises: DuplicateEntryError, EntryGoneError, EvidenceUnknownError, InventoryMovedError,
    TooManyEntriesError, and as ``editing``.
    """
    access.require(visitor, scene.organisation_ref, "write")
    read = reader_of(scene).read(raw, key or "new")
    if read.entry is None:
        return read
    with editing(visitor, scene, "inventory.entry_put") as work:
        _require_evidence(work, read.entry)
        if key:
            work.sheet.change(key, read.entry, since=since)
        else:
            key = work.sheet.add(read.entry, since=since)
        work.details |= {"entry": key, "activity": read.entry.activity}
    return read


def _require_evidence(work: Editing, *entries: Entry) -> None:
    """Refuse digests of files that are not here. Raises: EvidenceUnknownError."""
    if any(entry.evidence for entry in entries):
        here = queries.evidence_digests(work.scene)
        if any(entry.evidence and entry.evidence not in here for entry in entries):
            raise EvidenceUnknownError(field="evidence")


def remove_entry(visitor: Visitor, scene: Scene, key: str, *, since: int) -> None:
    """Take an entry out. Locks: the scene. Raises: EntryGoneError, InventoryMovedError."""
    with editing(visitor, scene, "inventory.entry_removed") as work:
        work.sheet.remove(key, since=since)
        work.details["entry"] = key


def restore_entry(visitor: Visitor, scene: Scene, key: str) -> None:
    """Bring a removed entry back. Idempotent. Locks: the scene. Raises: EntryGoneError."""
    with editing(visitor, scene, "inventory.entry_restored") as work:
        work.sheet.restore(key)
        work.details["entry"] = key


# --- what has no row ----------------------------------------------------------------------------


def declare(visitor: Visitor, scene: Scene, declared: Declared, *, since: int) -> None:
    """Say about a source without entries that it is zero or left out, and why.

    Locks: the scene. Raises: InventoryMovedError, and as ``editing``.
    """
    with editing(visitor, scene, "inventory.source_declared") as work:
        work.sheet.declare(declared, since=since)
        work.details |= {"source": declared.category, "state": declared.state}


def undeclare(visitor: Visitor, scene: Scene, category: str) -> None:
    """Take such a word back. Idempotent. Locks: the scene."""
    with editing(visitor, scene, "inventory.source_undeclared") as work:
        work.sheet.undeclare(category)
        work.details["source"] = category[:40]


def set_attendance(
    visitor: Visitor, scene: Scene, people: Mapping[str, int], *, since: int
) -> None:
    """Say how many people came, by stratum or {"people": all}; {} takes it back.

    Locks: the scene. Raises: AttendanceError when more answered; InventoryMovedError.
    """
    access.require(visitor, scene.organisation_ref, "write")
    found = inventory.guests_of(scene, people, fresh=True)
    if found.refused is not None:
        raise found.refused
    with editing(visitor, scene, "inventory.attendance_set") as work:
        work.sheet.set_attendance(people, since=since)
        work.details["people"] = dict(people)


# --- versions -----------------------------------------------------------------------------------


def close_version(
    visitor: Visitor, scene: Scene, *, since: int, at: datetime | None = None
) -> InventoryVersion:
    """Freeze the inventory as it stands, with the guests' answers of this moment.

    ``since``: the revision that was looked at; another one is not closed unseen. Idempotent: where
    nothing is open, the version closed at that revision is returned. Locks: the scene.
    Raises: InventoryUnreadyError, InventoryMovedError, NoOpenInventoryError, and as ``editing``.
    """
    access.require(visitor, scene.organisation_ref, "write")
    at = at or now()
    with transaction.atomic():
        locked = locks.lock_scene(scene.id)
        standing = _standing(locked)
        done = standing.closed
        if standing.open is None and done is not None:
            if done.revision == since:
                return done
            raise NoOpenInventoryError
        if standing.open is not None and standing.open.revision != since:
            raise InventoryMovedError
        found = inventory.computed(locked, standing.sheet, fresh=True)
        why = found.why_not_closed()
        if why:
            raise InventoryUnreadyError(why=why)
        document = inventory.document_of(locked, standing.sheet, found)
        if standing.open is None:
            # Only guests' answers, and nothing that the organiser entered.
            standing.sheet.revision += 1
            actions.save_work(locked, standing.sheet, at=at)
        inside.refuse_counted_twice(locked, rules.grams_by_source(document))
        actions.save_inventory(locked, document, at=at)
        version = actions.close_inventory(locked, at=at)
        details = {"version": version.number, "mass_g": version.mass_g}
        _record(visitor, "inventory.closed", locked, details, at)
    return version


def begin_next_version(
    visitor: Visitor, scene: Scene, *, at: datetime | None = None
) -> InventoryVersion:
    """Open the next version with what the closed one holds. Idempotent while one is open.

    What was claimed of the closed one stays claimed. Locks: the scene.
    """
    access.require(visitor, scene.organisation_ref, "write")
    at = at or now()
    with transaction.atomic():
        locked = locks.lock_scene(scene.id)
        standing = _standing(locked)
        if standing.open is not None:
            return standing.open
        sheet = standing.sheet.for_next_version()
        sheet.revision += 1
        # Files that were erased while nothing was open show nothing any more.
        here = queries.evidence_digests(locked)
        for digest in {entry.evidence for entry in sheet.all_entries()} - here - {""}:
            sheet.forget_evidence(digest)
        version = actions.save_work(locked, sheet, at=at)
        _record(visitor, "inventory.reopened", locked, {"version": version.number}, at)
    return version
