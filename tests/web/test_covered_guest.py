"""What a guest sees whose trip the organiser covers, or answers for in part."""

import re

import pytest
from django.test import Client

from diandian.flows import checkout, cover, payment_events
from diandian.kernel.clock import now
from diandian.kernel.memory import Memory
from diandian.orders import queries as orders
from diandian.orders.models import Order
from diandian.payments.gateways.sandbox.gateway import peer_of
from diandian.payments.merchants import context_for
from tests.web.public_world import take_part
from tests.web.world import open_scene, open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop(settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.KEYS_DIR = tmp_path / "keys"
    Memory.forget_everything()
    open_shop()


@pytest.fixture
def browser():
    return Client(headers={"accept-language": "en"})


def cover_everybody(scene):
    quote = cover.open_cover_quote(
        scene,
        organisation_ref="organisation:7",
        project_code="rooftop-solar",
        for_everyone=True,
    )
    order = checkout.place_order(
        quote_token=quote.token,
        beneficiary_name="Tianfu Society",
        on_board=False,
        language="en",
    )
    token = orders.latest_payment(order).instruction["url"].rpartition("/")[2]
    for notice in peer_of(context_for("sandbox")).decide(token, "paid", now()):
        payment_events.receive_notice("sandbox", notice.headers, notice.body)
    Memory.forget_everything()


def words(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", response.content.decode()))


def test_a_guest_is_told_before_paying_that_the_host_covers_the_trip(browser):
    scene = open_scene()
    early = take_part(scene)
    cover_everybody(scene)
    for footprint in (early, take_part(scene)):
        result = f"/s/{scene.slug}/go/{footprint.token}"
        page = words(browser.get(result))
        assert "already covered by Tianfu Society" in page
        assert "¥" not in page
        assert browser.get(f"{result}/pay").headers["Location"] == result
        refused = browser.post(f"{result}/pay", {"project": "rooftop-solar"})
        assert refused.status_code == 409
        assert "already covered by Tianfu Society" in words(refused)
    assert Order.objects.count() == 1


def test_a_split_trip_is_priced_for_the_guests_part(browser):
    scene = open_scene(travel_owner="split", travel_organiser_pct=40)
    footprint = take_part(scene)
    assert "answers for 40 per cent of your travel" in words(browser.get(f"/s/{scene.slug}"))
    page = browser.get(f"/s/{scene.slug}/go/{footprint.token}").content.decode()
    kilograms = -(-footprint.guest_g // 1000)
    assert f"{kilograms} dots" in page
    assert browser.get(f"/s/{scene.slug}/go/{footprint.token}/pay").status_code == 200
