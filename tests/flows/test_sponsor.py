"""Sponsors of a scene: what is open to them, whose it is then, and what guests are told."""

import pytest

from diandian.certificates.models import Certificate
from diandian.certificates.queries import record_of
from diandian.claims import wording
from diandian.flows import expiry, refund, sponsor
from diandian.footprints import actions as footprints
from diandian.footprints.models import InventoryVersion, LineClaim, SiteClaim
from diandian.kernel.mass import GRAMS_PER_KG
from diandian.orders.errors import (
    AlreadyCoveredError,
    BeingCoveredError,
    CoverChangedError,
    InventoryOpenError,
    NothingLeftError,
    SponsoringClosedError,
    SponsorPayingError,
    VisitsWholeError,
)
from diandian.orders.models import HolderKind
from diandian.registry.models import Retirement
from diandian.scenes.errors import SceneChoiceError, SceneStateError
from diandian.scenes.models import Scene, Sponsoring
from diandian.scenes.sponsoring import actions as sponsoring
from tests.flows.covers import (
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
GUESTS, REST, BOTH = Sponsoring.GUESTS, Sponsoring.REST, Sponsoring.BOTH


@pytest.fixture
def event(world):
    """A conference with a closed inventory of 100 kg; whatever a test did, the books are whole."""
    for made in opened(world):
        sponsoring.open_to_sponsors(made.scene, BOTH, actor_ref="test")
        yield made


def fresh(event):
    return Scene.objects.get(id=event.scene.id)


def sponsoring_quote(event, world, part, kg=None):
    return sponsor.open_quote(
        fresh(event), part=part, kg=kg, project_code=event.project, at=world.now
    )


def sponsored(event, world, part, kg=None, name="Lin Energy"):
    order = place(sponsoring_quote(event, world, part, kg), world, name)
    assert world.pay(order) == "completed"
    return order


def test_a_sponsor_takes_over_what_is_left_of_the_organisers(event, world):
    quote = sponsoring_quote(event, world, REST)
    assert (quote.mass_g, quote.holder_kind) == (SITE_G, HolderKind.SPONSOR)
    assert SiteClaim.objects.count() == 0, "a quote claims nothing"
    order = place(quote, world, "Lin Energy")
    assert left(event).residual_g == 0, "an order that is not paid yet counts"
    assert world.pay(order) == "completed"
    assert set(SiteClaim.objects.values_list("claimant_kind", flat=True)) == {"sponsor"}
    found = left(event)
    assert (found.claimed_by_sponsors_g, found.claimed_by_host_g) == (SITE_G, 0)
    retirement = Retirement.objects.get(source_ref=f"{order.ref}:retirement")
    assert (retirement.mass_g, retirement.holder_kind) == (SITE_G, "sponsor")
    with pytest.raises(NothingLeftError):
        covering(event, world)
    assert sponsor.taken_over(fresh(event)) == {"Lin Energy": SITE_G}


def test_chosen_kilograms_cut_the_site_to_the_gram(event, world):
    order = sponsored(event, world, REST, kg=30)
    assert order.mass_g == 30_000
    assert left(event).residual_g == SITE_G - 30_000
    assert cover_all(event, world).mass_g == SITE_G - 30_000, "the organiser pays the rest"


def test_visits_are_taken_over_whole_oldest_first(event, world):
    visits = [take_part(event.scene) for _ in range(3)]
    mass_g = visits[0].mass_g
    order = sponsored(event, world, GUESTS, kg=2 * mass_g // GRAMS_PER_KG + 1)
    claims = LineClaim.objects.all()
    assert set(claims.values_list("claimant_kind", "part")) == {("sponsor", "guest")}
    assert set(claims.values_list("footprint_id", flat=True)) == {each.id for each in visits[:2]}
    assert order.quote.cover["claimed_g"] == 2 * mass_g
    assert left(event).residual_g == SITE_G, "nothing of the organiser's was taken"
    everyone = left(event, for_everyone=True)
    assert everyone.claimed_by_sponsors_g == 2 * mass_g
    assert everyone.residual_g == SITE_G + mass_g


def test_guests_are_told_who_before_they_pay(event, world):
    mine = take_part(event.scene)
    quote = guest_quote(event, world, mine)
    order = place(sponsoring_quote(event, world, GUESTS), world, "Lin Energy")
    with pytest.raises(BeingCoveredError, match="Lin Energy"):
        place(quote, world, "Wang")
    assert world.pay(order) == "completed"
    with pytest.raises(AlreadyCoveredError, match="Lin Energy"):
        guest_quote(event, world, mine)
    later = take_part(event.scene)
    assert buy(event, world, later).mass_g >= later.mass_g, "who comes later is not claimed"


def test_a_guest_who_was_faster_is_not_sponsored(event, world):
    mine = take_part(event.scene)
    quote = sponsoring_quote(event, world, GUESTS)
    buy(event, world, mine)
    with pytest.raises(CoverChangedError):
        place(quote, world, "Lin Energy")
    with pytest.raises(NothingLeftError):
        sponsoring_quote(event, world, GUESTS)


def test_both_parts_and_then_nothing_is_left(event, world):
    mine = take_part(event.scene)
    order = sponsored(event, world, BOTH)
    assert order.quote.cover["claimed_g"] == SITE_G + mine.mass_g
    assert left(event, for_everyone=True).residual_g == 0


def test_split_travel_is_sponsored_by_its_parts(event, world):
    Scene.objects.update(travel_owner="split", travel_organiser_pct=40)
    mine = take_part(fresh(event))
    assert sponsored(event, world, GUESTS).quote.cover["claimed_g"] == mine.guest_g
    assert sponsored(event, world, REST).quote.cover["claimed_g"] == SITE_G + mine.host_g
    kinds = LineClaim.objects.values_list("part", "claimant_kind")
    assert set(kinds) == {("guest", "sponsor"), ("host", "sponsor")}
    assert left(event, for_everyone=True).residual_g == 0


def test_too_few_kilograms_for_any_visit_are_refused(event, world):
    take_part(event.scene)
    with pytest.raises(VisitsWholeError):
        sponsoring_quote(event, world, GUESTS, kg=1)


def test_visits_need_no_inventory_and_the_rest_needs_a_closed_one(event, world):
    mine = take_part(event.scene)
    footprints.save_inventory(event.scene, inventory(1_000), at=world.now)
    assert sponsored(event, world, GUESTS).quote.cover["claimed_g"] == mine.mass_g
    assert InventoryVersion.objects.filter(closed_at=None).count() == 1, "left as it was"
    assert sponsoring_quote(event, world, REST, kg=10).mass_g == 10_000, "of the closed one"


def test_an_open_inventory_alone_is_not_sponsored(world, event):
    other = Scene.objects.get(id=event.scene.id)
    other.pk, other.slug = None, "another"
    other.save()
    footprints.save_inventory(other, inventory(5_000), at=world.now)
    other.inventory.create(category="venue", names={"en": "Hall"}, mass_g=5_000)
    with pytest.raises(InventoryOpenError):
        sponsor.open_quote(other, part=REST, kg=None, project_code=event.project, at=world.now)


# --- what the organiser opened ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opened_to", "refused"),
    [("guests", (REST, BOTH)), ("rest", (GUESTS, BOTH)), ("closed", (GUESTS, REST, BOTH))],
)
def test_only_what_was_opened_is_sponsored(event, world, opened_to, refused):
    take_part(event.scene)
    sponsoring.open_to_sponsors(event.scene, opened_to, actor_ref="test")
    for part in refused:
        with pytest.raises(SponsoringClosedError):
            sponsoring_quote(event, world, part)
    for part in sponsor.parts_open(fresh(event)):
        assert sponsoring_quote(event, world, part).mass_g


def test_a_price_from_before_it_was_closed_is_not_ordered(event, world):
    quote = sponsoring_quote(event, world, REST)
    sponsoring.open_to_sponsors(event.scene, "closed", actor_ref="test")
    with pytest.raises(SponsoringClosedError):
        place(quote, world)
    assert SiteClaim.objects.count() == 0
    assert world.stock().held_g == 0


def test_the_link_stays_while_open_and_dies_when_closed(event):
    link = fresh(event).sponsor_token
    assert len(link) >= 20
    sponsoring.open_to_sponsors(event.scene, "rest", actor_ref="test")
    assert fresh(event).sponsor_token == link
    sponsoring.open_to_sponsors(event.scene, "closed", actor_ref="test")
    assert fresh(event).sponsor_token == ""
    sponsoring.open_to_sponsors(event.scene, "rest", actor_ref="test")
    assert fresh(event).sponsor_token not in {"", link}


@pytest.mark.parametrize("wrong", ["", "everything"])
def test_nothing_else_can_be_opened(event, wrong):
    with pytest.raises(SceneChoiceError):
        sponsoring.open_to_sponsors(event.scene, wrong, actor_ref="test")


def test_only_an_open_scene_has_sponsors(event):
    Scene.objects.update(state="withdrawn")
    with pytest.raises(SceneStateError):
        sponsoring.open_to_sponsors(event.scene, "rest", actor_ref="test")


# --- unpaid, late, given back -------------------------------------------------------------------


def test_one_unpaid_sponsor_at_a_time(event, world):
    first = sponsoring_quote(event, world, REST, kg=10)
    second = sponsoring_quote(event, world, REST, kg=20)
    order = place(first, world, "Lin Energy")
    with pytest.raises(SponsorPayingError):
        place(second, world, "Tang Works")
    assert world.pay(order) == "completed"
    assert sponsored(event, world, REST, kg=20, name="Tang Works").mass_g == 20_000


def test_what_a_sponsor_does_not_pay_is_given_back(event, world):
    mine = take_part(event.scene)
    order = place(sponsoring_quote(event, world, BOTH), world, "Lin Energy")
    assert LineClaim.objects.exists()
    expiry.release_expired(at=world.later(minutes=21))
    assert world.state(order) == "expired"
    assert SiteClaim.objects.count() == LineClaim.objects.count() == 0
    assert left(event, for_everyone=True).residual_g == SITE_G + mine.mass_g


def test_a_sponsor_who_pays_late_gets_it_if_it_is_still_open(event, world):
    order = place(sponsoring_quote(event, world, REST), world, "Lin Energy")
    expiry.release_expired(at=world.later(minutes=21))
    sponsoring.open_to_sponsors(event.scene, "closed", actor_ref="test")
    pay_anyway(order, world)
    assert world.state(order) == "completed", "who was let in once is not turned away"
    assert left(event).claimed_by_sponsors_g == SITE_G


def test_a_sponsor_who_pays_too_late_gets_the_money_back(event, world):
    order = place(sponsoring_quote(event, world, REST), world, "Lin Energy")
    expiry.release_expired(at=world.later(minutes=21))
    cover_all(event, world)
    pay_anyway(order, world)
    refund.continue_refunds(at=world.later(minutes=40))
    assert world.state(order) == "refunded"


# --- what the certificate says ------------------------------------------------------------------


@pytest.mark.parametrize("part", [GUESTS, REST])
def test_the_certificate_names_the_sponsor_as_one(event, world, part):
    take_part(event.scene)
    order = sponsored(event, world, part)
    record = record_of(Certificate.objects.get(order_ref=order.ref))
    assert (record["holder_kind"], record["purpose"]) == ("sponsor", "lump_sum")
    assert record["beneficiary"]["display_name"] == "Lin Energy"
    assert "as a sponsor of" in wording.statement(record, "en")
    assert "赞助「" in wording.statement(record, "zh-Hans")
    assert "als sponsor van" in wording.statement(record, "nl")
    said = wording.what_it_says(record, "en")
    assert any("as stated by whoever paid" in line for line in said)
    assert record["estimate"] is None, "nothing is compared"


def test_a_new_version_counts_what_a_sponsor_has_already(event, world):
    sponsored(event, world, REST)
    close(event.scene, inventory(70_000, 35_000), world)
    assert left(event).residual_g == 5_000
