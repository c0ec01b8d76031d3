"""One journey in two scenes: counted and sold once, by whichever counted it first."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.db import IntegrityError, transaction

from diandian.flows import checkout, cover, elsewhere, invariants
from diandian.flows.quote import open_quote
from diandian.footprints import actions as footprints
from diandian.footprints import queries
from diandian.footprints.errors import CountedElsewhereError
from diandian.footprints.models import Footprint, LineClaim
from diandian.kernel.mass import grams_to_buy
from diandian.kernel.memory import Memory
from diandian.orders.errors import AlreadyMatchedError, CoverChangedError, NothingToRetireError
from diandian.orders.models import Order
from diandian.scenes.models import Scene
from diandian.ui import limits
from tests.web.public_world import ANSWERS, buy, take_part
from tests.web.world import open_scene, open_shop

pytestmark = pytest.mark.django_db
WHY = elsewhere.WHY


@pytest.fixture(autouse=True)
def books(settings, tmp_path):
    settings.SANDBOX_STORE = tmp_path / "bank.sqlite3"
    settings.DATA_DIR = tmp_path
    Memory.forget_everything()
    open_shop()
    yield
    assert [breach for breach in invariants.check() if breach.rule[0] in "FX"] == []


@pytest.fixture
def hotel():
    return open_scene("hotel", kind="hotel", ends_on=None)


@pytest.fixture
def conference(hotel):
    return open_scene("conference")


@pytest.fixture
def browser(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def grams(footprint, category):
    lines = footprint.estimate["lines"]
    return sum(line["mass_g"] for line in lines if line["category"] == category)


def fresh(footprint):
    return queries.by_token(footprint.token)


def refused(footprint, owner, part):
    with pytest.raises(CountedElsewhereError) as error:
        elsewhere.refer(footprint, owner, part)
    assert fresh(footprint).elsewhere == {}
    return error.value.params["why"]


def test_what_was_counted_there_is_shown_here_and_not_sold(hotel, conference):
    first, mine = take_part(hotel), take_part(conference)
    nights_g = grams(mine, "stay")
    elsewhere.refer(mine, first, "stay")
    found = fresh(mine)
    assert 0 < nights_g == found.elsewhere_g
    assert found.guest_g == found.mass_g - nights_g
    quote = open_quote(project_code="rooftop-solar", footprint=found)
    assert quote.mass_g == grams_to_buy(found.guest_g) < grams_to_buy(found.mass_g)
    order = checkout.place_order(
        quote_token=quote.token, beneficiary_name="Lin", on_board=False, language="en"
    )
    claimed = LineClaim.objects.filter(claimant_ref=order.ref)
    assert sum(claimed.values_list("mass_g", flat=True)) == found.guest_g
    assert not claimed.filter(line_key__startswith="stay").exists()


def test_both_parts_leave_only_what_is_neither(hotel, conference):
    first, mine = take_part(hotel), take_part(conference)
    for part in ("stay", "travel", "travel"):
        elsewhere.refer(mine, first, part)
    found = fresh(mine)
    assert found.guest_g == found.mass_g - grams(mine, "stay") - grams(mine, "travel")
    assert elsewhere.parts_here(found) == []
    if not found.guest_g:
        with pytest.raises(NothingToRetireError):
            open_quote(project_code="rooftop-solar", footprint=found)


def test_nobody_else_buys_a_reference_either(hotel, conference):
    first, mine = take_part(hotel), take_part(conference)
    before = cover.residual_of(conference, for_everyone=True)
    elsewhere.refer(mine, first, "stay")
    after = cover.residual_of(conference, for_everyone=True)
    assert before.residual_g - after.residual_g == grams(mine, "stay")
    with pytest.raises(IntegrityError), transaction.atomic():
        LineClaim.objects.create(
            footprint=mine,
            line_key=next(iter(fresh(mine).elsewhere)),
            claimant_ref="order:0",
            mass_g=1,
            claimed_at=mine.created_at,
        )


def test_an_organiser_who_covers_everybody_leaves_references_out(hotel, conference):
    first, mine = take_part(hotel), take_part(conference)
    elsewhere.refer(mine, first, "stay")
    quote = cover.open_cover_quote(
        Scene.objects.get(id=conference.id),
        organisation_ref="organisation:7",
        project_code="rooftop-solar",
        for_everyone=True,
    )
    checkout.place_order(
        quote_token=quote.token, beneficiary_name="Society", on_board=False, language="en"
    )
    claims = LineClaim.objects.filter(footprint=mine, claimant_kind="host")
    assert sum(claims.values_list("mass_g", flat=True)) == fresh(mine).guest_g


def test_a_mistake_is_taken_back(hotel, conference):
    first, mine = take_part(hotel), take_part(conference)
    elsewhere.refer(mine, first, "stay")
    elsewhere.take_back(mine)
    assert (fresh(mine).guest_g, fresh(mine).elsewhere) == (mine.mass_g, {})
    assert LineClaim.objects.count() == 0


@pytest.mark.parametrize(
    ("part", "why"), [("food", "part"), ("", "part"), ("goods", "part"), ("local", "part")]
)
def test_only_journey_and_nights(hotel, conference, part, why):
    first, mine = take_part(hotel), take_part(conference)
    assert refused(mine, first, part) == WHY[why]


def test_what_was_counted_first_counts(hotel, conference):
    mine = take_part(conference)
    later = take_part(hotel)
    assert refused(mine, later, "stay") == WHY["later"]
    assert refused(take_part(hotel), later, "stay") == WHY["same"]


@pytest.mark.parametrize(
    ("answers", "part", "why"),
    [
        ({"nights": "1"}, "stay", "fewer"),
        ({"nights": "0"}, "stay", "nothing"),
        ({"from": "Beijing"}, "travel", "origin"),
    ],
)
def test_what_differs_there_is_not_the_same(hotel, conference, answers, part, why):
    first, mine = take_part(hotel, ANSWERS | answers), take_part(conference)
    assert refused(mine, first, part) == WHY[why]


@pytest.mark.parametrize("changes", [{"place_key": "extra:x"}, {"days": 90}])
def test_scenes_apart_do_not_share_a_journey(hotel, conference, changes):
    first, mine = take_part(hotel), take_part(conference)
    if "days" in changes:
        changes = {"starts_on": conference.ends_on + timedelta(days=changes["days"])}
    Scene.objects.filter(id=hotel.id).update(**changes)
    assert refused(mine, first, "stay") == WHY["apart"]


def test_what_an_organiser_answers_for_is_not_taken_over(hotel, conference):
    Scene.objects.filter(id=conference.id).update(travel_owner="split", travel_organiser_pct=40)
    first, mine = take_part(hotel), take_part(Scene.objects.get(id=conference.id))
    assert refused(mine, first, "stay") == WHY["hosts"]
    assert elsewhere.parts_here(mine) == []


def test_references_make_no_chain(hotel, conference):
    dinner = open_scene("dinner")
    first, second, third = take_part(hotel), take_part(conference), take_part(dinner)
    elsewhere.refer(second, first, "stay")
    assert refused(third, second, "stay") == WHY["chain"]


def test_what_is_being_bought_is_not_taken_over(hotel, conference):
    first = take_part(hotel)
    buy(conference)
    mine = Footprint.objects.get(scene=conference)
    with pytest.raises(AlreadyMatchedError):
        elsewhere.refer(mine, first, "stay")
    elsewhere_claims = LineClaim.objects.filter(claimant_kind="reference")
    assert not elsewhere_claims.exists()


def test_what_somebody_claims_is_not_taken_over(hotel, conference):
    first, mine = take_part(hotel), take_part(conference)
    cover_quote = cover.open_cover_quote(
        conference, organisation_ref="o:1", project_code="rooftop-solar", for_everyone=True
    )
    checkout.place_order(
        quote_token=cover_quote.token, beneficiary_name="So", on_board=False, language="en"
    )
    assert refused(mine, first, "stay") == WHY["claimed"]


def test_a_price_from_before_is_not_ordered(hotel, conference):
    first, mine = take_part(hotel), take_part(conference)
    stale = open_quote(project_code="rooftop-solar", footprint=fresh(mine))
    elsewhere.refer(mine, first, "stay")
    facts = {"beneficiary_name": "Lin", "on_board": False, "language": "en"}
    for fresh_quote in (None, stale):
        with pytest.raises(CoverChangedError):
            checkout.place_order(quote_token=stale.token, fresh_quote=fresh_quote, **facts)
    assert Order.objects.count() == 0


def test_erasing_keeps_the_grams_and_forgets_the_other_scene(hotel, conference):
    first, mine = take_part(hotel), take_part(conference)
    elsewhere.refer(mine, first, "stay")
    footprints.erase(fresh(mine), at=mine.created_at)
    row = Footprint.objects.get(id=mine.id)
    assert set(row.elsewhere.values()) == {""}
    assert row.elsewhere_g == grams(mine, "stay")


# --- the page -----------------------------------------------------------------------------------


def address(footprint, more=""):
    return f"/s/{footprint.scene.slug}/go/{footprint.token}{more}"


@pytest.mark.parametrize("of_order", [False, True])
def test_a_guest_names_the_other_result_by_its_link(browser, hotel, conference, of_order):
    if of_order:
        buy(hotel)
        link = f"https://example.org/o/{Order.objects.get().token}"
    else:
        link = "https://example.org" + address(take_part(hotel))
    mine = take_part(conference)
    assert "/elsewhere" in browser.get(address(mine)).content.decode()
    answer = browser.post(address(mine, "/elsewhere"), {"part": "stay", "link": link})
    assert answer.status_code == 303, answer.content.decode()
    page = browser.get(urlsplit(answer["Location"]).path).content.decode()
    assert "Already counted in another scene" in page
    assert "/s/hotel" in page
    browser.post(address(mine, "/elsewhere"), {"action": "take_back"})
    assert fresh(mine).elsewhere_g == 0


def test_this_devices_orders_are_offered(browser, hotel, conference):
    first = take_part(hotel)
    pay = browser.get(address(first, "/pay")).content.decode()
    nonce = pay.partition('name="nonce" value="')[2].partition('"')[0]
    agreed = {
        name: pay.partition(f'name="{name}" value="')[2].partition('"')[0]
        for name in ("agreed_for", "agreed_minor")
    }
    form = {"project": "rooftop-solar", "nonce": nonce} | agreed
    assert browser.post(address(first, "/pay"), form).status_code == 303
    mine = take_part(conference)
    page = browser.get(address(mine, "/elsewhere")).content.decode()
    known = f"/o/{Order.objects.get().token}"
    assert known in page
    browser.post(address(mine, "/elsewhere"), {"part": "travel", "known": known})
    assert fresh(mine).elsewhere_g == grams(mine, "travel")


@pytest.mark.parametrize("link", ["", "nonsense", "/o/nonsense", "https://example.org/s/hotel"])
def test_a_link_to_nothing_is_refused_beside_its_field(browser, conference, link):
    mine = take_part(conference)
    answer = browser.post(address(mine, "/elsewhere"), {"part": "stay", "link": link})
    assert answer.status_code == 422
    assert 'id="link-error"' in answer.content.decode()


def test_guesses_of_links_wait(browser, conference, settings):
    settings.MISSES_PER_MINUTE = 2
    limits.misses.forget()
    mine = take_part(conference)
    guesses = [{"part": "stay", "link": f"/o/{number}"} for number in range(3)]
    answers = [browser.post(address(mine, "/elsewhere"), guess).status_code for guess in guesses]
    limits.misses.forget()
    assert answers == [422, 422, 429]
