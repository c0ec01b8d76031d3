"""Guest pages one by one: every state of a scene, the calculator's errors, lists, health."""

import re
from datetime import timedelta

import pytest

from diandian.emissions.scene_kind import SceneContext, scene_kinds
from diandian.flows import sales
from diandian.footprints.models import Footprint
from diandian.kernel.clock import business_day
from diandian.kernel.memory import Memory, ttl_cache
from diandian.orders.queries import Progress
from diandian.scenes import actions as scenes
from diandian.ui import limits
from diandian.web import context, forms
from tests.web.world import CHENGDU, open_scene, open_shop

pytestmark = pytest.mark.django_db
ANSWERS = {"live_here": "0", "from": "西安", "mode": "train", "nights": "2", "stay": "mid"}


@pytest.fixture(autouse=True)
def fresh(settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.DATA_DIR = tmp_path
    Memory.forget_everything()
    limits.misses.forget()


@pytest.fixture
def scene():
    return open_scene()


@pytest.fixture
def browser(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def text(response):
    return re.sub(r"[ \n]+", " ", re.sub("<[^>]+>", " ", response.content.decode()))


# --- scenes ---------------------------------------------------------------------------------------


def test_a_scene_without_guests_shows_no_empty_field(browser, scene):
    page = text(browser.get("/s/tianfu-2026"))
    assert "Be the first dot" in page
    assert "Lit so far" not in page
    assert "3.7\u202ft" in page, "what the host avoided"


def test_a_scene_with_guests_shows_how_far_it_is(browser, scene, monkeypatch):
    monkeypatch.setattr(context, "progress_of", lambda _id: Progress(34_000_000, 412))
    page = text(browser.get("/s/tianfu-2026"))
    assert "412 guests" in page
    assert "34\u202ft" in page
    assert "500\u202fkg" in page


@pytest.mark.parametrize(
    ("starts", "ends", "words", "button"),
    [
        (9, 10, "Opens on", "/go"),
        (-9, -8, "The event is over. You can still take part until", "/go"),
        (-90, -80, "This scene closed on", "/report"),
    ],
)
def test_before_and_after_the_event(browser, starts, ends, words, button):
    today = business_day()
    open_scene(starts_on=today + timedelta(days=starts), ends_on=today + timedelta(days=ends))
    page = browser.get("/s/tianfu-2026")
    assert words in text(page)
    assert f'<a class="btn" href="/s/tianfu-2026{button}"' in page.content.decode()


def test_a_withdrawn_and_an_unknown_scene_offer_the_search(browser, scene):
    scenes.withdraw(scene, actor_ref="test")
    for slug, words in (("tianfu-2026", "not published"), ("nobody", "No scene by that name")):
        for path in (f"/s/{slug}", f"/s/{slug}/go", f"/s/{slug}/report"):
            response = browser.get(path)
            assert response.status_code == 404
            assert words in text(response)
            assert 'action="/scenes"' in response.content.decode()


def test_words_of_a_contribution_scene_claim_nothing(browser):
    open_scene(claim_style="contribution")
    page = text(browser.get("/s/tianfu-2026"))
    assert "I want to contribute" in page
    assert "neutral" not in page.lower()


def test_the_report_says_what_was_not_retired(browser, scene):
    page = text(browser.get("/s/tianfu-2026/report"))
    assert "Not retired 92\u202ft" in page
    assert "metered" in page


def test_lists_are_searched_by_words_in_any_language(browser, scene):
    names = {"zh-Hans": "锦里茶馆", "en": "Jinli teahouse"}
    open_scene("teahouse", kind="restaurant", names=names, host_names=names, venue_names=names)
    for query, found in (
        ("q=tianfu", ["tianfu-2026"]),
        ("q=低碳", ["tianfu-2026"]),
        ("q=JINLI", ["teahouse"]),
        ("q=chengdu", ["tianfu-2026", "teahouse"]),
        ("q=chengdu+茶馆", ["teahouse"]),
        ("kind=restaurant", ["teahouse"]),
        ("q=%27%3B--&kind=nonsense", ["tianfu-2026", "teahouse"]),
        ("q=zzz", []),
    ):
        page = browser.get(f"/scenes?{query}").content.decode()
        assert sorted(re.findall(r'href="/s/([^"]+)"', page)) == sorted(found), query
    assert "No scene by that name" in text(browser.get("/scenes?q=zzz"))


def test_htmx_gets_the_list_alone(browser, scene):
    page = browser.get("/scenes?q=tianfu", headers={"HX-Request": "true"}).content.decode()
    assert page.lstrip().startswith('<div id="results"')
    assert "/s/tianfu-2026" in page


def test_the_home_page_leads_to_scenes(browser, scene):
    page = browser.get("/").content.decode()
    assert 'href="/s/tianfu-2026"' in page
    assert 'action="/scenes"' in page


# --- calculator -----------------------------------------------------------------------------------


def test_a_missing_city_is_told_on_top_and_at_the_field_and_answers_stay(browser, scene):
    response = browser.post("/s/tianfu-2026/go", ANSWERS | {"from": "", "nights": "4"})
    page = response.content.decode()
    assert response.status_code == 422
    assert "<title>Error:" in page
    assert 'href="#from"' in page
    assert 'id="from-error"' in page
    assert re.search(r'name="nights" id="o\d+" value="4" checked', page)
    assert re.search(r'name="mode" id="o\d+" value="train" checked', page)


def test_an_ambiguous_city_is_asked_back_never_guessed(browser, scene):
    response = browser.post("/s/tianfu-2026/go", ANSWERS | {"from": "Suzhou"})
    page = response.content.decode()
    assert response.status_code == 422
    keys = re.findall(r'name="from_meant" value="([^"]+)"', page)
    assert len(keys) > 1
    chosen = {"from": "Suzhou", "from_asked": "Suzhou", "from_meant": keys[1]}
    assert browser.post("/s/tianfu-2026/go", ANSWERS | chosen).status_code == 303
    changed = chosen | {"from": "Xi'an"}
    raw = forms.raw_answers(scene_kinds()["conference"].questions(_where()), ANSWERS | changed)
    assert raw["from"] == "Xi'an", "what was typed after the question wins"


def _where():
    return SceneContext(CHENGDU, "CN-SC", "CN")


def test_a_number_beside_the_listed_ones_counts(browser, scene):
    response = browser.post("/s/tianfu-2026/go", ANSWERS | {"nights_other": "９ 晚"})
    page = text(browser.get(response["Location"]))
    assert "nights: 9" in page
    edit = browser.get(f"/s/tianfu-2026/go?from={response['Location'].rpartition('/')[2]}")
    assert 'name="nights_other" value="9"' in edit.content.decode()
    assert 'value="Xi&#x27;an' in edit.content.decode()


@pytest.mark.parametrize("nights", ["-1", "abc", "1e9", "9" * 60, "two hundred"])
def test_absurd_numbers_are_refused_at_the_field(browser, scene, nights):
    response = browser.post("/s/tianfu-2026/go", ANSWERS | {"nights": nights})
    assert response.status_code == 422
    assert 'href="#nights"' in response.content.decode()


@pytest.mark.parametrize(
    ("field", "changes", "words"),
    [
        ("nights", {"nights": "400"}, "“400” lies outside 0 to 60"),
        ("nights", {"nights": "", "nights_other": "400"}, "“400” lies outside 0 to 60"),
        ("occupants", {"mode": "car", "occupants": "0"}, "“0” lies outside 1 to 9"),
        ("car_km", {"mode": "car", "car_km": "60000"}, "“60000” lies outside 0 to 10,000"),
        ("room_people", {"room_people": "0"}, "lies outside 1 to"),
        ("mode", {"from": "成都", "mode": "plane"}, "there is no flight between them"),
    ],
)
def test_what_cannot_be_is_refused_at_the_field_in_words(browser, scene, field, changes, words):
    response = browser.post("/s/tianfu-2026/go", ANSWERS | changes)
    page = response.content.decode()
    assert response.status_code == 422
    assert re.search(rf'id="{field}-error"[^>]*>[^<]*{re.escape(words)}', page)
    assert not Footprint.objects.exists()


def test_a_way_within_the_city_is_a_ride_and_no_zero(browser, scene):
    response = browser.post("/s/tianfu-2026/go", ANSWERS | {"from": "成都"})
    assert response.status_code == 303
    travel = [
        line for line in Footprint.objects.get().estimate["lines"] if line["category"] == "travel"
    ]
    assert travel
    assert all(line["mass_g"] > 0 for line in travel)
    assert all(line["assumed"] for line in travel), "nobody said how far"


def test_a_typed_number_counts_though_nobody_unticked_that_it_is_unknown(browser):
    open_scene(kind="restaurant")
    answers = {"way": "taxi", "way_km": ["4", "unknown"], "meal_kind": "canteen"}
    response = browser.post("/s/tianfu-2026/go", answers)
    assert response.status_code == 303
    kept = Footprint.objects.get()
    assert kept.answers["way_km"] == "4"
    page = text(browser.get(response["Location"]))
    assert "Taxi or ride-hailing, 8 km" in page
    assert "you did not say" not in page


def test_an_average_distance_says_what_was_not_said(browser):
    open_scene(kind="restaurant")
    answers = {"way": "taxi", "way_km": ["", "unknown"], "meal_kind": "canteen"}
    response = browser.post("/s/tianfu-2026/go", answers)
    page = text(browser.get(response["Location"]))
    assert "An average: you did not say how far." in page


def test_the_running_total_says_only_its_scale_until_it_can(browser, scene):
    none_yet = text(browser.post("/s/tianfu-2026/total", {"mode": "train"}))
    assert none_yet.strip() == "1 dot = 1\u202fkg CO₂e"
    assert re.search(r"\d+ dots", text(browser.post("/s/tianfu-2026/total", ANSWERS)))


def test_places_are_proposed_as_names_that_can_be_sent_back(browser, scene):
    page = browser.get("/s/tianfu-2026/places?field=from&from=suzh").content.decode()
    labels = re.findall(r'value="([^"]+)"', page)
    assert any("Jiangsu" in label for label in labels)
    response = browser.post("/s/tianfu-2026/go", ANSWERS | {"from": labels[0]})
    assert response.status_code == 303


@pytest.mark.parametrize("kind", sorted(scene_kinds()))
def test_every_kind_of_scene_can_be_counted_with_its_defaults(browser, kind):
    open_scene(kind=kind)
    page = browser.get("/s/tianfu-2026/go").content.decode()
    ids = re.findall(r'id="o(\d+)"', page)
    assert len(ids) == len(set(ids)) <= forms.MOST_OPTIONS, "the style rules reach that far"
    answers = {"from": "西安", "mode": "train", "way": "metro"}
    response = browser.post("/s/tianfu-2026/go", answers)
    assert response.status_code == 303, text(response)
    assert browser.get(response["Location"]).status_code == 200


def test_every_line_of_a_result_can_be_traced(browser, scene):
    result = browser.post("/s/tianfu-2026/go", ANSWERS)["Location"]
    page = browser.get(result).content.decode()
    assert 'href="/method/factors/transport.rail.high_speed"' in page
    assert "DESNZ" in page or "MEE" in page
    assert "Next time it could be less" in page
    assert "about 190 dots fewer than flying" in page


def test_a_result_names_both_figures_of_a_flight(browser, scene):
    result = browser.post("/s/tianfu-2026/go", ANSWERS | {"mode": "plane"})["Location"]
    assert "Without the non-CO₂ effects of flying" in text(browser.get(result))


# --- frame ----------------------------------------------------------------------------------------


def test_nothing_is_inline_and_every_page_has_one_heading(browser, scene):
    open_shop()
    result = browser.post("/s/tianfu-2026/go", ANSWERS)["Location"]
    paths = ["/", "/scenes", "/s/tianfu-2026", "/s/tianfu-2026/go", "/s/tianfu-2026/report"]
    for path in [*paths, "/status", result, f"{result}/pay"]:
        page = browser.get(path).content.decode()
        assert page.count("<h1") == 1, path
        assert " style=" not in page, path
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), path
        assert not re.search(r"\son[a-z]+=", page), path


@pytest.mark.parametrize("lang", ["zh-Hans", "en", "nl"])
def test_pages_speak_the_asked_language(browser, scene, lang):
    page = browser.get(f"/s/tianfu-2026?lang={lang}")
    assert f'<html lang="{lang}"' in page.content.decode()


def test_a_scene_costs_few_queries_and_then_none(browser, scene, django_assert_max_num_queries):
    with django_assert_max_num_queries(7):
        browser.get("/s/tianfu-2026")
    with django_assert_max_num_queries(0):
        browser.get("/s/tianfu-2026")


def test_result_and_choice_cost_few_queries(browser, scene, django_assert_max_num_queries):
    open_shop()
    result = browser.post("/s/tianfu-2026/go", ANSWERS)["Location"]
    browser.get(result)
    sales.are_stopped()  # looked at once a second, not for each page
    for path in (result, f"{result}/pay"):
        with django_assert_max_num_queries(2):
            browser.get(path)


def test_health_says_what_works(browser):
    assert browser.get("/healthz").content == b"ok\n"
    assert browser.get("/readyz").json() == {
        "database": True,
        "worker": False,
        "promises_overdue": 0,
        "allocator": False,
        "oldest_intake_seconds": 0,
        "log_unsigned": 0,
        "log_refusal": "",
        "sales_stopped": False,
        "reviews_overdue": 0,
        "closed_through": None,
    }
    assert "background work is late" in text(browser.get("/status"))


@pytest.mark.parametrize(
    ("mode", "high_water", "witnesses", "said"),
    [
        ("production", "", "", "No high-water file and no witness is set up"),
        ("production", "/elsewhere/high-water", "", "No witness is set up"),
        ("production", "", "/etc/witnesses", "No high-water file is set up"),
        ("production", "/elsewhere/high-water", "/etc/witnesses", None),
        ("demo", "", "", None),
    ],
)
def test_the_status_says_who_should_watch_the_log_and_does_not(
    browser, settings, mode, high_water, witnesses, said
):
    settings.MODE, settings.HIGH_WATER, settings.LOG_WITNESSES = mode, high_water, witnesses
    page = text(browser.get("/status"))
    assert ("set up" in page) == (said is not None)
    assert said is None or said in page


def test_a_memory_forgets_and_never_keeps_errors(monkeypatch):
    moment = [0]
    monkeypatch.setattr("diandian.kernel.memory.time.monotonic_ns", lambda: moment[0])
    calls = []

    @ttl_cache(2, maxsize=2)
    def look(key):
        calls.append(key)
        if key == "bad":
            raise LookupError
        return len(calls)

    assert (look("a"), look("a")) == (1, 1)
    moment[0] = 2_500_000_000
    assert look("a") == 2
    for _ in range(2):
        with pytest.raises(LookupError):
            look("bad")
    assert calls == ["a", "a", "bad", "bad"]


def test_an_address_is_believed_from_our_own_proxies_only(rf, settings):
    request = rf.get("/", headers={"x-forwarded-for": "10.9.9.9, 203.0.113.5"})
    assert limits.client_address(request) == "127.0.0.1"
    settings.TRUSTED_PROXIES = 1
    assert limits.client_address(request) == "203.0.113.5"
