"""The operator's desk in a browser: sign in, look up; nothing for axe to find."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.desk import sign_in_operator
from tests.browser.looks import AXE_OPTIONS, violations

pytestmark = [pytest.mark.browser]

LISTS = (
    "scenes/scene",
    "registry/creditbatch",
    "registry/creditbatch/projects",
    "registry/creditbatch/file",
    "registry/recall",
    "registry/retirement",
    "orders/order",
    "orders/offer",
    "payments/payment",
    "payments/notification/lines",
    "payments/refund/money-back",
    "reconciliation/gatewayday/overview",
    "settlement/batch/due",
    "ledger/journal",
    "certificates/certificate",
    "audit/auditentry",
)


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
        sign_in_operator(page, "not the password")
        found += violations(axe, page, "sign in, refused", AXE_OPTIONS)
        sign_in_operator(page, operator_password)
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
