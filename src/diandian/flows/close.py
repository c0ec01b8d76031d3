"""The daily close: every invariant of every room, both equations, and the day is closed for ever.

A close that finds a breach closes no day and stops all sales. All is read at one moment, so that
sales that go on meanwhile tear nothing apart.
*Source:* design of the registry, section 2 (R1 to R12, M1 to M7, L1 to L4); payments design,
sections 8 and 10.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.audit.breaches import Breach
from diandian.flows import books, invariants, sales
from diandian.flows.books import Books, MoneyLine, Side
from diandian.kernel.clock import business_day, now
from diandian.kernel.money import Money
from diandian.ledger import queries as ledger_queries
from diandian.ledger.days import actions as day_actions
from diandian.ledger.models import ClosedDay
from diandian.orders import queries as order_queries
from diandian.payments import queries as payment_queries
from diandian.registry import days as registry_days
from diandian.registry.stock import Stock
from diandian.transparency import invariants as log_invariants

_TOLD = 20
# What was begun before midnight is booked by then.
CLOSES_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Closing:
    """What a close found. Counts: what people, or the worker, still have to do.

    ``closed``: the day that it closed, None when there was none to close or something is wrong.
    """

    books: Books
    under_review: int
    refunds_open: int
    breaches: tuple[Breach, ...]
    closed: ClosedDay | None = None

    @property
    def stock(self) -> Stock:
        """Return where the grams are."""
        return self.books.stock

    @property
    def money(self) -> dict[str, tuple[MoneyLine, ...]]:
        """Return the balances by currency."""
        return self.books.money

    @property
    def grams_left_g(self) -> int:
        """Return issued grams less all that is accounted for."""
        return self.books.grams_left_g

    def total(self, currency: str, *sides: Side) -> Money:
        """Add up sides of the balances in one currency."""
        return self.books.total(currency, *sides)

    @property
    def holds(self) -> bool:
        """Tell whether every invariant and every equation holds."""
        return self.books.hold and not self.breaches

    def found(self) -> list[str]:
        """Return what does not hold, in words for the operator."""
        uneven = [] if self.books.hold else ["an equation of the books does not hold"]
        return [str(breach) for breach in self.breaches] + uneven


def close(*, actor: str, at: datetime | None = None) -> Closing:
    """Check everything at one moment; close the days that are over, or stop sales on a breach.

    Idempotent by: the day; a second close of a day only checks.
    Locks: the days that are closed, against bookings on them.
    """
    at = at or now()
    # Read first: what is published was committed before, so this moment knows it.
    published = log_invariants.published_now()
    with books.one_moment():
        closing = Closing(
            books=books.read(),
            under_review=len(order_queries.under_review()),
            refunds_open=payment_queries.refunds_open(),
            breaches=tuple(invariants.check(published)),
        )
    _note(closing, actor, at)
    if not closing.holds:
        sales.stop(closing.found(), actor_ref=actor, at=at)
        return closing
    return Closing(
        closing.books,
        closing.under_review,
        closing.refunds_open,
        closing.breaches,
        closed=_close_days(closing.books, actor, at),
    )


def reopen(*, actor: str, reason: str, at: datetime | None = None) -> Closing:
    """Check everything, and reopen sales when all of it holds. Idempotent."""
    assert reason, "somebody says why"
    at = at or now()
    closing = close(actor=actor, at=at)
    if closing.holds:
        sales.reopen(reason, actor_ref=actor, at=at)
    return closing


def close_due(at: datetime | None = None) -> int:
    """Close the days that are over, once each; nothing while sales are stopped. Returns how many.

    A stop is for people: the books are not read again and again meanwhile.
    """
    at = at or now()
    if sales.are_stopped() or _due(at) is None:
        return 0
    return int(close(actor="platform", at=at).closed is not None)


def _due(at: datetime) -> tuple[date, date] | None:
    """Return the first and last day to close, or None when no day with anything in it is open."""
    day = business_day(at - CLOSES_AFTER) - timedelta(days=1)
    newest = ledger_queries.newest_closed()
    if newest is not None:
        return (newest.day + timedelta(days=1), day) if newest.day < day else None
    firsts = (ledger_queries.first_booked_day(), registry_days.first_retired_day())
    first_day = min((each for each in firsts if each is not None), default=None)
    return (first_day, day) if first_day is not None and first_day <= day else None


def _close_days(found: Books, actor: str, at: datetime) -> ClosedDay | None:
    due = _due(at)
    if due is None:
        return None
    first_day, day = due
    with transaction.atomic():
        day_actions.hold_still(first_day, day)
        if _due(at) != due:
            # Somebody else closed it while we waited.
            return None
        closed = day_actions.close_day(
            first_day=first_day,
            day=day,
            totals=found.to_json(),
            retirements=registry_days.retirements_sha256(first_day, day),
            closed_by=actor,
            at=at,
        )
        audit_actions.record(
            actor_ref=actor,
            action="day.closed",
            subject_ref=f"day:{day.isoformat()}",
            details={"first_day": first_day.isoformat(), "sha256": closed.sha256},
            at=at,
        )
    ledger_queries.closed_through.forget()
    return closed


def _note(closing: Closing, actor: str, at: datetime) -> None:
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
