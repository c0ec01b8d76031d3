"""A year of somebody's life in a browser: with scripts and without, kept on the device alone."""

from __future__ import annotations

import re

import pytest

from diandian.emissions.replay_year import replay_year

pytestmark = [pytest.mark.browser]
CHOICES = {"heating": "gas", "car": "electric", "commute": "metro", "diet": "some"}
NUMBERS = {"people": "2", "electricity_kwh": "180", "car_km": "6000", "clothes": "10"}


def press(page, button=".foot .btn"):
    with page.expect_navigation(wait_until="load"):
        page.locator(button).first.click()


def walk(page, base, region="CN-SC"):
    """Answer every question as a finger does, some with "don't know"; end at the result."""
    page.goto(f"{base}/life")
    page.select_option("#region", region)
    press(page)
    for _ in range(20):
        key = re.search(r"/life/(\w+)", page.url)[1]
        if key == "result":
            return
        if page.locator("input[type=radio]").count():
            page.locator(f'label[for="o-{CHOICES.get(key, "unknown")}"]').click()
            press(page)
        elif key in NUMBERS:
            page.fill(f"#{key}", NUMBERS[key])
            with page.expect_navigation(wait_until="load"):
                page.locator(f"#{key}").press("Enter")
            assert f"{key}~{NUMBERS[key]}" in page.url, "the key is the button Next"
        else:
            press(page, "button[name=unknown]")
    pytest.fail("more questions than there are")


@pytest.mark.parametrize("scripts", [True, False])
def test_from_the_first_question_to_the_certificate(site, new_phone, scripts):
    page = new_phone(scripts=scripts)
    walk(page, site)
    assert page.locator(".year").is_visible()
    press(page)
    page.locator('label[for="p-half"]').click()
    press(page)
    page.locator("#name").fill("Marieke")
    press(page)
    press(page, 'form:has(input[name="outcome"][value="paid"]) button')
    page.wait_for_url(re.compile(r"/c/[0-9A-Z]{12}\b"), timeout=20_000)
    assert "Marieke" in page.content()
    assert re.search(r"The amount here is about (49|50|51)% of that estimate", page.content())


@pytest.mark.parametrize("scripts", [True, False])
def test_the_box_puts_the_answers_into_the_file_and_nowhere_else(site, new_phone, scripts):
    page = new_phone(scripts=scripts)
    walk(page, site)
    press(page)
    press(page)
    box = page.locator("input[name=keep]")
    assert not box.is_checked()
    page.get_by_text("Keep my answers in the certificate file").click()
    assert box.is_checked()
    press(page)
    press(page, 'form:has(input[name="outcome"][value="paid"]) button')
    page.wait_for_url(re.compile(r"/c/[0-9A-Z]{12}\b"), timeout=20_000)
    code = re.search(r"/c/([0-9A-Z]{12})", page.url)[1]
    assert "car_km" not in page.content()
    assert "kWh" not in page.content()
    sent = page.request.get(f"{site}/c/{code}.json").json()
    stated = sent["credentialSubject"]["estimate"]
    assert stated["carried"]["inputs"]["answers"]["electricity_kwh"] == "180"
    assert replay_year(stated).same


@pytest.mark.parametrize("scripts", [True, False])
def test_going_back_and_forth_loses_nothing(site, new_phone, scripts):
    page = new_phone(scripts=scripts)
    page.goto(f"{site}/life")
    page.select_option("#region", "NL")
    press(page)
    page.fill("#people", "3")
    press(page)
    page.go_back()
    page.locator(".back").wait_for()
    page.go_forward()
    press(page, ".back")
    assert page.input_value("#people") == "3"
    page.reload()
    assert page.input_value("#people") == "3"


def test_answers_are_found_again_on_this_device_until_they_are_erased(site, new_phone):
    page = new_phone()
    walk(page, site)
    address = page.url
    page.goto(f"{site}/life")
    with page.expect_navigation(wait_until="load"):
        page.locator("[data-life=resume] a").click()
    assert page.url.partition("&")[0] == address.partition("&")[0]
    page.goto(f"{site}/life")
    press(page, "button[data-life=erase]")
    assert page.locator("[data-life=resume]").is_hidden()
    assert page.evaluate("localStorage.length") == 0


def note(page, activity, amount):
    page.select_option("#activity", activity)
    page.fill("#amount", amount)
    press(page, "section button[name=add]")


def test_the_diary_stays_on_the_device(site, new_phone):
    page = new_phone()
    page.goto(f"{site}/life/diary?a=CN-SC")
    page.fill("#find", "beef")
    assert page.input_value("#activity") == "meal_beef"
    page.fill("#find", "")
    note(page, "meal_beef", "1")
    note(page, "metro", "12")
    with page.expect_navigation(wait_until="load"):
        page.goto(f"{site}/life/diary?a=CN-SC")
    page.locator(".noted li").nth(1).wait_for()
    assert page.locator(".month").count() == 1
    page.locator("details.how summary").last.click()
    press(page, "button[name=erase]")
    page.goto(f"{site}/life/diary?a=CN-SC")
    assert page.locator(".noted").count() == 0


def test_the_diary_without_scripts_is_saved_and_read(site, new_phone, tmp_path):
    page = new_phone(scripts=False)
    page.goto(f"{site}/life/diary?a=CN-SC")
    note(page, "meal_beef", "1")
    page.locator("details.how summary").last.click()
    with page.expect_download() as download:
        page.locator("button[name=export]").click()
    kept = tmp_path / "diandian-life.json"
    download.value.save_as(kept)
    page.goto(f"{site}/life/diary?a=CN-SC")
    page.locator("#file").set_input_files(kept)
    press(page, "button[name=import]")
    assert page.locator(".noted li").count() == 1
