"""Reads the log once more to name the entries behind a finding; only when there is one."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from diandian.verifier.audit.book import Book, Replacement
from diandian.verifier.audit.findings import MOST, Finding
from diandian.verifier.audit.reading import RETIRE_END, careful, quick_retire, tag_of
from diandian.verifier.audit.runs import merged
from diandian.verifier.audit.source import Source
from diandian.verifier.audit.tree import Tree, read_again
from diandian.verifier.entries import EntryError

_MOST_USERS = 10_000
_TOLD = 10
Part = tuple[str, int, int]


class Use(msgspec.Struct):
    """An entry that uses grams: what it is called, and its ranges."""

    index: int
    kind: str
    name: str
    ranges: Sequence[Part]
    replaces: str | None = None
    log: str = ""  # where it stands, if not in the newest log

    def __str__(self) -> str:
        """Return how a finding names it."""
        what = {"retire": "retirement"}.get(self.kind, self.kind)
        where = f" of {self.log}" if self.log else ""
        return f"entry {self.index}{where} ({what} {self.name})"


class Read(NamedTuple):
    """A log that was read: what it is called, where from, and its tree."""

    origin: str
    source: Source
    tree: Tree


UsedPart = tuple[int, int, Use]


class Questions:
    """What must be looked up: stretches of grams used twice, recalls, and names of retirements."""

    def __init__(self, book: Book, doubtful: set[int]) -> None:
        self._book = book
        self._doubtful = doubtful
        self._clashes = {
            batch.name: merged(span for lane in batch.lanes for span in lane.used.clashes)[0]
            for batch in book.batches.values()
            if any(lane.used.clashes for lane in batch.lanes)
        }
        self._recalls = [one for one in book.recalls.values() if not one.is_looked_up]
        named = {
            remedy.replacement
            for recall in book.recalls.values()
            for remedy in recall.remedies
            if remedy.replacement is not None
        }
        self._wanted = named - set(book.replacements)
        self._users: dict[str, list[UsedPart]] = {}
        self._twice: dict[int, list[Use]] = {}

    def __bool__(self) -> bool:
        """Tell whether anything is asked."""
        return bool(self._clashes or self._recalls or self._wanted or self._doubtful)

    def answer(self, logs: Iterable[Read]) -> None:
        """Look everything up; put recalls and replacements into the book, and findings.

        ``logs``: all of them, oldest first. Raises: FileNotFoundError, SourceError.
        """
        for recall in self._recalls:
            recall.affected = {}
        for log in logs:
            name = "" if log.origin == self._book.origin else log.origin
            for start, entries in read_again(log.source, log.tree):
                for index, data in enumerate(entries, start):
                    use = _use(index, data, self._book)
                    if use is not None:
                        use.log = name
                        self._take(use)
        for recall in self._recalls:
            recall.is_looked_up = True
        for batch in self._book.batches.values():
            for lane in batch.lanes:
                lane.used.clashes = []
        self._book.findings.extend(self._clash_findings())
        self._book.findings.extend(self._name_findings())

    def _take(self, use: Use) -> None:
        for name, start_g, end_g in use.ranges:
            spans = self._clashes.get(name, ())
            place = max(0, bisect_right(spans, (start_g, 0)) - 1) if spans else 0
            while place < len(spans) and spans[place][0] < end_g:
                if start_g < spans[place][1]:
                    parts = self._users.setdefault(name, [])
                    if len(parts) < _MOST_USERS:
                        parts.append((start_g, end_g, use))
                    break
                place += 1
        if use.kind != "retire":
            return
        for recall in self._recalls:
            grams = sum(
                max(0, min(end_g, recall.end_g) - max(start_g, recall.start_g))
                for name, start_g, end_g in use.ranges
                if name == recall.batch
            )
            if grams:
                recall.affected[use.name] = recall.affected.get(use.name, 0) + grams
        if use.name in self._wanted:
            mass_g = sum(end_g - start_g for _, start_g, end_g in use.ranges)
            self._book.replacements[use.name] = Replacement(use.index, mass_g, use.replaces)
        if self._doubtful and tag_of(use.name) in self._doubtful:
            self._twice.setdefault(tag_of(use.name), []).append(use)

    def _clash_findings(self) -> Iterator[Finding]:
        for name, parts in sorted(self._users.items()):
            for start_g, end_g, first, second in islice(_pairs(parts), MOST):
                text = f"grams [{start_g}, {end_g}) of {name} are used twice: {first} and {second}"
                yield Finding("R1", text, (first.index, second.index), name)

    def _name_findings(self) -> Iterator[Finding]:
        for uses in self._twice.values():
            names = {use.name for use in uses}
            for name in sorted(names):
                indices = tuple(use.index for use in uses if use.name == name)
                if len(indices) > 1:
                    text = f"the retirement {name} is entered more than once"
                    yield Finding("entry", text, indices[:_TOLD])


def _pairs(parts: list[UsedPart]) -> Iterator[tuple[int, int, Use, Use]]:
    """Yield the grams that two uses have in common, and these two in their order in the log."""
    open_parts: list[UsedPart] = []
    for start_g, end_g, use in sorted(parts, key=lambda part: (part[0], part[1], part[2].index)):
        open_parts = [part for part in open_parts if part[1] > start_g]
        for _, other_end_g, other in open_parts:
            first, second = sorted((use, other), key=lambda one: (not one.log, one.index))
            yield start_g, min(end_g, other_end_g), first, second
        open_parts.append((start_g, end_g, use))


def _use(index: int, data: bytes, book: Book) -> Use | None:
    if data.endswith(RETIRE_END):
        found = quick_retire(data, book.batches)
        if found is not None:
            return Use(index, "retire", found.retirement, found.ranges, found.replaces)
    elif b'"ranges":' not in data:
        return None
    try:
        body = careful(data)
    except EntryError:
        return None
    if body["type"] == "retire":
        return Use(index, "retire", body["retirement"], body["ranges"], body["replaces"])
    return Use(index, body["type"], body["ref"], body["ranges"])
