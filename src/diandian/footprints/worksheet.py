"""What an open inventory holds: entries, declarations, attendance and measures; pure.

Every thing kept says at which revision it last changed, so that two people who edit different
things both keep their work, and of two who edit the same thing the second is told.
*Source:* methodology, sections 5, 7 and 10; market notes B1-03 and B3-03 (reduce first).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from diandian.emissions.inventory.boundary import Declared
from diandian.emissions.inventory.entries import Entry
from diandian.emissions.inventory.measures import Measure, applied, confirm
from diandian.footprints.errors import (
    DuplicateEntryError,
    EntryGoneError,
    InventoryMovedError,
    MeasureGoneError,
    TooManyEntriesError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_ENTRIES = 5000
MOST_MEASURES = 40
_REMEMBERED = 20  # removed entries that can be brought back


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry, and the revision at which it last changed."""

    entry: Entry
    revision: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A measure that was ticked. ``words``: the organiser's own, "" for one of the list."""

    measure: Measure
    words: str
    revision: int


@dataclass(slots=True)
class Worksheet:
    """An open inventory.

    ``revision``: how often it was written. ``numbers``: how many keys were ever given, since a key
    is never given again. ``attendance``: people by stratum, or {"people": all of them}.
    ``imports``: keys of the entries that each imported file brought, by the file's digest.
    """

    revision: int = 0
    numbers: int = 0
    entries: dict[str, Kept] = field(default_factory=dict)
    removed: dict[str, Entry] = field(default_factory=dict)
    declared: dict[str, Declared] = field(default_factory=dict)
    attendance: dict[str, int] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)
    imports: dict[str, list[str]] = field(default_factory=dict)
    touched: dict[str, int] = field(default_factory=dict)  # revisions of what has no row of its own

    def all_entries(self) -> list[Entry]:
        """Return the entries in the order in which they were entered."""
        return [kept.entry for kept in self.entries.values()]

    def entry(self, key: str) -> Entry:
        """Return an entry. Raises: EntryGoneError."""
        if key not in self.entries:
            raise EntryGoneError(key=key[:40])
        return self.entries[key].entry

    # --- entries ---

    def add(self, entry: Entry, *, since: int) -> str:
        """Add an entry under a new key and return the key.

        Idempotent: the same entry sent again since revision ``since`` is the one that is there.
        Raises: DuplicateEntryError, TooManyEntriesError.
        """
        same = self._same_as(entry)
        if same is not None:
            if same.revision > since:
                return same.entry.key
            raise DuplicateEntryError(field="activity", other=same.entry.key)
        if len(self.entries) >= MOST_ENTRIES:
            raise TooManyEntriesError(field="activity", limit=MOST_ENTRIES)
        key = self._new_key()
        self.entries[key] = Kept(replace(entry, key=key), self.revision)
        self.declared.pop(entry.category, None)
        return key

    def add_all(self, entries: Iterable[Entry], digest: str) -> list[str]:
        """Add an imported file's entries. Raises: TooManyEntriesError."""
        fresh = list(entries)
        if len(self.entries) + len(fresh) > MOST_ENTRIES:
            raise TooManyEntriesError(field="file", limit=MOST_ENTRIES)
        keys = []
        for entry in fresh:
            keys.append(self._new_key())
            self.entries[keys[-1]] = Kept(replace(entry, key=keys[-1]), self.revision)
            self.declared.pop(entry.category, None)
        self.imports[digest] = keys
        return keys

    def change(self, key: str, entry: Entry, *, since: int) -> None:
        """Put another entry in the place of one. Raises: EntryGoneError, InventoryMovedError."""
        before = self.entry(key)
        after = replace(entry, key=key)
        if after == before:
            return
        self._unchanged(self.entries[key].revision, since)
        self.entries[key] = Kept(after, self.revision)
        self.declared.pop(after.category, None)
        self._rebase(before, after)

    def remove(self, key: str, *, since: int) -> None:
        """Take an entry out; it can be restored. Raises: EntryGoneError, InventoryMovedError."""
        entry = self.entry(key)
        self._unchanged(self.entries[key].revision, since)
        del self.entries[key]
        self.removed[key] = entry
        for old in list(self.removed)[:-_REMEMBERED]:
            del self.removed[old]
        for name, plan in list(self.plans.items()):
            if plan.measure.before.key == key and plan.measure.confirmed is None:
                del self.plans[name]

    def restore(self, key: str) -> None:
        """Bring a removed entry back. Idempotent. Raises: EntryGoneError, TooManyEntriesError."""
        if key in self.entries:
            return
        if key not in self.removed:
            raise EntryGoneError(key=key[:40])
        if len(self.entries) >= MOST_ENTRIES:
            raise TooManyEntriesError(field="activity", limit=MOST_ENTRIES)
        self.entries[key] = Kept(self.removed.pop(key), self.revision)

    def repeated(self, entries: Iterable[Entry]) -> dict[str, str]:
        """Return which of these entries stand here already: the key here, by the key there."""
        have = {_content(kept.entry): key for key, kept in self.entries.items()}
        return {each.key: have[_content(each)] for each in entries if _content(each) in have}

    def imported(self, digest: str) -> bool:
        """Tell whether a file was imported of which an entry still stands here."""
        return any(key in self.entries for key in self.imports.get(digest, ()))

    def forget_evidence(self, digest: str) -> int:
        """Take an erased file out of everything that names it. Returns of how many things."""
        count = 0
        for key, kept in self.entries.items():
            if kept.entry.evidence == digest:
                self.entries[key] = Kept(replace(kept.entry, evidence=""), self.revision)
                count += 1
        return count

    def _same_as(self, entry: Entry) -> Kept | None:
        wanted = _content(entry)
        return next(
            (kept for kept in self.entries.values() if _content(kept.entry) == wanted), None
        )

    def _new_key(self) -> str:
        self.numbers += 1
        return f"e{self.numbers}"

    def _unchanged(self, revision: int, since: int) -> None:
        if revision > since:
            raise InventoryMovedError

    # --- what has no row ---

    def declare(self, declared: Declared, *, since: int) -> None:
        """Say about a source without entries that it is zero or left out.

        Raises: InventoryMovedError.
        """
        self._touch(f"declared.{declared.category}", since)
        self.declared[declared.category] = declared

    def undeclare(self, category: str) -> None:
        """Take such a word back; the source is missing again. Idempotent."""
        self.declared.pop(category, None)

    def set_attendance(self, people: Mapping[str, int], *, since: int) -> None:
        """Say how many people came. Raises: InventoryMovedError."""
        if self.attendance == dict(people):
            return
        self._touch("attendance", since)
        self.attendance = dict(people)

    def _touch(self, name: str, since: int) -> None:
        self._unchanged(self.touched.get(name, 0), since)
        self.touched[name] = self.revision

    # --- measures ---

    def plan(self, measure: Measure, words: str = "") -> None:
        """Tick a measure. Idempotent by its key. Raises: TooManyEntriesError."""
        if measure.key in self.plans:
            return
        if len(self.plans) >= MOST_MEASURES:
            raise TooManyEntriesError(field="measure", limit=MOST_MEASURES)
        self.plans[measure.key] = Plan(measure, words, self.revision)

    def planned(self, key: str) -> Plan:
        """Return a ticked measure. Raises: MeasureGoneError."""
        if key not in self.plans:
            raise MeasureGoneError
        return self.plans[key]

    def confirm(self, key: str, after: Entry, evidence: str, *, since: int) -> Measure:
        """Confirm a measure: the entry of after takes the place of the entry of before.

        Raises: MeasureGoneError, MeasureError, InventoryMovedError.
        """
        plan = self.planned(key)
        self._unchanged(plan.revision, since)
        kept = self.entries.get(plan.measure.before.key)
        if kept is not None:
            self._unchanged(kept.revision, since)
        measure = confirm(plan.measure, after, evidence)
        self.plans[key] = Plan(measure, plan.words, self.revision)
        if kept is not None:
            (now,) = applied([kept.entry], [measure])
            self.entries[now.key] = Kept(now, self.revision)
        return measure

    def unplan(self, key: str) -> None:
        """Take a measure back; what it replaced stands again unless it changed. Idempotent."""
        plan = self.plans.pop(key, None)
        if plan is None or plan.measure.confirmed is None:
            return
        kept = self.entries.get(plan.measure.before.key)
        if kept is not None and kept.entry == plan.measure.confirmed:
            self.entries[kept.entry.key] = Kept(plan.measure.before, self.revision)

    def _rebase(self, before: Entry, after: Entry) -> None:
        """Keep what is expected in step with an entry that was corrected."""
        for key, plan in list(self.plans.items()):
            measure = plan.measure
            if measure.before != before or measure.confirmed is not None:
                continue
            if after.activity != before.activity or after.unit != before.unit:
                del self.plans[key]
                continue
            amount = after.amount if not plan.words else measure.expected.amount
            expected = replace(after, activity=measure.expected.activity, amount=amount)
            fresh = replace(measure, before=after, expected=expected)
            self.plans[key] = Plan(fresh, plan.words, self.revision)

    # --- as stored ---

    def to_json(self) -> dict[str, Any]:
        """Return text, whole numbers, lists and dictionaries."""
        return {
            "revision": self.revision,
            "numbers": self.numbers,
            "entries": [[kept.entry.to_json(), kept.revision] for kept in self.entries.values()],
            "removed": [entry.to_json() for entry in self.removed.values()],
            "declared": [
                [item.category, item.state, item.reason, item.expected_g]
                for item in self.declared.values()
            ],
            "attendance": self.attendance,
            "plans": [_plan_json(plan) for plan in self.plans.values()],
            "imports": self.imports,
            "touched": self.touched,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Worksheet:
        """Return the worksheet that ``to_json`` described; an empty one for {}."""
        if not data:
            return cls()
        entries = [Kept(Entry.from_json(entry), revision) for entry, revision in data["entries"]]
        removed = [Entry.from_json(entry) for entry in data["removed"]]
        plans = [_plan(item) for item in data["plans"]]
        return cls(
            revision=data["revision"],
            numbers=data["numbers"],
            entries={kept.entry.key: kept for kept in entries},
            removed={entry.key: entry for entry in removed},
            declared={item[0]: Declared(*item) for item in data["declared"]},
            attendance=dict(data["attendance"]),
            plans={plan.measure.key: plan for plan in plans},
            imports=dict(data["imports"]),
            touched=dict(data["touched"]),
        )

    def for_next_version(self) -> Worksheet:
        """Return what the next version begins with: all but what was removed."""
        return replace(self, removed={})


def _content(entry: Entry) -> tuple[Any, ...]:
    return tuple(str(value) for name, value in entry.to_json().items() if name != "key")


def _plan_json(plan: Plan) -> dict[str, Any]:
    measure = plan.measure
    return {
        "key": measure.key,
        "label": measure.label,
        "before": measure.before.to_json(),
        "expected": measure.expected.to_json(),
        "confirmed": measure.confirmed and measure.confirmed.to_json(),
        "evidence": measure.evidence,
        "words": plan.words,
        "revision": plan.revision,
    }


def _plan(data: Mapping[str, Any]) -> Plan:
    confirmed = data["confirmed"]
    measure = Measure(
        data["key"],
        data["label"],
        Entry.from_json(data["before"]),
        Entry.from_json(data["expected"]),
        Entry.from_json(confirmed) if confirmed else None,
        data["evidence"],
    )
    return Plan(measure, data["words"], data["revision"])
