"""An organiser in a browser: from an empty account to the printed poster and the first guest."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.desk import Desk, approve, nobody_yet
from tests.browser.looks import AXE_COLOURS, AXE_OPTIONS, sideways, violations
from tests.browser.walk import Walk

pytestmark = [pytest.mark.browser]


class CloseLook(Desk):
    """A walk through the desk that looks closely at every page, light and dark.

    ``in_the_dark``: what axe is asked there; our own dark theme changes colours and nothing else.
    """

    def __init__(self, page, base: str, in_the_dark=AXE_COLOURS) -> None:
        super().__init__(page, base)
        self.axe, self.in_the_dark = Axe(), in_the_dark
        self.faults: list[str] = []
        page.emulate_media(reduced_motion="reduce")

    def look(self, name: str) -> None:
        for scheme, options in (("light", AXE_OPTIONS), ("dark", self.in_the_dark)):
            self.page.emulate_media(color_scheme=scheme)
            self.faults += violations(self.axe, self.page, f"{name}, {scheme}", options)
        self.faults += sideways(self.page, name)


def test_from_an_empty_account_to_the_poster_and_the_certificate(
    site, new_phone, operator_password
):
    desk = CloseLook(new_phone(), site)
    page, guest = desk.page, new_phone()
    desk.sign_in(nobody_yet("zhou"))
    desk.look("empty desk")
    desk.found("Tianfu Building Society")
    desk.describe("Autumn meeting of builders", place="Suzhou")
    desk.press('button[value="save"]')
    desk.look("a namesake is asked back")
    page.locator("#place").fill("Chengdu")
    desk.save()
    desk.look("draft")
    test_link = desk.submit()
    desk.look("waiting")
    slug = desk.address.rpartition("/")[2]
    assert guest.goto(test_link).status == 200
    assert guest.locator(".banner").count() == 1, "not open yet"
    assert guest.goto(f"{site}/s/{slug}").status == 404

    approve(new_phone(width=1280), site, operator_password, slug)
    poster = page.request.get(desk.poster("entrance"))
    assert poster.headers["content-type"] == "application/pdf"

    walk = Walk(guest, site)
    walk.begin(f"{site}/s/{slug}?c=p1")
    walk.answer()
    desk.cover()
    assert "Tianfu Building Society" in page.content()
    page.goto(desk.address)
    desk.look("progress")
    page.goto(f"{site}/host/account")
    desk.look("account")
    assert not desk.faults, "\n".join(desk.faults)
