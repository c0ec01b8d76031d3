"""New forest: its ground serves once, its growth is claimed once, and only as far as verified."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from diandian.audit.queries import trail
from diandian.config import guards
from diandian.registry import actions, queries
from diandian.registry.batches.facts import WHY
from diandian.registry.errors import (
    GrowthClaimedError,
    IssuanceError,
    NotVerifiedSoMuchError,
    SiteDifferentError,
    SiteInUseError,
    SiteOverlapError,
)
from diandian.registry.invariants import check
from diandian.registry.models import CreditBatch, ProjectSite
from tests.registry.builders import TONNE, ground, make_batch
from tests.registry.builders import make_site as enter

pytestmark = pytest.mark.django_db


def grown(site, tonnes=10, **facts):
    facts = {
        "verified_g": 10 * TONNE,
        "verification_ref": "report 1",
        "site_code": site.code,
    } | facts
    return make_batch(site.project, tonnes, **facts)


# --- ground -------------------------------------------------------------------------------------


def test_a_site_keeps_its_boundary_area_and_plans():
    site = enter()
    assert (site.west, site.north) == (1022000000, 319200000)
    assert site.area_m2 == 4_198_333
    assert [entry.action for entry in trail(f"project:{site.project.code}")] == ["site.entered"]


def test_no_ground_serves_two_projects():
    first = enter()
    with pytest.raises(SiteOverlapError) as refusal:
        enter(code="mine", boundary=ground(west=102_210, south=31_890))
    assert refusal.value.params == {"site": "north-slope", "project": first.project.code}
    assert ProjectSite.objects.count() == 1


def test_no_ground_serves_twice_in_one_project_either():
    first = enter()
    with pytest.raises(SiteOverlapError):
        enter(first.project, code="again", boundary=ground(wide=5))


def test_neighbours_are_welcome():
    first = enter()
    enter(code="beside", boundary=ground(west=102_220))
    enter(first.project, code="apart", boundary=ground(west=103_000))
    assert ProjectSite.objects.count() == 3


def test_entering_twice_is_entering_once():
    first = enter()
    assert enter(first.project) == first
    with pytest.raises(SiteDifferentError):
        enter(first.project, boundary=ground(wide=19))
    assert ProjectSite.objects.count() == 1


def test_a_wrong_site_is_withdrawn_and_its_ground_is_free_again():
    wrong = enter()
    assert actions.withdraw_site(wrong, "swapped files", actor_ref="test")
    assert not actions.withdraw_site(wrong, "swapped files", actor_ref="test")
    enter(code="right")
    assert ProjectSite.objects.count() == 2


def test_a_site_that_was_credited_stays():
    site = enter()
    batch = grown(site)
    with pytest.raises(SiteInUseError) as refusal:
        actions.withdraw_site(site, "no", actor_ref="test")
    assert refusal.value.params["batch"] == batch.public_id


@pytest.mark.parametrize(
    "change",
    [{"west": 1}, {"corners": []}, {"area_m2": 1}, {"planted_on": date(2020, 1, 1)}, {"code": "x"}],
)
def test_what_was_entered_of_a_site_is_for_ever(change):
    site = enter()
    with pytest.raises(IntegrityError), transaction.atomic():
        ProjectSite.objects.filter(id=site.id).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        ProjectSite.objects.filter(id=site.id)._raw_delete("default")


# --- growth -------------------------------------------------------------------------------------


def test_verified_growth_sells():
    site = enter()
    batch = grown(site)
    assert batch.site == site
    assert queries.available_g(site.project_id) == 10 * TONNE
    assert check() == []


def test_only_verified_tonnes_serve():
    site = enter()
    with pytest.raises(NotVerifiedSoMuchError) as refusal:
        grown(site, tonnes=11)
    assert refusal.value.params == {"verified_t": 10, "issued_t": 11}
    assert queries.available_g(site.project_id) == 0


def test_blocks_of_one_report_share_its_verified_tonnes():
    site = enter()
    grown(site, tonnes=6)
    with pytest.raises(NotVerifiedSoMuchError) as refusal:
        grown(site, tonnes=5)
    assert refusal.value.params["issued_t"] == 11
    grown(site, tonnes=4)
    assert queries.available_g(site.project_id) == 10 * TONNE


def test_a_report_does_not_grow_between_two_files():
    site = enter()
    grown(site, tonnes=6)
    with pytest.raises(NotVerifiedSoMuchError) as refusal:
        grown(site, tonnes=5, verified_g=100 * TONNE)
    assert refusal.value.params == {"verified_t": 10, "issued_t": 11}


def test_planned_growth_counts_zero():
    site = enter()
    batch = grown(site, tonnes=5000, is_ex_ante=True, verified_g=None)
    assert batch.state == "draft"
    assert queries.available_g(site.project_id) == 0
    grown(site)  # and it takes nothing from what is verified


@pytest.mark.parametrize(
    "facts",
    [
        {"period_start": date(2025, 7, 1), "period_end": date(2026, 1, 10), "vintage_year": 2025},
        {"verification_ref": "report 2"},
        {"period_start": date(2024, 1, 1), "vintage_year": 2024, "verification_ref": "report 3"},
    ],
)
def test_the_growth_of_a_time_is_claimed_once(facts):
    site = enter()
    first = grown(site, tonnes=2)
    with pytest.raises(GrowthClaimedError) as refusal:
        grown(site, tonnes=2, **facts)
    assert refusal.value.params == {"site": site.code, "batch": first.public_id}


def test_the_next_years_growth_is_new():
    site = enter()
    grown(site)
    grown(
        site,
        vintage_year=2024,
        period_start=date(2024, 1, 1),
        period_end=date(2024, 12, 31),
        verification_ref="report 0",
    )
    assert CreditBatch.objects.count() == 2


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"site_code": ""}, "site_needed"),
        ({"site_code": "elsewhere"}, "site"),
        ({"verified_g": None}, "verified_needed"),
    ],
)
def test_growth_names_its_ground_and_its_verified_tonnes(facts, why):
    site = enter()
    with pytest.raises(IssuanceError) as refusal:
        grown(site, **facts)
    assert refusal.value.params["why"] == WHY[why]


def test_a_project_without_ground_has_no_site_to_name():
    with pytest.raises(IssuanceError) as refusal:
        make_batch(site_code="north-slope")
    assert refusal.value.params["why"] == WHY["site"]


# --- what the nightly check sees ----------------------------------------------------------------


def breaches():
    return [(each.rule, each.subject_ref) for each in check()]


def test_the_check_sees_ground_that_serves_twice():
    first = enter()
    second = enter(code="apart", boundary=ground(west=103_000))
    assert breaches() == []
    with guards.lifted():
        ProjectSite.objects.filter(id=second.id).update(
            corners=first.corners, west=first.west, east=first.east
        )
    assert breaches() == [("G1", f"site:{second.id}")]


def test_the_check_sees_growth_beyond_its_report():
    batch = grown(enter(), tonnes=6)
    CreditBatch.objects.filter(id=batch.id).update(verified_g=5 * TONNE)
    assert breaches() == [("G2", f"batch:{batch.public_id}")]
    CreditBatch.objects.filter(id=batch.id).update(verified_g=None)
    assert breaches() == [("G2", f"batch:{batch.public_id}")]
