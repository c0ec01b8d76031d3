"""The operator lets guests in, or says what should change; nothing happens by looking."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from diandian.audit.models import AuditEntry
from diandian.kernel.clock import now
from diandian.scenes import actions
from diandian.scenes.actions import NewScene
from diandian.scenes.corrections import actions as corrections
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


def test_composed_questions_are_shown_with_their_factors(scene):
    question = {"activity": "coach", "labels": {"en": "By shuttle?"}, "default": "12"}
    scene.kind = "other"
    scene.save()
    actions.compose_questions(scene, {"keep": ["stay"], "questions": [question]}, actor_ref="test")
    actions.submit(scene, actor_ref="test")
    shown = run(scene.slug)
    for text in ("By shuttle?", "counts as 12", "transport.road.coach", "0.0317", "Nights"):
        assert text in shown


def test_a_correction_is_shown_approved_and_refused(scene):
    actions.submit(scene, actor_ref="test")
    actions.approve(scene, actor_ref="test")
    facts = NewScene(
        slug=scene.slug,
        kind=scene.kind,
        names={"en": "Another name"},
        host_names=scene.host_names,
        venue_names=scene.venue_names,
        place_key=scene.place_key,
        starts_on=scene.starts_on,
        ends_on=scene.ends_on,
    )
    corrections.propose(scene, facts, note="Misspelt", actor_ref="person:1", at=now())
    assert f"{scene.slug}\tcorrection\tMisspelt" in run()
    assert "-> Another name" in run(scene.slug)
    assert "was refused" in run(scene.slug, "--as", "He", "--return", "It was right", "--yes")
    corrections.propose(scene, facts, note="Misspelt", actor_ref="person:1", at=now())
    assert "in force" in run(scene.slug, "--as", "He", "--yes")
    scene.refresh_from_db()
    assert (scene.names, scene.version) == ({"en": "Another name"}, 2)


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
