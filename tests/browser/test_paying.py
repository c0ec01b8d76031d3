"""Ways to pay in real browsers: by page, by code, by wallet, another way; in each language."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.looks import AXE_OPTIONS, at_twice_the_size, sideways, violations
from tests.browser.walk import PHONE, Walk

pytestmark = [pytest.mark.browser]

LANGUAGES = ("zh-Hans", "en", "nl")
LOCALES = {"zh-Hans": "zh-CN", "en": "en-GB", "nl": "nl-NL"}
AGENTS = {
    "phone": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36",
    "wechat": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) MicroMessenger/8.0.61",
    "desktop": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36",
}
SIZES = {"phone": PHONE, "wechat": PHONE, "desktop": {"width": 1280, "height": 900}}
# What WeChat puts into a page: it answers as it is told, and remembers what it was asked.
BRIDGE = """window.WeixinJSBridge = {asked: [], invoke(name, parameters, answer) {
  this.asked.push([name, parameters]);
  answer({err_msg: `get_brand_wcpay_request:${document.cookie.split('wallet=')[1] || 'fail'}`});
}}"""


@pytest.fixture
def guest(browser, site):
    """Return what opens a guest's browser of a kind, in a language; its faults fail the test."""
    contexts, faults = [], []

    def note_answer(answer):
        if answer.status >= 500:
            faults.append(f"{answer.status} {answer.url}")

    def open_guest(lang="en", kind="desktop", *, scripts=True, scheme="light"):
        context = browser.new_context(
            viewport=SIZES[kind],
            locale=LOCALES[lang],
            user_agent=AGENTS[kind],
            is_mobile=kind != "desktop",
            has_touch=kind != "desktop",
            java_script_enabled=scripts,
            color_scheme=scheme,
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("response", note_answer)
        return Walk(page, site)

    yield open_guest
    for context in contexts:
        context.close()
    assert not faults


def to_till(walk):
    walk.begin()
    walk.answer()
    walk.press()


def order_by(walk, way):
    to_till(walk)
    walk.tick("way", way)
    walk.press()


def pay_elsewhere(guest, code_page, kind="phone"):
    """Scan the code that a page shows, with another device, and pay there."""
    other = guest(kind=kind)
    other.page.goto(code_page)
    other.settle("paid")
    return other


def sandbox_page(page):
    """Return what the drawn code leads to, as the API says it."""
    base, _, token = page.url.partition("?")[0].partition("/o/")
    answer = page.request.get(f"{base}/api/v1/orders/{token}")
    return answer.json()["payment"]["instruction"]["text"]


def faults(page, name):
    return violations(Axe(), page, name, AXE_OPTIONS) + sideways(page, name)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_code_on_a_desktop_is_paid_by_a_phone_and_shows_it_by_itself(guest, lang):
    walk = guest(lang, scheme="dark" if lang == "nl" else "light")
    order_by(walk, "sandbox:qr")
    assert "/o/" in walk.page.url
    assert walk.page.locator(".qrcode").bounding_box()["width"] >= 200
    assert faults(walk.page, f"code {lang}") == []
    paid = pay_elsewhere(guest, sandbox_page(walk.page))
    paid.code()
    walk.code()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", ["phone", "desktop"])
def test_declined_then_another_way_then_paid(guest, lang, kind):
    walk = guest(lang, kind)
    order_by(walk, "sandbox:page") if kind == "desktop" else (to_till(walk), walk.press())
    walk.settle("declined")
    page = walk.page
    assert faults(page, f"declined {lang}") == []
    with page.expect_navigation(wait_until="load"):
        page.locator('a[href$="/pay"]').last.click()
    assert faults(page, f"ways {lang}") == []
    walk.press()
    if kind == "desktop":
        expect(page.locator(".qrcode")).to_be_visible()
        pay_elsewhere(guest, sandbox_page(page))
    else:
        walk.settle("paid")
    walk.code()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_tab_is_closed_and_the_link_opens_the_order_anywhere(guest, lang):
    walk = guest()
    order_by(walk, "sandbox:qr")
    link = walk.page.url
    text = sandbox_page(walk.page)
    walk.page.close()
    elsewhere = guest(lang, "phone")
    elsewhere.page.goto(link)
    assert elsewhere.page.locator(".qrcode").is_visible()
    assert faults(elsewhere.page, "code on a phone") == []
    pay_elsewhere(guest, text)
    elsewhere.code()


def test_without_scripts_the_code_is_there_and_the_page_looks_again(guest):
    walk = guest(scripts=False)
    order_by(walk, "sandbox:qr")
    assert walk.page.locator(".qrcode").is_visible()
    pay_elsewhere(guest, sandbox_page(walk.page))
    walk.code()


def test_two_tabs_by_two_ways_pay_once(guest):
    walk = guest()
    order_by(walk, "sandbox:page")
    first, page = walk.page.url, walk.page
    second = page.context.new_page()
    with page.expect_navigation(wait_until="load"):
        walk.page.locator('form:has(input[value="declined"]) button').click()
    second.goto(page.url + "/pay")
    second.locator(".foot .btn").click()
    expect(second.locator(".qrcode")).to_be_visible()
    # Going back to the page of the first attempt: it cannot be paid any more.
    page.goto(first)
    assert page.locator('input[name="outcome"]').count() == 0
    pay_elsewhere(guest, sandbox_page(second))
    Walk(second, walk.base).code()


def test_a_cancelled_order_says_so_and_its_code_is_dead(guest):
    walk = guest("zh-Hans")
    order_by(walk, "sandbox:qr")
    text = sandbox_page(walk.page)
    with walk.page.expect_navigation(wait_until="load"):
        walk.page.locator('form:has(input[value="cancel"]) button').click()
    assert walk.page.locator(".qrcode").count() == 0
    walk.page.goto(text)
    assert walk.page.locator('input[name="outcome"]').count() == 0


def test_paid_late_arrives_by_itself_in_each_language(guest):
    # Beside each other: the bank takes twenty seconds.
    walks = [guest(lang, "phone") for lang in LANGUAGES]
    walks.append(guest("en", "phone", scripts=False))
    for walk in walks:
        to_till(walk)
        walk.press()
        walk.settle("late")
        assert "/o/" in walk.page.url
    assert [faults(walk.page, "late") for walk in walks[: len(LANGUAGES)]] == [[], [], []]
    for walk in walks:
        walk.code(seconds=45)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_paid_and_told_twice_is_one_certificate(guest, lang):
    walk = guest(lang, "phone")
    to_till(walk)
    walk.press()
    bank = walk.page.url
    walk.settle("twice")
    code = walk.code()
    walk.page.goto(bank)
    assert walk.page.locator('input[name="outcome"]').count() == 0, "it cannot be paid again"
    walk.press()
    assert walk.code() == code


@pytest.mark.parametrize(("said", "shown"), [("cancel", "cancelled"), ("fail", "failed")])
def test_the_wallet_of_an_app_is_asked_and_its_no_is_said(guest, said, shown):
    walk = guest("zh-Hans", "wechat", scheme="dark")
    page = walk.page
    page.add_init_script(f"{BRIDGE}; document.cookie = 'wallet={said}'")
    order_by(walk, "sandbox:app")
    assert faults(page, "wallet") == []
    page.locator("#wallet").click()
    expect(page.locator(f'[data-say="{shown}"]')).to_be_visible()
    [[name, parameters]] = page.evaluate("WeixinJSBridge.asked")
    assert (name, parameters["appId"]) == ("getBrandWCPayRequest", "sandbox")
    assert faults(page, shown) == []


def test_a_wallet_opens_by_itself_once_who_just_came_for_it(guest):
    walk = guest("en", "wechat")
    page = walk.page
    page.add_init_script(f"{BRIDGE}; document.cookie = 'wallet=cancel'")
    order_by(walk, "sandbox:app")
    assert page.evaluate("WeixinJSBridge.asked.length") == 0
    page.goto(f"{page.url}?pay=1")
    expect(page.locator('[data-say="cancelled"]')).to_be_visible()
    assert page.evaluate("WeixinJSBridge.asked.length") == 1
    assert "pay=1" not in page.url
    page.reload()
    assert page.evaluate("WeixinJSBridge.asked.length") == 0


def test_a_wallet_that_says_paid_is_not_believed(guest):
    walk = guest("en", "wechat")
    page = walk.page
    page.add_init_script(f"{BRIDGE}; document.cookie = 'wallet=ok'")
    order_by(walk, "sandbox:app")
    with page.expect_navigation(wait_until="load"):
        page.locator("#wallet").click()
    assert "/o/" in page.url
    assert page.locator("#wallet").is_visible(), "nobody paid, so it still waits"


def test_without_its_app_the_wallet_leads_on_to_the_page(guest):
    walk = guest("en", "wechat")
    order_by(walk, "sandbox:app")
    walk.page.locator("#wallet").click()
    link = walk.page.locator('[data-say="failed"] a')
    expect(link).to_be_visible()
    with walk.page.expect_navigation(wait_until="load"):
        link.click()
    walk.settle("paid")
    walk.code()


@pytest.mark.parametrize("kind", ["phone", "desktop"])
def test_pages_of_paying_hold_at_twice_the_size(guest, kind):
    walk = guest("nl", kind)
    to_till(walk)
    assert at_twice_the_size(walk.page, "till") == []
    if kind == "desktop":
        walk.page.reload()
        walk.tick("way", "sandbox:qr")
        walk.press()
        assert at_twice_the_size(walk.page, "code") == []
