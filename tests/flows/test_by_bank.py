"""A part that no gateway divides any more is settled by bank, once."""

from datetime import timedelta

import pytest

from diandian.audit import queries as audit
from diandian.flows import by_bank, goodwill, payouts, settling
from diandian.kernel.money import Money
from diandian.ledger import actions as ledger_actions
from diandian.ledger import chart
from diandian.ledger.rules import build_remedy
from diandian.payments.gateways.sandbox import splits as sandbox
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import NOT_FOUND, Rejected, Unknown
from diandian.settlement.errors import LineMovesError
from diandian.settlement.lines import actions as line_actions
from diandian.settlement.models import Line
from tests.flows.settling import (
    SUPPLIER,
    bank_payee,
    house_breaches,
    line_of,
    payee,
    retired,
    settle,
    supplier_collects,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("statements_agree")]
PAYABLE = chart.supplier_payable("CNY", SUPPLIER)
DUE_FROM = chart.due_from_supplier("CNY", SUPPLIER)
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
    back = Line.objects.get(kind="advance")
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
    looks_at = line_of(order).next_look_at
    with pytest.raises(LineMovesError):
        # Its time has come: the worker may just be sending it.
        by_bank.settle(line_of(order), actor_ref="ann", at=looks_at)
    by_bank.settle(line_of(order), actor_ref="ann", at=looks_at - timedelta(seconds=1))
    days_go_by(world, last=30)
    assert (line_of(order).state, line_of(order).rail) == ("due", "bank")
    assert [split.state for split in line_of(order).splits.all()] == ["failed"]
    assert house_breaches() == []


def test_what_was_sent_again_while_the_gateway_was_asked_is_not_paid_by_bank(world, monkeypatch):
    order = given_up(world)
    at = world.later(days=20)

    def sent_meanwhile(*_, **__):
        line = line_of(order)
        line_actions.queue_split(line, receiver="acct_solar", at=at)
        Line.objects.filter(id=line.id).update(state="failed", next_look_at=None)
        return Rejected(NOT_FOUND, "", retryable=False)

    monkeypatch.setattr(SandboxGateway, "query_split", sent_meanwhile)
    with pytest.raises(LineMovesError):
        by_bank.settle(line_of(order), actor_ref="ann", at=at)
    assert line_of(order).rail == "gateway"


def test_what_is_just_sent_for_the_first_time_is_not_paid_by_bank(world, monkeypatch):
    order = given_up(world)
    at = world.later(days=20)
    line_actions.queue_split(line_of(order), receiver="acct_solar", at=at)
    unknown = Rejected(NOT_FOUND, "", retryable=False)
    monkeypatch.setattr(SandboxGateway, "query_split", lambda *_, **__: unknown)
    with pytest.raises(LineMovesError):
        by_bank.settle(line_of(order), actor_ref="ann", at=at)
    assert (line_of(order).state, line_of(order).rail) == ("queued", "gateway")


def test_what_is_still_tried_is_not_paid_by_bank(world):
    payee(at=world.now, account=sandbox.CLOSED_RECEIVER)
    order = retired(world)
    settle(world, days=8)
    assert line_of(order).state == "failed"
    with pytest.raises(LineMovesError):
        by_bank.settle(line_of(order), actor_ref="ann", at=world.later(days=8))
