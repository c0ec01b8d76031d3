"""What is told about a batch after it was issued; the trail keeps what was said before.

*Source:* design of the registry, section 1.1; market study, b1-11 and b4-01.
"""

from dataclasses import fields, replace
from typing import Any

from django.db import transaction

from diandian.registry import actions as registry_actions
from diandian.registry import queries
from diandian.registry.batches.facts import Standing
from diandian.registry.models import AdjustmentDeclaration, AdjustmentStatus, CreditClass

CHOICES = {
    "credit_class": tuple(CreditClass.values),
    "adjustment_declaration": tuple(AdjustmentDeclaration.values),
    "adjustment_status": tuple(AdjustmentStatus.values),
}


def standing_of(number: str) -> Standing:
    """Return how a batch stands now. Raises: NotFoundError."""
    batch = queries.batch_by_public_id(number)
    return Standing(**{each.name: getattr(batch, each.name) for each in fields(Standing)})


@transaction.atomic
def tell(number: str, changes: dict[str, Any], *, actor_ref: str) -> bool:
    """Tell what changed about a batch; the rest stays. Returns False when it stood so before.

    Locks: the batch. Raises: NotFoundError, IssuanceError.
    """
    batch = queries.batch_by_public_id(number)
    told = replace(standing_of(number), **changes)
    return registry_actions.restate(batch, told, actor_ref=actor_ref)
