"""A conference in a hotel: what both count is sold once, by whichever opened first."""

from datetime import timedelta

import pytest

from diandian.emissions import geo
from diandian.flows import cover, inside, invariants
from diandian.flows import inventory as inventories
from diandian.footprints.errors import (
    AlreadyClaimedError,
    CountedTwiceError,
    NotCountedThereError,
    OuterSceneError,
)
from diandian.footprints.models import SiteClaim
from diandian.kernel.clock import now
from diandian.orders.errors import CoverChangedError, NothingLeftError
from diandian.people import queries as people
from diandian.people.errors import NotAllowedError
from diandian.scenes import actions as scenes
from diandian.scenes.corrections import actions as corrections
from diandian.scenes.errors import CorrectionApartError, SceneChoiceError
from diandian.scenes.models import Scene
from tests.flows.conftest import make_project
from tests.flows.covers import close, place
from tests.office.host_world import client_of, draft, member, organisation, person

pytestmark = pytest.mark.django_db
POWER_G, MEALS_G, HOTEL_POWER_G = 40_000, 20_000, 900_000


def sourced(**grams):
    lines = [
        {
            "key": f"{source}.1",
            "owner": "organiser",
            "mass_g": mass_g,
            "claimable": True,
            "details": {"source": source},
        }
        for source, mass_g in grams.items()
    ]
    total_g = sum(grams.values())
    return {"mass_g": total_g, "high_g": total_g * 13 // 10, "lines": lines}


@pytest.fixture
def zhou(db):
    return person("zhou@example.org")


@pytest.fixture
def society(zhou):
    return organisation(zhou)


@pytest.fixture
def visitor(zhou, society):
    return people.visitor(zhou)


@pytest.fixture(autouse=True)
def project(world):
    yield make_project("sample-wind", tonnes=20)
    assert invariants.check() == []


def published(zhou, society, **changes):
    found = draft(client_of(zhou), society, **changes)
    scenes.submit(found, actor_ref="test")
    return scenes.approve(found, actor_ref="test")


@pytest.fixture
def hotel(zhou, society, world):
    found = published(zhou, society, kind="hotel", slug="hotel", ends_on="")
    close(found, sourced(electricity=HOTEL_POWER_G, water=5_000), world)
    return found


@pytest.fixture
def conference(hotel, zhou, society, world):
    found = published(zhou, society, slug="conference")
    close(found, sourced(electricity=POWER_G, catering=MEALS_G), world)
    return found


def covering(scene, world):
    return cover.open_cover_quote(
        Scene.objects.get(id=scene.id),
        organisation_ref=scene.organisation_ref,
        project_code="sample-wind",
        at=world.now,
    )


def left_g(scene):
    return cover.residual_of(Scene.objects.get(id=scene.id)).residual_g


def test_a_reference_is_shown_and_not_for_sale(visitor, hotel, conference, world):
    assert left_g(conference) == POWER_G + MEALS_G
    inside.place_inside(visitor, conference, "hotel", ["electricity"])
    assert left_g(conference) == MEALS_G
    assert left_g(hotel) == HOTEL_POWER_G + 5_000, "the hotel owns its energy whole"
    fresh = Scene.objects.get(id=conference.id)
    assert inside.references_of(fresh) == [("Electricity", POWER_G)]
    order = place(covering(conference, world), world)
    assert world.pay(order) == "completed"
    assert set(SiteClaim.objects.values_list("line_key", flat=True)) == {"catering.1"}
    with pytest.raises(NothingLeftError):
        covering(conference, world)


def test_a_price_from_before_is_not_ordered(visitor, hotel, conference, world):
    quote = covering(conference, world)
    inside.place_inside(visitor, conference, "hotel", ["electricity"])
    with pytest.raises(CoverChangedError):
        place(quote, world)
    assert SiteClaim.objects.count() == 0


def test_what_the_whole_house_counts_must_be_a_reference(visitor, hotel, conference, world):
    close(hotel, sourced(electricity=HOTEL_POWER_G, catering=7_000), world)
    quote = covering(conference, world)
    inside.place_inside(visitor, conference, "hotel", ["catering"])
    with pytest.raises(CountedTwiceError, match="Electricity"):
        covering(conference, world)
    with pytest.raises(CountedTwiceError, match="hotel"):
        place(quote, world)
    inside.place_inside(visitor, conference, "hotel", ["catering", "electricity"])
    with pytest.raises(NothingLeftError):
        covering(conference, world)


def test_an_inventory_that_counts_it_twice_is_not_closed(visitor, hotel, conference, world):
    inside.place_inside(visitor, conference, "hotel", ["electricity"])
    fresh = Scene.objects.get(id=conference.id)
    inside.refuse_counted_twice(fresh, {"electricity": 5, "catering": 5, "heat": 5})
    with pytest.raises(CountedTwiceError, match="Water"):
        inside.refuse_counted_twice(fresh, {"water": 5})


def test_closing_asks_that_question(visitor, hotel, conference, monkeypatch):
    asked = []
    monkeypatch.setattr(inside, "refuse_counted_twice", lambda *given: asked.append(given))
    opened = inventories.begin_next_version(visitor, conference)
    inventories.undeclare(visitor, conference, "waste")
    since = inventories.standing_of(visitor, conference).sheet.revision
    declared = inventories.Declared("waste", "zero", "None of it came up.")
    inventories.declare(visitor, conference, declared, since=since)
    since = inventories.standing_of(visitor, conference).sheet.revision
    inventories.close_version(visitor, conference, since=since)
    assert asked
    assert asked[0][0].id == conference.id
    assert opened.number == 2


def test_what_was_paid_for_stays_where_it_is(visitor, hotel, conference, world):
    world.pay(place(covering(conference, world), world))
    with pytest.raises(AlreadyClaimedError, match="Electricity"):
        inside.place_inside(visitor, conference, "hotel", ["electricity"])
    assert Scene.objects.get(id=conference.id).inside is None


def test_a_reference_is_kept_once_the_house_was_paid_for(visitor, hotel, conference, world):
    inside.place_inside(visitor, conference, "hotel", ["electricity"])
    world.pay(place(covering(hotel, world), world))
    with pytest.raises(AlreadyClaimedError):
        inside.place_inside(visitor, conference, "", [])
    assert left_g(conference) == MEALS_G


def test_it_can_be_taken_back_while_nothing_was_paid(visitor, hotel, conference):
    inside.place_inside(visitor, conference, "hotel", ["electricity"])
    fresh = Scene.objects.get(id=conference.id)
    inside.place_inside(visitor, fresh, "", [])
    assert left_g(conference) == POWER_G + MEALS_G


@pytest.mark.parametrize("sources", [["heat"], ["electricity", "catering"]])
def test_a_reference_leads_to_something(visitor, hotel, conference, sources):
    with pytest.raises(NotCountedThereError):
        inside.place_inside(visitor, conference, "hotel", sources)


@pytest.mark.parametrize("sources", [[], ["attendee_travel"], ["nonsense"]])
def test_only_sources_of_the_site_lie_elsewhere(visitor, hotel, conference, sources):
    with pytest.raises(SceneChoiceError):
        inside.place_inside(visitor, conference, "hotel", sources)


@pytest.mark.parametrize(
    ("slug", "why"), [("nowhere", "unknown"), ("conference", "same"), ("-", "unknown")]
)
def test_a_scene_that_is_none_is_refused(visitor, hotel, conference, slug, why):
    with pytest.raises(OuterSceneError) as refused:
        inside.place_inside(visitor, conference, slug, ["electricity"])
    assert refused.value.params["why"] == inside.WHY[why]


def test_whichever_opened_first_owns_it(visitor, hotel, conference):
    with pytest.raises(OuterSceneError) as refused:
        inside.place_inside(visitor, hotel, "conference", ["electricity"])
    assert refused.value.params["why"] == inside.WHY["later"]


@pytest.mark.parametrize(
    "changes",
    [
        {"place_key": "extra:elsewhere"},
        {"starts_on": now().date() + timedelta(days=90)},
    ],
)
def test_another_city_or_other_days_are_apart(visitor, hotel, conference, changes):
    Scene.objects.filter(id=hotel.id).update(**changes)
    with pytest.raises(OuterSceneError) as refused:
        inside.place_inside(visitor, conference, "hotel", ["electricity"])
    assert refused.value.params["why"] == inside.WHY["apart"]


def test_houses_are_not_nested(visitor, hotel, conference, zhou, society, world):
    inside.place_inside(visitor, conference, "hotel", ["electricity"])
    dinner = published(zhou, society, slug="dinner")
    with pytest.raises(OuterSceneError) as refused:
        inside.place_inside(visitor, dinner, "conference", ["catering"])
    assert refused.value.params["why"] == inside.WHY["nested"]


@pytest.mark.parametrize("slug", ["conference", "hotel"])
@pytest.mark.parametrize("moved", ["place", "days"])
def test_a_correction_does_not_part_them(visitor, hotel, conference, world, slug, moved):
    inside.place_inside(visitor, conference, "hotel", ["electricity"])
    scene = Scene.objects.get(slug=slug)
    day = scene.starts_on - timedelta(days=9)
    facts = {name: getattr(scene, name) for name in ("names", "host_names", "venue_names")}
    facts |= {"place_key": scene.place_key, "starts_on": day, "ends_on": day}
    if moved == "place":
        facts |= {"place_key": geo.resolve_place("Beijing").key, "starts_on": scene.starts_on}
        facts["ends_on"] = scene.ends_on
    new = scenes.NewScene(slug=slug, kind=scene.kind, **facts)
    with pytest.raises(CorrectionApartError):
        corrections.propose(scene, new, note="Moved", actor_ref="test", at=world.now)


def test_a_correction_is_looked_at_again_when_it_is_approved(visitor, hotel, conference, world):
    scene = Scene.objects.get(id=conference.id)
    facts = {name: getattr(scene, name) for name in ("names", "host_names", "venue_names")}
    new = scenes.NewScene(
        slug="conference",
        kind="conference",
        place_key=geo.resolve_place("Beijing").key,
        starts_on=scene.starts_on,
        ends_on=scene.ends_on,
        **facts,
    )
    waiting = corrections.propose(scene, new, note="Moved", actor_ref="test", at=world.now)
    inside.place_inside(visitor, conference, "hotel", ["electricity"])
    with pytest.raises(CorrectionApartError):
        corrections.approve(waiting, actor_ref="test", at=world.now)
    assert Scene.objects.get(id=conference.id).version == 1


def test_a_viewer_states_nothing(zhou, society, hotel, conference):
    looks = people.visitor(member(zhou, society, "he@example.org", "viewer"))
    with pytest.raises(NotAllowedError):
        inside.place_inside(looks, conference, "hotel", ["electricity"])


def test_the_desk_and_the_report_show_the_reference(visitor, zhou, hotel, conference):
    desk = client_of(zhou)
    address = "/host/conference/inside"
    form = {"outer": "https://example.org/s/hotel", "source.electricity": "1"}
    assert desk.post(address, form).status_code == 303
    page = desk.get(address).content.decode()
    assert "40" in page
    assert "/s/hotel/report" in page
    report = desk.get("/s/conference/report").content.decode()
    assert "Already counted in another scene" in report
    refused = desk.post(address, {"outer": "", "source.electricity": "1"})
    assert refused.status_code == 422
    assert "no scene that is open has this address" in refused.content.decode()
    assert desk.post(address, {"action": "take_back"}).status_code == 303
    assert Scene.objects.get(id=conference.id).inside is None
