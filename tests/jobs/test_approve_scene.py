"""The operator lets guests in, or says what should change; nothing happens by looking."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from diandian.audit.models import AuditEntry
from diandian.scenes import actions
from tests.office.host_world import client_of, draft, organisation, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(db):
    zhou = person("zhou@example.org")
    return draft(client_of(zhou), organisation(zhou))


def run(*words):
    out = StringIO()
    call_command("approve_scene", *words, stdout=out)
    return out.getvalue()


def test_looking_lists_and_shows_and_changes_nothing(scene):
    assert "No scene waits" in run()
    actions.submit(scene, actor_ref="test")
    assert scene.slug in run()
    shown = run(scene.slug, "--as", "He")
    assert "Tianfu Building Society" in shown
    assert "Nothing was changed" in shown
    scene.refresh_from_db()
    assert scene.state == "submitted"


def test_approving_opens_the_scene_and_names_who_did_it(scene):
    actions.submit(scene, actor_ref="test")
    assert "Open to guests" in run(scene.slug, "--as", "He", "--yes", "--stricter")
    scene.refresh_from_db()
    assert (scene.state, scene.claim_style) == ("published", "contribution")
    entry = AuditEntry.objects.get(action="scene.published")
    assert (entry.actor_ref, entry.subject_ref) == ("operator:He", f"scene:{scene.id}")


def test_returning_tells_the_host_why(scene):
    actions.submit(scene, actor_ref="test")
    run(scene.slug, "--as", "He", "--return", "Which hall?", "--yes")
    scene.refresh_from_db()
    assert (scene.state, scene.returned_because) == ("draft", "Which hall?")


def test_what_was_not_submitted_or_has_no_decider_is_refused(scene):
    with pytest.raises(CommandError, match="draft"):
        run(scene.slug, "--as", "He", "--yes")
    with pytest.raises(CommandError, match="no scene by that name"):
        run("nowhere")
    actions.submit(scene, actor_ref="test")
    with pytest.raises(CommandError, match="who decides"):
        run(scene.slug, "--yes")
    scene.refresh_from_db()
    assert scene.state == "submitted"


def test_an_organisers_scene_is_never_published_past_the_operator(scene):
    with pytest.raises(actions.SceneStateError):
        actions.publish(scene, actor_ref="test")
