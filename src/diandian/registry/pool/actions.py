"""Completes a tonne: what nobody has of it is retired for the platform itself.

*Source:* market study, M2; design of the registry, section 3.3 (the open tonne).
"""

from datetime import datetime

from diandian.registry import queries
from diandian.registry.actions import retire
from diandian.registry.holds.actions import hold_in_lane
from diandian.registry.lanes.actions import lock_lane
from diandian.registry.models import Retirement
from diandian.registry.pool.tonnes import rest_g
from diandian.store.transactions import require_transaction

HOLDER, PURPOSE = "platform", "completion"


def source_ref(batch: str, tonne: int) -> str:
    """Return what makes the completion of a tonne happen once."""
    return f"pool:{batch}:{tonne}"


def complete(*, lane_id: int, tonne: int, at: datetime) -> Retirement | None:
    """Retire what is free of a lane's open tonne, for the platform; None when nothing is.

    Idempotent by: the batch and the tonne; None when it was completed before.
    Locks: the lane. Raises: BatchNotOpenError.
    """
    require_transaction()
    lane = lock_lane(lane_id)
    ref = source_ref(lane.batch.public_id, tonne)
    if queries.retirement_by_source([ref]):
        return None
    mass_g = rest_g(lo=lane.lo, hi=lane.hi, cursor=lane.cursor, held_g=lane.held_g, tonne=tonne)
    if mass_g <= 0:
        return None
    hold_in_lane(lane_id, mass_g, owner_ref=ref, expires_at=at)
    return retire(
        owner_ref=ref,
        source_ref=ref,
        subject={"platform": "completion", "batch": lane.batch.public_id, "tonne": tonne},
        purpose=PURPOSE,
        holder_kind=HOLDER,
        is_sample=lane.batch.is_sample,
        at=at,
    )
