"""An organiser in a browser: from an empty account to the printed poster and the first guest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from diandian.kernel.clock import business_day
from tests.browser.test_desk import sign_in as sign_in_operator
from tests.browser.test_pages import AXE_OPTIONS, SIDEWAYS, violations
from tests.browser.walk import Walk

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


class Desk:
    """A walk through the desk that looks closely at every page, light and dark."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base, self.axe = page, base, Axe()
        self.faults: list[str] = []
        page.emulate_media(reduced_motion="reduce")

    def look(self, name: str) -> None:
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            self.faults += violations(self.axe, self.page, f"{name}, {scheme}", AXE_OPTIONS)
        self.faults += [f"{name}: {part}" for part in self.page.evaluate(SIDEWAYS)]

    def press(self, selector: str) -> None:
        with self.page.expect_navigation(wait_until="load"):
            self.page.locator(selector).click()

    def sign_in(self, email: str) -> None:
        self.page.goto(f"{self.base}/host")
        self.look("sign in")
        self.page.locator("#email").fill(email)
        self.press(".foot .btn")
        self.look("code")
        self.page.locator("#code").fill(self.page.locator("#sample-code").inner_text())
        self.press(".foot .btn")

    def found(self, legal_name: str) -> None:
        self.press('a[href="/host/new"] >> nth=0')
        self.look("organisation")
        self.page.locator("#legal_name").fill(legal_name)
        self.press('main button[type="submit"]')

    def describe(self, name: str) -> str:
        """Fill in the form with one mistake, mend it, ask for approval; return the test link."""
        today = business_day()
        self.page.locator("#name_en").fill(name)
        self.page.locator("#starts_on").fill(today.isoformat())
        self.page.locator("#ends_on").fill(today.isoformat())
        self.page.locator("#venue").fill("Jinshui Centre, Hall 3")
        self.page.locator("#place").fill("Suzhou")
        self.page.locator("#preview").get_by_text(name).wait_for()
        self.look("new scene")
        self.press('button[value="save"]')
        self.look("a namesake is asked back")
        self.page.locator("#place").fill("Chengdu")
        self.press('button[value="save"]')
        self.look("draft")
        link = self.page.locator(".fix a").get_attribute("href") or ""
        self.press('button[value="submit"]')
        self.look("waiting")
        return link

    def poster(self, label: str) -> str:
        """Add a poster; return the address of its English paper."""
        self.look("open, nobody yet")
        self.page.locator("#label").fill(label)
        self.press("form:has(#label) button")
        path = self.page.locator('a[href*="poster.pdf?c=p1&lang=en"]').get_attribute("href")
        return f"{self.base}{path}"

    def cover(self, address: str) -> None:
        """Pay for what is left, in the sandbox, up to the certificate."""
        self.page.goto(f"{address}/cover")
        self.look("what is left")
        self.press("#cover button")
        self.look("the price")
        self.press('main button[type="submit"]')
        Walk(self.page, self.base).settle("paid")
        self.page.wait_for_url(re.compile(r"/c/[0-9A-Z]{12}\b"))


def approve(operator: Page, site: str, password: str, slug: str) -> None:
    waiting = f"{site}/admin/scenes/scene/?q={slug}"
    operator.goto(waiting)
    sign_in_operator(operator, password)
    operator.goto(waiting)
    operator.locator('input[name="_selected_action"]').check()
    operator.locator('select[name="action"]').select_option("approve")
    with operator.expect_navigation(wait_until="load"):
        operator.locator('#changelist-form [type="submit"]').first.click()


def test_from_an_empty_account_to_the_poster_and_the_certificate(
    site, new_phone, operator_password
):
    desk = Desk(new_phone(), site)
    page, guest = desk.page, new_phone()
    desk.sign_in("zhou.browser@example.org")
    desk.look("empty desk")
    desk.found("Tianfu Building Society")
    test_link = desk.describe("Autumn meeting of builders")
    address = page.url
    slug = address.rpartition("/")[2]
    assert guest.goto(test_link).status == 200
    assert guest.locator(".banner").count() == 1, "not open yet"
    assert guest.goto(f"{site}/s/{slug}").status == 404

    approve(new_phone(width=1280), site, operator_password, slug)
    page.goto(address)
    poster = page.request.get(desk.poster("entrance"))
    assert poster.headers["content-type"] == "application/pdf"

    walk = Walk(guest, site)
    walk.begin(f"{site}/s/{slug}?c=p1")
    walk.answer()
    desk.cover(address)
    assert "Tianfu Building Society" in page.content()
    page.goto(address)
    desk.look("progress")
    page.goto(f"{site}/host/account")
    desk.look("account")
    assert not desk.faults, "\n".join(desk.faults)
