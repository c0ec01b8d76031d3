"""The same events at the same moment, over connections of their own: still one of everything."""

import threading

import pytest
from django.db import connections

from diandian.flows import fulfil, payment_events, refund
from diandian.kernel.money import Money
from diandian.ledger.models import Journal
from diandian.orders.models import Order
from diandian.payments import actions as payment_actions
from diandian.payments.errors import RetiredNotRefundableError
from diandian.payments.models import Notification, Payment, Refund
from diandian.registry.models import Retirement

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


@pytest.fixture
def together(world):
    """Run calls in threads that start at one moment; return what they returned."""

    def run(*calls):
        barrier, results, errors = threading.Barrier(len(calls)), [], []

        def one(call):
            barrier.wait()
            try:
                results.append(call())
            except Exception as error:  # noqa: BLE001 - handed to the test
                errors.append(error)
            finally:
                connections.close_all()
                world.peer.hang_up()

        threads = [threading.Thread(target=one, args=(call,)) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return results, errors

    return run


def counts(order):
    kinds = Journal.objects.filter(owner_ref=order.ref).values_list("kind", flat=True)
    return sorted(kinds), Retirement.objects.count(), Notification.objects.count()


def test_01_the_same_notice_twenty_times_in_parallel(world, together):
    order = world.order()
    [notice] = world.choose(world.payment(order))
    acks, errors = together(*[lambda: world.deliver(notice)] * 20)
    assert errors == []
    assert [ack.status for ack in acks] == [200] * 20
    fulfil.drain(at=world.now)
    assert world.state(order) == "completed"
    assert counts(order) == (["capture", "sale"], 1, 1)


def test_notices_polls_returns_and_workers_in_parallel(world, together):
    order = world.order()
    number = world.payment(order).payment_no
    notices = world.choose(world.payment(order), "twice")
    at = world.later(seconds=90)
    together(
        *[lambda notice=notice: world.deliver(notice, at=at) for notice in notices],
        *[lambda: payment_events.poll_due(at=at)] * 3,
        *[lambda: payment_events.refresh(number, at=at)] * 3,
        *[lambda: fulfil.drain(at=at)] * 3,
    )
    payment_events.retry_notices(at=world.later(minutes=5))
    fulfil.drain(at=at)
    assert world.state(order) == "completed"
    assert counts(order) == (["capture", "sale"], 1, 2)
    assert not Refund.objects.exists()


def test_21_two_workers_start_a_payment(world, together):
    def start():
        return payment_actions.start(
            owner_ref="order:9",
            amount=Money(804, "CNY"),
            gateway="sandbox",
            supplier_ref="supplier:one",
            expires_at=world.later(minutes=10),
            at=world.now,
        ).payment_no

    numbers, errors = together(*[start] * 8)
    assert errors == []
    assert len(set(numbers)) == 1
    assert Payment.objects.filter(owner_ref="order:9").count() == 1


def test_a_refund_and_a_retirement_at_the_same_moment(world, together, monkeypatch):
    """Either the grams are retired or the money goes back; never both, never neither."""
    with monkeypatch.context() as patch:
        patch.setattr(fulfil, "fulfil_order", lambda *_, **__: None)
        orders = [world.order(1000) for _ in range(6)]
        assert {world.pay(order) for order in orders} == {"paid"}
    _, errors = together(
        *[
            lambda order=order: refund.refund_order(order, "asked", at=world.now)
            for order in orders
        ],
        *[lambda: fulfil.drain(at=world.now)] * 2,
    )
    assert {type(error) for error in errors} <= {RetiredNotRefundableError}
    fulfil.drain(at=world.now)
    refunded = 0
    for order in Order.objects.all():
        retired = Retirement.objects.filter(source_ref=f"{order.ref}:retirement").exists()
        assert order.state == ("completed" if retired else "refunded")
        refunded += not retired
    assert Refund.objects.filter(state="succeeded").count() == refunded
    assert world.stock().retired_g == 1000 * (6 - refunded)
    assert world.stock().held_g == 0
