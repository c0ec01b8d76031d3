"""Bills, meals and purchases: added, removed, taken along, brought back."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from diandian.emissions.factor_set import newest
from diandian.emissions.life import activities, calculator
from diandian.kernel.memory import Memory
from diandian.web.life import answers as said
from tests.web.life.walk import page

pytestmark = pytest.mark.django_db
A = "CN-SC~people~2~diet~daily"
BEEF = {"activity": "meal_beef", "amount": "2", "period": "week", "basis": "count"}


@pytest.fixture(autouse=True)
def fresh():
    Memory.forget_everything()


@pytest.fixture
def browser(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def add(browser, items="", **entry):
    return browser.post("/life/detailed", {"a": A, "i": items, "add": "1", **(BEEF | entry)})


def items_of(response):
    assert response.status_code == 303, response.content.decode()
    return parse_qs(urlsplit(response["Location"]).query).get("i", [""])[0]


def file_with(**document):
    held = json.dumps({"schema": "diandian/life/1", "region": "CN-SC", **document})
    return SimpleUploadedFile("diandian-life.json", held.encode(), "application/json")


def test_an_entry_is_added_listed_and_removed(browser):
    added = add(browser)
    items = items_of(added)
    assert items == "meal_beef*2*count*week*1"
    shown = page(browser, added["Location"])
    assert "Meals with beef or lamb" in shown
    assert "counted" in shown
    more = items_of(add(browser, items, activity="electricity", amount="180", period="month"))
    assert more == "meal_beef*2*count*week*1~electricity*180*count*month*1"
    left = browser.post("/life/detailed", {"a": A, "i": more, "remove": "0"})
    assert items_of(left) == "electricity*180*count*month*1"
    assert items_of(browser.post("/life/detailed", {"a": A, "i": more, "erase": "1"})) == ""


def test_what_is_entered_stands_in_for_the_answer(browser):
    plain = said.of_text(A)
    detailed = said.Answers(
        plain.region, plain.values, said.items_of_text("meal_beef*2*count*week*1", "CN-SC")
    )
    foods = [calculator.by_group(each.estimate().lines)["food"] for each in (plain, detailed)]
    assert foods[1] < foods[0]
    query = detailed.query()
    assert "1 entry stands in for answers" in page(browser, f"/life/result?{query}")


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("activity", "", "not one of the answers here"),
        ("activity", "gold", "not one of the answers here"),
        ("amount", "", "This answer is missing"),
        ("amount", "-1", "lies outside"),
        ("amount", "a lot", "not a number"),
        ("unit", "mile", "not one of the answers here"),
        ("basis", "guessed", "not one of the answers here"),
        ("period", "decade", "not one of the answers here"),
    ],
)
def test_a_wrong_entry_is_told_at_its_field_and_nothing_is_lost(browser, field, typed, words):
    response = add(browser, "beef*1*count*week*1".replace("beef", "meal_fish"), **{field: typed})
    shown = response.content.decode()
    assert response.status_code == 422
    assert words in shown
    assert f'id="{field}-error"' in shown
    assert 'name="i" value="meal_fish*1*count*week*1"' in shown
    if field != "amount":
        assert 'name="amount" value="2"' in shown


def test_years_of_use_are_for_things_that_last(browser):
    keys = [each.key for each in activities.ALL.values() if each.lasting]
    assert items_of(add(browser, activity=keys[0], amount="1", period="once", years="4")).endswith(
        "*4"
    )
    wrong = add(browser, activity=keys[0], amount="1", period="once", years="99")
    assert 'id="years-error"' in wrong.content.decode()


def test_a_hundred_entries_fit_and_one_more_is_refused(browser):
    many = "~".join(["meal_beef*2*count*week*1"] * said.MOST_ITEMS)
    assert len(said.items_of_text(many, "CN-SC")) == said.MOST_ITEMS
    response = add(browser, many)
    assert response.status_code == 422
    assert "more than 100 entries" in response.content.decode()
    assert many in response.content.decode()


@pytest.mark.parametrize(
    "hostile", ["*", "a*b*c*d*e", "~" * 900, "meal_beef*2*count*week", "meal_beef*NaN*count*week*1"]
)
def test_entries_that_make_no_sense_are_left_out(browser, hostile):
    assert said.items_of_text(hostile, "CN-SC") == ()
    assert browser.get("/life/detailed", {"a": A, "i": hostile}).status_code == 200


def test_a_file_is_read_again_and_twice_changes_nothing(browser):
    items = "meal_beef*2*count*week*1~electricity*180*bill*month*1"
    saved = browser.get("/life/diandian-life.json", {"a": A, "i": items}).content
    for already in ("", items):
        upload = SimpleUploadedFile("x.json", saved, "application/json")
        sent = {"a": A, "i": already, "import": "1", "file": upload}
        assert items_of(browser.post("/life/detailed", sent)) == items


@pytest.mark.parametrize(
    "upload",
    [
        None,
        SimpleUploadedFile("x.json", b"not json"),
        SimpleUploadedFile("x.json", b"\xff\xfe"),
        SimpleUploadedFile("x.json", b"[" * 100_000),
        SimpleUploadedFile("x.json", b"[1]"),
        SimpleUploadedFile("x.json", b'{"schema": "other"}'),
        SimpleUploadedFile("x.json", b'{"schema": "diandian/life/1", "items": 3}'),
        SimpleUploadedFile("x.json", b" " * 1_000_001),
    ],
)
def test_a_file_that_is_not_ours_adds_nothing(browser, upload):
    sent = {"a": A, "i": "meal_fish*1*count*week*1", "import": "1"}
    response = browser.post("/life/detailed", sent | ({"file": upload} if upload else {}))
    assert response.status_code == 422
    assert "not one that was saved here" in response.content.decode()
    assert "meal_fish*1*count*week*1" in response.content.decode()


def test_rows_of_a_file_that_make_no_sense_are_left_out(browser):
    rows = [
        {"activity": "gold", "amount": "1"},
        7,
        {"activity": "meal_beef", "amount": {"a": 1}},
        BEEF,
    ]
    sent = {"a": A, "import": "1", "file": file_with(items=rows)}
    assert items_of(browser.post("/life/detailed", sent)) == "meal_beef*2*count*week*1"


def test_without_a_region_it_is_asked_first(browser):
    shown = page(browser, "/life/detailed")
    assert 'action="/life/detailed"' in shown
    assert re.search(r'<select[^>]*name="a"', shown)
    assert "Add an entry" in page(browser, "/life/detailed?a=NL")


def test_every_activity_of_every_group_can_be_added(browser):
    found = activities.activities(calculator.context_of("CN-SC"), newest())
    for each in found:
        assert items_of(add(browser, activity=each.key, amount="1", period="once"))
