"""Correcting an open scene: the host proposes, the operator decides, the old version stays."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from diandian.emissions import geo
from diandian.footprints import inventory
from diandian.footprints.models import Footprint
from diandian.footprints.worksheet import Worksheet
from diandian.kernel.memory import Memory
from diandian.scenes import actions, queries
from diandian.scenes.models import Scene, SceneVersion
from tests.office.host_world import client_of, draft, member, person, scene_form
from tests.office.test_approval import LIST, operator, page_of
from tests.web.public_world import take_part

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh():
    Memory.forget_everything()


@pytest.fixture
def scene(desk, society):
    found = draft(desk, society)
    actions.submit(found, actor_ref="test")
    return actions.approve(found, actor_ref="test")


def propose(desk, society, scene, **changes):
    form = scene_form(society) | {"note": "It was wrong", "action": "propose"} | changes
    return desk.post(f"/host/{scene.slug}/correct", form)


def seen(page):
    return page.partition('name="seen" value="')[2].partition('"')[0]


def decide(client, scene, **form):
    page = page_of(client, scene)
    waiting = queries.waiting_correction(scene)
    sent = {"action": "approve", "seen": seen(page), "correction": waiting.id} | form
    return client.post(f"{LIST}{scene.id}/decide/", sent, follow=True).content.decode()


def guest(path):
    return Client(headers={"accept-language": "en"}).get(path).content.decode()


def test_nothing_changes_before_the_operator_approves(desk, society, scene):
    assert propose(desk, society, scene, venue="Hall 5").status_code == 303
    page = desk.get(f"/host/{scene.slug}/correct").content.decode()
    assert "<del" in page
    assert "Hall 5" in page
    assert "Hall 5" not in guest(f"/s/{scene.slug}")
    assert "never corrected" in guest(f"/s/{scene.slug}/versions")
    scene.refresh_from_db()
    assert scene.version == 1


def test_the_operators_list_says_what_waits(desk, society, scene):
    operators = operator(superuser=True)
    assert "Waiting for you" not in operators.get(LIST).content.decode()
    propose(desk, society, scene, venue="Hall 5")
    page = operators.get(LIST).content.decode()
    assert "Corrections to decide:" in page
    assert f'/admin/scenes/scene/{scene.id}/change/">{scene.slug}' in page


def test_an_approved_correction_is_in_force_and_the_old_version_stays_readable(
    desk, society, scene
):
    propose(desk, society, scene, venue="Hall 5", name_en="Tianfu Building Week")
    operators = operator(superuser=True)
    page = page_of(operators, scene)
    assert "Jinshui Centre, Hall 3" in page
    assert "It was wrong" in page
    assert "in force" in decide(operators, scene)
    Memory.forget_everything()
    assert "Hall 5" in guest(f"/s/{scene.slug}")
    versions = guest(f"/s/{scene.slug}/versions")
    assert "Version 2" in versions
    assert "Jinshui Centre, Hall 3" in versions
    assert "Tianfu Low-Carbon Building Conference" in versions
    assert queries.search("building week")[0].slug == scene.slug
    scene.refresh_from_db()
    assert (scene.version, scene.slug, scene.kind) == (2, "tianfu-low-carbon-2026", "conference")


def test_a_refused_correction_changes_nothing_and_says_why(desk, society, scene):
    propose(desk, society, scene, venue="Hall 5")
    assert "refused" in decide(operator(superuser=True), scene, action="return", reason="Which?")
    page = desk.get(f"/host/{scene.slug}/correct").content.decode()
    assert "Which?" in page
    assert Scene.objects.get(id=scene.id).version == 1


def test_its_host_takes_a_correction_back(desk, society, scene):
    propose(desk, society, scene, venue="Hall 5")
    form = {"action": "take_back", "proposal": queries.waiting_correction(scene).id}
    desk.post(f"/host/{scene.slug}/correct", form)
    assert queries.waiting_correction(scene) is None
    assert propose(desk, society, scene, venue="Hall 7").status_code == 303


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "nothing to correct"),
        ({"venue": "Hall 5", "note": ""}, "why the scene is corrected"),
        ({"venue": "Hall 5", "note": "x" * 301}, "why the scene is corrected"),
        ({"ends_on": "2023-01-01"}, "ends before it starts"),
        ({"place": "Nowhere at all"}, 'id="place-error"'),
    ],
)
def test_what_cannot_be_proposed_is_refused(desk, society, scene, changes, says):
    answer = propose(desk, society, scene, **changes)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert SceneVersion.objects.count() == 0


def test_a_second_correction_waits_for_the_first(desk, society, scene):
    propose(desk, society, scene, venue="Hall 5")
    answer = propose(desk, society, scene, venue="Hall 6")
    assert answer.status_code == 422
    assert "waits for the operator already" in answer.content.decode()
    assert SceneVersion.objects.get().facts["venue_names"] == {"en": "Hall 5"}


def test_kind_and_address_are_not_corrected(desk, society, scene):
    propose(desk, society, scene, venue="Hall 5", kind="hotel", slug="elsewhere")
    decide(operator(superuser=True), scene)
    scene.refresh_from_db()
    assert (scene.kind, scene.slug) == ("conference", "tianfu-low-carbon-2026")


def test_words_never_become_looser(desk, society, scene):
    Scene.objects.update(claim_style="contribution")
    propose(desk, society, scene, venue="Hall 5")
    decide(operator(superuser=True), scene)
    assert Scene.objects.get(id=scene.id).claim_style == "contribution"


def test_another_correction_than_the_one_read_is_not_approved(desk, society, scene):
    propose(desk, society, scene, venue="Hall 5")
    operators = operator(superuser=True)
    stale = seen(page_of(operators, scene))
    waiting = queries.waiting_correction(scene)
    desk.post(f"/host/{scene.slug}/correct", {"action": "take_back", "proposal": waiting.id})
    propose(desk, society, scene, venue="Hall 6")
    assert "was changed after you opened" in decide(operators, scene, seen=stale)
    assert "no longer waiting" in decide(operators, scene, correction=waiting.id)
    assert Scene.objects.get(id=scene.id).version == 1


def test_a_place_without_factors_for_the_hosts_questions_is_refused(desk, society):
    found = draft(desk, society, kind="other")
    asked = {"activity": "flight_china", "labels": {"en": "By air?"}, "default": "1"}
    actions.compose_questions(found, {"keep": [], "questions": [asked]}, actor_ref="test")
    actions.submit(found, actor_ref="test")
    actions.approve(found, actor_ref="test")
    answer = propose(desk, society, found, place="Amsterdam", kind="other")
    assert answer.status_code == 422
    assert "no factors at that place" in answer.content.decode()


def test_estimates_keep_the_version_and_the_owner_they_were_made_under(desk, society, scene):
    before = take_part(scene)
    propose(desk, society, scene, travel_owner="organiser")
    decide(operator(superuser=True), scene)
    after = take_part(Scene.objects.get(id=scene.id))
    kept = Footprint.objects.get(id=before.id)
    made = [(each.scene_version, each.organiser_pct) for each in (kept, after)]
    assert made == [(1, 0), (2, 100)]
    assert "was corrected since" in guest(f"/s/{scene.slug}/go/{before.token}")
    assert "was corrected since" not in guest(f"/s/{scene.slug}/go/{after.token}")
    scene.refresh_from_db()
    found = inventory.computed(scene, Worksheet(), fresh=True).inventory
    assert sum(line.mass_g for line in found.own.lines) == after.host_g
    travel = ("travel", "stay", "local")
    mine = sum(line["mass_g"] for line in kept.estimate["lines"] if line["category"] in travel)
    assert sum(line.mass_g for line in found.guests.lines) == mine


def test_travel_that_was_the_organisers_stays_in_the_inventory(desk, society, scene):
    Scene.objects.update(travel_owner="organiser")
    mine = take_part(Scene.objects.get(id=scene.id))
    scene.refresh_from_db()
    propose(desk, society, scene, travel_owner="guest")
    decide(operator(superuser=True), scene)
    scene.refresh_from_db()
    assert "attendee_travel" in {source.category for source in inventory.sources_of(scene)}
    found = inventory.computed(scene, Worksheet(), fresh=True).inventory
    assert sum(line.mass_g for line in found.own.lines) == mine.host_g > 0


def test_a_version_that_was_in_force_never_changes(desk, society, scene):
    propose(desk, society, scene, venue="Hall 5")
    decide(operator(superuser=True), scene)
    assert list(SceneVersion.objects.values_list("number", flat=True)) == [2, 1]
    for row in SceneVersion.objects.all():
        with pytest.raises(IntegrityError), transaction.atomic():
            SceneVersion.objects.filter(id=row.id).update(note="other")
        with pytest.raises(IntegrityError), transaction.atomic():
            SceneVersion.objects.filter(id=row.id).delete()


def test_another_city_brings_its_own_coordinates(desk, society, scene):
    propose(desk, society, scene, place="Beijing")
    decide(operator(superuser=True), scene)
    scene.refresh_from_db()
    city = geo.resolve_place("Beijing")
    assert (scene.place_key, scene.region) == (city.key, city.region)
    assert scene.latitude == city.latitude


def test_only_its_own_people_who_may_write_correct_it(desk, zhou, society, scene):
    looks = client_of(member(zhou, society, "he@example.org", "viewer"))
    assert propose(looks, society, scene, venue="Hall 5").status_code == 403
    stranger = client_of(person("tang@example.org"))
    assert stranger.get(f"/host/{scene.slug}/correct").status_code == 404
    assert SceneVersion.objects.count() == 0
