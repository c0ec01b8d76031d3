"""Cancelling free grams by two people: one asks, another confirms, and only then they are gone.

*Source:* design of the registry, section 3.4.
"""

from django.db import transaction

from diandian.flows import batches, log_guard
from diandian.registry import actions as registry_actions
from diandian.registry import queries
from diandian.registry.models import CancellationRequest


@transaction.atomic
def ask(
    number: str, *, mass_g: int, reason: str, note: str = "", actor_ref: str
) -> CancellationRequest:
    """Ask that free grams of a batch are cancelled. Idempotent while the same request waits.

    Raises: NotFoundError, NotEnoughCreditsError.
    """
    return registry_actions.ask_cancellation(
        batch=queries.batch_by_public_id(number),
        mass_g=mass_g,
        reason=reason,
        note=note,
        actor_ref=actor_ref,
    )


@transaction.atomic
def confirm(request: CancellationRequest, *, actor_ref: str) -> CancellationRequest:
    """Cancel what another person asked for. The request and its grams are one commit.

    Locks: the request, then the batch's lanes. Raises: OwnRequestError, RequestDecidedError,
    LogRefusedError, NotEnoughCreditsError when the grams were sold meanwhile.
    """
    log_guard.require()
    decided = registry_actions.decide_cancellation(request, confirms=True, actor_ref=actor_ref)
    batches.cancel(
        decided.batch.public_id,
        mass_g=decided.mass_g,
        reason=decided.reason,
        note=f"asked by {decided.asked_by}",
        source_ref=f"cancellation:{decided.id}",
        actor_ref=actor_ref,
    )
    return decided


@transaction.atomic
def refuse(request: CancellationRequest, *, actor_ref: str) -> CancellationRequest:
    """Turn a request down; whoever asked may take it back so. Raises: RequestDecidedError."""
    return registry_actions.decide_cancellation(request, confirms=False, actor_ref=actor_ref)
