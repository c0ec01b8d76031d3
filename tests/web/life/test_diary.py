"""The diary: the form carries it, months are drawn, a file takes it along."""

import json
import re
from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from diandian.emissions.life.diary import DiaryEntry
from diandian.emissions.life.entries import Entry
from diandian.kernel.memory import Memory
from diandian.web.life import diary
from tests.web.life.walk import page

pytestmark = pytest.mark.django_db
BEEF = {"day": "2026-10-03", "activity": "meal_beef", "amount": "1", "basis": "count"}
NOTED = "2026-10-03*meal_beef*1*count*1"


@pytest.fixture(autouse=True)
def fresh():
    Memory.forget_everything()


@pytest.fixture
def browser(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def post(browser, entries="", **sent):
    return browser.post("/life/diary", {"a": "CN-SC", "entries": entries, **sent})


def carried(response):
    return re.search(r'name="entries" value="([^"]*)"', response.content.decode())[1]


def test_entries_are_added_and_drawn_by_month(browser):
    first = post(browser, add="1", **BEEF)
    assert first.status_code == 200
    assert carried(first) == NOTED
    assert "Added: Meals with beef or lamb." in first.content.decode()
    second = post(browser, carried(first), add="1", **BEEF | {"day": "2026-08-20", "amount": "3"})
    shown = second.content.decode()
    assert carried(second) == f"2026-08-20*meal_beef*3*count*1 {NOTED}"
    months = re.findall(r'<div class="month"><p class="row"><b class="grow">([^<]+)</b>', shown)
    assert months == ["Oct 2026", "Sept 2026", "Aug 2026"]
    assert re.search(r"Sept 2026</th><td class=\"n\">0</td><td class=\"n\">0", shown)
    assert "20 August 2026" in shown
    assert "3 October 2026" not in shown, "the month of the new entry is listed"
    other = post(browser, carried(second), show="1", month="2026-10").content.decode()
    assert "3 October 2026" in other


def test_an_entry_is_removed_and_all_are_erased(browser):
    two = f"2026-08-20*meal_fish*3*count*1 {NOTED}"
    assert carried(post(browser, two, remove="0")) == NOTED
    assert carried(post(browser, two, remove="7")) == two
    assert carried(post(browser, two, erase="1")) == ""


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("day", "", "is not a day up to today"),
        ("day", "2999-01-01", "is not a day up to today"),
        ("day", "2026-02-30", "is not a day up to today"),
        ("activity", "gold", "not one of the answers here"),
        ("amount", "", "This answer is missing"),
        ("amount", "<i>", "&lt;i&gt;"),
        ("unit", "therm", "not one of the answers here"),
        ("people", "none", "not a number"),
    ],
)
def test_a_wrong_entry_is_told_and_the_diary_stays(browser, field, typed, words):
    response = post(browser, NOTED, add="1", **BEEF | {field: typed})
    shown = response.content.decode()
    assert response.status_code == 422
    assert words in shown
    assert f'id="{field}-error"' in shown
    assert carried(response) == NOTED


@pytest.mark.parametrize(
    "hostile",
    [
        "x",
        "* * *",
        "2026-10-03*gold*1*count*1",
        "2026-13-03*meal_beef*1*count*1",
        "a" * 250_000,
        "\u0663",
    ],
)
def test_what_makes_no_sense_is_left_out(browser, hostile):
    assert carried(post(browser, hostile)) == ""
    assert carried(post(browser, f"{NOTED} {hostile}")) in {NOTED, ""}


def test_a_bill_of_the_home_is_shared(browser):
    bill = {"day": "2026-10-03", "activity": "electricity", "amount": "100", "basis": "bill"}
    masses = []
    for people in ("", "4"):
        shown = post(browser, add="1", **bill, people=people).content.decode()
        masses.append(Decimal(re.search(r'<span class="num nb">([\d.]+)', shown)[1]))
    assert masses[1] < masses[0] / 3


def test_the_file_takes_the_diary_along_and_back(browser):
    two = f"{NOTED} {NOTED}"
    saved = post(browser, two, export="1")
    held = json.loads(saved.content)
    assert [row["activity"] for row in held["diary"]] == ["meal_beef", "meal_beef"]
    assert 'filename="diandian-life.json"' in saved["Content-Disposition"]
    for already, after in (("", two), (two, two), (NOTED, two)):
        upload = SimpleUploadedFile("x.json", saved.content, "application/json")
        assert carried(post(browser, already, **{"import": "1", "file": upload})) == after


def test_a_file_that_is_not_ours_changes_nothing(browser):
    upload = SimpleUploadedFile("x.json", b"{}")
    response = post(browser, NOTED, **{"import": "1", "file": upload})
    assert response.status_code == 422
    assert carried(response) == NOTED


def test_a_year_of_eight_a_day_fits_into_a_form(browser):
    entry = DiaryEntry(date(2026, 10, 3), Entry("car_electric", Decimal("1234.567"), "estimate"), 1)
    full = diary.to_text([entry] * diary.MOST_ENTRIES)
    assert len(full) < 200_000
    response = post(browser, full, add="1", **BEEF)
    assert response.status_code == 422
    assert "more than 3000 entries" in response.content.decode()
    assert len(carried(response).split(" ")) == diary.MOST_ENTRIES
    shown = response.content.decode()
    assert shown.count('name="remove"') == diary.MOST_LISTED
    assert "Only the latest 300 of the month are listed." in shown


def test_a_first_look_says_what_happens_without_scripts(browser):
    shown = page(browser, "/life/diary?a=CN-SC")
    assert "<noscript>" in shown
    assert 'data-carried=""' in shown
    assert "Where do you live?" in page(browser, "/life/diary")
    assert 'data-carried="yes"' in post(browser, NOTED, open="1").content.decode()


def test_the_order_of_entries_and_places_to_remove_agree(browser):
    mixed = f"{NOTED} 2026-10-03*meal_fish*1*count*1 2026-10-01*walk*3*estimate*1"
    shown = post(browser, mixed).content.decode()
    place = re.search(
        r'name="remove" value="(\d+)" formnovalidate aria-label="Remove: On foot"', shown
    )
    left = carried(post(browser, mixed, remove=place[1]))
    assert "walk" not in left
    assert left.count("meal_") == 2
