"""While sales are stopped every door says so, in its own way, and takes no money."""

import pytest

from diandian.flows import sales
from diandian.kernel.clock import now
from diandian.kernel.memory import Memory
from diandian.orders.models import Order, Quote
from diandian.payments.models import Payment
from tests.doors.conftest import refusal


@pytest.fixture
def stopped(api):
    def stop():
        sales.stop(["R6"], actor_ref="platform", at=now())
        Memory.forget_everything()

    return stop


def test_programs_hear_503_and_may_come_again(api, stopped):
    quote, order = api.quote()["id"], api.order()
    stopped()
    for answer in (
        api.post("/quotes", {"project": "rooftop-solar", "mass_g": 124_000}),
        api.post("/orders", {"quote": quote, "on_board": False}, key="new"),
        api.post(f"/orders/{order['id']}/payments"),
    ):
        problem = refusal(answer, 503, "sales_paused")
        assert "Nothing was charged." in problem["detail"]
        assert "Retry-After" in answer
    assert (Order.objects.count(), Payment.objects.count()) == (1, 1)


def test_an_order_repeated_with_its_key_is_still_answered(api, stopped):
    quote = api.quote()["id"]
    order = api.order(quote=quote, key="mine")
    stopped()
    assert api.order(quote=quote, key="mine")["id"] == order["id"]


def test_a_payment_that_comes_meanwhile_is_kept_and_retired_after(api, stopped, pay):
    order = api.order()
    stopped()
    pay(order)
    assert api.get(f"/orders/{order['id']}").json()["state"] == "paid"
    page = api.client.get(f"/o/{order['id']}").content.decode()
    assert "Your payment is kept." in page
    sales.reopen("mended", actor_ref="operator:Wang", at=now())
    Memory.forget_everything()
    api.client.get(f"/o/{order['id']}")
    assert api.get(f"/orders/{order['id']}").json()["state"] == "completed"


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", "Sales are paused: our books are being checked. Nothing was charged."),
        ("zh-Hans", "销售已暂停：我们正在核对账目。没有扣款。"),
        ("nl", "De verkoop is gepauzeerd: onze boeken worden gecontroleerd."),
    ],
)
def test_a_guest_reads_it_in_their_language(api, stopped, lang, words):
    form = {"kg": "124", "project": "rooftop-solar", "nonce": "n" * 20}
    shown = api.client.get("/retire?kg=124", headers={"accept-language": lang})
    assert shown.status_code == 200
    assert words not in shown.content.decode()
    stopped()
    told = api.client.get("/retire?kg=124", headers={"accept-language": lang})
    assert words in told.content.decode()
    assert 'type="submit" class="btn" form="pay"' not in told.content.decode()
    answer = api.client.post("/retire", form, headers={"accept-language": lang})
    assert answer.status_code == 409
    assert words in answer.content.decode()
    assert not Quote.objects.exists()
    assert not Order.objects.exists()
