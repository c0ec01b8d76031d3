"""What must hold between two results, whatever the numbers are."""

import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diandian.emissions.activity import parse
from diandian.emissions.context import SceneContext
from diandian.emissions.errors import FactorMissingError
from diandian.emissions.estimate import Estimate, estimate_lines
from diandian.emissions.factor_set import newest
from diandian.emissions.geo import resolve_place
from diandian.emissions.lines import Line
from diandian.emissions.scene_kind import scene_kind
from diandian.kernel.errors import InputError
from tests.emissions.golden.visits import UNITS, bare_lines, visit

pytestmark = pytest.mark.pure

SHORT_KM, LONG_KM = 500, 3700  # where flights change their row
CITIES = ("成都", "北京", "上海", "Amsterdam", "London", "Dubai", "Singapore", "Tokyo", "New York")
RAIL = {"factor": "transport.rail.high_speed", "region": "CN"}


def scene(city: str) -> SceneContext:
    found = resolve_place(city)
    return SceneContext(found.key, found.region, found.country)


def estimated(kind: str, raw: dict[str, str], context: SceneContext | None = None) -> Estimate:
    context = context or scene("成都")
    found = scene_kind(kind)
    parsed = parse(found.questions(context), raw)
    assert not parsed.errors, parsed.errors
    return found.compute(context, parsed.values, newest())


def numbers(estimate: Estimate) -> tuple[object, ...]:
    names = ("mass_g", "low_g", "high_g", "without_non_co2_g", "doubt_pct", "word")
    return tuple(getattr(estimate, name) for name in names)


# More is never less ------------------------------------------------------------------------------

KM = st.decimals(0, 500, places=3)
FUELS = st.sampled_from(["petrol", "diesel", "hybrid", "electric", "unknown"])
RIDES = st.sampled_from(["taxi", "metro", "bus", "ebike", "bicycle", "walk"])


@given(KM, KM, FUELS, st.integers(1, 9))
@settings(deadline=None, max_examples=60)
def test_more_kilometres_by_car_are_never_less(a: Decimal, b: Decimal, fuel: str, n: int) -> None:
    raw = {"from": "西安", "mode": "car", "fuel": fuel, "occupants": str(n)}
    near, far = (estimated("other", raw | {"car_km": str(km)}) for km in sorted((a, b)))
    assert near.mass_g <= far.mass_g
    # U is printed, and counted, to a tenth of a per cent: a step of it outweighs some metres.
    assert near.high_g <= far.high_g + far.mass_g // 1000


@given(KM, KM, RIDES, st.sampled_from(["成都", "Amsterdam"]))
@settings(deadline=None, max_examples=60)
def test_more_kilometres_about_town_are_never_less(
    a: Decimal, b: Decimal, ride: str, city: str
) -> None:
    for kind, way, km in (("conference", "local", "local_km"), ("restaurant", "way", "way_km")):
        raw = {"live_here": "on", "mode": "metro", "ride": "walk", way: ride}
        near, far = (estimated(kind, raw | {km: str(x)}, scene(city)) for x in sorted((a, b)))
        assert near.mass_g <= far.mass_g


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=60)
def test_more_of_anything_is_never_less(seed: int) -> None:
    dice = random.Random(seed)
    lines = bare_lines(dice, newest())
    more = [dict(line) for line in lines]
    chosen = dice.choice(more)
    chosen["amount"] = str(Decimal(chosen["amount"]) + dice.randint(0, 1000))
    assert estimate_lines(newest(), lines).mass_g <= estimate_lines(newest(), more).mass_g


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=200)
def test_one_more_to_share_with_never_makes_one_emit_more(seed: int) -> None:
    dice = random.Random(seed)
    one = visit(dice)
    shared = dice.choice(["occupants", "room_people", "diners"])
    asked = {q.key: q for q in scene_kind(one.kind).questions(one.context)}
    people = dice.randint(1, int(asked[shared].maximum) - 1) if shared in asked else 1
    results = []
    for count in (people, people + 1):
        try:
            results.append(estimated(one.kind, one.raw | {shared: str(count)}, one.context))
        except (InputError, FactorMissingError):
            return
    assert results[1].mass_g <= results[0].mass_g


# Splitting a journey -----------------------------------------------------------------------------


def flights(estimate: Estimate) -> list[Line]:
    return [line for line in estimate.lines if line.key.startswith("travel.air")]


def flown(start: str, end: str, **more: str) -> list[Line]:
    return flights(estimated("other", {"from": start, "mode": "plane"} | more, scene(end)))


@pytest.mark.parametrize(("start", "via", "end"), [
    ("成都", "北京", "Amsterdam"), ("上海", "Dubai", "London"), ("Tokyo", "成都", "Singapore"),
    ("New York", "London", "Dubai"), ("北京", "上海", "Tokyo"), ("Amsterdam", "London", "New York"),
])  # fmt: skip
def test_a_journey_is_the_sum_of_its_legs(start: str, via: str, end: str) -> None:
    whole = flown(start, end, via=via)
    legs = flown(start, via) + flown(via, end)
    assert [line.mass_g for line in whole] == [line.mass_g for line in legs]
    assert [line.factor_id for line in whole] == [line.factor_id for line in legs]


@pytest.mark.parametrize("start", CITIES)
def test_the_row_of_a_flight_changes_at_the_documented_bands_only(start: str) -> None:
    for end in CITIES:
        if start == end:
            continue
        line = flown(start, end)[0]
        km = Decimal(line.details["great_circle_km"])
        band = line.factor_id.split(".")[2]
        inside_china = {start, end} <= {"成都", "北京", "上海"}
        documented = "domestic" if km < SHORT_KM else "short_haul" if km <= LONG_KM else "long_haul"
        assert band == ("china_domestic" if inside_china and km >= SHORT_KM else documented)


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=100)
def test_two_single_trips_are_one_return(seed: int) -> None:
    one = visit(random.Random(seed), "conference")
    try:
        single = estimated("conference", one.raw | {"trip": "one_way"}, one.context)
        both = estimated("conference", one.raw | {"trip": "return"}, one.context)
    except (InputError, FactorMissingError):
        return
    for there, back in zip(single.lines, both.lines, strict=True):
        times = 2 if there.category == "travel" else 1
        assert back.activity_amount == times * there.activity_amount
        assert abs(back.mass_g - times * there.mass_g) <= 1  # each line is rounded once


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8))
def test_a_distance_in_parts_differs_by_rounding_only(parts: list[int]) -> None:
    pieces = [RAIL | {"amount": str(part), "basis": "count"} for part in parts]
    whole = estimate_lines(newest(), [RAIL | {"amount": str(sum(parts)), "basis": "count"}])
    split = estimate_lines(newest(), pieces)
    assert 2 * abs(whole.mass_g - split.mass_g) <= len(parts) + 1
    # One row errs in one way, however many lines it has.
    assert whole.doubt_pct == split.doubt_pct


# Units and order ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "texts"), [
    ("way_km", ["6.5", "6.5 km", "6.5 公里", "6500 m", "６.５千米", "6500米"]),
    ("beef_kg", ["0.5", "500 g", "1斤", "0.5 公斤", "500克", "半公斤"]),
])  # fmt: skip
def test_an_answer_in_another_unit_is_the_same(key: str, texts: list[str]) -> None:
    found = {numbers(estimated("supermarket", {"way": "taxi", key: text})) for text in texts}
    assert len(found) == 1


def test_miles_are_kilometres_to_the_metre() -> None:
    raw = {"way": "taxi"}
    miles = estimated("supermarket", raw | {"way_km": "10 miles"})
    assert numbers(miles) == numbers(estimated("supermarket", raw | {"way_km": "16.093"}))


SIZES = {("MWh", "kWh"): "1000", ("mile", "km"): "1.609344", ("g", "kg"): "0.001",
         ("us_gallon", "litre"): "3.785411784", ("litre", "m3"): "0.001"}  # fmt: skip


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=100)
def test_activity_in_another_unit_is_the_same(seed: int) -> None:
    rows = {row.unit: row for row in newest().rows() if not row.id.startswith("gwp100.")}
    dice = random.Random(seed)
    unit = dice.choice([unit for unit in UNITS if unit in rows])
    amount = Decimal(dice.randint(0, 10**6)) / 1000
    same = amount * Decimal(SIZES[UNITS[unit], unit])
    base: dict[str, Any] = {"factor": rows[unit].id, "region": rows[unit].region}
    one = estimate_lines(newest(), [base | {"amount": amount, "unit": UNITS[unit]}])
    if same.as_tuple().exponent >= -9:  # as many places as may be typed
        assert numbers(one) == numbers(estimate_lines(newest(), [base | {"amount": same}]))


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=60)
def test_the_order_of_lines_changes_nothing(seed: int) -> None:
    dice = random.Random(seed)
    lines = bare_lines(dice, newest())
    mixed = dice.sample(lines, len(lines))
    assert numbers(estimate_lines(newest(), lines)) == numbers(estimate_lines(newest(), mixed))


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=60)
def test_the_order_of_answers_changes_nothing(seed: int) -> None:
    dice = random.Random(seed)
    one = visit(dice)
    mixed = dict(dice.sample(list(one.raw.items()), len(one.raw)))
    try:
        found = estimated(one.kind, one.raw, one.context)
    except (InputError, FactorMissingError):
        return
    assert found == estimated(one.kind, mixed, one.context)
