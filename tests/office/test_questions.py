"""Questions that a host composes: checked, asked of guests, computed, replayed."""

from urllib.parse import urlsplit

import pytest
from django.test import Client

from diandian.emissions.replay import replay
from diandian.footprints.models import Footprint
from diandian.kernel.memory import Memory
from diandian.scenes import actions as scenes
from diandian.scenes.models import Scene
from tests.office.host_world import client_of, draft, member, person

pytestmark = pytest.mark.django_db
FORM = {
    "keep.stay": "1",
    "questions.0.activity": "coach",
    "questions.0.name_en": "Kilometres by our shuttle?",
    "questions.0.name_zh": "乘坐接驳车多少公里?",
    "questions.0.unit": "km",
    "questions.0.default": "12",
    "questions.0.maximum": "200",
}


@pytest.fixture(autouse=True)
def fresh(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    Memory.forget_everything()


@pytest.fixture
def scene(desk, society):
    return draft(desk, society, kind="other")


def guest(language="en"):
    return Client(headers={"accept-language": language})


def opened(scene):
    scenes.submit(scene, actor_ref="test")
    return scenes.approve(scene, actor_ref="test")


def test_composed_questions_are_asked_computed_and_replayed(desk, scene):
    assert desk.get(f"/host/{scene.slug}/questions").status_code == 200
    assert desk.post(f"/host/{scene.slug}/questions", FORM).status_code == 303
    opened(scene)
    assert "Kilometres by our shuttle?" in guest().get(f"/s/{scene.slug}/go").content.decode()
    chinese = guest("zh-CN").get(f"/s/{scene.slug}/go").content.decode()
    assert "乘坐接驳车多少公里?" in chinese
    assert "Kilometres by our shuttle?" not in chinese
    answers = {"own0": "30", "nights": "0", "stay": "mid"}
    sent = guest().post(f"/s/{scene.slug}/go", answers)
    assert sent.status_code == 303, sent.content.decode()
    assert guest().get(urlsplit(sent["Location"]).path).status_code == 200
    footprint = Footprint.objects.get()
    assert footprint.mass_g == 951 + 197  # 30 km x (0.0317 + 0.00656) kg
    assert replay(footprint.estimate).same


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"questions.0.activity": "nonsense"}, "questions.0.activity"),
        ({"questions.0.activity": "electricity"}, "questions.0.activity"),
        ({"questions.0.unit": "kg"}, "questions.0.unit"),
        ({"questions.0.default": ""}, "questions.0.default"),
        ({"questions.0.default": "-1"}, "questions.0.default"),
        ({"questions.0.default": "500"}, "questions.0.default"),
        ({"questions.0.maximum": "0"}, "questions.0.maximum"),
        ({"questions.0.name_en": "", "questions.0.name_zh": ""}, "questions.0.labels"),
        ({"questions.0.name_en": "x" * 121}, "questions.0.labels"),
        (
            {"questions.0.activity": "", "questions.0.name_en": "", "questions.0.name_zh": ""},
            "keep",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused_beside_its_field(desk, scene, changes, field):
    answer = desk.post(f"/host/{scene.slug}/questions", FORM | changes)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert field == "keep" or f'id="{field}-error"' in page
    assert "questions can be composed" in page or field != "keep"
    assert Scene.objects.get(id=scene.id).composed == {}


def test_what_the_operator_approved_is_not_changed(desk, scene):
    opened(scene)
    assert desk.post(f"/host/{scene.slug}/questions", FORM).status_code == 422
    assert Scene.objects.get(id=scene.id).composed == {}


def test_another_place_or_kind_drops_them(desk, scene, society):
    from tests.office.host_world import scene_form

    desk.post(f"/host/{scene.slug}/questions", FORM)
    moved = scene_form(society, kind="other", place="Amsterdam", slug=scene.slug)
    assert desk.post(f"/host/{scene.slug}/edit", moved).status_code == 303
    assert Scene.objects.get(id=scene.id).composed == {}


def test_only_the_kind_other_and_its_own_people_compose(desk, zhou, society, scene):
    conference = draft(desk, society, slug="a-conference")
    assert desk.get(f"/host/{conference.slug}/questions").status_code == 404
    looks = client_of(member(zhou, society, "he@example.org", "viewer"))
    assert looks.post(f"/host/{scene.slug}/questions", FORM).status_code == 403
    stranger = client_of(person("tang@example.org"))
    assert stranger.get(f"/host/{scene.slug}/questions").status_code == 404


def test_the_usual_questions_come_back(desk, scene):
    desk.post(f"/host/{scene.slug}/questions", FORM)
    desk.post(f"/host/{scene.slug}/questions", {"action": "clear"})
    assert Scene.objects.get(id=scene.id).composed == {}
