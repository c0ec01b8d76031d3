"""Retire now, withdraw and the allocator at the same moment: one of them, whole, and once."""

import pytest

from diandian.claims.withdrawal import ends_at
from diandian.flows import fulfil, invariants, refund, withdrawal
from diandian.orders.models import Order
from diandian.payments.models import Refund
from diandian.registry.models import Retirement
from tests.flows.test_payment_races import together  # noqa: F401 - a fixture
from tests.flows.test_withdrawal import ordered

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


@pytest.fixture
def held(world):
    orders = [ordered(world, 1_000) for _ in range(4)]
    assert {world.pay(order) for order in orders} == {"paid"}
    return orders


def ended_whole(world, errors):
    """Check that each order is retired or refunded, never both; return how many were retired."""
    assert {type(error).__name__ for error in errors} <= {"WithdrawalEndedError", "NotHeldError"}
    fulfil.drain(at=world.later(days=30))
    refund.continue_refunds(at=world.later(days=30))
    retired = 0
    for order in Order.objects.all():
        is_retired = Retirement.objects.filter(source_ref=f"{order.ref}:retirement").count()
        assert order.state == ("completed" if is_retired else "refunded")
        retired += is_retired
    assert Refund.objects.filter(state="succeeded").count() == Refund.objects.count()
    assert Refund.objects.count() == Order.objects.count() - retired
    assert (world.stock().retired_g, world.stock().held_g) == (1_000 * retired, 0)
    assert invariants.check() == []
    return retired


def test_both_buttons_at_once_each_pressed_twice(world, held, together):  # noqa: F811
    _, errors = together(
        *[
            lambda order=order, decide=decide: decide(order, at=world.now)
            for order in held
            for decide in (withdrawal.retire_now, withdrawal.withdraw) * 2
        ],
        lambda: fulfil.drain(at=world.now),
    )
    ended_whole(world, errors)
    assert len(errors) == 2 * len(held), "of the two, one is refused, each time it is pressed"


def test_withdrawn_at_the_last_moment_while_the_allocator_comes(world, held, together):  # noqa: F811
    at = ends_at(world.now)
    _, errors = together(
        *[lambda order=order: withdrawal.withdraw(order, at=at - at.resolution) for order in held],
        *[lambda: fulfil.drain(at=at)] * 3,
    )
    retired = ended_whole(world, errors)
    assert len(errors) == retired


def test_a_double_click_on_one_of_them(world, held, together):  # noqa: F811
    keeps, goes, *_ = held
    done, errors = together(
        *[lambda: withdrawal.retire_now(keeps, at=world.now)] * 5,
        *[lambda: withdrawal.withdraw(goes, at=world.now)] * 5,
    )
    assert (len(done), errors) == (10, [])
    states = dict(Order.objects.values_list("id", "state"))
    assert (states[keeps.id], states[goes.id]) == ("completed", "refunded")
    assert ended_whole(world, errors) == 3
