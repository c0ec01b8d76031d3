"""Money that gateways send to our bank: booked once, by a statement or by two people."""

from dataclasses import replace
from datetime import timedelta

import pytest

from diandian.audit.models import AuditEntry
from diandian.config import guards
from diandian.flows import gateway_payouts, reconcile, reconcile_proof
from diandian.flows.gateway_payouts import FromBank
from diandian.kernel.money import Money
from diandian.ledger import chart
from diandian.ledger.models import Journal
from diandian.payments import merchants
from diandian.payments.gateways.sandbox import movements
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Done
from diandian.reconciliation.errors import (
    PayoutByTwoError,
    PayoutFactsError,
    PayoutKnownError,
    PayoutStateError,
    ReasonNeededError,
    UnknownPayoutError,
)
from diandian.reconciliation.models import DayState, GatewayPayout
from tests.flows.books import CLEARING
from tests.flows.statements import (
    DAY,
    TEN,
    bought,
    differences,
    gross,
    later,
    outcomes,
    sandbox,
    the_day,
    told,
    turn,
)

pytestmark = pytest.mark.django_db(transaction=True)
BANK = chart.bank("CNY")
NEXT = DAY + timedelta(days=1)
LI, WANG = "operator:li", "operator:wang"


def yuan(minor):
    return Money(minor, "CNY")


def sent(world, minor=300, at=None):
    return movements.pay_out(world.peer, "demo", minor, "CNY", at or world.now)


def bent_payout(change):
    def bent(lines):
        return [change(line) if line.kind == "payout" else line for line in lines]

    return told(bent, kinds=("funds",))


# -- by a statement ------------------------------------------------------------------------------


def test_a_statement_books_a_payout_once_and_the_bank_returns_it_once(world):
    bought(world)
    payout_ref = sent(world)
    turn()
    assert ("payout", "matched", "") in outcomes(kind="funds")
    assert the_day().state == DayState.CLOSED
    assert (world.balance(BANK), world.balance(CLEARING)) == (300, 799 - 300)
    [payout] = GatewayPayout.objects.all()
    assert (payout.payout_ref, payout.amount, payout.paid_on) == (payout_ref, yuan(300), DAY)
    movements.return_payout(world.peer, payout_ref, world.later(days=1))
    turn(later(days=1))
    assert outcomes(NEXT, "funds") == [("payout", "matched", "")]
    assert (world.balance(BANK), world.balance(CLEARING)) == (0, 799)
    assert Journal.objects.filter(kind="gateway_payout").count() == 2
    [proof] = reconcile_proof.of_merchant(sandbox())
    assert (proof.stated_minor, proof.left_minor) == (799, 0)
    assert reconcile_proof.check() == []


def test_a_corrected_statement_books_nothing_again_and_shows_what_differs(world):
    bought(world)
    sent(world)
    stranger = {"our_no": "P9", "gateway_ref": "strange"}
    with told(lambda lines: [*lines, replace(lines[0], **stranger)], kinds=("trades",)):
        turn()  # the day stays open
        with bent_payout(lambda line: gross(line, -301)):
            reconcile.work_on(the_day(), afresh=True, at=later(hours=1))
    assert ("funds", "amount_diff") in differences()
    assert (world.balance(BANK), GatewayPayout.objects.count()) == (300, 1)


@pytest.mark.parametrize("facts", [{"gateway_ref": ""}, {"net_minor": -1}, {"currency": "XAU"}])
def test_a_line_that_is_not_whole_books_nothing(world, facts):
    bought(world)
    sent(world)
    with bent_payout(lambda line: replace(line, **facts)):
        turn()
    assert (world.balance(BANK), GatewayPayout.objects.count()) == (0, 0)
    assert the_day().state == DayState.OPEN


def test_a_statement_without_proof_books_nothing(world, monkeypatch):
    bought(world)
    sent(world)
    fetch = SandboxGateway.fetch_statement

    def unproven(self, context, day, kind, *, at):
        return Done(replace(fetch(self, context, day, kind, at=at).value, is_proven=False))

    monkeypatch.setattr(SandboxGateway, "fetch_statement", unproven)
    turn()
    assert differences() == [("funds", "missing_here")]
    assert world.balance(BANK) == 0


def test_payouts_of_a_supplier_who_collects_are_its_own(world, monkeypatch):
    bought(world)
    sent(world)
    split = replace(sandbox(), settlement="gateway_split")
    monkeypatch.setattr(merchants, "every", lambda: (split,))
    turn()
    assert ("payout", "matched", "suppliers_own") in outcomes(kind="funds")
    assert (the_day().state, world.balance(BANK)) == (DayState.CLOSED, 0)


def test_that_it_arrived_is_written_once_and_books_nothing(world):
    bought(world)
    sent(world)
    turn()
    [payout] = GatewayPayout.objects.all()

    def arrive(minor=300, ref="B1", day=NEXT):
        return gateway_payouts.note_arrival(
            payout.id, yuan(minor), bank_ref=ref, bank_day=day, actor_ref=LI, at=TEN
        )

    for wrong in (
        {"minor": 301},
        {"ref": " "},
        {"ref": "x" * 81},
        {"day": DAY - timedelta(days=1)},
        {"day": NEXT + timedelta(days=1)},
    ):
        with pytest.raises(PayoutFactsError):
            arrive(**wrong)
    assert arrive().bank_ref == "B1"
    with pytest.raises(PayoutStateError):
        arrive(ref="B2")
    assert world.balance(BANK) == 300
    assert AuditEntry.objects.get(action="gateway_payout.arrived").actor_ref == LI
    with pytest.raises(UnknownPayoutError):
        gateway_payouts.confirm(payout.id + 9, actor_ref=LI, at=TEN)


# -- by two people -------------------------------------------------------------------------------


def read(**facts):
    known = {
        "merchant_key": "sandbox",
        "amount": yuan(300),
        "paid_on": DAY,
        "bank_ref": "B1",
        "bank_day": NEXT,
        "payout_ref": "sp_1",
    }
    return FromBank(**known | facts)


def enter(**facts):
    return gateway_payouts.enter(read(**facts), actor_ref=LI, at=TEN)


def test_one_enters_a_payout_and_another_one_books_it(world):
    payout = enter()
    assert world.balance(BANK) == 0
    with pytest.raises(PayoutByTwoError):
        gateway_payouts.confirm(payout.id, actor_ref=LI, at=TEN)
    assert world.balance(BANK) == 0
    gateway_payouts.confirm(payout.id, actor_ref=WANG, at=TEN)
    assert (world.balance(BANK), world.balance(CLEARING)) == (300, -300)
    with pytest.raises(PayoutStateError):
        gateway_payouts.confirm(payout.id, actor_ref=WANG, at=TEN)
    with pytest.raises(PayoutStateError):
        gateway_payouts.refuse(payout.id, reason="no", actor_ref=WANG, at=TEN)
    assert world.balance(BANK) == 300
    acts = AuditEntry.objects.filter(subject_ref=f"gateway_payout:{payout.id}")
    assert [entry.actor_ref for entry in acts.order_by("id")] == [LI, WANG]


def test_a_payout_without_its_booking_shows(world):
    payout = enter()
    assert reconcile_proof.check() == []
    gateway_payouts.confirm(payout.id, actor_ref=WANG, at=TEN)
    assert reconcile_proof.check() == []
    with guards.lifted():
        Journal.objects.filter(kind="gateway_payout").update(source_ref="gateway_payout:other")
    assert [each.rule for each in reconcile_proof.check()] == ["B2", "B2"]


def test_what_is_refused_is_not_booked_and_can_be_entered_again(world):
    payout = enter()
    with pytest.raises(ReasonNeededError):
        gateway_payouts.refuse(payout.id, reason=" ", actor_ref=WANG, at=TEN)
    refused = gateway_payouts.refuse(payout.id, reason="other money", actor_ref=WANG, at=TEN)
    assert (refused.state, world.balance(BANK)) == ("refused", 0)
    assert enter().state == "asked"


def test_a_return_takes_it_from_the_bank_again(world):
    gateway_payouts.confirm(enter(is_return=True).id, actor_ref=WANG, at=TEN)
    assert (world.balance(BANK), world.balance(CLEARING)) == (-300, 300)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"merchant_key": "nobody"}, "merchant"),
        ({"amount": yuan(0)}, "amount"),
        ({"bank_ref": ""}, "bank_ref"),
        ({"bank_ref": "a\x00b"}, "bank_ref"),
        ({"paid_on": NEXT + timedelta(days=1)}, "paid_on"),
        ({"bank_day": NEXT + timedelta(days=1)}, "paid_on"),
        # Its statement will name it by that number; without it the same money is booked twice.
        ({"payout_ref": ""}, "payout_ref"),
    ],
)
def test_what_cannot_be_booked_is_refused(world, facts, field):
    with pytest.raises(PayoutFactsError) as refused:
        enter(**facts)
    assert refused.value.field == field
    assert GatewayPayout.objects.count() == 0


@pytest.mark.parametrize(
    "facts",
    [{"bank_ref": "B2"}, {"payout_ref": "sp_2"}, {"payout_ref": "sp_2", "amount": yuan(5)}],
)
def test_the_same_money_is_not_entered_twice(world, facts):
    enter()
    with pytest.raises(PayoutKnownError):
        enter(**facts)
    assert enter(bank_ref="B2", payout_ref="sp_2").state == "asked"


def test_what_a_statement_has_booked_is_confirmed_and_not_entered(world):
    bought(world)
    payout_ref = sent(world)
    turn()
    for facts in ({}, {"payout_ref": payout_ref}):
        with pytest.raises(PayoutKnownError):
            enter(**facts)


@pytest.mark.parametrize("is_confirmed", [False, True])
def test_a_statement_that_comes_later_agrees_with_what_people_entered(world, is_confirmed):
    bought(world)
    payout_ref = sent(world)
    payout = gateway_payouts.enter(
        read(payout_ref=payout_ref, bank_day=DAY), actor_ref=LI, at=world.now
    )
    if is_confirmed:
        gateway_payouts.confirm(payout.id, actor_ref=WANG, at=world.now)
    turn()
    assert ("payout", "matched", "") in outcomes(kind="funds")
    assert the_day().state == DayState.CLOSED
    assert (world.balance(BANK), world.balance(CLEARING)) == (300, 799 - 300)
    assert [each.left_minor for each in reconcile_proof.of_merchant(sandbox())] == [0]
    assert reconcile_proof.check() == []
    payout.refresh_from_db()
    assert (payout.state, payout.row_id is None) == ("booked", is_confirmed)


def test_what_people_booked_and_no_statement_tells_is_missing_there(world):
    bought(world)
    gateway_payouts.confirm(enter().id, actor_ref=WANG, at=TEN)
    for days in range(4):
        turn(later(days=days))
    assert ("funds", "missing_there") in differences()
    assert [each.left_minor for each in reconcile_proof.of_merchant(sandbox())] == [-300]
