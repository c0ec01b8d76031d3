"""A rough distance on the calculator's page, as a browser without scripts sends it."""

import re

import pytest

from diandian.footprints.models import Footprint
from diandian.kernel.memory import Memory
from tests.web.world import open_scene, open_shop

pytestmark = pytest.mark.django_db
ADDRESS = "/s/tianfu-2026/go"
ANSWERS = {"live_here": "0", "from": "", "mode": "train", "nights": "2", "stay": "mid"}
NEAR, FAR = "band:200_500", "band:abroad_far"


@pytest.fixture(autouse=True)
def scene(settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.DATA_DIR = tmp_path
    Memory.forget_everything()
    return open_scene()


@pytest.fixture
def browser(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def details_of(page):
    return re.search(r'<details class="how"( open)?><summary>Or say roughly how far', page)


def answered(browser, **more):
    response = browser.post(ADDRESS, ANSWERS | more)
    assert response.status_code == 303, response.content.decode()
    return response["Location"], Footprint.objects.latest("id").answers["from"]


def test_it_is_offered_beside_the_city(browser):
    page = browser.get(ADDRESS).content.decode()
    assert details_of(page)[1] is None
    assert page.count('<option value="band:') == 8
    assert 'id="o1"' in page, "follow-ups are still told apart by numbers from one"


def test_a_city_that_is_unknown_opens_it(browser):
    response = browser.post(ADDRESS, ANSWERS | {"from": "Xxqian"})
    page = response.content.decode()
    assert response.status_code == 422
    assert details_of(page)[1]
    assert 'value="Xxqian"' in page
    again = {"from": "Xxqian", "from_asked": "Xxqian", "from_rough": NEAR}
    assert answered(browser, **again)[1] == NEAR


def test_it_is_kept_shown_and_changed(browser):
    open_shop()
    result, kept = answered(browser, from_asked="", from_rough=NEAR)
    assert kept == NEAR
    page = browser.get(result).content.decode()
    assert "about 350 km one way, as you said" in page
    form = browser.get(f"{ADDRESS}?from={result.rpartition('/')[2]}").content.decode()
    assert details_of(form)[1]
    assert f'<option value="{NEAR}" selected>' in form
    assert re.search(r'id="from" name="from" value=""', form)
    assert answered(browser, from_asked="", from_rough=FAR)[1] == FAR


def test_a_city_says_more_than_a_distance(browser):
    assert answered(browser, **{"from": "西安", "from_rough": NEAR})[1].startswith("geonames:")
    both = {"from": "西安", "from_asked": "Xxqian", "from_rough": NEAR}
    assert answered(browser, **both)[1].startswith("geonames:")


def test_a_city_that_was_shown_gives_way_to_a_distance(browser):
    both = {"from": "Xi'an (Shaanxi)", "from_asked": "Xi'an (Shaanxi)", "from_rough": NEAR}
    assert answered(browser, **both)[1] == NEAR


@pytest.mark.parametrize("sent", ["band:9", "geonames:0", "<b>", "\x00", "a" * 500])
def test_what_was_never_offered_is_refused(browser, sent):
    response = browser.post(ADDRESS, ANSWERS | {"from_asked": "", "from_rough": sent})
    assert response.status_code in {400, 422}
    assert not Footprint.objects.exists()


def test_the_running_total_counts_it(browser):
    response = browser.post("/s/tianfu-2026/total", ANSWERS | {"from_rough": NEAR})
    assert "dots" in response.content.decode()


def test_the_interface_for_programs_lists_and_takes_it(browser):
    asked = browser.get("/api/v1/scenes/tianfu-2026?lang=en").json()["questions"]
    city = next(question for question in asked if question["key"] == "from")
    assert (city["kind"], city["choices"][2]) == (
        "place",
        {"value": NEAR, "label": "200 to 500 km"},
    )
    body = {
        "scene": "tianfu-2026",
        "answers": {"from": NEAR, "mode": "train", "nights": 2, "stay": "mid"},
    }
    response = browser.post("/api/v1/estimates", body, content_type="application/json")
    assert response.json()["mass_g"] == 52641
