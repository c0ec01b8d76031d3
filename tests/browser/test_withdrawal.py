"""A year in the Netherlands in a browser: asked once, held, then retired or given back."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.browser.addresses import LIFE
from tests.browser.walk import Walk

pytestmark = [pytest.mark.browser]


def press(page, name, value):
    """Press the button of the form that sends a value."""
    with page.expect_navigation(wait_until="load"):
        page.locator(f'form:has(input[name="{name}"][value="{value}"]) button').click()


def pay(site, page, *, at_once=False):
    walk = Walk(page, site)
    page.goto(site + LIFE["life-pay-nl"])
    box = page.locator('input[name="at_once"]')
    assert not box.is_checked()
    if at_once:
        box.check()
    walk.press()
    walk.settle("paid")
    return walk


@pytest.mark.parametrize(
    ("lang", "scripts"),
    [
        pytest.param("nl", True, marks=pytest.mark.db),
        ("nl", False),
        ("en", True),
        ("zh-Hans", True),
    ],
)
def test_held_then_withdrawn(site, new_phone, lang, scripts):
    page = new_phone(lang, scripts=scripts)
    pay(site, page)
    order = urlsplit(page.url).path
    assert order.startswith("/o/")
    halves = page.locator("#status .dots").inner_html()
    page.reload()
    assert urlsplit(page.url).path == order, "it stays held"
    press(page, "action", "withdraw")
    assert page.locator("#status .dots").inner_html() == halves, "asked, nothing done yet"
    press(page, "sure", "1")
    assert urlsplit(page.url).path == order
    assert page.locator("#status .dots").inner_html() != halves
    assert not page.locator('input[name="action"][value="retire_now"]').count()
    page.reload()
    assert urlsplit(page.url).path == order, "no certificate, now or later"


@pytest.mark.parametrize("scripts", [True, False])
def test_held_then_retired_at_their_wish(site, new_phone, scripts):
    page = new_phone("nl", scripts=scripts)
    walk = pay(site, page)
    press(page, "action", "retire_now")
    walk.code()


def test_with_the_tick_the_certificate_comes_at_once(site, new_phone):
    pay(site, new_phone("nl"), at_once=True).code()
