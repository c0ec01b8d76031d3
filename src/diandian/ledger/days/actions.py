"""Closes business days, writes checkpoints of all balances, and turns the switch of sales.

*Source:* design of the registry, sections 1.2 (checkpoint and delta) and 2; payments design,
section 10.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from django.db import connection

from diandian.ledger import queries
from diandian.ledger.chart import currency_of
from diandian.ledger.models import ClosedDay, LedgerCheckpoint, SalesSwitch
from diandian.ledger.rules import DAY_LOCK, closed_day_sha256
from diandian.store.inserts import Insert
from diandian.store.transactions import require_transaction

# A booking on a day longer ago than this is not under way any more.
_LOCKED_DAYS = 31
_CHECKPOINTS = Insert(LedgerCheckpoint)


def hold_still(first_day: date, day: date) -> None:
    """Wait for bookings on these days that are under way; others wait until the commit.

    Locks: the days, on PostgreSQL; on SQLite a transaction is the only writer anyway.
    """
    require_transaction()
    if connection.vendor != "postgresql":
        return
    at = max(first_day, day - timedelta(days=_LOCKED_DAYS))
    with connection.cursor() as cursor:
        while at <= day:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [DAY_LOCK, at.toordinal()])
            at += timedelta(days=1)


def close_day(
    *,
    first_day: date,
    day: date,
    totals: Mapping[str, object],
    retirements: tuple[int, str],
    closed_by: str,
    at: datetime,
) -> ClosedDay:
    """Close the books up to a day, with a checkpoint of all that ever moved.

    ``retirements``: how many there were on these days, and their digest. The caller has called
    ``hold_still``. Raises: IntegrityError when somebody else just closed it.
    """
    require_transaction()
    assert first_day <= day, "days go forward"
    newest = queries.newest_closed()
    assert newest is None or first_day == newest.day + timedelta(days=1), "no day is left out"
    journals = queries.journals_sha256(first_day, day)
    closed = ClosedDay(
        first_day=first_day,
        day=day,
        totals=dict(totals),
        journals=journals[0],
        journals_sha256=journals[1],
        retirements=retirements[0],
        retirements_sha256=retirements[1],
        previous_sha256=newest.sha256 if newest else "",
        closed_by=closed_by,
        closed_at=at,
    )
    closed.sha256 = closed_day_sha256(queries.facts_of(closed), closed.previous_sha256)
    moved = queries.moved_until(day)
    closed.save(force_insert=True)
    _CHECKPOINTS.run(
        [
            LedgerCheckpoint(
                closed_day=closed,
                currency=currency_of(debit_code),
                debit_code=debit_code,
                credit_code=credit_code,
                amount_minor=amount_minor,
            )
            for (debit_code, credit_code), amount_minor in sorted(moved.items())
        ]
    )
    return closed


def switch_sales(
    *, is_open: bool, reason: str, breaches: Sequence[str], actor_ref: str, at: datetime
) -> SalesSwitch:
    """Stop all sales, or reopen them. Idempotent: what is so already is returned as it is."""
    assert reason, "a switch has a reason"
    assert actor_ref, "somebody decided"
    newest = queries.sales_switch()
    if newest is None and is_open:
        raise ValueError("sales were never stopped")
    if newest is not None and newest.is_open == is_open:
        return newest
    return SalesSwitch.objects.create(
        is_open=is_open, reason=reason, breaches=list(breaches), actor_ref=actor_ref, at=at
    )
