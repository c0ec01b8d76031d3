"""What people do about a gateway's day that does not agree: look again, take it on, or sign it.

A signature is about exactly what somebody saw, and above a setting it takes two persons; nothing
of the money changes with it. Everything stands in the trail.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.flows import reconcile
from diandian.kernel.clock import now
from diandian.reconciliation import actions, queries
from diandian.reconciliation.errors import (
    DifferenceChangedError,
    ReasonNeededError,
    UnknownDifferenceError,
)
from diandian.reconciliation.models import GatewayDay
from diandian.reconciliation.queries import Difference

MOST_REASON = 300


@dataclass(frozen=True, slots=True)
class Seen:
    """Which difference somebody means, as they saw it."""

    statement_kind: str
    key: str
    seen: str


def of_day(day: GatewayDay) -> list[Difference]:
    """Return what does not agree on a day, with its signatures."""
    return queries.differences(day, settings.SIGN_ALONE_MINOR)


def sign(
    number: int, what: Seen, *, reason: str, actor_ref: str, at: datetime | None = None
) -> Difference:
    """Sign that a difference is in order, and close its day when nothing else is open.

    Returns the difference with its signatures. Locks: the day's row.
    Raises: UnknownDayError, DayIsClosedError, UnknownDifferenceError, DifferenceChangedError,
    SignedAlreadyError, ReasonNeededError.
    """
    at = at or now()
    reason = " ".join(reason.split())
    if not 0 < len(reason) <= MOST_REASON or not reason.isprintable():
        raise ReasonNeededError(field="reason", limit=MOST_REASON)
    day = queries.day_by_number(number)
    with transaction.atomic():
        locked = actions.lock(day)
        found = _difference(locked, what)
        actions.sign(found.item, reason=reason, actor_ref=actor_ref, at=at)
        _note(locked, "difference.signed", actor_ref, at, found, reason=reason)
        signed = _difference(locked, what)
    if not signed.is_open and not any(each.is_open for each in of_day(day)):
        reconcile.close_if_signed(day, at=at)
    return signed


def take(number: int, what: Seen, *, actor_ref: str, at: datetime | None = None) -> None:
    """Write that somebody looks into a difference.

    Raises: UnknownDayError, DayIsClosedError, UnknownDifferenceError, DifferenceChangedError.
    """
    at = at or now()
    day = queries.day_by_number(number)
    with transaction.atomic():
        locked = actions.lock(day)
        found = _difference(locked, what)
        actions.take(found.item, actor_ref=actor_ref)
        _note(locked, "difference.taken", actor_ref, at, found)


def look_again(number: int, *, actor_ref: str, at: datetime | None = None) -> bool:
    """Fetch a day's statements once more and match them; tell whether they are all there.

    Raises: UnknownDayError, DayIsClosedError.
    """
    at = at or now()
    day = queries.day_by_number(number)
    with transaction.atomic():
        locked = actions.lock(day)
        audit_actions.record(
            actor_ref=actor_ref,
            action="gateway_day.looked_again",
            subject_ref=f"gateway_day:{locked.id}",
            at=at,
        )
    return reconcile.work_on(day, afresh=True, at=at)


def _difference(day: GatewayDay, what: Seen) -> Difference:
    for each in of_day(day):
        if (each.item.statement_kind, each.item.key) == (what.statement_kind, what.key):
            if each.item.seen != what.seen:
                raise DifferenceChangedError
            return each
    raise UnknownDifferenceError


def _note(
    day: GatewayDay,
    action: str,
    actor_ref: str,
    at: datetime,
    found: Difference,
    *,
    reason: str = "",
) -> None:
    item = found.item
    audit_actions.record(
        actor_ref=actor_ref,
        action=action,
        subject_ref=f"gateway_day:{day.id}",
        details={
            "key": item.key,
            "outcome": item.outcome,
            "at_stake_minor": item.at_stake_minor,
            "currency": item.currency,
            "seen": item.seen,
            "reason": reason,
        },
        at=at,
    )
