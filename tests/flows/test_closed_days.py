"""A day that is over is closed once, for ever: sealed, chained, and nothing is booked there."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from diandian.audit import queries as audit
from diandian.config import guards
from diandian.flows import books, close, invariants
from diandian.kernel.money import Money
from diandian.ledger import actions as ledger
from diandian.ledger import queries
from diandian.ledger import rules as ledger_rules
from diandian.ledger.errors import DayClosedError
from diandian.ledger.models import ClosedDay, Journal, LedgerCheckpoint
from diandian.registry.models import Retirement

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 22)


@pytest.fixture
def closed(world):
    """One order sold on the 22nd, and the close of the night after it."""
    assert world.pay(world.order()) == "completed"
    found = close.close(actor="platform", at=world.later(days=1))
    assert found.closed is not None
    return found.closed


def test_the_day_before_is_closed_with_totals_seal_and_trail(world, closed):
    assert (closed.first_day, closed.day, closed.previous_sha256) == (DAY, DAY, "")
    assert (closed.journals, closed.retirements) == (2, 1)
    assert closed.totals["grams"]["retired_g"] == closed.totals["grams"]["sold_g"] == 124_000
    assert closed.totals["money"]["CNY"]["received_minor"] == 804
    [entry] = audit.trail("day:2026-11-22")
    assert entry.details["sha256"] == closed.sha256
    assert invariants.check() == []


def test_today_stays_open_and_closing_again_only_checks(world, closed):
    world.now = world.later(days=1)
    world.pay(world.order(2000))
    again = close.close(actor="operator:Wang", at=world.later(hours=2))
    assert (again.holds, again.closed) == (True, None)
    assert ClosedDay.objects.count() == 1


def test_what_was_begun_before_midnight_may_still_be_booked(world):
    world.pay(world.order())
    midnight = world.now.replace(hour=16, minute=0)  # in Shanghai
    assert close.close(actor="platform", at=midnight + timedelta(minutes=9)).closed is None
    assert close.close(actor="platform", at=midnight + timedelta(minutes=10)).closed is not None


def test_days_without_a_close_are_closed_together_and_each_continues_the_last(world, closed):
    later = world.later(days=5)
    second = close.close(actor="platform", at=later).closed
    assert (second.first_day, second.day) == (date(2026, 11, 23), date(2026, 11, 26))
    assert second.previous_sha256 == closed.sha256
    assert (second.journals, second.retirements) == (0, 0)
    assert invariants.check() == []


def test_nothing_to_close_before_anything_happened(world):
    assert close.close(actor="platform", at=world.later(days=3)).closed is None


def lines():
    return ledger_rules.build_completion(Money(100, "CNY"), supplier_ref="solar")


def test_a_booking_on_a_closed_day_is_refused_by_rule(world, closed):
    with pytest.raises(DayClosedError) as refused:
        ledger.post(kind="x", source_ref="late:1", owner_ref="o", lines=lines(), at=world.now)
    assert "2026-11-22" in refused.value.text()
    assert not Journal.objects.filter(source_ref="late:1").exists()
    many = [
        ledger.JournalRequest(kind="x", source_ref=f"late:{n}", owner_ref="o", lines=lines())
        for n in range(2)
    ]
    with pytest.raises(DayClosedError):
        ledger.post_many(many, at=world.now)
    assert ledger.post(
        kind="x", source_ref="late:1", owner_ref="o", lines=lines(), at=world.later(days=1)
    )


def test_what_was_booked_there_may_be_asked_for_again(world, closed):
    known = Journal.objects.first()
    request = ledger.JournalRequest(
        kind=known.kind,
        source_ref=known.source_ref,
        owner_ref=known.owner_ref,
        lines=queries.lines_of(known),
    )
    assert [journal.id for journal in ledger.post_many([request], at=world.now)] == [known.id]


def test_the_database_refuses_it_too(world, closed):
    with pytest.raises(IntegrityError), transaction.atomic():
        Journal.objects.create(
            source_ref="late:2",
            body_sha256="0" * 64,
            kind="x",
            owner_ref="o",
            business_day=DAY,
            created_at=world.now,
        )
    for statement in (
        "DELETE FROM ledger_closedday",
        "UPDATE ledger_closedday SET closed_by = 'me'",
        "DELETE FROM ledger_ledgercheckpoint",
        "UPDATE ledger_ledgercheckpoint SET amount_minor = 1",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def forge(statement):
    with guards.lifted(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("rule", "statement"),
    [
        ("M4", "UPDATE ledger_closedday SET closed_by = closed_by, totals = '{}'"),
        ("M4", "UPDATE ledger_closedday SET first_day = '2026-11-21'"),
        ("M4", "UPDATE ledger_closedday SET previous_sha256 = 'f'"),
        ("M4", "UPDATE ledger_journal SET business_day = '2026-11-21' WHERE kind = 'capture'"),
        ("R5", "UPDATE registry_retirement SET mass_g = mass_g + 1"),
        ("R5", "UPDATE registry_retirement SET retired_at = '2026-11-20 09:00:00+00:00'"),
        ("M2", "UPDATE ledger_ledgercheckpoint SET amount_minor = amount_minor + 1"),
        ("M3", "UPDATE orders_quote SET supplier_minor = 1, total_minor = 1 + fee_minor"),
    ],
)
def test_whoever_changes_what_is_closed_is_found(world, closed, rule, statement):
    forge("SAVEPOINT before")
    forge(statement)
    assert rule in {breach.rule for breach in invariants.check()}
    forge("ROLLBACK TO SAVEPOINT before")
    assert invariants.check() == []


def test_balances_are_checkpoint_and_rest(world, closed):
    world.now = world.later(days=1)
    world.pay(world.order(5000))
    assert LedgerCheckpoint.objects.count() == len(queries.moved_until(DAY))
    found = {(row.debit_code, row.credit_code): row.amount_minor for row in queries.moved("CNY")}
    assert found == queries.moved_until()
    assert queries.currencies() == ["CNY"]
    assert invariants.check() == []


def test_the_money_equation_has_two_sides(world, closed):
    cash = books.read().cash["CNY"]
    assert cash.received == 804
    assert (cash.paid_out, cash.put_in, cash.left_minor) == (0, 0, 0)
    assert cash.owed + cash.fees == 804


def test_the_worker_closes_yesterday_once(world):
    world.pay(world.order())
    assert close.close_due(at=world.now) == 0
    assert close.close_due(at=world.later(days=1)) == 1
    assert close.close_due(at=world.later(days=1, minutes=5)) == 0
    assert Retirement.objects.count() == ClosedDay.objects.get().retirements == 1
