"""A year from questions: worked examples, the contract, and what must hold for any answers."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diandian.emissions import life
from diandian.emissions.activity import UNKNOWN, is_shown
from diandian.emissions.errors import (
    NotANumberError,
    NotWholeError,
    OutOfRangeError,
    TooLongError,
    UnknownChoiceError,
)
from diandian.emissions.estimate import Estimate
from diandian.emissions.factor_set import factor_set, factor_sets, newest
from diandian.emissions.life import assumptions, calculator, detailed, eating
from diandian.emissions.life.comparison import averages, climate_level, climate_levels
from diandian.emissions.lines import CATEGORIES
from diandian.kernel.canonical import canonical_json, digest_hex
from diandian.kernel.errors import InputError

pytestmark = pytest.mark.pure

FOLDER = Path(next(iter(life.__path__)))
EXAMPLES = tomllib.loads((FOLDER / "examples.toml").read_text(encoding="utf-8"))
PLACES = ("CN-SC", "CN-BJ", "CN-XZ", "NL", "GB", "FR", "US", "HK", "KE")


def year(region: str, raw: dict[str, str]) -> Estimate:
    parsed = calculator.read(region, raw)
    assert not parsed.errors, {k: e.text() for k, e in parsed.errors.items()}
    return calculator.estimate(parsed.values, newest(), region)


@pytest.mark.parametrize("example", EXAMPLES["example"], ids=lambda e: e["name"])
def test_worked_examples(example: dict[str, Any]) -> None:
    parsed = calculator.read(example["region"], example["answers"])
    assert not parsed.errors
    estimate = calculator.estimate(
        parsed.values, factor_set(EXAMPLES["edition"]), example["region"]
    )
    assert {line.key: line.mass_g for line in estimate.lines} == example["lines"]
    assert estimate.mass_g == example["mass_g"]
    check(estimate)


def check(estimate: Estimate) -> None:
    assert estimate.adds_up()
    assert 0 <= estimate.low_g <= estimate.mass_g <= estimate.high_g
    assert estimate.without_non_co2_g <= estimate.mass_g
    keys = [line.key for line in estimate.lines]
    assert len(keys) == len(set(keys))
    for line in estimate.lines:
        assert line.category in CATEGORIES
        assert line.key.partition(".")[0] in calculator.GROUPS
        assert line.label % line.params_in("nl")
        assert line.source.org
        assert line.source.year
        assert line.uncertainty_factor_pct > 0
        assert calculator.group_of(line.details.get("question", "people"))
    assert sum(calculator.by_group(estimate.lines).values()) == estimate.mass_g
    saved = [lever.saves_g for lever in estimate.levers]
    assert saved == sorted(set(saved), reverse=True)
    assert all(0 < grams <= estimate.mass_g for grams in saved)
    assert all(calculator.lever_note(lever.key) for lever in estimate.levers)
    assert Estimate.from_json(estimate.to_json()) == estimate
    assert canonical_json(estimate.to_json())
    factors = factor_set(estimate.factor_set_id)
    assert detailed.again(estimate.inputs, factors).to_json() == estimate.to_json()


def paths(region: str) -> Iterator[dict[str, str]]:
    for question in calculator.questions(region):
        given = [choice.value for choice in question.choices]
        if question.kind == "number":
            given = [str(question.minimum), str(question.maximum)]
        for value in [*given, UNKNOWN]:
            raw = {question.key: value}
            for other, allowed in (question.shown_when or {}).items():
                raw[other] = str(allowed[0])
            yield raw


@pytest.mark.parametrize("region", PLACES)
def test_every_answer_can_be_computed_everywhere(region: str) -> None:
    for raw in paths(region):
        check(year(region, raw))


def test_every_edition_and_region_can_be_computed() -> None:
    for region in calculator.regions():
        check(year(region, {}))
    for edition in factor_sets():
        values = calculator.read("CN-SC", {"heating": "gas", "diet": "much"}).values
        assert calculator.estimate(values, edition, "CN-SC").adds_up()


@pytest.mark.parametrize("region", PLACES)
def test_twelve_to_fifteen_questions_each_with_dont_know(region: str) -> None:
    asked = calculator.questions(region)
    assert len({question.key for question in asked}) == len(asked)
    for question in asked:
        assert question.unknown_allowed
        assert question.default is not None
        assert calculator.group_of(question.key)
        if question.default == UNKNOWN:
            found = assumptions.reason(question.key, calculator.context_of(region))
            assert found is not None, question.key
            assert found[0] % found[1]
    for raw in paths(region):
        values = calculator.read(region, raw).values
        shown = [q for q in asked if not q.fine_tune and is_shown(q, values)]
        assert 12 <= len(shown) <= 15, raw


def test_an_unknown_region_is_refused_at_its_field() -> None:
    for region in ("XX", "", "CN-99", "<script>", "x" * 500):
        with pytest.raises(UnknownChoiceError) as caught:
            calculator.questions(region)
        assert caught.value.field == "region"


HOSTILE = [
    "'; DROP TABLE x;--", "<script>alert(1)</script>", "\x00", "9" * 39, "９" * 39, "NaN", "-1",
    "%s%s%n", "{{7*7}}", "🚄" * 30, "\u202e1", "1" * 5000, "1e9", "Infinity",
]  # fmt: skip


@pytest.mark.parametrize("typed", HOSTILE)
def test_hostile_texts_are_refused_at_every_field(typed: str) -> None:
    raw = {"heating": "gas", "car": "petrol", "commute": "metro", "diet": "daily"}
    for question in calculator.questions("CN-SC"):
        if question.shown_when and question.key in {"home_m2", "cooking_gas_m3"}:
            continue
        parsed = calculator.read("CN-SC", raw | {question.key: typed})
        assert isinstance(parsed.errors[question.key], InputError), question.key
        assert len(parsed.errors[question.key].text()) < 400
        assert question.key not in parsed.values


@pytest.mark.parametrize(
    ("key", "typed", "error"),
    [
        ("electricity_kwh", "-5", OutOfRangeError), ("electricity_kwh", "99999", OutOfRangeError),
        ("electricity_kwh", "5 km", NotANumberError), ("people", "0", OutOfRangeError),
        ("people", "2.5", NotWholeError), ("flights_short", "1.5", NotWholeError),
        ("video_hours", "25", OutOfRangeError), ("clothes", "many", NotANumberError),
        ("clothes", "1" * 41, TooLongError), ("diet", "breatharian", UnknownChoiceError),
    ],
)  # fmt: skip
def test_bad_answers_have_an_error_of_their_own(
    key: str, typed: str, error: type[InputError]
) -> None:
    parsed = calculator.read("NL", {key: typed, "hotel_nights": "4"})
    assert isinstance(parsed.errors[key], error)
    assert parsed.values["hotel_nights"] == 4


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"electricity_kwh": "1 MWh"}, {"electricity_kwh": "１０００度"}),
        ({"car": "petrol", "car_km": "1000 miles"}, {"car": "petrol", "car_km": "1609.344 km"}),
        ({"waste_kg": "2000 g"}, {"waste_kg": "4 斤"}),
    ],
)
def test_another_unit_changes_nothing(one: dict[str, str], other: dict[str, str]) -> None:
    assert year("CN-SC", one) == year("CN-SC", other)


def steps(key: str) -> dict[str, str]:
    """Return answers that make a question count."""
    base = {"people": "2", "heating": "gas", "car": "petrol", "commute": "metro", "diet": "some"}
    return base | ({"heating": "district"} if key == "home_m2" else {})


MORE = [
    "electricity_kwh", "gas_m3", "home_m2", "car_km", "commute_km", "train_km", "flights_short",
    "flights_long", "beef_meals", "meat_meals", "coffee_cups", "alcohol_glasses", "clothes",
    "devices", "large_items", "video_hours", "hotel_nights", "waste_kg", "water_m3",
]  # fmt: skip


@given(st.sampled_from(MORE), st.integers(0, 20), st.integers(0, 20), st.sampled_from(PLACES))
@settings(deadline=None, max_examples=80)
def test_more_never_emits_less(key: str, some: int, more: int, region: str) -> None:
    low = 5 if key == "home_m2" else 0  # a home has at least five square metres
    few, many = sorted((low + some, low + more))
    less = year(region, steps(key) | {key: str(few)})
    assert less.mass_g <= year(region, steps(key) | {key: str(many)}).mass_g


@given(
    st.integers(1, 19),
    st.sampled_from(["gas", "district", "oil", "wood", "electric", "unknown"]),
    st.sampled_from(["300", "unknown"]),
    st.sampled_from(PLACES),
)
@settings(deadline=None, max_examples=80)
def test_one_more_in_the_home_never_makes_one_emit_more(
    people: int, heating: str, bill: str, region: str
) -> None:
    raw = {"heating": heating, "electricity_kwh": bill, "gas_m3": bill, "home_m2": bill}
    fewer = year(region, raw | {"people": str(people)})
    assert year(region, raw | {"people": str(people + 1)}).mass_g <= fewer.mass_g


@given(st.permutations(list(EXAMPLES["example"][0]["answers"].items())))
@settings(deadline=None, max_examples=15)
def test_the_order_of_answers_changes_nothing(pairs: list[tuple[str, str]]) -> None:
    first = year("CN-SC", EXAMPLES["example"][0]["answers"])
    assert year("CN-SC", dict(pairs)) == first


@given(st.permutations(range(28)))
@settings(deadline=None, max_examples=15)
def test_the_order_of_lines_changes_no_sum(order: list[int]) -> None:
    lines = year("CN-SC", EXAMPLES["example"][0]["answers"]).lines
    mixed = [lines[i] for i in order]
    assert calculator.by_group(mixed) == calculator.by_group(lines)


def test_a_lever_is_what_the_other_answer_gives() -> None:
    raw = EXAMPLES["example"][0]["answers"]
    now = year("CN-SC", raw)
    saves = {lever.key: lever.saves_g for lever in now.levers}
    assert saves["fewer_long"] == now.mass_g - year("CN-SC", raw | {"flights_long": "0"}).mass_g
    electric = year("CN-SC", raw | {"car": "electric"})
    assert saves["electric_car"] == now.mass_g - electric.mass_g
    less = year("CN-SC", raw | {"diet": "some"})
    every = {
        lever.key: lever.saves_g
        for lever in calculator.levers(now.inputs["answers"], newest(), "CN-SC")
    }
    assert every["less_meat"] == now.mass_g - less.mass_g
    assert len(now.levers) == 5 < len(every)


@pytest.mark.parametrize("region", PLACES)
def test_three_levers_even_where_nothing_is_known(region: str) -> None:
    assert len(year(region, {}).levers) >= 3


def test_levers_that_do_not_apply_are_left_out() -> None:
    raw = {"car": "none", "flights_short": "0", "flights_long": "0", "diet": "vegan"}
    raw |= {"commute": "walk", "clothes": "0", "devices": "0", "video_hours": "0"}
    keys = {lever.key for lever in year("NL", raw).levers}
    assert keys == {"electricity"}
    assert year("NL", raw | {"electricity_kwh": "0"}).levers == ()


def test_equal_levers_are_shown_once() -> None:
    parsed = calculator.read("NL", {"beef_meals": "2", "meat_meals": "0", "diet": "some"})
    found = calculator.levers(parsed.values, newest(), "NL")
    grams = [lever.saves_g for lever in found]
    assert len(grams) == len(set(grams))


def test_going_on_never_takes_dots_away() -> None:
    raw = EXAMPLES["example"][0]["answers"]
    values = calculator.read("CN-SC", raw).values
    answered: set[str] = set()
    before = 0
    for question in calculator.questions("CN-SC"):
        if question.fine_tune or not is_shown(question, values):
            continue
        answered.add(question.key)
        now = sum(calculator.running(values, answered, newest(), "CN-SC").values())
        assert now >= before
        before = now
    assert before == year("CN-SC", raw).mass_g


def test_what_is_not_known_is_marked_and_would_narrow() -> None:
    estimate = year("NL", {})
    assert all(line.assumed for line in estimate.lines)
    assert all(line.uncertainty_activity_pct >= 30 for line in estimate.lines)
    assert len(estimate.narrow) == 2
    assert year("NL", {"car": "none"}).narrow[0].question != "car"


def test_an_unusual_chinese_day_is_asked_back() -> None:
    usual = year("CN-SC", {"diet": "daily"})
    heavy = year("CN-SC", {"diet": "much", "beef_meals": "14", "meat_meals": "0"})
    assert usual.confirm == ()
    assert [asked.label for asked in heavy.confirm] == [eating.UNUSUAL_DAY]


def test_flights_show_both_figures() -> None:
    flown = year("NL", {"flights_short": "1", "flights_long": "1"})
    assert flown.without_non_co2_g < flown.mass_g


def test_northern_provinces_are_heated_by_the_city() -> None:
    north, south = year("CN-BJ", {}), year("CN-GD", {})
    assert any(line.factor_id == "energy.heat.district" for line in north.lines)
    assert not any(line.key.startswith("home.heating") for line in south.lines)


def test_the_french_floor_area_is_shown_as_rough_elsewhere() -> None:
    line = next(x for x in year("NL", {"heating": "gas"}).lines if x.key == "home.heating.gas")
    assert (line.reason, line.step, line.factor_region) == ("stand_in", 4, "FR")
    assert line.uncertainty_factor_pct >= 60


def test_averages_say_what_they_hold() -> None:
    for region in PLACES:
        found = averages(region)
        assert found
        assert found[-1].region == "GLO"
        assert all(f.org and f.title and f.year and f.includes and f.mass_g > 0 for f in found)
    china = averages("CN-SC")
    assert (china[0].mass_g, china[0].alike, china[0].year) == (4_200_000, True, "2017")
    assert not averages("NL")[0].alike


def test_levels_of_a_stable_climate() -> None:
    assert [level.mass_g for level in climate_levels()] == [2_500_000, 1_400_000, 700_000]
    assert climate_level(2026).year == "2030"
    assert climate_level(2031).year == "2040"
    assert climate_level(2099).year == "2050"


def test_the_assumptions_are_frozen_with_the_method() -> None:
    """Old results are computed again with this table: another one is another method version."""
    table = {
        key: {country: list(row) for country, row in some.items()}
        for key, some in assumptions._TABLE.items()
    }
    patterns = {key: list(meals) for key, meals in eating.PATTERNS.items()}
    digest = digest_hex({"table": table, "patterns": patterns})
    assert digest == "a84b6547622db2298328277044f2fe5d31f47e16f9f9085843255c3171d0cc0e"


@pytest.mark.parametrize("region", PLACES)
def test_a_part_reads_only_what_it_says(region: str) -> None:
    """Parts are remembered by the answers they say they read: no other may change them."""
    context, factors = calculator.context_of(region), newest()
    for example in EXAMPLES["example"]:
        values = calculator.read(region, example["answers"]).values
        for blocks in calculator.BLOCKS.values():
            for block in blocks:
                own = {key: value for key, value in values.items() if key in block.reads}
                assert block.lines(context, own, factors) == block.lines(context, values, factors)
