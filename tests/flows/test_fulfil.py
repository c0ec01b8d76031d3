"""One order that cannot be fulfilled neither stops the others nor loses its money."""

import pytest

from diandian.flows import fulfil
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
    assert fulfil.drain(at=world.now) == 1
    assert world.state(orders[1]) == "completed"


def test_a_paid_order_waits_while_its_batch_is_frozen(world, unfulfilled):
    [order] = unfulfilled(1)
    batch = CreditBatch.objects.get()
    registry_actions.freeze(batch, "a report is being checked")
    for _ in range(fulfil.GIVE_UP_AFTER + 2):
        assert fulfil.drain(at=world.now) == 0
    assert world.state(order) == "paid"
    registry_actions.thaw(CreditBatch.objects.get(), "nothing was wrong")
    assert fulfil.drain(at=world.now) == 1
    assert world.state(order) == "completed"
