"""The daily close: every invariant of every room, and two equations that anybody can follow.

Grams: issued = for sale + stopped + held + retired + cancelled + buffer.
Money: held for us + spent = owed + earned.

All is read at one moment, so that sales that go on meanwhile tear nothing apart.
*Source:* registry design, section 2 (R6, M2); payments design, sections 8 and 10.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import connection, transaction

from diandian.audit import actions as audit_actions
from diandian.audit.breaches import Breach
from diandian.flows import invariants
from diandian.kernel.clock import business_day, now
from diandian.kernel.money import Money
from diandian.ledger import chart
from diandian.ledger import queries as ledger_queries
from diandian.orders import queries as order_queries
from diandian.payments import queries as payment_queries
from diandian.registry import queries as registry_queries
from diandian.registry.stock import Stock

_TOLD = 20


class Side(StrEnum):
    """Where an account stands in the equation of money: held + spent = owed + earned."""

    HELD = "held"
    SPENT = "spent"
    OWED = "owed"
    EARNED = "earned"


_SIDES = {
    chart.GATEWAY_CLEARING: Side.HELD,
    chart.GATEWAY_FEES: Side.SPENT,
    chart.GOODWILL: Side.SPENT,
    chart.REMEDIES: Side.SPENT,
    chart.FEE_REVENUE: Side.EARNED,
}


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """All accounts of one kind in one currency, counted so that each side is positive."""

    name: str
    side: Side
    amount: Money


@dataclass(frozen=True, slots=True)
class Closing:
    """What a close found. Counts: what people, or the worker, still have to do."""

    stock: Stock
    money: dict[str, tuple[MoneyLine, ...]]
    under_review: int
    refunds_open: int
    breaches: tuple[Breach, ...]

    @property
    def grams_left_g(self) -> int:
        """Return issued grams less all that is accounted for: zero when the equation holds."""
        stock = self.stock
        parts = [name for name in stock.__slots__ if name != "issued_g"]
        accounted_g: int = sum(getattr(stock, name) for name in parts)
        return stock.issued_g - accounted_g

    def total(self, currency: str, *sides: Side) -> Money:
        """Add up sides of the equation in one currency."""
        lines = [line for line in self.money[currency] if line.side in sides]
        return sum((line.amount for line in lines), Money(0, currency))

    @property
    def holds(self) -> bool:
        """Tell whether every invariant and both equations hold."""
        left, right = (Side.HELD, Side.SPENT), (Side.OWED, Side.EARNED)
        even = all(self.total(each, *left) == self.total(each, *right) for each in self.money)
        return even and not self.grams_left_g and not self.breaches


def close(*, actor: str, at: datetime | None = None) -> Closing:
    """Check everything at one moment, and leave a line in the trail. Changes nothing else."""
    at = at or now()
    with _one_moment():
        closing = Closing(
            stock=_stock(),
            money={currency: _lines(currency) for currency in ledger_queries.currencies()},
            under_review=len(order_queries.under_review()),
            refunds_open=payment_queries.refunds_open(),
            breaches=tuple(invariants.check()),
        )
    audit_actions.record(
        actor_ref=actor,
        action="books.closed",
        subject_ref=f"books:{business_day(at).isoformat()}",
        details={
            "holds": closing.holds,
            "breaches": len(closing.breaches),
            "first": [str(breach)[:200] for breach in closing.breaches[:_TOLD]],
            "issued_g": closing.stock.issued_g,
            "retired_g": closing.stock.retired_g,
            "held_minor": {
                currency: closing.total(currency, Side.HELD).amount_minor
                for currency in closing.money
            },
        },
        at=at,
    )
    return closing


@contextmanager
def _one_moment() -> Iterator[None]:
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


def _stock() -> Stock:
    projects = registry_queries.projects(active_only=False)
    return sum((Stock(**registry_queries.stock(project)) for project in projects), Stock())


def _lines(currency: str) -> tuple[MoneyLine, ...]:
    balances: dict[str, int] = defaultdict(int)
    for account in ledger_queries.trial_balance(currency):
        balances[chart.number_of(account.code)] += account.balance_minor
    lines = []
    for number, balance_minor in sorted(balances.items()):
        side = _SIDES.get(number, Side.OWED)
        amount_minor = balance_minor if side in {Side.HELD, Side.SPENT} else -balance_minor
        lines.append(MoneyLine(chart.NAMES[number], side, Money(amount_minor, currency)))
    return tuple(lines)
