"""The line that asks about the right to withdraw, and the two buttons of an order that waits.

By plain forms, as a browser without scripts sends them.
"""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine

from diandian.certificates.queries import code_of_order
from diandian.claims.withdrawal import ends_at
from diandian.flows import allocator, fulfil
from diandian.kernel.clock import now
from diandian.kernel.memory import Memory
from diandian.orders.models import Order
from diandian.payments.models import Refund
from diandian.registry.models import Retirement
from tests.web.life.walk import ANSWERS as YEAR
from tests.web.life.walk import a_of, walk
from tests.web.world import open_scene, open_shop

pytestmark = pytest.mark.django_db
HIDDEN = re.compile(r'<input type="hidden"[^>]*name="([^"]+)" value="([^"]*)"')
BOX = 'name="at_once"'
AMSTERDAM = "geonames:2759794"
VISIT = {"live_here": "0", "from": "西安", "mode": "train", "nights": "2", "stay": "mid"}


@pytest.fixture(autouse=True)
def fresh(settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.DATA_DIR = tmp_path
    Memory.forget_everything()
    open_shop()


@pytest.fixture
def browser(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def path_of(response):
    return urlsplit(response["Location"]).path


def shown(response):
    return response.content.decode()


def text(response):
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", shown(response)))


def pay_page_of(browser, place_key=AMSTERDAM, slug="withdraw-26"):
    open_scene(slug, place_key=place_key)
    answered = browser.post(f"/s/{slug}/go", VISIT)
    assert answered.status_code == 303, shown(answered)
    return f"{path_of(answered)}/pay"


def press(browser, address, query=None, **changes):
    form = dict(HIDDEN.findall(shown(browser.get(address, query))))
    return browser.post(address, form | {"project": "rooftop-solar"} | changes)


def paid(browser, ordered):
    """Pay at the sandbox; return the order's address."""
    assert ordered.status_code == 303, shown(ordered)
    return path_of(browser.post(path_of(ordered), {"outcome": "paid"}))


@pytest.fixture
def held(browser):
    """The address of an order that is paid and waits."""
    address = paid(browser, press(browser, pay_page_of(browser), name="Sanne"))
    assert Order.objects.get().is_held(now())
    return address


def test_a_scene_in_the_netherlands_asks_and_the_box_is_not_ticked(browser):
    address = pay_page_of(browser)
    for query in ({}, {"at_once": "1"}):
        page = shown(browser.get(address, query))
        assert re.search(rf'<input type="checkbox" {BOX} value="1">', page)
        assert "By paying you ask us to retire at once" not in page


def test_a_scene_in_china_asks_nothing_and_retires_at_once(browser):
    address = pay_page_of(browser, "geonames:1815286")
    for lang in ("nl", "en"):
        page = shown(browser.get(address, headers={"Accept-Language": lang}))
        assert BOX not in page
        assert 'name="asked"' not in page
    assert "By paying you ask us to retire at once" in page
    order = paid(browser, press(browser, address))
    assert path_of(browser.get(order)).startswith("/c/")
    assert (Order.objects.get().withdrawal, Order.objects.get().retire_after) == ("", None)


def test_with_the_tick_the_certificate_comes_at_once(browser):
    order = paid(browser, press(browser, pay_page_of(browser), at_once="1"))
    assert path_of(browser.get(order)).startswith("/c/")
    assert Order.objects.get().withdrawal == "waived"


@pytest.mark.parametrize("sent", ["", "0", "on", "1 ", "true", "<b>"])
def test_only_the_tick_itself_gives_the_right_up(browser, sent):
    paid(browser, press(browser, pay_page_of(browser), at_once=sent))
    assert Order.objects.get().withdrawal == "kept"


def test_who_leaves_the_question_out_keeps_the_right(browser):
    paid(browser, press(browser, pay_page_of(browser), asked=""))
    assert Order.objects.get().withdrawal == "kept"


def test_who_forges_the_question_in_china_is_told_and_pays_nothing(browser):
    answer = press(browser, pay_page_of(browser, "geonames:1815286"), asked="1")
    assert answer.status_code == 409
    assert "There is no right to withdraw from this order" in shown(answer)
    assert not Order.objects.exists()


def test_pressed_again_without_the_tick_is_never_the_ticked_order(browser):
    form = dict(HIDDEN.findall(shown(browser.get("/retire", {"kg": "5"}, headers=NL))))
    form |= {"project": "rooftop-solar"}
    ticked = browser.post("/retire", form | {"at_once": "1"}, headers=NL)
    again = browser.post("/retire", form | {"at_once": "1"}, headers=NL)
    plain = browser.post("/retire", form, headers=NL)
    assert path_of(ticked) == path_of(again) != path_of(plain)
    assert set(Order.objects.values_list("withdrawal", flat=True)) == {"waived", "kept"}


NL = {"Accept-Language": "nl"}


def test_an_amount_without_a_place_asks_people_who_read_dutch(browser):
    assert BOX in shown(browser.get("/retire", {"kg": "5"}, headers=NL))
    assert BOX not in shown(browser.get("/retire", {"kg": "5"}))
    company = {"kg": "5", "holder": "company"}
    assert BOX not in shown(browser.get("/retire", company, headers=NL))


def test_who_was_asked_in_dutch_and_pays_in_english_is_taken_at_their_word(browser):
    form = dict(HIDDEN.findall(shown(browser.get("/retire", {"kg": "5"}, headers=NL))))
    paid(browser, browser.post("/retire", form | {"project": "rooftop-solar"}))
    assert Order.objects.get().withdrawal == "kept"


@pytest.mark.parametrize(("region", "asks"), [("NL", True), ("GB", True), ("CN-SC", False)])
def test_a_year_of_life_asks_by_where_the_home_is(browser, region, asks):
    address = f"/life/pay?a={a_of(walk(browser, YEAR, region)[-1])}&part=month"
    assert (BOX in shown(browser.get(address))) is asks
    paid(browser, press(browser, address))
    order = Order.objects.get()
    assert order.withdrawal == ("kept" if asks else "")


# -- the order's page ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lang", "word"),
    [
        ("en", "Paid and held for you"),
        ("nl", "Betaald en voor je"),
        ("zh-Hans", "已付款，为您保留"),
    ],
)
def test_the_page_says_until_when_and_does_not_reload_itself(browser, held, lang, word):
    for _ in range(2):
        page = browser.get(held, headers={"Accept-Language": lang})
    assert page.status_code == 200
    assert word in shown(page)
    assert str(Order.objects.get().retire_after.year) in shown(page)
    assert "hx-trigger" not in shown(page)
    assert 'http-equiv="refresh"' not in shown(page)
    assert not Retirement.objects.exists()


def test_the_page_does_not_wait_for_an_allocator_that_will_not_come(browser, held, monkeypatch):
    slept = []
    monkeypatch.setattr(allocator, "is_awake", lambda: True)
    monkeypatch.setattr(allocator.time, "sleep", slept.append)
    assert browser.get(held).status_code == 200
    assert slept == []


def test_the_page_names_the_day(browser, held):
    with time_machine.travel("2026-11-24T09:00:00Z", tick=False):
        Order.objects.update(retire_after=ends_at(now()))
        assert "retired on 9 December 2026" in text(browser.get(held))


def test_what_waits_lights_no_board(browser):
    pressed = press(browser, pay_page_of(browser), name="Sanne", board="1")
    held = paid(browser, pressed)
    boards = ("/board", "/s/withdraw-26/board")
    assert all("Sanne" not in shown(browser.get(board)) for board in boards)
    assert not Retirement.objects.exists()
    browser.post(held, {"action": "retire_now"})
    Memory.forget_everything()
    assert all("Sanne" in shown(browser.get(board)) for board in boards)


def test_retire_now(browser, held):
    for _ in range(2):
        assert path_of(browser.post(held, {"action": "retire_now"})) == held
    assert path_of(browser.get(held)).startswith("/c/")
    assert Retirement.objects.count() == 1


def test_to_withdraw_is_asked_once_more_and_then_done_once(browser, held):
    asked = browser.post(held, {"action": "withdraw"})
    assert asked.status_code == 200
    assert 'name="sure" value="1"' in shown(asked)
    assert not Refund.objects.exists()
    for _ in range(2):
        assert path_of(browser.post(held, {"action": "withdraw", "sure": "1"})) == held
    done = browser.get(held)
    assert "The whole amount was returned. Nothing was retired." in shown(done)
    assert 'value="withdraw"' not in shown(done)
    assert Refund.objects.count() == 1


def test_money_that_is_still_on_its_way_says_so(browser, held, monkeypatch):
    monkeypatch.setattr("diandian.flows.refund.send", lambda refund, at: refund)
    browser.post(held, {"action": "withdraw", "sure": "1"})
    assert "You withdrew. Your money is on its way back" in shown(browser.get(held))
    answer = browser.post(held, {"action": "retire_now"})
    assert answer.status_code == 409
    assert "Nothing was changed" in shown(answer)


def test_after_the_retirement_withdrawing_is_refused_in_plain_words(browser, held):
    browser.post(held, {"action": "retire_now"})
    answer = browser.post(held, {"action": "withdraw", "sure": "1"})
    assert answer.status_code == 409
    assert "It is too late to withdraw from this order" in shown(answer)
    code = code_of_order(Order.objects.get().ref)
    assert f'href="/c/{code}"' in shown(answer), "its certificate is one press away"
    assert not Refund.objects.exists()


@pytest.mark.parametrize(
    "sent",
    [
        {"action": "withdraw", "sure": "yes"},
        {"action": "withdraw", "sure": ["0", ""]},
        {"action": "Withdraw", "sure": "1"},
        {"action": "retire_now\x00"},
        {"action": "<script>"},
        {},
    ],
)
def test_anything_else_changes_nothing(browser, held, sent):
    assert browser.post(held, sent).status_code in {200, 303, 400}
    assert Order.objects.get().is_held(now())
    assert "<script>" not in shown(browser.get(held))


def test_a_link_alone_changes_nothing(browser, held):
    for query in ({"action": "withdraw", "sure": "1"}, {"action": "retire_now"}):
        assert browser.get(held, query).status_code == 200
    assert Order.objects.get().is_held(now())


@pytest.mark.parametrize("action", ["withdraw", "retire_now"])
def test_an_order_that_is_not_paid_cannot_be_decided_about(browser, action):
    press(browser, pay_page_of(browser))
    order = f"/o/{Order.objects.get().token}"
    answer = browser.post(order, {"action": action, "sure": "1"})
    assert answer.status_code == 409
    assert "No paid kilograms wait for you in this order" in shown(answer)
    assert Order.objects.get().state == "awaiting_payment"


def test_when_the_time_is_over_the_certificate_follows(browser, held):
    until = Order.objects.get().retire_after
    with time_machine.travel(until - timedelta(seconds=1), tick=False):
        assert fulfil.drain() == 0
        assert browser.get(held).status_code == 200
    with time_machine.travel(until, tick=False):
        Memory.forget_everything()
        assert path_of(browser.get(held)).startswith("/c/")
