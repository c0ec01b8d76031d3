"""The retirements of business days, as the books of these days keep them: a count and a digest."""

from datetime import date, timedelta

from django.db.models import Min

from diandian.kernel.canonical import digest_lines
from diandian.kernel.clock import business_day, day_starts
from diandian.registry.models import Retirement


def retirements_sha256(first_day: date, day: date) -> tuple[int, str]:
    """Return how many retirements some days have, and the digest over them, in their order.

    A retirement that was changed or taken out, or one put in later, changes it (R5).
    """
    rows = Retirement.objects.filter(
        retired_at__gte=day_starts(first_day), retired_at__lt=day_starts(day + timedelta(days=1))
    ).order_by("id")
    facts = rows.values_list("public_id", "project_id", "mass_g", "subject_commit")
    return digest_lines(
        f"{public_id} {project_id} {mass_g} {commit}"
        for public_id, project_id, mass_g, commit in facts.iterator(chunk_size=5000)
    )


def first_retired_day() -> date | None:
    """Return the first business day with a retirement."""
    first = Retirement.objects.aggregate(at=Min("retired_at"))["at"]
    return business_day(first) if first else None
