"""Money that a payer's bank takes out of a supplier's own account: memos, as what came in there."""

import pytest

from diandian.flows import accruing, fulfil, payment_events, resolve, settling
from diandian.ledger import chart
from diandian.payments.gateways.sandbox import disputes as bank
from diandian.settlement.models import Line
from tests.flows.money import LI, take
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
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("statements_agree")]
PAYABLE = chart.supplier_payable("CNY", SUPPLIER)
LOSS, WITH_BANKS = chart.chargeback_loss("CNY"), chart.disputed_funds("CNY")
GROSS, OURS = "CNY:9010:sandbox:platform/solar1", "CNY:1110:sandbox:platform"
THEIRS = "CNY:1110:sandbox:platform/solar1"
DISPUTED, PAID, RETURNED = (f"CNY:9020:{each}" for each in ("disputed", "paid", "returned"))


@pytest.fixture
def shop(settings, tmp_path):
    def make(*, shares=False):
        merchant_file(
            tmp_path,
            settings,
            settlement="gateway_split",
            sub_merchant="solar1",
            options=', split = "fee"',
            shares=shares,
        )

    return make


def balances(world, *codes):
    return tuple(world.balance(code) for code in codes)


def told(world, order, *, at):
    payment_events.refresh(world.payment(order).payment_no, at=at)


@pytest.mark.parametrize("verdict", ["won", "lost"])
def test_34_before_the_retirement_only_memos_move(world, shop, crash, verdict):
    shop()
    mend = crash(fulfil, "fulfil_order")
    order = world.order()
    world.choose(world.payment(order))
    told(world, order, at=world.now)
    mend()
    number, _ = take(world, order, fee_minor=500)
    told(world, order, at=world.now)
    assert balances(world, GROSS, DISPUTED, PAID) == (0, 804, -804)
    # The gateway's fee is of whoever collects, and so is the money: nothing here is ours.
    assert balances(world, THEIRS, WITH_BANKS, LOSS) == (0, 0, 0)
    assert house_breaches() == []
    bank.end(world.peer, number, verdict, world.now)
    told(world, order, at=world.now)
    left = (804, 0, -804) if verdict == "won" else (0, 0, 0)
    assert balances(world, GROSS, DISPUTED, PAID) == left
    assert balances(world, THEIRS, WITH_BANKS, LOSS, PAYABLE) == (0, 0, 0, 0)
    assert house_breaches() == []
    if verdict == "lost":
        resolve.give_back(order.id, at=world.now, **LI)
        assert world.state(order) == "refunded"
        assert house_breaches() == []


@pytest.mark.parametrize("shares", [True, False])
def test_34_after_the_retirement_it_is_ours_unless_a_contract_says_so(world, shop, shares):
    shop(shares=shares)
    payee(at=world.now, account="solar1")
    order = retired(world)
    settle(world, **AFTER)
    assert balances(world, OURS, GROSS) == (60, 804)
    number = world.payment(order).payment_no
    ref, _ = bank.begin(
        world.peer, number, amount_minor=804, fee_minor=500, now=world.later(days=9)
    )
    told(world, order, at=world.later(days=9))
    assert balances(world, GROSS, DISPUTED, THEIRS, LOSS) == (0, 804, 0, 0)
    for days in (10, 11):
        bank.end(world.peer, ref, "lost", world.later(days=days))
        told(world, order, at=world.later(days=days))
    assert balances(world, GROSS, DISPUTED, RETURNED, THEIRS) == (0, 0, 804, 0)
    settling.settle(at=world.later(days=12))
    # Either our fee goes back, or the supplier gets from us what its account paid.
    fee, loss, owed = (0, 0, 0) if shares else (60, 804, -804)
    assert balances(world, OURS, LOSS, PAYABLE) == (fee, loss, owed)
    assert line_of(order).state == ("reversed" if shares else "paid")
    assert house_breaches() == []
    if not shares:
        bank_payee(at=world.now)
        settle(world, days=13)
        line = Line.objects.get(kind="advance")
        assert (line.rail, line.supplier_minor, line.state) == ("bank", 804, "due")
        assert accruing.accrue(at=world.later(days=14)) == 0
        assert house_breaches() == []


def test_34_won_after_the_retirement_it_is_as_before(world, shop):
    shop()
    order = retired(world)
    number, _ = take(world, order, 300)
    told(world, order, at=world.now)
    assert balances(world, GROSS, DISPUTED, THEIRS) == (504, 300, 0)
    bank.end(world.peer, number, "won", world.now)
    told(world, order, at=world.now)
    assert balances(world, GROSS, DISPUTED, RETURNED) == (804, 0, 0)
    assert balances(world, LOSS, PAYABLE) == (0, 0)
    assert house_breaches() == []


@pytest.mark.parametrize("verdict", ["", "lost"])
def test_34_booked_as_ours_the_nightly_check_sees_it(world, shop, monkeypatch, verdict):
    """What was booked before: out of our clearing account, though nothing was there."""
    shop()
    order = retired(world)
    number, _ = take(world, order)
    if verdict:
        bank.end(world.peer, number, verdict, world.now)
    monkeypatch.setattr("diandian.flows.postings.at_supplier", lambda _: False)
    told(world, order, at=world.now)
    seen = {each.subject_ref for each in house_breaches() if each.rule == "X9"}
    assert {"account:CNY:1110", "account:CNY:9010"} <= seen
