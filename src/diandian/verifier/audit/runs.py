"""Which grams are used, as runs that touch each other no more; made for ranges that follow closely.

Ranges usually continue the one before, so that ten million retirements leave a few runs. Others
wait, and are sorted in when they are many: any order is possible, and none makes it slow.
"""

from collections.abc import Iterable

import msgspec

_WAITING = 65_536
_CLASHES = 200

Span = tuple[int, int]


def merged(spans: Iterable[Span]) -> tuple[list[Span], list[Span]]:
    """Return spans as runs in order, and the stretches that more than one of them holds."""
    runs: list[Span] = []
    clashes: list[Span] = []
    start, end = 0, 0
    for low, high in sorted(spans):
        if low > end or start == end:
            if start != end:
                runs.append((start, end))
            start, end = low, high
            continue
        if low < end and len(clashes) < _CLASHES:
            clashes.append((low, min(high, end)))
        end = max(end, high)
    if start != end:
        runs.append((start, end))
    return runs, clashes


class Runs(msgspec.Struct):
    """Used grams; ``clashes`` are stretches used more than once, complete after ``settle``.

    The run from ``start`` to ``end`` is open: a range that begins at its end makes it longer.
    """

    start: int = 0
    end: int = 0
    settled: list[Span] = []
    waiting: list[Span] = []
    clashes: list[Span] = []

    def add(self, start: int, end: int) -> None:
        """Use ``[start, end)``."""
        if start == self.end:
            self.end = end
            return
        if self.start != self.end:
            self.waiting.append((self.start, self.end))
        self.start, self.end = start, end
        if len(self.waiting) >= max(_WAITING, len(self.settled) // 2):
            self.settle()

    def settle(self) -> list[Span]:
        """Sort in what waits, and return all runs in order."""
        if self.start != self.end:
            self.waiting.append((self.start, self.end))
        self.settled, clashes = merged([*self.settled, *self.waiting])
        room = _CLASHES - len(self.clashes)
        self.clashes.extend(clashes[:room])
        self.waiting = []
        # The last run stays open.
        self.start, self.end = self.settled.pop() if self.settled else (0, 0)
        return [*self.settled, (self.start, self.end)] if self.start != self.end else []


def without(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """Return runs in order, less what other spans hold."""
    cuts, _ = merged(holes)
    left: list[Span] = []
    place = 0
    for start, end in spans:
        while place < len(cuts) and cuts[place][1] <= start:
            place += 1
        at, cut = start, place
        while cut < len(cuts) and cuts[cut][0] < end:
            if cuts[cut][0] > at:
                left.append((at, cuts[cut][0]))
            at = max(at, cuts[cut][1])
            cut += 1
        if at < end:
            left.append((at, end))
    return left


def total(spans: Iterable[Span]) -> int:
    """Return how many grams spans hold."""
    return sum(end - start for start, end in spans)


def shared(spans: Iterable[Span], other: Iterable[Span]) -> int:
    """Return how many grams two lists of disjoint spans have in common."""
    others = list(other)
    return sum(
        max(0, min(end, high) - max(start, low)) for start, end in spans for low, high in others
    )
