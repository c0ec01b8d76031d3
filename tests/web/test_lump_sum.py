"""An amount without a scene, for a person or an organisation, through the same checkout."""

import re
from urllib.parse import urlsplit

import pytest

from diandian.kernel.memory import Memory
from diandian.orders.models import Order, Quote
from diandian.registry.models import Retirement
from tests.web.world import open_shop

pytestmark = pytest.mark.django_db
HIDDEN = re.compile(r'<input type="hidden"[^>]*name="([^"]+)" value="([^"]*)"')


@pytest.fixture(autouse=True)
def fresh(settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.DATA_DIR = tmp_path
    Memory.forget_everything()
    open_shop()


@pytest.fixture
def browser(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def path_of(response):
    return urlsplit(response["Location"]).path


def pressed(browser, kg="250", holder="person", **changes):
    page = browser.get("/retire", {"kg": kg, "holder": holder})
    form = dict(HIDDEN.findall(page.content.decode()))
    return browser.post("/retire", form | {"project": "rooftop-solar"} | changes)


def certificate(browser, ordered):
    returned = browser.post(path_of(ordered), {"outcome": "paid"})
    done = browser.get(path_of(returned))
    return browser.get(path_of(done)).content.decode()


def test_a_person_retires_a_plain_amount(browser):
    assert "How many kilograms?" in browser.get("/retire").content.decode()
    ordered = pressed(browser, name="Lin Wan")
    assert path_of(ordered).startswith("/sandbox/")
    order = Order.objects.get()
    assert (order.mass_g, order.scene, order.holder_kind) == (250_000, None, "person")
    page = certificate(browser, ordered)
    assert "Lin Wan" in page
    assert "we did not check it" not in page
    assert Retirement.objects.get().purpose == "lump_sum"


def test_an_organisation_gets_a_certificate_in_its_whole_legal_name(browser):
    name = "Chengdu Tianfu Low-Carbon Building and Construction Society"
    ordered = pressed(browser, holder="company", name=f"  {name} ")
    order = Order.objects.get()
    assert (order.beneficiary_name, order.holder_kind, order.on_board) == (name, "company", False)
    page = certificate(browser, ordered)
    assert name in page
    assert "we did not check it" in page
    assert Retirement.objects.get().holder_kind == "company"
    assert (
        Retirement.objects.get().public_id[:8]
        in browser.get("/register", {"holder": "company"}).content.decode()
    )


def test_an_organisation_without_a_name_is_asked_for_one(browser):
    answer = pressed(browser, holder="company", name=" ")
    assert answer.status_code == 409
    assert 'id="name-error"' in answer.content.decode()
    assert not Quote.objects.exists()
    too_long = pressed(browser, name="x" * 25)
    assert too_long.status_code == 409, "a person's name stays short"
    assert not Order.objects.exists()


@pytest.mark.parametrize(("kg", "mass_g"), [("1,500", 1_500_000), (" 1 000 ", 1_000_000)])
def test_marks_between_thousands_are_understood(browser, kg, mass_g):
    pressed(browser, kg=kg)
    assert Order.objects.get().mass_g == mass_g


@pytest.mark.parametrize(
    "kg",
    [
        "0",
        "-1",
        "1.5",
        "1e3",
        "1.50",
        "1,5000",
        "",
        "many",
        "1000001",
        "9" * 50,
        "٣",
        "1\u00a0000x",
        "<script>",
    ],
)
def test_other_amounts_are_refused_at_their_field(browser, kg):
    answer = browser.get("/retire", {"kg": kg})
    assert answer.status_code == 422
    assert 'id="kg-error"' in answer.content.decode()
    assert 'value="<script>' not in answer.content.decode()
    assert not Quote.objects.exists()


def test_the_same_button_twice_makes_one_order(browser):
    page = browser.get("/retire", {"kg": "3"})
    form = dict(HIDDEN.findall(page.content.decode())) | {"project": "rooftop-solar"}
    first, second = (browser.post("/retire", form) for _ in range(2))
    assert path_of(first) == path_of(second)
    assert Order.objects.count() == 1


def test_a_total_that_the_button_did_not_say_is_never_charged(browser):
    changed = pressed(browser, agreed_minor="1")
    assert changed.status_code == 409
    form = dict(HIDDEN.findall(browser.get("/retire", {"kg": "250"}).content.decode()))
    more = browser.post("/retire", form | {"project": "rooftop-solar", "kg": "500"})
    assert more.status_code == 409
    assert not Order.objects.exists()


def test_a_weak_or_foreign_nonce_opens_nobodys_order(browser, client):
    pressed(browser, name="Lin Wan", nonce="1")
    other = pressed(browser, name="Zhou", nonce="1")
    assert Order.objects.count() == 2
    assert path_of(other).startswith("/sandbox/")


def test_more_than_there_is_says_so_and_takes_no_money(browser):
    page = browser.get("/retire", {"kg": "900000"}).content.decode()
    assert "No project has that much" in page
    form = {"kg": "900000", "project": "rooftop-solar", "agreed_for": "rooftop-solar"}
    assert browser.post("/retire", form).status_code == 409
    assert not Order.objects.exists()


def test_the_orders_page_leads_back_to_the_amount_not_to_a_result(browser):
    pressed(browser)
    order = Order.objects.get()
    address = f"/o/{order.token}"
    page = browser.get(address).content.decode()
    assert re.search(r'<a class="back" href="/retire">.*?Other amount</a>', page, re.DOTALL)
    browser.post(address, {"action": "cancel"})
    page = browser.get(address).content.decode()
    assert '<a class="btn" href="/retire">Other amount</a>' in page
    assert "result" not in page.partition("<h1")[2].partition("<footer")[0]
