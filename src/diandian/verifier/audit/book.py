"""What the entries of a log say, batch by batch; small enough to be kept between two audits."""

from array import array
from bisect import bisect_right

import msgspec

from diandian.kernel.mass import GRAMS_PER_TONNE
from diandian.verifier.audit.findings import Findings
from diandian.verifier.audit.runs import Runs, Span, merged

SALE, BUFFER = "sale", "buffer"


class Lane(msgspec.Struct):
    """A stretch ``[lo, hi)`` of a batch, the grams used in it, and by what kinds of entry."""

    kind: str
    lo: int
    hi: int
    used: Runs
    retired_g: int = 0
    cancelled_g: int = 0
    reversed_g: int = 0
    unclaimed: list[Span] = []  # cancelled or reversed: used, and nobody's claim


class Batch(msgspec.Struct):
    """One issuance. ``index`` is its entry; ``upstream`` are serials retired outside, by entry."""

    name: str
    index: int
    programme: str
    project: str
    prefix: str
    first: int
    last: int
    vintage: int
    custody: str
    is_ex_ante: bool
    is_sample: bool
    lanes: list[Lane]
    upstream: list[tuple[int, int, int]] = []
    recalled: list[tuple[int, int, str]] = []
    is_frozen: bool = False
    frozen_g: int = 0  # retired while frozen: promised before, so it may be
    simulated_tonnes: int = 0
    turn: int = 0  # place of the lane that was used last

    @property
    def issued_g(self) -> int:
        """Return the grams of its serials."""
        return (self.last - self.first + 1) * GRAMS_PER_TONNE

    def lane_of(self, start_g: int, end_g: int) -> Lane | None:
        """Return the lane that holds a whole range."""
        place = bisect_right(self.lanes, start_g, key=lambda lane: lane.lo) - 1
        if place < 0 or end_g > self.lanes[place].hi:
            return None
        self.turn = place
        return self.lanes[place]

    def upstream_spans(self) -> list[Span]:
        """Return the grams that the outside registry has retired, as runs."""
        grams = [
            ((first - self.first) * GRAMS_PER_TONNE, (last - self.first + 1) * GRAMS_PER_TONNE)
            for first, last, _ in self.upstream
        ]
        return merged(grams)[0]


class Replacement(msgspec.Struct):
    """A retirement that was made for another one, or is named by a remedy."""

    index: int
    mass_g: int
    replaces: str | None


class Remedy(msgspec.Struct):
    """One step for one retirement of a recall; ``short_g`` is what is still missing after it."""

    index: int
    retirement: str
    outcome: str
    replacement: str | None
    short_g: int


class Recall(msgspec.Struct):
    """Grams called back. ``affected`` is grams by retirement, once these were looked up."""

    name: str
    index: int
    batch: str
    start_g: int
    end_g: int
    remedies: list[Remedy] = []
    affected: dict[str, int] = {}
    is_looked_up: bool = False


class Key(msgspec.Struct):
    """A key of the log that the log itself announced."""

    vkey: str
    since: str
    index: int


class Book(msgspec.Struct):
    """All that is known of a log up to its ``size``."""

    origin: str = ""
    size: int = 0
    counts: dict[str, int] = {}
    batches: dict[str, Batch] = {}
    recalls: dict[str, Recall] = {}
    replacements: dict[str, Replacement] = {}
    versions: dict[str, int] = {}  # of corrected certificates
    keys: list[Key] = []
    closed_at: int | None = None  # index of the entry that closed the log
    findings: Findings = msgspec.field(default_factory=Findings)
    # Eight bytes for each retirement, in order: to notice that one is named twice.
    tags: bytes = b""


class Tags:
    """The tags of retirements, in bulk; equal names have equal tags, others almost never."""

    def __init__(self, data: bytes) -> None:
        self.all = array("Q")
        self.all.frombytes(data)
        self.old = len(self.all)

    def doubtful(self) -> set[int]:
        """Return tags that occur more than once, at least once among the new ones."""
        fresh = self.all[self.old :]
        seen: set[int] = set()
        twice: set[int] = set()
        buckets = [array("Q") for _ in range(256)]
        for tag in fresh:
            buckets[tag & 255].append(tag)
        for bucket in buckets:
            distinct = set(bucket)
            if len(distinct) != len(bucket):
                for tag in bucket:
                    (twice if tag in seen else seen).add(tag)
                seen.clear()
        if self.old and fresh:
            known = set(fresh)
            twice.update(tag for tag in self.all[: self.old] if tag in known)
        return twice

    def missing(self, wanted: set[int]) -> set[int]:
        """Return those of the wanted tags that no retirement has."""
        return wanted.difference(self.all) if wanted else set()
