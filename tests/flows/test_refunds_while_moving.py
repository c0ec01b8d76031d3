"""A refund does not wait for ever for a moving part: its share is taken later, by itself, once."""

import pytest

from diandian.audit import queries as audit
from diandian.flows import payouts, refund, waiting_shares
from diandian.ledger import chart
from diandian.payments.gateways.sandbox import refunds as bank
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Rejected
from diandian.settlement.models import Line, Return
from tests.flows.settling import (
    AFTER,
    SUPPLIER,
    Lost,
    bank_payee,
    give,
    goes_on,
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
PAYABLE = chart.supplier_payable("CNY", SUPPLIER)
DUE_FROM = chart.due_from_supplier("CNY", SUPPLIER)
GOODWILL = chart.goodwill("CNY")
DESK = "/admin/settlement/batch/due/"


def went(made):
    made.refresh_from_db()
    return made.state, made.share_waits


# -- through a gateway that does not answer -----------------------------------------------------


@pytest.fixture
def order(world, settings, tmp_path):
    """A retired order whose supplier stands for refunds; its gateway passes the part on."""
    merchant_file(tmp_path, settings, settlement="connect", shares=True)
    payee(at=world.now)
    return retired(world)


@pytest.fixture
def silent(world, order, monkeypatch):
    """Nobody knows whether the part arrived; ``undo`` lets the gateway answer again."""
    Lost(monkeypatch, "split", really=True)
    Lost(monkeypatch, "query_split", really=False)
    settle(world, **AFTER)
    assert line_of(order).state == "unknown"
    return monkeypatch


def test_35_after_three_days_it_goes_and_the_share_follows_once(world, order, silent):
    made = give(world, order)
    goes_on(world, [10, 11])
    assert went(made) == ("requested", False)
    goes_on(world, [13])
    assert went(made) == ("succeeded", True)
    assert world.balance(GOODWILL) == 804, "out of our own funds so far"
    assert "settlement.short" in {each.action for each in audit.trail(order.ref)}
    silent.undo()
    goes_on(world, [14, 15, 16])
    assert went(made) == ("succeeded", False)
    assert moved(world) == ([744], [744])
    assert (line_of(order).state, world.balance(GOODWILL)) == ("reversed", 60)
    assert Return.objects.count() == 1, "never twice"
    assert house_breaches() == []


def test_35_of_a_refund_that_failed_meanwhile_nothing_is_taken(world, order, silent):
    bank.think(world.peer, world.payment(order).payment_no)
    made = give(world, order)
    goes_on(world, [13])
    assert went(made) == ("processing", True)
    bank.decide(world.peer, made.refund_no, "failed", world.later(days=13))
    refund.continue_refunds(at=world.later(days=14))
    assert went(made) == ("failed", True)
    silent.undo()
    goes_on(world, [15, 16])
    assert went(made) == ("failed", False)
    assert (moved(world), line_of(order).state) == (([744], []), "paid")
    assert house_breaches() == []


def test_35_a_leg_that_fails_meanwhile_is_not_tried_anew_for_it(world, order, monkeypatch):
    with monkeypatch.context() as patch:
        Lost(patch, "split", really=False)
        Lost(patch, "query_split", really=False)
        settle(world, **AFTER)
        made = give(world, order)
        goes_on(world, [13])
    assert went(made) == ("succeeded", True)
    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "split", lambda *_, **__: Rejected("RECEIVER_INVALID"))
        goes_on(world, [14, 15])
    goes_on(world, [16, 17])
    assert went(made) == ("succeeded", False)
    assert moved(world) == ([], [])
    assert (line_of(order).state, world.balance(GOODWILL)) == ("reversed", 60)
    assert house_breaches() == []


def test_35_meanwhile_the_desk_says_what_it_waits_for(world, order, silent):
    give(world, order, 402)
    goes_on(world, [13])
    desk = operator("li", "view_batch", "view_line", "view_return")
    page = text(desk.get(DESK))
    assert "Parts that are still to be taken back" in page
    assert f">{order.id}</a>" in page
    assert "¥4.02" in page
    assert "nobody knows whether it was done" in page
    silent.undo()
    goes_on(world, [14])
    assert "Parts that are still to be taken back" not in text(desk.get(DESK))


# -- in a payout that is at our bank ------------------------------------------------------------


@pytest.fixture
def at_bank(world, settings, tmp_path):
    """Two orders of credits of our own, whose parts are in a payout that the bank has."""
    merchant_file(tmp_path, settings, settlement="principal", shares=True)
    payers = tmp_path / "payers.toml"
    payers.write_text('[CNY]\nname = "Diandian"\naccount = "1000200030004000"\n', encoding="utf-8")
    settings.PAYER_ACCOUNTS_FILE = str(payers)
    settings.PAYOUT_MINIMUM_MINOR = 100
    bank_payee(world.now)
    orders = [retired(world), retired(world, name="Wu")]
    settle(world, **AFTER)
    facts = {"at": world.later(**AFTER)}
    batch = payouts.draft(
        supplier_ref=SUPPLIER, currency="CNY", rail="bank", actor_ref="ann", **facts
    )
    payouts.lock(batch, actor_ref="ann", **facts)
    payouts.approve(batch, actor_ref="bo", **facts)
    payouts.export(batch, form="neutral", actor_ref="bo", **facts)
    return orders, batch


def told(batch, state):
    head = "number,amount,currency,state,bank_ref,reason\n"
    return (head + f"{batch.number},14.88,CNY,{state},B-1,closed\n").encode()


@pytest.mark.parametrize(("amount", "share"), [(804, 744), (402, 372)])
@pytest.mark.parametrize("state", ["paid", "failed"])
def test_35_a_bank_that_takes_a_week_costs_us_no_share(world, at_bank, state, amount, share):
    (order, _), batch = at_bank
    made = give(world, order, amount)
    goes_on(world, [13])
    assert went(made) == ("succeeded", True)
    assert line_of(order).state == "submitted"
    payouts.import_results(told(batch, state), actor_ref="ann", at=world.later(days=15))
    goes_on(world, [16, 17])
    assert went(made) == ("succeeded", False)
    assert world.balance(GOODWILL) == amount - share
    claims = [line.supplier_minor for line in Line.objects.filter(kind="claim")]
    if state == "paid":
        assert (claims, world.balance(DUE_FROM)) == ([-share], share)
    else:
        assert (claims, -world.balance(PAYABLE)) == ([], 1488 - share)
    assert house_breaches() == []


def test_35_what_a_bank_keeps_for_weeks_keeps_no_other_share_waiting(world, at_bank):
    (order, _), _ = at_bank
    first = give(world, order)
    goes_on(world, [13])
    # Of a later payout that ends at once.
    later = retired(world, name="Zhou")
    settle(world, days=14)
    Line.objects.filter(id=line_of(later).id).update(state="submitted")
    second = give(world, later, days=14)
    goes_on(world, [18])
    assert [went(each) for each in (first, second)] == [("succeeded", True)] * 2
    Line.objects.filter(id=line_of(later).id).update(state="due")
    waiting_shares.take_back_waiting(1, at=world.later(days=18))
    assert [went(each) for each in (first, second)] == [("succeeded", True), ("succeeded", False)]
