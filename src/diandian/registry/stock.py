"""Adds up where the grams of a batch are, from its lanes alone, not allocation by allocation.

Only cancellations are looked up, and they are few. *Source:* design of the registry, R6.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from diandian.registry import rules
from diandian.registry.models import Allocation, AllocationKind, CreditBatch, Lane, LaneKind


@dataclass(frozen=True, slots=True)
class Stock:
    """Where the grams of a batch or project are; the parts add up to ``issued_g`` (R6).

    ``blocked_g``: free, but their batch may not serve now. ``cancelled_g`` includes reversals.
    """

    issued_g: int = 0
    available_g: int = 0
    blocked_g: int = 0
    held_g: int = 0
    retired_g: int = 0
    cancelled_g: int = 0
    buffer_g: int = 0

    def __add__(self, other: "Stock") -> "Stock":
        return Stock(*(getattr(self, k) + getattr(other, k) for k in self.__slots__))


@dataclass(frozen=True, slots=True)
class BatchStock:
    """A batch with its stock and its serials as the registry writes them."""

    batch: CreditBatch
    stock: Stock
    serial_first: str
    serial_last: str


def may_serve(batch: CreditBatch) -> bool:
    """Tell whether a batch may serve retirements now (R9)."""
    refusal = rules.refusal_to_serve(
        state=batch.state,
        is_ex_ante=batch.is_ex_ante,
        verified_by=batch.verified_by,
        verified_on=batch.verified_on,
    )
    return refusal is None


def lanes_with_cancelled() -> QuerySet[Lane]:
    """Return lanes with ``cancelled_g``; what else was used of a sale lane is retired."""
    cancelled = (
        Allocation.objects.filter(lane=OuterRef("pk"), kind=AllocationKind.CANCEL)
        .order_by()
        .values("lane")
        .annotate(total=Sum(F("end_g") - F("start_g")))
        .values("total")
    )
    return Lane.objects.annotate(cancelled_g=Coalesce(Subquery(cancelled), 0)).order_by("id")


def stock_of(batch: CreditBatch, lanes: Iterable[Lane]) -> Stock:
    """Add up a batch's lanes as ``lanes_with_cancelled`` gives them."""
    total = Stock(issued_g=batch.total_g)
    serves = may_serve(batch)
    for lane in lanes:
        used_g = lane.cursor - lane.lo
        if lane.kind == LaneKind.BUFFER:
            total += Stock(cancelled_g=used_g, buffer_g=lane.hi - lane.cursor)
            continue
        cancelled_g: int = getattr(lane, "cancelled_g")  # noqa: B009 - an annotation
        free_g = lane.hi - lane.cursor - lane.held_g
        total += Stock(
            available_g=free_g if serves else 0,
            blocked_g=0 if serves else free_g,
            held_g=lane.held_g,
            retired_g=used_g - cancelled_g,
            cancelled_g=cancelled_g,
        )
    return total
