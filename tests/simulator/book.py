"""What the simulator knows by itself: who wished what, what was issued, what was told to whom.

Plain Python that imports nothing of the product; prices and grams are reckoned anew.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from tests.simulator.stage import PRICE_PER_TONNE_MINOR

TONNE = 1_000_000
UNPAID_LIFETIME = timedelta(minutes=20)
RIGHT_LASTS = timedelta(days=14)


class BreachError(AssertionError):
    """The product did what it must never do."""


def require(holds, *words):
    """Refuse to go on with a broken world."""
    if not holds:
        raise BreachError(" ".join(str(word) for word in words))


def price_of(project, mass_g):
    """Return supplier's part and fee in minor units, rounded half up."""
    supplier = max(1, (mass_g * PRICE_PER_TONNE_MINOR[project] + TONNE // 2) // TONNE)
    return supplier, max(60, (supplier * 700 + 5_000) // 10_000)


@dataclass
class Guest:
    """A person with a wish, what they asked for since, and what their browser still shows."""

    key: str
    project: str
    mass_g: int
    name: str
    device: str
    keeps_right: bool = False
    quote: str = ""
    order_id: int = 0
    token: str = ""
    placed_at: object = None
    first_paid_at: object = None
    asked: set = field(default_factory=set)

    @property
    def ref(self):
        return f"order:{self.order_id}"

    @property
    def total(self):
        return sum(price_of(self.project, self.mass_g))


@dataclass(frozen=True)
class Quality:
    """How good the credits of a batch are. ``adjusted``: what the country said, and how far it is.

    ``is_native``: they originate here, so no registry elsewhere has to retire their tonnes.
    """

    vintage: int = 2025
    is_native: bool = False
    credit_class: str = "other"
    has_label: bool = False
    is_recognised: bool = False
    adjusted: tuple[str, str] = ("unknown", "not_started")


@dataclass
class Batch:
    """An issuance as the operator entered it. ``is_fit``: verified, and not ex-ante.

    ``is_stopped``: by an operator. ``under``: recalls of it that are not given up, by their keys.
    """

    source_ref: str
    project: str
    tonnes: int
    lanes: int
    buffer_g: int
    is_fit: bool
    facts: dict
    number: int
    quality: Quality = Quality()
    is_stopped: bool = False
    under: set = field(default_factory=set)

    @property
    def total_g(self):
        return self.tonnes * TONNE

    @property
    def is_frozen(self):
        """Tell whether it may not serve, for whichever reason."""
        return self.is_stopped or bool(self.under)


@dataclass
class Recall:
    """A recall as somebody wished for it: what of a batch, and where replacements may come from.

    ``kind``: invalid or reversal. ``is_approved``, ``is_declined``: asked for by somebody.
    """

    key: str
    source_ref: str
    start_g: int
    end_g: int
    kind: str
    sources: tuple[str, ...]
    is_approved: bool = False
    is_declined: bool = False


@dataclass
class Book:
    """All of it. ``uses``: grams that the operator took out, by reference, and of which batch.

    ``post``: notices on their way; ``insisted``: what the bank took after it had said no;
    ``odd``: payments of which it took another amount; ``restored``: batches of which the log knows
    more than the database that came back.
    """

    guests: dict[str, Guest] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    recalls: dict[str, Recall] = field(default_factory=dict)
    restored: set = field(default_factory=set)
    uses: dict[str, tuple[str, int, str]] = field(default_factory=dict)
    post: list = field(default_factory=list)
    insisted: set = field(default_factory=set)
    odd: set = field(default_factory=set)

    def guest_of(self, order_id):
        """Return whose order it is."""
        return next(guest for guest in self.guests.values() if guest.order_id == order_id)


def taken_by_lane(seen):
    """Return what is used of each lane from its start, and what is held of it."""
    used, held = {}, {}
    for row in seen.ranges.values():
        used[row.lane_id] = used.get(row.lane_id, 0) + row.end_g - row.start_g
    for lanes in seen.holds.values():
        for lane_id, mass_g in lanes.items():
            held[lane_id] = held.get(lane_id, 0) + mass_g
    return used, held


def free_by_lane(book, seen, project):
    """Return free grams of each lane that may serve a project, oldest issuance first."""
    used, held = taken_by_lane(seen)
    free = []
    for lane in sorted(seen.lanes.values(), key=lambda lane: lane.id):
        batch = book.batches[lane.source_ref]
        if (batch.project, lane.kind) != (project, "sale") or not batch.is_fit or batch.is_frozen:
            continue
        left = lane.hi - lane.lo - used.get(lane.id, 0) - held.get(lane.id, 0)
        if left > 0:
            free.append((batch.number, lane.id, left))
    return [(lane_id, left) for _, lane_id, left in sorted(free)]


def plan(free, mass_g):
    """Return which lanes a new order's grams come from; None when there are too few."""
    taken = {}
    for lane_id, left in free:
        take = min(left, mass_g)
        if take:
            taken[lane_id] = take
            mass_g -= take
    return taken if not mass_g else None
