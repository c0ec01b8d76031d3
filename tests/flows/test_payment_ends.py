"""Paid twice, paid late, never paid, and crashes in between (rows 11, 12, 20 to 25, 43)."""

from itertools import pairwise

import pytest

from diandian.flows import checkout, expiry, fulfil, payment_events, refund
from diandian.ledger import actions as ledger_actions
from diandian.orders.errors import PaymentUnavailableError
from diandian.orders.models import Order
from diandian.payments import queries as payments
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.models import Notification, Payment, Refund
from tests.flows.books import (
    NOTHING,
    PAST_GRACE,
    PREPAID,
    assert_completed_once,
    books,
    creation_times_out,
    given_up,
)

pytestmark = pytest.mark.django_db


# -- two payments for one order ---------------------------------------------------------------


def test_20_a_second_payment_goes_back(world):
    order = world.order()
    first = world.payment(order)
    world.pay(order, "declined")
    second = checkout.retry_payment(order, at=world.now)
    assert second.payment_no != first.payment_no
    world.pay(order)
    assert_completed_once(world, order)
    world.deliver(world.peer.settle_anyway(first.payment_no, world.now))
    # The first, late, is the duplicate now: it went back, and nothing else moved.
    assert_completed_once(world, order)
    [back] = payments.refunds_of(order.ref)
    assert (back.payment, back.state, back.reason) == (first, "succeeded", "duplicate")
    assert back.refund_no == f"R{first.payment_no}"
    assert world.peer.by_no(first.payment_no).refunded_minor == first.amount_minor
    assert world.peer.by_no(second.payment_no).refunded_minor == 0


def test_20_a_duplicate_is_not_refunded_twice(world):
    test_20_a_second_payment_goes_back(world)
    for minute in range(3):
        payment_events.poll_due(at=world.later(minutes=minute))
        refund.continue_refunds(at=world.later(minutes=minute))
    assert Refund.objects.count() == 1


def test_21_a_double_click_leads_to_the_same_payment(world):
    order = world.order()
    again = [checkout.retry_payment(order, at=world.now) for _ in range(2)]
    assert {payment.id for payment in again} == {world.payment(order).id}
    assert Payment.objects.count() == 1


# -- the end of an order's time ---------------------------------------------------------------


def test_24_an_unpaid_order_is_closed_at_the_gateway_then_released(world):
    order = world.order()
    given_up(world, order)
    assert world.peer.by_no(world.payment(order).payment_no).stored_state == "closed"
    assert world.payment(order).state == "closed"
    assert (world.stock().held_g, world.stock().available_g) == (0, 1_000_000)


def test_22_closing_that_answers_unknown_keeps_the_grams(world, crash):
    order = world.order()
    mend = crash(SandboxGateway, "close_payment")
    assert expiry.release_expired(at=world.later(**PAST_GRACE)) == 0
    assert world.state(order) == "awaiting_payment"
    assert world.stock().held_g == order.mass_g
    mend()
    given_up(world, order, minutes=22)


def test_22_a_gateway_that_says_nothing_is_asked_less_and_less(world, monkeypatch):
    order = world.order()
    asked = []

    def unknown(payment, *, at):
        asked.append(at)
        return False

    monkeypatch.setattr(expiry, "close_or_refresh", unknown)
    seconds = [*range(0, 600, 5), *range(600, 7_200, 30)]
    for after in seconds:
        expiry.release_expired(at=world.later(minutes=20, seconds=after))
    pauses = [int((later - at).total_seconds()) for at, later in pairwise(asked)]
    assert pauses[0] == 30
    assert pauses[-1] == 1_800
    assert pauses == sorted(pauses)
    assert len(asked) <= 24
    assert world.stock().held_g == order.mass_g


def test_22_who_asked_in_vain_asked_for_the_poller_too(world, crash):
    order = world.order()
    crash(SandboxGateway, "close_payment")
    at = world.later(**PAST_GRACE)
    assert world.payment(order).next_query_at < at
    expiry.release_expired(at=at)
    # Tried again within the minute: the poller need not ask at the same moment.
    assert payments.due_for_query(at, 10) == []


def test_22_closing_that_answers_paid_completes_the_order(world):
    order = world.order()
    world.pay(order, "silent")
    assert expiry.release_expired(at=world.later(**PAST_GRACE)) == 0
    assert_completed_once(world, order)


def test_23_unknown_to_the_gateway_is_no_proof_before_the_grace_is_over(world):
    with creation_times_out(really=False), pytest.raises(PaymentUnavailableError):
        world.order()
    order = Order.objects.get()
    payment = world.payment(order)
    assert not payment_events.close_or_refresh(payment, at=world.later(minutes=19))
    assert world.stock().held_g == order.mass_g
    assert payment_events.close_or_refresh(payment, at=world.later(minutes=20))
    given_up(world, order)


def test_43_paid_between_deadline_and_release_is_in_time(world):
    order = world.order()
    number = world.payment(order).payment_no
    notice = world.peer.settle_anyway(number, world.later(minutes=12))
    world.deliver(notice, at=world.later(minutes=12))
    assert_completed_once(world, order)


def test_11_paid_after_the_release_with_the_grams_still_there(world):
    order = world.order()
    number = world.payment(order).payment_no
    given_up(world, order)
    at = world.later(minutes=30)
    world.deliver(world.peer.settle_anyway(number, at), at=at)
    assert world.payment(order).is_late
    assert_completed_once(world, order)


def test_12_paid_after_the_release_with_the_grams_gone(world):
    order = world.order()
    payment = world.payment(order)
    given_up(world, order)
    at = world.later(minutes=30)
    world.order(1_000_000, at=at)  # somebody else takes all
    world.deliver(world.peer.settle_anyway(payment.payment_no, at), at=at)
    assert world.state(order) == "refunded"
    assert world.stock().retired_g == 0
    assert world.stock().held_g == 1_000_000
    assert books(world) == NOTHING
    [back] = payments.refunds_of(order.ref)
    assert (back.refund_no, back.state) == (f"R{payment.payment_no}", "succeeded")
    assert world.peer.by_no(payment.payment_no).refunded_minor == payment.amount_minor


def test_12_paid_after_its_owner_cancelled_goes_back(world):
    order = world.order()
    payment = world.payment(order)
    assert expiry.cancel_order(order, at=world.now)
    world.deliver(world.peer.settle_anyway(payment.payment_no, world.now))
    assert world.state(order) == "refunded"
    assert (books(world), world.stock().held_g) == (NOTHING, 0)


# -- crashes ----------------------------------------------------------------------------------


def test_25_a_crash_between_payment_and_retirement(world, crash):
    mend = crash(fulfil, "fulfil_order")
    order = world.order()
    assert world.pay(order) == "paid"
    assert books(world)[PREPAID] == -order.quote.total_minor
    mend()
    assert fulfil.drain(at=world.now) == 1
    assert fulfil.drain(at=world.now) == 0
    assert_completed_once(world, order)


def test_25_a_crash_inside_the_commit_leaves_nothing_half_done(world, crash):
    order = world.order()
    [notice] = world.choose(world.payment(order))
    mend = crash(ledger_actions, "post")
    assert world.deliver(notice).status == 200, "kept is kept"
    assert world.state(order) == "awaiting_payment"
    assert world.payment(order).state == "pending"
    assert Notification.objects.get().state == "parked"
    mend()
    assert payment_events.retry_notices(at=world.later(minutes=2)) == 1
    assert_completed_once(world, order)


def test_25_a_crash_right_after_the_notice_was_kept(world, crash):
    order = world.order()
    [notice] = world.choose(world.payment(order))
    mend = crash(payment_events, "_try_notice", SystemExit)
    with pytest.raises(SystemExit):
        world.deliver(notice)
    mend()
    assert payment_events.retry_notices(at=world.later(seconds=5)) == 1
    assert_completed_once(world, order)
