"""A refund takes the supplier's part back first (row 35)."""

import pytest

from diandian.audit import queries as audit
from diandian.flows import accruing, payouts, settling
from diandian.ledger import chart
from diandian.payments.gateways.sandbox import splits as sandbox
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Rejected
from diandian.settlement.models import Batch, Line, Return
from tests.flows.books import CLEARING
from tests.flows.settling import (
    AFTER,
    SUPPLIER,
    Lost,
    house_breaches,
    line_of,
    payee,
    retired,
    settle,
    supplier_collects,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("statements_agree")]
PAYABLE = chart.supplier_payable("CNY", SUPPLIER)
GOODWILL = chart.goodwill("CNY")


def back(world, order, amount_minor=804, **facts):
    return settling.reverse_before_refund(
        world.payment(order), amount_minor, at=world.later(days=9), **facts
    )


def taken_back(world):
    return world.peer.run("SELECT reversal_no, amount_minor FROM reversal ORDER BY 1", ())


@pytest.fixture
def paid(world):
    """An order whose supplier has its part."""
    payee(at=world.now)
    order = retired(world)
    settle(world, **AFTER)
    assert line_of(order).state == "paid"
    return order


def test_an_order_that_is_not_retired_owes_nobody(world):
    order = world.order()
    assert back(world, order) == "ready"


def test_35_what_is_not_paid_yet_is_not_paid_at_all(world):
    payee(at=world.now)
    order = retired(world)
    accruing.accrue(at=world.now)
    assert back(world, order) == back(world, order) == "ready"
    assert (world.balance(PAYABLE), world.balance(GOODWILL)) == (0, -744)
    settle(world, **AFTER)
    assert (line_of(order).state, line_of(order).supplier_minor) == ("reversed", 744)
    assert world.peer.run("SELECT * FROM leg", ()) == []
    assert house_breaches() == []


def test_35_a_part_refund_leaves_the_supplier_the_rest(world):
    payee(at=world.now)
    order = retired(world)
    accruing.accrue(at=world.now)
    assert back(world, order, 402, refund_no="R1") == "ready"
    assert back(world, order, 402, refund_no="R1") == "ready", "once per refund"
    settle(world, **AFTER)
    assert world.peer.run("SELECT amount_minor FROM leg", ()) == [(372,)]
    assert (line_of(order).state, world.balance(PAYABLE)) == ("paid", 0)
    assert house_breaches() == []


def test_35_what_was_paid_is_taken_back_before_the_guest_gets_it(world, paid):
    assert back(world, paid) == back(world, paid) == "ready"
    assert [amount for _, amount in taken_back(world)] == [744]
    assert (line_of(paid).state, world.balance(CLEARING)) == ("reversed", 804)
    assert (world.balance(PAYABLE), world.balance(GOODWILL)) == (0, -744)
    assert house_breaches() == []


def test_35_two_part_refunds_take_back_two_shares_that_add_up(world, paid):
    assert back(world, paid, 401, refund_no="R1") == "ready"
    assert line_of(paid).state == "paid"
    assert back(world, paid, 403, refund_no="R2") == "ready"
    assert sum(amount for _, amount in taken_back(world)) == 744
    assert line_of(paid).state == "reversed"
    assert house_breaches() == []


def test_35_after_a_lost_chargeback_it_lessens_the_loss(world, paid):
    assert back(world, paid, cause="dispute") == "ready"
    assert world.balance(chart.chargeback_loss("CNY")) == -744


def in_statement(world, *, is_locked=True):
    """Put what a gateway paid into its statement."""
    facts = {"actor_ref": "ann", "at": world.later(days=9)}
    made = payouts.draft(supplier_ref=SUPPLIER, currency="CNY", rail="gateway", **facts)
    return payouts.lock(made, **facts) if is_locked else made


@pytest.mark.parametrize("is_locked", [True, False])
@pytest.mark.parametrize("really", [True, False])
def test_35_what_stands_in_a_gateways_statement_is_taken_back_too(
    world, paid, monkeypatch, really, is_locked
):
    in_statement(world, is_locked=is_locked)
    with monkeypatch.context() as patch:
        Lost(patch, "reverse_split", really=really)
        assert back(world, paid) == "waiting"
    settling.settle(at=world.later(days=10))
    assert back(world, paid) == "ready"
    assert [amount for _, amount in taken_back(world)] == [744]
    assert line_of(paid).state == "reversed"
    assert house_breaches() == []


def test_a_part_that_came_back_leaves_the_draft_of_a_statement(world, paid):
    other = retired(world, name="Wu")
    settle(world, days=9)
    draft = in_statement(world, is_locked=False)
    assert back(world, paid) == "ready"
    locked = payouts.lock(draft, actor_ref="ann", at=world.later(days=10))
    assert [line.owner_ref for line in Batch.objects.get().lines.all()] == [other.ref]
    assert locked.net_minor == 744
    assert house_breaches() == []


def test_sixteen_parts_of_which_nothing_is_done_keep_the_next_one_waiting_once(world):
    payee(at=world.now)
    orders = [retired(world, 10_000, name=f"Guest {n}") for n in range(17)]
    accruing.accrue(at=world.now)
    stuck = [line_of(order).id for order in orders[:16]]
    # Nothing was ever asked of a gateway for these: there is nothing to do about them.
    Line.objects.filter(id__in=stuck).update(state="queued", next_look_at=world.now)
    for _ in range(2):
        settling.settle(16, at=world.later(**AFTER))
    assert line_of(orders[16]).state == "paid"


@pytest.mark.parametrize("really", [True, False])
def test_35_a_reversal_whose_answer_is_lost_is_asked_for_by_its_number(
    world, paid, monkeypatch, really
):
    with monkeypatch.context() as patch:
        Lost(patch, "reverse_split", really=really)
        assert back(world, paid) == "waiting"
    assert (line_of(paid).state, world.balance(GOODWILL)) == ("reversing", 0)
    assert house_breaches() == []
    settling.settle(at=world.later(days=10))
    assert back(world, paid) == "ready"
    assert [amount for _, amount in taken_back(world)] == [744]
    assert Return.objects.count() == 1
    assert house_breaches() == []


def test_35_a_receiver_without_enough_is_for_people(world, monkeypatch):
    payee(at=world.now, account=f"{sandbox.EMPTY_RECEIVER}-solar")
    order = retired(world)
    settle(world, **AFTER)
    assert back(world, order) == back(world, order) == "short"
    assert (line_of(order).state, world.balance(GOODWILL)) == ("paid", 0)
    assert "settlement.short" in {entry.action for entry in audit.trail(order.ref)}
    assert house_breaches() == []


def test_35_while_a_part_is_on_its_way_the_refund_waits(world, monkeypatch):
    payee(at=world.now)
    order = retired(world)
    with monkeypatch.context() as patch:
        Lost(patch, "split", really=True)
        settle(world, **AFTER)
    assert back(world, order) == "waiting"
    settle(world, days=9)
    assert back(world, order) == "ready"
    assert house_breaches() == []


def test_35_a_gateway_that_takes_nothing_back_makes_it_short(world, paid, monkeypatch):
    monkeypatch.setattr(SandboxGateway, "reverse_split", lambda *_, **__: Rejected("not_offered"))
    assert back(world, paid) == "short"


def test_35_our_fee_goes_back_to_the_supplier_who_collected(world, settings, tmp_path):
    supplier_collects(tmp_path, settings)
    payee(at=world.now, account="solar1")
    order = retired(world)
    settle(world, **AFTER)
    assert back(world, order) == "ready"
    for number in ("4010", "2310", "1110:sandbox:platform", "1120:sandbox"):
        assert world.balance(f"CNY:{number}") == 0
    assert [amount for _, amount in taken_back(world)] == [60]
    assert house_breaches() == []


def test_a_crash_after_the_reversal_books_it_once(world, paid, crash):
    from diandian.flows import return_postings

    mend = crash(return_postings, "book")
    with pytest.raises(RuntimeError):
        back(world, paid)
    mend()
    settling.settle(at=world.later(days=10))
    assert back(world, paid) == "ready"
    assert (len(taken_back(world)), world.balance(GOODWILL)) == (1, -744)
    assert Line.objects.count() == 1
    assert house_breaches() == []
