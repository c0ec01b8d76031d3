"""Replays entries in their order into the book, and finds what no later entry can mend.

What depends on all entries together (gaps, serials of several batches, tonnes still awaited) is
looked at in the end: ``verdict``. *Source:* design of the registry, section 2, R1 to R12.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from diandian.verifier.audit.book import (
    BUFFER,
    SALE,
    Batch,
    Book,
    Key,
    Lane,
    Recall,
    Remedy,
    Replacement,
    Tags,
)
from diandian.verifier.audit.findings import Findings
from diandian.verifier.audit.reading import RETIRE_END, careful, quick_retire, tag_of
from diandian.verifier.audit.runs import Runs
from diandian.verifier.audit.source import SourceError
from diandian.verifier.entries import EntryError
from diandian.verifier.merkle import Frontier
from diandian.verifier.notes import Verifier

Body = dict[str, Any]
# The frontier of the tree before the entry of this place of the bundle.
FrontierAt = Callable[[int], Frontier]


class Replay:
    """Takes the entries of a log, bundle by bundle, into a book."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.tags = Tags(book.tags)
        self._previous: Body | None = None
        # By tag: entries that name a retirement which must stand somewhere before them.
        self.named: dict[int, list[tuple[int, str]]] = {}
        self._steps: dict[str, Callable[[int, Body], None]] = {
            "open": self._open,
            "issue": self._issue,
            "upstream": self._upstream,
            "retire": self._retire,
            "cancel": self._cancel,
            "reversal": self._reversal,
            "freeze": self._freeze,
            "thaw": self._thaw,
            "recall": self._recall,
            "remedy": self._remedy,
            "correction": self._correction,
            "key": self._key,
        }

    def begin(self, previous: Body | None) -> None:
        """Go on with the next log. ``previous``: origin, size and root of the one before it."""
        book = self.book
        if previous is not None and book.closed_at is None:
            text = f"the log {book.origin} is continued by another one, and was not closed"
            self._findings.add("entry", text)
        self._previous = previous
        book.origin, book.size, book.closed_at = "", 0, None

    @property
    def _findings(self) -> Findings:
        return self.book.findings

    def take(self, start: int, bundle: Sequence[bytes], frontier_at: FrontierAt) -> None:
        """Take entries, of which the first has index ``start``."""
        quick, append, batches = 0, self.tags.all.append, self.book.batches
        is_open = self.book.closed_at is None and bool(self.book.origin)
        for index, data in enumerate(bundle, start):
            if is_open and data.endswith(RETIRE_END):
                found = quick_retire(data, batches)
                if found is not None:
                    append(tag_of(found.retirement))
                    self._use_all(index, found.ranges)
                    if found.replaces is not None:
                        self._replacing(index, found.retirement, found.ranges, found.replaces)
                    quick += 1
                    continue
            self._slowly(index, data, partial(frontier_at, index - start))
            is_open = self.book.closed_at is None and bool(self.book.origin)
        if quick:
            self._count("retire", quick)
        self.book.size = start + len(bundle)

    def _count(self, kind: str, number: int = 1) -> None:
        self.book.counts[kind] = self.book.counts.get(kind, 0) + number

    def _slowly(self, index: int, data: bytes, frontier: Callable[[], Frontier]) -> None:
        try:
            body = careful(data)
        except EntryError as error:
            self._findings.add("entry", f"this is no entry of the log: {error}", index)
            return
        kind = body["type"]
        self._count(kind)
        if self.book.closed_at is not None:
            text = f"an entry {kind} after the log was closed by entry {self.book.closed_at}"
            self._findings.add("entry", text, index)
        if (kind == "open") != (index == 0):
            self._findings.add("entry", "a log begins with one entry open, and has no other", index)
        if kind == "close":
            self._close(index, body, frontier())
        else:
            self._steps[kind](index, body)

    def _open(self, index: int, body: Body) -> None:
        if index != 0:
            return
        self.book.origin = body["origin"]
        if self._previous is None and body["previous"] is not None:
            name = body["previous"]["origin"]
            raise SourceError(f"this log continues {name}: give that one too, before it")
        if body["previous"] != self._previous:
            text = "the log does not continue the one before it, as that one ended"
            self._findings.add("head", text, index)

    def _close(self, index: int, body: Body, frontier: Frontier) -> None:
        if self.book.closed_at is None:
            self.book.closed_at = index
        if body["size"] != index or body["root"] != frontier.root().hex():
            text = "the closing entry names another size or root than that of the entries before it"
            self._findings.add("entry", text, index)

    def _key(self, index: int, body: Body) -> None:
        if Verifier.parse(body["vkey"]).name != self.book.origin:
            self._findings.add("key", "a key is announced under another log's name", index)
        else:
            self.book.keys.append(Key(body["vkey"], body["from"], index))

    def _issue(self, index: int, body: Body) -> None:
        name = body["batch"]
        if name in self.book.batches:
            first = self.book.batches[name].index
            text = f"the batch {name} is issued a second time"
            self._findings.add("R4", text, first, index, batch=name)
            return
        lanes = [Lane(kind, low, high, Runs()) for kind, low, high in body["lanes"]]
        lanes.sort(key=lambda lane: lane.lo)
        batch = Batch(
            name=name,
            index=index,
            programme=body["programme"],
            project=body["project"],
            prefix=body["prefix"],
            first=body["first"],
            last=body["last"],
            vintage=body["vintage"],
            custody=body["custody"],
            is_ex_ante=body["ex_ante"],
            is_sample=body["sample"],
            lanes=lanes,
        )
        self.book.batches[name] = batch
        ends = [0, *(lane.hi for lane in lanes)]
        if any(lane.lo != end for lane, end in zip(lanes, ends, strict=False)):
            self._findings.add("R3", "its lanes do not follow each other", index, batch=name)
        if ends[-1] != batch.issued_g:
            text = f"its lanes hold {ends[-1]} g, its serials {batch.issued_g} g"
            self._findings.add("R3", text, index, batch=name)

    def _batch(self, index: int, name: str, what: str) -> Batch | None:
        batch = self.book.batches.get(name)
        if batch is None:
            self._findings.add(
                "R1", f"{what} names the batch {name}, not issued before", index, batch=name
            )
        return batch

    def _lane(self, index: int, kind: str, part: tuple[str, int, int]) -> tuple[Batch, Lane] | None:
        name, start_g, end_g = part
        batch = self._batch(index, name, kind)
        if batch is None:
            return None
        lane = batch.lane_of(start_g, end_g)
        if lane is None:
            text = f"{kind} of [{start_g}, {end_g}) lies outside of the batch or across two lanes"
            self._findings.add("R1", text, index, batch=name)
            return None
        if (lane.kind == BUFFER) != (kind == "reversal"):
            rule = "R12" if kind == "reversal" else "R1"
            text = f"{kind} of [{start_g}, {end_g}) lies in a lane for {lane.kind}"
            self._findings.add(rule, text, index, batch=name)
        return batch, lane

    def _use_all(self, index: int, ranges: Sequence[tuple[str, int, int]]) -> None:
        batches = self.book.batches
        for part in ranges:
            name, start_g, end_g = part
            batch = batches.get(name)
            lane = batch.lanes[batch.turn] if batch is not None else None
            # The usual case, written out: the lane that served before, and it is for sale.
            if (
                batch is None
                or lane is None
                or start_g < lane.lo
                or end_g > lane.hi
                or lane.kind != SALE
            ):
                found = self._lane(index, "retire", part)
                if found is None:
                    continue
                batch, lane = found
            lane.retired_g += end_g - start_g
            lane.used.add(start_g, end_g)
            if batch.is_frozen or batch.is_ex_ante or batch.recalled:
                self._in_doubt(index, batch, start_g, end_g)

    def _in_doubt(self, index: int, batch: Batch, start_g: int, end_g: int) -> None:
        if batch.is_ex_ante:
            text = "grams are retired that were not yet verified (ex ante)"
            self._findings.add("R9", text, index, batch=batch.name)
        if batch.is_frozen:
            batch.frozen_g += end_g - start_g
        for low, high, recall in batch.recalled:
            if start_g < high and low < end_g:
                self.book.recalls[recall].is_looked_up = False

    def _retire(self, index: int, body: Body) -> None:
        name = body["retirement"]
        self.tags.all.append(tag_of(name))
        self._use_all(index, body["ranges"])
        if body["replaces"] is not None:
            self._replacing(index, name, body["ranges"], body["replaces"])

    def _replacing(
        self, index: int, name: str, ranges: Sequence[tuple[str, int, int]], replaces: str
    ) -> None:
        mass_g = sum(end_g - start_g for _, start_g, end_g in ranges)
        self.book.replacements[name] = Replacement(index, mass_g, replaces)
        self._name(index, replaces)
        if replaces == name:
            self._findings.add("R12", f"the retirement {name} replaces itself", index)

    def _name(self, index: int, retirement: str) -> None:
        self.named.setdefault(tag_of(retirement), []).append((index, retirement))

    def _take_out(self, index: int, kind: str, body: Body) -> None:
        for part in body["ranges"]:
            found = self._lane(index, kind, part)
            if found is None:
                continue
            _, lane = found
            _, start_g, end_g = part
            lane.used.add(start_g, end_g)
            lane.unclaimed.append((start_g, end_g))
            if kind == "cancel":
                lane.cancelled_g += end_g - start_g
            else:
                lane.reversed_g += end_g - start_g

    def _cancel(self, index: int, body: Body) -> None:
        self._take_out(index, "cancel", body)

    def _reversal(self, index: int, body: Body) -> None:
        self._take_out(index, "reversal", body)

    def _upstream(self, index: int, body: Body) -> None:
        batch = self._batch(index, body["batch"], "upstream")
        if batch is None:
            return
        first, last = body["first"], body["last"]
        if not batch.first <= first <= last <= batch.last:
            text = f"serials {first} to {last} are not of this batch"
            self._findings.add("R10", text, index, batch=batch.name)
            return
        for low, high, other in batch.upstream:
            if first <= high and low <= last:
                text = f"serials {max(first, low)} to {min(last, high)} were retired outside twice"
                self._findings.add("R10", text, other, index, batch=batch.name)
        batch.upstream.append((first, last, index))
        batch.simulated_tonnes += (last - first + 1) if body["simulated"] else 0

    def _freeze(self, index: int, body: Body) -> None:
        batch = self._batch(index, body["batch"], "freeze")
        if batch is not None:
            batch.is_frozen = True

    def _thaw(self, index: int, body: Body) -> None:
        batch = self._batch(index, body["batch"], "thaw")
        if batch is None:
            return
        if batch.recalled:
            text = "a batch with recalled grams is thawed"
            self._findings.add("R12", text, index, batch=batch.name)
        batch.is_frozen = False

    def _recall(self, index: int, body: Body) -> None:
        batch = self._batch(index, body["batch"], "recall")
        name, start_g, end_g = body["recall"], body["start_g"], body["end_g"]
        if batch is None:
            return
        if name in self.book.recalls:
            first = self.book.recalls[name].index
            self._findings.add("R12", f"the recall {name} is opened a second time", first, index)
            return
        if end_g > batch.issued_g:
            text = f"the recall {name} reaches beyond the {batch.issued_g} g of the batch"
            self._findings.add("R12", text, index, batch=batch.name)
        self.book.recalls[name] = Recall(name, index, batch.name, start_g, end_g)
        batch.recalled.append((start_g, end_g, name))

    def _remedy(self, index: int, body: Body) -> None:
        recall = self.book.recalls.get(body["recall"])
        if recall is None:
            text = f"a remedy of the recall {body['recall']}, which was not opened before"
            self._findings.add("R12", text, index)
            return
        told = ("retirement", "outcome", "replacement", "short_g")
        remedy = Remedy(index, *(body[member] for member in told))
        recall.remedies.append(remedy)
        self._name(index, remedy.retirement)
        if remedy.replacement is not None:
            self._name(index, remedy.replacement)

    def _correction(self, index: int, body: Body) -> None:
        name, version = body["retirement"], body["version"]
        self._name(index, name)
        newest = self.book.versions.get(name, 0)
        if version <= newest:
            text = f"a correction of {name} to version {version}, after version {newest}"
            self._findings.add("entry", text, index)
        self.book.versions[name] = max(version, newest)

    def unknown_names(self) -> list[tuple[int, str]]:
        """Return the entries that name a retirement which the log does not hold."""
        missing = self.tags.missing(set(self.named))
        return sorted(pair for tag in missing for pair in self.named[tag])
