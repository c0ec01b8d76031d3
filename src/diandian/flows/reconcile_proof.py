"""The proofs of a reconciliation: closed days against the ledger, and the gateway's balance.

What a statement says of its matched lines is what the ledger moved through the gateway's clearing
account for exactly those payments, refunds, parts of suppliers, chargebacks, payouts and fees, on
whichever day it was booked.
*Source:* payments design, section 8 (monthly proof); design of the registry, section 2 (M7).
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet, Sum, Value
from django.db.models.functions import Concat

from diandian.audit.breaches import Breach, asked
from diandian.flows import gateway_payouts, reconcile_fees, reconcile_movements
from diandian.kernel.clock import business_day, day_starts
from diandian.ledger import chart
from diandian.ledger import queries as ledger_queries
from diandian.ledger.models import Journal, Transfer
from diandian.payments import queries as payment_queries
from diandian.payments.merchant_files import Merchant
from diandian.reconciliation import invariants, queries
from diandian.reconciliation.models import GatewayDay, GatewayPayout, PayoutState

_PORTION = 500
# What was closed longer ago was proven every night since, and neither side can change any more.
_PROVEN_DAYS = 40


@dataclass(frozen=True, slots=True)
class Proof:
    """What the ledger says a gateway holds for us, beside what its statements add up to.

    ``ledger_minor``: balance of the clearing account. ``stated_minor``: of every statement.
    ``since_minor``: what the ledger booked since the newest statement, less what stands on one.
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
    """Return each closed day that the ledger contradicts (M7) or that was altered (B1).

    And each payout to our bank that the ledger does not have, or has without a payout (B2).
    """
    return asked(invariants.check, _booked_as_stated, _payouts_are_booked)


def _payouts_are_booked() -> Iterator[Breach]:
    """B2: what left a gateway for our bank is booked once, with its amount, and nothing else."""
    undone = GatewayPayout.objects.exclude(undone_by="")
    paid = {
        gateway_payouts.source_ref(each.number): each.amount_minor
        for each in [*GatewayPayout.objects.filter(state=PayoutState.BOOKED), *undone]
    }
    paid |= {gateway_payouts.undone_ref(each.number): each.amount_minor for each in undone}
    kinds = (gateway_payouts.KIND, gateway_payouts.UNDONE)
    moved = Transfer.objects.filter(journal__kind__in=kinds)
    booked = dict(moved.values_list("journal__source_ref", "amount_minor"))
    for ref in sorted(paid.keys() | booked.keys()):
        ours, theirs = booked.get(ref, 0), paid.get(ref, 0)
        if ours != theirs:
            yield Breach("B2", ref, f"{theirs} was paid out, {ours} is booked")


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
    return queries.agreed_net(day, kind), _moved(day, _refs(day, kind))


def _refs(day: GatewayDay, statement_kind: str) -> list[str]:
    """Return the references of whatever is booked of a day's lines that agree."""
    refs: list[str] = []
    for key, subject, our_no, fee_minor in queries.matched_items(day, statement_kind):
        refs += reconcile_movements.booked_as(subject, our_no, fee_minor)
        refs.append(reconcile_fees.source_ref(day, key))
    return refs


def _moved(day: GatewayDay, refs: Collection[str]) -> dict[str, int]:
    """Return what some bookings moved through a day's clearing account, by currency."""
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
            later = Transfer.objects.filter(journal__created_at__gte=since)
            moved_minor = _balance(later, account) - _told_already(merchant, account, since)
            found.append(Proof(currency, balance, stated.get(currency, 0), moved_minor))
    return found


def _told_already(merchant: Merchant, account: str, since: datetime) -> int:
    """Return what was booked since an instant and stands on a statement already, in minor units.

    Fees are booked when a statement tells them; and what happened at midnight, or was heard of
    late, stands on a statement of before. What was booked before by mistake, and undone since,
    stands on none.
    """
    context = merchant.context
    later = Transfer.objects.filter(journal__created_at__gte=since)
    told_minor = _balance(later.filter(journal__kind=reconcile_fees.KIND), account)
    mistaken = Journal.objects.filter(kind=gateway_payouts.KIND, created_at__lt=since)
    undone = mistaken.values_list(Concat("source_ref", Value(":undone")))
    told_minor += _balance(later.filter(journal__source_ref__in=undone), account)
    items = queries.matched_lately(context.gateway, context.mode, context.account, since)
    for kind, steps in reconcile_movements.BOOKED_AS.items():
        for before, after in steps:
            refs = items.filter(kind=kind).values_list(
                Concat(Value(before), "our_no", Value(after))
            )
            told_minor += _balance(later.filter(journal__source_ref__in=refs), account)
    back = queries.came_back_lately(context.gateway, context.mode, context.account, since)
    for before, after in reconcile_movements.BOOKED_AS_BACK:
        refs = back.values_list(Concat(Value(before), "our_no", Value(after)))
        told_minor += _balance(later.filter(journal__source_ref__in=refs), account)
    charged = items.filter(kind="dispute", fee_minor__gt=0).values_list("our_no", "fee_minor")
    fees = [
        ref
        for our_no, fee_minor in charged
        for ref in reconcile_movements.dispute_fees(our_no, fee_minor or 0)
    ]
    return told_minor + _balance(later.filter(journal__source_ref__in=fees), account)


def _balance(rows: QuerySet[Transfer], account: str) -> int:
    mine = rows.filter(Q(debit_code=account) | Q(credit_code=account))
    sums = mine.aggregate(
        debits=Sum("amount_minor", filter=Q(debit_code=account)),
        credits=Sum("amount_minor", filter=Q(credit_code=account)),
    )
    return int(sums["debits"] or 0) - int(sums["credits"] or 0)
