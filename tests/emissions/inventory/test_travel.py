"""Guests' travel: their own grams to the gram, the others by stratum, honest with few answers."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.emissions.activity import parse
from diandian.emissions.errors import FactorMissingError
from diandian.emissions.estimate import Estimate, estimate_lines
from diandian.emissions.factor_set import FactorSet, newest
from diandian.emissions.inventory import compute, travel
from diandian.emissions.inventory.entries import Entry
from diandian.emissions.inventory.errors import AttendanceError, EntryBrokenError
from diandian.emissions.inventory.travel import GuestAnswer
from diandian.emissions.lines import Line, mass_of
from diandian.emissions.replay import replay
from diandian.emissions.scene_kind import SceneContext, scene_kind
from diandian.kernel.canonical import canonical_json

pytestmark = pytest.mark.pure

STRATA = tuple(travel.STRATA)


def trip(km: object, basis: str = "estimate", factor: str = "transport.rail.high_speed") -> Line:
    raw = {"factor": factor, "region": "CN", "amount": str(km), "basis": basis}
    return estimate_lines(newest(), [raw]).lines[0]


def guest(stratum: str, km: object = 1000, basis: str = "estimate") -> GuestAnswer:
    return GuestAnswer(stratum, (trip(km, basis),))


def inventory(sample: list[GuestAnswer], attendance: dict[str, int], **more: Any) -> Any:
    guests = travel.extrapolate(sample, STRATA, attendance, factors=newest(), **more)
    return compute.estimate([], newest(), "CN-SC", guests=guests)


@pytest.fixture
def visit(chengdu: SceneContext, factors: FactorSet) -> Callable[..., Estimate]:
    def make(**raw: str) -> Estimate:
        kind = scene_kind("conference")
        parsed = parse(kind.questions(chengdu), raw)
        assert not parsed.errors
        return kind.compute(chengdu, parsed.values, factors)

    return make


def test_answers_keep_their_grams_and_leave_out_own_meals(
    visit: Callable[..., Estimate], factors: FactorSet
) -> None:
    visits = [
        visit(**{"from": city, "mode": mode, "nights": "2", "stay": stay})
        for city, mode, stay in (
            ("西安", "train", "mid"), ("北京", "plane", "unknown"), ("重庆", "car", "hostel"),
            ("Amsterdam", "plane", "five_star"), ("上海", "unknown", "friends"),
        )
    ]  # fmt: skip
    sample = [travel.answer(v, city_key="geonames:1815286", country="CN") for v in visits] * 7
    guests = travel.extrapolate(sample, STRATA, {}, factors=factors)
    own = compute.estimate([], factors, "CN-SC", guests=guests).own
    shown = [line.mass_g for v in visits for line in v.lines if line.category != "food"]
    assert own.mass_g == 7 * sum(shown)
    assert own.without_non_co2_g < own.mass_g
    assert own.adds_up()
    assert {item.stratum for item in sample} == {"same_country", "abroad"}
    # Nobody's journey can be read from it.
    text = canonical_json(own.to_json()).decode()
    assert "geonames" not in text
    assert "Amsterdam" not in text


def test_a_stored_inventory_replays(factors: FactorSet) -> None:
    power = Entry("hall", "electricity", "electricity", Decimal(900), "kWh", "metered")
    sample = [guest("abroad", km) for km in (100, 7000, 800, 900, 1000)]
    guests = travel.extrapolate(sample, STRATA, {"abroad": 9}, factors=factors)
    own = compute.estimate([power], factors, "CN-SC", guests=guests).own
    stored = json.loads(json.dumps(own.to_json()))
    assert not replay(stored).differences
    stored["inputs"]["entries"][0]["amount"] = "901"
    assert replay(stored).differences


def test_where_a_guest_comes_from(visit: Callable[..., Estimate]) -> None:
    near = visit(**{"from": "成都", "mode": "metro", "nights": "0"})
    assert travel.answer(near, city_key="geonames:1815286", country="CN").stratum == "same_city"
    for band, stratum in (
        ("band:under_50", "same_city"), ("band:200_500", "same_country"),
        ("band:abroad_near", "abroad"), ("unknown", "same_country"), ("iata:AMS", "abroad"),
    ):  # fmt: skip
        said = replace(near, inputs={"answers": {"from": band}})
        assert travel.answer(said, city_key="geonames:1815286", country="CN").stratum == stratum
    erased = replace(near, inputs={})
    assert travel.answer(erased, city_key="x", country="CN").stratum == "same_country"


def test_the_mean_stands_for_the_missing() -> None:
    sample = [guest("same_country", km) for km in (800, 900, 1000, 1100, 1200)]
    result = inventory(sample, {"same_country": 20})
    mean = 25180  # 1000 km x 0.02518
    assert result.own.mass_g == 5 * mean + 15 * mean
    late = [line for line in result.own.lines if line.details["guests"] == "extrapolated"]
    assert {(line.quality, line.assumed) for line in late} == {("D", True)}
    # s = 158.1, s / mean = 0.1581; t(4) = 2.776; sqrt(1/5 + 1/15) = 0.5164: 22.7 %; with 60: 64.1
    stratum = result.own.inputs["guests"]["strata"][1]
    assert (stratum["sampling_pct"], stratum["doubt_pct"]) == ("22.7", "64.1")
    assert stratum["mean_g"] == mean


def test_a_thin_stratum_borrows_from_the_farther_one() -> None:
    sample = [guest("same_city", 10)] * 3 + [guest("same_country", 500)] * 6
    result = inventory(sample, {"same_city": 10, "same_country": 6})
    stratum = result.own.inputs["guests"]["strata"][0]
    assert stratum["borrowed"] == ["same_country"]
    assert stratum["mean_g"] > 252  # never less than its own mean


def test_borrowing_never_makes_a_total_smaller() -> None:
    near, far = [guest("same_country", 100)] * 200, [guest("abroad", 9000)] * 3
    alone = inventory(far, {"abroad": 3}).own.mass_g
    result = inventory(near + far, {"same_country": 1000, "abroad": 50})
    stratum = result.own.inputs["guests"]["strata"][2]
    assert stratum["mean_g"] == alone // 3
    assert stratum["borrowed"] == []
    assert Decimal(stratum["doubt_pct"]) >= 60


def test_fewer_than_five_answers_say_nothing_about_the_others() -> None:
    result = inventory([guest("abroad")] * 4, {"abroad": 100, "same_city": 7})
    assert result.own.mass_g == 4 * 25180
    assert result.uncounted_people == 96 + 7
    assert [s["state"] for s in result.own.inputs["guests"]["strata"]] == [
        "too_few",
        "complete",
        "too_few",
    ]
    nobody = inventory([], {"abroad": 3})
    assert (nobody.own.mass_g, nobody.uncounted_people) == (0, 3)


def test_more_answers_than_people_is_refused() -> None:
    with pytest.raises(AttendanceError) as caught:
        inventory([guest("abroad")] * 4, {"abroad": 3})
    assert caught.value.field == "abroad"
    with pytest.raises(AttendanceError):
        travel.attendance_from_total(3, [guest("abroad")] * 4)
    with pytest.raises(EntryBrokenError):
        inventory([guest("the moon")], {})


@given(st.lists(st.sampled_from(STRATA), max_size=40), st.integers(0, 500))
def test_a_total_is_spread_without_losing_anybody(where: list[str], more: int) -> None:
    sample = [GuestAnswer(stratum, ()) for stratum in where]
    people = len(sample) + more
    spread = travel.attendance_from_total(people, sample)
    assert sum(spread.values()) == people
    assert all(spread[key] >= where.count(key) for key in STRATA)


@given(st.integers(0, 100), st.lists(st.integers(1, 9000), min_size=5, max_size=12))
def test_a_split_tiles_every_gram(pct: int, kilometres: list[int]) -> None:
    sample = [guest("same_country", km) for km in kilometres]
    whole = inventory(sample, {})
    part = inventory(sample, {}, organiser_pct=Decimal(pct))
    assert part.own.mass_g + part.guests.mass_g == whole.own.mass_g
    assert part.own.adds_up()
    assert part.guests.adds_up()
    # The guests' part is what each of them is shown, line by line.
    rest = (100 - Decimal(pct)) / 100
    shown = [travel_share(item.lines[0], rest) for item in sample]
    assert part.guests.mass_g == sum(shown)


def travel_share(line: Line, rest: Decimal) -> int:
    return mass_of(line.activity_amount, line.value, rest)


def test_what_the_guests_own_is_shown_and_not_added() -> None:
    result = inventory([guest("abroad")] * 6, {"abroad": 9}, organiser_pct=Decimal(0))
    assert result.own.mass_g == 0
    assert result.guests.mass_g == 9 * 25180


@given(
    st.lists(st.integers(50, 9000), min_size=5, max_size=20),
    st.integers(1, 60),
)
def test_one_more_person_never_emits_less(kilometres: list[int], missing: int) -> None:
    sample = [guest("same_country", km) for km in kilometres]
    people = len(sample) + missing
    one = inventory(sample, {"same_country": people}).own
    more = inventory(sample, {"same_country": people + 1}).own
    assert more.mass_g >= one.mass_g


@given(st.integers(5, 40), st.integers(1, 40), st.integers(1, 40))
def test_more_answers_never_widen(answers: int, extra: int, silent: int) -> None:
    people = answers + extra + silent
    few = inventory([guest("abroad")] * answers, {"abroad": people}).own
    many = inventory([guest("abroad")] * (answers + extra), {"abroad": people}).own
    assert many.mass_g == few.mass_g
    assert few.low_g <= many.low_g
    assert many.high_g <= few.high_g


def test_a_ticket_instead_of_a_guess_never_widens() -> None:
    doubts = []
    for changed in range(7):
        guesses = [guest("abroad")] * (6 - changed) + [guest("abroad", basis="ticket")] * changed
        doubts.append(Decimal(inventory(guesses, {"abroad": 12}).own.doubt_pct))
    assert doubts == sorted(doubts, reverse=True)


@given(st.permutations(range(6)))
def test_the_order_of_guests_changes_nothing(order: list[int]) -> None:
    sample = [guest("abroad", 100 * n + 1) for n in range(6)]
    one = inventory(sample, {"abroad": 9}).own
    other = inventory([sample[n] for n in order], {"abroad": 9}).own
    for name in ("mass_g", "low_g", "high_g", "doubt_pct"):
        assert getattr(one, name) == getattr(other, name)


def test_a_shared_factor_stays_as_doubtful_for_five_thousand() -> None:
    few = inventory([guest("abroad", basis="count")] * 5, {}).own
    many = inventory([guest("abroad", basis="count")] * 5000, {}).own
    assert few.doubt_pct == many.doubt_pct == "30.0"
    assert many.mass_g == 5000 * 25180


def test_words_of_a_senders_own_factor_do_not_reach_the_inventory(factors: FactorSet) -> None:
    own = {"value": "1", "unit": "km", "source": "Anna's log"}
    line = estimate_lines(factors, [{"own_factor": own, "amount": "1"}]).lines[0]
    sample = [GuestAnswer("abroad", (replace(line, category="travel"),))] * 6
    result = inventory(sample, {"abroad": 8})
    assert b"Anna" not in canonical_json(result.own.to_json())
    with pytest.raises(FactorMissingError):
        factors.find("own", "")
