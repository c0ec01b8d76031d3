"""One order that cannot be fulfilled neither stops the others nor loses its money."""

import pytest

from diandian.flows import fulfil
from diandian.orders import rules
from diandian.orders.models import Intake
from diandian.registry import actions as registry_actions
from diandian.registry.models import CreditBatch

pytestmark = pytest.mark.django_db


@pytest.fixture
def unfulfilled(world, monkeypatch):
    """Pay for orders while nobody fulfils them."""

    def pay(count):
        with monkeypatch.context() as patch:
            patch.setattr(fulfil, "fulfil_order", lambda *args, **kwargs: False)
            orders = [world.order(1_000, name=f"Guest {n}") for n in range(count)]
            assert {world.pay(order) for order in orders} == {"paid"}
        return orders

    return pay


def test_a_poison_order_does_not_stop_the_queue(world, unfulfilled, monkeypatch):
    orders = unfulfilled(3)
    build = fulfil.build

    def breaks(facts):
        if facts.display_name == "Guest 1":
            raise KeyError("a fault of ours")
        return build(facts)

    monkeypatch.setattr(fulfil, "build", breaks)
    assert fulfil.drain(at=world.now) == 2
    assert [world.state(order) for order in orders] == ["completed", "paid", "completed"]
    assert Intake.objects.get(order=orders[1]).attempts == 1
    monkeypatch.setattr(fulfil, "build", build)
    assert fulfil.drain(at=world.later(seconds=29)) == 0, "it waits before the next try"
    assert fulfil.drain(at=world.later(seconds=30)) == 1
    assert world.state(orders[1]) == "completed"


def test_a_paid_order_waits_while_its_batch_is_frozen(world, unfulfilled):
    [order] = unfulfilled(1)
    batch = CreditBatch.objects.get()
    registry_actions.freeze(batch, "a report is being checked")
    for hour in range(fulfil.GIVE_UP_AFTER + 2):
        assert fulfil.drain(at=world.later(hours=hour)) == 0
    assert world.state(order) == "paid"
    assert Intake.objects.get(order=order).attempts == fulfil.GIVE_UP_AFTER + 2
    registry_actions.thaw(CreditBatch.objects.get(), "nothing was wrong")
    assert fulfil.drain(at=world.later(hours=fulfil.GIVE_UP_AFTER + 2)) == 1
    assert world.state(order) == "completed"


def test_a_just_paid_order_is_due_at_once_behind_many_that_wait(world, unfulfilled, monkeypatch):
    failing = unfulfilled(3)
    build = fulfil.build
    monkeypatch.setattr(fulfil, "build", lambda facts: 1 / 0)
    assert fulfil.drain(at=world.now) == 0
    monkeypatch.setattr(fulfil, "build", build)
    [fresh] = unfulfilled(1)
    assert fulfil.drain(1, at=world.now) == 1
    assert world.state(fresh) == "completed"
    assert {world.state(order) for order in failing} == {"paid"}


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 30), (2, 60), (3, 120), (7, 1920), (8, 3600), (500, 3600)]
)
def test_failures_wait_longer_each_time_up_to_an_hour(failures, seconds):
    assert rules.wait_after(failures).total_seconds() == seconds
