"""The sandbox's page: says loudly what it is, and does what the guest chooses."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import include, path

from diandian.flows import payment_events
from diandian.payments.gateways.sandbox.gateway import GATEWAY, peer_of
from diandian.payments.merchants import context_for
from diandian.payments.messages import Ack, PaymentRequest
from diandian.web import sandbox

urlpatterns = [
    path("sandbox/<slug:token>", sandbox.pay),
    path("", include("diandian.web.urls")),
]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.fixture
def heard(monkeypatch):
    """The notices that arrive at our address, as they come."""
    found = []

    def hear(key, headers, body):
        found.append((key, headers, body))
        return Ack(200)

    monkeypatch.setattr(payment_events, "receive_notice", hear)
    return found


@pytest.fixture
def page(settings, tmp_path, make_request, now, heard):
    settings.SANDBOX_STORE, settings.KEYS_DIR = tmp_path / "bank.sqlite3", tmp_path / "keys"
    context = context_for("sandbox")
    request = make_request(return_url="http://elsewhere.example:9000/o/secret")
    assert isinstance(request, PaymentRequest)
    with time_machine.travel(now, tick=False) as traveller:
        opened = GATEWAY.create_payment(context, request, at=now)
        yield opened.value.url, traveller
    peer_of(context).hang_up()


def state(payment_no, at):
    return peer_of(context_for("sandbox")).by_no(payment_no).state(at)


def test_it_says_loudly_that_no_money_moves(page):
    response = Client(headers={"accept-language": "en"}).get(page[0])
    text = response.content.decode()
    assert response.status_code == 200
    assert "Sandbox: no money moves" in text
    assert all(word in text for word in ("8.04", "Diandian (demo)", "Diandian 124 kg"))
    for outcome in ("paid", "declined", "late", "silent", "twice"):
        assert f'name="outcome" value="{outcome}"' in text
    assert "style=" not in text
    assert response["Cache-Control"] == "no-store"
    assert "noindex" in response["X-Robots-Tag"]


@pytest.mark.parametrize(
    ("outcome", "notices", "became"),
    [
        ("paid", 1, "succeeded"),
        ("declined", 1, "failed"),
        ("late", 0, "paying"),
        ("silent", 0, "succeeded"),
        ("twice", 3, "succeeded"),
    ],
)
def test_a_choice_happens_and_leads_back_to_the_order(page, heard, now, outcome, notices, became):
    response = Client().post(page[0], {"outcome": outcome})
    assert response.status_code == 303
    # On the guest's own host, whatever name the order was made under.
    assert response["Location"] == "/o/secret"
    assert len(heard) == notices
    assert state("DD261122ABCDEFGH", now) == became


def test_notices_arrive_as_a_real_gateway_would_send_them(page, heard, now):
    Client().post(page[0], {"outcome": "paid"})
    [(key, headers, body)] = heard
    verified = GATEWAY.parse_notification(context_for(key), headers, body, at=now)
    assert verified.payment_no == "DD261122ABCDEFGH"


def test_a_receiver_that_breaks_is_not_the_payers_trouble(page, monkeypatch, now):
    def broken(*_):
        raise RuntimeError("crash")

    monkeypatch.setattr(payment_events, "receive_notice", broken)
    assert Client().post(page[0], {"outcome": "paid"}).status_code == 303
    assert state("DD261122ABCDEFGH", now) == "succeeded"


@pytest.mark.parametrize("data", [{}, {"outcome": ""}, {"outcome": "steal"}])
def test_without_a_choice_nothing_happens(page, heard, now, data):
    response = Client(headers={"accept-language": "en"}).post(page[0], data)
    assert response.status_code == 422
    assert "Nothing happened yet" in response.content.decode()
    assert state("DD261122ABCDEFGH", now) == "pending"
    assert heard == []


def test_choosing_twice_pays_once(page, heard):
    client = Client()
    assert [client.post(page[0], {"outcome": "paid"}).status_code for _ in range(2)] == [303, 303]
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("paid", "This payment was made"),
        ("late", "This payment is on its way"),
        ("declined", "This payment was declined"),
    ],
)
def test_a_decided_payment_says_so_and_offers_no_choice(page, outcome, said):
    client = Client(headers={"accept-language": "en"})
    client.post(page[0], {"outcome": outcome})
    text = client.get(page[0]).content.decode()
    assert said in text
    assert 'name="outcome"' not in text
    assert 'href="/o/secret"' in text


def test_an_expired_payment_says_so(page, heard):
    url, traveller = page
    traveller.shift(timedelta(minutes=11))
    client = Client(headers={"accept-language": "en"})
    assert "The time for this payment is over" in client.get(url).content.decode()
    response = client.post(url, {"outcome": "paid"})
    assert response.status_code == 409
    assert "The time for this payment is over" in response.content.decode()
    assert heard == []


def test_a_closed_payment_says_so(page, now):
    GATEWAY.close_payment(context_for("sandbox"), "DD261122ABCDEFGH", at=now)
    client = Client(headers={"accept-language": "en"})
    assert "This payment was closed" in client.post(page[0], {"outcome": "paid"}).content.decode()


def test_an_unknown_page_is_not_found(page):
    assert Client().get("/sandbox/AAAAAAAAAAAAAAAAAAAAAA").status_code == 404


def test_there_is_no_sandbox_in_production(page, settings):
    settings.TEST_MODE = False
    assert Client().get(page[0]).status_code == 404
    settings.TEST_MODE = True


def test_another_site_cannot_choose_for_the_guest(page, heard, now):
    response = Client(headers={"sec-fetch-site": "cross-site"}).post(page[0], {"outcome": "paid"})
    assert response.status_code == 403
    assert state("DD261122ABCDEFGH", now) == "pending"
