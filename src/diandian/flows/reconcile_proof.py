"""The proofs of a reconciliation: closed days against the ledger, and the gateway's balance.

What a statement says of its matched lines is what the ledger moved through the gateway's clearing
account for exactly those payments, refunds and fees, on whichever day it was booked.
*Source:* payments design, section 8 (monthly proof); design of the registry, section 2 (M7).
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q, QuerySet

from diandian.audit.breaches import Breach
from diandian.flows import reconcile_fees
from diandian.kernel.clock import business_day, day_starts
from diandian.ledger import chart
from diandian.ledger import queries as ledger_queries
from diandian.ledger.models import Transfer
from diandian.payments import queries as payment_queries
from diandian.payments.merchant_files import Merchant
from diandian.reconciliation import invariants, queries
from diandian.reconciliation.models import GatewayDay

_PORTION = 500
# What was closed longer ago was proven every night since, and neither side can change any more.
_PROVEN_DAYS = 40
_STEPS = {"payment": ("capture", "unallocated"), "refund": ("settled",)}


@dataclass(frozen=True, slots=True)
class Proof:
    """What the ledger says a gateway holds for us, beside what its statements add up to.

    ``ledger_minor``: balance of the clearing account. ``stated_minor``: of every statement.
    ``since_minor``: what the ledger booked of days that have no statement yet.
    """

    currency: str
    ledger_minor: int
    stated_minor: int
    since_minor: int

    @property
    def left_minor(self) -> int:
        """Return what nothing explains but open or signed differences; zero when all agrees."""
        return self.ledger_minor - self.stated_minor - self.since_minor


def check() -> list[Breach]:
    """Return each closed day of a gateway that the ledger contradicts (M7) or that was altered."""
    return [*invariants.check(), *_booked_as_stated()]


def _booked_as_stated() -> Iterator[Breach]:
    """M7: on newly closed days the clearing account moved by what the matched lines say."""
    for day in queries.closed_days(business_day() - timedelta(days=_PROVEN_DAYS)):
        if not _is_provable(day):
            continue
        stated, booked = of_day(day)
        for currency in sorted(stated.keys() | booked.keys()):
            theirs, ours = stated.get(currency, 0), booked.get(currency, 0)
            if theirs != ours:
                yield Breach(
                    "M7",
                    f"gateway_day:{day}",
                    f"its statement says {theirs} {currency}, {ours} is booked",
                )


def _is_provable(day: GatewayDay) -> bool:
    """Tell whether all money of a day went through our clearing account.

    Not where suppliers collect, nor on the days on which an account changed to that or from it.
    """
    account = (day.gateway, day.mode, day.account)
    theirs = payment_queries.any_agreed(*account, reconcile_fees.NOT_OURS, day.day)
    return reconcile_fees.are_ours(day) and not theirs


def of_day(day: GatewayDay) -> tuple[dict[str, int], dict[str, int]]:
    """Return what a day's agreeing lines say, and what the ledger moved for them, by currency."""
    kind = reconcile_fees.money_kind(queries.current_files(day))
    refs: list[str] = []
    for key, subject, our_no in queries.matched_items(day, kind):
        refs += [f"{subject}:{our_no}:{step}" for step in _STEPS.get(subject, ())]
        refs.append(reconcile_fees.source_ref(day, key))
    return queries.agreed_net(day, kind), _moved(day, refs)


def _moved(day: GatewayDay, refs: Collection[str]) -> dict[str, int]:
    moved: dict[str, int] = defaultdict(int)
    whole = list(refs)
    accounts = {
        chart.gateway_clearing(currency, day.gateway, day.account): currency
        for currency in ledger_queries.currencies()
    }
    sides = Q(debit_code__in=accounts) | Q(credit_code__in=accounts)
    for start in range(0, len(whole), _PORTION):
        part = Transfer.objects.filter(
            sides, journal__source_ref__in=whole[start : start + _PORTION]
        )
        for debit, credit, amount in part.values_list("debit_code", "credit_code", "amount_minor"):
            if debit in accounts:
                moved[accounts[debit]] += amount
            if credit in accounts:
                moved[accounts[credit]] -= amount
    return dict(moved)


def of_merchant(merchant: Merchant) -> list[Proof]:
    """Return the monthly proof of a merchant, for each currency that it ever moved."""
    context = merchant.context
    newest = queries.newest_stated(context.gateway, context.mode, context.account)
    if newest is None:
        return []
    stated = queries.stated_net(context.gateway, context.mode, context.account)
    since = day_starts(newest + timedelta(days=1))
    found = []
    for currency in ledger_queries.currencies():
        account = chart.gateway_clearing(currency, context.gateway, context.account)
        balance = ledger_queries.balance_of(account)
        if balance or stated.get(currency):
            later = Transfer.objects.filter(journal__created_at__gte=since).exclude(
                journal__kind=reconcile_fees.KIND
            )
            moved_minor = _balance(later, account)
            found.append(Proof(currency, balance, stated.get(currency, 0), moved_minor))
    return found


def _balance(rows: QuerySet[Transfer], account: str) -> int:
    debits = rows.filter(debit_code=account).values_list("amount_minor", flat=True)
    credited = rows.filter(credit_code=account).values_list("amount_minor", flat=True)
    return int(sum(debits) - sum(credited))
