"""Writes of payouts: drafted, locked with frozen copies, approved by another person, exported once.

What is booked with a step is its flow's, in the same transaction.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import Q

from diandian.audit.actions import record
from diandian.kernel.canonical import digest_hex
from diandian.kernel.tokens import new_code
from diandian.settlement import queries, rules
from diandian.settlement.errors import BatchStateError, NothingDueError, SamePersonError
from diandian.settlement.lines import actions as line_actions
from diandian.settlement.lines import queries as line_queries
from diandian.settlement.models import (
    Batch,
    BatchFile,
    BatchState,
    Line,
    LineState,
    Rail,
)

# What one statement can hold, and a person can look through.
MOST_LINES = 2_000


def lock(batch: Batch, *allowed: str) -> Batch:
    """Return a payout as it is now, locked until the transaction ends. Raises: BatchStateError."""
    assert connection.in_atomic_block, "a lock lives as long as its transaction"
    locked = Batch.objects.select_for_update(no_key=True).get(id=batch.id)
    if locked.state not in allowed:
        raise BatchStateError(state=locked.state)
    return locked


def draft(
    *,
    supplier_ref: str,
    currency: str,
    rail: str,
    leave_out: Q | None = None,
    actor_ref: str,
    at: datetime,
) -> Batch:
    """Collect what is due into a draft; the draft that there is takes up what came since.

    ``leave_out``: which parts stay out, or leave it.

    In the caller's transaction. Idempotent: one draft per supplier, currency and rail.
    Locks: the draft, so that nothing comes into what somebody is just locking.
    Raises: NothingDueError: there is no draft of nothing.
    """
    assert connection.in_atomic_block, "a draft and its lines are one"
    drafts = Batch.objects.select_for_update(no_key=True).filter(
        supplier_ref=supplier_ref, currency=currency, rail=rail, state=BatchState.DRAFT
    )
    known = drafts.first()
    ready = queries.collectable(supplier_ref, currency, rail)
    if leave_out is not None:
        ready = ready.exclude(leave_out)
    if known is None and not ready.exists():
        raise NothingDueError
    batch = known or Batch.objects.create(
        number=new_code(),
        supplier_ref=supplier_ref,
        currency=currency,
        rail=rail,
        drafted_by=actor_ref,
        drafted_at=at,
    )
    if leave_out is not None:
        batch.lines.filter(leave_out).update(batch=None)
    free = MOST_LINES - batch.lines.count()
    line_actions.put_into(batch, [line.id for line in ready.order_by("id")[:free]])
    batch.net_minor = queries.summed_net(queries.lines_of(batch))
    batch.save(update_fields=["net_minor"])
    if known is None:
        batch.number = rules.batch_no(batch.id, at)
        batch.save(update_fields=["number"])
        note(batch, "drafted", actor_ref, at)
    return batch


def seal(
    batch: Batch,
    *,
    payee: Mapping[str, object],
    statement: Mapping[str, object],
    actor_ref: str,
    at: datetime,
) -> Batch:
    """Lock a draft: its payee, its lines and their digest are frozen."""
    batch.payee, batch.statement = dict(payee), dict(statement)
    batch.digest = digest_hex(statement)
    batch.locked_by, batch.locked_at = actor_ref, at
    if batch.rail == Rail.BANK:
        batch.state = BatchState.LOCKED
        line_actions.move_all(batch, LineState.QUEUED)
    else:
        # The gateway paid already: this is its statement, and nothing is sent.
        batch.state, batch.paid_at = BatchState.PAID, at
    batch.save()
    note(batch, "locked", actor_ref, at)
    return batch


def approve(batch: Batch, *, actor_ref: str, at: datetime) -> Batch:
    """Approve a locked payout as another person. Raises: SamePersonError, BatchStateError."""
    locked = lock(batch, BatchState.LOCKED)
    if actor_ref in {locked.locked_by, locked.drafted_by}:
        raise SamePersonError
    locked.state, locked.approved_by, locked.approved_at = BatchState.APPROVED, actor_ref, at
    locked.save()
    note(locked, "approved", actor_ref, at)
    return locked


def cancel(batch: Batch, *, reason: str, actor_ref: str, at: datetime) -> Batch:
    """Give a payout up before a file was made; its lines are due as before."""
    locked = lock(batch, BatchState.DRAFT, BatchState.LOCKED, BatchState.APPROVED)
    return _end(locked, "cancelled", reason, actor_ref, at)


def returned(batch: Batch, *, reason: str, actor_ref: str, at: datetime) -> Batch:
    """Note that the bank certainly did not pay; the lines are due for another payout."""
    locked = lock(batch, BatchState.SUBMITTED)
    return _end(locked, "returned", reason, actor_ref, at)


def sent_back(batch: Batch, *, reason: str, actor_ref: str, at: datetime) -> Batch:
    """Note that the bank sent back what it had paid; its lines are due for another payout.

    Of a line of which something was claimed since, what it had got is owed by a line of its own:
    the claim stands beside it. In the caller's transaction, which books it, with the batch's lock.
    """
    for line in lock_lines(batch):
        claimed_minor = line_queries.claimed_minor(line)
        if claimed_minor:
            line_actions.owe_again(
                line, source_ref=f"payout:{batch.number}:{line.id}", more_minor=claimed_minor, at=at
            )
    return _end(batch, "sent_back", reason, actor_ref, at)


def _end(batch: Batch, step: str, reason: str, actor_ref: str, at: datetime) -> Batch:
    line_actions.let_go(batch)
    batch.state, batch.reason = BatchState.CANCELLED, reason[:200]
    batch.save()
    note(batch, step, actor_ref, at)
    return batch


def exported(batch: Batch, *, form: str, sha256: str, actor_ref: str, at: datetime) -> BatchFile:
    """Record an export; the first one counts as sent, every later one is a copy.

    In the caller's transaction, with the batch's lock.
    """
    file = BatchFile.objects.create(
        batch=batch,
        copy_number=batch.files.count() + 1,
        form=form,
        sha256=sha256,
        exported_by=actor_ref,
        exported_at=at,
    )
    if batch.state == BatchState.APPROVED:
        batch.state = BatchState.SUBMITTED
        batch.save(update_fields=["state"])
        line_actions.move_all(batch, LineState.SUBMITTED)
    note(batch, "exported" if file.copy_number == 1 else "exported_again", actor_ref, at)
    return file


def paid(batch: Batch, *, bank_ref: str, actor_ref: str, at: datetime) -> Batch:
    """Note that the bank paid; the flow books it in the same transaction."""
    batch.state, batch.paid_at, batch.bank_ref = BatchState.PAID, at, bank_ref[:80]
    batch.save()
    line_actions.move_all(batch, LineState.PAID, paid_at=at)
    note(batch, "paid", actor_ref, at)
    return batch


def reconciled(batch: Batch, *, bank_ref: str, actor_ref: str, at: datetime) -> Batch:
    """Note that a paid payout stands in the statement of bank or gateway."""
    locked = lock(batch, BatchState.PAID)
    locked.state, locked.bank_ref = BatchState.RECONCILED, bank_ref[:80] or locked.bank_ref
    locked.save()
    note(locked, "reconciled", actor_ref, at)
    return locked


def note(batch: Batch, step: str, actor_ref: str, at: datetime) -> None:
    """Write a step into the trail; no detail of the payee."""
    record(
        actor_ref=actor_ref,
        action=f"payout.{step}",
        subject_ref=f"payout:{batch.number}",
        details={
            "supplier": batch.supplier_ref,
            "net_minor": batch.net_minor,
            "currency": batch.currency,
            "digest": batch.digest,
        },
        at=at,
    )


def lock_lines(batch: Batch) -> Sequence[Line]:
    """Return a payout's lines, locked. Locks: their rows, in id order."""
    return list(Line.objects.select_for_update(no_key=True).filter(batch=batch).order_by("id"))
