"""One order that cannot be fulfilled neither stops the others nor loses its money."""

from datetime import timedelta

import pytest

from diandian.audit import queries as audit
from diandian.flows import fulfil
from diandian.orders import rules
from diandian.orders.models import Intake, Order
from diandian.registry import actions as registry_actions
from diandian.registry.models import CreditBatch
from tests.flows.conftest import make_project

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


def _freeze_all():
    for batch in CreditBatch.objects.all():
        registry_actions.freeze(batch, "a report is being checked")


def _tried_until(order, at):
    """Let the allocator have its turns until a moment."""
    while (intake := Intake.objects.get(order=order)).state == "waiting":
        due = intake.next_attempt_at or order.created_at
        if due > at:
            return
        fulfil.drain(at=due)


def test_a_paid_order_on_a_frozen_batch_goes_to_people_at_its_deadline(world, unfulfilled):
    [order] = unfulfilled(1)
    _freeze_all()
    _tried_until(order, world.later(hours=72, seconds=-1))
    assert world.state(order) == "paid"
    _tried_until(order, world.later(hours=72))
    assert world.state(order) == "review"
    [entry] = audit.trail(order.ref)
    assert (entry.action, entry.at) == ("order.under_review", world.later(hours=72))
    assert "BatchNotOpenError" in entry.details["error"]
    assert world.stock().held_g == order.mass_g, "its grams stay held until people decide"


def test_the_deadline_counts_from_the_end_of_a_right_to_withdraw(world, unfulfilled, settings):
    settings.PAID_ORDER_HOURS = 2
    [order] = unfulfilled(1)
    ends = world.later(days=14)
    Order.objects.filter(id=order.id).update(withdrawal="kept", retire_after=ends)
    Intake.objects.update(next_attempt_at=ends)
    _freeze_all()
    _tried_until(order, ends + timedelta(hours=2, seconds=-1))
    assert world.state(order) == "paid"
    _tried_until(order, ends + timedelta(hours=2))
    assert world.state(order) == "review"


def test_an_order_first_tried_after_its_deadline_still_gets_its_turns(world, unfulfilled):
    [order] = unfulfilled(1)
    _freeze_all()
    late = world.later(hours=100)
    assert fulfil.drain(at=late) == 0
    assert world.state(order) == "paid"
    _tried_until(order, late + timedelta(minutes=10))
    assert world.state(order) == "review"


def test_orders_on_idle_batches_are_left_out_in_one_pass(world, unfulfilled, monkeypatch):
    waiting = unfulfilled(9)
    _freeze_all()
    monkeypatch.setattr(world, "project", make_project("other"))
    fine = unfulfilled(7)
    commits = []
    locked = fulfil._fulfil_locked

    def counted(order_ids, at):
        commits.append(len(order_ids))
        return locked(order_ids, at)

    monkeypatch.setattr(fulfil, "_fulfil_locked", counted)
    assert fulfil.drain(at=world.now) == 7
    assert commits == [16, 7], "one that finds the idle ones, one without them"
    assert {world.state(order) for order in waiting} == {"paid"}
    assert {world.state(order) for order in fine} == {"completed"}
    assert set(Intake.objects.filter(state="waiting").values_list("attempts", flat=True)) == {1}


def test_of_a_frozen_and_a_recalled_batch_each_owner_hears_its_own(world, unfulfilled, monkeypatch):
    frozen = unfulfilled(2)
    monkeypatch.setattr(world, "project", make_project("other"))
    recalled = unfulfilled(2)
    _freeze_all()
    CreditBatch.objects.filter(project=world.project).update(state="recalled")
    assert fulfil.drain(at=world.now) == 0
    errors = {each.order_id: each.error for each in Intake.objects.all()}
    assert all("does not serve retirements now" in errors[order.id] for order in frozen)
    assert all("was recalled" in errors[order.id] for order in recalled)
