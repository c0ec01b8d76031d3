"""Bills, meals and purchases, and the diary: worked examples, refusals, sums of months."""

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diandian.emissions import life
from diandian.emissions.errors import (
    AnswerMissingError,
    FactorMissingError,
    NotANumberError,
    OutOfRangeError,
    UnknownChoiceError,
)
from diandian.emissions.estimate import Estimate
from diandian.emissions.factor_set import factor_set, newest
from diandian.emissions.life import calculator, detailed, diary
from diandian.emissions.life.activities import ALL, activities
from diandian.emissions.life.entries import LARGEST, Entry, entry_lines, units_of
from diandian.emissions.life.errors import NotADayError, TooManyEntriesError
from diandian.emissions.replay import replay
from diandian.kernel.canonical import canonical_json
from diandian.kernel.errors import InputError

pytestmark = pytest.mark.pure

FOLDER = Path(next(iter(life.__path__)))
EXAMPLES = tomllib.loads((FOLDER / "examples.toml").read_text(encoding="utf-8"))
TODAY = date(2026, 11, 22)


def items(region: str, *raw: dict[str, str]) -> list[detailed.Item]:
    parsed = detailed.read_items(region, raw, newest())
    assert not parsed.errors, {k: e.text() for k, e in parsed.errors.items()}
    return parsed.items


@pytest.mark.parametrize("example", EXAMPLES["detailed"], ids=lambda e: e["name"])
def test_worked_examples(example: dict[str, Any]) -> None:
    region, edition = example["region"], factor_set(EXAMPLES["edition"])
    values = calculator.read(region, {"people": example["people"]}).values
    lines = detailed.item_lines(items(region, *example["items"]), values, edition, region)
    assert {line.key: line.mass_g for line in lines} == example["lines"]
    assert sum(line.mass_g for line in lines) == example["mass_g"]


@pytest.mark.parametrize("region", ["CN-SC", "NL", "FR", "US"])
def test_every_activity_can_be_counted_or_is_not_offered(region: str) -> None:
    context = calculator.context_of(region)
    offered = activities(context, newest())
    assert len(offered) >= 80
    for activity in offered:
        assert activity.unit in LARGEST
        assert activity.group in calculator.GROUPS
        lines = entry_lines(Entry(activity.key, Decimal(10)), context, newest(), key="x.y")
        assert lines
        assert all(line.label % line.params for line in lines)
        assert all(line.source.org and line.factor_region for line in lines)
        assert sum(line.mass_g for line in lines) > 0 or activity.key == "walk"
    for missing in set(ALL) - {activity.key for activity in offered}:
        with pytest.raises(FactorMissingError):
            entry_lines(Entry(missing, Decimal(1)), context, newest(), key="x.y")


def test_entered_parts_replace_quick_ones_and_the_rest_stays() -> None:
    values = calculator.read("NL", {"people": "2", "heating": "gas", "gas_m3": "90"}).values
    quick = calculator.estimate(values, newest(), "NL")
    entered = items("NL", {"activity": "gas", "amount": "1000", "basis": "bill"})
    whole = detailed.estimate(values, entered, newest(), "NL")
    gone = {line.key for line in quick.lines} - {line.key for line in whole.lines}
    assert gone == {"home.gas", "home.gas.wtt"}
    assert {line.key for line in whole.lines} > {"home.gas.0", "home.gas.0.wtt"}
    assert "gas" in {lever.key for lever in calculator.levers(values, newest(), "NL")}
    assert "gas" not in {lever.key for lever in whole.levers}
    assert whole.adds_up()
    assert detailed.again(whole.inputs, newest()) == whole
    assert Estimate.from_json(whole.to_json()) == whole
    assert detailed.estimate(values, [], newest(), "NL") == quick


def test_better_data_never_widens() -> None:
    values = calculator.read("CN-SC", {"people": "3"}).values
    guess = items("CN-SC", {"activity": "electricity", "amount": "2000"})
    bill = items("CN-SC", {"activity": "electricity", "amount": "2000", "basis": "bill"})
    wide = detailed.estimate(values, guess, newest(), "CN-SC")
    narrow = detailed.estimate(values, bill, newest(), "CN-SC")
    assert wide.mass_g == narrow.mass_g
    assert narrow.high_g - narrow.low_g <= wide.high_g - wide.low_g


MIXED = [
    {"activity": "bus", "amount": "30", "period": "week"},
    {"activity": "meal_beef", "amount": "2", "period": "week"},
    {"activity": "electricity", "amount": "180", "period": "month"},
    {"activity": "tshirt_cotton", "amount": "6"},
]


@given(st.permutations(MIXED))
@settings(deadline=None, max_examples=12)
def test_the_order_of_items_changes_no_sum(raw: list[dict[str, str]]) -> None:
    one = detailed.estimate({}, items("CN-SC", *MIXED), newest(), "CN-SC")
    other = detailed.estimate({}, items("CN-SC", *raw), newest(), "CN-SC")
    for name in ("mass_g", "low_g", "high_g", "doubt_pct", "word"):
        assert getattr(one, name) == getattr(other, name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"activity": "electricity", "amount": "2", "unit": "MWh"}, {"amount": "2000"}),
        ({"activity": "car_petrol", "amount": "100", "unit": "mile"}, {"amount": "160.9344"}),
        ({"activity": "food_rice", "amount": "500", "unit": "g"}, {"amount": "1 斤"}),
        ({"activity": "bus", "amount": "10", "period": "week"}, {"amount": "１０ 公里"}),
        ({"activity": "bus", "amount": "7", "period": "month"}, {"amount": "84", "period": "year"}),
    ],
)
def test_another_unit_changes_nothing(one: dict[str, str], other: dict[str, str]) -> None:
    left = detailed.item_lines(items("CN-SC", one), {}, newest(), "CN-SC")
    right = detailed.item_lines(items("CN-SC", {**one, "unit": "", **other}), {}, newest(), "CN-SC")
    assert [line.mass_g for line in left] == [line.mass_g for line in right]


@pytest.mark.parametrize(
    ("raw", "field", "error"),
    [
        ({"activity": "rocket", "amount": "1"}, "activity", UnknownChoiceError),
        ({"activity": "meal_hotpot", "amount": "1"}, "activity", UnknownChoiceError),
        ({"activity": "", "amount": "1"}, "activity", UnknownChoiceError),
        ({"activity": "bus"}, "amount", AnswerMissingError),
        ({"activity": "bus", "amount": "-1"}, "amount", OutOfRangeError),
        ({"activity": "bus", "amount": "9" * 30}, "amount", OutOfRangeError),
        ({"activity": "bus", "amount": "600000"}, "amount", OutOfRangeError),
        ({"activity": "bus", "amount": "far"}, "amount", NotANumberError),
        ({"activity": "bus", "amount": "1", "unit": "kg"}, "unit", UnknownChoiceError),
        ({"activity": "bus", "amount": "1", "period": "moon"}, "period", UnknownChoiceError),
        ({"activity": "bus", "amount": "1", "basis": "hunch"}, "basis", UnknownChoiceError),
        ({"activity": "laptop", "amount": "1", "years": "0"}, "years", OutOfRangeError),
        ({"activity": "laptop", "amount": "1", "years": "x"}, "years", NotANumberError),
    ],
)
def test_a_bad_item_is_refused_at_its_field(
    raw: dict[str, str], field: str, error: type[InputError]
) -> None:
    good = {"activity": "metro", "amount": "10"}
    parsed = detailed.read_items("NL", [good, raw, good], newest())
    assert list(parsed.errors) == [f"items.1.{field}"]
    assert isinstance(parsed.errors[f"items.1.{field}"], error)
    assert len(parsed.items) == 2


def test_too_many_items_are_refused() -> None:
    raw = [{"activity": "metro", "amount": "1"}] * (detailed.MOST_ITEMS + 1)
    with pytest.raises(TooManyEntriesError):
        detailed.read_items("NL", raw, newest())


def noted(day: str, activity: str, amount: str, **more: str) -> diary.DiaryEntry:
    raw = {"day": day, "activity": activity, "amount": amount, **more}
    parsed = diary.read_entry("CN-SC", raw, newest(), today=TODAY)
    assert parsed.entry, {k: e.text() for k, e in parsed.errors.items()}
    return parsed.entry


DAYS = [
    noted("2026-09-30", "metro", "12 km"),
    noted("2026年11月2日", "meal_hotpot", "1"),
    noted("2026/11/02", "food_beef", "500", unit="g"),
    noted("2026-11-20", "electricity", "180 度", people="3", basis="bill"),
    noted("2026-11-20", "fast_train", "600"),
]


def test_the_course_of_months() -> None:
    course = diary.months(DAYS, newest(), "CN-SC")
    assert [(m.year, m.month) for m in course] == [(2026, 9), (2026, 10), (2026, 11)]
    # 12 x 0.04314; nothing; 3.5 + 0.5 x 28.009 + 180 x 0.1564 / 3 + 600 x 0.02518
    assert [m.mass_g for m in course] == [518, 0, 3500 + 14005 + 9384 + 15108]
    assert course[2].by_group["food"] == 17505
    assert course[2].days == 2
    assert diary.months([], newest(), "CN-SC") == ()
    whole = diary.estimate(DAYS, newest(), "CN-SC")
    assert whole.mass_g == sum(m.mass_g for m in course)
    assert whole.adds_up()
    assert diary.again(whole.inputs, newest()) == whole
    assert canonical_json(whole.to_json())


@given(st.permutations(DAYS))
@settings(deadline=None, max_examples=12)
def test_the_order_of_entries_changes_nothing(mixed: list[diary.DiaryEntry]) -> None:
    assert diary.months(mixed, newest(), "CN-SC") == diary.months(DAYS, newest(), "CN-SC")
    assert diary.estimate(mixed, newest(), "CN-SC") == diary.estimate(DAYS, newest(), "CN-SC")


def test_an_export_comes_back_as_it_was() -> None:
    assert [diary.DiaryEntry.from_json(entry.to_json()) for entry in DAYS] == DAYS


@pytest.mark.parametrize(
    "typed",
    ["", "yesterday", "2026-11-23", "1999-12-31", "2026-02-30", "2026-1_0-01", "٢٠٢٦-٠١-٠١",
     "9" * 400, "2026-11-22T10:00", "<script>", "0000-00-00"],
)  # fmt: skip
def test_what_is_no_day_is_refused(typed: str) -> None:
    raw = {"day": typed, "activity": "metro", "amount": "1"}
    parsed = diary.read_entry("NL", raw, newest(), today=TODAY)
    assert isinstance(parsed.errors["day"], NotADayError)
    assert len(parsed.errors["day"].text()) < 400
    assert parsed.entry is None


def test_each_field_of_an_entry_has_its_own_error() -> None:
    raw = {"day": "x", "activity": "metro", "amount": "-1", "basis": "y", "people": "0"}
    parsed = diary.read_entry("NL", raw, newest(), today=TODAY)
    assert set(parsed.errors) == {"day", "amount", "basis", "people"}
    parsed = diary.read_entry("NL", {"activity": "rocket"}, newest(), today=TODAY)
    assert set(parsed.errors) == {"day", "activity"}


def test_too_many_days_are_refused() -> None:
    with pytest.raises(TooManyEntriesError):
        diary.months(DAYS * 1001, newest(), "CN-SC")


def test_units_that_may_be_chosen_can_be_converted() -> None:
    for key in ("electricity", "bus", "food_rice", "petrol", "metro"):
        for unit in units_of(ALL[key]):
            raw = {"activity": key, "amount": "1", "unit": unit}
            assert items("CN-SC", raw)[0].entry.amount > 0


def test_a_stored_life_is_replayed_from_what_it_carries() -> None:
    values = calculator.read("CN-SC", {"people": "3", "diet": "daily"}).values
    entered = items("CN-SC", *MIXED)
    for estimate in (
        calculator.estimate(values, newest(), "CN-SC"),
        detailed.estimate(values, entered, newest(), "CN-SC"),
        diary.estimate(DAYS, newest(), "CN-SC"),
    ):
        assert replay(estimate.to_json()).same
