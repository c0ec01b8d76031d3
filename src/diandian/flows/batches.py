"""Batches stop, go on and lose grams for good: registry, trail and public log in one commit.

*Source:* design of the registry, sections 3.4 and 5 (R9, R12); decision 0027.
"""

from datetime import datetime

from django.db import transaction

from diandian.flows import log_entries
from diandian.flows.locks import lock_batch
from diandian.kernel.clock import now
from diandian.registry import actions as registry_actions
from diandian.registry.models import Allocation, BatchState, CreditBatch
from diandian.registry.queries import batch_by_public_id
from diandian.registry.recalls import actions as recalls
from diandian.transparency import actions as log_actions


@transaction.atomic
def freeze(
    number: str, *, reason: str, note: str = "", actor_ref: str, at: datetime | None = None
) -> CreditBatch:
    """Stop a batch from serving, at once. Idempotent: a frozen one stays so, and says so once.

    One that an open recall froze then stays frozen when that is dropped. A recalled one stands
    still for ever already.
    ``reason``: a code that everybody may read; ``note``: words for the trail alone.
    Locks: the batch, the trail, the head of the log. Raises: NotFoundError.
    """
    _require_code(reason)
    batch = lock_batch(number)
    if batch.state not in {BatchState.FROZEN, BatchState.RECALLED}:
        registry_actions.freeze(batch, _for_the_trail(reason, note), actor_ref=actor_ref)
        log_actions.append_many([log_entries.frozen(batch, reason)], at=at or now())
    elif batch.state == BatchState.FROZEN:
        words = _for_the_trail(reason, note)
        recalls.keep_frozen(batch, words, actor_ref=actor_ref, at=at or now())
    return batch


@transaction.atomic
def thaw(
    number: str, *, reason: str, note: str = "", actor_ref: str, at: datetime | None = None
) -> CreditBatch:
    """Let a frozen batch serve again, if it is verified. Idempotent: only a frozen one thaws.

    Locks: the batch, the trail, the head of the log. Raises: NotFoundError.
    """
    _require_code(reason)
    batch = lock_batch(number)
    if batch.state == BatchState.FROZEN:
        registry_actions.thaw(batch, _for_the_trail(reason, note), actor_ref=actor_ref)
        log_actions.append_many([log_entries.thawed(batch, reason)], at=at or now())
    return batch


@transaction.atomic
def cancel(  # noqa: PLR0913 - one cancellation, all its facts
    number: str,
    *,
    mass_g: int,
    reason: str,
    source_ref: str,
    from_buffer: bool = False,
    note: str = "",
    actor_ref: str,
    at: datetime | None = None,
) -> list[Allocation]:
    """Take free grams out for good without a claim; ``from_buffer`` for a reversal (R12).

    Idempotent by: ``source_ref``. Locks: the batch's lanes, the trail, the head of the log.
    Raises: NotFoundError, NotEnoughCreditsError, CancelledDifferentlyError.
    """
    _require_code(reason)
    at = at or now()
    # Its lanes are locked first, as by whoever sells out of them.
    batch = batch_by_public_id(number)
    links = registry_actions.cancel(
        batch=batch,
        mass_g=mass_g,
        reason=_for_the_trail(reason, note),
        source_ref=source_ref,
        from_buffer=from_buffer,
        actor_ref=actor_ref,
        at=at,
    )
    log_actions.append_new([log_entries.cancelled(batch, links, reason)], at=at)
    return links


def _require_code(reason: str) -> None:
    assert log_entries.is_code(reason), "a reason in the log is a code, words go into the note"


def _for_the_trail(reason: str, note: str) -> str:
    return f"{reason}: {note}" if note else reason
