"""The desks of money and the orders they are about, in each language: readable, nothing cut off."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.looks import AXE_OPTIONS, sideways, violations
from tests.browser.money_pages import desk_pages_of_money, order_pages
from tests.browser.walk import PHONE

pytestmark = [pytest.mark.browser]

LOOKS = [
    ("zh-CN", PHONE, "dark"),
    ("nl-NL", PHONE, "light"),
    ("en-GB", {"width": 1280, "height": 900}, "dark"),
]


@pytest.fixture(scope="module")
def orders(browser, site):
    return order_pages(browser, site)


@pytest.fixture(scope="module")
def desk(browser, site, operator_password, orders):
    # After money went back: else the desk has no refund and no dispute to show.
    return desk_pages_of_money(browser, site, operator_password)


def faults(page, name):
    return violations(Axe(), page, name, AXE_OPTIONS) + sideways(page, name)


@pytest.mark.parametrize(("locale", "viewport", "scheme"), LOOKS)
def test_each_desk_of_money(browser, site, desk, locale, viewport, scheme):
    with browser.new_context(
        locale=locale, viewport=viewport, color_scheme=scheme, storage_state=desk.session
    ) as context:
        page, found = context.new_page(), []
        for name in desk.names:
            desk.show(name, page, site)
            found += faults(page, name)
    assert found == []


@pytest.mark.parametrize(("locale", "viewport", "scheme"), LOOKS)
def test_each_state_of_an_order(browser, orders, locale, viewport, scheme):
    with browser.new_context(locale=locale, viewport=viewport, color_scheme=scheme) as context:
        page, found = context.new_page(), []
        for name, show in orders.items():
            show(page)
            found += faults(page, name)
    assert found == []
