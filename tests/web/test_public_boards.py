"""The boards and the page of this device: shown only on request, gone on request."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from diandian.certificates.queries import record_of
from diandian.emissions.estimate import without_person
from diandian.flows import checkout
from diandian.flows.erase import erase_guest
from diandian.flows.quote import open_quote
from diandian.footprints.models import Footprint
from diandian.kernel.memory import Memory
from diandian.leaderboards import queries
from diandian.leaderboards.actions import Light, light_many
from diandian.leaderboards.models import Lighting, Standing
from diandian.orders.models import Order
from diandian.registry.models import Beneficiary
from diandian.web.guest import COOKIE
from tests.web.public_world import buy, order, take_part
from tests.web.world import open_scene, open_shop

pytestmark = pytest.mark.django_db
LANGUAGES = ["zh-Hans", "en", "nl"]
KEY = "device-of-lin"


@pytest.fixture(autouse=True)
def fresh(settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.DATA_DIR = tmp_path
    Memory.forget_everything()


@pytest.fixture
def scene():
    open_shop()
    return open_scene()


def browser(key="", lang="en"):
    """Return a client with the guest cookie of a device."""
    from django.core import signing

    client = Client(headers={"accept-language": lang})
    if key:
        client.cookies[COOKIE] = signing.get_cookie_signer(salt=COOKIE).sign(key)
    return client


def text(response):
    return response.content.decode()


def light(scene, number):
    for each in range(number):
        buy(scene, name=f"Guest {each}", on_board=True, guest_key=f"key-{each}")
    Memory.forget_everything()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("path", ["/board", "/board?period=all", "/board?tab=organisations",
                                  "/board?tab=scenes", "/s/tianfu-2026/board"])  # fmt: skip
def test_empty_boards_say_so(scene, path, lang):
    response = browser(lang=lang).get(path)
    assert response.status_code == 200
    assert 'class="empty"' in text(response)


def test_fewer_than_five_people_have_names_but_no_ranks(scene):
    light(scene, 4)
    page = text(browser().get("/board"))
    assert page.count('<span class="nm">') == 4
    assert '<span class="rk num">1</span>' not in page


def test_five_people_are_ranked_by_scenes_and_never_by_mass(scene):
    light(scene, 4)
    other = open_scene("second-2026")
    buy(scene, name="Late", on_board=True, guest_key="late")
    buy(other, name="Late", on_board=True, guest_key="late")
    Memory.forget_everything()
    page = text(browser().get("/board"))
    first = page.partition('<span class="rk num">1</span>')[2].partition("</li>")[0]
    assert "Late" in first
    board = page.partition('<ol class="lb">')[2].partition("</ol>")[0]
    assert "kg" not in board


def test_who_did_not_ask_is_not_shown(scene):
    buy(scene, name="Quiet", on_board=False, guest_key=KEY)
    assert "Quiet" not in text(browser().get("/board"))
    assert "Quiet" not in text(browser().get(f"/s/{scene.slug}/board"))


def test_own_row_stands_at_the_foot_and_others_are_told_where_they_would_be(scene):
    light(scene, 5)
    page = text(browser("key-3").get("/board"))
    foot = page.partition('class="foot you"')[2]
    assert "Guest 3 (you)" in foot
    buy(scene, name="Quiet", on_board=False, guest_key=KEY)
    foot = text(browser(KEY).get("/board")).partition('class="foot you"')[2]
    assert "about number 6" in foot
    assert "Quiet" not in foot
    stranger = text(browser().get("/board")).partition('class="foot you"')[2]
    assert "you" not in stranger.partition("</section>")[0].lower().replace("next step", "")


def test_a_scene_lists_its_people_in_order(scene):
    light(scene, 5)
    page = text(browser("key-1").get(f"/s/{scene.slug}/board"))
    names = [page.index(f"Guest {each}") for each in range(5)]
    assert names == sorted(names)
    assert "(you)" in page
    assert browser().get("/s/nowhere/board").status_code == 404


def test_the_scene_board_counts_only_scenes_with_enough_guests(scene, monkeypatch):
    monkeypatch.setattr("diandian.leaderboards.queries.SCENE_BOARD_FROM_GUESTS", 2)
    light(scene, 1)
    assert 'class="empty"' in text(browser().get("/board?tab=scenes"))
    buy(scene)
    Memory.forget_everything()
    assert "Tianfu" in text(browser().get("/board?tab=scenes"))


# This device -------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_device_that_ordered_nothing_sees_nothing(scene, lang):
    buy(scene, name="Lin Wan", guest_key=KEY)
    for client in (browser(lang=lang), browser("other", lang)):
        response = client.get("/me")
        assert response["Cache-Control"] == "no-store"
        assert "Lin Wan" not in text(response)
        assert 'class="empty"' in text(response)


def test_a_forged_cookie_opens_nothing(scene):
    buy(scene, name="Lin Wan", guest_key=KEY)
    client = Client()
    client.cookies[COOKIE] = f"{KEY}:1abc:forged"
    assert "Lin Wan" not in text(client.get("/me"))


def test_a_device_sees_its_certificates_and_open_orders(scene):
    certificate = buy(scene, name="Lin Wan", guest_key=KEY)
    waiting = order(scene, guest_key=KEY)
    page = text(browser(KEY).get("/me"))
    assert f"/c/{certificate.code}" in page
    assert f"/o/{waiting.token}" in page
    assert "Lin Wan" in page


def test_a_name_on_the_boards_is_changed_or_refused(scene):
    buy(scene, name="Lin Wan", on_board=True, guest_key=KEY)
    client = browser(KEY)
    assert client.post("/me", {"do": "rename", "display_name": " 阿禾 "}).status_code == 303
    assert set(Standing.objects.values_list("display_name", flat=True)) == {"阿禾"}
    refused = client.post("/me", {"do": "rename", "display_name": "x" * 200})
    assert refused.status_code == 422
    assert "x" * 200 in text(refused)
    assert 'id="display_name-error"' in text(refused)
    assert set(Standing.objects.values_list("display_name", flat=True)) == {"阿禾"}


def test_leaving_the_boards_is_at_once(scene):
    certificate = buy(scene, name="Lin Wan", on_board=True, guest_key=KEY)
    assert browser(KEY).post("/me", {"do": "leave"}).status_code == 303
    assert not Standing.objects.exists()
    assert "Lin Wan" in text(browser().get(f"/c/{certificate.code}"))


def test_nothing_is_erased_without_the_tick(scene):
    buy(scene, name="Lin Wan", guest_key=KEY)
    response = browser(KEY).post("/me", {"do": "erase"})
    assert response.status_code == 422
    assert Order.objects.get().beneficiary_name == "Lin Wan"


def test_erasing_removes_the_person_and_keeps_the_books(scene, tmp_path):
    certificate = buy(scene, name="Lin Wan", on_board=True, guest_key=KEY)
    stranger = buy(scene, name="Somebody else", guest_key="other")
    client = browser(KEY)
    client.get(f"/c/{certificate.code}.pdf")
    before = record_of(certificate)
    response = client.post("/me", {"do": "erase", "sure": "1"})
    assert response.status_code == 303
    assert response.cookies[COOKIE].value == ""
    certificate.refresh_from_db()
    after = record_of(certificate)
    mine = Order.objects.get(id=int(certificate.order_ref.partition(":")[2]))
    assert (mine.beneficiary_name, mine.guest_key, mine.on_board) == ("", "", False)
    assert Footprint.objects.get(id=mine.footprint_id).answers == {}
    assert Beneficiary.objects.get(retirement=certificate.retirement).subject is None
    assert not Standing.objects.exists()
    assert not list((tmp_path / "rendered").rglob(f"{certificate.code}-*"))
    assert "Lin Wan" not in str(after)
    assert "Xi" not in str(after["estimate"]["inputs"])
    assert (after["mass_g"], after["ranges"]) == (before["mass_g"], before["ranges"])
    assert "Valid" in text(browser().get(f"/v/{certificate.code}")).partition("</h1>")[0]
    assert "Lin Wan" not in text(browser().get(f"/c/{certificate.code}"))
    assert record_of(stranger)["beneficiary"]["display_name"] == "Somebody else"


def test_another_sites_page_cannot_erase(scene):
    buy(scene, name="Lin Wan", guest_key=KEY)
    response = browser(KEY).post(
        "/me", {"do": "erase", "sure": "1"}, headers={"sec-fetch-site": "cross-site"}
    )
    assert response.status_code == 403
    assert Order.objects.get().beneficiary_name == "Lin Wan"


def test_leaving_counts_for_orders_under_way_too(scene):
    waiting = order(scene, name="Lin Wan", on_board=True, guest_key=KEY)
    assert browser(KEY).post("/me", {"do": "leave"}).status_code == 303
    waiting.refresh_from_db()
    assert not waiting.on_board


def test_one_person_on_many_days_is_one_line_and_not_ranked(scene):
    buy(scene, name="Lin Wan", on_board=True, guest_key=KEY)
    first = Lighting.objects.get()
    for each in range(1, 7):
        day = first.day - timedelta(days=each)
        Lighting.objects.create(
            guest_key=KEY, scene=scene, source_ref=f"day:{each}", day=day, lit_at=first.lit_at
        )
    (row,) = queries.scene_people(scene, limit=5)
    assert (row.name, row.rank) == ("Lin Wan", None)


def test_erasing_reaches_the_answers_that_only_a_quote_holds(scene):
    estimate = take_part(scene).estimate
    quote = open_quote(project_code="rooftop-solar", scene=scene, estimate=estimate)
    checkout.place_order(
        quote_token=quote.token,
        beneficiary_name="Lin Wan",
        on_board=False,
        language="en",
        guest_key=KEY,
    )
    erase_guest(KEY)
    quote.refresh_from_db()
    assert quote.estimate == without_person(estimate) != estimate


def test_a_commit_lights_each_person_scene_and_day_once(scene):
    at = datetime(2026, 11, 28, 9, tzinfo=UTC)
    first = Light("k", scene.id, "Lin", "order:1")
    assert light_many([first], at=at) == 1
    assert light_many([first], at=at) == 0, "the same order"
    other = [
        Light("k", scene.id, "Lin", "order:2"),
        Light("m", scene.id, "Mei", "order:3"),
        Light("m", scene.id, "Mei", "order:4"),
    ]
    assert light_many(other, at=at) == 1, "one scene counts once a day"
    assert light_many([Light("k", scene.id, "Lin W.", "order:5")], at=at + timedelta(days=1)) == 1
    assert set(Lighting.objects.values_list("source_ref", flat=True)) == {
        "order:1", "order:3", "order:5",
    }  # fmt: skip
    found = Standing.objects.filter(board="people:all").order_by("guest_key")
    assert list(found.values_list("guest_key", "display_name", "scenes_lit")) == [
        ("k", "Lin W.", 2),
        ("m", "Mei", 1),
    ]
