"""Writes of receiving details: one person proposes, another confirms, a change cools down first.

No detail is recorded in the trail: it names the row, and the row is kept.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from diandian.audit.actions import record
from diandian.settlement import queries, rules
from diandian.settlement.errors import (
    PayeeDecidedError,
    PayeeInvalidError,
    PayeeWaitsError,
    SamePersonError,
)
from diandian.settlement.models import Payee, PayeeKind, PayeeState
from diandian.store.transactions import joined


def propose(
    *,
    supplier_ref: str,
    kind: str,
    gateway: str = "",
    given: Mapping[str, str],
    actor_ref: str,
    at: datetime,
) -> Payee:
    """Write a detail that waits for a second person. Raises: PayeeInvalidError, PayeeWaitsError."""
    if kind not in PayeeKind.values or (kind == PayeeKind.ACCOUNT) != bool(gateway):
        raise PayeeInvalidError(field="kind", why=rules.WORDS["kind"])
    detail = rules.clean_detail(kind, given)
    wrong = rules.wrong_field(kind, detail)
    if wrong:
        raise PayeeInvalidError(field=wrong, why=rules.WORDS[wrong])
    with joined():
        try:
            with transaction.atomic():
                payee = Payee.objects.create(
                    supplier_ref=supplier_ref,
                    kind=kind,
                    gateway=gateway,
                    detail=detail,
                    proposed_by=actor_ref,
                    proposed_at=at,
                )
        except IntegrityError as error:
            raise PayeeWaitsError from error
        _record("payee.proposed", payee, actor_ref, at)
    return payee


def confirm(payee: Payee, *, cool_down: timedelta, actor_ref: str, at: datetime) -> Payee:
    """Put a detail in force: the first one at once, any other after it cooled down.

    Until then the one before stays in force, if it is; one that was taken out of force makes what
    follows no first one. Locks: the payee's row.
    Raises: SamePersonError, PayeeDecidedError.
    """
    with joined():
        locked = _waiting(payee)
        if locked.proposed_by == actor_ref:
            raise SamePersonError
        earlier = queries.payees_confirmed_ever(locked.supplier_ref, gateway=locked.gateway)
        locked.active_from = rules.active_from(
            is_change=earlier.exists(), cool_down=cool_down, at=at
        )
        _decide(locked, PayeeState.CONFIRMED, actor_ref, at)
        return locked


def refuse(payee: Payee, *, actor_ref: str, at: datetime) -> Payee:
    """Turn a detail down; whoever proposed may take it back so. Raises: PayeeDecidedError."""
    with joined():
        locked = _waiting(payee)
        _decide(locked, PayeeState.REFUSED, actor_ref, at)
        return locked


def withdraw(payee: Payee, *, actor_ref: str, at: datetime) -> Payee:
    """Take a confirmed detail out of force at once: one person is enough to stop a payout.

    Those that it replaced go with it: none of them comes back in force. One that is not in force
    yet goes alone. Locks: the supplier's details there. Raises: PayeeDecidedError.
    """
    with joined():
        ever = queries.payees_confirmed_ever(payee.supplier_ref, gateway=payee.gateway)
        rows = list(ever.select_for_update(no_key=True).order_by("id"))
        confirmed = [each for each in rows if each.state == PayeeState.CONFIRMED]
        locked = next((each for each in confirmed if each.id == payee.id), None)
        if locked is None or locked.active_from is None:
            raise PayeeDecidedError
        before = confirmed if locked.active_from <= at else [locked]
        for each in before:
            if each.active_from is not None and each.active_from <= locked.active_from:
                each.state = PayeeState.REPLACED
                each.save(update_fields=["state"])
                _record("payee.withdrawn", each, actor_ref, at)
        return locked


def _waiting(payee: Payee) -> Payee:
    locked = Payee.objects.select_for_update(no_key=True).get(id=payee.id)
    if locked.state != PayeeState.WAITING:
        raise PayeeDecidedError
    return locked


def _decide(payee: Payee, state: str, actor_ref: str, at: datetime) -> None:
    payee.state, payee.decided_by, payee.decided_at = state, actor_ref, at
    payee.save(update_fields=["state", "decided_by", "decided_at", "active_from"])
    _record(f"payee.{state}", payee, actor_ref, at)


def _record(action: str, payee: Payee, actor_ref: str, at: datetime) -> None:
    record(
        actor_ref=actor_ref,
        action=action,
        subject_ref=f"supplier:{payee.supplier_ref}",
        details={"payee": payee.id, "kind": payee.kind},
        at=at,
    )
