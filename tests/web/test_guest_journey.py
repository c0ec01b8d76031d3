"""From the scene to the certificate, by plain forms, as a browser without scripts does it."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from diandian.footprints.models import Footprint
from diandian.kernel.clock import business_day, now
from diandian.kernel.memory import Memory
from diandian.orders.models import Offer, Order, OrderState
from diandian.registry.models import Lane
from diandian.ui import limits
from tests.web.world import open_scene, open_shop

pytestmark = pytest.mark.django_db
ANSWERS = {"live_here": "0", "from": "西安", "mode": "train", "nights": "2", "stay": "mid"}
HIDDEN = re.compile(r'<input type="hidden"[^>]*name="([^"]+)" value="([^"]*)"')


@pytest.fixture(autouse=True)
def fresh(settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.DATA_DIR = tmp_path
    Memory.forget_everything()
    limits.misses.forget()


@pytest.fixture
def shop():
    open_shop()


@pytest.fixture
def scene():
    return open_scene()


@pytest.fixture
def browser(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def path_of(response):
    return urlsplit(response["Location"]).path


def count(browser, slug="tianfu-2026", **answers):
    response = browser.post(f"/s/{slug}/go", ANSWERS | answers)
    assert response.status_code == 303, response.content.decode()
    return path_of(response)


def form_of(response):
    return dict(HIDDEN.findall(response.content.decode()))


def press_pay(browser, result, **changes):
    form = form_of(browser.get(f"{result}/pay"))
    return browser.post(f"{result}/pay", form | {"project": "rooftop-solar"} | changes)


def text(response):
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", response.content.decode()))


def test_from_the_poster_to_the_certificate(browser, shop, scene):
    page = browser.get("/s/tianfu-2026?c=p1").content.decode()
    assert 'href="/s/tianfu-2026/go?c=p1"' in page
    result = count(browser, c="p1")
    footprint = Footprint.objects.get()
    assert footprint.poster_mark == "p1"
    kilograms = -(-footprint.mass_g // 1000)
    shown = text(browser.get(result))
    assert f"about {kilograms} dots" in shown.replace("\u202f", " ")
    ordered = press_pay(browser, result, name="林晚")
    assert ordered.status_code == 303
    order = Order.objects.get()
    assert (order.mass_g, order.beneficiary_name, order.on_board) == (
        kilograms * 1000,
        "林晚",
        False,
    )
    sandbox = path_of(ordered)
    returned = browser.post(sandbox, {"outcome": "paid"})
    assert path_of(returned) == f"/o/{order.token}"
    done = browser.get(f"/o/{order.token}")
    assert (done.status_code, path_of(done)[:3]) == (303, "/c/")
    assert "林晚" in browser.get(path_of(done)).content.decode()
    assert path_of(done) == path_of(browser.get(f"/o/{order.token}")), "the link stays good"


def test_no_cookie_is_needed_and_one_is_set_only_by_an_order(browser, shop, scene):
    result = count(browser)
    browser.get(result)
    browser.get(f"{result}/pay")
    assert not browser.cookies
    response = press_pay(browser, result)
    cookie = response.cookies["guest"]
    assert cookie["httponly"]
    assert Order.objects.get().guest_key == cookie.value.partition(":")[0]


def test_secret_pages_are_not_kept_and_not_indexed(browser, shop, scene):
    result = count(browser)
    ordered = press_pay(browser, result)
    assert ordered["Cache-Control"] == "no-store"
    for path in (result, f"{result}/pay", f"/o/{Order.objects.get().token}"):
        response = browser.get(path)
        assert response["Cache-Control"] == "no-store"
        assert response["X-Robots-Tag"] == "noindex"


def test_the_same_button_twice_makes_one_order(browser, shop, scene):
    result = count(browser)
    form = form_of(browser.get(f"{result}/pay")) | {"project": "rooftop-solar"}
    first, second = (browser.post(f"{result}/pay", form) for _ in range(2))
    assert path_of(first) == path_of(second)
    assert Order.objects.count() == 1


def test_another_tab_finds_the_order_that_exists(browser, shop, scene):
    result = count(browser)
    other_tab = form_of(browser.get(f"{result}/pay")) | {"project": "rooftop-solar"}
    press_pay(browser, result)
    again = browser.post(f"{result}/pay", other_tab)
    assert path_of(again) == f"/o/{Order.objects.get().token}"
    assert path_of(browser.get(f"{result}/pay")) == result
    assert "This trip already has an order" in text(browser.get(result))


def test_another_choice_than_the_button_said_is_asked_about_again(browser, shop, scene):
    result = count(browser)
    response = press_pay(browser, result, project="kitchen-waste")
    assert response.status_code == 409
    assert not Order.objects.exists()
    form = form_of(response) | {"project": "kitchen-waste"}
    assert path_of(browser.post(f"{result}/pay", form)).startswith("/sandbox/")
    assert Order.objects.get().project.code == "kitchen-waste"


def test_a_changed_price_is_shown_and_not_charged(browser, shop, scene):
    result = count(browser)
    form = form_of(browser.get(f"{result}/pay")) | {"project": "rooftop-solar"}
    Offer.objects.filter(project__code="rooftop-solar").update(price_per_tonne_minor=90_000)
    Memory.forget_everything()
    response = browser.post(f"{result}/pay", form)
    assert "The price has changed" in text(response)
    assert not Order.objects.exists()


def test_an_honest_button_cannot_be_forged_into_another_total(browser, shop, scene):
    result = count(browser)
    response = press_pay(browser, result, agreed_minor="1")
    assert response.status_code == 409
    assert "¥0.01" in text(response)
    assert not Order.objects.exists()


def test_the_top_of_the_range_can_be_paid(browser, shop, scene):
    result = count(browser)
    asked = press_pay(browser, result, upper="1")
    press = form_of(asked) | {"project": "rooftop-solar", "upper": "1"}
    assert path_of(browser.post(f"{result}/pay", press)).startswith("/sandbox/")
    assert Order.objects.get().mass_g == -(-Footprint.objects.get().high_g // 1000) * 1000


def test_sold_out_between_page_and_button(browser, shop, scene):
    result = count(browser)
    form = form_of(browser.get(f"{result}/pay")) | {"project": "rooftop-solar"}
    for lane in Lane.objects.filter(batch__project__code="rooftop-solar"):
        Lane.objects.filter(id=lane.id).update(held_g=lane.hi - lane.cursor - 2_000)
    response = browser.post(f"{result}/pay", form)
    assert response.status_code == 409
    assert "Only 2 kg of this project are left. Nothing was charged." in text(response)
    assert "too little for this trip" in text(response)
    assert not Order.objects.exists()


def test_a_sold_out_project_offers_a_reminder(browser, shop, scene):
    result = count(browser)
    for lane in Lane.objects.filter(batch__project__code="kitchen-waste"):
        Lane.objects.filter(id=lane.id).update(held_g=lane.hi - lane.cursor)
    page = browser.get(f"{result}/pay").content.decode()
    assert 'href="/projects/kitchen-waste/again.ics"' in page


def test_everything_sold_out_takes_no_money(browser, scene):
    result = count(browser)
    assert "sold out" in text(browser.get(result))
    page = browser.get(f"{result}/pay")
    assert "Everything is sold out" in text(page)
    assert 'form="pay"' not in page.content.decode()


def test_a_bad_name_is_refused_at_its_field_and_the_rest_is_kept(browser, shop, scene):
    result = count(browser)
    response = press_pay(browser, result, name="x" * 199, board="1")
    page = response.content.decode()
    assert response.status_code == 409
    assert "<title>Error:" in page
    assert 'id="name-error"' in page
    assert re.search(r'name="board" value="1" checked', page)
    assert not Order.objects.exists()


def test_a_declined_payment_can_be_tried_again(browser, shop, scene):
    result = count(browser)
    sandbox = path_of(press_pay(browser, result))
    browser.post(sandbox, {"outcome": "declined"})
    token = Order.objects.get().token
    page = browser.get(f"/o/{token}")
    assert "The payment did not go through" in text(page)
    again = browser.post(f"/o/{token}", {"action": "pay"})
    assert path_of(again).startswith("/sandbox/")
    assert path_of(again) != sandbox
    browser.post(path_of(again), {"outcome": "paid"})
    assert path_of(browser.get(f"/o/{token}")).startswith("/c/")


def test_the_return_without_a_payment_proves_nothing(browser, shop, scene):
    press_pay(browser, count(browser))
    token = Order.objects.get().token
    page = browser.get(f"/o/{token}?paid=1&status=success")
    assert "Waiting for your payment" in text(page)
    assert 'http-equiv="refresh"' in page.content.decode()
    assert Order.objects.get().state == OrderState.AWAITING_PAYMENT


def test_an_unpaid_order_can_be_cancelled_and_frees_its_grams(browser, shop, scene):
    press_pay(browser, count(browser))
    token = Order.objects.get().token
    browser.post(f"/o/{token}", {"action": "cancel"})
    assert "Cancelled" in text(browser.get(f"/o/{token}"))
    assert not Lane.objects.filter(held_g__gt=0).exists()


def test_an_expired_calculation_is_done_again_in_one_click(browser, shop, scene):
    result = count(browser)
    Footprint.objects.update(expires_at=now() - timedelta(days=1))
    page = browser.get(result)
    assert "This calculation has expired" in text(page)
    again = browser.post("/s/tianfu-2026/go", form_of(page))
    assert again.status_code == 303
    old, new = Footprint.objects.order_by("id")
    assert old.mass_g == new.mass_g


def test_a_closed_scene_sells_nothing(browser, shop):
    day = business_day()
    scene = open_scene()
    result = count(browser)
    form = form_of(browser.get(f"{result}/pay")) | {"project": "rooftop-solar"}
    type(scene).objects.update(starts_on=day - timedelta(days=90), ends_on=day - timedelta(days=80))
    Memory.forget_everything()
    assert path_of(browser.post(f"{result}/pay", form)) == result
    assert "This scene is closed" in text(browser.get(result))
    assert path_of(browser.get("/s/tianfu-2026/go")) == "/s/tianfu-2026"
    assert not Order.objects.exists()


def test_nothing_to_pay_where_the_host_answers_for_the_trip(browser, shop):
    open_scene("hosted", travel_owner="organiser")
    result = count(browser, "hosted")
    page = text(browser.get(result))
    assert "The host answers for your trip" in page
    assert "¥" not in page
    assert path_of(browser.get(f"{result}/pay")) == result


def test_a_hosted_guest_keeps_a_page_that_claims_nothing(browser, shop):
    open_scene("hosted", travel_owner="organiser")
    result = count(browser, "hosted")
    assert f'{result}/attended"' in browser.get(result).content.decode()
    response = browser.get(f"{result}/attended")
    page = text(response)
    assert "The organiser answers for this journey" in page
    assert "This page is not a certificate" in page
    assert not re.search(r"neutral|matched|honour|¥", page)
    assert response["Cache-Control"] == "no-store"


def test_only_hosted_guests_have_that_page(browser, shop, scene):
    result = count(browser)
    assert path_of(browser.get(f"{result}/attended")) == result


def test_nothing_emitted_costs_nothing(browser, shop, scene):
    response = browser.post(
        "/s/tianfu-2026/go",
        {"live_here": "1", "mode": "metro", "ride": "walk", "nights": "0", "local": "none",
         "meals": "0"},
    )  # fmt: skip
    page = text(browser.get(path_of(response)))
    assert "Nothing to pay for. Thank you." in page
    assert "¥" not in page


def test_another_scenes_link_opens_nothing(browser, shop, scene):
    open_scene("other")
    token = count(browser).rpartition("/")[2]
    assert browser.get(f"/s/other/go/{token}").status_code == 404


def test_guessing_links_is_slowed_down(browser, scene, settings):
    settings.MISSES_PER_MINUTE = 3
    statuses = [browser.get(f"/o/guess-{place}").status_code for place in range(5)]
    assert statuses == [404, 404, 404, 429, 429]
    assert browser.get("/s/tianfu-2026").status_code == 200, "pages that exist stay open"
    assert browser.get("/o/guess", REMOTE_ADDR="198.51.100.7").status_code == 404


def test_a_page_of_another_site_cannot_order(browser, shop, scene):
    result = count(browser)
    form = form_of(browser.get(f"{result}/pay")) | {"project": "rooftop-solar"}
    response = browser.post(f"{result}/pay", form, HTTP_SEC_FETCH_SITE="cross-site")
    assert response.status_code == 403
    assert not Order.objects.exists()


def test_somebody_who_guesses_locks_out_nobody_in_the_same_hall(browser, shop, scene, settings):
    settings.MISSES_PER_MINUTE = 3
    result = count(browser)
    assert [browser.get("/o/guess").status_code for _ in range(5)][-1] == 429
    assert browser.get(f"{result}/pay").status_code == 200
