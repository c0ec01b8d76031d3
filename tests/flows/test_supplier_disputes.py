"""A part that its supplier disputed goes on as it was: nothing is paid twice, or comes back."""

import pytest

from diandian.flows import accruing, goodwill, payouts, settling
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Rejected
from diandian.settlement.lines import actions as line_actions
from diandian.settlement.models import Line
from tests.flows.money import LI, WANG
from tests.flows.settling import (
    AFTER,
    SUPPLIER,
    bank_payee,
    house_breaches,
    line_of,
    merchant_file,
    payee,
    retired,
    settle,
    supplier_collects,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("statements_agree")]
FACTS = {"supplier_ref": SUPPLIER, "currency": "CNY", "rail": "bank", "actor_ref": "ann"}


def dispute(world, order, **later):
    line_actions.dispute(line_of(order), note="wrong", actor_ref="ann", at=world.later(**later))


def settled(world, order, **later):
    line_actions.settle_dispute(line_of(order), actor_ref="ann", at=world.later(**later))


def give_all(world, order, **later):
    at = world.later(**later)
    asked = goodwill.ask(order.id, amount_minor=804, at=at, **LI)
    goodwill.confirm(asked, at=at, **WANG)


@pytest.mark.parametrize("collects", [True, False])
def test_a_failed_leg_is_asked_about_before_it_is_tried_again(
    world, settings, tmp_path, monkeypatch, collects
):
    if collects:
        supplier_collects(tmp_path, settings)
    payee(at=world.now, account="solar1")
    order = retired(world)
    real = SandboxGateway.split

    def refused_but_done(gateway, context, request, *, at):
        real(gateway, context, request, at=at)
        return Rejected("PARAM_ERROR")

    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "split", refused_but_done)
        settle(world, **AFTER)
    dispute(world, order, days=8)
    settling.settle(at=world.later(days=8, hours=1))
    settled(world, order, days=9)
    for days in (9, 10, 11):
        settling.settle(at=world.later(days=days))
    assert len(world.peer.run("SELECT split_no FROM leg", ())) == 1
    assert line_of(order).state == "paid"
    assert house_breaches() == []


def test_what_a_supplier_disputes_meanwhile_is_not_sent(world, monkeypatch):
    payee(at=world.now)
    order = retired(world)
    queue = line_actions.queue_split

    def disputed_first(line, **facts):
        dispute(world, order, days=8)
        return queue(line, **facts)

    monkeypatch.setattr(line_actions, "queue_split", disputed_first)
    settle(world, **AFTER)
    assert world.peer.run("SELECT split_no FROM leg", ()) == []
    assert (line_of(order).state, line_of(order).next_look_at) == ("due", None)


def test_a_part_that_went_back_whole_stays_so_when_its_dispute_is_settled(
    world, settings, tmp_path
):
    merchant_file(tmp_path, settings, settlement="connect", shares=True)
    payee(at=world.now)
    order = retired(world)
    accruing.accrue(at=world.now)
    dispute(world, order, days=1)
    give_all(world, order, days=2)
    assert line_of(order).state == "reversed"
    settled(world, order, days=3)
    settling.settle(at=world.later(days=9))
    assert (line_of(order).state, line_of(order).next_look_at) == ("reversed", None)
    assert house_breaches() == []


@pytest.fixture
def drafted(world, settings, tmp_path):
    """Two parts that are due at a bank, and their draft."""
    merchant_file(tmp_path, settings, settlement="principal", shares=True)
    bank_payee(world.now)
    orders = [retired(world), retired(world, name="Wu")]
    settle(world, **AFTER)
    return orders, payouts.draft(**FACTS, at=world.later(**AFTER))


def test_what_is_due_at_a_bank_waits_for_a_payout_again(world, drafted):
    [order, _], _ = drafted
    dispute(world, order, days=8)
    settled(world, order, days=9)
    assert (line_of(order).state, line_of(order).next_look_at) == ("due", None)
    assert payouts.draft(**FACTS, at=world.later(days=9)).net_minor == 2 * 744


def test_a_part_that_went_back_whole_comes_into_no_payout(world, drafted):
    [order, _], _ = drafted
    dispute(world, order, days=8)
    give_all(world, order, days=9)
    settled(world, order, days=10)
    settle(world, days=11)
    assert payouts.draft(**FACTS, at=world.later(days=12)).net_minor == 744
    assert line_of(order).state == "reversed"


def test_a_payout_that_is_given_up_wakes_nothing_that_went_back(world, drafted):
    [order, other], batch = drafted
    # It was found due, went back, and only then came into the draft.
    Line.objects.filter(id=line_of(order).id).update(state="reversed")
    payouts.cancel(batch, reason="wrong", actor_ref="ann", at=world.later(days=9))
    assert (line_of(order).state, line_of(other).state) == ("reversed", "due")
    line_actions.put_into(batch, [line_of(order).id, line_of(other).id])
    assert (line_of(order).batch, line_of(other).batch) == (None, batch)
    Line.objects.filter(id=line_of(order).id).update(state="due")
