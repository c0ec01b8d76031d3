"""Choosing a way to pay, by code, by wallet, another way: pages, and what nobody may do there."""

import html
import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine

from diandian.flows import checkout, expiry, payment_events
from diandian.flows.checkout import PayBy
from diandian.flows.quote import open_quote
from diandian.kernel.clock import now
from diandian.kernel.memory import Memory
from diandian.orders import queries as orders
from diandian.orders.models import Order
from diandian.payments.gateways.sandbox.gateway import SandboxGateway, peer_of
from diandian.payments.merchants import context_for
from diandian.payments.messages import Unknown
from diandian.payments.models import Payment
from diandian.ui import limits
from tests.flows import gateway as pretended
from tests.flows.gateway import KEY
from tests.web.test_guest_journey import count, form_of, press_pay
from tests.web.world import open_scene, open_shop

pytestmark = pytest.mark.django_db

WECHAT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5) MicroMessenger/8.0.61 Mobile/15E148"
PHONE = "Mozilla/5.0 (Linux; Android 15) Chrome/142.0 Mobile Safari/537.36"
HOSTILE = [
    "sandbox",
    "sandbox:",
    ":page",
    "nowhere:page",
    "sandbox:wap",
    "sandbox:app",
    "<script>alert(1)</script>",
    "'; DROP TABLE payments_payment;--",
    "sandbox:page\r\nLocation: https://elsewhere.example",
    "微信支付" * 500,
    "\udcff",
]


@pytest.fixture(autouse=True)
def fresh(settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.DATA_DIR = tmp_path
    Memory.forget_everything()
    limits.misses.forget()


@pytest.fixture
def browser(client):
    open_shop()
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def place(by=PayBy()):  # noqa: B008 - a frozen value
    quote = open_quote(project_code="rooftop-solar", mass_g=124_000)
    return checkout.place_order(
        quote_token=quote.token, beneficiary_name="", on_board=False, language="en", by=by
    )


def page(browser, order, path="", **facts):
    response = browser.get(f"/o/{order.token}{path}", **facts)
    return html.unescape(response.content.decode())


def text(markup):
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", markup))


def values(markup):
    return re.findall(r'name="way"[^>]* value="([^"]*)"', markup)


# -- the list of ways -------------------------------------------------------------------------


def test_each_browser_is_shown_what_works_in_it_and_the_page_comes_first(browser):
    shown = {
        agent: values(browser.get("/retire?kg=124", HTTP_USER_AGENT=agent).content.decode())
        for agent in ("", PHONE, WECHAT)
    }
    assert shown[""] == ["sandbox:page", "sandbox:qr"]
    assert shown[PHONE] == ["sandbox:page"]
    assert shown[WECHAT] == ["sandbox:page", "sandbox:app"]
    answer = browser.get("/retire?kg=124")
    assert "User-Agent" in answer["Vary"]
    assert "Sandbox: a test, no money moves" in text(answer.content.decode())


def test_a_scene_in_one_browser_is_not_kept_for_another(browser):
    open_scene()
    result = count(browser)
    for agent, expected in ((PHONE, 1), ("", 2), (WECHAT, 2), (PHONE, 1)):
        answer = browser.get(f"{result}/pay", HTTP_USER_AGENT=agent)
        assert len(values(answer.content.decode())) == expected


def test_the_ways_change_with_the_project_and_keep_what_was_chosen(browser):
    answer = browser.get(
        "/retire?kg=124&holder=person&project=rooftop-solar&way=sandbox:qr",
        HTTP_HX_REQUEST="true",
    ).content.decode()
    assert 'id="ways" hx-swap-oob="true"' in answer
    assert 'value="sandbox:qr" checked' in answer


@pytest.mark.parametrize("way", HOSTILE)
def test_a_way_that_is_not_on_offer_orders_nothing(browser, way):
    open_scene()
    answer = press_pay(browser, count(browser), way=way.encode("utf-8", "replace").decode())
    assert answer.status_code == 409
    assert "This way to pay is not available" in text(answer.content.decode())
    assert "<script>alert" not in answer.content.decode()
    assert not Order.objects.exists()


def test_48_below_every_minimum_the_page_says_so_and_has_no_button(browser, monkeypatch, settings):
    gateway = pretended.use(monkeypatch, settings)
    gateway.changes = {"limits_minor": {"CNY": (2_000, 9_000)}}
    monkeypatch.setattr("diandian.payments.merchants.serving", only_pretend)
    answer = browser.get("/retire?kg=124&holder=person").content.decode()
    assert "the smallest is ¥20.00" in text(html.unescape(answer))
    assert 'class="btn" form="pay"' not in answer
    posted = browser.post(
        "/retire",
        form_of(browser.get("/retire?kg=124&holder=person"))
        | {"kg": "124", "project": "rooftop-solar", "agreed_for": "rooftop-solar"}
        | {
            "agreed_minor": str(
                open_quote(project_code="rooftop-solar", mass_g=124_000).total_minor
            )
        },
    )
    assert posted.status_code == 409
    assert "does not take this amount" in text(posted.content.decode())
    assert not Order.objects.exists()
    assert gateway.requests == []


def only_pretend(_supplier_ref):
    from diandian.payments import merchants

    return [merchant for merchant in merchants.every() if merchant.gateway == KEY]


# -- by QR code -------------------------------------------------------------------------------


def test_a_code_is_drawn_with_amount_and_time_and_shows_the_payment_by_itself(browser):
    open_scene()
    ordered = press_pay(browser, count(browser), way="sandbox:qr")
    order = Order.objects.get()
    assert (ordered.status_code, ordered["Location"]) == (303, f"/o/{order.token}")
    shown = page(browser, order)
    assert 'class="qrcode" width="232"' in shown
    assert "Scan to pay ¥" in text(shown)
    assert "You have 10 minutes left to pay." in text(shown)
    assert "scanned with a second device" not in shown
    assert "scanned with a second device" in page(browser, order, HTTP_USER_AGENT=PHONE)
    url = orders.latest_payment(order).instruction["text"]
    assert url.startswith("http://testserver/sandbox/")
    paid = browser.post(urlsplit(url).path, {"outcome": "paid"})
    assert paid["Location"] == f"/o/{order.token}"
    assert browser.get(f"/o/{order.token}")["Location"].startswith("/c/")


def test_what_refreshes_itself_asks_for_the_whole_page_once_its_frame_changed(browser):
    order = place(PayBy("sandbox", "qr"))
    url = re.search(r'hx-get="([^"]+)"', page(browser, order))[1]
    same = browser.get(url, HTTP_HX_REQUEST="true")
    assert "HX-Refresh" not in same
    assert 'id="status"' in same.content.decode()
    payment = orders.latest_payment(order)
    peer_of(context_for("sandbox")).decide(payment.instruction["text"][-22:], "declined", now())
    Memory.forget_everything()
    assert browser.get(url, HTTP_HX_REQUEST="true")["HX-Refresh"] == "true"
    for look in ("", "x" * 5000, "<b>"):
        assert browser.get(f"/o/{order.token}", {"look": look}).status_code == 200


def test_a_code_that_expired_is_asked_for_again(browser, monkeypatch, settings):
    gateway = pretended.use(monkeypatch, settings)
    gateway.valid_until = now() + timedelta(minutes=3)
    order = place(PayBy(KEY, "code"))
    assert "qrcode" in page(browser, order)
    with time_machine.travel(now() + timedelta(minutes=4)):
        shown = page(browser, order)
        assert "qrcode" not in shown
        assert "has expired" in shown
        gateway.valid_until = None
        browser.post(f"/o/{order.token}", {"action": "pay"})
        assert "qrcode" in page(browser, order)
    assert Payment.objects.count() == 1


# -- another way ------------------------------------------------------------------------------


def test_another_way_closes_the_first_and_pays_once(browser):
    order = place()
    shown = page(browser, order, "/pay")
    assert values(shown) == ["sandbox:page", "sandbox:qr"]
    assert 'value="sandbox:qr" checked' in shown, "what was begun already is not proposed again"
    answer = browser.post(f"/o/{order.token}/pay", {"way": "sandbox:qr"})
    assert answer["Location"] == f"/o/{order.token}"
    assert [each.state for each in Payment.objects.order_by("id")] == ["closed", "pending"]
    assert "qrcode" in page(browser, order)
    again = browser.post(f"/o/{order.token}/pay", {"way": "sandbox:page"})
    assert again["Location"].startswith("/sandbox/")


def test_another_way_while_nobody_says_closed_is_said_on_the_page(browser, monkeypatch):
    order = place()
    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "close_payment", lambda *_, **__: Unknown("timeout"))
        browser.post(f"/o/{order.token}/pay", {"way": "sandbox:qr"})
    assert "Please pay once only" in page(browser, order)
    peer = peer_of(context_for("sandbox"))
    for payment in Payment.objects.order_by("-id"):
        peer.settle_anyway(payment.payment_no, now())
        payment_events.refresh(payment.payment_no)
    order.refresh_from_db()
    assert order.state == "completed"


@pytest.mark.parametrize("way", HOSTILE)
def test_another_way_that_is_not_on_offer_changes_nothing(browser, way):
    order = place()
    answer = browser.post(f"/o/{order.token}/pay", {"way": way.encode("utf-8", "replace").decode()})
    assert answer.status_code == 409
    assert [each.state for each in Payment.objects.all()] == ["pending"]


@pytest.mark.parametrize("path", ["/pay", "/payer", "/payer?state=x&code=y"])
def test_guessed_and_finished_orders_lead_nowhere(browser, path):
    assert browser.get(f"/o/aaaaaaaaaaaaaaaaaaaaaa{path}").status_code == 404
    order = place()
    expiry.cancel_order(order)
    assert browser.get(f"/o/{order.token}{path}")["Location"] == f"/o/{order.token}"
    assert browser.post(f"/o/{order.token}/pay", {"way": "sandbox:qr"})["Location"] == (
        f"/o/{order.token}"
    )


# -- states -----------------------------------------------------------------------------------


def test_an_unknown_creation_can_be_tried_again_by_its_guest(browser, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "create_payment", lambda *_, **__: Unknown("timeout"))
        open_scene()
        press_pay(browser, count(browser))
        order = Order.objects.get()
        assert "could not be started yet" in page(browser, order)
    answer = browser.post(f"/o/{order.token}", {"action": "pay"})
    assert answer["Location"].startswith("/sandbox/")
    assert Payment.objects.count() == 1


@pytest.mark.parametrize(
    ("minutes", "answer"), [(11, Unknown("timeout")), (20, None)], ids=["no answer", "too late"]
)
def test_after_the_deadline_the_page_is_clear_and_leads_to_a_new_start(
    browser, monkeypatch, minutes, answer
):
    order = place()
    with time_machine.travel(order.created_at + timedelta(minutes=minutes)):
        with monkeypatch.context() as patch:
            if answer is not None:
                patch.setattr(SandboxGateway, "query_payment", lambda *_, **__: answer)
            shown = page(browser, order)
        assert "The time to pay is over" in shown
        assert 'value="pay"' not in shown
        answered = browser.post(f"/o/{order.token}", {"action": "restart"})
        assert answered["Location"] == "/retire"
    order.refresh_from_db()
    assert order.state == "cancelled"


def test_a_link_that_expired_is_not_the_end_while_there_is_time_for_another(browser):
    order = place()
    with time_machine.travel(order.created_at + timedelta(minutes=11)):
        assert "Try again: pay ¥" in text(page(browser, order))
        answer = browser.post(f"/o/{order.token}", {"action": "pay"})
        assert answer["Location"].startswith("/sandbox/")
        assert "You have 9 minutes left to pay." in text(page(browser, order))


@pytest.mark.parametrize("action", ["cancel", "restart"])
def test_22_cancelling_is_refused_in_words_while_nobody_says_closed(browser, monkeypatch, action):
    order = place()
    monkeypatch.setattr(SandboxGateway, "close_payment", lambda *_, **__: Unknown("timeout"))
    answer = browser.post(f"/o/{order.token}", {"action": action})
    assert answer.status_code == 409
    assert "Your bank has not said yet" in text(answer.content.decode())
    order.refresh_from_db()
    assert order.state == "awaiting_payment"


@pytest.mark.parametrize("action", ["", "paid", "complete", "refund", "x" * 9999])
def test_an_unknown_action_does_nothing(browser, action):
    order = place()
    assert browser.post(f"/o/{order.token}", {"action": action}).status_code == 303
    order.refresh_from_db()
    assert order.state == "awaiting_payment"


# -- inside WeChat ----------------------------------------------------------------------------


def test_a_wallet_is_opened_by_a_script_of_ours_from_plain_data(browser):
    order = place(PayBy("sandbox", "app"))
    answer = browser.get(f"/o/{order.token}", HTTP_USER_AGENT=WECHAT)
    shown = html.unescape(answer.content.decode())
    assert re.search(r'<script src="[^"]*web/wallet[^"]*\.js" defer></script>', shown)
    assert '"appId": "sandbox"' in shown
    assert "script-src 'self';" in answer["Content-Security-Policy"]
    assert "data-opens" not in shown
    elsewhere = page(browser, order)
    assert "begun inside WeChat" in elsewhere
    assert "data-wallet" not in elsewhere
