"""One question a page: every way through, back, don't know, and whatever else is in an address."""

import re

import pytest

from diandian.emissions.life import calculator
from diandian.kernel.memory import Memory
from diandian.orders.models import Quote
from diandian.web.life import answers as said
from tests.web.life.walk import ANSWERS, a_of, answer, begin, page, step_of, total, walk

pytestmark = pytest.mark.django_db
TEXT = said.Answers("CN-SC").to_text()


@pytest.fixture(autouse=True)
def fresh():
    Memory.forget_everything()


@pytest.fixture
def browser(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


@pytest.mark.parametrize("region", ["CN-SC", "NL", "US", "CN"])
def test_twelve_to_fifteen_questions_and_nothing_known_leads_to_a_year(browser, region):
    addresses = walk(browser, region=region)
    assert 12 <= len(addresses) - 1 <= 15
    text = page(browser, addresses[-1])
    assert "Your year: about" in text
    assert "has no answer yet" not in text


def test_every_question_shows_its_group_and_the_dots_never_fall(browser):
    addresses = walk(browser, ANSWERS)
    totals = [total(page(browser, address)) for address in addresses[:-1]]
    assert totals == sorted(totals)
    assert totals[-1] > 0
    parts = [
        int(re.search(r"part (\d) of 5", page(browser, address))[1]) for address in addresses[:-1]
    ]
    assert parts == sorted(parts)
    assert set(parts) == {1, 2, 3, 4, 5}


def test_the_end_of_a_group_shows_its_dots(browser):
    addresses = walk(browser, ANSWERS)
    first_of_moving = next(each for each in addresses if step_of(each) == "car")
    assert '<section class="card flat" aria-label="Home">' in page(browser, first_of_moving)
    assert 'aria-label="Home"' not in page(browser, addresses[1])


def test_back_leads_to_the_question_before_with_its_answer(browser):
    address = begin(browser)
    address = answer(browser, address, "3")["Location"]
    back = re.search(r'class="back" href="([^"]+)"', page(browser, address))[1]
    text = page(browser, back.replace("&amp;", "&"))
    assert 'name="people" value="3"' in text


def test_a_changed_answer_goes_on_where_somebody_was_and_says_why_dots_fell(browser):
    addresses = walk(browser, ANSWERS)
    text = a_of(addresses[-1])
    response = answer(browser, f"/life/car?a={text}", "none")
    assert step_of(response["Location"]) == "result"
    assert "car_km" not in a_of(response["Location"])
    shown = page(browser, response["Location"])
    assert re.search(r"\d+\u202fdots fewer, since you changed your answer to", shown)
    assert "What does the car you use run on?" in shown
    unchanged = answer(browser, f"/life/car?a={text}", "petrol")
    assert "was=" not in unchanged["Location"]


def test_a_new_follow_up_is_asked_before_the_result(browser):
    text = a_of(walk(browser, ANSWERS)[-1])
    response = answer(browser, f"/life/heating?a={text}", "wood")
    assert step_of(response["Location"]) == "home_m2"
    assert "gas_m3" not in a_of(response["Location"])


@pytest.mark.parametrize(
    ("step", "typed", "words"),
    [
        ("people", "", "This answer is missing"),
        ("people", "many", "not a number"),
        ("people", "0", "lies outside 1 to 20"),
        ("people", "2.5", "not a whole number"),
        ("people", "9" * 50, "longer than an answer"),
        ("people", "<script>", "&lt;script&gt;"),
        ("heating", "", "This answer is missing"),
        ("heating", "coal' or 1=1", "not one of the answers here"),
    ],
)
def test_what_cannot_be_understood_is_told_at_the_field_and_kept(browser, step, typed, words):
    response = browser.post(f"/life/{step}", {"a": TEXT, step: typed})
    text = response.content.decode()
    assert response.status_code == 422
    assert "<title>Error:" in text
    assert words in text
    assert f'href="#{step}"' in text
    assert f'id="{step}-error"' in text
    assert f'name="a" value="{TEXT}"' in text


@pytest.mark.parametrize(
    ("step", "low", "high"), [("people", "1", "20"), ("flights_long", "0", "200")]
)
def test_the_least_and_the_most_are_answers(browser, step, low, high):
    for typed in (low, high):
        assert browser.post(f"/life/{step}", {"a": TEXT, step: typed}).status_code == 303


def test_a_missing_or_wrong_region_is_told(browser):
    for region, words in (("", "This answer is missing"), ("ZZ", "not one of the answers here")):
        response = browser.post("/life", {"region": region})
        assert response.status_code == 422
        assert words in response.content.decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "~~~~",
        "nowhere~people~2",
        "CN-SC~people~-3~diet~stones~nothing~1~people",
        "CN-SC~" + "people~2~" * 900,
        "CN-SC~people~\u0663~heating~<b>",
        "CN-SC~car_km~900",
    ],
)
def test_an_altered_address_never_breaks_a_page(browser, text):
    for path in ("/life", "/life/result", "/life/people", "/life/details", "/life/contribute"):
        response = browser.get(path, {"a": text, "i": text, "was": text, "why": text})
        assert response.status_code in {200, 303}, path
        assert "<b>" not in (response.headers.get("Location") or "")


def test_answers_that_make_no_sense_count_as_not_given():
    found = said.of_text("CN-SC~people~-3~diet~stones~nothing~1~gas_m3~9~electricity_kwh~u")
    assert found == said.Answers("CN-SC", {"electricity_kwh": "unknown"})
    assert said.of_text("ZZ~people~2") is None


def test_the_text_of_answers_is_read_as_it_was_written(browser):
    text = a_of(walk(browser, ANSWERS)[-1])
    found = said.of_text(text)
    assert found.to_text() == text
    assert found.values["devices"] == "0.5"
    assert set(text) <= set("abcdefghijklmnopqrstuvwxyzCNS0123456789~-_.")


def test_unknown_steps_are_not_found_and_those_of_others_lead_on(browser):
    assert browser.get("/life/nonsense", {"a": TEXT}).status_code == 404
    assert browser.get("/life/people").status_code == 303
    followed = browser.get("/life/gas_m3", {"a": TEXT})
    assert step_of(followed["Location"]) == "people"


def test_the_same_answers_in_another_region(browser):
    text = a_of(walk(browser, ANSWERS)[-1])
    response = browser.post("/life", {"region": "NL", "a": text})
    assert step_of(response["Location"]) == "result"
    assert a_of(response["Location"]).startswith("NL~people~2~")


def test_fine_tuning_takes_what_is_given_and_refuses_what_is_wrong(browser):
    text = a_of(walk(browser, ANSWERS)[-1])
    shown = page(browser, f"/life/details?a={text}")
    assert "Cups of coffee a day" in shown
    assert "checkbox" not in shown, "it would overrule a number that is typed beside it"
    wrong = browser.post("/life/details", {"a": text, "coffee_cups": "lots"})
    assert wrong.status_code == 422
    assert 'value="lots"' in wrong.content.decode()
    right = browser.post("/life/details", {"a": text, "coffee_cups": "4", "cabin": "business"})
    assert "coffee_cups~4" in a_of(right["Location"])
    assert "cabin~business" in a_of(right["Location"])
    again = browser.post("/life/details", {"a": a_of(right["Location"]), "coffee_cups": ""})
    assert "coffee_cups" not in a_of(again["Location"])
    assert "was=" in again["Location"]


def test_what_dont_know_means_is_said_at_the_question(browser):
    assert "The average of your country is used" in page(browser, f"/life/people?a={TEXT}")


def test_nothing_is_stored_and_no_cookie_set(browser, django_assert_num_queries):
    with django_assert_num_queries(0):
        walk(browser, ANSWERS)
    assert not browser.cookies
    assert not Quote.objects.exists()


def test_pages_are_light_and_kept_by_nobody(browser):
    addresses = walk(browser, ANSWERS)
    for address in (addresses[0], addresses[8], addresses[-1]):
        response = browser.get(address, headers={"Accept-Encoding": "gzip"})
        assert len(response.content) <= 14_000, address
        assert response["Cache-Control"] == "no-store"
        assert response["X-Robots-Tag"] == "noindex"
    intro = browser.get("/life", headers={"Accept-Encoding": "gzip"})
    assert len(intro.content) <= 12_000


@pytest.mark.parametrize("lang", ["zh-Hans", "nl"])
def test_the_pages_speak_every_language(browser, lang):
    assert browser.get(f"/life?lang={lang}").status_code == 200
    address = walk(browser, ANSWERS)[-1]
    assert page(browser, address)


def test_every_region_can_be_walked_into(browser):
    for region in calculator.regions():
        assert browser.post("/life", {"region": region}).status_code == 303
