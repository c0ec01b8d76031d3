"""Enters into the public log what the registry did before there was one, or without it.

Batches first, then outside retirements, then each use of grams in the order of the lanes' chains,
with the instants at which they were done; each portion is a commit of its own.
*Source:* design of the registry, section 5 (L4).
"""

import logging
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Case, CharField, Exists, F, OuterRef, QuerySet, Value, When
from django.db.models.functions import Cast, Concat

from diandian.flows import log_entries, log_guard
from diandian.flows.log_entries import Entry, done_at
from diandian.kernel.clock import now
from diandian.registry import queries as registry_queries
from diandian.registry.models import (
    Allocation,
    AllocationKind,
    BatchState,
    CreditBatch,
    Retirement,
    UpstreamRetirement,
)
from diandian.transparency import actions as log_actions
from diandian.transparency.models import LogEntry

log = logging.getLogger(__name__)

PORTION = 500
# Why grams were cancelled, or a batch was frozen, before the log began, stands in the trail alone.
BEFORE = "before-the-log"

_IS_ENTERED = Exists(LogEntry.objects.filter(ref=OuterRef("log_ref")))


def batches_missing() -> QuerySet[CreditBatch]:
    """Return the batches without an entry, in the order of their numbers."""
    rows = CreditBatch.objects.annotate(log_ref=Concat(Value("issue:"), "public_id"))
    return rows.filter(~_IS_ENTERED).order_by("id")


def evidence_missing() -> QuerySet[UpstreamRetirement]:
    """Return the outside retirements without an entry."""
    first = Cast("first_serial", CharField())
    ref = Concat(Value("upstream:"), "batch__public_id", Value(":"), first)
    rows = UpstreamRetirement.objects.annotate(log_ref=ref)
    return rows.filter(~_IS_ENTERED).order_by("id")


def uses_missing() -> QuerySet[Allocation]:
    """Return the used ranges without an entry, in the order of the chains."""
    ref = Case(
        When(kind=AllocationKind.RETIRE, then=Concat(Value("retire:"), "retirement__public_id")),
        default=Concat(F("kind"), Value(":"), F("source_ref"), output_field=CharField()),
        output_field=CharField(),
    )
    rows = Allocation.objects.exclude(kind=AllocationKind.GENESIS).annotate(log_ref=ref)
    return rows.filter(~_IS_ENTERED).order_by("id")


def fill() -> int:
    """Enter all that is missing. Returns how many entries were written. Idempotent.

    Locks: in each portion the head of the log alone.
    """
    written = 0
    for portion in (_batches, _evidence, _uses):
        while done := portion():
            written += done
    return written + _standstills()


def fill_and_tell() -> int:
    """Enter what is missing, and tell the operator: after the first time nothing should be.

    Nothing while the log stands still: what an older backup lacks is not entered anew.
    """
    if not log_guard.may_enter():
        return 0
    written = fill()
    if written:
        log.warning("%d changes of grams were missing in the public log; entered now", written)
    return written


@transaction.atomic
def _batches() -> int:
    rows = batches_missing().select_related("serial_block", "project__programme")[:PORTION]
    return _append(
        done_at(log_entries.issued(row, registry_queries.lanes_of(row)), row.issued_at)
        for row in rows
    )


@transaction.atomic
def _evidence() -> int:
    rows = evidence_missing().select_related("batch")[:PORTION]
    return _append(
        done_at(log_entries.retired_outside(row.batch, row), row.retired_at) for row in rows
    )


@transaction.atomic
def _uses() -> int:
    rows = list(uses_missing().select_related("retirement", "lane__batch")[:PORTION])
    retired = {row.retirement.id: row.retirement for row in rows if row.retirement is not None}
    ranges = registry_queries.ranges_of_many(retired.values())
    entries: dict[str, Entry] = {}
    for row in rows:
        ref = str(getattr(row, "log_ref"))  # noqa: B009 - an annotation
        if ref in entries:
            continue
        if row.retirement is not None:
            entries[ref] = _retired(row.retirement, ranges[row.retirement.id])
        else:
            links = Allocation.objects.filter(kind=row.kind, source_ref=row.source_ref)
            entries[ref] = log_entries.cancelled(row.lane.batch, list(links.order_by("id")), BEFORE)
    return _append(entries.values())


def _retired(row: Retirement, ranges: Sequence[registry_queries.RetiredRange]) -> Entry:
    return done_at(log_entries.retired(row, ranges), row.retired_at)


@transaction.atomic
def _standstills() -> int:
    """Say of batches that serve no more that they are frozen, where the log does not know it."""
    frozen = CreditBatch.objects.filter(state=BatchState.FROZEN).order_by("id")
    wanted = [row for row in frozen if not _is_known_as_frozen(row.public_id)]
    return len(
        log_actions.append_many([log_entries.frozen(row, BEFORE) for row in wanted], at=now())
    )


def _is_known_as_frozen(number: str) -> bool:
    stops = LogEntry.objects.filter(kind__in=("freeze", "thaw"), body__contains=f'"{number}"')
    last = stops.order_by("-position").first()
    return last is not None and last.kind == "freeze"


def _append(entries: Iterable[Entry]) -> int:
    return len(log_actions.append_new(list(entries), at=now()))
