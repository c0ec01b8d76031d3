"""Faults of payment: one test or more for each row of the fault table that the sandbox can show.

The numbers in the test names are those of the table in the payments design, section 6.
"""

import random
import sqlite3
from contextlib import suppress
from datetime import timedelta

import pytest

from diandian.audit import queries as audit
from diandian.flows import checkout, expiry, fulfil, payment_events, refund
from diandian.orders.errors import PaymentUnavailableError
from diandian.orders.models import Order
from diandian.payments import actions as payment_actions
from diandian.payments import queries as payments
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.gateways.sandbox.peer import SIGNATURE_HEADER
from diandian.payments.messages import Unknown
from diandian.payments.models import Notification, Payment, Refund
from tests.flows.books import (
    NOTHING,
    PAST_GRACE,
    PREPAID,
    assert_completed_once,
    books,
    creation_times_out,
)

pytestmark = pytest.mark.django_db


# -- notices ----------------------------------------------------------------------------------


def test_01_one_notice_twenty_times(world):
    order = world.order()
    [notice] = world.choose(world.payment(order))
    assert {world.deliver(notice).body for _ in range(20)} == {b"ok"}
    assert Notification.objects.count() == 1
    assert_completed_once(world, order)


def test_02_two_different_notices(world):
    order = world.order()
    assert world.pay(order, "twice") == "completed"
    assert Notification.objects.filter(state="applied").count() == 2
    assert_completed_once(world, order)


def test_03_a_notice_before_the_browser_returns(world):
    order = world.order()
    assert world.pay(order) == "completed"
    assert payment_events.refresh(world.payment(order).payment_no, at=world.now) == "succeeded"
    assert_completed_once(world, order)


def test_04_a_notice_before_our_own_commit_is_parked_then_applied(world, monkeypatch):
    number = payment_actions.new_payment_no(world.now)
    monkeypatch.setattr(payment_actions, "new_payment_no", lambda _at: number)
    quote = world.quote()
    token = world.peer.create(
        payment_no=number,
        merchant="demo",
        amount_minor=quote.total_minor,
        currency="CNY",
        subject="Diandian 124 kg",
        return_url="http://testserver/o/x",
        expires_at=world.later(minutes=10),
    )
    [notice] = world.peer.decide(token, "paid", world.now)
    assert world.deliver(notice).status == 200
    assert Notification.objects.get().state == "parked"
    order = checkout.place_order(
        quote_token=quote.token, beneficiary_name="", on_board=False, language="en", at=world.now
    )
    assert world.state(order) == "awaiting_payment"
    assert payment_events.retry_notices(at=world.now) == 0
    assert payment_events.retry_notices(at=world.later(minutes=2)) == 1
    assert Notification.objects.get().state == "applied"
    assert_completed_once(world, order)


def test_04_a_notice_while_our_creation_is_still_under_way(world, monkeypatch):
    create = SandboxGateway.create_payment

    def paid_at_once(self, context, request, *, at):
        outcome = create(self, context, request, at=at)
        for notice in world.peer.decide(outcome.value.url.rpartition("/")[2], "paid", at):
            world.deliver(notice)
        return outcome

    monkeypatch.setattr(SandboxGateway, "create_payment", paid_at_once)
    with suppress(PaymentUnavailableError):  # no way to pay any more, for it is paid
        world.order()
    assert_completed_once(world, Order.objects.get())


@pytest.mark.parametrize("choice", ["silent", "late"])
def test_05_no_notice_ever_comes_and_the_poller_completes(world, choice):
    order = world.order()
    world.pay(order, choice)
    assert world.state(order) == "awaiting_payment"
    assert payment_events.poll_due(at=world.now) == 0
    assert payment_events.poll_due(at=world.later(seconds=80)) == 1
    assert_completed_once(world, order)


def test_05_the_browser_that_returns_completes_without_a_notice(world):
    order = world.order()
    world.pay(order, "silent")
    assert payment_events.refresh(world.payment(order).payment_no, at=world.now) == "succeeded"
    assert_completed_once(world, order)


def test_05_the_poller_asks_less_and_less_often(world):
    order = world.order()
    asked = 0
    for second in range(600):
        before = world.payment(order).query_count
        payment_events.poll_due(at=world.later(seconds=second))
        asked += world.payment(order).query_count - before
    assert asked == 4  # at 5, 20, 80 and 380 seconds


def test_06_without_any_browser_the_notice_is_enough(world):
    order = world.order()
    assert world.pay(order) == "completed"


@pytest.mark.parametrize("kind", ["payment.failed", "payment.closed", "payment.expired"])
def test_07_bad_news_after_good_is_ignored(world, kind):
    order = world.order()
    world.pay(order)
    trade = world.peer.by_no(world.payment(order).payment_no)
    assert world.deliver(world.peer.notice(trade, kind, world.now)).status == 200
    assert_completed_once(world, order)


def test_08_declined_twice_then_paid_after_all(world):
    order = world.order()
    payment = world.payment(order)
    assert world.pay(order, "declined") == "awaiting_payment"
    trade = world.peer.by_no(payment.payment_no)
    world.deliver(world.peer.notice(trade, "payment.failed", world.now))
    assert world.stock().held_g == order.mass_g, "a declined guest may try again"
    world.deliver(world.peer.settle_anyway(payment.payment_no, world.now))
    assert world.payment(order).is_late
    assert_completed_once(world, order)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda headers, body: ({**headers, SIGNATURE_HEADER: "0" * 64}, body),
        lambda headers, body: (headers, body.replace(b"payment.succeeded", b"payment.failed")),
        lambda headers, body: ({}, body),
        lambda headers, body: ({**headers, SIGNATURE_HEADER: "签\udcff"}, b"\x00\xff"),
        lambda headers, body: (headers, b""),
    ],
)
def test_09_forged_notices_leave_no_trace(world, crash, spoil):
    order = world.order()
    [notice] = world.choose(world.payment(order))
    crash(SandboxGateway, "query_payment", AssertionError)
    headers, body = spoil(notice.headers, notice.body)
    ack = payment_events.receive_notice("sandbox", headers, body, at=world.now)
    assert ack.status == 401
    assert not Notification.objects.exists()
    assert world.state(order) == "awaiting_payment"


def test_15_a_notice_for_another_merchant_is_refused(world):
    order = world.order()
    [notice] = world.choose(world.payment(order))
    body = notice.body.replace(b'"demo"', b'"else"')
    stamp = str(int(world.now.timestamp()))
    signature = world.peer.sign(b"notice", stamp.encode(), body)
    headers = notice.headers | {SIGNATURE_HEADER: signature}
    ack = payment_events.receive_notice("sandbox", headers, body, at=world.now)
    assert (ack.status, ack.body) == (400, b"not_ours")
    assert not Notification.objects.exists()


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(days=365), timedelta(hours=-1)])
def test_16_an_old_notice_replayed_is_refused(world, age):
    order = world.order()
    [notice] = world.choose(world.payment(order))
    assert world.deliver(notice, at=world.now + age).body == b"stale"
    assert not Notification.objects.exists()


def test_16_a_notice_replayed_after_a_refund_changes_nothing(world, crash):
    mend = crash(fulfil, "fulfil_order")
    order = world.order()
    [notice] = world.choose(world.payment(order))
    world.deliver(notice)
    refund.refund_order(order, "asked", at=world.now)
    mend()
    assert world.deliver(notice).status == 200
    assert (world.state(order), books(world)) == ("refunded", NOTHING)


@pytest.mark.parametrize("minutes", [-4, 4])
def test_17_clocks_may_differ_by_four_minutes(world, minutes):
    order = world.order()
    [notice] = world.choose(world.payment(order))
    assert world.deliver(notice, at=world.later(minutes=minutes)).status == 200
    payment_events.refresh(world.payment(order).payment_no, at=world.now)
    assert_completed_once(world, order)


# -- snapshots that differ --------------------------------------------------------------------


def tamper(settings, payment, column, value):
    """Change what the bank believes."""
    change = f"UPDATE trade SET {column} = ? WHERE payment_no = ?"  # noqa: S608
    with sqlite3.connect(settings.SANDBOX_STORE) as bank:
        bank.execute(change, (value, payment.payment_no))
    bank.close()


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("amount_minor", lambda amount: amount - 1),
        ("amount_minor", lambda amount: amount + 1),
        ("amount_minor", lambda amount: amount * 100),
        ("currency", lambda _: "JPY"),
        ("merchant", lambda _: "other"),
    ],
)
def test_13_14_15_a_payment_that_differs_goes_to_people(world, settings, column, change):
    order = world.order()
    payment = world.payment(order)
    world.choose(payment, "silent")
    tamper(settings, payment, column, change(payment.amount_minor))
    for _ in range(2):
        assert payment_events.refresh(payment.payment_no, at=world.now) == "succeeded"
    assert world.state(order) == "review"
    assert books(world)[PREPAID] == 0, "it lies aside, it is not the price"
    assert world.stock().retired_g == 0
    assert world.stock().held_g == order.mass_g
    assert not Refund.objects.exists()
    assert [entry.action for entry in audit.trail(order.ref)] == ["payment.mismatch"]
    assert payments.due_for_query(world.later(days=1), 9) == []


# -- creation ---------------------------------------------------------------------------------


@pytest.mark.parametrize("really", [True, False], ids=["18-created", "19-not-created"])
def test_18_19_an_unknown_creation_goes_on_with_the_same_number(world, really):
    with creation_times_out(really=really), pytest.raises(PaymentUnavailableError):
        world.order()
    order = Order.objects.get()
    payment = world.payment(order)
    assert payment.state == "unknown"
    assert world.stock().held_g == order.mass_g
    payment_events.refresh(payment.payment_no, at=world.now)
    again = checkout.retry_payment(order, at=world.now)
    assert (again.payment_no, again.state) == (payment.payment_no, "pending")
    assert again.instruction["url"].startswith("/sandbox/")
    assert world.pay(order) == "completed"
    assert Payment.objects.count() == 1
    assert_completed_once(world, order)


def test_42_a_library_that_throws_means_unknown(world, crash):
    mend = crash(SandboxGateway, "create_payment", TypeError)
    with pytest.raises(PaymentUnavailableError):
        world.order()
    order = Order.objects.get()
    assert world.payment(order).state == "unknown"
    mend()
    checkout.retry_payment(order, at=world.now)
    assert world.pay(order) == "completed"


# -- everything at once -----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_events_in_any_order_end_the_same(world, seed):
    """Notices, doubled and out of order, polls, returns, the worker: one success."""
    order = world.order()
    number = world.payment(order).payment_no
    notices = world.choose(world.payment(order), "twice")
    trade = world.peer.by_no(number)
    notices += [world.peer.notice(trade, "payment.failed", world.now)] * 2
    at = world.later(seconds=90)
    events = [lambda notice=notice: world.deliver(notice, at=at) for notice in notices * 2]
    events += [
        lambda: payment_events.poll_due(at=at),
        lambda: payment_events.refresh(number, at=at),
        lambda: payment_events.retry_notices(at=at),
        lambda: fulfil.drain(at=at),
        lambda: fulfil.fulfil_order(order.id, at=at),
        lambda: refund.continue_refunds(at=at),
        lambda: expiry.release_expired(at=world.later(**PAST_GRACE)),
        lambda: expiry.cancel_order(Order.objects.get(id=order.id), at=at),
        lambda: payment_actions.submitted(world.payment(order), Unknown("slow"), at=at),
    ]
    random.Random(seed).shuffle(events)
    for event in events:
        event()
    assert_completed_once(world, order)
    assert not Refund.objects.exists()
