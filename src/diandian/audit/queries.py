"""Reads the trail and the length of the queue."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min

from diandian.audit import rules
from diandian.audit.models import AuditEntry, OutboxEvent, OutboxState
from diandian.kernel.clock import now


@dataclass(frozen=True, slots=True)
class OutboxLag:
    """How the outbox stands: due events, the age of the oldest in seconds, events given up."""

    waiting: int
    oldest_seconds: int
    dead: int


def trail(subject_ref: str) -> list[AuditEntry]:
    """Return what happened to a subject, oldest first."""
    return list(AuditEntry.objects.filter(subject_ref=subject_ref).order_by("id"))


def seal_of(entry: AuditEntry) -> str:
    """Return the seal that an entry must bear."""
    return rules.entry_hash(
        at=entry.at,
        actor_ref=entry.actor_ref,
        action=entry.action,
        subject_ref=entry.subject_ref,
        details=entry.details,
        previous_hash=entry.previous_hash,
    )


def verify_chain() -> int | None:
    """Return the id of the first entry whose seal is broken, or None when all hold.

    An entry cut off the end leaves no trace inside: keep the newest seal elsewhere, too.
    """
    previous = rules.FIRST_PREVIOUS
    for entry in AuditEntry.objects.order_by("id").iterator(chunk_size=2000):
        if entry.previous_hash != previous or entry.entry_hash != seal_of(entry):
            return entry.id
        previous = entry.entry_hash
    return None


def outbox_lag(at: datetime | None = None) -> OutboxLag:
    """Return how far the worker is behind."""
    at = at or now()
    due = OutboxEvent.objects.filter(state=OutboxState.PENDING, available_at__lte=at).aggregate(
        count=Count("id"), oldest=Min("available_at")
    )
    age = int((at - due["oldest"]).total_seconds()) if due["oldest"] else 0
    return OutboxLag(due["count"], age, events_given_up())


def events_given_up() -> int:
    """Return how many events nobody tries to deliver any more: people must look."""
    return OutboxEvent.objects.filter(state=OutboxState.DEAD).count()


def outcomes(kinds: Collection[str], key_start: str) -> list[tuple[str, str, str, int]]:
    """Return kind, state and error of events whose keys begin so, with how many there are."""
    rows = OutboxEvent.objects.filter(kind__in=kinds, key__startswith=key_start).order_by()
    return list(rows.values_list("kind", "state", "error").annotate(n=Count("id")))
