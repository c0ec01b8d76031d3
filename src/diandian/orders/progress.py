"""How a scene fills: by day and by poster. Reads for its host, of completed orders only.

Counts and grams, never persons: a host learns which placement works, not who came by it.
"""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate

from diandian.footprints.models import Footprint
from diandian.kernel.clock import BUSINESS_ZONE
from diandian.orders.models import HolderKind, Order, OrderState
from diandian.scenes.models import Scene

_MOST_DAYS = 60


@dataclass(frozen=True, slots=True)
class DayCount:
    """What was matched on one day of the business zone. Units: grams."""

    day: date
    orders: int
    mass_g: int


@dataclass(frozen=True, slots=True)
class MarkCount:
    """What came by one poster; an empty mark is every other way. Units: grams."""

    mark: str
    counted: int
    orders: int
    mass_g: int


def by_day(scene: Scene) -> list[DayCount]:
    """Return the days on which something was matched, oldest first, at most the last sixty."""
    rows = (
        Order.objects.filter(scene=scene, state=OrderState.COMPLETED, completed_at__isnull=False)
        .order_by()
        .annotate(day=TruncDate("completed_at", tzinfo=BUSINESS_ZONE))
        .values("day")
        .annotate(orders=Count("id"), grams=Sum("mass_g"))
        .order_by("-day")[:_MOST_DAYS]
    )
    return [DayCount(row["day"], row["orders"], row["grams"]) for row in rows][::-1]


def of_hosts(scene: Scene) -> list[Order]:
    """Return the completed orders of organisations for a scene as a whole, oldest first."""
    rows = Order.objects.filter(scene=scene, state=OrderState.COMPLETED)
    others = (HolderKind.PERSON, HolderKind.SPONSOR)
    return list(rows.exclude(holder_kind__in=others).order_by("id"))


def of_sponsors(scene: Scene) -> list[Order]:
    """Return the completed orders of a scene's sponsors, oldest first."""
    rows = Order.objects.filter(scene=scene, state=OrderState.COMPLETED)
    rows = rows.filter(holder_kind=HolderKind.SPONSOR).select_related("quote")
    return list(rows.defer("quote__estimate").order_by("id"))


def by_mark(scene: Scene) -> list[MarkCount]:
    """Return how many counted their visit and how many matched it, by the poster they scanned."""
    done = Q(orders__state=OrderState.COMPLETED)
    rows = (
        Footprint.objects.filter(scene=scene)
        .order_by()
        .values("poster_mark")
        .annotate(
            counted=Count("id", distinct=True),
            matched=Count("orders", filter=done, distinct=True),
            grams=Sum("orders__mass_g", filter=done),
        )
        .order_by("-counted", "poster_mark")
    )
    return [
        MarkCount(row["poster_mark"], row["counted"], row["matched"], row["grams"] or 0)
        for row in rows
    ]
