"""The close: everything is checked at one moment, and each breach is named."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from diandian.audit import queries as audit
from diandian.audit.models import AuditEntry
from diandian.config import guards
from diandian.flows import close, fulfil, invariants
from diandian.flows.close import Side
from diandian.kernel.money import Money

ACTOR = "operator:Wang"


def sql(statement, *values):
    """Change a row behind everybody's back."""
    with guards.lifted(), connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.fixture
def busy(world, crash):
    """One order of each usual kind."""
    done, waiting, unpaid = world.order(), world.order(2000), world.order(3000)
    assert world.pay(done) == "completed"
    mend = crash(fulfil, "fulfil_order")
    assert world.pay(waiting) == "paid"
    mend()
    return done, waiting, unpaid


@pytest.mark.django_db(transaction=True)
def test_both_equations_hold_with_orders_of_every_kind(world, busy):
    done, waiting, unpaid = busy
    closing = close.close(actor=ACTOR, at=world.now)
    assert (closing.breaches, closing.holds, closing.grams_left_g) == ((), True, 0)
    assert closing.stock.retired_g == done.mass_g
    assert closing.stock.held_g == waiting.mass_g + unpaid.mass_g
    received = Money(done.quote.total_minor + waiting.quote.total_minor, "CNY")
    assert closing.total("CNY", Side.HELD, Side.SPENT) == received
    assert closing.total("CNY", Side.OWED, Side.EARNED) == received
    [entry] = audit.trail("books:2026-11-22")
    assert (entry.actor_ref, entry.action, entry.details["holds"]) == (ACTOR, "books.closed", True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rule", "statement"),
    [
        ("X1", "UPDATE orders_order SET mass_g = mass_g + 1 WHERE state = 'completed'"),
        ("X1", "UPDATE orders_order SET state = 'expired' WHERE state = 'completed'"),
        ("X2", "UPDATE orders_order SET state = 'expired' WHERE state = 'awaiting_payment'"),
        ("X2", "UPDATE registry_holding SET state = 'released' WHERE state = 'active'"),
        ("X3", "UPDATE payments_payment SET state = 'pending', paid_at = NULL WHERE id = %s"),
        ("X3", "UPDATE payments_payment SET received_minor = 1, received_currency = 'CNY'"),
        ("X4", "UPDATE orders_order SET state = 'expired' WHERE state = 'paid'"),
        ("X5", "UPDATE orders_intake SET state = 'done' WHERE state = 'waiting'"),
    ],
)
def test_each_breach_between_rooms_is_named(world, busy, rule, statement):
    values = [world.payment(busy[0]).id] if "%s" in statement else []
    assert close.close(actor=ACTOR, at=world.now).holds
    sql(f"SAVEPOINT before_{rule}")
    sql(statement, *values)
    assert rule in {breach.rule for breach in invariants.check()}
    closing = close.close(actor=ACTOR, at=world.now)
    assert not closing.holds
    with pytest.raises(CommandError) as refused:
        call_command("close", stdout=StringIO())
    assert f"\n  {rule} " in str(refused.value)
    assert AuditEntry.objects.order_by("-id")[0].details["holds"] is False
    sql(f"ROLLBACK TO SAVEPOINT before_{rule}")
    assert close.close(actor=ACTOR, at=world.now).holds


@pytest.mark.django_db
def test_the_rooms_own_breaches_are_named_too(world, busy):
    sql("SAVEPOINT before")
    sql("UPDATE audit_auditentry SET action = 'forged'")
    sql("UPDATE registry_lane SET held_g = held_g - 1")
    assert {"R6"} <= {breach.rule for breach in invariants.check()}
    sql("ROLLBACK TO SAVEPOINT before")


@pytest.mark.django_db(transaction=True)
def test_the_command_says_it_in_plain_words(world, busy):
    out = StringIO()
    call_command("close", "--as", "Wang", stdout=out)
    said = out.getvalue()
    assert "Everything holds." in said
    assert "1,000,000  issued =" in said
    assert f"{busy[0].mass_g:,}  retired +" in said
    assert "owed: customer prepayments" in said
    assert "0 orders under review" in said


@pytest.mark.django_db(transaction=True)
def test_nobody_who_sells_waits_for_a_close(world, monkeypatch):
    """Orders placed and paid while the close is reading tear its equations not apart."""
    world.pay(world.order())
    check = invariants.check

    def meanwhile(published):
        found = check(published)
        import threading

        def sell():
            from django.db import connections

            try:
                world.pay(world.order(1000))
            finally:
                connections.close_all()
                world.peer.hang_up()

        seller = threading.Thread(target=sell)
        seller.start()
        seller.join(15)
        assert not seller.is_alive(), "a sale waited for the close"
        return found + check(published)

    monkeypatch.setattr(invariants, "check", meanwhile)
    closing = close.close(actor=ACTOR, at=world.now)
    assert closing.breaches == ()
    assert world.stock().retired_g == 125_000
