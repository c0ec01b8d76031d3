"""Payouts to our bank at the operator's desk: entered, booked by another one, found at the bank."""

import pytest

from diandian.ledger import chart
from diandian.ledger import queries as ledger
from diandian.payments.gateways.sandbox import movements
from diandian.reconciliation.models import GatewayPayout
from tests.flows.conftest import NOW
from tests.flows.statements import turn
from tests.office.test_reconcile import clock, operator, text, world  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
BASE = "/admin/reconciliation/gatewaypayout"
ACTS = ("view_gatewaypayout", "change_gatewaypayout")
LINE = {
    "merchant": "sandbox",
    "amount": "3.00",
    "currency": "CNY",
    "bank_ref": "B1",
    "bank_day": "2026-11-22",
    "paid_on": "2026-11-22",
    "payout_ref": "sp_1",
}


@pytest.fixture
def li(db):
    return operator("li", *ACTS)


@pytest.fixture
def wang(db):
    return operator("wang", *ACTS)


def in_bank():
    return ledger.balance_of(chart.bank("CNY"))


def post(client, address, **sent):
    return text(client.post(f"{BASE}/{address}/", sent, follow=True))


def test_one_enters_and_another_one_books(li, wang, world):  # noqa: F811
    assert "A second person compares it" in post(li, "enter", **LINE)
    [payout] = GatewayPayout.objects.all()
    assert "book it" not in text(li.get(f"{BASE}/overview/"))
    page = text(wang.get(f"{BASE}/overview/"))
    assert "book it" in page
    assert "line B1 of the bank's statement of 22 Nov 2026, entered by operator:li" in (
        page.replace("&#x27;", "'")
    )
    assert "You entered this payout yourself." in post(li, f"{payout.id}/decide", action="confirm")
    assert in_bank() == 0
    assert "Booked" in post(wang, f"{payout.id}/decide", action="confirm")
    assert in_bank() == 300
    assert "has decided about this payout" in post(wang, f"{payout.id}/decide", action="confirm")


def test_what_a_statement_booked_is_found_at_the_bank(li, world):  # noqa: F811
    movements.pay_out(world.peer, "demo", 300, "CNY", NOW)
    turn()
    [payout] = GatewayPayout.objects.all()
    assert f"{payout.number}: ¥3.00" in text(li.get(f"{BASE}/overview/"))
    found = {"action": "arrived", "bank_ref": "B1", "bank_day": "2026-11-23"}
    for amount in ("3.01", "3,00", "-3.00", "", "3.001"):
        page = post(li, f"{payout.id}/decide", **found, amount=amount)
        assert "This payout cannot be booked as it was entered." in page
    assert "Found at our bank" in post(li, f"{payout.id}/decide", **found, amount="3.00")
    assert "Everything that was booked was found at the bank." in text(li.get(f"{BASE}/overview/"))
    assert in_bank() == 300


@pytest.mark.parametrize(
    "wrong",
    [{"amount": "x"}, {"currency": "QQQ"}, {"bank_day": "yesterday"}, {"merchant": ""}],
)
def test_what_is_not_a_line_of_a_bank_is_not_entered(li, world, wrong):  # noqa: F811
    assert "This payout cannot be booked as it was entered." in post(li, "enter", **LINE | wrong)
    assert GatewayPayout.objects.count() == 0


def test_it_is_refused_with_a_reason(li, wang, world):  # noqa: F811
    post(li, "enter", **LINE)
    [payout] = GatewayPayout.objects.all()
    assert "reason" in post(wang, f"{payout.id}/decide", action="refuse")
    page = post(wang, f"{payout.id}/decide", action="refuse", reason="another account")
    assert "nothing was booked" in page
    payout.refresh_from_db()
    assert (payout.state, payout.reason) == ("refused", "another account")


def test_what_was_booked_by_hand_by_mistake_is_undone_by_two(li, wang, world):  # noqa: F811
    post(li, "enter", **LINE)
    [payout] = GatewayPayout.objects.all()
    post(wang, f"{payout.id}/decide", action="confirm")
    assert "Booked by hand, and on no statement yet" in text(li.get(f"{BASE}/overview/"))
    assert "reason" in post(li, f"{payout.id}/decide", action="ask_undo", reason=" ")
    page = post(li, f"{payout.id}/decide", action="ask_undo", reason="a slip in its number")
    assert "operator:li asks to undo it: a slip in its number" in page
    assert "It is wrong: undo it" not in page
    post(wang, f"{payout.id}/decide", action="keep")
    assert in_bank() == 300
    post(li, f"{payout.id}/decide", action="ask_undo", reason="a slip in its number")
    assert "It is wrong: undo it" in text(wang.get(f"{BASE}/overview/"))
    assert "booked back" in post(wang, f"{payout.id}/decide", action="undo")
    assert in_bank() == 0
    assert "on no statement yet" not in text(li.get(f"{BASE}/overview/"))
    assert "A second person compares it" in post(li, "enter", **LINE | {"payout_ref": "sp_2"})


@pytest.mark.parametrize(
    ("lang", "head"), [("zh-Hans", "提现到我方银行"), ("nl", "Uitbetalingen aan onze bank")]
)
def test_the_page_speaks_every_language(world, lang, head):  # noqa: F811
    assert head in text(operator("li", *ACTS, lang=lang).get(f"{BASE}/overview/"))


def test_who_may_only_look_enters_nothing(world):  # noqa: F811
    reader = operator("reader", "view_gatewaypayout")
    assert 'name="bank_ref"' not in text(reader.get(f"{BASE}/overview/"))
    assert reader.post(f"{BASE}/enter/", LINE).status_code == 403
    assert operator("nobody").get(f"{BASE}/overview/").status_code == 403
