"""The organiser's own cover: the rest of an inventory, its shares, its versions."""

import pytest
from django.db import IntegrityError, transaction

from diandian.flows import expiry, refund
from diandian.footprints import actions as footprints
from diandian.footprints import queries
from diandian.footprints.errors import InventoryBrokenError, NoOpenInventoryError
from diandian.footprints.models import InventoryVersion, LineClaim, SiteClaim
from diandian.orders import queries as orders
from diandian.orders.errors import (
    CoverChangedError,
    InventoryOpenError,
    NothingLeftError,
    SceneClosedError,
    ShareError,
    SoldOutError,
)
from diandian.orders.models import HolderKind, Order
from diandian.registry.models import Retirement
from diandian.scenes.models import Scene
from tests.flows.covers import (
    ENERGY_G,
    SITE_G,
    WASTE_G,
    buy,
    close,
    cover_all,
    covering,
    inventory,
    left,
    opened,
    pay_anyway,
    place,
)
from tests.web.public_world import take_part
from tests.web.world import open_scene

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(world):
    """A conference with a closed inventory of 100 kg; whatever a test did, the books are whole."""
    yield from opened(world)


# --- the organiser's own ------------------------------------------------------------------------


def test_a_cover_claims_the_whole_inventory_and_retires_it(event, world):
    quote = covering(event, world)
    assert (quote.mass_g, quote.holder_kind) == (SITE_G, HolderKind.HOST)
    assert quote.holder_ref == "organisation:7"
    assert LineClaim.objects.count() == SiteClaim.objects.count() == 0, "a quote claims nothing"
    order = place(quote, world)
    assert left(event).residual_g == 0, "an order that is not paid yet counts"
    assert world.pay(order) == "completed"
    retirement = Retirement.objects.get(source_ref=f"{order.ref}:retirement")
    assert (retirement.mass_g, retirement.holder_kind) == (SITE_G, "host")
    found = left(event)
    assert (found.claimed_by_host_g, found.claimed_by_guests_g) == (SITE_G, 0)
    with pytest.raises(NothingLeftError):
        covering(event, world)


def test_guests_who_own_their_travel_are_not_in_the_organisers_total(event, world):
    mine = take_part(event.scene)
    assert left(event).inventory_g == left(event).residual_g == SITE_G
    everyone = left(event, for_everyone=True)
    assert everyone.inventory_g == everyone.residual_g == SITE_G + mine.mass_g
    cover_all(event, world)
    assert buy(event, world, mine).mass_g >= mine.mass_g, "the guest's own is still to be had"


def test_covers_are_no_guests(event, world):
    cover_all(event, world)
    progress = orders.scene_progress(event.scene)
    assert (progress.matched_g, progress.guests) == (SITE_G, 0)
    order = buy(event, world, take_part(event.scene))
    assert orders.scene_progress(event.scene).guests == 1
    assert orders.place_of_ref(order.ref).number == 1


def test_the_upper_end_costs_more_and_claims_the_same(event, world):
    quote = covering(event, world, to_upper_bound=True)
    assert (quote.mass_g, quote.cover["claimed_g"]) == (SITE_G * 13 // 10, SITE_G)
    place(quote, world)


def test_shares_cut_a_line_and_go_on_where_the_last_one_ended(event, world):
    for share, claimed_g in ((50, 50_000), (50, 25_000), (100, 25_000)):
        order = cover_all(event, world, share_percent=share)
        assert order.quote.cover["claimed_g"] == claimed_g
    assert left(event).residual_g == 0
    runs = SiteClaim.objects.order_by("line_key", "start_g")
    assert [(run.line_key, run.start_g, run.mass_g) for run in runs] == [
        ("energy.0", 0, 50_000),
        ("energy.0", 50_000, 20_000),
        ("energy.1", 0, 5_000),
        ("energy.1", 5_000, 25_000),
    ]


@pytest.mark.parametrize("share", [0, 101, -1, True])
def test_a_share_outside_one_to_a_hundred_is_refused(event, world, share):
    with pytest.raises(ShareError):
        covering(event, world, share_percent=share)


def test_more_than_is_in_stock_is_refused(event, world):
    close(event.scene, inventory(21_000_000), world)
    with pytest.raises(SoldOutError):
        covering(event, world)


def test_a_scene_that_is_not_open_to_the_public_has_no_cover(event, world):
    Scene.objects.update(state="withdrawn")
    with pytest.raises(SceneClosedError):
        covering(event, world)


def test_the_rest_can_be_covered_after_the_event(event, world):
    Scene.objects.update(starts_on="2026-01-01", ends_on="2026-01-02")
    assert cover_all(event, world).mass_g == SITE_G


def test_a_cover_that_nobody_pays_gives_its_grams_back(event, world):
    mine = take_part(event.scene)
    place(covering(event, world, for_everyone=True), world)
    assert left(event, for_everyone=True).residual_g == 0
    assert expiry.release_expired(at=world.later(minutes=21)) == 1
    assert left(event, for_everyone=True).residual_g == SITE_G + mine.mass_g
    buy(event, world, mine)


def test_a_cover_paid_late_claims_again_or_is_refunded(event, world):
    for taken_meanwhile, ends in ((False, "completed"), (True, "refunded")):
        close(event.scene, inventory(ENERGY_G, WASTE_G, 50_000 + taken_meanwhile), world)
        order = place(covering(event, world), world)
        expiry.release_expired(at=world.later(minutes=21))
        if taken_meanwhile:
            cover_all(event, world)
        pay_anyway(order, world)
        refund.continue_refunds(at=world.later(minutes=40))
        assert world.state(order) == ends
        assert left(event).residual_g == 0


# --- versions -----------------------------------------------------------------------------------


def test_a_closed_inventory_stays_and_a_correction_is_the_next_version(event, world):
    version = queries.closed_inventory(event.scene)
    changes = (
        lambda: InventoryVersion.objects.filter(id=version.id).update(mass_g=1),
        lambda: InventoryVersion.objects.filter(id=version.id).delete(),
    )
    for change in changes:
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    cover_all(event, world)
    corrected = close(event.scene, inventory(ENERGY_G + 9_000, 10_000, 4_000), world)
    assert corrected.number == 2
    # What was claimed of a line stays claimed; only what came on top is left.
    assert left(event).residual_g == 9_000 + 4_000
    assert cover_all(event, world).mass_g == 13_000


def test_an_open_inventory_is_written_anew_and_not_for_sale(event, world):
    for mass_g in (1_000, 2_000):
        footprints.save_inventory(event.scene, inventory(mass_g), at=world.now)
    assert InventoryVersion.objects.filter(closed_at=None).get().mass_g == 2_000
    assert left(event).inventory_g == SITE_G
    footprints.close_inventory(event.scene, at=world.now)
    assert left(event).inventory_g == 2_000
    with pytest.raises(NoOpenInventoryError):
        footprints.close_inventory(event.scene, at=world.now)


def test_a_broken_inventory_is_not_saved(event, world):
    with pytest.raises(InventoryBrokenError):
        footprints.save_inventory(event.scene, inventory(5) | {"mass_g": 4}, at=world.now)
    assert InventoryVersion.objects.count() == 1


def test_what_a_host_only_stated_is_closed_when_it_is_bought(event, world):
    event.scene = open_scene("stated")
    found = left(event)
    assert (found.residual_g, found.is_stated) == (8_000_000, True)
    assert found.high_g == 10_400_000
    footprints.save_inventory(event.scene, inventory(5), at=world.now)
    with pytest.raises(InventoryOpenError):
        covering(event, world)
    InventoryVersion.objects.filter(scene=event.scene).delete()
    order = cover_all(event, world, share_percent=10)
    assert order.mass_g == 800_000
    assert left(event).residual_g == 7_200_000


def test_a_quote_of_an_older_inventory_is_refused(event, world):
    quote = covering(event, world)
    close(event.scene, inventory(ENERGY_G, WASTE_G, 1_000), world)
    with pytest.raises(CoverChangedError):
        place(quote, world)
    assert not Order.objects.exists()
    assert world.stock().held_g == 0
