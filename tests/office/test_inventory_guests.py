"""The inventory beside its guests: their travel, what they are shown of reductions and reports."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from diandian.flows.cover import residual_of
from diandian.footprints import queries
from diandian.footprints.models import InventoryVersion
from diandian.kernel.memory import Memory
from diandian.scenes import actions as scenes
from diandian.scenes.models import ReductionMeasure
from tests.office.host_world import draft
from tests.office.inventory_world import add, base, closed, sheet_of
from tests.web.world import open_shop

pytestmark = pytest.mark.django_db
ANSWERS = {"live_here": "0", "from": "西安", "mode": "train", "nights": "2", "stay": "mid"}


@pytest.fixture(autouse=True)
def fresh(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    Memory.forget_everything()


@pytest.fixture
def scene(desk, society):
    return draft(desk, society)


# --- guests' travel -----------------------------------------------------------------------------


@pytest.fixture
def visited(desk, society):
    """A scene whose host answers for the travel, with six answers."""
    open_shop()
    scene = draft(desk, society, slug="visited", travel_owner="organiser")
    scenes.submit(scene, actor_ref="test")
    scene = scenes.approve(scene, actor_ref="test")
    guest = Client(headers={"accept-language": "en"})
    for _ in range(6):
        assert guest.post(f"/s/{scene.slug}/go", ANSWERS).status_code == 303
    Memory.forget_everything()
    return scene


def test_answers_are_extrapolated_to_those_who_came(desk, visited):
    address = f"{base(visited)}/travel"
    page = desk.get(address).content.decode()
    assert "6 guests answered" in page
    answered_g = residual_of(visited).inventory_g
    assert desk.post(address, {"people": "12", "since": "0"}).status_code == 303
    page = desk.get(address).content.decode()
    assert "The mean of the answers stands for those who did not answer." in page
    version = closed(desk, visited)
    assert version.mass_g == pytest.approx(2 * answered_g, abs=20)
    lines = version.document["lines"]
    extrapolated_g = sum(
        line["mass_g"] for line in lines if line["details"]["guests"] == "extrapolated"
    )
    claimable_g = sum(line["mass_g"] for line in lines if line["claimable"])
    assert claimable_g == extrapolated_g, "answers are claimed with their own footprints"
    assert residual_of(visited).residual_g == answered_g + extrapolated_g


@pytest.mark.parametrize("people", ["5", "-3", "many", "1.5", "1000001", "٥٠"])
def test_a_wrong_attendance_is_refused(desk, visited, people):
    refused = desk.post(f"{base(visited)}/travel", {"people": people, "since": "0"})
    assert refused.status_code == 422
    assert f'value="{people}"' in refused.content.decode()
    assert not InventoryVersion.objects.exists()


def test_more_answers_than_people_keep_it_open(desk, visited):
    desk.post(f"{base(visited)}/travel", {"people": "6", "since": "0"})
    Client(headers={"accept-language": "en"}).post(f"/s/{visited.slug}/go", ANSWERS)
    Memory.forget_everything()
    refused = desk.post(f"{base(visited)}/close", {"meant": "1", "since": "1"})
    assert refused.status_code == 409
    assert "more people answered than attended" in refused.content.decode()


def test_guests_who_answer_for_themselves_are_information_only(desk, society, scene):
    page = desk.get(f"{base(scene)}/travel").content.decode()
    assert "in no total of yours" in page
    assert "Guests&#x27; nights" not in desk.get(base(scene)).content.decode()


# --- reductions ---------------------------------------------------------------------------------


def lunch(desk, scene):
    return add(
        desk,
        scene,
        activity="meal_buffet",
        category="catering",
        unit="meal",
        amount="100",
        quality="invoiced",
    )


def test_a_measure_is_shown_to_guests_once_a_file_confirms_it(desk, scene):
    key = lunch(desk, scene)
    address = f"{base(scene)}/reductions"
    assert "Serve a frugal or mostly plant-based buffet" in desk.get(address).content.decode()
    measure = f"{key}.meal_buffet_frugal"
    for _ in range(2):
        assert desk.post(address, {"action": "tick", "key": measure}).status_code == 303
    assert not ReductionMeasure.objects.exists(), "planned is not done"
    confirm = {"action": "confirm", "key": measure, "amount": "100", "since": "9"}
    assert desk.post(address, confirm).status_code == 422
    bill = desk.post(
        f"{base(scene)}/files", {"file": SimpleUploadedFile("bill.pdf", b"%PDF-1.7 bill")}
    )
    assert bill.status_code == 303
    digest = queries.evidence_of(scene)[0].digest
    assert desk.post(address, confirm | {"evidence": digest}).status_code == 303
    shown = ReductionMeasure.objects.get()
    assert shown.confirmed
    assert shown.avoided_g == 442_800  # 100 x (7.517 - 3.089) kg
    assert shown.names["zh-Hans"] != shown.names["en"]
    assert sheet_of(scene).entry(key).activity == "meal_buffet_frugal"
    guest_page = Client(headers={"accept-language": "en"}).get(
        reverse("scene_test", args=[scene.slug, scene.test_token])
    )
    assert "443\u202fkg avoided" in guest_page.content.decode()
    desk.post(address, {"action": "take_back", "key": measure})
    assert not ReductionMeasure.objects.exists()
    assert sheet_of(scene).entry(key).activity == "meal_buffet"


def test_a_measure_that_made_things_worse_is_not_shown(desk, scene):
    key = lunch(desk, scene)
    address = f"{base(scene)}/reductions"
    own = {"action": "add", "key": key, "words": "Smaller plates", "amount": "80"}
    assert desk.post(address, own | {"words": ""}).status_code == 422
    assert desk.post(address, own | {"amount": "-1"}).status_code == 422
    assert desk.post(address, own).status_code == 303
    (measure,) = sheet_of(scene).plans
    desk.post(
        address,
        {
            "action": "confirm",
            "key": measure,
            "amount": "120",
            "since": "9",
            "file": SimpleUploadedFile("bill.pdf", b"%PDF-1.7 bill"),
        },
    )
    assert "made things worse" in desk.get(address).content.decode()
    assert not ReductionMeasure.objects.exists()


# --- the public report --------------------------------------------------------------------------


def test_the_report_shows_the_closed_version_and_what_is_missing(desk, scene):
    add(desk, scene, note="private remark")
    scenes.submit(scene, actor_ref="test")
    scenes.approve(scene, actor_ref="test")
    guest = Client(headers={"accept-language": "en"})
    before = guest.get(f"/s/{scene.slug}/report").content.decode()
    assert "Electricity from the grid" not in before, "an open inventory is nobody's business"
    closed(desk, scene)
    Memory.forget_everything()
    page = guest.get(f"/s/{scene.slug}/report").content.decode()
    assert "Electricity from the grid" in page
    assert "1,000 kWh" in page
    assert "Version 1" in page
    assert "Still missing" in page
    assert not re.findall(r'<b class="num">0\W', page), "what nobody said is no zero"
    assert "private remark" not in page


@pytest.mark.parametrize(
    ("lang", "word"), [("zh-Hans", "不确定度"), ("en", "doubt"), ("nl", "onzekerheid")]
)
def test_a_range_says_its_doubt_and_is_no_plus_and_minus(desk, scene, lang, word):
    """Its ends are the total divided and multiplied: on the way to closing and on the report."""
    add(desk, scene)
    head = {"accept-language": lang}
    desk_pages = [
        desk.get(address, headers=head).content.decode()
        for address in (base(scene), f"{base(scene)}/close", f"{base(scene)}/travel")
    ]
    scenes.submit(scene, actor_ref="test")
    scenes.approve(scene, actor_ref="test")
    document = closed(desk, scene).document
    Memory.forget_everything()
    report = Client(headers=head).get(f"/s/{scene.slug}/report").content.decode()
    doubt = document["doubt_pct"].replace(".", "," if lang == "nl" else ".")
    said = f"({word} {doubt}%)"
    assert said in report
    assert said in desk_pages[1]
    assert not [page for page in (*desk_pages, report) if "±" in page]


def test_a_file_erased_between_two_versions_shows_nothing_in_the_next(desk, scene):
    bill = SimpleUploadedFile("bill.pdf", b"%PDF-1.7 bill")
    add(desk, scene, file=bill)
    first = closed(desk, scene)
    (line,) = first.document["lines"]
    digest = line["details"]["evidence"]
    assert first.document["unproven"] == []
    desk.post(f"{base(scene)}/files", {"action": "erase", "digest": digest})
    desk.post(base(scene), {"action": "next_version"})
    second = closed(desk, scene)
    assert second.document["unproven"] == ["e1"]
    assert queries.closed_inventory(scene).number == 2
    assert InventoryVersion.objects.get(number=1).document == first.document
