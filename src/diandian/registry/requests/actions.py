"""Asks for cancellations and decides about them: nobody alone takes grams out.

*Source:* design of the registry, section 3.4.
"""

from datetime import datetime

from diandian.audit.actions import record
from diandian.kernel.clock import now
from diandian.registry.batches.lookups import free_g_of_batch
from diandian.registry.errors import NotEnoughCreditsError, OwnRequestError, RequestDecidedError
from diandian.registry.models import CancellationRequest, CreditBatch, RequestState
from diandian.store.transactions import joined


def ask_cancellation(
    *,
    batch: CreditBatch,
    mass_g: int,
    reason: str,
    actor_ref: str,
    note: str = "",
    at: datetime | None = None,
) -> CancellationRequest:
    """Ask that free grams of a batch are cancelled. The same request that waits is returned.

    Raises: NotEnoughCreditsError when not so much is free now.
    """
    assert mass_g > 0, "nothing to cancel"
    assert reason, "a request has a reason"
    with joined():
        same = {"batch": batch, "mass_g": mass_g, "reason": reason, "asked_by": actor_ref}
        waiting = CancellationRequest.objects.filter(state=RequestState.WAITING, **same).first()
        if waiting is not None:
            return waiting
        free_g = free_g_of_batch(batch)
        if mass_g > free_g:
            raise NotEnoughCreditsError(available_g=free_g)
        at = at or now()
        asked = CancellationRequest.objects.create(**same, note=note, asked_at=at)
        _record("cancellation.asked", asked, actor_ref, at)
        return asked


def decide_cancellation(
    request: CancellationRequest, *, confirms: bool, actor_ref: str, at: datetime | None = None
) -> CancellationRequest:
    """Confirm or refuse a request; the grams are the caller's to cancel, in the same transaction.

    Locks: the request. Raises: RequestDecidedError, OwnRequestError.
    """
    assert actor_ref, "somebody decides"
    with joined():
        rows = CancellationRequest.objects.select_for_update(of=("self",), no_key=True)
        row = rows.select_related("batch__serial_block").get(id=request.id)
        if row.state != RequestState.WAITING:
            raise RequestDecidedError
        if confirms and row.asked_by == actor_ref:
            raise OwnRequestError
        row.state = RequestState.DONE if confirms else RequestState.REFUSED
        row.decided_by, row.decided_at = actor_ref, at or now()
        row.save(update_fields=["state", "decided_by", "decided_at"])
        _record(f"cancellation.{row.state}", row, actor_ref, row.decided_at)
        return row


def _record(action: str, request: CancellationRequest, actor_ref: str, at: datetime) -> None:
    record(
        actor_ref=actor_ref,
        action=action,
        subject_ref=f"batch:{request.batch.public_id}",
        details={"request": request.id, "mass_g": request.mass_g, "reason": request.reason},
        at=at,
    )
