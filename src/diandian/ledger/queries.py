"""Reads balances and bookings; every balance is added up from the transfers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Case, F, Q, Sum, When

from diandian.ledger.models import Journal, Transfer
from diandian.ledger.rules import TransferLine
from diandian.store.statements import SelectMany

_BY_SOURCE = SelectMany(lambda refs: Journal.objects.filter(source_ref__in=refs))


@dataclass(frozen=True, slots=True)
class AccountTotals:
    """One account of a trial balance, in minor units."""

    code: str
    debits_minor: int
    credits_minor: int

    @property
    def balance_minor(self) -> int:
        """Return debits less credits."""
        return self.debits_minor - self.credits_minor


def balance_of(code: str) -> int:
    """Return debits less credits of an account, in minor units."""
    total = Transfer.objects.filter(Q(debit_code=code) | Q(credit_code=code)).aggregate(
        balance=Sum(Case(When(debit_code=code, then=F("amount_minor")), default=-F("amount_minor")))
    )["balance"]
    return int(total or 0)


def trial_balance(currency: str) -> list[AccountTotals]:
    """Return debits and credits of every account in a currency, by code."""
    moved = Transfer.objects.filter(currency=currency)
    debits = _by_code(moved.values_list("debit_code").annotate(total=Sum("amount_minor")))
    credits_ = _by_code(moved.values_list("credit_code").annotate(total=Sum("amount_minor")))
    return [
        AccountTotals(code, debits.get(code, 0), credits_.get(code, 0))
        for code in sorted(debits.keys() | credits_.keys())
    ]


def _by_code(rows: Iterable[Sequence[object]]) -> dict[str, int]:
    return {str(code): int(str(total)) for code, total in rows}


def currencies() -> list[str]:
    """Return the currencies that were ever booked."""
    return sorted(Transfer.objects.order_by().values_list("currency", flat=True).distinct())


def entries_of(owner_ref: str) -> list[Transfer]:
    """Return every transfer booked for an owner, in booking order, with its journal."""
    return list(
        Transfer.objects.filter(journal__owner_ref=owner_ref)
        .select_related("journal")
        .order_by("id")
    )


def journals_by_source(source_refs: Iterable[str]) -> dict[str, Journal]:
    """Return the journals that exist among some source references."""
    found = _BY_SOURCE.all(sorted(set(source_refs)))
    return {journal.source_ref: journal for journal in found}


def reversal_of(journal: Journal) -> Journal | None:
    """Return the journal that undoes another, if there is one."""
    return Journal.objects.filter(reverses=journal).first()


def lines_of(journal: Journal) -> list[TransferLine]:
    """Return what a journal moved, as plain lines."""
    return [
        TransferLine(row.debit_code, row.credit_code, row.amount_minor, row.currency)
        for row in Transfer.objects.filter(journal=journal).order_by("id")
    ]
