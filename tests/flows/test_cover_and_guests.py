"""The organiser's cover beside guests' purchases: one gram, one claimant, told before paying."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from diandian.flows import expiry, fulfil, invariants, line_claims, refund, sales
from diandian.flows.quote import open_quote
from diandian.footprints import actions as footprints
from diandian.footprints import queries
from diandian.footprints.models import Footprint, LineClaim, SiteClaim
from diandian.orders.errors import (
    AlreadyCoveredError,
    BeingCoveredError,
    CoverChangedError,
    HostAnswersError,
)
from diandian.orders.models import Order
from diandian.scenes.models import Scene
from tests.flows.covers import (
    ENERGY_G,
    SITE_G,
    buy,
    close,
    cover_all,
    covering,
    guest_quote,
    inventory,
    left,
    opened,
    pay_anyway,
    place,
)
from tests.web.public_world import take_part

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(world):
    """A conference with a closed inventory of 100 kg; whatever a test did, the books are whole."""
    yield from opened(world)


# --- guests and organiser -----------------------------------------------------------------------


def test_a_guest_who_pays_shrinks_the_rest_at_once(event, world):
    mine, other = take_part(event.scene), take_part(event.scene)
    buy(event, world, mine)
    found = left(event, for_everyone=True)
    assert found.claimed_by_guests_g == mine.mass_g
    assert found.residual_g == SITE_G + other.mass_g
    assert covering(event, world, for_everyone=True).cover["claimed_g"] == found.residual_g


def test_whoever_arrives_after_a_full_cover_is_told_before_paying(event, world):
    before = take_part(event.scene)
    cover_all(event, world, for_everyone=True)
    for footprint in (before, take_part(event.scene)):
        with pytest.raises(AlreadyCoveredError, match="Tianfu Society"):
            guest_quote(event, world, footprint)
    assert Footprint.objects.count() == 2, "their answers still count"


def test_a_quote_from_before_the_cover_is_refused_with_the_money_untouched(event, world):
    mine = take_part(event.scene)
    quote = guest_quote(event, world, mine)
    order = place(covering(event, world, for_everyone=True), world)
    with pytest.raises(BeingCoveredError):
        place(quote, world, "Lin")
    with pytest.raises(BeingCoveredError):
        guest_quote(event, world, mine)
    assert world.pay(order) == "completed"
    with pytest.raises(AlreadyCoveredError):
        place(quote, world, "Lin")
    assert Order.objects.count() == 1
    assert world.stock().held_g == 0


def test_the_organiser_loses_against_a_guest_who_was_faster(event, world):
    mine = take_part(event.scene)
    quote = covering(event, world, for_everyone=True)
    order = place(guest_quote(event, world, mine), world, "Lin")
    with pytest.raises(CoverChangedError):
        place(quote, world)
    assert world.pay(order) == "completed"
    assert cover_all(event, world, for_everyone=True).mass_g == SITE_G


def test_without_a_name_the_host_of_the_scene_is_named(event, world):
    order = place(covering(event, world, for_everyone=True), world, "")
    world.pay(order)
    with pytest.raises(AlreadyCoveredError, match="Tianfu Building Society"):
        guest_quote(event, world, take_part(event.scene))


def test_a_share_for_everyone_takes_guests_whole_oldest_first(event, world):
    visits = [take_part(event.scene) for _ in range(4)]
    close(event.scene, inventory(1_000), world)
    mass_g = visits[0].mass_g
    order = cover_all(event, world, for_everyone=True, share_percent=60)
    assert order.quote.cover["claimed_g"] == 1_000 + 2 * mass_g
    for footprint in visits[:2]:
        with pytest.raises(AlreadyCoveredError):
            guest_quote(event, world, footprint)
    for footprint in (*visits[2:], take_part(event.scene)):
        buy(event, world, footprint)


def test_a_guests_refund_gives_their_grams_back(event, world, monkeypatch):
    mine = take_part(event.scene)
    with monkeypatch.context() as patch:
        patch.setattr(fulfil, "fulfil_order", lambda *_, **__: None)
        order = place(guest_quote(event, world, mine), world, "Lin")
        assert world.pay(order) == "paid"
    assert left(event, for_everyone=True).residual_g == SITE_G
    refund.refund_order(order, "asked", at=world.now)
    assert left(event, for_everyone=True).residual_g == SITE_G + mine.mass_g


def test_a_guest_who_pays_late_while_the_organiser_covers_gets_the_money_back(event, world):
    mine = take_part(event.scene)
    order = place(guest_quote(event, world, mine), world, "Lin")
    expiry.release_expired(at=world.later(minutes=21))
    cover_all(event, world, for_everyone=True)
    pay_anyway(order, world)
    refund.continue_refunds(at=world.later(minutes=40))
    assert world.state(order) == "refunded"


# --- who owns the travel ------------------------------------------------------------------------


def test_travel_of_the_organiser_is_covered_and_not_sold(event, world):
    Scene.objects.update(travel_owner="organiser")
    mine = take_part(Scene.objects.get(id=event.scene.id))
    assert mine.is_hosts
    with pytest.raises(HostAnswersError):
        guest_quote(event, world, mine)
    assert left(event).residual_g == SITE_G + mine.host_g
    assert cover_all(event, world).quote.cover["claimed_g"] == SITE_G + mine.host_g
    kinds = LineClaim.objects.values_list("part", "claimant_kind")
    assert set(kinds) == {("host", "host")}


def test_split_travel_is_paid_by_both_each_their_own_part(event, world):
    Scene.objects.update(travel_owner="split", travel_organiser_pct=40)
    mine = take_part(Scene.objects.get(id=event.scene.id))
    assert 0 < mine.host_g < mine.mass_g
    assert left(event).residual_g == SITE_G + mine.host_g
    cover_all(event, world)
    order = buy(event, world, mine)
    assert mine.guest_g <= order.mass_g < mine.guest_g + 1_000
    claimed = LineClaim.objects.filter(footprint=mine)
    assert sum(claimed.values_list("mass_g", flat=True)) == mine.mass_g
    assert left(event, for_everyone=True).residual_g == 0


def test_bought_lines_keep_the_owner_they_were_saved_with(event, world):
    mine = take_part(event.scene)
    Scene.objects.update(travel_owner="organiser")
    buy(event, world, mine)
    assert left(event).residual_g == SITE_G


def test_an_estimate_of_a_program_is_priced_for_the_guests_part(event, world):
    Scene.objects.update(travel_owner="split", travel_organiser_pct=40)
    scene = Scene.objects.get(id=event.scene.id)
    mine = take_part(scene)
    quote = open_quote(
        project_code=event.project, scene=scene, estimate=mine.estimate, at=world.now
    )
    assert mine.guest_g <= quote.mass_g < mine.guest_g + 1_000


def test_a_hotel_subtracts_the_nights_that_guests_matched(event, world):
    Scene.objects.update(kind="hotel")
    event.scene = Scene.objects.get(id=event.scene.id)
    mine, other = take_part(event.scene), take_part(event.scene)
    nights_g = sum(line["mass_g"] for line in mine.estimate["lines"] if line["category"] == "stay")
    assert 0 < nights_g < SITE_G
    assert left(event).residual_g == SITE_G
    buy(event, world, mine)
    found = left(event)
    assert (found.claimed_by_guests_g, found.residual_g) == (nights_g, SITE_G - nights_g)
    # For everyone, the other guest's nights lie in the house already.
    rest_g = SITE_G - nights_g + other.mass_g - nights_g
    assert left(event, for_everyone=True).residual_g == rest_g
    assert covering(event, world, for_everyone=True).cover["claimed_g"] == rest_g
    cover_all(event, world)
    assert left(event).residual_g == 0


# --- what it costs, and what would be found -----------------------------------------------------


def statements(work):
    with CaptureQueriesContext(connection) as found:
        work()
    return len(found)


def test_a_guest_pays_one_statement_at_most_for_all_this(event, world):
    mine, other = take_part(event.scene), take_part(event.scene)
    close(event.scene, inventory(1_000), world)
    fresh = queries.by_token(mine.token)

    def quote(footprint):
        return lambda: open_quote(project_code=event.project, footprint=footprint, at=world.now)

    sales.are_stopped()  # looked at once a second, not for each quote
    lump = statements(lambda: open_quote(project_code=event.project, mass_g=1_000, at=world.now))
    assert statements(quote(fresh)) == lump, "none without a cover"
    cover_all(event, world, for_everyone=True, share_percent=60)
    covered = queries.by_token(other.token)
    sales.are_stopped()
    assert statements(quote(covered)) == lump + 1


@pytest.mark.parametrize(
    ("tamper", "code"),
    [
        (lambda: LineClaim.objects.filter(part="guest").update(mass_g=10**9), "F1"),
        (lambda: LineClaim.objects.filter(part="guest").delete(), "X6"),
        (lambda: SiteClaim.objects.update(mass_g=10**9), "F2"),
        (lambda: SiteClaim.objects.update(claimant_ref="order:0"), "X6"),
    ],
)
def test_the_close_finds_what_the_constraints_cannot(event, world, tamper, code):
    buy(event, world, take_part(event.scene))
    cover_all(event, world)
    with transaction.atomic():
        tamper()
        assert code in {breach.rule for breach in invariants.check()}
        transaction.set_rollback(True)


def test_the_database_refuses_a_second_claim_on_a_gram(event, world):
    mine = take_part(event.scene)
    order = buy(event, world, mine)
    with pytest.raises(IntegrityError), transaction.atomic():
        footprints.claim_lines(mine, claimant_ref="order:0", at=world.now)
    version = queries.closed_inventory(event.scene)
    cover_all(event, world)
    row = {"scene": event.scene, "version": version, "claimant_ref": order.ref}
    for start_g, mass_g in ((0, 1), (1, 5), (ENERGY_G - 1, 10)):
        with pytest.raises(IntegrityError), transaction.atomic():
            SiteClaim.objects.create(
                line_key="energy.0", start_g=start_g, mass_g=mass_g, claimed_at=world.now, **row
            )


def test_letting_go_twice_changes_nothing(event, world):
    order = place(covering(event, world), world)
    expiry.release_expired(at=world.later(minutes=21))
    order.refresh_from_db()
    line_claims.let_go(order)
    assert SiteClaim.objects.count() == 0
