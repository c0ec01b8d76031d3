"""The daily close: every invariant of every room, both equations, and the day is closed for ever.

A close that finds a breach closes no day and stops all sales. All is read at one moment, so that
sales that go on meanwhile tear nothing apart.
*Source:* design of the registry, section 2 (R1 to R12, M1 to M7, L1 to L4); payments design,
sections 8 and 10.
"""

import logging
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial

from django.db import IntegrityError, OperationalError, connection, transaction

from diandian.audit import actions as audit_actions
from diandian.audit.breaches import Breach, computed
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

log = logging.getLogger(__name__)

_TOLD = 20
# What was begun before midnight is booked by then.
CLOSES_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Closing:
    """What a close found. Counts: what people, or the worker, still have to do.

    ``closed``: the day that it closed, None when there was none to close or something is wrong.
    ``equations``, ``under_review`` and ``refunds_open`` are None where they could not be computed,
    which is a breach.
    """

    equations: Books | None
    under_review: int | None
    refunds_open: int | None
    breaches: tuple[Breach, ...]
    closed: ClosedDay | None = None

    @property
    def books(self) -> Books:
        """Return the equations, where they could be computed."""
        assert self.equations is not None, "a breach was found instead"
        return self.equations

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
        return not self.breaches and self.books.hold

    def found(self) -> list[str]:
        """Return what does not hold, in words for the operator."""
        is_even = self.equations is None or self.equations.hold
        uneven = [] if is_even else ["an equation of the books does not hold"]
        return [str(breach) for breach in self.breaches] + uneven


def close(*, actor: str, at: datetime | None = None) -> Closing:
    """Check everything at one moment; close the days that are over, or stop sales on a breach.

    Idempotent by: the day; a second close of a day only checks.
    Locks: the days that are closed, against bookings on them.
    """
    at = at or now()
    closing = _look()
    _note(closing, actor, at)
    if closing.holds:
        closed, breaches = _close_days(closing.books, actor, at)
        closing = replace(closing, breaches=tuple(breaches), closed=closed)
    if not closing.holds:
        sales.stop(closing.found(), actor_ref=actor, at=at)
    return closing


def _look() -> Closing:
    """Check and compute everything at one moment; what cannot be computed is a breach."""
    # Read first: what is published was committed before, so this moment knows it.
    published, unread = computed(log_invariants.published_now)
    with books.one_moment():
        equations, uneven = computed(books.read_whole)
        under_review, no_reviews = computed(lambda: len(order_queries.under_review()))
        refunds_open, no_refunds = computed(payment_queries.refunds_open)
        found = invariants.check(published)
    return Closing(
        equations=equations,
        under_review=under_review,
        refunds_open=refunds_open,
        breaches=(*unread, *uneven, *no_reviews, *no_refunds, *found),
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
    if sales.are_stopped():
        return 0
    due, unread = computed(partial(_due, at))
    if due is None and not unread:
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


def _close_days(found: Books, actor: str, at: datetime) -> tuple[ClosedDay | None, list[Breach]]:
    """Close what is over; rows that cannot be sealed are a breach, and close no day.

    Raises: OperationalError (a lock that was not had, say), IntegrityError (somebody else was
    first): the next try is another one.
    """
    try:
        return _seal_days(found, actor, at), []
    except (OperationalError, IntegrityError):
        raise
    except Exception as error:
        if not connection.is_usable():
            raise
        log.exception("a day could not be closed")
        detail = f"could not be closed ({type(error).__name__}); the program's log says why"
        return None, [Breach("CHECK", f"day:{business_day(at).isoformat()}", detail)]


def _seal_days(found: Books, actor: str, at: datetime) -> ClosedDay | None:
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
            **(_amounts(closing) if closing.equations is not None else {}),
        },
        at=at,
    )


def _amounts(closing: Closing) -> dict[str, object]:
    return {
        "issued_g": closing.stock.issued_g,
        "retired_g": closing.stock.retired_g,
        "held_minor": {
            currency: closing.total(currency, Side.HELD).amount_minor for currency in closing.money
        },
    }
