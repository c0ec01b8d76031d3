"""Two equations that anybody can follow, from all rows there are: one of grams, one of money.

Grams: issued = for sale + stopped + held + retired + cancelled + buffer, and sold = held + retired.
Money: received + put in by us = paid out + fees + owed.

What was sold is what orders say, and what platform and remedies retired without one; what is held
and retired is what the lanes say: two tellings of one thing.
*Source:* design of the registry, section 2 (R6, M2); payments design, sections 8 and 10.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from django.db import connection, transaction
from django.db.models import Sum

from diandian.kernel.money import Money
from diandian.ledger import chart
from diandian.ledger import queries as ledger_queries
from diandian.ledger.queries import Moved
from diandian.orders.models import LIVE_STATES, Order
from diandian.registry import queries as registry_queries
from diandian.registry.models import Retirement
from diandian.registry.stock import Stock

_ASSET, _INCOME, _EXPENSE, _MEMO = "1", "4", "5", "9"


class Side(StrEnum):
    """Where an account stands in the equation of balances: held + spent = owed + earned."""

    HELD = "held"
    SPENT = "spent"
    OWED = "owed"
    EARNED = "earned"
    # Money that never was in our hands: it stands beside the equation.
    MEMO = "memo"


_SIDES = {_ASSET: Side.HELD, _EXPENSE: Side.SPENT, _INCOME: Side.EARNED, _MEMO: Side.MEMO}


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """All accounts of one kind in one currency, counted so that each side is positive."""

    number: str
    name: str
    side: Side
    amount: Money


@dataclass(frozen=True, slots=True)
class Cash:
    """Where the money of one currency went, in minor units: two sides that must be equal.

    ``received``: into our accounts. ``put_in``: what we pay ourselves, such as goodwill and the
    rest of a tonne. ``paid_out``: from our accounts. ``fees``: earned. ``owed``: to others.
    """

    currency: str
    received: int
    put_in: int
    paid_out: int
    fees: int
    owed: int

    @property
    def left_minor(self) -> int:
        """Return one side less the other: zero when the equation holds."""
        return self.received + self.put_in - self.paid_out - self.fees - self.owed


@dataclass(frozen=True, slots=True)
class Books:
    """Both equations at one moment. Units: grams, minor units by currency."""

    stock: Stock
    sold_g: int
    money: dict[str, tuple[MoneyLine, ...]]
    cash: dict[str, Cash]

    @property
    def grams_left_g(self) -> int:
        """Return issued grams less all that is accounted for: zero when the equation holds."""
        stock = self.stock
        parts = [name for name in stock.__slots__ if name != "issued_g"]
        accounted_g: int = sum(getattr(stock, name) for name in parts)
        return stock.issued_g - accounted_g

    @property
    def sold_left_g(self) -> int:
        """Return what was sold less what is held and retired: zero when the equation holds."""
        return self.sold_g - self.stock.held_g - self.stock.retired_g

    def total(self, currency: str, *sides: Side) -> Money:
        """Add up sides of the balances in one currency."""
        lines = [line for line in self.money[currency] if line.side in sides]
        return sum((line.amount for line in lines), Money(0, currency))

    @property
    def hold(self) -> bool:
        """Tell whether every equation holds."""
        left, right = (Side.HELD, Side.SPENT), (Side.OWED, Side.EARNED)
        even = all(self.total(each, *left) == self.total(each, *right) for each in self.money)
        cash = not any(each.left_minor for each in self.cash.values())
        return even and cash and not self.grams_left_g and not self.sold_left_g

    def to_json(self) -> dict[str, object]:
        """Return the totals as a closed day keeps them."""
        names = ("received", "put_in", "paid_out", "fees", "owed")
        return {
            "grams": {
                **{name: getattr(self.stock, name) for name in self.stock.__slots__},
                "sold_g": self.sold_g,
            },
            "money": {
                currency: {f"{name}_minor": getattr(cash, name) for name in names}
                for currency, cash in self.cash.items()
            },
        }


@contextmanager
def one_moment() -> Iterator[None]:
    """Show every reader inside the same moment, and hold up nobody who writes."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        # Transactions of ours begin IMMEDIATE, as writers do; this one only reads.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


def read() -> Books:
    """Add up both equations now, which is true of one moment only inside ``one_moment``."""
    moved = {currency: ledger_queries.moved(currency) for currency in ledger_queries.currencies()}
    projects = registry_queries.projects(active_only=False)
    return Books(
        stock=sum((Stock(**registry_queries.stock(project)) for project in projects), Stock()),
        sold_g=_sold_g(),
        money={currency: _lines(currency, rows) for currency, rows in moved.items()},
        cash={currency: cash_of(currency, rows) for currency, rows in moved.items()},
    )


def read_whole() -> Books:
    """Add up both equations and compare their sides, so that nothing is left that could fail."""
    found = read()
    assert isinstance(found.hold, bool), "both sides of each were added up"
    return found


def _sold_g() -> int:
    ordered = Order.objects.filter(state__in=LIVE_STATES).aggregate(mass_g=Sum("mass_g"))
    alone = Retirement.objects.filter(order_link__isnull=True).aggregate(mass_g=Sum("mass_g"))
    return (ordered["mass_g"] or 0) + (alone["mass_g"] or 0)


def _lines(currency: str, rows: list[Moved]) -> tuple[MoneyLine, ...]:
    balances: dict[str, int] = defaultdict(int)
    for account in ledger_queries.account_totals(rows):
        balances[chart.number_of(account.code)] += account.balance_minor
    lines = []
    for number, balance_minor in sorted(balances.items()):
        side = _SIDES.get(number[0], Side.OWED)
        amount_minor = (
            balance_minor if side in {Side.HELD, Side.SPENT, Side.MEMO} else -balance_minor
        )
        lines.append(MoneyLine(number, chart.NAMES[number], side, Money(amount_minor, currency)))
    return tuple(lines)


def cash_of(currency: str, rows: list[Moved]) -> Cash:
    """Sort all that moved into what came in, went out, was earned and is owed.

    Money that moves between two of our own accounts neither came in nor went out.
    """
    received = put_in = paid_out = fees = owed = 0
    for row in rows:
        debit, credit = chart.class_of(row.debit_code), chart.class_of(row.credit_code)
        amount = row.amount_minor
        received += amount if debit == _ASSET != credit else 0
        paid_out += amount if credit == _ASSET != debit else 0
        put_in += amount * ((debit == _EXPENSE) - (credit == _EXPENSE))
        fees += amount * ((credit == _INCOME) - (debit == _INCOME))
        owed += amount * (_is_owed(credit) - _is_owed(debit))
    return Cash(currency, received, put_in, paid_out, fees, owed)


def _is_owed(account_class: str) -> bool:
    """Tell whether an account says what we owe: all but our own, and memos."""
    return account_class not in {_ASSET, _INCOME, _EXPENSE, _MEMO}
