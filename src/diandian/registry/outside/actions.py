"""Enters what the issuing registry retired of a batch for us; it is never changed after that.

*Source:* design of the registry, section 3.3; R10.
"""

from datetime import datetime

from diandian.registry.errors import EvidenceError
from diandian.registry.models import CreditBatch, UpstreamRetirement
from diandian.store.transactions import joined, require_transaction


def lock_batch(batch: CreditBatch) -> None:
    """Let nobody else enter outside retirements of a batch until the commit. Locks: the batch."""
    require_transaction()
    CreditBatch.objects.select_for_update(no_key=True).only("id").get(id=batch.id)


def record_upstream(  # noqa: PLR0913 - one piece of evidence, all its facts
    *,
    batch: CreditBatch,
    first_serial: int,
    last_serial: int,
    reference: str,
    retired_at: datetime,
    evidence_sha256: str,
    registry_url: str = "",
    is_simulated: bool = False,
) -> UpstreamRetirement:
    """Record that the issuing registry retired whole tonnes of a batch for us (R10).

    Idempotent by: batch, serials and reference. Locks: the batch. Raises: EvidenceError.
    """
    assert reference, "evidence has a reference"
    assert len(evidence_sha256) == 64, "evidence has a digest"  # noqa: PLR2004 - SHA-256 in hex
    block = batch.serial_block
    with joined():
        lock_batch(batch)
        touching = UpstreamRetirement.objects.filter(
            batch=batch, first_serial__lte=last_serial, last_serial__gte=first_serial
        ).first()
        if touching is not None and (
            (touching.first_serial, touching.last_serial, touching.reference)
            == (first_serial, last_serial, reference)
        ):
            return touching
        inside = block.first <= first_serial <= last_serial <= block.last
        if touching is not None or not inside:
            raise EvidenceError(
                field="serials", first=first_serial, last=last_serial, batch=batch.public_id
            )
        return UpstreamRetirement.objects.create(
            batch=batch,
            first_serial=first_serial,
            last_serial=last_serial,
            reference=reference,
            retired_at=retired_at,
            evidence_sha256=evidence_sha256,
            registry_url=registry_url,
            is_simulated=is_simulated,
        )
