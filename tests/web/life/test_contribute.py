"""From a year to a certificate: a month, half, all or some kilograms, honest about the part."""

import json
import re
from urllib.parse import urlsplit

import pytest

from diandian.certificates import queries as certificates
from diandian.certificates.models import Certificate
from diandian.emissions.estimate import without_person
from diandian.emissions.life.certified import certified, is_year
from diandian.flows import erase
from diandian.orders.models import Order, OrderState, Quote
from diandian.registry.models import Retirement
from diandian.verifier import certificate as verifier
from diandian.web.life import answers as said
from tests.web.life.walk import page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh")]
HIDDEN = re.compile(r'<input type="hidden"[^>]*name="([^"]+)" value="([^"]*)"')


def press_pay(browser, text, chosen="month", **changes):
    shown = page(browser, f"/life/pay?a={text}&part={chosen}&kg={changes.get('kg', '')}")
    sent = dict(HIDDEN.findall(shown)) | {"project": "rooftop-solar", "gateway": "sandbox"}
    return browser.post("/life/pay", sent | changes)


def buy(browser, text, part="month", **changes):
    """Pay at the sandbox; return the certificate's record."""
    pressed = press_pay(browser, text, part, **changes)
    assert pressed.status_code == 303, pressed.content.decode()
    address = urlsplit(pressed["Location"]).path
    browser.post(address, {"outcome": "paid"})
    order = Order.objects.latest("id")
    browser.get(f"/o/{order.token}")
    order.refresh_from_db()
    assert order.state == OrderState.COMPLETED
    return certificates.record_of(Certificate.objects.get(order_ref=order.ref))


def test_parts_are_whole_kilograms_that_hold_what_they_say(browser, shop, text):
    year_g = said.of_text(text).estimate().mass_g
    shown = page(browser, f"/life/contribute?a={text}")
    for part, share in (("month", 12), ("half", 2), ("year", 1)):
        assert f'value="{part}"' in shown
        paying = page(browser, f"/life/pay?a={text}&part={part}")
        kg = int(re.search(r'name="kg" value="(\d+)"', paying)[1])
        assert 0 <= kg * 1000 * share - year_g < 1000 * share


def test_a_month_is_paid_and_its_certificate_says_that_it_is_a_part(browser, shop, text):
    record = buy(browser, text, name="Marieke")
    year = said.of_text(text).estimate()
    assert record["mass_g"] == -(-year.mass_g // 12_000) * 1000
    assert record["purpose"] == "life"
    assert record["scene"] is None
    assert record["claim"]["level"] == "L2"
    assert not verifier.check(record)
    assert sum(record["dots"].values()) > 0
    shown = page(browser, f"/c/{record['code']}")
    assert "The amount here is about 8% of that estimate" in shown
    assert "does not mean the year was emission-free" in shown.lower()
    assert "daily life over a year" in shown
    assert "Counted: home, getting around, food, things and digital and services." in shown
    assert "a year</dd>" in shown
    assert "trip was" not in shown


def test_a_whole_year_says_nothing_of_a_part(browser, shop, text):
    record = buy(browser, text, part="year")
    assert "% of that estimate" not in page(browser, f"/c/{record['code']}")


def test_the_record_holds_no_answers(browser, shop, text):
    record = buy(browser, text)
    held = json.dumps(record["estimate"])
    assert record["estimate"]["inputs"] == {}
    for word in ("electricity_kwh", "heating", "diet", "answers", "activity_amount"):
        assert word not in held
    assert {line["key"] for line in record["estimate"]["lines"]} <= {
        "home", "moving", "food", "things", "services",
    }  # fmt: skip
    assert Quote.objects.get().estimate["inputs"] == {}


def test_the_certified_year_adds_up_and_survives_erasing(text):
    year = said.of_text(text).estimate()
    made = certified(year)
    assert sum(line["mass_g"] for line in made["lines"]) == made["mass_g"] == year.mass_g
    assert is_year(made)
    assert is_year(without_person(made))
    assert not is_year(year.to_json())
    assert not is_year(None)


def test_an_order_is_erased_like_every_other(browser, shop, text):
    record = buy(browser, text, name="Marieke")
    erase.erase_order(Order.objects.get())
    again = certificates.record_of(certificates.by_code(record["code"]))
    assert again["beneficiary"] == {"display_name": ""}
    assert again["mass_g"] == record["mass_g"]
    assert not verifier.check(again)


def test_the_register_says_what_it_was_for(browser, shop, text):
    buy(browser, text)
    assert Retirement.objects.get().purpose == "life"
    rows = b"".join(browser.get("/register.csv").streaming_content).decode().splitlines()
    assert "life" in rows[-1].split(",")


def test_an_own_amount_is_taken_up_to_the_top_of_the_range(browser, shop, text):
    high_kg = -(-said.of_text(text).estimate().high_g // 1000)
    assert buy(browser, text, part="kg", kg="7")["mass_g"] == 7_000
    for typed in ("0", "-3", "1.5", "", str(high_kg + 1), "9" * 30, "<b>"):
        wrong = browser.get("/life/pay", {"a": text, "part": "kg", "kg": typed})
        assert wrong.status_code == 422, typed
        assert f"from 1 to {high_kg}" in wrong.content.decode()
        assert 'id="kg-error"' in wrong.content.decode()


def test_the_same_press_twice_is_one_order(browser, shop, text):
    shown = page(browser, f"/life/pay?a={text}&part=month")
    sent = dict(HIDDEN.findall(shown)) | {"project": "rooftop-solar"}
    first, second = (browser.post("/life/pay", sent)["Location"] for _ in range(2))
    assert first == second
    assert Order.objects.count() == 1


def test_another_part_than_the_button_said_is_asked_about_again(browser, shop, text):
    answer = press_pay(browser, text, "month", part="year")
    assert answer.status_code == 409
    assert "Nothing was charged." in answer.content.decode()
    assert not Order.objects.exists()


def test_a_nonce_of_somebody_elses_making_is_replaced(browser, shop, text):
    for _ in range(2):
        press_pay(browser, text, nonce="1")
    assert Order.objects.count() == 2


def test_a_project_with_too_little_takes_no_money(browser, shop, text):
    answer = press_pay(browser, text, "year", project="kitchen-waste")
    assert answer.status_code == 409
    assert not Order.objects.exists()


def test_without_a_shop_nothing_is_sold(browser, text):
    assert "No project has that much" in page(browser, f"/life/pay?a={text}&part=month")


def test_an_unpaid_order_leads_back_to_life(browser, shop, text):
    press_pay(browser, text)
    shown = page(browser, f"/o/{Order.objects.get().token}")
    assert 'href="/life"' in shown
