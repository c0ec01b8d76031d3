"""What is on record about a batch already; reads only."""

from django.db.models import F, Sum

from diandian.registry.models import CreditBatch, Lane, LaneKind, UpstreamRetirement


def batch_by_source(source_ref: str) -> CreditBatch | None:
    """Return the batch that was issued by this reference, None when none was."""
    return CreditBatch.objects.filter(source_ref=source_ref).first()


def has_evidence(batch: CreditBatch, first_serial: int, reference: str) -> bool:
    """Tell whether a retirement outside is on record, by its first serial and its reference."""
    rows = UpstreamRetirement.objects.filter(batch=batch, first_serial=first_serial)
    return rows.filter(reference=reference).exists()


def free_g_of_batch(batch: CreditBatch) -> int:
    """Return the grams for sale of a batch that nobody holds, whether it may serve now or not."""
    lanes = Lane.objects.filter(batch=batch, kind=LaneKind.SALE)
    free = lanes.aggregate(free=Sum(F("hi") - F("cursor") - F("held_g")))["free"]
    return int(free or 0)


def has_samples() -> bool:
    """Tell whether any batch is a sample, which nobody may buy in earnest."""
    return CreditBatch.objects.filter(is_sample=True).exists()
