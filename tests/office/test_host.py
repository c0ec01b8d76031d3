"""The organiser's desk: from an empty list to an open scene, and who may do what."""

import pytest
from django.test import Client

from diandian.audit.models import AuditEntry
from diandian.kernel.memory import Memory
from diandian.scenes import actions as scenes
from diandian.scenes.models import Scene
from tests.office.host_world import client_of, draft, member, organisation, person, scene_form
from tests.web.world import open_scene

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh():
    """Pages remember a scene for two seconds."""
    Memory.forget_everything()


def test_a_stranger_is_sent_to_sign_in_and_back(desk):
    answer = Client().get("/host/new")
    assert answer.status_code == 302
    assert answer["Location"] == "/host/sign-in?next=%2Fhost%2Fnew"
    assert answer["Cache-Control"] == "no-store"


def test_an_empty_desk_shows_what_there_is_to_do(desk):
    open_scene("tianfu26")
    page = desk.get("/host").content.decode()
    assert "No scene yet" in page
    assert "/host/new" in page
    assert "/s/tianfu26" in page, "a sample to look at"


def test_the_first_scene_begins_with_the_organisation(desk, zhou):
    assert desk.get("/host/new")["Location"] == "/host/organisation"
    wrong = desk.post("/host/organisation", {"legal_name": "x", "country": "CN"})
    assert wrong.status_code == 422
    assert 'id="legal_name-error"' in wrong.content.decode()
    nowhere = desk.post("/host/organisation", {"legal_name": "Tianfu", "country": "XX"})
    assert 'id="country-error"' in nowhere.content.decode()
    made = desk.post("/host/organisation", {"legal_name": "Tianfu Society", "country": "CN"})
    assert made["Location"] == "/host/new"
    assert zhou.memberships.get().role == "owner"


def test_a_scene_goes_from_draft_to_open_and_everybody_who_acted_is_in_the_trail(
    desk, zhou, society
):
    scene = draft(desk, society)
    assert scene.slug == f"tianfu-low-carbon-{scene.starts_on.year}"
    assert (scene.state, scene.organisation_ref) == ("draft", society.ref)
    assert scene.host_names == {"en": "Tianfu Building Society"}
    assert scene.claim_style == "compensation", "as far as the country allows"
    assert Client().get(f"/s/{scene.slug}").status_code == 404
    desk.post(f"/host/{scene.slug}", {"action": "submit"})
    scene.refresh_from_db()
    assert scene.state == "submitted"
    assert desk.get(f"/host/{scene.slug}/edit").status_code == 303, "no longer to be changed"
    scenes.approve(scene, actor_ref="operator:He")
    assert Client().get(f"/s/{scene.slug}").status_code == 200
    desk.post(f"/host/{scene.slug}", {"action": "poster", "label": "entrance"})
    page = desk.get(f"/host/{scene.slug}").content.decode()
    assert f"/s/{scene.slug}/poster.pdf?c=p1&amp;lang=zh-Hans" in page
    refused = desk.post(f"/host/{scene.slug}", {"action": "close"})
    assert refused.status_code == 409
    desk.post(f"/host/{scene.slug}", {"action": "close", "meant": "1"})
    Memory.forget_everything()
    assert Client().get(f"/s/{scene.slug}").status_code == 404
    trail = AuditEntry.objects.filter(subject_ref=f"scene:{scene.id}")
    assert list(trail.values_list("actor_ref", "action")) == [
        (zhou.ref, "scene.opened"),
        (zhou.ref, "scene.submitted"),
        ("operator:He", "scene.published"),
        (zhou.ref, "scene.poster_added"),
        (zhou.ref, "scene.withdrawn"),
    ]


def test_a_scene_sent_back_says_why_and_can_be_corrected(desk, society):
    scene = draft(desk, society)
    scenes.submit(scene, actor_ref="test")
    scenes.send_back(scene, reason="Which hall is it?", actor_ref="operator:He")
    assert "Which hall is it?" in desk.get(f"/host/{scene.slug}").content.decode()
    form = scene_form(society, venue="Hall 5", slug="tianfu-hall-5")
    assert desk.post(f"/host/{scene.slug}/edit", form)["Location"] == "/host/tianfu-hall-5"
    scene.refresh_from_db()
    assert scene.venue_names == {"en": "Hall 5"}


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("names", {"name_en": ""}),
        ("venue", {"venue": ""}),
        ("starts_on", {"starts_on": "soon"}),
        ("starts_on", {"starts_on": "9999-01-01"}),
        ("starts_on", {"starts_on": "2022-12-31"}),
        ("ends_on", {"ends_on": "2023-01-01"}),
        ("place", {"place": ""}),
        ("place", {"place": "Nowhereville"}),
        ("expected_guests", {"expected_guests": "-5"}),
        ("expected_guests", {"expected_guests": "many"}),
        ("expected_guests", {"expected_guests": "9" * 30}),
        ("kind", {"kind": "wedding"}),
        ("kind", {"kind": "../../etc"}),
        ("travel_owner", {"travel_owner": "nobody"}),
        ("travel_organiser_pct", {"travel_owner": "split", "travel_organiser_pct": "100"}),
        ("slug", {"slug": "No Spaces"}),
        ("slug", {"slug": "new"}),
        ("slug", {"slug": "taken"}),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    desk, society, field, changes
):
    open_scene("taken")
    answer = desk.post("/host/new", scene_form(society, **changes))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="{field}-error"' in page
    assert f'href="#{field}"' in page, "the summary leads to it"
    assert 'value="Tianfu Low-Carbon Building Conference"' in page or field == "names"
    assert Scene.objects.count() == 1


def test_names_in_any_language_and_hostile_words_are_only_words(desk, society):
    mean = '"><script>alert(1)</script>'
    scene = draft(desk, society, name_en="", name_nl="Nederlandse dag", venue=mean)
    assert scene.names == {"nl": "Nederlandse dag"}
    for page in (
        f"/host/{scene.slug}",
        f"/host/{scene.slug}/edit",
        f"/s/{scene.slug}/test/{scene.test_token}",
    ):
        assert "<script>alert" not in desk.get(page).content.decode()


def test_a_namesake_is_asked_back_and_the_answer_counts(desk, society):
    asked = desk.post("/host/new", scene_form(society, place="Suzhou"))
    page = asked.content.decode()
    assert asked.status_code == 422
    key = page.split('name="place_meant" value="')[1].split('"')[0]
    form = scene_form(society, place="Suzhou") | {"place_asked": "Suzhou", "place_meant": key}
    assert desk.post("/host/new", form).status_code == 303
    assert Scene.objects.get().place_key == key


def test_the_preview_shows_what_is_typed_and_saves_nothing(desk, society):
    form = scene_form(society, name_en="A very new name", starts_on="soon")
    part = desk.post("/host/preview", form).content.decode()
    assert "A very new name" in part
    assert "<html" not in part
    page = desk.post("/host/new", form | {"action": "preview"})
    assert page.status_code == 200
    assert page.content.decode().count("A very new name") == 2, "in the field and on the phone"
    assert not Scene.objects.exists()


def test_the_test_link_works_at_once_and_says_not_open_yet(desk, society):
    scene = draft(desk, society)
    guest = Client(headers={"accept-language": "en"})
    page = guest.get(f"/s/{scene.slug}/test/{scene.test_token}")
    assert page.status_code == 200
    assert "Not open yet" in page.content.decode()
    assert f"/s/{scene.slug}/go" not in page.content.decode()
    assert page["X-Robots-Tag"] == "noindex"
    assert guest.get(f"/s/{scene.slug}/test/guess").status_code == 404
    assert guest.get(f"/s/{scene.slug}/go").status_code == 404
    scenes.submit(scene, actor_ref="test")
    scenes.approve(scene, actor_ref="test")
    assert guest.get(f"/s/{scene.slug}/test/{scene.test_token}").status_code == 404


def test_scenes_of_others_do_not_exist(desk, society):
    scene = draft(desk, society)
    stranger = client_of(person("tang@example.org"))
    operators_own = open_scene("tianfu26")
    other = organisation(person("tang@example.org"))
    for slug in (scene.slug, operators_own.slug, "nowhere"):
        for path in (f"/host/{slug}", f"/host/{slug}/edit", f"/host/{slug}/cover"):
            assert stranger.get(path).status_code == 404
            assert stranger.post(path, {"action": "submit"} | scene_form(other)).status_code == 404
    assert stranger.get(f"/host/organisation/{society.id}").status_code == 404
    assert scene.slug not in stranger.get("/host").content.decode()
    taken = stranger.post("/host/new", scene_form(society))
    assert taken.status_code == 404, "nobody opens a scene in another's name"
    scene.refresh_from_db()
    assert scene.state == "draft"


def test_a_viewer_looks_and_changes_nothing(desk, zhou, society):
    scene = draft(desk, society)
    looks = client_of(member(zhou, society, "he@example.org", "viewer"))
    page = looks.get(f"/host/{scene.slug}")
    assert page.status_code == 200
    assert 'value="submit"' not in page.content.decode()
    assert looks.post(f"/host/{scene.slug}", {"action": "submit"}).status_code == 403
    assert looks.get(f"/host/{scene.slug}/edit").status_code == 403
    assert looks.post(f"/host/{scene.slug}/edit", scene_form(society)).status_code == 403
    assert looks.get("/host/new")["Location"] == "/host/organisation"
    people = f"/host/organisation/{society.id}"
    for act in (
        {"action": "describe", "legal_name": "Mine now", "country": "CN"},
        {"action": "member", "email": "he@example.org", "role": "owner"},
        {"action": "remove", "member": str(society.memberships.first().id)},
    ):
        assert looks.post(people, act).status_code == 403
    society.refresh_from_db()
    scene.refresh_from_db()
    assert (society.legal_name, scene.state) == ("Tianfu Building Society", "draft")
    assert society.memberships.get(person__email="he@example.org").role == "viewer"


def test_an_editor_writes_scenes_and_decides_about_nobody(desk, zhou, society):
    edits = client_of(member(zhou, society, "he@example.org", "editor"))
    scene = draft(edits, society)
    assert edits.post(f"/host/{scene.slug}", {"action": "submit"}).status_code == 303
    add = {"action": "member", "email": "x@example.org", "role": "viewer"}
    assert edits.post(f"/host/organisation/{society.id}", add).status_code == 403


def test_a_role_that_was_taken_away_ends_at_once(desk, zhou, society):
    who = member(zhou, society, "he@example.org", "editor")
    edits = client_of(who)
    assert edits.get("/host/new").status_code == 200
    remove = {"action": "remove", "member": str(society.memberships.get(person=who).id)}
    desk.post(f"/host/organisation/{society.id}", remove)
    assert edits.get(f"/host/organisation/{society.id}").status_code == 404


def test_the_last_owner_stays(desk, zhou, society):
    people = f"/host/organisation/{society.id}"
    mine = str(society.memberships.get().id)
    refused = desk.post(people, {"action": "remove", "member": mine})
    assert refused.status_code == 422
    lower = desk.post(people, {"action": "member", "email": zhou.email, "role": "viewer"})
    assert lower.status_code == 422
    assert society.memberships.get().role == "owner"


def test_adding_a_known_and_an_unknown_address_looks_the_same(desk, society):
    person("known@example.org")
    people = f"/host/organisation/{society.id}"
    answers = [
        desk.post(people, {"action": "member", "email": email, "role": "viewer"})
        for email in ("known@example.org", "unknown@example.org")
    ]
    assert len({(answer.status_code, answer["Location"]) for answer in answers}) == 1


def test_desk_forms_need_their_token(zhou, society):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client_of(zhou).cookies
    answer = strict.post("/host/new", scene_form(society))
    assert answer.status_code == 403
    assert not Scene.objects.exists()
    strict.get("/host/new")
    token = strict.cookies["csrftoken"].value
    kept = strict.post("/host/new", scene_form(society) | {"csrfmiddlewaretoken": token})
    assert kept.status_code == 303


def test_guests_get_no_session_and_no_cookie(desk, society):
    open_scene("tianfu26")
    for path in ("/", "/s/tianfu26", "/hostel", "/s/tianfu26/go"):
        answer = desk.get(path)
        assert not answer.cookies
        assert not hasattr(answer.wsgi_request, "session")
