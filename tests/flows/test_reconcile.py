"""A gateway's day beside ours: fetched whole, matched, closed when it agrees (rows 33, 38, 39)."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from diandian.audit.models import AuditEntry
from diandian.flows import goodwill, matched, reconcile, reconcile_proof, refund
from diandian.payments import merchants
from diandian.payments.models import PaymentState
from diandian.reconciliation.models import DayState, GatewayDay
from tests.flows.books import CLEARING
from tests.flows.money import LI, WANG
from tests.flows.statements import (
    DAY,
    FEES,
    TEN,
    bought,
    differences,
    gross,
    later,
    outcomes,
    sandbox,
    the_day,
    told,
    turn,
)

pytestmark = pytest.mark.django_db(transaction=True)


# -- a day that agrees ---------------------------------------------------------------------------


def test_a_day_that_agrees_is_closed_with_its_fees_booked(world):
    payment = bought(world)
    assert turn() == 1
    day = the_day()
    assert (day.state, day.problem, day.merchant_key) == (DayState.CLOSED, "", "sandbox")
    assert outcomes() == [("payment", "matched", "")]
    assert outcomes(kind="funds") == [("fee", "matched", ""), ("payment", "matched", "")]
    assert (payment.amount_minor, world.balance(FEES)) == (804, 5)
    assert world.balance(CLEARING) == 804 - 5
    money = day.figures["money"]["funds"]["CNY"]
    assert money == {"gross_minor": 799, "fee_minor": 5, "net_minor": 799, "ours_minor": 804}
    assert day.figures["classes"]["trades"] == {"matched": 1}
    assert matched.is_matched(payment)
    assert reconcile_proof.check() == []
    assert AuditEntry.objects.filter(action="gateway_day.closed").count() == 1


def test_nothing_is_asked_for_before_ten_o_clock(world):
    bought(world)
    assert turn(TEN - timedelta(seconds=1)) == 0
    assert turn(TEN) == 1
    assert turn(later(hours=1)) == 0  # closed days are not worked on again


def test_days_without_payments_have_statements_too(world):
    bought(world)
    assert turn(later(days=2)) == 3
    assert [the_day(DAY + timedelta(days=n)).state for n in range(3)] == [DayState.CLOSED] * 3
    assert the_day(DAY + timedelta(days=1)).figures["classes"] == {"trades": {}, "funds": {}}


def test_a_refund_of_the_day_is_matched(world, crash):
    mend = crash(reconcile.payment_events.allocator, "see_to")
    order = world.order()
    world.pay(order)
    mend()
    refund.refund_order(order, refund.DECIDED, at=world.now)
    assert turn() == 1
    assert outcomes() == [("payment", "matched", ""), ("refund", "matched", "")]
    assert the_day().state == DayState.CLOSED
    assert world.balance(CLEARING) == -5  # Banks keep their fee of what was given back.
    assert reconcile_proof.check() == []


def test_a_refund_that_waits_is_expected_on_the_day_on_which_it_is_sent(world, monkeypatch):
    payment = bought(world)
    with monkeypatch.context() as patch:
        patch.setattr(refund, "may_send", lambda *_, **__: False)
        asked = goodwill.ask(
            int(payment.owner_ref.removeprefix("order:")), amount_minor=100, at=world.now, **LI
        )
        goodwill.confirm(asked, at=world.now, **WANG)
        # As long as a bank disputes the payment, say: longer than a day waits for later ones.
        for days in range(6):
            turn(later(days=days))
            refund.continue_refunds(at=later(days=days))
    assert the_day().state == DayState.CLOSED
    refund.continue_refunds(at=later(days=6))
    turn(later(days=7))
    sent_on = DAY + timedelta(days=7)
    assert outcomes(sent_on) == [("refund", "matched", "")]
    assert {day.state for day in GatewayDay.objects.all()} == {DayState.CLOSED}
    assert reconcile_proof.check() == []


def test_no_fee_is_ours_where_the_supplier_collects(world, monkeypatch):
    bought(world)
    split = replace(sandbox(), settlement="gateway_split")
    monkeypatch.setattr(merchants, "every", lambda: (split,))
    assert turn() == 1
    assert the_day().state == DayState.CLOSED
    assert world.balance(FEES) == 0
    assert reconcile_proof.check() == []


# -- differences ---------------------------------------------------------------------------------


def test_a_payment_that_we_lack_is_asked_about_and_applied(world):
    order = world.order()
    world.choose(world.payment(order), "silent")
    assert world.state(order) == "awaiting_payment"
    assert turn() == 1
    assert world.state(order) == "completed"
    assert outcomes() == [("payment", "matched", "")]
    assert the_day().state == DayState.CLOSED


def test_a_payment_of_an_order_given_up_takes_the_way_of_late_money(world):
    from tests.flows.books import given_up

    order = world.order()
    payment = world.payment(order)
    given_up(world, order)
    world.peer.settle_anyway(payment.payment_no, world.later(hours=1))
    assert turn() == 1
    assert world.state(order) == "completed"
    payment.refresh_from_db()
    assert (payment.state, payment.is_late) == (PaymentState.SUCCEEDED, True)
    assert the_day().state == DayState.CLOSED


def test_what_the_gateway_does_not_confirm_stays_missing_here(world):
    bought(world)
    stranger = "DD261122STRANGER"
    with told(lambda lines: [*lines, replace(lines[0], our_no=stranger, gateway_ref="strange")]):
        turn()
    assert differences() == [("funds", "missing_here"), ("trades", "missing_here")]
    assert the_day().state == DayState.OPEN
    assert world.balance(FEES) == 5  # Of the one that agrees alone.


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (lambda lines: lines[1:], "missing_there"),
        (lambda lines: [gross(lines[0], 803), *lines[1:]], "amount_diff"),
        (lambda lines: [replace(lines[0], currency="USD"), *lines[1:]], "amount_diff"),
        (lambda lines: [replace(lines[0], net_minor=1), *lines[1:]], "fee_diff"),
        (lambda lines: [replace(lines[0], status="REVOKED"), *lines[1:]], "status_diff"),
        (lambda lines: [lines[0], *lines], "duplicate"),
    ],
)
def test_each_class_keeps_its_day_open(world, change, outcome):
    payment = bought(world)
    with told(change, kinds=("trades",)):
        turn()
    assert differences() == [("trades", outcome)]
    assert the_day().state == DayState.OPEN
    assert not matched.is_matched(payment)
    closed = later(days=1)
    assert reconcile.work_on(the_day(), afresh=True, at=closed)
    assert differences() == []
    assert the_day().state == DayState.CLOSED
    assert matched.is_matched(payment)


def test_an_agreed_rate_is_compared(world, monkeypatch):
    bought(world)
    merchant = sandbox()
    options = {**merchant.context.options, "fee_basis_points": "60"}
    agreed = replace(merchant, context=replace(merchant.context, options=options))
    monkeypatch.setattr(merchants, "every", lambda: (agreed,))
    with told(lambda lines: [replace(lines[0], fee_minor=8, net_minor=796)], kinds=("trades",)):
        turn()
    assert differences() == [("trades", "fee_diff")]


def test_a_refund_made_at_the_gateway_is_seen_and_its_payment_asked_about(world, monkeypatch):
    payment = bought(world)
    world.peer.refund(
        refund_no="CONSOLE1",
        payment_no=payment.payment_no,
        amount_minor=100,
        currency="CNY",
    )
    asked = set()

    def ask(number, *, at):
        asked.add((number, at))

    monkeypatch.setattr(reconcile.payment_events, "refresh", ask)
    turn()
    assert asked == {(payment.payment_no, TEN)}
    # The question said nothing of it: it is kept from the statement.
    assert payment.refunds.get().stated_ref
    assert differences() == []


# -- days that are cut in two --------------------------------------------------------------------


def at_midnight(world, payment, paid_at):
    """Let a payment be ours at one time and the gateway's at another."""
    type(payment).objects.filter(id=payment.id).update(paid_at=paid_at)


def test_what_is_near_midnight_waits_for_the_next_statement(world):
    payment = bought(world)
    ours = datetime.fromisoformat("2026-11-22T23:59:50+08:00")
    theirs = datetime.fromisoformat("2026-11-23T00:00:05+08:00")
    at_midnight(world, payment, ours)
    world.peer.run("UPDATE trade SET paid_ms = ?", (int(theirs.timestamp()) * 1000,))
    turn()
    assert outcomes() == [("payment", "timing", "")]
    assert the_day().state == DayState.OPEN
    assert not matched.is_matched(payment)
    turn(later(days=1))
    assert outcomes() == [("payment", "matched", "other_day")]
    assert outcomes(DAY + timedelta(days=1)) == [("payment", "matched", "")]
    assert [the_day(DAY + timedelta(days=n)).state for n in (0, 1)] == [DayState.CLOSED] * 2
    assert matched.is_matched(payment)
    assert world.balance(FEES) == 5
    assert reconcile_proof.check() == []


def test_nothing_waits_longer_than_three_days(world):
    payment = bought(world)
    at_midnight(world, payment, datetime.fromisoformat("2026-11-22T23:59:50+08:00"))
    world.peer.run("UPDATE trade SET merchant = 'somebody'", ())
    seen = []
    for days in range(5):
        turn(later(days=days))
        seen.append(differences()[0][1])
    assert seen == ["timing", "timing", "timing", "missing_there", "missing_there"]
    assert the_day(DAY + timedelta(days=1)).state == DayState.CLOSED
