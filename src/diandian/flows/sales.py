"""Whether we sell: a close that finds a breach stops all sales until an operator reopens them.

They are stopped too, without a switch, while the public log stands still (``log_guard``): that ends
when the log has caught up. Stopped: no price, no order and no new payment; paid orders wait, and so
do their retirements. What is paid meanwhile is kept, and money on its way back goes on.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.flows import log_guard
from diandian.kernel.memory import ttl_cache
from diandian.ledger import queries
from diandian.ledger.days import actions
from diandian.orders.errors import SalesPausedError

log = logging.getLogger(__name__)

_FOUND = "The close found that the books do not hold."
_TOLD = 20


def are_stopped() -> bool:
    """Tell whether sales are stopped; as of a second ago at most."""
    return _are_switched_off() or bool(log_guard.refused())


def may_retire(*, at: datetime | None = None) -> bool:
    """Tell whether what was paid may be retired now.

    Before its first retirement a process compares the log with what is known of it from outside.
    """
    return not are_stopped() and log_guard.may_enter(at=at)


@ttl_cache(1)
def _are_switched_off() -> bool:
    newest = queries.sales_switch()
    return newest is not None and not newest.is_open


def refuse_while_stopped() -> None:
    """Refuse to sell while the books are being checked. Raises: SalesPausedError."""
    if are_stopped():
        raise SalesPausedError


def stop(breaches: Sequence[str], *, actor_ref: str, at: datetime) -> None:
    """Stop all sales, keep what was found and tell the operator. Idempotent: stopped is stopped."""
    log.error("sales are stopped, the books do not hold: %s", "; ".join(breaches[:_TOLD]))
    _switch(_FOUND, breaches, actor_ref, at, is_open=False)


def reopen(reason: str, *, actor_ref: str, at: datetime) -> None:
    """Let sales go on; the caller has seen that the books hold. Idempotent."""
    _switch(reason, (), actor_ref, at, is_open=True)


def _switch(
    reason: str, breaches: Sequence[str], actor_ref: str, at: datetime, *, is_open: bool
) -> None:
    with transaction.atomic():
        newest = queries.sales_switch()
        if is_open == (newest is None or newest.is_open):
            return
        told = [breach[:200] for breach in breaches[:_TOLD]]
        actions.switch_sales(
            is_open=is_open, reason=reason, breaches=told, actor_ref=actor_ref, at=at
        )
        audit_actions.record(
            actor_ref=actor_ref,
            action="sales.reopened" if is_open else "sales.stopped",
            subject_ref="sales",
            details={"reason": reason, "breaches": len(breaches)},
            at=at,
        )
    _are_switched_off.forget()
