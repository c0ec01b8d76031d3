"""A row that cannot be read is a breach like any other: the close names it and sales stop."""

import logging
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from diandian.audit.breaches import Breach, asked
from diandian.config import guards
from diandian.flows import close, invariants, log_check, sales
from diandian.kernel.memory import Memory
from diandian.ledger import queries as ledger
from diandian.registry import invariants as registry_invariants

ACTOR = "operator:Wang"
pytestmark = pytest.mark.django_db


def sql(statement, *values):
    """Change a row behind everybody's back; returns what a query finds."""
    with guards.lifted(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone() if cursor.description else None


@pytest.fixture
def sold(world, undone):
    """Two orders that are retired and stand in the log."""
    for _ in range(2):
        assert world.pay(world.order()) == "completed"
    return world


def found_by_close(world):
    """Close; return what was found, sales being stopped now."""
    assert not sales.are_stopped()
    closing = close.close(actor=ACTOR, at=world.now)
    Memory.forget_everything()
    assert sales.are_stopped()
    assert not closing.holds
    return {(breach.rule, breach.subject_ref) for breach in closing.breaches}


LAST = "position = (SELECT max(position) FROM transparency_logentry WHERE kind = 'retire')"


@pytest.mark.parametrize("body", ["{}", "not JSON", '{"type":"retire"}'])
def test_an_entry_that_is_none_stops_sales_and_is_named(sold, body):
    (index,) = sql(f"SELECT position FROM transparency_logentry WHERE {LAST}")  # noqa: S608
    sql(f"UPDATE transparency_logentry SET body = %s WHERE {LAST}", body)  # noqa: S608
    found = found_by_close(sold)
    (origin,) = sql("SELECT origin FROM transparency_loghead")
    assert ("L5", f"log:{origin}:{index}") in found
    assert "L4" in {rule for rule, _ in found}


@pytest.mark.parametrize("salt", ["no hexadecimal digits", "abcd", ""])
def test_a_seal_that_cannot_be_read_stops_sales_and_is_named(sold, salt):
    number, public_id = sql("SELECT id, public_id FROM registry_retirement ORDER BY id")
    sql("UPDATE registry_beneficiary SET salt = %s WHERE retirement_id = %s", salt, number)
    assert found_by_close(sold) == {("C1", f"retirement:{public_id}")}


def test_a_check_that_fails_is_a_breach_and_the_others_are_made(sold, monkeypatch, caplog):
    def _torn():
        yield Breach("T1", "row:1", "is found before")
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

    before = registry_invariants.check
    sql("UPDATE orders_order SET mass_g = mass_g + 1 WHERE state = 'completed'")
    with (
        monkeypatch.context() as patch,
        caplog.at_level(logging.ERROR, logger="diandian.audit.breaches"),
    ):
        patch.setattr(registry_invariants, "check", lambda: [*asked(_torn), *before()])
        found = found_by_close(sold)
    assert {("T1", "row:1"), ("CHECK", f"check:{__name__}._torn")} <= found
    # On PostgreSQL a failed statement must not take the checks after it with it.
    assert "X1" in {rule for rule, _ in found}
    assert "_torn" in caplog.text


@pytest.mark.parametrize("module", [invariants, log_check, registry_invariants])
def test_a_failed_check_of_a_room_does_not_hide_its_others(sold, monkeypatch, module):
    name = {
        invariants: "_retired_as_ordered",
        log_check: "_all_entered",
        registry_invariants: "_ranges_touch",
    }[module]

    def stumble():
        raise AssertionError("nobody can read this")

    with monkeypatch.context() as patch:
        patch.setattr(module, name, stumble)
        [breach] = invariants.check()
    assert breach.rule == "CHECK"
    assert "nobody can read this" not in str(breach), "texts may hold a name"


def test_a_lost_connection_is_no_breach(monkeypatch):
    def stumble():
        raise ValueError("the line was cut")

    monkeypatch.setattr(connection, "is_usable", lambda: False)
    with pytest.raises(ValueError, match="the line was cut"):
        asked(stumble)


def _cannot(*_, **__):
    raise KeyError("the name of somebody")


UNREAD = {
    "the equations": "diandian.flows.books.registry_queries.stock",
    "a sum of money": "diandian.flows.books.cash_of",
    "what is published": "diandian.flows.close.log_invariants.published_now",
    "what waits for people": "diandian.flows.close.order_queries.under_review",
    "the refunds": "diandian.flows.close.payment_queries.refunds_open",
    "what is due": "diandian.flows.close.registry_days.first_retired_day",
    "the seal of a day": "diandian.flows.close.registry_days.retirements_sha256",
}


@pytest.mark.parametrize("name", UNREAD)
def test_what_cannot_be_computed_stops_sales_by_itself(sold, monkeypatch, name):
    later = sold.later(days=2)
    with monkeypatch.context() as patch:
        patch.setattr(UNREAD[name], _cannot)
        assert close.close_due(later) == 0
    Memory.forget_everything()
    assert sales.are_stopped()
    told = " ".join(ledger.sales_switch().breaches)
    assert "CHECK" in told
    assert "the program's log says why" in told
    assert "the name of somebody" not in told
    assert ledger.newest_closed() is None
    assert close.reopen(actor=ACTOR, reason="it can be read again", at=later).closed
    Memory.forget_everything()
    assert not sales.are_stopped()


def test_the_command_tells_that_the_equations_could_not_be_computed(sold, monkeypatch):
    monkeypatch.setattr(UNREAD["the equations"], _cannot)
    out = StringIO()
    with pytest.raises(CommandError, match="could not be computed") as refused:
        call_command("close", stdout=out)
    assert "All sales are stopped" in str(refused.value)
    assert "The equations of grams and money could not be computed." in out.getvalue()


def test_a_lock_that_was_not_had_is_tried_again_and_stops_nothing(sold, monkeypatch):
    def busy(*_, **__):
        raise OperationalError("lock timeout")

    with monkeypatch.context() as patch:
        patch.setattr("diandian.flows.close.day_actions.hold_still", busy)
        with pytest.raises(OperationalError):
            close.close_due(sold.later(days=2))
    Memory.forget_everything()
    assert not sales.are_stopped()
    assert close.close_due(sold.later(days=2)) == 1
