"""How a gateway's day is read from our tables: its bounds, and rows by many numbers."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import Model, QuerySet

from diandian.kernel.clock import day_starts
from diandian.reconciliation.models import GatewayDay

# So many values in one question; every database takes them.
PORTION = 500
M = TypeVar("M", bound=Model)


def bounds(day: GatewayDay) -> tuple[datetime, datetime]:
    """Return the first instant of a day, and the first one after it."""
    return day_starts(day.day), day_starts(day.day + timedelta(days=1))


def rows_by(rows: QuerySet[M], column: str, values: set[str]) -> Iterator[M]:
    """Return the rows that have one of some values in a column; empty ones name nothing."""
    wanted = sorted(values - {""})
    for start in range(0, len(wanted), PORTION):
        yield from rows.filter(**{f"{column}__in": wanted[start : start + PORTION]})
