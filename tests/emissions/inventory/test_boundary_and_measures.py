"""What is missing stays visible; a measure counts when it is confirmed, and once."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.emissions.factor_set import FactorSet, newest
from diandian.emissions.inventory import boundary, compute, measures
from diandian.emissions.inventory.boundary import Declared
from diandian.emissions.inventory.entries import Entry
from diandian.emissions.inventory.errors import MeasureError
from diandian.emissions.inventory.measures import Measure
from diandian.emissions.scene_kind import scene_kind, scene_kinds

pytestmark = pytest.mark.pure

LUNCH = Entry("lunch", "meal_buffet", "catering", Decimal(800), "meal")
FRUGAL = replace(LUNCH, activity="meal_buffet_frugal")
POWER = Entry("hall", "electricity", "electricity", Decimal(3000), "kWh", "metered")


def total(entries: object, factors: FactorSet) -> int:
    return compute.estimate(list(entries), factors, "CN-SC").own.mass_g  # type: ignore[call-overload]


def test_nothing_is_zero_because_nobody_filled_it_in(factors: FactorSet) -> None:
    sources = scene_kind("conference").host_sources
    found = compute.estimate([POWER, LUNCH], factors, "CN-SC")
    said = [
        Declared("refrigerant", "zero", "nothing was topped up"),
        Declared("water", "left_out", "no meter", expected_g=900),
        Declared("waste", "zero", "   "),
    ]
    standings = boundary.standings(sources, found.by_category(), ["electricity", "catering"], said)
    states = {standing.category: standing.state for standing in standings}
    assert states["electricity"] == states["catering"] == "counted"
    assert (states["refrigerant"], states["water"]) == ("zero", "left_out")
    assert states["waste"] == states["freight"] == "missing"
    groups = boundary.six_groups(standings)
    assert groups == {
        "combustion": "missing",
        "purchased_energy": "missing",  # heat is open
        "transport": "missing",
        "lodging_catering": "missing",
        "supplies": "missing",
        "waste": "missing",
    }


def test_each_group_counted_zero_or_left_out_once_all_is_said(factors: FactorSet) -> None:
    sources = scene_kind("restaurant").host_sources
    found = compute.estimate([POWER], factors, "CN-SC")
    said = [
        Declared(source.category, "zero" if source.category != "waste" else "left_out", "none")
        for source in sources
        if source.category != "electricity"
    ]
    standings = boundary.standings(sources, found.by_category(), ["electricity"], said)
    assert boundary.six_groups(standings) == {
        "combustion": "zero",
        "purchased_energy": "counted",
        "transport": "outside",
        "lodging_catering": "outside",
        "supplies": "zero",
        "waste": "left_out",
    }


def test_a_source_beyond_the_boundary_is_listed_too(factors: FactorSet) -> None:
    found = compute.estimate([LUNCH], factors, "CN-SC")
    sources = scene_kind("supermarket").host_sources
    standings = boundary.standings(sources, found.by_category(), ["catering"])
    assert ("catering", "counted") in {(s.category, s.state) for s in standings}


@pytest.mark.parametrize(
    ("grams", "problems"),
    [([9], set()), ([10], set()), ([11], {"a0"}), ([9] * 5, set()), ([9] * 6, {""}),
     ([600], {"a0", ""})],
)  # fmt: skip
def test_the_cut_off(grams: list[int], problems: set[str]) -> None:
    declared = [Declared(f"a{n}", "left_out", "small", expected_g=g) for n, g in enumerate(grams)]
    assert set(boundary.cut_off_problems(1000, declared)) == problems


def test_an_expected_measure_changes_nothing(factors: FactorSet) -> None:
    measure = Measure("frugal", "Frugal buffet", LUNCH, FRUGAL)
    effect = measures.effect(measure, factors, "CN-SC")
    assert (effect.expected_g, effect.confirmed_g) == (800 * (7520 - 3092), None)
    assert measures.applied([LUNCH, POWER], [measure]) == (LUNCH, POWER)


def test_a_confirmed_measure_takes_the_place_of_what_was(factors: FactorSet) -> None:
    plan = Measure("frugal", "Frugal buffet", LUNCH, FRUGAL)
    came = replace(FRUGAL, amount=Decimal(700))
    done = measures.confirm(plan, came, "b" * 64)
    effect = measures.effect(done, factors, "CN-SC")
    assert effect.confirmed_g == 800 * 7520 - 700 * 3092
    after = measures.applied([LUNCH, POWER], [done])
    assert total(after, factors) == total([LUNCH, POWER], factors) - effect.confirmed_g
    # The real amount stands there already: nothing is taken off a second time.
    assert measures.applied(after, [done]) == after


def test_a_measure_that_made_it_worse_says_so(factors: FactorSet) -> None:
    worse = replace(LUNCH, amount=Decimal(900))
    done = measures.confirm(Measure("more", "More", LUNCH, FRUGAL), worse, "b" * 64)
    assert measures.effect(done, factors, "CN-SC").confirmed_g == -100 * 7520


def test_nothing_is_confirmed_without_evidence() -> None:
    measure = Measure("frugal", "Frugal buffet", LUNCH, FRUGAL)
    with pytest.raises(MeasureError):
        measures.confirm(measure, FRUGAL, " ")
    with pytest.raises(MeasureError):
        measures.confirm(measure, POWER, "b" * 64)
    unproven = replace(measure, confirmed=FRUGAL)
    assert measures.applied([LUNCH], [unproven]) == (LUNCH,)
    assert measures.effect(unproven, newest(), "CN-SC").confirmed_g is None


def test_suggestions_save_something_and_are_ranked(factors: FactorSet) -> None:
    paper = Entry("print", "paper", "goods", Decimal(10), "kg")
    found = measures.suggestions([POWER, paper, LUNCH], factors, "CN-SC")
    assert [m.key for m in found] == ["lunch.meal_buffet_frugal", "print.paper_recycled"]
    saved = [measures.effect(m, factors, "CN-SC").expected_g for m in found]
    assert saved == sorted(saved, reverse=True)
    assert min(saved) > 0


@given(st.integers(0, 10**6), st.booleans())
def test_inventories_with_measures_add_up(amount: int, confirmed: bool) -> None:
    before = replace(LUNCH, amount=Decimal(amount))
    measure = Measure("frugal", "Frugal", before, replace(before, activity="meal_buffet_frugal"))
    if confirmed:
        measure = measures.confirm(measure, measure.expected, "b" * 64)
    saved = measures.effect(measure, newest(), "CN-SC").confirmed_g or 0
    after = measures.applied([before], [measure])
    assert total(after, newest()) == total([before], newest()) - saved


def test_kinds_stay_within_their_boundary() -> None:
    travel = {"attendee_travel", "attendee_lodging"}
    for key, kind in scene_kinds().items():
        has = {source.category for source in kind.host_sources} & travel
        assert bool(has) == (key == "conference")
