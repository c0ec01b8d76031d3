"""The operator's desk in a browser: sign in, look up; nothing for axe to find."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from diandian.jobs.demo import OPERATOR
from tests.browser.test_pages import AXE_OPTIONS, violations

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

LISTS = (
    "scenes/scene",
    "registry/creditbatch",
    "registry/retirement",
    "orders/order",
    "payments/payment",
    "ledger/journal",
    "certificates/certificate",
    "audit/auditentry",
)


def sign_in(page: Page, password: str) -> None:
    page.locator("#id_username").fill(OPERATOR)
    page.locator("#id_password").fill(password)
    with page.expect_navigation(wait_until="load"):
        page.locator("#login-form button[type=submit]").click()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_desk(site, browser, operator_password, theme):
    axe, found = Axe(), []
    with browser.new_context(
        viewport={"width": 1280, "height": 900},
        locale="en-GB",
        color_scheme=theme,
        reduced_motion="reduce",
    ) as context:
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.goto(f"{site}/admin/")
        found += violations(axe, page, "sign in", AXE_OPTIONS)
        sign_in(page, "not the password")
        found += violations(axe, page, "sign in, refused", AXE_OPTIONS)
        sign_in(page, operator_password)
        found += violations(axe, page, "index", AXE_OPTIONS)
        for path in LISTS:
            page.goto(f"{site}/admin/{path}/")
            found += violations(axe, page, path, AXE_OPTIONS)
            first = page.locator("#result_list tbody a").first
            if first.count():
                with page.expect_navigation(wait_until="load"):
                    first.click()
                found += violations(axe, page, f"{path}, one", AXE_OPTIONS)
    assert not found, "\n".join(found)
