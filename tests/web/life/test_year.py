"""The result: dots and outlines, three changes with a reminder, how it was counted, the file."""

import json
import re

import pytest

from diandian.emissions.factor_set import newest
from diandian.emissions.life import calculator, comparison
from diandian.kernel.clock import business_day
from diandian.kernel.memory import Memory
from diandian.web.life import answers as said
from diandian.web.life import look
from tests.web.life.walk import page

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh():
    Memory.forget_everything()


def words(shown):
    return re.sub(r"[ \n]+", " ", re.sub("<[^>]+>", " ", shown))


def test_the_year_is_that_of_the_calculator(browser, text):
    shown = page(browser, f"/life/result?a={text}")
    found = said.of_text(text)
    year = calculator.estimate(found.full, newest(), "CN-SC")
    dots = -(-year.mass_g // 20_000)
    assert f'<span class="big">{dots}</span>' in shown
    assert shown.count("/method/factors/") >= len(year.lines)
    groups = re.findall(r'<div class="cat c-\w+"><div class="l">.*?<b class="num">(\d+)</b>', shown)
    assert sum(map(int, groups)) == dots


def test_what_it_is_compared_with_has_sources_and_says_what_differs(browser):
    shown = words(page(browser, "/life/result?a=NL"))
    for figure in (*comparison.averages("NL"), comparison.climate_level(business_day().year)):
        assert f"{figure.org}, {figure.published}: {figure.title}" in shown.replace("&#x27;", "'")
    assert "counted otherwise than your year" in shown
    assert "7 70" not in shown
    assert "770" in shown, "the average of the Netherlands, 15.4 t, in dots"


def test_an_outline_holds_as_many_places_as_it_has_dots():
    groups = look.groups_of({"home": 1_000_000}, 20)
    drawn = look.outlined(groups, [("average", 60), ("level", 10)])
    # 26 columns of 12: two whole rows and eight; less than a row is a box.
    assert "M0 0H312V24H96V36H0z" in drawn
    assert "M0 0H120V12H0z" in drawn
    assert 'height="36"' in drawn
    assert 'V24H0z"' in look.outlined(groups, [("average", 52)])


@pytest.mark.parametrize(("mass_g", "scale"), [(0, 20), (8_000_000, 20), (8_000_001, 100)])
def test_a_dot_is_twenty_kilograms_until_a_picture_is_full(mass_g, scale):
    assert look.scale_of(mass_g) == scale


def test_three_changes_with_effort_cost_and_a_reminder(browser, text):
    shown = page(browser, f"/life/result?a={text}")
    links = re.findall(r'href="(/life/try/[^"]+)"', shown)
    assert len(links) == 3
    answer = browser.get(links[0].replace("&amp;", "&"))
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    lines = answer.content.decode().split("\r\n")
    assert any(line.startswith("SUMMARY:I will try: ") for line in lines)
    assert all(len(line.encode()) <= 75 for line in lines)
    assert "people" not in answer.content.decode(), "calendars are kept by others"


def test_a_reminder_of_nothing_is_not_found(browser, text):
    assert browser.get(f"/life/try/nonsense.ics?a={text}").status_code == 404
    assert browser.get("/life/try/diet.ics").status_code == 404


def test_what_is_left_out_and_every_answer_stand_there(browser, text):
    shown = words(page(browser, f"/life/result?a={text}"))
    assert "Public services such as schools, hospitals and roads" in shown
    assert "How many people live in your home, with you? 2" in shown
    assert "Don&#x27;t know" in shown
    assert "Meat or fish about once a day" in shown


def test_open_questions_are_counted_and_led_to(browser):
    shown = page(browser, "/life/result?a=CN-SC~people~2")
    assert "questions have no answer yet" in shown
    assert browser.get("/life?go=1&a=CN-SC~people~2")["Location"].startswith(
        "/life/electricity_kwh?"
    )


def test_a_year_without_a_region_begins_anew(browser):
    for path in ("result", "details", "contribute", "pay", "people", "diandian-life.json"):
        assert browser.get(f"/life/{path}")["Location"] == "/life?"


def test_the_file_holds_all_that_was_said(browser, text):
    answer = browser.get(f"/life/diandian-life.json?a={text}&i=beef*0.2*count*week*1")
    held = json.loads(answer.content)
    assert held["schema"] == "diandian/life/1"
    assert held["region"] == "CN-SC"
    assert held["answers"]["diet"] == "daily"
    assert 'filename="diandian-life.json"' in answer["Content-Disposition"]
    assert answer["Cache-Control"] == "no-store"


def test_the_home_page_and_every_foot_lead_here(browser):
    shown = page(browser, "/")
    assert shown.count('href="/life"') == 2
    assert 'href="/life"' in page(browser, "/about")
