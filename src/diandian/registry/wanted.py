"""Which retirements somebody asks for: the filters of the public register."""

from datetime import date
from typing import Any, TypedDict

from django.db.models import OuterRef, QuerySet

from diandian.kernel.clock import day_starts
from diandian.registry.models import Project, Retirement
from diandian.registry.origin import only_held

_LAST_YEAR = 9998


class Wanted(TypedDict, total=False):
    """Filters; what is left out or None asks for everything.

    ``retired_year``: of business days. ``upstream``: "retired" where every tonne touched is retired
    at its origin, "held" where one is not.
    """

    project: Project | None
    programme: str | None
    vintage_year: int | None
    retired_year: int | None
    context_ref: str | None
    holder_kind: str | None
    upstream: str | None


def narrowed(wanted: Wanted) -> QuerySet[Retirement]:
    """Return the retirements that fit every filter; an unknown value fits nothing."""
    plain: dict[str, Any] = {
        "project": wanted.get("project"),
        "project__programme__code": wanted.get("programme"),
        "vintage_year": wanted.get("vintage_year"),
        "context_ref": wanted.get("context_ref"),
        "holder_kind": wanted.get("holder_kind"),
    }
    rows = Retirement.objects.filter(**{k: v for k, v in plain.items() if v is not None})
    year, upstream = wanted.get("retired_year"), wanted.get("upstream")
    if year is not None:
        if not 0 < year <= _LAST_YEAR:
            return rows.none()
        begins, ends = day_starts(date(year, 1, 1)), day_starts(date(year + 1, 1, 1))
        rows = rows.filter(retired_at__gte=begins, retired_at__lt=ends)
    if upstream is not None:
        held = only_held(OuterRef("pk"))
        rows = {"held": rows.filter(held), "retired": rows.filter(~held)}.get(upstream, rows.none())
    return rows
