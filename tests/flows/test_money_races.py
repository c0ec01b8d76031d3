"""Money back from many sides at one moment, over connections of their own: still once."""

import pytest
from django.db import transaction

from diandian.flows import fulfil, goodwill, invariants, payment_events, refund, resolve
from diandian.orders import actions as orders
from diandian.orders.models import Order, OrderState
from diandian.payments.errors import LookAgainError, MoneyRequestDecidedError
from diandian.payments.gateways.sandbox import disputes as bank
from diandian.payments.gateways.sandbox import refunds as desk
from diandian.payments.models import Dispute, Payment, Refund
from tests.flows.test_payment_races import together  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


@pytest.fixture
def paid(world, crash):
    mend = crash(fulfil, "fulfil_order")
    order = world.order()
    assert world.pay(order) == "paid"
    mend()
    return order


def test_31_two_parts_at_once_are_one(world, paid, together):  # noqa: F811 - the fixture
    with transaction.atomic():
        orders.move(Order.objects.get(id=paid.id), OrderState.REVIEW)
        orders.park(paid.intake)
    part = resolve.Part(world.payment(paid).payment_no, 500, 0)
    who = {"actor": "operator:li", "reason": "part", "at": world.now}
    done, errors = together(*[lambda: resolve.refund_part(paid.id, part=part, **who)] * 4)
    assert (len(done), {type(each) for each in errors}) == (1, {LookAgainError})
    assert world.peer.by_no(part.payment_no).refunded_minor == 500
    assert invariants.check() == []


def test_29_two_who_confirm_at_once_pay_once(world, together):  # noqa: F811 - the fixture
    order = world.order()
    world.pay(order)
    asked = goodwill.ask(order.id, amount_minor=300, actor="a", reason="kind", at=world.now)
    calls = [lambda who=who: goodwill.confirm(asked, actor=who, at=world.now) for who in "bcde"]
    done, errors = together(*calls)
    assert (len(done), {type(each) for each in errors}) == (1, {MoneyRequestDecidedError})
    assert world.peer.by_no(world.payment(order).payment_no).refunded_minor == 300
    assert invariants.check() == []


def test_33_34_notices_polls_and_the_worker_at_once(world, paid, together):  # noqa: F811
    number = world.payment(paid).payment_no
    notices = [desk.by_hand(world.peer, number, 100, world.now)]
    notices += [bank.begin(world.peer, number, amount_minor=50, fee_minor=5, now=world.now)[1]]
    notices += [desk.notice(world.peer, number, world.now) for _ in range(4)]
    together(
        *[lambda notice=notice: world.deliver(notice) for notice in notices],
        *[lambda: payment_events.refresh(number, at=world.now)] * 4,
        *[lambda: fulfil.drain(at=world.now)] * 2,
    )
    payment_events.retry_notices(at=world.later(minutes=5))
    assert [each.amount_minor for each in Refund.objects.all()] == [100]
    assert [each.amount_minor for each in Dispute.objects.all()] == [50]
    assert world.state(paid) in {"review", "completed"}
    assert invariants.check() == []


def test_33_our_refund_and_a_console_at_once(world, paid, together):  # noqa: F811 - the fixture
    number = world.payment(paid).payment_no
    together(
        lambda: refund.refund_order(paid, "asked", at=world.now),
        lambda: world.deliver(desk.by_hand(world.peer, number, 300, world.now)),
    )
    for minutes in (1, 2, 3):
        refund.continue_refunds(at=world.later(minutes=minutes))
        payment_events.retry_notices(at=world.later(minutes=minutes))
        payment_events.poll_due(at=world.later(minutes=minutes))
    payment = Payment.objects.get()
    living = payment.refunds.exclude(state="failed")
    told = world.peer.by_no(number).refunded_minor
    assert sum(living.values_list("amount_minor", flat=True)) == told
    assert invariants.check() == []
