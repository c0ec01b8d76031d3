"""A part that no gateway divides any more is settled by bank, once."""

from datetime import timedelta

import pytest

from diandian.audit import queries as audit
from diandian.flows import (
    accruing,
    by_bank,
    goodwill,
    matched,
    payees,
    payment_events,
    payouts,
    settling,
)
from diandian.kernel.money import Money
from diandian.ledger import actions as ledger_actions
from diandian.ledger import chart
from diandian.ledger.rules import build_remedy
from diandian.payments.gateways.sandbox import disputes as bank
from diandian.payments.gateways.sandbox import splits as sandbox
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Rejected, Unknown
from diandian.settlement.errors import LineMovesError
from diandian.settlement.models import Line
from tests.flows.settling import (
    SUPPLIER,
    Lost,
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
PAYABLE = chart.supplier_payable("CNY", SUPPLIER)
DUE_FROM = chart.due_from_supplier("CNY", SUPPLIER)
real_is_matched = matched.is_matched
FACTS = {"supplier_ref": SUPPLIER, "currency": "CNY", "rail": "bank"}


def give_back(world, order):
    """Give a guest all money back at our cost, before the part is due."""
    asked = goodwill.ask(order.id, amount_minor=804, actor="ann", reason="sorry", at=world.now)
    goodwill.confirm(asked, actor="bo", at=world.now)


def days_go_by(world, last=20):
    for day in range(8, last):
        settle(world, days=day)


def pay_by_bank(world, settings, tmp_path):
    accounts = tmp_path / "payers.toml"
    accounts.write_text('[CNY]\nname = "D"\naccount = "1"\nbank = "B"\ncnaps = "102000000000"\n')
    settings.PAYER_ACCOUNTS_FILE = str(accounts)
    settings.PAYOUT_MINIMUM_MINOR = 100
    at = world.later(days=21)
    batch = payouts.lock(payouts.draft(**FACTS, actor_ref="ann", at=at), actor_ref="ann", at=at)
    payouts.approve(batch, actor_ref="bo", at=at)
    payouts.export(batch, form="neutral", actor_ref="bo", at=at)
    payouts.mark_paid(batch, bank_ref="B-1", actor_ref="ann", at=at)
    return batch


def given_up(world, **facts):
    payee(at=world.now, account="acct_solar", **facts)
    bank_payee(world.now)
    order = retired(world)
    give_back(world, order)
    days_go_by(world)
    assert (line_of(order).state, line_of(order).next_look_at) == ("failed", None)
    return order


def test_a_part_whose_guest_got_the_money_back_is_paid_by_bank(world, settings, tmp_path):
    order = given_up(world)
    by_bank.settle(line_of(order), actor_ref="ann", at=world.later(days=20))
    assert (line_of(order).state, line_of(order).rail) == ("due", "bank")
    with pytest.raises(LineMovesError):
        by_bank.settle(line_of(order), actor_ref="ann", at=world.later(days=20))
    assert pay_by_bank(world, settings, tmp_path).net_minor == 744
    assert line_of(order).state == "paid"
    assert (world.balance(PAYABLE), world.balance("CNY:1010")) == (0, -744)
    assert "settlement.by_bank" in {entry.action for entry in audit.trail(order.ref)}
    assert settling.settle(at=world.later(days=30)) == 0
    assert house_breaches() == []


def test_a_fee_that_cannot_be_divided_off_is_taken_off_what_we_owe(world, settings, tmp_path):
    supplier_collects(tmp_path, settings)
    payee(at=world.now, account="solar1")
    bank_payee(world.now)
    order = retired(world)
    give_back(world, order)
    days_go_by(world)
    assert line_of(order).next_look_at is None
    by_bank.settle(line_of(order), actor_ref="ann", at=world.later(days=20))
    assert (line_of(order).state, world.balance(DUE_FROM)) == ("paid", 60)
    # The supplier's account paid 804 for us, of which 60 are our fee.
    assert pay_by_bank(world, settings, tmp_path).net_minor == 744
    assert (world.balance(DUE_FROM), world.balance(PAYABLE)) == (0, 0)
    assert set(Line.objects.values_list("state", flat=True)) == {"paid"}
    assert house_breaches() == []


@pytest.mark.parametrize("taken_off", [True, False])
def test_a_fee_claimed_by_bank_goes_back_with_a_refund_that_the_supplier_stands_for(
    world, settings, tmp_path, monkeypatch, taken_off
):
    supplier_collects(tmp_path, settings, shares=True)
    payee(at=world.now, account="solar1")
    bank_payee(world.now)
    order = retired(world)
    monkeypatch.setattr(SandboxGateway, "split", lambda *_, **__: Rejected("not_allowed"))
    days_go_by(world)
    by_bank.settle(line_of(order), actor_ref="ann", at=world.later(days=20))
    assert (world.balance(DUE_FROM), world.balance("CNY:4010")) == (60, -57)
    other = Line.objects.filter(kind="claim")
    if taken_off:
        ledger_actions.post(
            kind="remedy",
            source_ref="remedy:1",
            owner_ref="remedy:1",
            lines=build_remedy(Money(500, "CNY"), supplier_ref=SUPPLIER),
            at=world.later(days=20),
        )
        settle(world, days=21)
        assert pay_by_bank(world, settings, tmp_path).net_minor == 440
        assert {line.state for line in other} == {"paid"}
    asked = goodwill.ask(order.id, amount_minor=402, actor="li", reason="sorry", at=world.now)
    goodwill.confirm(asked, actor="wang", at=world.later(days=22))
    assert world.balance("CNY:4010") + world.balance("CNY:2310") == -30
    assert (world.balance(PAYABLE), world.balance(DUE_FROM)) == (-30, 0 if taken_off else 60)
    settle(world, days=23)
    back = Line.objects.get(kind="fee_back")
    assert (back.supplier_minor, back.rail, back.state) == (30, "bank", "due")
    assert (line_of(order).state, line_of(order).returned_minor) == ("paid", 30)
    assert house_breaches() == []


@pytest.mark.parametrize("answer", [Unknown("timeout"), Rejected("busy", "", True)])
def test_what_the_gateway_may_have_done_is_not_paid_by_bank_too(world, monkeypatch, answer):
    order = given_up(world)
    monkeypatch.setattr(SandboxGateway, "query_split", lambda *_, **__: answer)
    with pytest.raises(LineMovesError):
        by_bank.settle(line_of(order), actor_ref="ann", at=world.later(days=20))
    assert (line_of(order).state, line_of(order).rail) == ("failed", "gateway")


def test_what_goes_by_bank_and_was_divided_too_is_a_breach(world):
    payee(at=world.now)
    order = retired(world)
    settle(world, days=8)
    assert (line_of(order).state, house_breaches()) == ("paid", [])
    Line.objects.filter(id=line_of(order).id).update(rail="bank")
    assert "S1" in {breach.rule for breach in house_breaches()}


def test_what_is_refused_for_now_for_days_goes_by_bank_too(world, monkeypatch):
    payee(at=world.now)
    bank_payee(world.now)
    order = retired(world)
    later = Rejected("balance", "", retryable=True)
    monkeypatch.setattr(SandboxGateway, "split", lambda *_, **__: later)
    settle(world, days=8)
    with pytest.raises(LineMovesError):
        by_bank.settle(line_of(order), actor_ref="ann", at=world.later(days=8))
    days_go_by(world)
    assert line_of(order).state == "queued"
    sent_at = line_of(order).splits.get().sent_at
    with pytest.raises(LineMovesError):
        # It was just sent: the gateway may not know of it yet.
        by_bank.settle(line_of(order), actor_ref="ann", at=sent_at + timedelta(minutes=4))
    by_bank.settle(line_of(order), actor_ref="ann", at=sent_at + timedelta(minutes=6))
    days_go_by(world, last=30)
    assert (line_of(order).state, line_of(order).rail) == ("due", "bank")
    assert [split.state for split in line_of(order).splits.all()] == ["failed"]
    assert house_breaches() == []


def test_what_is_still_tried_is_not_paid_by_bank(world):
    payee(at=world.now, account=sandbox.CLOSED_RECEIVER)
    order = retired(world)
    settle(world, days=8)
    assert line_of(order).state == "failed"
    with pytest.raises(LineMovesError):
        by_bank.settle(line_of(order), actor_ref="ann", at=world.later(days=8))


def test_a_leg_that_never_arrived_at_an_account_out_of_force_goes_by_bank(world, monkeypatch):
    first = payee(at=world.now)
    bank_payee(world.now)
    order = retired(world)
    with monkeypatch.context() as patch:
        Lost(patch, "split", really=False)
        settle(world, days=8)
    payees.withdraw(first.id, actor_ref="ann", at=world.later(days=9))
    payee(at=world.later(days=9, hours=1), account="acct_other")
    days_go_by(world)
    assert (line_of(order).state, line_of(order).waits_for) == ("unknown", "supplier")
    by_bank.settle(line_of(order), actor_ref="ann", at=world.later(days=20))
    assert (line_of(order).state, line_of(order).rail) == ("due", "bank")
    days_go_by(world, last=30)
    assert world.peer.run("SELECT * FROM leg", ()) == []
    assert house_breaches() == []


def test_a_lost_leg_that_arrived_is_not_paid_by_bank_too(world, monkeypatch):
    payee(at=world.now)
    order = retired(world)
    Lost(monkeypatch, "split", really=True)
    settle(world, days=8)
    with pytest.raises(LineMovesError):
        by_bank.settle(line_of(order), actor_ref="ann", at=world.later(days=20))
    assert (line_of(order).state, line_of(order).rail) == ("unknown", "gateway")


def test_the_part_of_a_supplier_without_an_account_at_the_gateway_goes_by_bank(
    world, settings, tmp_path
):
    bank_payee(world.now)
    order = retired(world)
    days_go_by(world, last=11)
    with pytest.raises(LineMovesError):
        by_bank.settle(line_of(order), actor_ref="ann", at=world.later(days=11))
    days_go_by(world)
    assert (line_of(order).state, line_of(order).waits_for) == ("waiting", "supplier")
    by_bank.settle(line_of(order), actor_ref="ann", at=world.later(days=20))
    assert pay_by_bank(world, settings, tmp_path).net_minor == 744
    assert (line_of(order).state, world.balance(PAYABLE)) == ("paid", 0)
    assert house_breaches() == []


@pytest.mark.parametrize("stands", [True, False])
def test_the_part_of_a_merchant_out_of_use_goes_by_bank_once_its_statement_is_there(
    world, settings, tmp_path, monkeypatch, stands
):
    merchant_file(tmp_path, settings, settlement="connect")
    payee(at=world.now)
    bank_payee(world.now)
    order = retired(world)
    accruing.accrue(at=world.now)
    (tmp_path / "merchants.toml").unlink()
    settings.MERCHANTS_FILE = ""
    days_go_by(world)
    assert (line_of(order).state, line_of(order).waits_for) == ("waiting", "merchant")
    monkeypatch.setattr(matched, "is_matched", real_is_matched)
    monkeypatch.setattr(matched, "stands_on_statement", lambda payment: stands)
    if stands:
        by_bank.settle(line_of(order), actor_ref="ann", at=world.later(days=20))
    else:
        with pytest.raises(LineMovesError):
            by_bank.settle(line_of(order), actor_ref="ann", at=world.later(days=20))
    assert line_of(order).rail == ("bank" if stands else "gateway")


def test_what_is_not_on_a_statement_waits_for_it(world, monkeypatch):
    bank_payee(world.now)
    order = retired(world)
    days_go_by(world)
    monkeypatch.setattr(matched, "is_matched", lambda payment: False)
    with pytest.raises(LineMovesError):
        by_bank.settle(line_of(order), actor_ref="ann", at=world.later(days=20))


def test_what_a_bank_disputes_waits_for_its_word(world):
    bank_payee(world.now)
    order = retired(world)
    days_go_by(world)
    number = world.payment(order).payment_no
    ref, _ = bank.begin(world.peer, number, amount_minor=804, now=world.later(days=20))
    payment_events.refresh(number, at=world.later(days=20))
    with pytest.raises(LineMovesError):
        by_bank.settle(line_of(order), actor_ref="ann", at=world.later(days=20))
    bank.end(world.peer, ref, "won", world.later(days=21))
    payment_events.refresh(number, at=world.later(days=21))
    settle(world, days=22)
    by_bank.settle(line_of(order), actor_ref="ann", at=world.later(days=22))
    assert line_of(order).rail == "bank"


def test_what_goes_by_bank_anyway_is_nothing_to_let_go(world):
    ledger_actions.post(
        kind="remedy",
        source_ref="remedy:1",
        owner_ref="remedy:1",
        lines=build_remedy(Money(500, "CNY"), supplier_ref=SUPPLIER),
        at=world.now,
    )
    settle(world, days=20)
    with pytest.raises(LineMovesError):
        by_bank.settle(Line.objects.get(), actor_ref="ann", at=world.later(days=20))


def test_a_fee_claimed_by_bank_lets_go_what_the_gateway_holds(
    world, settings, tmp_path, monkeypatch
):
    supplier_collects(tmp_path, settings)
    payee(at=world.now, account="solar1")
    bank_payee(world.now)
    order = retired(world)
    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "split", lambda *_, **__: Rejected("not_allowed"))
        days_go_by(world)
    by_bank.settle(line_of(order), actor_ref="ann", at=world.later(days=20))
    assert (line_of(order).state, line_of(order).rest) == ("paid", "held")
    settle(world, days=21)
    released = world.peer.run("SELECT number FROM moved WHERE what = 'released'", ())
    assert released == [(f"U{line_of(order).payment_no}",)]
    assert (line_of(order).rest, line_of(order).next_look_at) == ("released", None)
    assert house_breaches() == []
