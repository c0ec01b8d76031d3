"""A chargeback lost while the supplier's part is just moving: it comes back by itself, once."""

import pytest

from diandian.audit import queries as audit
from diandian.flows import disputes, payment_events, settling
from diandian.ledger import chart
from diandian.payments.gateways.sandbox import disputes as bank
from diandian.payments.gateways.sandbox import splits as sandbox
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Rejected
from diandian.payments.models import Dispute
from diandian.settlement.models import Line, Return
from tests.flows.settling import (
    AFTER,
    Lost,
    house_breaches,
    line_of,
    merchant_file,
    moved,
    payee,
    retired,
    settle,
)
from tests.office.test_credits import operator, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("statements_agree")]
LOSS = chart.chargeback_loss("CNY")


@pytest.fixture
def order(world, settings, tmp_path):
    merchant_file(tmp_path, settings, settlement="connect", shares=True)
    payee(at=world.now)
    return retired(world)


def lose(world, order):
    number = world.payment(order).payment_no
    ref, _ = bank.begin(world.peer, number, amount_minor=804, now=world.later(days=9))
    payment_events.refresh(number, at=world.later(days=9))
    bank.end(world.peer, ref, "lost", world.later(days=9))
    payment_events.refresh(number, at=world.later(days=9))


@pytest.mark.parametrize("really", [True, False])
def test_34_it_comes_back_by_itself_after_the_moving_ended(world, order, monkeypatch, really):
    with monkeypatch.context() as patch:
        Lost(patch, "split", really=really)
        settle(world, **AFTER)
    assert line_of(order).state == "unknown"
    lose(world, order)
    assert world.balance(LOSS) == 804, "what is not back yet is our loss"
    for days in (10, 11, 12):
        settling.settle(at=world.later(days=days))
    assert moved(world) == ([744], [744])
    assert (line_of(order).state, world.balance(LOSS)) == ("reversed", 60)
    assert Return.objects.count() == 1, "never twice"
    assert house_breaches() == []


def test_34_a_leg_that_fails_meanwhile_is_not_tried_anew(world, order, monkeypatch):
    sandbox_fails = Rejected("RECEIVER_INVALID")
    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "split", lambda *_, **__: sandbox_fails)
        settle(world, **AFTER)
    assert line_of(order).state == "failed"
    lose(world, order)
    for days in (10, 11):
        settling.settle(at=world.later(days=days))
    assert moved(world) == ([], [])
    assert (line_of(order).state, world.balance(LOSS)) == ("reversed", 60)
    assert house_breaches() == []


def test_34_two_chargebacks_at_once_each_take_their_share(world, order, monkeypatch):
    """The second one is lost while the first one's reversal has no answer yet."""
    settle(world, **AFTER)
    number = world.payment(order).payment_no
    refs = []
    for amount_minor in (402, 402):
        ref, _ = bank.begin(world.peer, number, amount_minor=amount_minor, now=world.later(days=9))
        refs.append(ref)
    payment_events.refresh(number, at=world.later(days=9))
    for ref in refs:
        bank.end(world.peer, ref, "lost", world.later(days=9))
    payment_events.refresh(number, at=world.later(days=9))
    for days in (10, 11, 12):
        settling.settle(at=world.later(days=days))
    assert moved(world) == ([744], [372, 372])
    assert (line_of(order).state, world.balance(LOSS)) == ("reversed", 60)
    assert house_breaches() == []


def test_34_meanwhile_the_desk_says_what_it_waits_for(world, order, monkeypatch):
    Lost(monkeypatch, "split", really=True)
    settle(world, **AFTER)
    lose(world, order)
    desk = operator("li", "view_batch", "view_line", "view_return")
    page = text(desk.get("/admin/settlement/batch/due/"))
    assert "Parts that are still to be taken back" in page
    assert f">{order.id}</a>" in page
    assert "nobody knows whether it was done" in page
    monkeypatch.undo()
    settling.settle(at=world.later(days=10))
    page = text(desk.get("/admin/settlement/batch/due/"))
    assert "Parts that are still to be taken back" not in page
    assert [e.action for e in audit.trail(order.ref)].count("settlement.waits") == 1


def test_34_what_the_gateway_contradicts_meanwhile_waits_for_people(world, order, monkeypatch):
    with monkeypatch.context() as patch:
        Lost(patch, "split", really=True)
        settle(world, **AFTER)
    lose(world, order)
    Dispute.objects.update(is_odd=True)
    settling.settle(at=world.later(days=10))
    assert (line_of(order).state, moved(world)) == ("paid", ([744], []))
    disputes.clear(Dispute.objects.get().id, actor="operator:li", reason="it is lost")
    for days in (11, 12):
        settling.settle(at=world.later(days=days))
    assert moved(world) == ([744], [744])


def test_34_a_receiver_without_enough_is_told_as_always(world, settings, tmp_path, monkeypatch):
    merchant_file(tmp_path, settings, settlement="connect", shares=True)
    payee(at=world.now, account=f"{sandbox.EMPTY_RECEIVER}-solar")
    order = retired(world)
    with monkeypatch.context() as patch:
        Lost(patch, "split", really=True)
        settle(world, **AFTER)
    lose(world, order)
    for days in (10, 11):
        settling.settle(at=world.later(days=days))
    assert "settlement.short" in {entry.action for entry in audit.trail(order.ref)}
    assert Line.objects.get().state == "paid"
    assert house_breaches() == []
