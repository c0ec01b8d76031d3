"""Inside WeChat: who pays is asked first, bound to order and browser, and kept nowhere."""

import html
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from diandian.flows.checkout import PayBy
from diandian.orders.models import Order
from diandian.payments.models import Payment
from tests.flows import gateway as pretended
from tests.flows.gateway import KEY
from tests.web.test_guest_journey import count, press_pay
from tests.web.test_paying import WECHAT, browser, fresh, page, place, text
from tests.web.world import open_scene

__all__ = ["browser", "fresh"]

pytestmark = pytest.mark.django_db


class _Exchange(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"openid": "oUpF8uMuAJO"}')

    def log_message(self, *_):
        pass


@pytest.fixture
def exchange():
    server = HTTPServer(("127.0.0.1", 0), _Exchange)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def pretend(monkeypatch, settings, tmp_path, exchange):
    (tmp_path / "secret").write_text("s3cret")
    return pretended.use(
        monkeypatch,
        settings,
        app_secret=f"file:{tmp_path}/secret",
        oauth_api_url=f"http://127.0.0.1:{exchange.server_port}",
        oauth_url="http://127.0.0.1:1/authorize",
    )


def asked(browser, order):
    """Go to the page that asks who pays; return the state that travels along."""
    answer = browser.get(f"/o/{order.token}/payer", HTTP_USER_AGENT=WECHAT)
    assert answer.status_code == 200
    url = html.unescape(re.search(r"0;url=([^\"]+)", answer.content.decode())[1])
    query = parse_qs(urlsplit(url).query)
    assert query["redirect_uri"] == [f"http://testserver/o/{order.token}/payer"]
    return query["state"][0]


def test_the_payer_is_asked_for_then_the_wallet_opens_once(browser, pretend, exchange, caplog):
    caplog.set_level("DEBUG")
    open_scene()
    browser.defaults["HTTP_USER_AGENT"] = WECHAT
    ordered = press_pay(browser, count(browser), way=f"{KEY}:in-app")
    order = Order.objects.get()
    assert ordered["Location"] == f"/o/{order.token}/payer"
    assert pretend.requests == []
    state = asked(browser, order)
    back = browser.get(f"/o/{order.token}/payer", {"state": state, "code": "021abc"})
    assert back["Location"] == f"/o/{order.token}?pay=1"
    assert [request.payer for request in pretend.requests] == ["oUpF8uMuAJO"]
    opened = page(browser, order, "?pay=1")
    assert "data-opens" in opened
    everything = opened + str(list(Payment.objects.values())) + caplog.text
    for secret in ("oUpF8uMuAJO", "s3cret", "021abc"):
        assert secret not in everything
    # The same way back again asks nobody: the payment is open now.
    browser.get(f"/o/{order.token}/payer", {"state": state, "code": "021abc"})
    assert len(exchange.asked) == len(pretend.requests) == 1


def test_a_state_of_another_browser_or_order_opens_nothing(browser, pretend, exchange):
    order, other = place(PayBy(KEY, "in-app")), place(PayBy(KEY, "in-app"))
    state, others = asked(browser, order), asked(browser, other)
    stranger = Client(headers={"accept-language": "en"})
    attempts = [
        (stranger, {"state": state, "code": "021abc"}),
        (browser, {"state": others, "code": "021abc"}),
        (browser, {"state": "", "code": "021abc"}),
        (browser, {"state": "\udcff码", "code": "021abc"}),
        (browser, {"state": "x" * 9999, "code": "021abc"}),
    ]
    for who, query in attempts:
        query["state"] = query["state"].encode("utf-8", "replace").decode()
        answer = who.get(f"/o/{order.token}/payer", query)
        assert answer.status_code == 409
        assert "did not tell us who pays" in text(answer.content.decode())
    assert exchange.asked == []
    assert pretend.requests == []


@pytest.mark.parametrize("code", ["", "a&secret=b", "x" * 9999, "<script>"])
def test_a_code_that_is_none_asks_nobody_and_can_be_tried_again(browser, pretend, exchange, code):
    order = place(PayBy(KEY, "in-app"))
    state = asked(browser, order)
    answer = browser.get(f"/o/{order.token}/payer", {"state": state, "code": code})
    assert answer.status_code == 409
    assert exchange.asked == []
    assert asked(browser, order) != state


def test_the_wallet_waits_for_its_app_elsewhere(browser, pretend):
    order = place(PayBy(KEY, "in-app"))
    assert "begun inside WeChat" in page(browser, order)
    inside = page(browser, order, HTTP_USER_AGENT=WECHAT)
    assert f'href="/o/{order.token}/payer"' in inside
