"""Where a supplier receives money: two people, and a change that cools down (row 45)."""

import pytest

from diandian.audit import queries as audit
from diandian.flows import payees
from diandian.kernel.errors import NotFoundError
from diandian.settlement import queries
from diandian.settlement.errors import (
    PayeeDecidedError,
    PayeeInvalidError,
    PayeeWaitsError,
    SamePersonError,
)
from tests.flows.settling import SUPPLIER, payee

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("statements_agree")]


def test_45_a_changed_account_is_used_only_after_its_cool_down(world):
    payee(at=world.now)
    payee(at=world.later(days=6), account="acct_new")
    assert in_force(world, days=8) == "acct_solar"
    assert in_force(world, days=9) == "acct_new"


def in_force(world, **later):
    found = queries.payee_in_force(SUPPLIER, gateway="sandbox", at=world.later(**later))
    return found.detail["account"]


def test_45_whoever_proposes_an_account_cannot_confirm_it(world):
    given = {"account": "acct_solar"}
    facts = {"supplier_ref": SUPPLIER, "kind": "account", "gateway": "sandbox", "given": given}
    made = payees.propose(**facts, actor_ref="ann", at=world.now)
    with pytest.raises(SamePersonError):
        payees.confirm(made.id, actor_ref="ann", at=world.now)
    with pytest.raises(PayeeWaitsError):
        payees.propose(**facts, actor_ref="bo", at=world.now)
    payees.confirm(made.id, actor_ref="bo", at=world.now)
    with pytest.raises(PayeeDecidedError):
        payees.confirm(made.id, actor_ref="cy", at=world.now)
    told = list(audit.trail(f"supplier:{SUPPLIER}"))
    assert {entry.action for entry in told} == {"payee.proposed", "payee.confirmed"}
    assert "acct_solar" not in str([entry.details for entry in told]), "no detail in the trail"


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"supplier_ref": "nobody"}, NotFoundError),
        ({"gateway": "elsewhere"}, PayeeInvalidError),
        ({"gateway": ""}, PayeeInvalidError),
        ({"kind": "cash"}, PayeeInvalidError),
        ({"given": {"account": "=1+1"}}, PayeeInvalidError),
    ],
)
def test_a_detail_that_cannot_be_right_is_not_saved(world, facts, error):
    right = {
        "supplier_ref": SUPPLIER,
        "kind": "account",
        "gateway": "sandbox",
        "given": {"account": "acct_solar"},
    }
    with pytest.raises(error):
        payees.propose(**{**right, **facts}, actor_ref="ann", at=world.now)
    assert queries.payees_of(SUPPLIER) == []


def test_who_proposed_may_take_it_back(world):
    made = payees.propose(
        supplier_ref=SUPPLIER,
        kind="account",
        gateway="sandbox",
        given={"account": "acct_solar"},
        actor_ref="ann",
        at=world.now,
    )
    payees.refuse(made.id, actor_ref="ann", at=world.now)
    assert queries.payee_in_force(SUPPLIER, gateway="sandbox", at=world.now) is None


def test_an_account_out_of_force_does_not_bring_back_the_one_before(world):
    old = payee(at=world.now)
    new = payee(at=world.later(days=1), account="acct_new")
    payees.withdraw(new.id, actor_ref="ann", at=world.later(days=20))
    at = world.later(days=21)
    assert queries.payee_in_force(SUPPLIER, gateway="sandbox", at=at) is None
    with pytest.raises(PayeeDecidedError):
        payees.withdraw(old.id, actor_ref="ann", at=at)


def test_a_change_that_is_taken_back_while_it_cools_down_leaves_the_one_before(world):
    payee(at=world.now)
    new = payee(at=world.later(days=6), account="acct_new")
    payees.withdraw(new.id, actor_ref="ann", at=world.later(days=7))
    assert in_force(world, days=8) == in_force(world, days=20) == "acct_solar"


def test_one_that_was_replaced_already_goes_alone(world):
    old = payee(at=world.now)
    payee(at=world.later(days=1), account="acct_new")
    payees.withdraw(old.id, actor_ref="ann", at=world.later(days=20))
    assert in_force(world, days=20) == "acct_new"


def test_45_an_account_out_of_force_shortens_no_cool_down(world):
    old = payee(at=world.now)
    payees.withdraw(old.id, actor_ref="bo", at=world.later(days=20))
    payee(at=world.later(days=20), account="acct_new")
    at = world.later(days=20, minutes=1)
    assert queries.payee_in_force(SUPPLIER, gateway="sandbox", at=at) is None
    assert in_force(world, days=23) == "acct_new"
