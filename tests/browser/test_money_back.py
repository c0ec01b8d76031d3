"""Money back in real browsers: at the desk by phone and computer, and what guests then read."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils.translation import gettext, override

from tests.browser import money_desk
from tests.browser.looks import AXE_OPTIONS, sideways, violations
from tests.browser.money_desk import COLLEAGUES_PASSWORD, MoneyDesk, at_bank
from tests.browser.walk import PHONE, Walk

pytestmark = [pytest.mark.browser]

SIZES = {"phone": PHONE, "desktop": {"width": 1280, "height": 900}}


@pytest.fixture
def desks(browser, site, operator_password):
    """Return what signs two operators in, each in a browser of one size."""
    contexts = []

    def sign_in(size, scheme):
        found, name, password = [], "", operator_password
        for _ in range(2):
            context = browser.new_context(
                viewport=SIZES[size],
                locale="en-GB",
                color_scheme=scheme,
                is_mobile=size == "phone",
                has_touch=size == "phone",
            )
            context.set_default_timeout(10_000)
            contexts.append(context)
            desk = MoneyDesk(context.new_page(), site)
            desk.sign_in(password, name)
            name, password = name or desk.colleague(), COLLEAGUES_PASSWORD
            found.append(desk)
        return found

    yield sign_in
    for context in contexts:
        context.close()


def says(page, lang, *texts):
    """Return which of some texts a page does not show, in its language."""
    shown = page.locator("main").inner_text()
    with override(lang.lower()):
        return [text for text in texts if gettext(text) not in shown]


def faults(page, name):
    return violations(Axe(), page, name, AXE_OPTIONS) + sideways(page, name)


def faults_in_both_sizes(page, name):
    """Look at a page of the desk on a phone and on a computer; it stays as it was."""
    before, found = page.viewport_size, []
    for size, viewport in SIZES.items():
        page.set_viewport_size(viewport)
        found += faults(page, f"{name}, {size}")
    page.set_viewport_size(before)
    return found


WHOLE_BACK = "The whole amount was returned. Nothing was retired."
A_PART = "a part of what you paid"
RETURNED = "Returned, the way it came."


@pytest.mark.parametrize("lang", ["zh-Hans", "en", "nl"])
def test_a_guest_reads_what_went_back_in_each_language(site, new_phone, lang):
    walk = Walk(new_phone(lang), site)
    page, paid = walk.page, money_desk.paid_and_held(walk)
    at_bank(page, paid, "part")
    page.goto(paid.order)
    assert says(page, lang, A_PART, RETURNED, "We are looking into it") == []
    assert says(page, lang, WHOLE_BACK, "Refunded") == [WHOLE_BACK, "Refunded"]
    assert faults(page, f"a part went back {lang}") == []


def test_in_part_by_hand_in_part_by_us_then_the_rest(site, new_phone, desks):
    walk = Walk(new_phone("nl"), site)
    guest, (desk, _) = walk.page, desks("phone", "dark")
    paid = money_desk.paid_and_held(walk)
    number = money_desk.payment_no(guest, paid)
    at_bank(guest, paid, "part")
    desk.overview()
    assert number in desk.card("external")
    assert faults_in_both_sizes(desk.page, "given back without us") == []
    desk.seen()
    assert number not in desk.card("external")
    desk.open(number)
    desk.part("1.00")
    assert faults_in_both_sizes(desk.page, "a part, shown first") == []
    desk.sure()
    guest.goto(paid.order)
    assert says(guest, "nl", WHOLE_BACK) == [WHOLE_BACK]
    assert guest.locator("#refunds").locator("xpath=..").locator("li").count() == 2
    desk.whole("give_back")
    desk.sure()
    guest.goto(paid.order)
    assert says(guest, "nl", WHOLE_BACK, "Refunded") == []


def test_in_full_which_fails_then_finds_no_way_home_and_is_paid_otherwise(site, new_phone, desks):
    walk = Walk(new_phone("nl"), site)
    guest, (desk, colleague) = walk.page, desks("desktop", "light")
    paid = money_desk.paid_and_held(walk)
    number = money_desk.payment_no(guest, paid)
    at_bank(guest, paid, "think")
    desk.open(number)
    desk.whole("refund")
    desk.sure()
    guest.goto(paid.order)
    assert says(guest, "nl", "Your money is on its way back") == []
    desk.overview()
    assert number in desk.card("under-way")
    at_bank(guest, paid, "failed")
    guest.goto(paid.order)
    assert says(guest, "nl", "We are looking into it") == []
    desk.overview()
    assert number in desk.card("failed")
    desk.open(number)
    desk.whole("refund")
    desk.sure()
    at_bank(guest, paid, "abnormal")
    desk.overview()
    assert f"{number}-2" in desk.card("abnormal")
    assert faults_in_both_sizes(desk.page, "found no way home") == []
    desk.otherwise()
    colleague.confirm()
    assert number not in colleague.card("abnormal")
    guest.goto(paid.order)
    assert says(guest, "nl", "Returned to you by other means.", "Refunded") == []


def test_goodwill_and_a_chargeback_after_the_retirement(site, new_phone, desks):
    walk = Walk(new_phone("en"), site)
    guest, (desk, colleague) = walk.page, desks("desktop", "dark")
    paid = money_desk.paid_and_retired(walk)
    number = money_desk.payment_no(guest, paid)
    desk.open(number)
    assert faults_in_both_sizes(desk.page, "the money of an order") == []
    desk.goodwill("0.50")
    assert desk.may_confirm() == 0, "who asked does not confirm"
    assert faults_in_both_sizes(desk.page, "waits for a second person") == []
    colleague.confirm()
    guest.goto(paid.order)
    assert says(guest, "en", "Your certificate is ready.", A_PART, RETURNED) == []
    walk.press()
    walk.code()
    # Its bank takes the money, and keeps it.
    at_bank(guest, paid, "dispute")
    desk.overview()
    assert desk.card("disputes")
    assert faults_in_both_sizes(desk.page, "disputed by a bank") == []
    before = desk.card("ended").count("¥")
    at_bank(guest, paid, "lost")
    desk.overview()
    assert desk.card("ended").count("¥") == before + 1
    assert faults_in_both_sizes(desk.page, "decided by banks") == []
