"""Who fulfils what was paid: the allocator while it leads, the request where nobody does."""

from datetime import timedelta

import pytest

from diandian.flows import allocator, fulfil
from diandian.flows.allocator import Allocator
from diandian.kernel.memory import Memory
from diandian.orders import queries, rules
from diandian.orders.models import AllocatorLease

pytestmark = pytest.mark.django_db


@pytest.fixture
def leader():
    made = Allocator("one")
    yield made
    made.retire()
    Memory.forget_everything()


def lead(candidate, at):
    led = candidate.lead(at=at)
    Memory.forget_everything()
    return led


def test_without_an_allocator_the_request_that_heard_of_the_payment_fulfils(world):
    assert world.pay(world.order()) == "completed"


def test_with_an_allocator_paid_orders_wait_for_it_and_go_in_one_commit(
    world, leader, django_assert_num_queries
):
    assert lead(leader, world.now)
    orders = [world.order(1_000, name=f"Guest {n}") for n in range(20)]
    assert {world.pay(order) for order in orders} == {"paid"}
    assert queries.oldest_waiting() is not None
    assert leader.allocate() == 20
    assert {world.state(order) for order in orders} == {"completed"}
    assert queries.oldest_waiting() is None
    assert leader.allocate() == 0


def test_a_page_that_waits_sees_what_the_allocator_does_meanwhile(world, leader, monkeypatch):
    lead(leader, world.now)
    order = world.order()
    world.pay(order)
    looks = []

    def sleep(seconds):
        looks.append(seconds)
        if len(looks) == 2:
            leader.allocate()

    monkeypatch.setattr(allocator.time, "sleep", sleep)
    assert allocator.wait_for(order.id, order.token) == "completed"
    assert len(looks) == 2


def test_a_page_waits_less_than_a_second_and_after_that_no_page_waits(world, leader, monkeypatch):
    lead(leader, world.now)
    order = world.order()
    world.pay(order)
    slept = []
    monkeypatch.setattr(allocator.time, "sleep", slept.append)
    assert allocator.wait_for(order.id, order.token) == "paid"
    assert 0.3 < sum(slept) < 1
    slept.clear()
    assert allocator.wait_for(order.id, order.token) == "paid"
    assert slept == [], "orders that hang must not keep the server's threads"


def test_what_a_dead_allocator_left_is_fulfilled_by_the_guests_own_page(world, leader, clock):
    lead(leader, world.now)
    order = world.order()
    assert world.pay(order) == "paid"
    clock.shift(rules.LEASE_LASTS + timedelta(seconds=1))
    Memory.forget_everything()
    assert allocator.wait_for(order.id, order.token) == "completed"


def test_the_lease_passes_on_when_it_runs_out_and_at_once_when_it_is_given_up(db):
    from tests.flows.conftest import NOW

    def take(holder, seconds, *, over_others=False):
        from diandian.orders import actions

        at = NOW + timedelta(seconds=seconds)
        return actions.take_lease(holder, over_others=over_others, at=at)

    assert take("one", 0)
    assert not take("two", 1)
    assert take("one", 1), "its holder goes on"
    assert not take("two", 2.9)
    assert take("two", 3.1), "nothing was heard of the first for two seconds"
    assert not take("one", 3.2)
    assert take("one", 3.3, over_others=True), "whom the database's own lock lets in, leads"
    from diandian.orders import actions

    actions.end_lease("one")
    assert take("two", 3.4)
    assert AllocatorLease.objects.count() == 1


def test_the_allocator_leaves_what_is_under_review_and_what_must_wait(world, leader, monkeypatch):
    lead(leader, world.now)
    order = world.order()
    world.pay(order)
    monkeypatch.setattr(fulfil, "build", lambda facts: 1 / 0)
    assert leader.allocate() == 0
    assert leader.allocate() == 0
    order.refresh_from_db()
    assert (order.state, order.intake.attempts) == ("paid", 1), "tried once, then left to its time"
