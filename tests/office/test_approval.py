"""Approving a scene at the operator's desk: only waiting ones, only by who may, and it is kept."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from diandian.audit.models import AuditEntry
from diandian.scenes import actions
from tests.office.host_world import client_of, draft, organisation, person

pytestmark = pytest.mark.django_db
LIST = "/admin/scenes/scene/"


@pytest.fixture
def scene(db):
    zhou = person("zhou@example.org")
    return draft(client_of(zhou), organisation(zhou))


def operator(*permissions, superuser=False):
    users = get_user_model().objects
    make = users.create_superuser if superuser else users.create_user
    user = make("he", "he@example.invalid", "a long enough password")
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def approve(client, scene):
    form = {"action": "approve", "_selected_action": [str(scene.id)]}
    return client.post(LIST, form, follow=True)


def test_an_operator_lets_guests_in(scene):
    actions.submit(scene, actor_ref="test")
    page = approve(operator(superuser=True), scene)
    assert "Open to guests" in page.content.decode()
    scene.refresh_from_db()
    assert scene.state == "published"
    assert AuditEntry.objects.get(action="scene.published").actor_ref == "operator:he"


def test_a_draft_is_not_approved(scene):
    page = approve(operator(superuser=True), scene)
    assert "Nothing was changed" in page.content.decode()
    scene.refresh_from_db()
    assert scene.state == "draft"


def test_who_may_only_look_approves_nothing(scene):
    actions.submit(scene, actor_ref="test")
    looks = operator("view_scene")
    assert looks.get(LIST).status_code == 200
    approve(looks, scene)
    scene.refresh_from_db()
    assert scene.state == "submitted"


QUESTIONS = {
    "keep.stay": "1",
    "questions.0.activity": "coach",
    "questions.0.name_en": "Kilometres by our shuttle?",
    "questions.0.name_zh": "乘坐接驳车多少公里?",
    "questions.0.unit": "km",
    "questions.0.default": "12",
    "questions.0.maximum": "200",
}


@pytest.fixture
def asking(db):
    """A scene whose host composed a question, and asks for approval."""
    zhou = person("zhou@example.org")
    desk = client_of(zhou)
    found = draft(desk, organisation(zhou), kind="other")
    assert desk.post(f"/host/{found.slug}/questions", QUESTIONS).status_code == 303
    actions.submit(found, actor_ref="test")
    return found


def page_of(client, scene):
    return client.get(f"{LIST}{scene.id}/change/").content.decode()


def decide(client, scene, **form):
    page = page_of(client, scene)
    seen = page.partition('name="seen" value="')[2].partition('"')[0]
    sent = {"action": "approve", "seen": seen} | form
    return client.post(f"{LIST}{scene.id}/decide/", sent, follow=True).content.decode()


def test_the_page_that_approves_shows_what_guests_are_asked(asking):
    page = page_of(operator(superuser=True), asking)
    asked = ("Kilometres by our shuttle?", "乘坐接驳车多少公里?")
    for text in (*asked, "counts as 12", "at most 200"):
        assert text in page
    assert "transport.road.coach" in page, "the factor by name"
    assert "0.0317" in page, "and by value"
    assert "Asked as well: Nights." in page


def test_composed_questions_are_not_approved_from_the_list(asking):
    desk = operator(superuser=True)
    assert "Please open the scene" in approve(desk, asking).content.decode()
    asking.refresh_from_db()
    assert asking.state == "submitted"
    assert "Open to guests" in decide(desk, asking)
    asking.refresh_from_db()
    assert asking.state == "published"


def test_what_changed_after_it_was_read_is_not_approved(asking):
    desk = operator(superuser=True)
    seen = page_of(desk, asking).partition('name="seen" value="')[2].partition('"')[0]
    actions.take_back(asking, actor_ref="test")
    asking.composed["questions"][0]["default"] = "90"
    actions.compose_questions(asking, asking.composed, actor_ref="test")
    actions.submit(asking, actor_ref="test")
    for stale in (seen, ""):
        assert "was changed after you opened" in decide(desk, asking, seen=stale)
        asking.refresh_from_db()
        assert asking.state == "submitted"


def test_a_scene_is_returned_with_a_reason(scene):
    actions.submit(scene, actor_ref="test")
    desk = operator(superuser=True)
    assert "A reason of 1 to 300" in decide(desk, scene, action="return", reason=" ")
    assert "Returned to its host" in decide(desk, scene, action="return", reason="Which hall?")
    scene.refresh_from_db()
    assert (scene.state, scene.returned_because) == ("draft", "Which hall?")


def test_words_can_be_made_stricter_on_the_page(scene):
    actions.submit(scene, actor_ref="test")
    decide(operator(superuser=True), scene, stricter="1")
    scene.refresh_from_db()
    assert (scene.state, scene.claim_style) == ("published", "contribution")


def test_who_may_only_look_decides_nothing(asking):
    looks = operator("view_scene")
    page = page_of(looks, asking)
    assert "Kilometres by our shuttle?" in page
    assert 'name="seen"' not in page
    assert looks.post(f"{LIST}{asking.id}/decide/", {"action": "approve"}).status_code == 403


def test_the_desk_shows_no_test_link(scene):
    page = operator(superuser=True).get(f"{LIST}{scene.id}/change/")
    assert page.status_code == 200
    assert scene.test_token not in page.content.decode()
