"""Whether tonnes are retired at their origin, asked of many retirements at once (R10)."""

from django.db.models import Exists, F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce, Greatest, Least

from diandian.registry.models import (
    GRAMS_PER_CREDIT,
    Allocation,
    Custody,
    Recall,
    RecallState,
    UpstreamRetirement,
)


def only_held(retirement_id: OuterRef) -> Exists:
    """Return the condition that a retirement touches a tonne without evidence of its origin (R10).

    The same decision as ``upstream_state``, for a filter over many rows: outside retirements of one
    batch never overlap, so the tonnes that they share with a range are counted. Ranges that a
    recall touches are left out: whether what stands of them is retired, the caller looks up.
    """
    recalled = Recall.objects.filter(
        batch=OuterRef("lane__batch"),
        state__in=(RecallState.RUNNING, RecallState.DONE),
        start_g__lt=OuterRef("end_g"),
        end_g__gt=OuterRef("start_g"),
    )
    first_tonne = F("lane__batch__serial_block__first")
    shared = (
        UpstreamRetirement.objects.filter(
            batch=OuterRef("lane__batch"),
            first_serial__lte=OuterRef("last_number"),
            last_serial__gte=OuterRef("first_number"),
        )
        .order_by()
        .values("batch")
        .annotate(
            tonnes=Sum(
                Least(F("last_serial"), OuterRef("last_number"))
                - Greatest(F("first_serial"), OuterRef("first_number"))
                + 1
            )
        )
        .values("tonnes")
    )
    outside = Allocation.objects.filter(
        retirement_id=retirement_id, lane__batch__custody=Custody.EXTERNAL
    ).annotate(
        first_number=first_tonne + F("start_g") / GRAMS_PER_CREDIT,
        last_number=first_tonne + (F("end_g") - 1) / GRAMS_PER_CREDIT,
        shared=Coalesce(Subquery(shared), 0),
    )
    held = outside.filter(shared__lt=F("last_number") - F("first_number") + 1)
    return Exists(held.filter(~Exists(recalled)))
