"""Money back after a retirement: who bears it, by who collected and by contract (rows 29, 35)."""

import pytest

from diandian.audit import queries as audit
from diandian.flows import (
    abnormal,
    accruing,
    fulfil,
    goodwill,
    payees,
    payment_events,
    payouts,
    refund,
    settling,
)
from diandian.ledger import chart
from diandian.payments.gateways.sandbox import disputes as bank
from diandian.payments.gateways.sandbox import refunds as desk
from diandian.payments.gateways.sandbox import splits as sandbox
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Rejected
from diandian.payments.models import Refund
from diandian.settlement.models import Line
from tests.flows.money import LI, WANG
from tests.flows.settling import (
    AFTER,
    SUPPLIER,
    Lost,
    bank_payee,
    house_breaches,
    line_of,
    merchant_file,
    payee,
    retired,
    settle,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("statements_agree")]
PAYABLE = chart.supplier_payable("CNY", SUPPLIER)
GOODWILL, IN_TRANSIT = chart.goodwill("CNY"), chart.refunds_in_transit("CNY")
GROSS = "CNY:9010:sandbox:platform/solar1"
OURS = "CNY:1110:sandbox:platform"


@pytest.fixture
def collected(world, settings, tmp_path):
    """A retired order whose price its supplier collected; our fee was divided off."""

    def make(*, shares):
        merchant_file(
            tmp_path,
            settings,
            settlement="gateway_split",
            sub_merchant="solar1",
            options=', split = "fee"',
            shares=shares,
        )
        payee(at=world.now, account="solar1")
        order = retired(world)
        settle(world, **AFTER)
        assert line_of(order).state == "paid"
        return order

    return make


@pytest.fixture
def passed_on(world, settings, tmp_path):
    """A retired order of which the gateway passed the supplier's part on."""

    def make(account="acct_solar"):
        merchant_file(tmp_path, settings, settlement="connect", shares=True)
        payee(at=world.now, account=account)
        order = retired(world)
        settle(world, **AFTER)
        assert line_of(order).state == "paid"
        return order

    return make


def give(world, order, amount_minor, *, at=None):
    at = at or world.later(days=9)
    asked = goodwill.ask(order.id, amount_minor=amount_minor, at=at, **LI)
    goodwill.confirm(asked, at=at, **WANG)
    return Refund.objects.get()


def balances(world, *codes):
    return tuple(world.balance(code) for code in codes)


# -- the supplier collected -------------------------------------------------------------------


def test_29_goodwill_out_of_a_suppliers_account_is_owed_to_the_supplier(world, collected):
    order = collected(shares=False)
    assert give(world, order, 300).state == "succeeded"
    assert balances(world, GOODWILL, PAYABLE, IN_TRANSIT) == (300, -300, 0)
    assert balances(world, GROSS, "CNY:9020:returned", "CNY:9020:refunding") == (504, 300, 0)
    assert house_breaches() == []
    bank_payee(at=world.now)
    settle(world, days=10)
    line = Line.objects.get(kind="advance")
    assert (line.rail, line.supplier_minor, line.state) == ("bank", 300, "due")
    assert accruing.accrue(at=world.later(days=11)) == 0
    assert house_breaches() == []


def test_29_goodwill_that_fails_there_is_owed_to_nobody(world, collected):
    order = collected(shares=False)
    desk.think(world.peer, world.payment(order).payment_no)
    made = give(world, order, 300)
    assert balances(world, GOODWILL, IN_TRANSIT, PAYABLE) == (300, -300, 0)
    desk.decide(world.peer, made.refund_no, "failed", world.later(days=9))
    refund.continue_refunds(at=world.later(days=10))
    assert balances(world, GOODWILL, IN_TRANSIT, PAYABLE) == (0, 0, 0)
    assert balances(world, GROSS, "CNY:9020:returned", "CNY:9020:refunding") == (804, 0, 0)
    assert house_breaches() == []


def test_35_a_supplier_who_stands_for_refunds_gets_our_fee_back_first(world, collected):
    order = collected(shares=True)
    assert balances(world, OURS, "CNY:4010") == (60, -57)
    assert give(world, order, 804).state == "succeeded"
    assert balances(world, OURS, "CNY:4010", "CNY:2310") == (0, 0, 0)
    assert balances(world, GOODWILL, PAYABLE, IN_TRANSIT) == (0, 0, 0)
    assert balances(world, GROSS, "CNY:9020:returned") == (0, 804)
    assert line_of(order).state == "reversed"
    assert house_breaches() == []


def test_33_what_was_given_back_in_a_suppliers_console_is_not_our_cost(world, collected):
    order = collected(shares=False)
    payment = world.payment(order)
    desk.by_hand(world.peer, payment.payment_no, 200, world.later(days=9))
    payment_events.refresh(payment.payment_no, at=world.later(days=9))
    assert Refund.objects.get().kind == "external"
    assert balances(world, GOODWILL, PAYABLE, IN_TRANSIT) == (0, 0, 0)
    assert balances(world, GROSS, "CNY:9020:returned") == (604, 200)
    assert house_breaches() == []


def test_32_what_a_supplier_paid_by_other_means_leaves_our_bank_alone(
    world, settings, tmp_path, crash
):
    merchant_file(tmp_path, settings, settlement="gateway_split", sub_merchant="solar1", options="")
    mend = crash(fulfil, "fulfil_order")
    order = world.order()
    world.choose(world.payment(order))
    payment_events.refresh(world.payment(order).payment_no, at=world.now)
    mend()
    desk.think(world.peer, world.payment(order).payment_no)
    made = refund.refund_order(order, "decided", at=world.now)
    desk.decide(world.peer, made.refund_no, "abnormal", world.now)
    refund.continue_refunds(at=world.later(hours=1))
    asked = abnormal.ask_otherwise(made.id, evidence="transfer 4711", at=world.now, **LI)
    goodwill.confirm(asked, at=world.now, **WANG)
    assert Refund.objects.get().state == "otherwise"
    assert balances(world, chart.bank("CNY"), IN_TRANSIT, "CNY:9020:refunding") == (0, 0, 0)
    assert balances(world, GROSS, "CNY:9020:returned") == (804, -804), "the gateway moved nothing"
    assert house_breaches() == []


# -- the gateway passed it on -----------------------------------------------------------------


def test_35_the_suppliers_part_comes_back_before_the_guest_gets_it(world, passed_on):
    order = passed_on()
    assert give(world, order, 804).state == "succeeded"
    taken = world.peer.run("SELECT amount_minor FROM reversal", ())
    assert taken == [(744,)]
    # What is left of it is the fee that we earned.
    assert balances(world, GOODWILL, OURS, PAYABLE) == (60, 0, 0)
    assert house_breaches() == []


def test_35_without_such_a_contract_nothing_is_taken_back(world):
    payee(at=world.now)
    order = retired(world)
    settle(world, **AFTER)
    give(world, order, 804)
    assert world.peer.run("SELECT amount_minor FROM reversal", ()) == []
    assert (world.balance(GOODWILL), line_of(order).state) == (804, "paid")


@pytest.mark.parametrize("really", [True, False])
def test_35_while_the_part_comes_back_the_refund_waits(world, passed_on, monkeypatch, really):
    order = passed_on()
    with monkeypatch.context() as patch:
        Lost(patch, "reverse_split", really=really)
        made = give(world, order, 804)
    assert (made.state, made.sent_at) == ("requested", None)
    settling.settle(at=world.later(days=10))
    refund.continue_refunds(at=world.later(days=11))
    made.refresh_from_db()
    assert made.state == "succeeded"
    assert world.peer.run("SELECT amount_minor FROM reversal", ()) == [(744,)]
    assert house_breaches() == []


def test_35_a_receiver_without_enough_is_told_and_waited_for(world, passed_on, monkeypatch):
    order = passed_on()
    said = Rejected("NOT_ENOUGH", retryable=True)
    monkeypatch.setattr(SandboxGateway, "reverse_split", lambda *_, **__: said)
    made = give(world, order, 804)
    for days in (10, 11):
        settling.settle(at=world.later(days=days))
        refund.continue_refunds(at=world.later(days=days))
    made.refresh_from_db()
    assert (made.state, made.sent_at) == ("requested", None)
    told = [entry.action for entry in audit.trail(order.ref)]
    assert told.count("settlement.waits") == 1, "once for each reason"
    assert "settlement.short" not in told
    settling.settle(at=world.later(days=14))
    refund.continue_refunds(at=world.later(days=14))
    made.refresh_from_db()
    assert (made.state, world.balance(GOODWILL)) == ("succeeded", 804)
    assert "settlement.short" in {entry.action for entry in audit.trail(order.ref)}
    assert house_breaches() == []


def test_35_a_reversal_that_may_have_arrived_is_never_given_up(world, passed_on, monkeypatch):
    """Its sending had no answer; then the gateway refuses all that it is asked, for a week."""
    order = passed_on()
    with monkeypatch.context() as patch:
        Lost(patch, "reverse_split", really=True)
        made = give(world, order, 804)
    with monkeypatch.context() as patch:
        busy = Rejected("busy", retryable=True)
        patch.setattr(SandboxGateway, "query_reversal", lambda *_, **__: busy)
        patch.setattr(SandboxGateway, "reverse_split", lambda *_, **__: busy)
        for days in (10, 14, 17):
            settling.settle(at=world.later(days=days))
            refund.continue_refunds(at=world.later(days=days))
    made.refresh_from_db()
    assert (made.state, made.sent_at) == ("requested", None)
    assert "settlement.short" not in {entry.action for entry in audit.trail(order.ref)}
    settling.settle(at=world.later(days=18))
    refund.continue_refunds(at=world.later(days=18))
    made.refresh_from_db()
    assert made.state == "succeeded"
    assert world.peer.run("SELECT amount_minor FROM reversal", ()) == [(744,)]
    assert house_breaches() == []


def test_35_where_nothing_can_be_taken_back_it_goes_from_our_funds(world, passed_on):
    order = passed_on(account=f"{sandbox.EMPTY_RECEIVER}-solar")
    assert give(world, order, 804).state == "succeeded"
    assert world.balance(GOODWILL) == 804
    assert "settlement.short" in {entry.action for entry in audit.trail(order.ref)}
    assert house_breaches() == []


def test_35_terms_that_change_later_change_no_refund(world, passed_on, settings, tmp_path):
    order = passed_on()
    asked = goodwill.ask(order.id, amount_minor=804, at=world.later(days=9), **LI)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SandboxGateway, "refund", lambda *_, **__: pytest.fail("not its turn"))
        Lost(patch, "reverse_split", really=False)
        goodwill.confirm(asked, at=world.later(days=9), **WANG)
    merchant_file(tmp_path, settings, settlement="connect", shares=False)
    settling.settle(at=world.later(days=10))
    refund.continue_refunds(at=world.later(days=11))
    assert world.balance(GOODWILL) == 60
    assert house_breaches() == []


# -- chargebacks ------------------------------------------------------------------------------


def lost(world, order):
    """Let a bank take an order's money for good, and tell us."""
    number = world.payment(order).payment_no
    ref, _ = bank.begin(world.peer, number, amount_minor=804, now=world.later(days=9))
    payment_events.refresh(number, at=world.later(days=9))
    bank.end(world.peer, ref, "lost", world.later(days=10))
    payment_events.refresh(number, at=world.later(days=10))


def test_34_a_part_in_a_gateways_statement_is_taken_back_after_a_lost_chargeback(world, passed_on):
    order = passed_on()
    facts = {"actor_ref": "ann", "at": world.later(**AFTER)}
    made = payouts.draft(supplier_ref=SUPPLIER, currency="CNY", rail="gateway", **facts)
    payouts.lock(made, **facts)
    lost(world, order)
    settling.settle(at=world.later(days=11))
    assert world.peer.run("SELECT amount_minor FROM reversal", ()) == [(744,)]
    assert world.balance(chart.chargeback_loss("CNY")) == 60
    assert line_of(order).state == "reversed"
    assert house_breaches() == []


@pytest.mark.parametrize(("shares", "loss_minor"), [(True, 60), (False, 804)])
def test_34_a_lost_chargeback_takes_the_suppliers_part_where_agreed(
    world, settings, tmp_path, shares, loss_minor
):
    merchant_file(tmp_path, settings, settlement="connect", shares=shares)
    payee(at=world.now)
    order = retired(world)
    settle(world, **AFTER)
    lost(world, order)
    settling.settle(at=world.later(days=11))
    assert world.balance(chart.chargeback_loss("CNY")) == loss_minor
    assert line_of(order).state == ("reversed" if shares else "paid")
    assert house_breaches() == []


def test_34_a_chargeback_stops_a_part_that_no_gateway_has_yet(world, settings, tmp_path, crash):
    merchant_file(tmp_path, settings, settlement="connect", shares=True)
    payee(at=world.now)
    order = retired(world)
    mend = crash(settling, "_send")
    settle(world, **AFTER)
    mend()
    assert line_of(order).state == "queued"
    number = world.payment(order).payment_no
    ref, _ = bank.begin(world.peer, number, amount_minor=804, now=world.later(days=9))
    payment_events.refresh(number, at=world.later(days=9))
    settling.settle(at=world.later(days=10))
    assert world.peer.run("SELECT * FROM leg", ()) == []
    assert (line_of(order).state, line_of(order).waits_for) == ("queued", "dispute")
    bank.end(world.peer, ref, "won", world.later(days=11))
    payment_events.refresh(number, at=world.later(days=11))
    settling.settle(at=world.later(days=12))
    assert line_of(order).state == "paid"
    assert house_breaches() == []


@pytest.mark.parametrize("state", ["due", "failed"])
def test_34_a_chargeback_stops_a_part_that_is_due_or_failed(world, settings, tmp_path, state):
    merchant_file(tmp_path, settings, settlement="connect", shares=True)
    payee(at=world.now)
    order = retired(world)
    accruing.accrue(at=world.now)
    Line.objects.update(state=state, next_look_at=world.later(days=10))
    number = world.payment(order).payment_no
    bank.begin(world.peer, number, amount_minor=804, now=world.later(days=9))
    payment_events.refresh(number, at=world.later(days=9))
    settling.settle(at=world.later(days=10))
    assert world.peer.run("SELECT * FROM leg", ()) == []
    assert line_of(order).waits_for == "dispute"


def test_an_account_out_of_force_gets_nothing_and_its_successor_all(world, crash):
    first = payee(at=world.now)
    order = retired(world)
    mend = crash(settling, "_send")
    settle(world, **AFTER)
    mend()
    payees.withdraw(first.id, actor_ref="ann", at=world.later(days=9))
    settling.settle(at=world.later(days=9))
    settling.settle(at=world.later(days=10))
    assert world.peer.run("SELECT * FROM leg", ()) == []
    assert (line_of(order).state, line_of(order).waits_for) == ("failed", "supplier")
    payee(at=world.later(days=10), account="acct_other")
    settling.settle(at=world.later(days=13))
    assert world.peer.run("SELECT receiver, amount_minor FROM leg", ()) == [("acct_other", 744)]
    assert house_breaches() == []


def test_a_lost_leg_to_an_account_out_of_force_waits_for_people(world, monkeypatch):
    first = payee(at=world.now)
    order = retired(world)
    with monkeypatch.context() as patch:
        Lost(patch, "split", really=False)
        settle(world, **AFTER)
    payees.withdraw(first.id, actor_ref="ann", at=world.later(days=9))
    settling.settle(at=world.later(days=9))
    assert world.peer.run("SELECT * FROM leg", ()) == []
    assert (line_of(order).state, line_of(order).waits_for) == ("unknown", "supplier")


# -- before the worker made the line ----------------------------------------------------------


def test_35_what_went_back_before_its_line_was_made_is_not_paid(world, settings, tmp_path):
    merchant_file(tmp_path, settings, settlement="connect", shares=True)
    payee(at=world.now)
    order = retired(world)
    assert give(world, order, 804).state == "succeeded"
    settle(world, days=12)
    assert world.peer.run("SELECT * FROM leg", ()) == []
    assert (world.balance(GOODWILL), world.balance(PAYABLE)) == (60, 0)
    assert line_of(order).state == "reversed"
    assert house_breaches() == []


def test_34_what_a_bank_took_before_its_line_was_made_is_not_paid(world, settings, tmp_path):
    merchant_file(tmp_path, settings, settlement="connect", shares=True)
    payee(at=world.now)
    order = retired(world)
    lost(world, order)
    settle(world, days=12)
    assert world.peer.run("SELECT * FROM leg", ()) == []
    assert world.balance(chart.chargeback_loss("CNY")) == 60
    assert line_of(order).state == "reversed"
    assert house_breaches() == []
