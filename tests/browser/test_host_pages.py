"""Every page of the organiser's desk: axe in either theme, narrow, large, printed, no scripts."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.desk_pages import DeskPages, desk_pages
from tests.browser.looks import (
    AXE_COLOURS,
    AXE_OPTIONS,
    OPEN_ALL,
    at_twice_the_size,
    printed_badly,
    sideways,
    violations,
)

pytestmark = [pytest.mark.browser]
LOCALES = {"zh-Hans": "zh-CN", "en": "en-GB", "nl": "nl-NL"}


# For each module anew, as the browser is.
@pytest.fixture(scope="module")
def pages(site, browser, operator_password) -> DeskPages:
    return desk_pages(browser, site, operator_password)


@pytest.fixture
def open_page(browser, pages):
    """Return what opens a page of the signed-in organiser."""
    contexts = []

    def opened(lang="en", width=1280, **options):
        contexts.append(
            browser.new_context(
                storage_state=pages.session,
                viewport={"width": width, "height": 900},
                locale=LOCALES[lang],
                reduced_motion="reduce",
                **options,
            )
        )
        contexts[-1].set_default_timeout(10_000)
        return contexts[-1].new_page()

    yield opened
    for context in contexts:
        context.close()


def test_large_and_in_either_theme_english_pages_have_no_fault(site, pages, open_page):
    """Each page is opened once, and looked at in every way."""
    axe, found, page = Axe(), [], open_page()
    for name in pages.names:
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 1280, "height": 900})
        pages.show(name, page, site)
        page.evaluate(OPEN_ALL)
        found += violations(axe, page, name, AXE_OPTIONS)
        # The dark theme changes colours and nothing else.
        page.emulate_media(color_scheme="dark")
        found += violations(axe, page, f"{name}, dark", AXE_COLOURS)
        page.set_viewport_size({"width": 390, "height": 900})
        found += at_twice_the_size(page, name)
    assert not found, "\n".join(found)


# English stands between: its pages are looked at with text of twice the size.
@pytest.mark.parametrize("lang", ["zh-Hans", "nl"])
def test_nothing_scrolls_sideways_at_320_pixels(site, pages, open_page, lang):
    found, page = [], open_page(lang, width=320)
    for name in pages.names:
        pages.show(name, page, site)
        page.evaluate(OPEN_ALL)
        found += sideways(page, name)
    assert not found, "\n".join(found)


def test_pages_stand_without_scripts_on_paper_and_name_themselves(site, pages, open_page):
    found, page = [], open_page(java_script_enabled=False)
    for name in pages.names:
        page.emulate_media(media="screen")
        pages.show(name, page, site)
        if page.locator("h1").count() != 1 or page.locator("main").count() != 1:
            found.append(f"{name}: not one main part with one heading")
        title = page.title().removeprefix("Error: ")
        if not title.endswith("Diandian") or title.startswith("One dot, one kilogram"):
            found.append(f"{name}: title {title!r}")
        page.emulate_media(media="print")
        found += printed_badly(page, name)
    assert not found, "\n".join(found)
