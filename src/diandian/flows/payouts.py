"""Payouts of many parts at once: drafted, locked, approved by another person, sent, booked.

What is paid is the locked copy: account, lines and their digest. A file goes to the bank once; a
second export says that it is a copy. *Source:* payments design, sections 4 and 10; rows 45, 46.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from diandian.flows import paid_accounts
from diandian.kernel.clock import business_day, now
from diandian.kernel.errors import N_
from diandian.kernel.money import Money
from diandian.ledger import actions as ledger_actions
from diandian.ledger import chart
from diandian.ledger import payouts as postings
from diandian.ledger import queries as ledger_queries
from diandian.payments.disputes import queries as disputes
from diandian.settlement import bank_files, queries, statements
from diandian.settlement.batches import actions
from diandian.settlement.errors import (
    BatchChangedError,
    BatchStateError,
    BelowMinimumError,
    LineMovesError,
    NoPayeeError,
    PartDisputedError,
    PayeeWithdrawnError,
    ResultFileError,
)
from diandian.settlement.models import Batch, BatchState, Line, LineState, Rail
from diandian.ui.format import money

_NOT_OURS = N_("it is no payout of ours in this amount")
_PAID = (BatchState.PAID, BatchState.RECONCILED)
_NOT_SENT = N_("its payout is not at the bank")


@dataclass(frozen=True, slots=True)
class File:
    """What somebody downloads. ``copy_number``: from the second on it is a copy."""

    name: str
    content: bytes
    content_type: str
    copy_number: int


@transaction.atomic
def draft(
    *, supplier_ref: str, currency: str, rail: str, actor_ref: str, at: datetime | None = None
) -> Batch:
    """Collect what is due into the draft of a payout. Idempotent: one draft at a time.

    A part whose payment a bank disputes stays out, or leaves the draft; a gateway's statement is of
    one account, what another one got is drafted after it. Raises: NothingDueError.
    """
    return actions.draft(
        supplier_ref=supplier_ref,
        currency=currency,
        rail=rail,
        leave_out=_left_out(supplier_ref, currency, rail),
        actor_ref=actor_ref,
        at=at or now(),
    )


def _left_out(supplier_ref: str, currency: str, rail: str) -> Q | None:
    if rail == Rail.BANK:
        disputed = _disputed()
        return Q(payment_no__in=disputed) if disputed else None
    draft_first = (queries.drafted, queries.collectable)
    first = paid_accounts.first_told(*(of(supplier_ref, currency, rail) for of in draft_first))
    return ~paid_accounts.told_with(first) if first is not None else None


@transaction.atomic
def lock(batch: Batch, *, actor_ref: str, at: datetime | None = None) -> Batch:
    """Freeze a draft: its account, its lines, its digest.

    Locks: the payout, its lines. Raises: BatchStateError, NoPayeeError, BelowMinimumError,
    LineMovesError, PartDisputedError.
    """
    at = at or now()
    locked = actions.lock(batch, BatchState.DRAFT)
    lines = list(actions.lock_lines(locked))
    wanted = LineState.DUE if locked.rail == Rail.BANK else LineState.PAID
    if any(line.state != wanted or line.disputed_at for line in lines):
        raise LineMovesError
    _require_undisputed(locked, lines)
    locked.net_minor = queries.summed_net(lines)
    _refuse_small(locked, lines)
    payee = _payee_of(locked, at)
    statement = statements.of_batch(locked, _rows_of(lines), payee, day=business_day(at))
    return actions.seal(locked, payee=payee, statement=statement, actor_ref=actor_ref, at=at)


def _disputed() -> set[str]:
    """Return the numbers of the payments that banks dispute."""
    return {dispute.payment.payment_no for dispute in disputes.undecided()}


def _require_undisputed(batch: Batch, lines: Sequence[Line]) -> None:
    if batch.rail == Rail.BANK and _disputed() & {line.payment_no for line in lines}:
        raise PartDisputedError


def _require_may_go(batch: Batch) -> None:
    """Refuse what must not be paid any more, while nothing of it went.

    Raises: PayeeWithdrawnError, PartDisputedError.
    """
    if not queries.is_payee_confirmed(batch.payee["payee"]):
        raise PayeeWithdrawnError
    _require_undisputed(batch, queries.lines_of(batch))


def least_of(batch: Batch) -> Money:
    """Return the smallest amount of a payout by this way."""
    least = settings.PAYOUT_MINIMUM_MINOR if batch.rail == Rail.BANK else 0
    return Money(max(least, 1), batch.currency)


def is_too_small(batch: Batch) -> bool:
    """Tell whether a draft cannot be locked yet, as too little is due."""
    return batch.state == BatchState.DRAFT and batch.net_minor < least_of(batch).amount_minor


def _refuse_small(batch: Batch, lines: list[Line]) -> None:
    least = least_of(batch)
    if not lines or batch.net_minor < least.amount_minor:
        raise BelowMinimumError(net=money(batch.net, "en"), minimum=money(least, "en"))


def _payee_of(batch: Batch, at: datetime) -> dict[str, object]:
    """Return a copy of where the supplier receives the money, or a gateway paid it already.

    Raises: NoPayeeError, LineMovesError: it holds parts that two accounts got.
    """
    if batch.rail == Rail.GATEWAY:
        first = paid_accounts.first_told(batch.lines.all())
        assert first is not None, "what is locked has lines"
        if batch.lines.exclude(paid_accounts.told_with(first)).exists():
            raise LineMovesError
        return paid_accounts.as_payee(first)
    payee = queries.payee_in_force(batch.supplier_ref, gateway="", at=at)
    if payee is None:
        raise NoPayeeError
    return {"payee": payee.id, "kind": payee.kind, "gateway": payee.gateway, **payee.detail}


def _rows_of(lines: Sequence[Line]) -> list[dict[str, Any]]:
    tax_minor = _tax_of(lines)
    return [statements.row(line, tax_minor.get(line.owner_ref)) for line in lines]


def _tax_of(lines: Sequence[Line]) -> dict[str, int]:
    """Return the tax within our fee as it is booked, by order, where part of the fee went back."""
    owners = {line.owner_ref for line in lines if line.is_fee_leg and line.returned_minor}
    return ledger_queries.credited(chart.output_vat(lines[0].currency), owners) if owners else {}


@transaction.atomic
def approve(batch: Batch, *, actor_ref: str, at: datetime | None = None) -> Batch:
    """Approve a locked payout as a second person.

    Raises: SamePersonError, BatchStateError, PayeeWithdrawnError, PartDisputedError.
    """
    _require_may_go(actions.lock(batch, BatchState.LOCKED))
    return actions.approve(batch, actor_ref=actor_ref, at=at or now())


@transaction.atomic
def cancel(batch: Batch, *, reason: str, actor_ref: str, at: datetime | None = None) -> Batch:
    """Give a payout up before its file was made. Raises: BatchStateError."""
    return actions.cancel(batch, reason=reason, actor_ref=actor_ref, at=at or now())


@transaction.atomic
def export(batch: Batch, *, form: str, actor_ref: str, at: datetime | None = None) -> File:
    """Make the file for a bank, from the locked copy. The first export counts as sent.

    Locks: the payout. Raises: BatchStateError, NotForThisBankError, BatchChangedError,
    PayeeWithdrawnError, PartDisputedError.
    """
    at = at or now()
    locked = actions.lock(batch, BatchState.APPROVED, BatchState.SUBMITTED)
    _require_as_locked(locked, locked.net_minor)
    if locked.state == BatchState.APPROVED:
        _require_may_go(locked)
    copy_number = locked.files.count() + 1
    order = bank_files.Transfer(
        number=locked.number,
        amount=locked.net,
        payee=locked.payee,
        text=f"Diandian {locked.number}",
        day=business_day(at),
        copy_number=copy_number,
    )
    made = bank_files.make(order, form, payer=bank_files.payer_of(locked.currency))
    sha256 = hashlib.sha256(made.content).hexdigest()
    actions.exported(locked, form=form, sha256=sha256, actor_ref=actor_ref, at=at)
    copy = f"-copy-{copy_number}" if copy_number > 1 else ""
    return File(
        f"{locked.number}{copy}.{made.ending}", made.content, made.content_type, copy_number
    )


def _require_as_locked(batch: Batch, lines_minor: int) -> None:
    """Refuse to pay anything but the frozen statement's sum. Raises: BatchChangedError."""
    stated_minor = batch.statement["totals"]["supplier_minor"]
    for minor in (batch.net_minor, lines_minor):
        if minor != stated_minor:
            raise BatchChangedError(
                net=money(Money(minor, batch.currency), "en"),
                stated=money(Money(stated_minor, batch.currency), "en"),
            )


@transaction.atomic
def import_results(content: bytes, *, actor_ref: str, at: datetime | None = None) -> int:
    """Take over what a bank says became of each payout. Returns how many changed.

    One that it paid, and sends back some days later, is undone: its parts are due again.
    All of a file or nothing of it; the same file again changes nothing.
    Raises: ResultFileError, BatchChangedError.
    """
    at, changed = at or now(), 0
    for result in bank_files.read_results(content):
        batch = Batch.objects.filter(number=result.number).first()
        if batch is None or batch.net != result.amount:
            raise ResultFileError(line=result.line, why=_NOT_OURS)
        if result.is_paid:
            changed += _paid(batch, result.bank_ref, actor_ref, at)
        elif batch.state == BatchState.SUBMITTED:
            actions.returned(batch, reason=result.reason, actor_ref=actor_ref, at=at)
            changed += 1
        elif batch.state in _PAID and batch.rail == Rail.BANK:
            _sent_back(batch, result.reason, actor_ref, at)
            changed += 1
        elif batch.state != BatchState.CANCELLED:
            raise ResultFileError(line=result.line, why=_NOT_SENT)
    return changed


@transaction.atomic
def mark_paid(batch: Batch, *, bank_ref: str, actor_ref: str, at: datetime | None = None) -> bool:
    """Note that a bank paid a payout. Idempotent. Raises: BatchStateError, BatchChangedError."""
    return bool(_paid(batch, bank_ref, actor_ref, at or now()))


def _sent_back(batch: Batch, reason: str, actor_ref: str, at: datetime) -> None:
    """Book on the day on which it came that a bank sent a paid payout back.

    Locks: the payout, its lines. Raises: BatchStateError.
    """
    locked = actions.lock(batch, *_PAID)
    source_ref = _source_ref(locked)
    journal = ledger_queries.journals_by_source([source_ref])[source_ref]
    ledger_actions.reverse(journal, f"{source_ref}:sent_back", at)
    actions.sent_back(locked, reason=reason, actor_ref=actor_ref, at=at)


def _source_ref(batch: Batch) -> str:
    return f"payout:{batch.number}"


def _paid(batch: Batch, bank_ref: str, actor_ref: str, at: datetime) -> int:
    locked = actions.lock(batch, BatchState.SUBMITTED, *_PAID)
    if locked.state in _PAID:
        return 0
    lines = actions.lock_lines(locked)
    taken_off = -sum(line.supplier_minor for line in lines if line.supplier_minor < 0)
    owed = sum(line.leg.amount_minor for line in lines if line.supplier_minor > 0)
    _require_as_locked(locked, owed - taken_off)
    ledger_actions.post(
        kind="payout",
        source_ref=_source_ref(locked),
        owner_ref=_source_ref(locked),
        lines=postings.build_payout(
            Money(owed, locked.currency),
            Money(taken_off, locked.currency),
            supplier_ref=locked.supplier_ref,
        ),
        at=at,
    )
    actions.paid(locked, bank_ref=bank_ref, actor_ref=actor_ref, at=at)
    return 1


@transaction.atomic
def reconcile(batch: Batch, *, bank_ref: str, actor_ref: str, at: datetime | None = None) -> Batch:
    """Note that a payout was found in the bank's own statement. Raises: BatchStateError."""
    return actions.reconciled(batch, bank_ref=bank_ref, actor_ref=actor_ref, at=at or now())


def statement(batch: Batch) -> Mapping[str, object]:
    """Return a payout's frozen statement. Raises: BatchStateError while it is a draft."""
    if not batch.digest:
        raise BatchStateError(state=batch.state)
    return dict(batch.statement)


def told(batch: Batch) -> list[tuple[Line, Mapping[str, Any]]]:
    """Return a payout's parts with what its statement says of each; of a draft: would say now."""
    lines = queries.lines_of(batch)
    frozen = batch.statement["lines"] if batch.digest else []
    rows = frozen if len(frozen) == len(lines) else _rows_of(lines)
    return list(zip(lines, rows, strict=True))
