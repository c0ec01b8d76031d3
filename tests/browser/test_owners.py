"""Scenes that change and are shared, in a browser: corrections, sponsors, houses, references."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.desk import nobody_yet, sign_in_operator
from tests.browser.looks import AXE_OPTIONS
from tests.browser.test_host import CloseLook
from tests.browser.walk import Walk

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser]


class Operator:
    """The operator's page of one scene."""

    def __init__(self, page: Page, site: str, password: str) -> None:
        self.desk = CloseLook(page, site, in_the_dark=AXE_OPTIONS)
        page.goto(f"{site}/admin/")
        sign_in_operator(page, password)

    def decide(self, slug: str, name: str) -> str:
        """Open the scene's page, look at it, press approve; return what was read before."""
        page = self.desk.page
        page.goto(f"{self.desk.base}/admin/scenes/scene/?q={slug}")
        with page.expect_navigation(wait_until="load"):
            page.locator("#result_list tbody a").first.click()
        self.desk.look(name)
        read = page.locator("#content-main").inner_text()
        self.desk.press('.desk-card button[value="approve"]')
        return read


def compose(desk: CloseLook, slug: str) -> None:
    """Compose a question for a scene that waits, and ask for approval again."""
    page = desk.page
    page.goto(f"{desk.base}/host/{slug}/questions")
    page.locator('[id="questions.0.activity"]').select_option("coach")
    page.locator('[name="questions.0.name_en"]').fill("Kilometres by our shuttle?")
    page.locator('[id="questions.0.default"]').fill("12")
    desk.press('main button[type="submit"] >> nth=0')


def open_other_kind(desk: CloseLook, name: str) -> str:
    """Open a scene of the kind "other" with a composed question; return its address."""
    page = desk.page
    page.goto(f"{desk.base}/host/new")
    desk.describe(name, kind="other")
    desk.save()
    slug = page.url.rpartition("/")[2]
    compose(desk, slug)
    page.goto(desk.address)
    desk.press('button[value="submit"]')
    return slug


def correct(desk: CloseLook, slug: str) -> None:
    page = desk.page
    page.goto(f"{desk.base}/host/{slug}/correct")
    desk.look("correct")
    page.locator("#venue").fill("Jinshui Centre, Hall 5")
    page.locator("#note").fill("The hall was changed.")
    desk.press('button[value="propose"]')
    desk.look("a correction waits")


def sponsor(desk: CloseLook, guest: Page, slug: str) -> None:
    """Open a scene to sponsors, and pay as one in another browser."""
    page = desk.page
    page.goto(f"{desk.base}/host/{slug}/sponsors")
    desk.look("no sponsors")
    page.get_by_text("Visits of guests", exact=True).click()
    desk.press('main button[type="submit"]')
    desk.look("open to sponsors")
    link = page.locator(".fix a").get_attribute("href") or ""
    company = CloseLook(guest, desk.base)
    guest.goto(link)
    company.look("sponsor, how much")
    company.press(".foot .btn")
    guest.locator("#name").fill("Tang Works Limited")
    company.look("sponsor, projects")
    company.press(".foot .btn")
    Walk(guest, desk.base).settle("paid")
    guest.wait_for_url(re.compile(r"/c/[0-9A-Z]{12}\b"))
    assert "as a sponsor of" in guest.content()
    desk.faults += company.faults


def test_a_scene_is_corrected_sponsored_and_shared(site, new_phone, operator_password):
    desk = CloseLook(new_phone(), site)
    page, guest = desk.page, new_phone()
    desk.sign_in(nobody_yet("owners"))
    desk.found("Tianfu Owners Society")
    desk.describe("Winter meeting of builders")
    desk.save()
    desk.submit()
    slug = desk.address.rpartition("/")[2]
    operator = Operator(new_phone(width=1280), site, operator_password)
    operator.decide(slug, "approve a scene")
    other = open_other_kind(desk, "Garden day of builders")
    assert "Kilometres by our shuttle?" in operator.decide(other, "approve composed questions")

    correct(desk, slug)
    assert "Hall 5" in operator.decide(slug, "approve a correction")
    visitor = CloseLook(guest, site)
    guest.goto(f"{site}/s/{slug}/versions")
    visitor.look("versions")
    assert "Hall 3" in guest.content()

    walk = Walk(guest, site)
    walk.begin(f"{site}/s/{slug}")
    walk.answer()
    result = guest.url
    visitor.press('a[href$="/elsewhere"]')
    visitor.look("counted elsewhere")
    guest.locator("#link").fill("nonsense")
    visitor.press(".foot .btn")
    visitor.look("counted nowhere")

    sponsor(desk, new_phone(), slug)
    guest.goto(result)
    visitor.look("covered by a sponsor")
    assert "Tang Works Limited" in guest.content()
    guest.goto(f"{site}/s/{slug}")
    visitor.look("a scene with a sponsor")
    for name in ("inside", "sponsors", "cover"):
        page.goto(f"{site}/host/{slug}/{name}")
        desk.look(name)
    page.goto(f"{site}/host/sponsor/{slug}")
    desk.look("sponsor as a company")
    faults = [*desk.faults, *visitor.faults, *operator.desk.faults]
    assert not faults, "\n".join(faults)
