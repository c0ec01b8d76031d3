"""A chargeback whose end or amount a gateway takes back: what its supplier gave comes back too."""

from datetime import timedelta

import pytest

from diandian.audit import queries as audit
from diandian.flows import accruing, disputes, payment_events, reconcile_proof, settling
from diandian.ledger import chart
from diandian.payments.gateways.sandbox import disputes as bank
from diandian.payments.models import Dispute
from diandian.reconciliation.models import DayState
from diandian.settlement.models import Line, Return
from tests.flows import statements
from tests.flows.money import LI
from tests.flows.settling import (
    AFTER,
    SUPPLIER,
    bank_payee,
    house_breaches,
    line_of,
    passed_on_shared,
    payee,
    retired,
    settle,
    supplier_collects,
)

pytestmark = pytest.mark.django_db
PAYABLE = chart.supplier_payable("CNY", SUPPLIER)
DUE_FROM = chart.due_from_supplier("CNY", SUPPLIER)
CLEARING = "CNY:1110:sandbox:platform"
LOSS = chart.chargeback_loss("CNY")


@pytest.fixture
def passed_on(world, settings, tmp_path, statements_agree):
    """A retired order of which the gateway passed 744 of 804 on, to who stands for refunds."""
    bank_payee(world.now)
    return passed_on_shared(world, settings, tmp_path)


def said(world, order, ref, verdict, *, days):
    at = world.later(days=days)
    bank.end(world.peer, ref, verdict, at)
    payment_events.refresh(world.payment(order).payment_no, at=at)


def lose(world, order, amount_minor=804):
    number = world.payment(order).payment_no
    ref, _ = bank.begin(world.peer, number, amount_minor=amount_minor, now=world.later(days=9))
    said(world, order, ref, "lost", days=9)
    settling.settle(at=world.later(days=10))
    return ref


def take_over(world, *, days):
    disputes.take_over(Dispute.objects.get().id, at=world.later(days=days), **LI)
    settling.settle(at=world.later(days=days))
    accruing.accrue(at=world.later(days=days))


def balances(world, *codes):
    return tuple(world.balance(code) for code in codes)


def test_34_won_after_all_gives_the_supplier_its_share_again(world, passed_on):
    ref = lose(world, passed_on)
    assert balances(world, CLEARING, LOSS, PAYABLE) == (0, 60, 0)
    said(world, passed_on, ref, "won", days=11)
    take_over(world, days=12)
    # 60 is our fee; what the gateway took back of the supplier is owed to it by bank.
    assert balances(world, CLEARING, LOSS, PAYABLE) == (804, 0, -744)
    assert (Line.objects.get(kind="given_back").supplier_minor, line_of(passed_on).state) == (
        *(744, "reversed"),
    )
    assert house_breaches() == []
    # And lost once more, the share is taken once more: off the next payout.
    said(world, passed_on, ref, "lost", days=13)
    take_over(world, days=14)
    assert balances(world, CLEARING, LOSS, PAYABLE, DUE_FROM) == (0, 60, -744, 744)
    assert Return.objects.count() == 2
    assert house_breaches() == []


def test_34_another_amount_of_a_lost_one_takes_another_share(world, passed_on):
    ref = lose(world, passed_on)
    world.peer.run("UPDATE dispute SET amount_minor = 402 WHERE dispute_ref = ?", (ref,))
    said(world, passed_on, ref, "lost", days=11)
    take_over(world, days=12)
    assert balances(world, CLEARING, LOSS, PAYABLE, DUE_FROM) == (402, 30, -744, 372)
    assert house_breaches() == []


@pytest.mark.parametrize("shares", [True, False])
def test_34_won_after_all_at_a_suppliers_own_account(
    world, settings, tmp_path, statements_agree, shares
):
    supplier_collects(tmp_path, settings, shares=shares)
    payee(at=world.now, account="solar1")
    bank_payee(world.now)
    order = retired(world)
    settle(world, **AFTER)
    fee = chart.fee_revenue("CNY")
    before = balances(world, fee, LOSS)
    ref = lose(world, order)
    said(world, order, ref, "won", days=11)
    take_over(world, days=12)
    assert balances(world, "CNY:9020:returned", "CNY:9020:disputed") == (0, 0)
    # Our fee, or what we had advanced, is claimed off the next payout.
    owed, due = (0, 60) if shares else (-804, 804)
    assert balances(world, PAYABLE, DUE_FROM) == (owed, due)
    assert balances(world, fee, LOSS) == before
    assert house_breaches() == []


def test_34_one_in_another_currency_takes_no_share_by_itself(world, passed_on):
    number = world.payment(passed_on).payment_no
    ref, _ = bank.begin(world.peer, number, amount_minor=112, now=world.later(days=9))
    world.peer.run("UPDATE dispute SET currency = 'USD' WHERE dispute_ref = ?", (ref,))
    said(world, passed_on, ref, "lost", days=9)
    settling.settle(at=world.later(days=10))
    assert world.peer.run("SELECT amount_minor FROM reversal", ()) == []
    assert balances(world, LOSS, chart.chargeback_loss("USD")) == (0, 112)
    acts = {each.action for each in audit.trail(passed_on.ref)}
    assert "dispute.share_left" in acts
    assert house_breaches() == []


# -- and the gateway's statements ---------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_34_a_day_agrees_with_what_was_taken_over(world):
    number = statements.bought(world).payment_no
    ref, notice = bank.begin(world.peer, number, amount_minor=300, now=world.now)
    world.deliver(notice)
    statements.turn()
    assert statements.the_day().state == DayState.CLOSED
    for days, verdict in enumerate(("lost", "won"), start=1):
        at = world.later(days=days)
        world.deliver(bank.end(world.peer, ref, verdict, at), at)
    for days in (1, 2, 3):
        statements.turn(statements.later(days=days))
    day = statements.DAY + timedelta(days=2)
    assert statements.differences(day) == [("funds", "missing_here")]
    disputes.take_over(Dispute.objects.get().id, at=statements.later(days=3), **LI)
    for days in (4, 5):
        statements.turn(statements.later(days=days))
    assert statements.differences(day) == []
    assert statements.the_day(day).state == DayState.CLOSED
    assert reconcile_proof.check() == []
    assert [each.left_minor for each in reconcile_proof.of_merchant(statements.sandbox())] == [0]
