"""What must hold of the money, at every commit."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import F, Q, Sum

from diandian.audit.breaches import Breach, asked
from diandian.ledger import chart, queries
from diandian.ledger.actions import JournalRequest
from diandian.ledger.models import ClosedDay, Journal, Transfer
from diandian.ledger.rules import TransferLine, closed_day_sha256
from diandian.store.statements import Select

# Accounts that may never be on the wrong side: what we owe is never less than nothing (M5).
_NEVER_IN_DEBIT = (
    chart.SUPPLIER_PAYABLE,
    chart.CUSTOMER_PREPAYMENTS,
    chart.REFUNDS_IN_TRANSIT,
    chart.UNALLOCATED,
    chart.GROSS_CONTRA,
)


_IMPOSSIBLE: Select[Transfer] = Select(
    lambda: Transfer.objects.filter(Q(amount_minor__lte=0) | Q(debit_code=F("credit_code")))[:100]
)
_PAIRS: Select[Any] = Select(
    lambda: (
        Transfer.objects.order_by().values_list("currency", "debit_code", "credit_code").distinct()
    )
)


def check() -> list[Breach]:
    """Return every breach of M1, M2, M4, M5 and of the seals of bookings and closed days."""
    return asked(
        _one_currency,
        _balanced,
        _checkpoints,
        _days,
        _sealed,
        _mirrored,
    )


def _one_currency() -> Iterator[Breach]:
    for row in _IMPOSSIBLE.all():
        yield Breach("M1", f"transfer:{row.id}", "amount or accounts are impossible")
    for currency, debit_code, credit_code in _PAIRS.all():
        if {chart.currency_of(debit_code), chart.currency_of(credit_code)} != {currency}:
            yield Breach("M1", f"account:{debit_code}", "two currencies in one transfer")


def _balanced() -> Iterator[Breach]:
    for currency in queries.currencies():
        totals = queries.trial_balance(currency)
        difference = sum(account.balance_minor for account in totals)
        if difference:
            yield Breach("M2", f"currency:{currency}", f"debits exceed credits by {difference}")
        in_debit = {
            chart.gross_contra(currency, stands) for stands in (chart.RETURNED, chart.DISPUTED)
        }
        for account in totals:
            owed = chart.number_of(account.code) in _NEVER_IN_DEBIT and account.code not in in_debit
            if owed and account.balance_minor > 0:
                yield Breach(
                    "M5", f"account:{account.code}", f"overdrawn by {account.balance_minor}"
                )


def _checkpoints() -> Iterator[Breach]:
    """M2: each checkpoint is what all transfers up to its day add up to."""
    newest = queries.newest_closed()
    if newest is None:
        return
    rows = newest.checkpoints.values_list("debit_code", "credit_code", "amount_minor")
    kept = {(debit, credit): amount for debit, credit, amount in rows}
    if kept != queries.moved_until(newest.day):
        yield Breach("M2", f"day:{newest}", "its checkpoint is not what moved until then")


def _days() -> Iterator[Breach]:
    """M4: every closed day bears its seal, on the day before, and has the journals it had."""
    previous, after = "", None
    for closed in ClosedDay.objects.order_by("day"):
        subject = f"day:{closed}"
        seal = closed_day_sha256(queries.facts_of(closed), previous)
        if closed.sha256 != seal or closed.previous_sha256 != previous:
            yield Breach("M4", subject, "it or the closed day before it was changed")
        if after is not None and closed.first_day != after + timedelta(days=1):
            yield Breach("M4", subject, "does not begin where the closed day before it ends")
        journals = queries.journals_sha256(closed.first_day, closed.day)
        if journals != (closed.journals, closed.journals_sha256):
            yield Breach("M4", subject, "its journals are not those it was closed with")
        previous, after = closed.sha256, closed.day


def _sealed() -> Iterator[Breach]:
    """Compare each journal's digest with its transfers: added or altered lines show."""
    for journal in Journal.objects.prefetch_related("transfers").iterator(chunk_size=1000):
        lines = [
            TransferLine(row.debit_code, row.credit_code, row.amount_minor, row.currency)
            for row in sorted(journal.transfers.all(), key=lambda row: row.id)
        ]
        request = JournalRequest(
            kind=journal.kind,
            source_ref=journal.source_ref,
            owner_ref=journal.owner_ref,
            lines=lines,
        )
        if not lines or request.digest() != journal.body_sha256:
            yield Breach("M4", f"journal:{journal.source_ref}", "its lines are not what was booked")


def _mirrored() -> Iterator[Breach]:
    reversals = Journal.objects.filter(reverses__isnull=False).annotate(
        moved=Sum("transfers__amount_minor")
    )
    for reversal in reversals.select_related("reverses").iterator(chunk_size=1000):
        assert reversal.reverses is not None, "filtered above"
        mirror = [line.swapped() for line in queries.lines_of(reversal.reverses)]
        if mirror != queries.lines_of(reversal):
            yield Breach("M6", f"journal:{reversal.source_ref}", "does not mirror what it reverses")
