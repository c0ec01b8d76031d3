"""What a supplier gave for a refund that does not happen is settled with it again, once."""

import pytest

from diandian.audit import queries as audit
from diandian.flows import payment_events, refund, settling
from diandian.ledger import chart
from diandian.payments.gateways.sandbox import disputes as bank
from diandian.payments.gateways.sandbox import refunds as desk
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Rejected
from diandian.payments.models import Dispute
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
    passed_on_shared,
    payee,
    retired,
    settle,
    supplier_collects,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("statements_agree")]
PAYABLE = chart.supplier_payable("CNY", SUPPLIER)
DUE_FROM = chart.due_from_supplier("CNY", SUPPLIER)
GOODWILL, LOSS = chart.goodwill("CNY"), chart.chargeback_loss("CNY")


@pytest.fixture
def passed_on(world, settings, tmp_path):
    """A retired order of which the gateway passed 744 of 804 on, to who stands for refunds."""
    bank_payee(world.now)
    return passed_on_shared(world, settings, tmp_path)


@pytest.fixture
def collected(world, settings, tmp_path):
    """A retired order whose 804 such a supplier collected; our fee of 60 was divided off."""
    supplier_collects(tmp_path, settings, shares=True)
    payee(at=world.now, account="solar1")
    bank_payee(world.now)
    order = retired(world)
    settle(world, **AFTER)
    assert line_of(order).state == "paid"
    return order


def fails(world, order, amount_minor):
    """Grant a refund whose share comes back, and that the gateway then does not make."""
    number = world.payment(order).payment_no
    desk.think(world.peer, number)
    made = give(world, order, amount_minor)
    desk.decide(world.peer, made.refund_no, "failed", world.later(days=9))
    refund.continue_refunds(at=world.later(days=10))
    made.refresh_from_db()
    assert made.state == "failed"
    desk.think(world.peer, number, thinks=False)


def taken(world):
    return [minor for (minor,) in world.peer.run("SELECT amount_minor FROM reversal", ())]


def owed_by_bank():
    """Return what is due to the supplier by bank, and what is to be taken off."""
    due = [
        (line.kind, line.supplier_minor) for line in Line.objects.filter(rail="bank", state="due")
    ]
    owed = sum(minor for kind, minor in due if kind in {"given_back", "fee_back"})
    return owed, sum(minor for kind, minor in due if kind == "claim")


@pytest.mark.parametrize(("amount", "share"), [(804, 744), (402, 372)])
def test_the_share_of_a_refund_that_failed_is_owed_to_the_supplier(world, passed_on, amount, share):
    fails(world, passed_on, amount)
    assert (world.balance(GOODWILL), world.balance(PAYABLE)) == (0, -share)
    goes_on(world, [11])
    assert owed_by_bank() == (share, 0)
    assert "settlement.given_back" in {each.action for each in audit.trail(passed_on.ref)}
    assert house_breaches() == []


@pytest.mark.parametrize(("amount", "share"), [(804, 744), (402, 372)])
def test_a_refund_granted_again_takes_its_share_once(world, passed_on, amount, share):
    fails(world, passed_on, amount)
    assert give(world, passed_on, amount, days=11).state == "succeeded"
    goes_on(world, range(12, 14))
    assert taken(world) == [share]
    # The guest got the amount once, the supplier gave its share once, the rest was our fee.
    assert world.balance(GOODWILL) == amount - share
    assert owed_by_bank() == (share, -share)
    assert house_breaches() == []


@pytest.mark.parametrize("again", [0, 402, 804])
@pytest.mark.parametrize("amount", [402, 700, 804])
def test_what_was_not_paid_yet_is_not_forgone_any_more(world, settings, tmp_path, amount, again):
    merchant_file(tmp_path, settings, settlement="connect", shares=True)
    payee(at=world.now)
    order = retired(world)
    number = world.payment(order).payment_no
    desk.think(world.peer, number)
    made = give(world, order, amount, days=1)
    desk.decide(world.peer, made.refund_no, "failed", world.later(days=1))
    refund.continue_refunds(at=world.later(days=2))
    desk.think(world.peer, number, thinks=False)
    assert (world.balance(GOODWILL), world.balance(PAYABLE)) == (0, -744)
    if again:
        assert give(world, order, again, days=3).state == "succeeded"
    goes_on(world, [9, 10])
    left = 744 - again * 744 // 804
    assert (line_of(order).state, line_of(order).leg.amount_minor) == (
        "paid" if left else "reversed",
        left,
    )
    assert (world.balance(PAYABLE), world.balance(GOODWILL)) == (0, again - (744 - left))
    assert house_breaches() == []


def test_our_fee_is_claimed_again_with_all_of_its_tax(world, collected):
    fails(world, collected, 402)
    assert (world.balance("CNY:4010"), world.balance("CNY:2310")) == (-57, -3)
    assert world.balance(DUE_FROM) == 30
    assert give(world, collected, 804, days=11).state == "succeeded"
    goes_on(world, [12])
    assert (world.balance("CNY:4010"), world.balance("CNY:2310")) == (0, 0)
    assert (world.balance(DUE_FROM), world.balance(PAYABLE)) == (30, -60)
    assert owed_by_bank() == (60, -30)
    assert house_breaches() == []


@pytest.mark.parametrize("early", [0, 402, 277])
def test_what_is_earned_of_a_fee_goes_back_with_all_of_its_tax(world, settings, tmp_path, early):
    supplier_collects(tmp_path, settings, shares=True)
    payee(at=world.now, account="solar1")
    order = retired(world)
    if early:  # of this much the fee is never divided off
        assert give(world, order, early, days=1).state == "succeeded"
    settle(world, **AFTER)
    assert world.balance("CNY:4010") < 0
    for amount in (200, 804 - early - 200):
        assert give(world, order, amount).state == "succeeded"
    assert (world.balance("CNY:4010"), world.balance("CNY:2310")) == (0, 0)
    assert house_breaches() == []


def given_up(world, order, amount_minor, monkeypatch):
    """Let a bank take money while the supplier's share of a refund is on its way back."""
    with monkeypatch.context() as patch:
        Lost(patch, "reverse_split", really=True)
        made = give(world, order, amount_minor)
    assert made.sent_at is None
    number = world.payment(order).payment_no
    ref, _ = bank.begin(world.peer, number, amount_minor=amount_minor, now=world.later(days=9))
    payment_events.refresh(number, at=world.later(days=9))
    bank.end(world.peer, ref, "lost", world.later(days=10))
    payment_events.refresh(number, at=world.later(days=10))
    made.refresh_from_db()
    assert made.state == "failed"


@pytest.mark.parametrize(("amount", "share"), [(804, 744), (402, 372)])
def test_a_refund_given_up_for_a_chargeback_takes_one_share(
    world, passed_on, monkeypatch, amount, share
):
    given_up(world, passed_on, amount, monkeypatch)
    goes_on(world, range(11, 15))
    assert not Dispute.objects.get().share_waits
    assert taken(world) == [share]
    assert (world.balance(GOODWILL), world.balance(LOSS)) == (0, amount - share)
    assert owed_by_bank() == (share, -share)
    assert house_breaches() == []


def test_refunds_in_parts_leave_nothing_of_the_part(world, settings, tmp_path):
    merchant_file(tmp_path, settings, settlement="connect", shares=True)
    payee(at=world.now)
    order = retired(world)
    for amount in (277, 277, 250):
        assert give(world, order, amount, days=1).state == "succeeded"
    line = line_of(order)
    assert (line.state, line.returned_minor) == ("reversed", 744)
    assert world.balance(PAYABLE) == 0
    assert house_breaches() == []


@pytest.mark.parametrize("answer", ["question", "sending"])
def test_a_refused_question_does_not_make_a_reversal_fail(world, passed_on, monkeypatch, answer):
    with monkeypatch.context() as patch:
        Lost(patch, "reverse_split", really=True)
        made = give(world, passed_on, 804)
    with monkeypatch.context() as patch:
        if answer == "sending":
            # The gateway first knows of nothing, and refuses for now what it did before.
            answers = iter([Rejected("not_found"), *[Rejected("NO_AUTH")] * 20])
            patch.setattr(SandboxGateway, "query_reversal", lambda *_, **__: next(answers))
            busy = Rejected("busy", "", retryable=True)
            patch.setattr(SandboxGateway, "reverse_split", lambda *_, **__: busy)
            settling.settle(at=world.later(days=13))
        else:
            patch.setattr(SandboxGateway, "query_reversal", lambda *_, **__: Rejected("NO_AUTH"))
            settling.settle(at=world.later(days=9, hours=1))
    assert Return.objects.get().state == "unknown"
    goes_on(world, range(14, 18))
    made.refresh_from_db()
    assert (made.state, Return.objects.get().state) == ("succeeded", "paid")
    assert (taken(world), world.balance(GOODWILL)) == ([744], 60)
    assert house_breaches() == []


def test_a_guest_waits_three_days_at_most_for_a_part_that_is_refused_for_now(
    world, settings, tmp_path, monkeypatch
):
    merchant_file(tmp_path, settings, settlement="connect", shares=True)
    payee(at=world.now)
    order = retired(world)
    busy = Rejected("balance", "", retryable=True)
    monkeypatch.setattr(SandboxGateway, "split", lambda *_, **__: busy)
    settle(world, **AFTER)
    made = give(world, order, 804)
    goes_on(world, [10, 11])
    made.refresh_from_db()
    assert made.state == "requested"
    goes_on(world, [12, 13])
    made.refresh_from_db()
    assert made.state == "succeeded"
    assert "settlement.short" in {each.action for each in audit.trail(order.ref)}
    assert world.balance(GOODWILL) == 804
    assert house_breaches() == []
