"""Writes the trail and the outbox.

The trail is a hash chain: whoever changes one entry must change all after it. It takes turns by a
lock, so it stays off the path of a sale. *Source:* architecture, sections 2 and 3 (outbox).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q

from diandian.audit import queries, rules
from diandian.audit.models import AuditEntry, OutboxEvent, OutboxState
from diandian.kernel.clock import now
from diandian.store.inserts import Insert, InsertMany
from diandian.store.statements import Select
from diandian.store.transactions import joined

# Any number will do, as long as nobody else takes it.
_TRAIL_LOCK = 0x6469616E
_LAST_HASH: Select[Any] = Select(
    lambda: AuditEntry.objects.order_by("-id").values_list("entry_hash")[:1]
)
_EVENTS = Insert(OutboxEvent, skip_conflicts=True)
_MANY_EVENTS = InsertMany(
    OutboxEvent,
    "key",
    "payload",
    shared=("kind", "created_at", "available_at"),
    skip_conflicts=True,
)


def record(
    *,
    actor_ref: str,
    action: str,
    subject_ref: str,
    details: Mapping[str, object] | None = None,
    at: datetime | None = None,
) -> AuditEntry:
    """Add an entry to the trail, sealing the one before.

    Locks: one writer of the trail at a time, until the caller's transaction ends.
    """
    assert actor_ref, "somebody acted"
    assert action, "something was done"
    with joined():
        _take_turn()
        entry = AuditEntry(
            at=at or now(),
            actor_ref=actor_ref,
            action=action,
            subject_ref=subject_ref,
            details=dict(details or {}),
            previous_hash=_last_hash(),
        )
        entry.entry_hash = queries.seal_of(entry)
        entry.save(force_insert=True)
        return entry


def _take_turn() -> None:
    # SQLite has one writer anyway: its transactions begin IMMEDIATE.
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TRAIL_LOCK])


def _last_hash() -> str:
    last = _LAST_HASH.all()
    return str(last[0][0]) if last else rules.FIRST_PREVIOUS


def publish(
    *,
    kind: str,
    key: str,
    payload: Mapping[str, object] | None = None,
    available_at: datetime | None = None,
) -> None:
    """Leave an event for the worker, in the caller's transaction. Idempotent by: ``key``."""
    assert kind, "an event has a kind"
    assert key, "an event has a key"
    at = now()
    event = OutboxEvent(
        kind=kind,
        key=key,
        payload=dict(payload or {}),
        created_at=at,
        available_at=available_at or at,
    )
    _EVENTS.along([event])


def publish_many(kind: str, payloads: Mapping[str, Mapping[str, object]]) -> None:
    """Leave events of one kind for the worker, by their keys. Idempotent by: each key."""
    assert kind, "an event has a kind"
    at = now()
    _MANY_EVENTS.along(
        [(key, dict(payload)) for key, payload in payloads.items()],
        kind=kind,
        created_at=at,
        available_at=at,
    )


def claim_events(
    kinds: Collection[str], limit: int, lease_seconds: int = 60, *, at: datetime | None = None
) -> list[OutboxEvent]:
    """Take waiting events for a while; nobody else gets them until the lease ends.

    Locks: skips rows that another worker is just taking (PostgreSQL).
    """
    assert limit > 0, "at least one"
    assert lease_seconds > 0, "a lease has a length"
    at = at or now()
    until = at + timedelta(seconds=lease_seconds)
    with transaction.atomic():
        events = list(
            OutboxEvent.objects.select_for_update(skip_locked=True)
            .filter(Q(leased_until__isnull=True) | Q(leased_until__lte=at))
            .filter(state=OutboxState.PENDING, available_at__lte=at, kind__in=kinds)
            .order_by("available_at", "id")[:limit]
        )
        OutboxEvent.objects.filter(id__in=[event.id for event in events]).update(
            leased_until=until, attempts=F("attempts") + 1
        )
    for event in events:
        event.leased_until = until
        event.attempts += 1
    return events


def finish(event: OutboxEvent) -> bool:
    """Mark a claimed event as handled. Returns False when the lease was lost meanwhile."""
    return finish_many([event]) == 1


def finish_many(events: Sequence[OutboxEvent]) -> int:
    """Mark events of one claim as handled, in one statement; return how many still were ours."""
    if not events:
        return 0
    leased_until = events[0].leased_until
    assert leased_until is not None, "finish what was claimed"
    assert all(event.leased_until == leased_until for event in events), "one claim has one lease"
    mine = OutboxEvent.objects.filter(
        id__in=[event.id for event in events],
        state=OutboxState.PENDING,
        leased_until=leased_until,
    )
    return mine.update(state=OutboxState.DONE, error="", leased_until=None)


def finish_without(event: OutboxEvent, why: str) -> bool:
    """Mark a claimed event as handled, and say why nobody was told.

    Returns False when the lease was lost meanwhile.
    """
    assert why, "what was not done has a reason"
    return _end_lease(event, state=OutboxState.DONE, error=why)


def put_off(event: OutboxEvent, why: str, *, at: datetime | None = None) -> bool:
    """Put a claimed event back for an hour; that is no failed attempt. Aside after 30 days.

    Returns False when the lease was lost meanwhile.
    """
    assert why, "what waits has a reason"
    at = at or now()
    if at - event.created_at >= rules.PUT_OFF_AT_MOST:
        return _end_lease(event, state=OutboxState.DEAD, error=why)
    event.attempts -= 1
    return _end_lease(
        event,
        state=OutboxState.PENDING,
        error=why,
        available_at=at + rules.PUT_OFF_FOR,
        attempts=event.attempts,
    )


def revive(kinds: Collection[str], key_start: str, *, at: datetime | None = None) -> int:
    """Let given up events whose keys begin so be tried anew. Returns how many."""
    assert key_start, "not all of them"
    gone = OutboxEvent.objects.filter(kind__in=kinds, key__startswith=key_start)
    return gone.filter(state=OutboxState.DEAD).update(
        state=OutboxState.PENDING, attempts=0, available_at=at or now()
    )


def try_again(event: OutboxEvent, *, actor_ref: str, at: datetime | None = None) -> bool:
    """Let one event that was given up be tried anew; tell whether it was. The trail keeps who."""
    at = at or now()
    with joined():
        given_up = OutboxEvent.objects.filter(id=event.id, state=OutboxState.DEAD)
        # Its error stays until it is told: whoever looks meanwhile sees why it was given up.
        if not given_up.update(state=OutboxState.PENDING, attempts=0, available_at=at):
            return False
        record(actor_ref=actor_ref, action="outbox.tried_again", subject_ref=event.key, at=at)
        return True


def fail(event: OutboxEvent, error: str, *, at: datetime | None = None) -> bool:
    """Put a claimed event back to be tried later, or aside after too many attempts.

    Returns False when the lease was lost meanwhile.
    """
    assert event.leased_until is not None, "fail what was claimed"
    if event.attempts >= rules.GIVE_UP_AFTER:
        return _end_lease(event, state=OutboxState.DEAD, error=error)
    again_at = (at or now()) + rules.wait_after(event.attempts)
    return _end_lease(event, state=OutboxState.PENDING, error=error, available_at=again_at)


def _end_lease(event: OutboxEvent, *, state: OutboxState, error: str, **changes: object) -> bool:
    mine = OutboxEvent.objects.filter(
        id=event.id, state=OutboxState.PENDING, leased_until=event.leased_until
    )
    changed = mine.update(state=state, error=error[:2000], leased_until=None, **changes)
    assert changed <= 1, "an event is one row"
    return changed == 1
