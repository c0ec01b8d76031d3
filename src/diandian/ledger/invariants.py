"""What must hold of the money, at every commit."""

from collections.abc import Iterator

from django.db.models import F, Q, Sum

from diandian.audit.breaches import Breach
from diandian.ledger import chart, queries
from diandian.ledger.actions import JournalRequest
from diandian.ledger.models import Journal, Transfer
from diandian.ledger.rules import TransferLine

# Accounts that may never be on the wrong side: what we owe is never less than nothing (M5).
_NEVER_IN_DEBIT = (
    chart.SUPPLIER_PAYABLE,
    chart.CUSTOMER_PREPAYMENTS,
    chart.REFUNDS_IN_TRANSIT,
    chart.UNALLOCATED,
)


def check() -> list[Breach]:
    """Return every breach of M1, M2, M4, M5 and of the bookings' seals."""
    return [
        *_one_currency(),
        *_balanced(),
        *_sealed(),
        *_mirrored(),
    ]


def _one_currency() -> Iterator[Breach]:
    wrong = Transfer.objects.filter(Q(amount_minor__lte=0) | Q(debit_code=F("credit_code")))
    for row in wrong[:100]:
        yield Breach("M1", f"transfer:{row.id}", "amount or accounts are impossible")
    pairs = Transfer.objects.order_by().values_list("currency", "debit_code", "credit_code")
    for currency, debit_code, credit_code in pairs.distinct():
        if {chart.currency_of(debit_code), chart.currency_of(credit_code)} != {currency}:
            yield Breach("M1", f"account:{debit_code}", "two currencies in one transfer")


def _balanced() -> Iterator[Breach]:
    for currency in queries.currencies():
        totals = queries.trial_balance(currency)
        difference = sum(account.balance_minor for account in totals)
        if difference:
            yield Breach("M2", f"currency:{currency}", f"debits exceed credits by {difference}")
        for account in totals:
            owed = chart.number_of(account.code) in _NEVER_IN_DEBIT
            if owed and account.balance_minor > 0:
                yield Breach(
                    "M5", f"account:{account.code}", f"overdrawn by {account.balance_minor}"
                )


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
