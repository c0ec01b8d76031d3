"""Scene kinds: the worked examples, the contract, and what must hold for any answers."""

import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diandian.emissions import scene_kinds as package
from diandian.emissions.activity import parse
from diandian.emissions.errors import (
    ModeTooFarError,
    NoAirportError,
    SamePlaceFlightError,
    UnknownSceneKindError,
)
from diandian.emissions.estimate import Estimate
from diandian.emissions.factor_set import FactorSet, factor_set, factor_sets, newest
from diandian.emissions.lines import CATEGORIES, recomputed_g
from diandian.emissions.scene_kind import SceneContext, SceneKind, scene_kind, scene_kinds
from diandian.kernel.canonical import canonical_json
from diandian.kernel.errors import InputError

pytestmark = pytest.mark.pure

FOLDER = Path(next(iter(package.__path__)))
CHENGDU = SceneContext("geonames:1815286", "CN-SC", "CN")
AMSTERDAM = SceneContext("geonames:2759794", "NL", "NL")


def answer(kind: SceneKind, context: SceneContext, raw: dict[str, str]) -> Estimate:
    parsed = parse(kind.questions(context), raw)
    assert not parsed.errors, {k: e.text() for k, e in parsed.errors.items()}
    return kind.compute(context, parsed.values, newest())


def examples() -> Iterator[Any]:
    for key in scene_kinds():
        data = tomllib.loads((FOLDER / key / "examples.toml").read_text(encoding="utf-8"))
        for example in data["example"]:
            yield pytest.param(key, data["edition"], example, id=f"{key}: {example['name']}")


@pytest.mark.parametrize(("key", "edition", "example"), list(examples()))
def test_worked_examples(key: str, edition: str, example: dict[str, Any]) -> None:
    context = SceneContext(example["city"], example["region"], example["country"])
    kind = scene_kind(key)
    parsed = parse(kind.questions(context), example["answers"])
    assert not parsed.errors
    estimate = kind.compute(context, parsed.values, factor_set(edition))
    assert {line.key: line.mass_g for line in estimate.lines} == example["lines"]
    for name in ("mass_g", "low_g", "high_g", "without_non_co2_g", "word"):
        if name in example:
            assert getattr(estimate, name) == example[name], name
    by_m2 = kind.compute(context, parsed.values, factor_set("2026.2"))
    assert by_m2.mass_g == example["mass_g"]
    for name, value in example.get("by_m2", {}).items():
        assert getattr(by_m2, name) == value, name


def test_every_kind_keeps_the_contract() -> None:
    kinds = scene_kinds()
    promised = {"conference", "scenic_spot", "restaurant", "hotel", "supermarket", "other"}
    assert promised <= set(kinds)
    for key, kind in kinds.items():
        assert set(kind.names) == {"zh-Hans", "en", "nl"}
        assert (FOLDER / key / "icon.svg").read_text().count("currentColor") == 1
        for context in (CHENGDU, AMSTERDAM):
            asked = kind.questions(context)
            keys = [question.key for question in asked]
            assert len(keys) == len(set(keys))
            assert 2 <= sum(not q.fine_tune and not q.shown_when for q in asked) <= 6
            for question in asked:
                assert question.label
                assert question.kind != "choice" or len(question.choices) > 1
                assert question.kind != "number" or question.maximum > question.minimum


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UnknownSceneKindError):
        scene_kind("funfair")


def every_choice(kind: SceneKind, context: SceneContext) -> Iterator[dict[str, str]]:
    base = {"from": "西安", "mode": "train", "nights": "2", "stay": "mid", "way": "taxi"}
    for question in kind.questions(context):
        values = [choice.value for choice in question.choices]
        for value in [*values, *(["unknown"] if question.unknown_allowed else [])]:
            raw = base | {question.key: value}
            for other, allowed in (question.shown_when or {}).items():
                raw[other] = str(allowed[0]).lower()
            yield raw


@pytest.mark.parametrize("country", ["CN", "NL"])
@pytest.mark.parametrize("key", sorted(scene_kinds()))
def test_every_choice_can_be_computed(key: str, country: str) -> None:
    kind, context = scene_kind(key), CHENGDU if country == "CN" else AMSTERDAM
    for raw in every_choice(kind, context):
        if raw.get("mode") in {"metro", "coach", "car"} and country == "NL":
            raw["from"] = "Rotterdam"
        parsed = parse(kind.questions(context), raw)
        assert not parsed.errors, raw
        if raw.get("mode") == "metro" and country == "CN":
            with pytest.raises(ModeTooFarError):
                kind.compute(context, parsed.values, newest())
            continue
        for edition in factor_sets():
            estimate = kind.compute(context, parsed.values, edition)
            check(estimate)


def check(estimate: Estimate) -> None:
    assert estimate.adds_up()
    assert 0 <= estimate.low_g <= estimate.mass_g <= estimate.high_g
    assert estimate.without_non_co2_g <= estimate.mass_g
    assert estimate.word in {"high", "fair", "rough"}
    keys = [line.key for line in estimate.lines]
    assert len(keys) == len(set(keys))
    for line in estimate.lines:
        assert line.category in CATEGORIES
        assert line.mass_g >= 0
        assert line.step in {1, 2, 3, 4}
        assert line.label % line.params_in("nl")
        assert line.source.org
        assert line.source.title
        assert line.source.year
    assert all(lever.saves_g > 0 and lever.label % lever.params for lever in estimate.levers)
    saved = [lever.saves_g for lever in estimate.levers]
    assert saved == sorted(saved, reverse=True)
    assert max(saved, default=0) <= estimate.mass_g
    again = Estimate.from_json(estimate.to_json())
    assert again == estimate
    assert canonical_json(again.to_json()) == canonical_json(estimate.to_json())


CITIES = st.sampled_from(["北京", "上海", "西安", "昆明", "Amsterdam", "London", "Tokyo", "九寨沟"])
CONFERENCE = st.fixed_dictionaries(
    {
        "from": CITIES,
        "mode": st.sampled_from(["train", "plane", "car", "unknown"]),
        "nights": st.integers(0, 60).map(str),
        "stay": st.sampled_from(
            ["budget", "mid", "high", "five_star", "hostel", "friends", "unknown"]
        ),
        "room_people": st.integers(1, 6).map(str),
        "cabin": st.sampled_from(["economy", "premium_economy", "business", "first", "unknown"]),
        "occupants": st.integers(1, 9).map(str),
        "fuel": st.sampled_from(["petrol", "diesel", "hybrid", "electric", "unknown"]),
        "trip": st.sampled_from(["return", "one_way"]),
        "local": st.sampled_from(["unknown", "taxi", "metro", "bus", "bicycle", "none"]),
    }
)


@given(CONFERENCE)
@settings(deadline=None, max_examples=60)
def test_any_conference_answers_give_a_sound_estimate(raw: dict[str, str]) -> None:
    kind = scene_kind("conference")
    parsed = parse(kind.questions(CHENGDU), raw)
    assert not parsed.errors
    try:
        estimate = kind.compute(CHENGDU, parsed.values, newest())
    except ModeTooFarError:
        return
    check(estimate)


@given(CONFERENCE, st.integers(1, 8))
@settings(deadline=None, max_examples=40)
def test_more_people_in_the_car_never_make_one_emit_more(raw: dict[str, str], people: int) -> None:
    car = raw | {"mode": "car", "from": "西安"}
    fewer = answer(scene_kind("conference"), CHENGDU, car | {"occupants": str(people)})
    more = answer(scene_kind("conference"), CHENGDU, car | {"occupants": str(people + 1)})
    assert more.mass_g <= fewer.mass_g


@given(st.decimals(0, 9999, places=3), st.decimals(0, 9999, places=3))
@settings(deadline=None, max_examples=40)
def test_more_kilometres_never_emit_less(one: Decimal, other: Decimal) -> None:
    raw = {"from": "西安", "mode": "car"}
    short, long = sorted((one, other))
    kind = scene_kind("conference")
    near = answer(kind, CHENGDU, raw | {"car_km": str(short)})
    far = answer(kind, CHENGDU, raw | {"car_km": str(long)})
    assert near.mass_g <= far.mass_g


@given(st.integers(0, 59))
@settings(deadline=None, max_examples=20)
def test_more_nights_never_emit_less(nights: int) -> None:
    raw = {"from": "西安", "mode": "train", "stay": "mid"}
    kind = scene_kind("conference")
    few = answer(kind, CHENGDU, raw | {"nights": str(nights)})
    many = answer(kind, CHENGDU, raw | {"nights": str(nights + 1)})
    assert few.mass_g <= many.mass_g


def test_there_and_back_is_multiplied_once() -> None:
    kind, raw = scene_kind("conference"), {"from": "西安", "mode": "train"}
    both = answer(kind, CHENGDU, raw)
    one = answer(kind, CHENGDU, raw | {"trip": "one_way"})
    travel = [e.lines[0].activity_amount for e in (both, one)]
    assert travel[0] == 2 * travel[1]


def test_a_scene_without_non_co2_takes_the_twin_row() -> None:
    kind = scene_kind("conference")
    raw = {"from": "London", "mode": "plane"}
    plain = SceneContext("geonames:1815286", "CN-SC", "CN", non_co2=False)
    counted, left_out = answer(kind, CHENGDU, raw), answer(kind, plain, raw)
    assert counted.without_non_co2_g == left_out.mass_g == left_out.without_non_co2_g
    assert counted.mass_g > left_out.mass_g
    assert left_out.lines[0].factor_id.endswith(".norf")


def test_bands_of_flights() -> None:
    kind = scene_kind("conference")

    def row(start: str, context: SceneContext = CHENGDU, **more: str) -> str:
        raw = {"from": start, "mode": "plane"} | more
        return answer(kind, context, raw).lines[0].factor_id

    assert row("西安") == "transport.air.china_domestic.rf"
    assert row("重庆") == "transport.air.domestic.average.rf"
    assert row("香港") == "transport.air.short_haul.economy.rf"
    assert row("London", cabin="first") == "transport.air.long_haul.first.rf"
    assert row("London", AMSTERDAM) == "transport.air.domestic.average.rf"
    assert row("Athens, Greece", AMSTERDAM, cabin="first") == "transport.air.short_haul.business.rf"


def test_a_city_without_airport_gets_a_ground_leg() -> None:
    estimate = answer(scene_kind("conference"), AMSTERDAM, {"from": "都江堰", "mode": "plane"})
    keys = {line.key for line in estimate.lines}
    assert "travel.ground.1" not in keys  # Chengdu's airport is within 60 km
    estimate = answer(scene_kind("conference"), AMSTERDAM, {"from": "峨眉山", "mode": "plane"})
    ground = next(line for line in estimate.lines if line.key == "travel.ground.1")
    assert ground.assumed
    assert Decimal(ground.details["great_circle_km"]) <= 150


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        ({"from": "成都", "mode": "plane"}, SamePlaceFlightError),
        ({"from": "都江堰", "mode": "plane"}, SamePlaceFlightError),
        ({"from": "Amsterdam", "mode": "metro"}, ModeTooFarError),
        ({"from": "Sydney, Australia", "mode": "car"}, ModeTooFarError),
    ],
)
def test_impossible_journeys_are_refused_at_the_field(
    raw: dict[str, str], error: type[InputError]
) -> None:
    kind = scene_kind("conference")
    parsed = parse(kind.questions(CHENGDU), raw)
    with pytest.raises(error) as caught:
        kind.compute(CHENGDU, parsed.values, newest())
    assert caught.value.field == "mode"


def test_no_airport_is_said_so() -> None:
    error = NoAirportError(field="from", place="Nowhere")
    assert "150 km" in error.text()


def test_praise_is_the_difference_to_flying() -> None:
    kind, raw = scene_kind("conference"), {"from": "西安", "nights": "2", "stay": "mid"}
    train = answer(kind, CHENGDU, raw | {"mode": "train"})
    plane = answer(kind, CHENGDU, raw | {"mode": "plane"})
    assert train.praise is not None
    assert train.praise.saves_g == plane.mass_g - train.mass_g
    assert train.praise.params == {"dots": "190"}
    lever = next(lever for lever in plane.levers if lever.key == "train")
    assert lever.saves_g == plane.mass_g - train.mass_g
    assert plane.praise is None


def test_a_lever_is_what_the_other_answer_gives() -> None:
    kind = scene_kind("conference")
    raw = {"from": "西安", "mode": "train", "nights": "3", "stay": "high"}
    now = answer(kind, CHENGDU, raw)
    fewer = answer(kind, CHENGDU, raw | {"nights": "2"})
    saves = {lever.key: lever.saves_g for lever in now.levers}
    assert saves["one_night_fewer"] == now.mass_g - fewer.mass_g
    simpler = answer(kind, CHENGDU, raw | {"stay": "mid"})
    assert saves["simpler"] == now.mass_g - simpler.mass_g


def test_who_walks_and_stays_at_home_emits_nothing() -> None:
    raw = {"live_here": "on", "mode": "metro", "ride": "walk"}
    estimate = answer(scene_kind("conference"), CHENGDU, raw)
    assert estimate.mass_g == estimate.low_g == estimate.high_g == 0
    assert not estimate.levers
    assert estimate.word == "high"


def test_an_unknown_hotel_prints_its_range() -> None:
    raw = {"from": "西安", "mode": "train", "nights": "2", "stay": "unknown"}
    estimate = answer(scene_kind("conference"), CHENGDU, raw)
    line = next(line for line in estimate.lines if line.category == "stay")
    assert (line.mass_g, line.assumed) == (42000, True)
    assert line.details["printed_low_kg"] == "22.000"
    assert line.details["printed_high_kg"] == "107.000"
    assert estimate.narrow[0].question == "stay"


def test_a_heavy_day_of_meals_is_asked_back() -> None:
    raw = {"from": "西安", "mode": "train", "nights": "2", "meal_kind": "banquet"}
    kind = scene_kind("conference")
    heavy = answer(kind, CHENGDU, raw | {"meals": "6"})
    assert [asked.question for asked in heavy.confirm] == ["meal_kind"]
    assert answer(kind, CHENGDU, raw | {"meals": "2"}).confirm == ()


def test_a_stored_estimate_is_checked_by_its_own_numbers(factors: FactorSet) -> None:
    raw = {"from": "西安", "mode": "plane", "nights": "2", "stay": "high"}
    estimate = answer(scene_kind("conference"), CHENGDU, raw)
    stored = Estimate.from_json(estimate.to_json())
    assert stored.factor_set_sha256 == factors.sha256
    assert [recomputed_g(line) for line in stored.lines] == [x.mass_g for x in stored.lines]
    again = scene_kind(stored.inputs["kind"]).compute(CHENGDU, stored.inputs["answers"], factors)
    assert again == estimate
