"""Every page: nothing for axe to find in either theme, narrow, large, printed, without scripts."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.addresses import PUBLIC, linked, walked
from tests.browser.looks import (
    AXE_COLOURS,
    AXE_OPTIONS,
    OPEN_ALL,
    at_twice_the_size,
    printed_badly,
    sideways,
    violations,
)
from tests.browser.walk import NARROW_PHONE, PHONE, phone

pytestmark = [pytest.mark.browser]


@pytest.fixture(scope="module")
def pages(site, browser) -> dict[str, str]:
    with phone(browser, "en") as context:
        page = context.new_page()
        return PUBLIC | linked(page, site) | walked(page, site)


def test_large_narrow_and_in_either_theme_english_pages_have_no_fault(site, browser, pages):
    """Each page is opened once, and looked at in every way."""
    axe, found = Axe(), []
    with phone(browser, "en") as context:
        page = context.new_page()
        # Colours on their way from one theme to the other are neither's.
        page.emulate_media(reduced_motion="reduce")
        for name, path in pages.items():
            page.emulate_media(color_scheme="light")
            page.set_viewport_size(PHONE)
            page.goto(site + path)
            found += at_twice_the_size(page, name)
            page.evaluate(OPEN_ALL)
            found += violations(axe, page, name, AXE_OPTIONS)
            # The dark theme changes colours and nothing else.
            page.emulate_media(color_scheme="dark")
            found += violations(axe, page, f"{name}, dark", AXE_COLOURS)
            page.set_viewport_size(NARROW_PHONE)
            found += sideways(page, name)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("lang", ["zh-Hans", "nl"])
def test_nothing_scrolls_sideways_at_320_pixels(site, browser, pages, lang):
    found = []
    with phone(browser, lang, width=NARROW_PHONE["width"]) as context:
        page = context.new_page()
        for name, path in pages.items():
            page.goto(site + path)
            page.evaluate(OPEN_ALL)
            found += sideways(page, name)
    assert not found, "\n".join(found)


def test_pages_stand_without_scripts_and_name_themselves(site, browser, pages):
    found = []
    titles: dict[str, str] = {}
    with phone(browser, "en", scripts=False) as context:
        page = context.new_page()
        for name, path in pages.items():
            page.goto(site + path)
            if page.locator("h1").count() != 1:
                found.append(f"{name}: {page.locator('h1').count()} main headings")
            if page.locator("main").count() != 1:
                found.append(f"{name}: no main part")
            title = page.title()
            if not title.endswith("Diandian") or (
                title.startswith("One dot, one kilogram · ") and path != "/"
            ):
                found.append(f"{name}: title {title!r}")
            titles[name] = title
    assert not found, "\n".join(found)


def test_print_leaves_the_bars_out(site, browser, pages):
    found = []
    with browser.new_context(locale="en-GB") as context:
        page = context.new_page()
        page.emulate_media(media="print")
        for name in ("scene", "result", "certificate", "scene-report", "method", "register"):
            page.goto(site + pages[name])
            found += printed_badly(page, name)
    assert not found, "\n".join(found)


def test_targets_are_large_enough_for_a_thumb(site, browser, pages):
    small = []
    with phone(browser, "en") as context:
        page = context.new_page()
        for name in ("scene", "calculator", "result", "pay", "certificate", "order-declined"):
            page.goto(site + pages[name])
            found = page.evaluate(
                """() => [...document.querySelectorAll(
                  '.btn, .tile, .seg label, .check, .act, .pick')]
                  .filter(e => e.getClientRects().length && e.getBoundingClientRect().height < 43.5)
                  .map(e => e.outerHTML.slice(0, 100) + e.getBoundingClientRect().height)"""
            )
            small += [f"{name}: {each}" for each in found]
    assert not small, "\n".join(small)


def test_the_first_screen_is_light(site, browser):
    """Everything the scene page needs, as sent: 60 KB."""
    with phone(browser, "zh-Hans") as context:
        page, sizes = context.new_page(), {}
        page.on(
            "requestfinished",
            lambda request: sizes.__setitem__(
                request.url,
                request.sizes()["responseBodySize"] + request.sizes()["responseHeadersSize"],
            ),
        )
        page.goto(f"{site}/s/tianfu26?c=p1", wait_until="networkidle")
        assert sum(sizes.values()) <= 60_000, sizes
        strangers = [url for url in sizes if not url.startswith(site)]
        assert strangers == []
