"""Who cannot be served because a batch may not serve now, and why: all of them at once."""

from diandian.registry.errors import BatchNotOpenError, BatchRecalledError
from diandian.registry.models import BatchState, CreditBatch


def refuse(refused: dict[str, BatchNotOpenError], owner_ref: str, batch: CreditBatch) -> None:
    """Note why an owner is refused; one of whose batches is recalled never gets its turn."""
    if batch.state == BatchState.RECALLED:
        refused[owner_ref] = BatchRecalledError(batch=batch.public_id, owner_ref=owner_ref)
    else:
        refusal = BatchNotOpenError(batch=batch.public_id, owner_ref=owner_ref)
        refused.setdefault(owner_ref, refusal)


def named(refused: dict[str, BatchNotOpenError]) -> BatchNotOpenError:
    """Return the first refusal, to be raised; it names all the others too."""
    first = next(iter(refused.values()))
    first.by_owner = refused
    return first
