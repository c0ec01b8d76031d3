"""What two scenes count is sold once, whoever is fastest, over connections of their own."""

import pytest

from diandian.flows import checkout, cover, elsewhere, inside, invariants
from diandian.flows.quote import open_quote
from diandian.footprints import queries
from diandian.footprints.models import LineClaim, SiteClaim
from diandian.people import queries as people
from diandian.scenes.models import Scene
from tests.flows.conftest import clock, make_project, world  # noqa: F401 - fixtures
from tests.flows.covers import close, place
from tests.flows.test_inside import published, sourced
from tests.flows.test_payment_races import together  # noqa: F401 - a fixture
from tests.office.host_world import organisation, person
from tests.web.public_world import take_part
from tests.web.world import open_scene

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]
HOUSE_REFUSALS = {"AlreadyClaimedError", "CoverChangedError", "CountedTwiceError"}
GUEST_REFUSALS = {"CountedElsewhereError", "AlreadyMatchedError", "CoverChangedError"}


@pytest.mark.parametrize("turn", range(4))
def test_a_house_is_stated_while_its_energy_is_paid_for(world, together, turn):  # noqa: F811
    make_project("sample-wind", tonnes=20)
    zhou = person("zhou@example.org")
    society = organisation(zhou)
    hotel = published(zhou, society, kind="hotel", slug="hotel", ends_on="")
    conference = published(zhou, society, slug="conference")
    close(hotel, sourced(electricity=900_000), world)
    close(conference, sourced(electricity=40_000, catering=9_000), world)
    visitor = people.visitor(zhou)

    def buy(slug):
        scene = Scene.objects.get(slug=slug)
        facts = {"organisation_ref": society.ref, "project_code": "sample-wind"}
        order = place(cover.open_cover_quote(scene, at=world.now, **facts), world)
        world.pay(order)

    calls = [
        lambda: buy("conference"),
        lambda: inside.place_inside(visitor, conference, "hotel", ["electricity"]),
        lambda: buy("hotel"),
    ]
    _, errors = together(*(calls[turn % 3 :] + calls[: turn % 3]))
    assert {type(error).__name__ for error in errors} <= HOUSE_REFUSALS
    claims = SiteClaim.objects.filter(scene=conference)
    sold = set(claims.values_list("line_key", flat=True))
    is_reference = "electricity" in Scene.objects.get(id=conference.id).inside_sources
    assert not (is_reference and "electricity.1" in sold)
    assert invariants.check() == []


@pytest.mark.parametrize("turn", range(4))
def test_a_guest_pays_while_saying_it_was_counted_elsewhere(world, together, turn):  # noqa: F811
    make_project("sample-wind", tonnes=20)
    first = take_part(open_scene("hotel", kind="hotel", ends_on=None))
    mine = take_part(open_scene("conference"))

    def buy():
        quote = open_quote(
            project_code="sample-wind", footprint=queries.by_token(mine.token), at=world.now
        )
        order = checkout.place_order(
            quote_token=quote.token,
            beneficiary_name="Lin",
            on_board=False,
            language="en",
            fresh_quote=quote,
            at=world.now,
        )
        world.pay(order)

    calls = [buy, lambda: elsewhere.refer(mine, first, "stay"), buy]
    _, errors = together(*(calls[turn % 3 :] + calls[: turn % 3]))
    assert {type(error).__name__ for error in errors} <= GUEST_REFUSALS
    claims = LineClaim.objects.filter(footprint=mine, line_key__startswith="stay")
    assert len(set(claims.values_list("claimant_kind", flat=True))) == 1
    assert invariants.check() == []
