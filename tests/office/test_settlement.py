"""Suppliers and payouts at the operator's desk: two people, masked accounts, files."""

import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from diandian.flows import accruing, payees, settling
from diandian.payments.gateways.sandbox.splits import EMPTY_RECEIVER
from diandian.settlement.models import Batch, Line, Payee
from tests.flows.conftest import clock, world  # noqa: F401 - the world of money, here too
from tests.flows.settling import (
    AFTER,
    SUPPLIER,
    bank_payee,
    merchant_file,
    payee,
    retired,
    settle,
    supplier_collects,
)
from tests.office.test_credits import operator, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("statements_agree")]
RIGHTS = (
    *("view_payee", "change_payee", "view_batch", "change_batch", "view_line"),
    *("view_split", "view_return"),
)
SUPPLIERS = "/admin/settlement/payee/suppliers/"
DUE = "/admin/settlement/batch/due/"
IBAN = "NL91ABNA0417164300"


@pytest.fixture
def li(db):
    return operator("li", *RIGHTS)


@pytest.fixture
def wang(db):
    return operator("wang", *RIGHTS)


@pytest.fixture
def due(world, settings, tmp_path):  # noqa: F811
    """One part that a bank should pay now."""
    merchant_file(tmp_path, settings, settlement="principal")
    accounts = tmp_path / "payers.toml"
    accounts.write_text('[CNY]\nname = "D"\naccount = "1"\nbank = "B"\ncnaps = "102000000000"\n')
    settings.PAYER_ACCOUNTS_FILE = str(accounts)
    settings.PAYOUT_MINIMUM_MINOR = 100
    bank_payee(world.now)
    order = retired(world)
    accruing.accrue(at=world.now)
    settling.settle(at=world.later(**AFTER))
    return order


def propose(client, **facts):
    form = {"supplier": SUPPLIER, "kind": "iban", "name": "Zon BV", "iban": IBAN, **facts}
    return client.post("/admin/settlement/payee/propose/", form, follow=True)


def decide(client, payee, action):
    path = f"/admin/settlement/payee/{payee.id}/decide/"
    return client.post(path, {"action": action}, follow=True)


def step(client, batch, action, **facts):
    path = f"/admin/settlement/batch/{batch.id}/step/"
    return client.post(path, {"action": action, **facts}, follow=True)


def money_of(order):
    """Return the link to an order's money, as the desk writes it."""
    return f'/money-back/orders/{order.id}/">{order.id}</a>'


def test_an_account_is_entered_by_one_and_confirmed_by_another(world, li, wang):  # noqa: F811
    page = text(propose(li))
    assert "•••• 4300" in page
    assert IBAN not in page
    payee = Payee.objects.get()
    assert "Whoever prepared this cannot approve it" in text(decide(li, payee, "confirm"))
    assert "Confirmed" in text(decide(wang, payee, "confirm"))
    assert Payee.objects.get().state == "confirmed"
    decide(li, payee, "withdraw")
    assert Payee.objects.get().state == "replaced"


def test_a_wrong_iban_is_not_saved(world, li):  # noqa: F811
    assert "This cannot be right: IBAN." in text(propose(li, iban="NL91ABNA0417164301"))
    assert Payee.objects.count() == 0


def test_no_page_and_no_list_shows_an_account(world, li):  # noqa: F811
    propose(li)
    payee = Payee.objects.get()
    for path in (
        SUPPLIERS,
        "/admin/settlement/payee/",
        f"/admin/settlement/payee/{payee.id}/change/",
    ):
        assert IBAN not in text(li.get(path)), path


def test_who_may_only_look_can_do_nothing(world, db):  # noqa: F811
    reader = operator("kim", "view_payee", "view_batch")
    assert reader.get(SUPPLIERS).status_code == reader.get(DUE).status_code == 200
    assert propose(reader).status_code == 403
    assert reader.post("/admin/settlement/batch/draft/", {}).status_code == 403
    assert operator("lu").get(DUE).status_code == 403


def test_the_desk_calls_suppliers_and_orders_as_people_do(due, li):
    names = payees.suppliers()[SUPPLIER]
    form = {"supplier": SUPPLIER, "currency": "CNY", "rail": "bank"}
    li.post("/admin/settlement/batch/draft/", form)
    batch = Batch.objects.get()
    for path in (DUE, f"/admin/settlement/batch/{batch.id}/change/"):
        page = text(li.get(path))
        assert names["en"] in page
        assert f">{SUPPLIER}<" not in page.partition("<fieldset")[0]
    assert money_of(due) in page


def test_a_payout_from_what_is_due_to_what_the_bank_says(due, li, wang):
    assert SUPPLIER in text(li.get(DUE))
    form = {"supplier": SUPPLIER, "currency": "CNY", "rail": "bank"}
    page = li.post("/admin/settlement/batch/draft/", form, follow=True)
    batch = Batch.objects.get()
    assert batch.number in text(page)
    assert "Locked" in text(step(li, batch, "lock"))
    assert "6222000011112222" not in text(li.get(f"/admin/settlement/batch/{batch.id}/change/"))
    assert "Whoever prepared this" in text(step(li, batch, "approve"))
    assert "Approved" in text(step(wang, batch, "approve"))
    file = wang.post(f"/admin/settlement/batch/{batch.id}/file/", {"form": "neutral"})
    assert b"7.44" in file.content
    again = wang.post(f"/admin/settlement/batch/{batch.id}/file/", {"form": "neutral"})
    assert "copy" in again["Content-Disposition"]
    result = (
        "number,amount,currency,state,bank_ref,reason\n" + f"{batch.number},7.44,CNY,paid,B1,\n"
    )
    sent = {"file": SimpleUploadedFile("result.csv", result.encode())}
    page = li.post("/admin/settlement/batch/results/", sent, follow=True)
    assert "Payouts that changed: 1" in text(page)
    assert Line.objects.get().state == "paid"
    assert "Noted as found" in text(step(li, batch, "reconcile", note="S-1"))


def test_a_statement_can_be_had_in_three_forms(due, li):
    form = {"supplier": SUPPLIER, "currency": "CNY", "rail": "bank"}
    li.post("/admin/settlement/batch/draft/", form)
    batch = Batch.objects.get()
    base = f"/admin/settlement/batch/{batch.id}/statement"
    assert li.get(f"{base}.pdf").status_code == 404, "a draft has none"
    step(li, batch, "lock")
    assert li.get(f"{base}.pdf").content.startswith(b"%PDF-")
    assert json.loads(li.get(f"{base}.json").content)["totals"]["supplier_minor"] == 744
    assert li.get(f"{base}.csv").content.startswith("\ufefforder,kind".encode())
    assert li.get(f"{base}.exe").status_code == 404


def test_a_dispute_is_noted_at_the_desk_and_the_part_leaves_the_draft(due, li):
    form = {"supplier": SUPPLIER, "currency": "CNY", "rail": "bank"}
    li.post("/admin/settlement/batch/draft/", form)
    line = Line.objects.get()
    act = {"action": "dispute", "note": "too little"}
    page = li.post(f"/admin/settlement/batch/line/{line.id}/", act, follow=True)
    assert "too little" in text(page)
    assert Batch.objects.get().lines.count() == 0
    li.post(f"/admin/settlement/batch/line/{line.id}/", {"action": "settled"})
    assert Line.objects.get().disputed_at is None


def test_unknown_acts_and_numbers_change_nothing(due, li):
    form = {"supplier": SUPPLIER, "currency": "CNY", "rail": "bank"}
    li.post("/admin/settlement/batch/draft/", form)
    batch = Batch.objects.get()
    assert "There is no payout" in text(step(li, batch, "burn"))
    assert Batch.objects.get().state == "draft"
    assert li.get("/admin/settlement/batch/999/statement.pdf").status_code == 404
    assert "A file of at most" in text(li.post("/admin/settlement/batch/results/", follow=True))
    assert payees.suppliers().keys() == {SUPPLIER}


def test_a_part_that_did_not_come_back_is_shown(world, settings, tmp_path, li):  # noqa: F811
    assert "Parts that did not come back" not in text(li.get(DUE))
    merchant_file(tmp_path, settings, settlement="connect", shares=True)
    payee(at=world.now, account=f"{EMPTY_RECEIVER}-solar")
    order = retired(world)
    settle(world, **AFTER)
    settling.reverse_before_refund(world.payment(order), 804, at=world.later(days=9))
    page = text(li.get(DUE))
    assert "Parts that did not come back" in page
    assert money_of(order) in page
    assert "¥7.44" in page


def test_a_part_that_waits_too_long_is_shown_with_its_reason(world, li):  # noqa: F811
    order = retired(world)
    settle(world, **AFTER)
    assert money_of(order) not in text(li.get(DUE))
    Line.objects.update(due_from=world.now - timedelta(days=6))
    page = text(li.get(DUE))
    assert money_of(order) in page
    assert "the supplier has no confirmed account" in page


def test_a_part_that_failed_for_good_goes_by_bank_at_a_press_of_a_button(world, li):  # noqa: F811
    payee(at=world.now, account="closed")
    order = retired(world)
    for day in range(8, 20):
        settle(world, days=day)
    line = Line.objects.get(owner_ref=order.ref)
    assert "Settle by bank" in text(li.get(DUE))
    path = f"/admin/settlement/batch/line/{line.id}/"
    assert "It is settled by bank" in text(li.post(path, {"action": "bank"}, follow=True))
    line.refresh_from_db()
    assert (line.state, line.rail) == ("due", "bank")
    assert "Settle by bank" not in text(li.get(DUE))


def test_a_stuck_fee_is_shown_with_what_is_left_of_it(world, settings, tmp_path, li):  # noqa: F811
    supplier_collects(tmp_path, settings)
    payee(at=world.now, account="somebody_else")
    order = retired(world)
    settle(world, **AFTER)
    settling.reverse_before_refund(world.payment(order), 402, at=world.later(days=9))
    Line.objects.update(due_from=world.now - timedelta(days=6))
    page = text(li.get(DUE))
    assert "¥0.30 (Our fee)" in page
    assert "¥7.44" not in page


def test_a_payouts_page_tells_what_was_paid_whatever_is_claimed_later(due, li, wang, world):  # noqa: F811
    form = {"supplier": SUPPLIER, "currency": "CNY", "rail": "bank"}
    li.post("/admin/settlement/batch/draft/", form)
    batch = Batch.objects.get()
    step(li, batch, "lock")
    step(wang, batch, "approve")
    wang.post(f"/admin/settlement/batch/{batch.id}/file/", {"form": "neutral"})
    step(li, batch, "paid", note="B-1")
    settling.reverse_before_refund(world.payment(due), 402, at=world.later(days=9))
    assert Line.objects.get(kind="sale").reached.amount_minor == 372
    parts = text(li.get(f"/admin/settlement/batch/{batch.id}/change/")).partition('id="parts"')[2]
    told = {"Paid by the guest": "8.04", "Our fee": "0.60", "Supplier's part": "7.44"}
    for name, amount in told.items():
        assert f'data-label="{name}">¥{amount}<' in parts
