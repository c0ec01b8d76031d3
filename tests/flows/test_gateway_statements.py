"""A gateway's statement for a supplier: its columns add up, and it names who was paid."""

import pytest

from diandian.flows import goodwill, payees, payouts
from diandian.ledger import chart
from diandian.settlement import statements
from diandian.settlement.errors import LineMovesError
from diandian.settlement.lines import actions as line_actions
from tests.flows.money import LI, WANG
from tests.flows.settling import (
    AFTER,
    SUPPLIER,
    house_breaches,
    line_of,
    merchant_file,
    payee,
    retired,
    settle,
    supplier_collects,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("statements_agree")]
FACTS = {"supplier_ref": SUPPLIER, "currency": "CNY", "rail": "gateway", "actor_ref": "ann"}


def drafted(world, **later):
    return payouts.draft(**FACTS, at=world.later(**later))


def locked(world, **later):
    at = world.later(**later)
    return payouts.lock(drafted(world, **later), actor_ref="ann", at=at)


def give(world, order, amount_minor, **later):
    at = world.later(**later)
    asked = goodwill.ask(order.id, amount_minor=amount_minor, at=at, **LI)
    goodwill.confirm(asked, at=at, **WANG)


def shared(world, settings, tmp_path, *, collects):
    """Return an order whose supplier stands for refunds."""
    if collects:
        supplier_collects(tmp_path, settings, shares=True)
    else:
        merchant_file(tmp_path, settings, settlement="connect", shares=True)
    payee(at=world.now, account="solar1")
    return retired(world)


@pytest.mark.parametrize("back", ["before", "after", "both"])
@pytest.mark.parametrize("collects", [True, False])
def test_a_statement_adds_up_and_says_what_is_booked(world, settings, tmp_path, collects, back):
    order = shared(world, settings, tmp_path, collects=collects)
    if back != "after":
        give(world, order, 201, days=1)
    settle(world, **AFTER)
    if back != "before":
        give(world, order, 402, days=9)
    sums = locked(world, days=10).statement["totals"]
    assert sums["gross_minor"] == 804
    assert (
        sums["gross_minor"] - sums["fee_minor"] - sums["refunded_minor"] == sums["supplier_minor"]
    )
    fee, tax = world.balance("CNY:4010"), world.balance(chart.output_vat("CNY"))
    assert (sums["fee_minor"], sums["vat_within_minor"]) == (-fee - tax, -tax)
    assert sums["supplier_minor"] == line_of(order).reached.amount_minor
    assert house_breaches() == []


def test_a_statement_names_the_account_that_was_paid(world):
    first = payee(at=world.now)
    order = retired(world)
    settle(world, **AFTER)
    payees.withdraw(first.id, actor_ref="ann", at=world.later(days=9))
    payee(at=world.later(days=9), account="acct_other")
    made = locked(world, days=20)
    assert made.payee["account"] == "acct_solar"
    assert statements.account_parts(made.payee) == ["•••• olar"]
    assert line_of(order).batch == made


def test_a_statement_can_be_had_while_no_account_is_in_force(world, settings, tmp_path):
    supplier_collects(tmp_path, settings)
    first = payee(at=world.now, account="solar1")
    retired(world)
    settle(world, **AFTER)
    payees.withdraw(first.id, actor_ref="ann", at=world.later(days=9))
    assert locked(world, days=10).payee["account"] == "solar1"


def test_what_two_accounts_got_stands_in_two_statements(world, settings, tmp_path):
    payee(at=world.now)
    first = retired(world)
    settle(world, **AFTER)
    payee(at=world.later(days=8), account="acct_other")
    second = retired(world, name="Wu")
    settle(world, days=12)
    assert drafted(world, days=12).net_minor == 744
    made = locked(world, days=12)
    assert (made.payee["account"], line_of(first).batch) == ("acct_solar", made)
    made = locked(world, days=13)
    assert (made.payee["account"], line_of(second).batch) == ("acct_other", made)
    assert house_breaches() == []


def test_who_collects_and_who_is_paid_do_not_stand_together(world, settings, tmp_path):
    payee(at=world.now, account="solar1")
    connect = retired(world)
    supplier_collects(tmp_path, settings)
    collected = retired(world, name="Wu")
    settle(world, **AFTER)
    assert {locked(world, days=9).number, locked(world, days=10).number} == {
        line_of(order).batch.number for order in (connect, collected)
    }


def test_a_draft_that_two_accounts_came_into_is_not_locked(world):
    payee(at=world.now)
    retired(world)
    settle(world, **AFTER)
    payee(at=world.later(days=8), account="acct_other")
    second = retired(world, name="Wu")
    settle(world, days=12)
    batch = drafted(world, days=12)
    line_actions.put_into(batch, [line_of(second).id])
    with pytest.raises(LineMovesError):
        payouts.lock(batch, actor_ref="ann", at=world.later(days=12))
    assert locked(world, days=12).net_minor == 744
