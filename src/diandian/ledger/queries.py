"""Reads balances, bookings and closed days.

A balance is what the newest checkpoint says and what moved since: nobody keeps it, and no sale
waits for a row that all of them touch.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Case, F, Max, Min, Q, QuerySet, Sum, When

from diandian.kernel.canonical import digest_lines
from diandian.kernel.memory import ttl_cache
from diandian.ledger.chart import currency_of
from diandian.ledger.models import ClosedDay, Journal, LedgerCheckpoint, SalesSwitch, Transfer
from diandian.ledger.rules import TransferLine
from diandian.store.statements import SelectMany

_PAIR = ("debit_code", "credit_code")
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


@dataclass(frozen=True, slots=True)
class Moved:
    """All that ever moved from one account (credit) to another (debit), in minor units."""

    debit_code: str
    credit_code: str
    amount_minor: int


# --- days ---------------------------------------------------------------------------------------


def newest_closed() -> ClosedDay | None:
    """Return the newest closed day, or None while the books were never closed."""
    return ClosedDay.objects.order_by("-day").first()


@ttl_cache(1)
def closed_through() -> date:
    """Return the day up to which nothing can be booked; as of a second ago at most.

    The database itself refuses what comes in that second.
    """
    found = ClosedDay.objects.aggregate(day=Max("day"))["day"]
    return found or date.min


def closed_days(limit: int | None = None) -> list[ClosedDay]:
    """Return the closed days, newest first."""
    return list(ClosedDay.objects.order_by("-day")[:limit])


def first_booked_day() -> date | None:
    """Return the first business day with a journal."""
    found: date | None = Journal.objects.aggregate(day=Min("business_day"))["day"]
    return found


def journals_sha256(first_day: date, day: date) -> tuple[int, str]:
    """Return how many journals some days have, and the digest over them, in booking order."""
    rows = Journal.objects.filter(business_day__range=(first_day, day)).order_by("id")
    facts = rows.values_list("source_ref", "business_day", "body_sha256")
    return digest_lines(
        f"{source_ref} {booked.isoformat()} {body}"
        for source_ref, booked, body in facts.iterator(chunk_size=5000)
    )


def facts_of(closed: ClosedDay) -> dict[str, object]:
    """Return what the seal of a closed day covers, besides the seal before it."""
    return {
        "first_day": closed.first_day.isoformat(),
        "day": closed.day.isoformat(),
        "totals": closed.totals,
        "journals": closed.journals,
        "journals_sha256": closed.journals_sha256,
        "retirements": closed.retirements,
        "retirements_sha256": closed.retirements_sha256,
    }


def sales_switch() -> SalesSwitch | None:
    """Return the newest stop or reopening of sales."""
    return SalesSwitch.objects.order_by("-id").first()


# --- balances -----------------------------------------------------------------------------------


def balance_of(code: str) -> int:
    """Return debits less credits of an account, in minor units."""
    mine = Q(debit_code=code) | Q(credit_code=code)
    moved = _added_up(mine)
    return sum(
        amount_minor if debit_code == code else -amount_minor
        for (debit_code, _), amount_minor in moved.items()
    )


def moved(currency: str) -> list[Moved]:
    """Return what moved between each two accounts: the newest checkpoint, and all after it."""
    found = _added_up(Q(currency=currency))
    return [Moved(*pair, amount_minor) for pair, amount_minor in sorted(found.items())]


def moved_until(day: date | None = None) -> dict[tuple[str, str], int]:
    """Return what moved between each two accounts up to a day, from every transfer there is."""
    rows = Transfer.objects.all()
    return _by_pair(rows if day is None else rows.filter(journal__business_day__lte=day))


def trial_balance(currency: str) -> list[AccountTotals]:
    """Return debits and credits of every account in a currency, by code."""
    return account_totals(moved(currency))


def account_totals(rows: Iterable[Moved]) -> list[AccountTotals]:
    """Add up debits and credits of every account, by code."""
    debits: dict[str, int] = defaultdict(int)
    credits_: dict[str, int] = defaultdict(int)
    for row in rows:
        debits[row.debit_code] += row.amount_minor
        credits_[row.credit_code] += row.amount_minor
    return [
        AccountTotals(code, debits.get(code, 0), credits_.get(code, 0))
        for code in sorted(debits.keys() | credits_.keys())
    ]


def _added_up(mine: Q) -> dict[tuple[str, str], int]:
    """Add what came after the newest checkpoint to it.

    The day is read first: nothing is booked on a closed day, so checkpoint and rest stay two parts
    of one whole even if another day is closed in between.
    """
    found: dict[tuple[str, str], int] = defaultdict(int)
    later = Transfer.objects.filter(mine)
    newest = newest_closed()
    if newest is not None:
        later = later.filter(journal__business_day__gt=newest.day)
        kept = LedgerCheckpoint.objects.filter(mine, closed_day=newest).order_by()
        for debit_code, credit_code, amount in kept.values_list(*_PAIR, "amount_minor"):
            found[debit_code, credit_code] += amount
    for pair, amount in _by_pair(later).items():
        found[pair] += amount
    return found


def _by_pair(rows: QuerySet[Transfer]) -> dict[tuple[str, str], int]:
    sums = rows.order_by().values_list(*_PAIR).annotate(total=Sum("amount_minor"))
    return {(debit, credit): int(total) for debit, credit, total in sums}


def currencies() -> list[str]:
    """Return the currencies that were ever booked."""
    return sorted({currency_of(debit_code) for debit_code, _ in _added_up(Q())})


# --- bookings -----------------------------------------------------------------------------------


def entries_of(owner_ref: str) -> list[Transfer]:
    """Return every transfer booked for an owner, in booking order, with its journal."""
    return list(
        Transfer.objects.filter(journal__owner_ref=owner_ref)
        .select_related("journal")
        .order_by("id")
    )


def credited(code: str, owner_refs: Iterable[str]) -> dict[str, int]:
    """Return credits less debits of an account by owner, in minor units."""
    mine = Transfer.objects.filter(journal__owner_ref__in=list(owner_refs))
    signed = Case(When(credit_code=code, then=F("amount_minor")), default=-F("amount_minor"))
    rows = mine.filter(Q(credit_code=code) | Q(debit_code=code)).order_by()
    found = rows.values_list("journal__owner_ref").annotate(total=Sum(signed))
    return {str(owner_ref): int(total) for owner_ref, total in found}


def journals_by_source(source_refs: Iterable[str]) -> dict[str, Journal]:
    """Return the journals that exist among some source references."""
    wanted = list(source_refs)
    return ask_journals_by_source(wanted)() if wanted else {}


def ask_journals_by_source(source_refs: Iterable[str]) -> Callable[[], dict[str, Journal]]:
    """Ask for the journals that exist among some source references; return what reads them."""
    found = _BY_SOURCE.ask(list(dict.fromkeys(source_refs)))
    return lambda: {journal.source_ref: journal for journal in found()}


def reversal_of(journal: Journal) -> Journal | None:
    """Return the journal that undoes another, if there is one."""
    return Journal.objects.filter(reverses=journal).first()


def lines_of(journal: Journal) -> list[TransferLine]:
    """Return what a journal moved, as plain lines."""
    return [
        TransferLine(row.debit_code, row.credit_code, row.amount_minor, row.currency)
        for row in Transfer.objects.filter(journal=journal).order_by("id")
    ]
