"""Where suppliers receive money: one person proposes, another confirms, a change cools down.

*Source:* payments design, row 45.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings

from diandian.kernel.clock import now
from diandian.kernel.errors import NotFoundError
from diandian.payments import merchants
from diandian.registry import queries as registry_queries
from diandian.settlement import queries, rules
from diandian.settlement.errors import PayeeInvalidError
from diandian.settlement.models import Payee
from diandian.settlement.payees import actions


def suppliers() -> dict[str, Mapping[str, str]]:
    """Return the names of every supplier by its reference."""
    projects = registry_queries.projects(active_only=False)
    return {project.supplier_ref: project.supplier_names for project in projects}


def propose(
    *,
    supplier_ref: str,
    kind: str,
    gateway: str,
    given: Mapping[str, str],
    actor_ref: str,
    at: datetime | None = None,
) -> Payee:
    """Write a receiving detail that waits for a second person.

    Raises: NotFoundError, PayeeInvalidError, PayeeWaitsError.
    """
    if supplier_ref not in suppliers():
        raise NotFoundError
    if gateway and not merchants.is_in_use(gateway):
        raise PayeeInvalidError(field="gateway", why=rules.WORDS["gateway"])
    return actions.propose(
        supplier_ref=supplier_ref,
        kind=kind,
        gateway=gateway,
        given=given,
        actor_ref=actor_ref,
        at=at or now(),
    )


def confirm(number: int, *, actor_ref: str, at: datetime | None = None) -> Payee:
    """Put a detail in force. Raises: NotFoundError, SamePersonError, PayeeDecidedError."""
    cool_down = timedelta(days=settings.PAYEE_COOL_DOWN_DAYS)
    return actions.confirm(_found(number), cool_down=cool_down, actor_ref=actor_ref, at=at or now())


def refuse(number: int, *, actor_ref: str, at: datetime | None = None) -> Payee:
    """Turn a detail down. Raises: NotFoundError, PayeeDecidedError."""
    return actions.refuse(_found(number), actor_ref=actor_ref, at=at or now())


def withdraw(number: int, *, actor_ref: str, at: datetime | None = None) -> Payee:
    """Take a detail out of force at once. Raises: NotFoundError, PayeeDecidedError."""
    return actions.withdraw(_found(number), actor_ref=actor_ref, at=at or now())


def _found(number: int) -> Payee:
    payee = queries.payee_by_number(number)
    if payee is None:
        raise NotFoundError
    return payee
