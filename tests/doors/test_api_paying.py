"""Ways to pay, for programs: what is on offer, another way, and what is refused."""

import pytest

from diandian.payments.models import Payment
from tests.doors.conftest import refusal
from tests.flows import gateway as pretended
from tests.flows.gateway import KEY


def test_an_order_names_its_way_and_every_other(api):
    payment = api.order()["payment"]
    assert (payment["gateway"], payment["flow"]) == ("sandbox", "page")
    assert [(way["flow"], way["kind"]) for way in payment["ways"]] == [
        ("page", "redirect"),
        ("qr", "qr"),
        ("app", "jsapi"),
    ]
    assert payment["ways"][1]["browsers"] == ["desktop"]
    assert payment["instruction"]["valid_until"] is None


def test_each_kind_is_described_whole(api):
    code = api.order(gateway="sandbox", flow="qr")["payment"]["instruction"]
    assert (code["kind"], code["url"]) == ("qr", "")
    assert code["text"].startswith("http://testserver/sandbox/")
    wallet = api.order(flow="app")["payment"]["instruction"]
    assert wallet["kind"] == "jsapi"
    assert wallet["parameters"]["appId"] == "sandbox"


def test_another_way_closes_the_open_attempt(api, pay):
    order = api.order()
    again = api.post(f"/orders/{order['id']}/payments?gateway=sandbox&flow=qr").json()
    assert again["payment"]["instruction"]["kind"] == "qr"
    assert [each.state for each in Payment.objects.order_by("id")] == ["closed", "pending"]
    same = api.post(f"/orders/{order['id']}/payments").json()
    assert same["payment"]["instruction"] == again["payment"]["instruction"]
    assert Payment.objects.count() == 2


def test_a_paid_order_has_no_ways_and_takes_no_other(api, pay):
    order = api.order()
    pay(order)
    done = api.get(f"/orders/{order['id']}").json()
    assert done["payment"]["ways"] == []
    answer = api.post(f"/orders/{order['id']}/payments?flow=qr")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_payable")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"gateway": "nowhere"}, "unknown_gateway"),
        ({"flow": "wap"}, "unknown_gateway"),
        ({"gateway": "sandbox", "flow": "wap"}, "unknown_gateway"),
        ({"flow": "\x00"}, "invalid_input"),
        ({"flow": "x" * 21}, "invalid_input"),
        ({"client_ip": "here"}, "client_ip"),
        ({"client_ip": "203.0.113.7, 10.0.0.1"}, "client_ip"),
        ({"client_ip": 7}, "invalid_input"),
    ],
)
def test_what_is_no_way_orders_nothing(api, body, code):
    quote = api.quote()["id"]
    refusal(api.post("/orders", {"quote": quote, "on_board": False} | body), 422, code)
    assert not Payment.objects.exists()


@pytest.mark.parametrize("query", ["gateway=nowhere", "flow=wap", "gateway=sandbox&flow=wap"])
def test_another_way_that_is_none_changes_nothing(api, query):
    order = api.order()
    refusal(api.post(f"/orders/{order['id']}/payments?{query}"), 422, "unknown_gateway")
    assert [each.state for each in Payment.objects.all()] == ["pending"]


def test_the_address_of_the_person_goes_to_the_gateway(api, monkeypatch, settings):
    gateway = pretended.use(monkeypatch, settings)
    api.order(gateway=KEY, client_ip="2001:DB8::7")
    api.order(gateway=KEY)
    assert [request.client_ip for request in gateway.requests] == ["2001:db8::7", "127.0.0.1"]
