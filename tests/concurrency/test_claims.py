"""Guests and organisers who pay at the same instant, over connections of their own."""

from random import Random

import pytest

from diandian.flows import cover, expiry, invariants, sponsor
from diandian.flows.quote import open_quote
from diandian.footprints import actions as footprints
from diandian.footprints import queries
from diandian.footprints.models import LineClaim
from diandian.orders.models import Order
from diandian.registry.models import Retirement
from diandian.scenes.models import Scene, Sponsoring
from diandian.scenes.sponsoring import actions as sponsoring
from tests.flows.conftest import clock, make_project, world  # noqa: F401 - fixtures
from tests.flows.covers import SITE_G, close, inventory, place
from tests.flows.test_payment_races import together  # noqa: F401 - a fixture
from tests.web.public_world import take_part
from tests.web.world import open_scene

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]
REFUSED = {
    "AlreadyCoveredError",
    "BeingCoveredError",
    "AlreadyMatchedError",
    "CoverChangedError",
    "NothingLeftError",
    "SponsorPayingError",
}


@pytest.fixture
def event(world):  # noqa: F811
    """A conference whose hall and guests fit into twenty tonnes."""
    make_project("sample-wind", tonnes=20)
    scene = open_scene()
    close(scene, inventory(SITE_G), world)
    return scene


def guest(world, footprint):  # noqa: F811
    def go():
        fresh = queries.by_token(footprint.token)
        quote = open_quote(project_code="sample-wind", footprint=fresh, at=world.now)
        order = place(quote, world, "Lin")
        world.pay(order)
        return order

    return go


def organiser(world, scene, **facts):  # noqa: F811
    def go():
        quote = cover.open_cover_quote(
            Scene.objects.get(id=scene.id),
            organisation_ref="organisation:7",
            project_code="sample-wind",
            at=world.now,
            **facts,
        )
        order = place(quote, world)
        world.pay(order)
        return order

    return go


def company(world, scene, part, kg=None):  # noqa: F811
    def go():
        quote = sponsor.open_quote(
            Scene.objects.get(id=scene.id),
            part=part,
            kg=kg,
            project_code="sample-wind",
            at=world.now,
        )
        order = place(quote, world, "Lin Energy")
        world.pay(order)
        return order

    return go


def assert_one_claimant(event, errors):
    assert {type(error).__name__ for error in errors} <= REFUSED
    assert invariants.check() == []
    for order in Order.objects.all():
        retired = Retirement.objects.filter(source_ref=f"{order.ref}:retirement").count()
        assert (order.state, retired) == ("completed", 1), "who was let in got what was paid for"


@pytest.mark.parametrize("turn", range(5))
def test_two_guests_and_an_organiser_at_the_same_instant(world, event, together, turn):  # noqa: F811
    mine = take_part(event)
    calls = [
        guest(world, mine),
        guest(world, mine),
        organiser(world, event, for_everyone=True),
    ]
    done, errors = together(*(calls[turn % 3 :] + calls[: turn % 3]))
    assert_one_claimant(event, errors)
    assert len({order.id for order in done}) >= 1
    parts = LineClaim.objects.filter(footprint=mine)
    assert len(set(parts.values_list("claimant_ref", flat=True))) == 1
    assert sum(parts.values_list("mass_g", flat=True)) == mine.mass_g


@pytest.mark.parametrize("turn", range(4))
def test_a_guest_an_organiser_and_sponsors_at_once(world, event, together, turn):  # noqa: F811
    sponsoring.open_to_sponsors(event, Sponsoring.BOTH, actor_ref="test")
    visits = [take_part(event) for _ in range(3)]
    calls = [
        guest(world, visits[0]),
        organiser(world, event, for_everyone=True),
        company(world, event, Sponsoring.GUESTS),
        company(world, event, Sponsoring.REST, kg=20),
    ]
    done, errors = together(*(calls[turn:] + calls[:turn]))
    assert_one_claimant(event, errors)
    assert done
    left = cover.residual_of(event, for_everyone=True)
    claimed_g = left.claimed_by_guests_g + left.claimed_by_host_g + left.claimed_by_sponsors_g
    whole_g = SITE_G + sum(footprint.mass_g for footprint in visits)
    assert claimed_g + left.residual_g == whole_g
    for footprint in visits:
        refs = LineClaim.objects.filter(footprint=footprint).values_list("claimant_ref", flat=True)
        assert len(set(refs)) <= 1


@pytest.mark.parametrize("seed", range(3))
def test_a_hall_of_guests_and_three_people_of_the_organiser(world, event, together, seed):  # noqa: F811
    visits = [take_part(event) for _ in range(6)]
    calls = [guest(world, footprint) for footprint in visits]
    calls += [
        organiser(world, event, for_everyone=True),
        organiser(world, event),
        organiser(world, event, share_percent=50),
    ]
    Random(seed).shuffle(calls)
    _, errors = together(*calls)
    assert_one_claimant(event, errors)
    left = cover.residual_of(event, for_everyone=True)
    claimed_g = left.claimed_by_guests_g + left.claimed_by_host_g
    whole_g = SITE_G + sum(footprint.mass_g for footprint in visits)
    assert claimed_g + left.residual_g == left.inventory_g == whole_g


def test_nothing_is_claimed_twice_while_unpaid_covers_run_out(world, event, together):  # noqa: F811
    visits = [take_part(event) for _ in range(4)]
    unpaid = cover.open_cover_quote(
        event,
        organisation_ref="organisation:7",
        project_code="sample-wind",
        for_everyone=True,
        at=world.now,
    )
    place(unpaid, world)
    late = world.later(minutes=21)
    _, errors = together(
        lambda: expiry.release_expired(at=late),
        *[guest(world, footprint) for footprint in visits],
        organiser(world, event),
    )
    assert {type(error).__name__ for error in errors} <= REFUSED
    assert invariants.check() == []


def test_an_inventory_is_closed_while_it_is_bought(world, event, together):  # noqa: F811
    def correct():
        close(event, inventory(SITE_G, 7_000), world)

    _, errors = together(organiser(world, event), correct, organiser(world, event))
    assert_one_claimant(event, errors)
    footprints.save_inventory(event, inventory(SITE_G, 7_000), at=world.now)
