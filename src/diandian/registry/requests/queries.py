"""Reads requests that wait for a second person."""

from diandian.kernel.errors import NotFoundError
from diandian.registry.models import CancellationRequest, CreditBatch, RequestState


def waiting(batch: CreditBatch | None = None) -> list[CancellationRequest]:
    """Return the requests that wait, of one batch or of all, longest first."""
    rows = CancellationRequest.objects.filter(state=RequestState.WAITING)
    rows = rows.select_related("batch__project", "batch__serial_block").order_by("id")
    return list(rows if batch is None else rows.filter(batch=batch))


def request_by_number(number: int) -> CancellationRequest:
    """Return a request. Raises: NotFoundError."""
    found = CancellationRequest.objects.select_related("batch").filter(id=number).first()
    if found is None:
        raise NotFoundError
    return found
