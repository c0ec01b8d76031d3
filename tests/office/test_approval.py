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


def test_the_desk_shows_no_test_link(scene):
    page = operator(superuser=True).get(f"{LIST}{scene.id}/change/")
    assert page.status_code == 200
    assert scene.test_token not in page.content.decode()
