"""From the poster on the wall to the certificate, on a phone, as a guest at the door goes."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.browser.papers import page_picture, qr_texts
from tests.browser.walk import SCENE, Walk

pytestmark = [pytest.mark.browser]

MOST_SCREENS = 5


def poster_address(walk: Walk, lang: str) -> str:
    """Return what a camera reads from the printed poster."""
    answer = walk.page.request.get(f"{walk.base}/s/{SCENE}/poster.pdf?c=p1&lang={lang}")
    assert answer.ok, answer.status
    (address,) = qr_texts(page_picture(answer.body()))
    return address


@pytest.mark.parametrize(
    ("lang", "scripts"),
    [
        # Marked "db": once more with the product on PostgreSQL.
        pytest.param("zh-Hans", True, marks=pytest.mark.db),
        ("zh-Hans", False),
        ("en", True),
        pytest.param("en", False, marks=pytest.mark.db),
        ("nl", True),
    ],
)
def test_poster_to_certificate(site, new_phone, lang, scripts):
    page = new_phone(lang, scripts=scripts)
    walk = Walk(page, site)
    address = poster_address(walk, lang)
    assert address == f"{site}/s/{SCENE}?c=p1"

    walk.begin(address)
    assert page.locator("html").get_attribute("lang") == lang
    walk.answer("西安" if lang == "zh-Hans" else "Xi'an")
    dots = page.locator(".big").inner_text()
    walk.press()
    walk.choose(name="林晚")
    promised = page.locator(".foot .btn").inner_text()
    walk.press()
    asked = page.locator("h1").inner_text()
    walk.settle("paid")
    code = walk.code()

    assert asked in promised, "the button states what the gateway then asks for"
    assert page.locator(".kilo b").inner_text() == dots, "as many dots as the result had"
    assert page.locator(".who").inner_text() == "林晚"
    assert len(walk.screens) <= MOST_SCREENS, walk.screens
    assert walk.screens[-1] == f"/c/{code}"


def test_screens_stand_still_and_hold_one_main_button(walk):
    page = walk.page
    page.goto(f"{walk.base}/s/{SCENE}")
    for go_on in (walk.press, walk.answer, walk.press):
        assert page.locator("h1").count() == 1
        assert page.locator(".foot .btn").count() == 1
        go_on()
    assert page.locator(".foot .btn").count() == 1


def test_the_keyboard_alone_is_enough(walk):
    page = walk.page

    def tab_to(selector: str) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                return
        pytest.fail(f"Tab never came to {selector} on {page.url}")

    def press(key: str) -> None:
        with page.expect_navigation(wait_until="load"):
            page.keyboard.press(key)

    def go_down_to(selector: str) -> None:
        for _ in range(8):
            if page.locator(selector).is_checked():
                return
            page.keyboard.press("ArrowDown")
        pytest.fail(f"arrow keys never came to {selector}")

    page.goto(f"{walk.base}/s/{SCENE}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    tab_to(".foot .btn")
    press("Enter")
    tab_to("#from")
    page.keyboard.type("Xi'an")
    tab_to('input[name="mode"]')
    page.keyboard.press("Space")
    go_down_to('input[name="mode"][value="coach"]')
    tab_to('input[name="nights"]')
    go_down_to('input[name="nights"][value="1"]')
    tab_to(".foot .btn")
    press("Enter")
    tab_to(".foot .btn")
    press("Enter")
    tab_to("#name")
    page.keyboard.type("Tab Tabsson")
    tab_to(".foot .btn")
    press("Enter")
    tab_to('form:has(input[value="paid"]) button')
    press("Enter")
    walk.code()
    assert page.locator(".who").inner_text() == "Tab Tabsson"


def test_what_has_the_focus_is_never_under_the_bars(walk):
    page = walk.page
    page.goto(f"{walk.base}/s/{SCENE}/go")
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        box = page.evaluate(
            """() => {
              const at = document.activeElement, foot = document.querySelector('.foot')
              const shown = document.querySelector(`label[for="${at.id}"]`)
              const box = (at.closest('.opt, .seg span') && shown || at).getBoundingClientRect()
              return [at.tagName, box.bottom, foot.contains(at) || at.closest('footer')
                ? Infinity : foot.getBoundingClientRect().top, box.height]
            }"""
        )
        if box[0] == "BODY":
            break
        seen.append(box)
    assert len(seen) > 10
    covered = [box for box in seen if box[1] > box[2] + 1]
    assert not covered
    assert any(one != two for one, two in pairwise(seen))


def test_answers_stay_when_something_is_wrong(walk):
    page = walk.page
    walk.begin()
    walk.answer("Xian-on-Sea", mode="coach", nights="3", stay="high")
    alarm = page.locator("#errors")
    assert alarm.is_visible()
    assert page.evaluate("document.activeElement.id") == "errors"
    assert page.title().startswith("Error:")
    assert page.locator("#from").input_value() == "Xian-on-Sea"
    assert page.locator("#from").get_attribute("aria-invalid") == "true"
    assert page.locator('input[name="mode"][value="coach"]').is_checked()
    assert page.locator('input[name="nights"][value="3"]').is_checked()
    assert page.locator('input[name="stay"][value="high"]').is_checked()
    alarm.get_by_role("link").first.click()
    assert page.evaluate("document.activeElement.id") == "from"
    page.locator("#from").fill("Xi'an")
    walk.press()
    assert "/go/" in page.url


def test_a_misspelt_city_is_asked_about_never_guessed(walk):
    page = walk.page
    walk.begin()
    walk.answer("Chengdoo")
    choices = page.locator('input[name="from_meant"]')
    assert choices.count() >= 1
    choices.first.check()
    walk.press()
    assert "/go/" in page.url


def test_back_keeps_the_answers(walk):
    page = walk.page
    walk.begin()
    walk.answer("Kunming", mode="coach", nights="1", stay="budget")
    page.locator(".top .back").click()
    page.wait_for_url("**/go?from=*")
    assert page.locator("#from").input_value().startswith("Kunming")
    assert page.locator('input[name="mode"][value="coach"]').is_checked()
    assert page.locator('input[name="nights"][value="1"]').is_checked()
    walk.press()
    walk.press()
    page.go_back()
    assert page.locator(".big").is_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_no_cookie_is_needed(site, new_phone, scripts):
    page = new_phone("en", scripts=scripts)
    walk = Walk(page, site)

    def forget() -> None:
        page.context.clear_cookies()

    walk.begin()
    forget()
    walk.answer()
    forget()
    walk.press()
    forget()
    walk.choose(name="No Cookie")
    walk.press()
    forget()
    walk.settle("paid")
    forget()
    walk.code()
    assert page.locator(".who").inner_text() == "No Cookie"


def test_the_way_sets_no_cookie_before_an_order(walk):
    walk.begin()
    walk.answer()
    walk.press()
    assert walk.page.context.cookies() == []


def test_the_running_total_is_the_result(walk):
    page = walk.page
    walk.begin()
    page.locator("#from").fill("Wuhan")
    walk.tick("mode", "train")
    walk.tick("nights", "1")
    total = page.locator("#live b")
    total.wait_for()
    walk.tick("nights", "2")
    page.wait_for_function(
        "n => document.querySelector('#live b').textContent !== n", arg=total.inner_text()
    )
    page.wait_for_load_state("networkidle")
    shown = total.inner_text()
    walk.press()
    assert page.locator(".big").inner_text() == shown
