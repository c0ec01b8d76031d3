"""Reads the pool: what is sold, what of it lies in tonnes retired at their origin, what is open.

Added up from lanes, cancellations and outside retirements, never from single retirements: it stays
as quick as the number of lanes. *Source:* market study, M2; design of the registry, R10.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from diandian.registry.models import (
    GRAMS_PER_CREDIT,
    Allocation,
    AllocationKind,
    CreditBatch,
    Custody,
    Lane,
    LaneKind,
    Project,
    UpstreamRetirement,
)
from diandian.registry.pool.tonnes import Span, shared_g, used_tonnes
from diandian.registry.serials import format_serial


@dataclass(frozen=True, slots=True)
class PoolTonne:
    """A tonne that is sold from and that its registry only holds. ``rest_g``: not sold yet."""

    batch: CreditBatch
    lane_id: int
    number: int
    serial: str
    sold_g: int
    rest_g: int

    @property
    def span_g(self) -> Span:
        """Return its grams within the batch, the end excluded."""
        return (self.number - 1) * GRAMS_PER_CREDIT, self.number * GRAMS_PER_CREDIT


@dataclass(frozen=True, slots=True)
class Pool:
    """Where the sold grams of a project or credit class stand.

    ``retired_g``: sold grams in tonnes that are retired at their origin, the only ones that we call
    retired; ``outside_g``: all grams of tonnes retired at their origin, never less than those.
    """

    sold_g: int = 0
    retired_g: int = 0
    outside_g: int = 0

    def __add__(self, other: "Pool") -> "Pool":
        return Pool(
            self.sold_g + other.sold_g,
            self.retired_g + other.retired_g,
            self.outside_g + other.outside_g,
        )

    @property
    def held_g(self) -> int:
        """Return sold grams whose tonnes are only held yet."""
        return self.sold_g - self.retired_g

    @property
    def gauge_permille(self) -> int | None:
        """Return what is retired at the origin of each 1000 g sold, rounded down; None before.

        That what we call retired is so at the origin is a check of its own (R10).
        """
        return self.retired_g * 1000 // self.sold_g if self.sold_g else None


def pools(projects: Iterable[Project] | None = None) -> dict[int, Pool]:
    """Return the pool of each project, by its id; of all projects without a list."""
    found: dict[int, Pool] = defaultdict(Pool)
    lanes = _sale_lanes()
    if projects is not None:
        lanes = [lane for lane in lanes if lane.batch.project_id in {p.id for p in projects}]
    cancelled, outside = _cancelled(), _outside(lanes)
    for lane in lanes:
        found[lane.batch.project_id] += _pool_of(lane, cancelled[lane.id], outside[lane.batch_id])
    for batch_id, spans in outside.items():
        batch = next(lane.batch for lane in lanes if lane.batch_id == batch_id)
        found[batch.project_id] += Pool(outside_g=sum(end - start for start, end in spans))
    return dict(found)


def only_held() -> list[PoolTonne]:
    """Return every tonne that is sold from and not retired at its origin, batch by batch."""
    lanes = [lane for lane in _sale_lanes() if lane.batch.custody == Custody.EXTERNAL]
    cancelled, outside = _cancelled(), _outside(lanes)
    return [
        PoolTonne(
            lane.batch,
            lane.id,
            tonne.number,
            format_serial(
                lane.batch.serial_block, lane.batch.serial_block.first + tonne.number - 1
            ),
            tonne.sold_g,
            tonne.rest_g,
        )
        for lane in lanes
        for tonne in used_tonnes(
            lo=lane.lo,
            hi=lane.hi,
            cursor=lane.cursor,
            cancelled=cancelled[lane.id],
            outside=outside[lane.batch_id],
        )
    ]


def _sale_lanes() -> list[Lane]:
    rows = Lane.objects.filter(kind=LaneKind.SALE, cursor__gt=0).order_by("batch_id", "lo")
    return list(rows.select_related("batch__serial_block", "batch__project__programme"))


def _cancelled() -> dict[int, list[Span]]:
    found: dict[int, list[Span]] = defaultdict(list)
    rows = Allocation.objects.filter(kind=AllocationKind.CANCEL)
    for lane_id, start_g, end_g in rows.values_list("lane_id", "start_g", "end_g"):
        found[lane_id].append((start_g, end_g))
    return found


def _outside(lanes: Iterable[Lane]) -> dict[int, list[Span]]:
    """Return the grams that issuing registries have retired, by batch; outside custody only."""
    firsts = {
        lane.batch_id: lane.batch.serial_block.first
        for lane in lanes
        if lane.batch.custody == Custody.EXTERNAL
    }
    found: dict[int, list[Span]] = defaultdict(list)
    for row in UpstreamRetirement.objects.filter(batch_id__in=firsts).order_by("first_serial"):
        first = firsts[row.batch_id]
        start_g = (row.first_serial - first) * GRAMS_PER_CREDIT
        found[row.batch_id].append((start_g, (row.last_serial - first + 1) * GRAMS_PER_CREDIT))
    return found


def _pool_of(lane: Lane, cancelled: list[Span], outside: list[Span]) -> Pool:
    sold_g = lane.cursor - lane.lo - shared_g(cancelled, lane.lo, lane.cursor)
    if lane.batch.custody == Custody.NATIVE:
        return Pool(sold_g, sold_g, sold_g)
    retired_g = sum(
        shared_g([span], lane.lo, lane.cursor)
        - shared_g(cancelled, max(span[0], lane.lo), min(span[1], lane.cursor))
        for span in outside
    )
    return Pool(sold_g, retired_g)
