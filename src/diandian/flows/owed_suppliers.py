"""What the books say suppliers are owed is what their unpaid parts add up to.

*Source:* payments design, section 8 (monthly proof).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator

from django.db.models import Sum

from diandian.audit.breaches import Breach
from diandian.flows.accruing import owed_without_line
from diandian.ledger import chart
from diandian.ledger import queries as ledger_queries
from diandian.settlement import queries

_Owed = dict[str, int]


def check() -> Iterator[Breach]:
    """S5: payable and due accounts of each supplier are its unpaid lines, and what has none yet."""
    owed, due = _by_account()
    lines = _by_lines(chart.supplier_payable, queries.unpaid_minor())
    for code, amount in _not_accrued().items():
        lines[code] += amount
    claims = _by_lines(chart.due_from_supplier, queries.claims_minor())
    for told, booked in ((lines, owed), (claims, due)):
        for code in sorted(told.keys() | booked.keys()):
            if told.get(code, 0) != booked.get(code, 0):
                yield Breach(
                    "S5",
                    f"account:{code}",
                    f"{booked.get(code, 0)} is booked, lines say {told.get(code, 0)}",
                )


def _by_account() -> tuple[_Owed, _Owed]:
    """Return what suppliers are owed, and owe, by account, where it is not zero."""
    owed: _Owed = {}
    due: _Owed = {}
    for currency in ledger_queries.currencies():
        for account in ledger_queries.trial_balance(currency):
            number = chart.number_of(account.code)
            if number == chart.SUPPLIER_PAYABLE and account.balance_minor:
                owed[account.code] = -account.balance_minor
            elif number == chart.DUE_FROM_SUPPLIERS and account.balance_minor:
                due[account.code] = account.balance_minor
    return owed, due


def _by_lines(account: Callable[[str, str], str], found: dict[tuple[str, str], int]) -> _Owed:
    told: _Owed = defaultdict(int)
    for (supplier_ref, currency), amount in found.items():
        if amount:
            told[account(currency, supplier_ref)] += amount
    return told


def _not_accrued() -> _Owed:
    """Return what is booked as owed and has no line yet: the worker makes it in a moment."""
    rows = owed_without_line().filter(credit_code__contains=f":{chart.SUPPLIER_PAYABLE}:")
    sums = rows.order_by().values_list("credit_code").annotate(total=Sum("amount_minor"))
    return {code: int(total) for code, total in sums}
