"""Lines, intervals and bare activity lines: the arithmetic and its refusals."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.emissions.attributions import attributions
from diandian.emissions.errors import ActivityLineError
from diandian.emissions.estimate import Estimate, estimate_lines
from diandian.emissions.factor_set import FactorSet, factor_set, newest
from diandian.emissions.lines import mass_of
from diandian.emissions.uncertainty import INTERVALS, interval, total_doubt
from diandian.kernel.canonical import canonical_json

pytestmark = pytest.mark.pure

RAIL = {"factor": "transport.rail.high_speed", "region": "CN", "amount": "1454.692"}
FLIGHT = {"factor": "transport.air.long_haul.economy.rf", "region": "GB", "amount": "1000"}


def own(kg: str, doubt: str, basis: str, source: str = "meter") -> dict[str, Any]:
    factor = {"value": "1", "unit": "kg", "source": source, "uncertainty_pct": doubt}
    return {"own_factor": factor, "amount": kg, "basis": basis}


def test_a_bare_line(factors: FactorSet) -> None:
    estimate = estimate_lines(factors, [RAIL])
    assert estimate.mass_g == 36629
    assert estimate.lines[0].category == "travel"
    assert Estimate.from_json(estimate.to_json()) == estimate


@pytest.mark.parametrize(
    ("amount", "value", "share", "grams"),
    [("1", "0.0005", "1", 1), ("1", "0.00049", "1", 0), ("3", "0.0005", "0.5", 1),
     ("0", "53.5", "1", 0)],
)  # fmt: skip
def test_a_line_is_rounded_once_half_up(amount: str, value: str, share: str, grams: int) -> None:
    assert mass_of(Decimal(amount), Decimal(value), Decimal(share)) == grams


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=12))
def test_the_total_is_the_sum_of_the_rounded_lines(amounts: list[int]) -> None:
    raw = [RAIL | {"amount": Decimal(amount) / 1000} for amount in amounts]
    estimate = estimate_lines(newest(), raw)
    assert estimate.mass_g == sum(line.mass_g for line in estimate.lines)
    assert estimate.adds_up()


@given(st.permutations(range(4)))
def test_the_order_of_lines_changes_nothing(order: list[int]) -> None:
    raw = [RAIL, FLIGHT, own("160", "30", "count"), own("7", "60", "default", "other")]
    first = estimate_lines(newest(), raw)
    other = estimate_lines(newest(), [raw[i] for i in order])
    for name in ("mass_g", "low_g", "high_g", "word", "without_non_co2_g", "doubt_pct"):
        assert getattr(first, name) == getattr(other, name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"amount": "16.09344", "unit": "km"}, {"amount": "10", "unit": "mile"}),
        ({"amount": "1.5", "unit": "km"}, {"amount": "1500", "unit": "m"}),
    ],
)
def test_another_unit_changes_nothing(one: dict[str, str], other: dict[str, str]) -> None:
    factor = {"own_factor": {"value": "0.2", "unit": "km", "source": "log"}}
    masses = {estimate_lines(newest(), [factor | amount]).mass_g for amount in (one, other)}
    assert len(masses) == 1


def test_both_figures_of_a_flight(factors: FactorSet) -> None:
    estimate = estimate_lines(factors, [FLIGHT])
    assert (estimate.mass_g, estimate.without_non_co2_g) == (117040, 69260)


def test_the_worked_interval_of_the_methodology(factors: FactorSet) -> None:
    raw = [own("1000", "30", "ticket", "flight"), own("160", "30", "count", "hotel")]
    estimate = estimate_lines(factor_set("2026.1"), raw)
    assert estimate.doubt_pct == "26.5"  # sqrt(300^2 + 48^2 + 50^2) / 1160
    assert estimate.interval_form == "symmetric"
    assert estimate.high_g - estimate.mass_g == estimate.mass_g - estimate.low_g
    estimate = estimate_lines(factors, raw)
    assert (estimate.doubt_pct, estimate.interval_form) == ("26.5", "factor")
    assert (estimate.low_g, estimate.high_g) == (916_996, 1_467_400)  # 1160 / 1.265, x 1.265


def test_a_thousand_guests_do_not_make_one_factor_certain(factors: FactorSet) -> None:
    one = estimate_lines(factors, [FLIGHT | {"basis": "count"}])
    many = estimate_lines(factors, [FLIGHT | {"basis": "count"}] * 1000)
    assert one.doubt_pct == many.doubt_pct == "30.0"
    apart = [own("100", "30", "count", f"meter {number}") for number in range(100)]
    assert estimate_lines(factors, apart).doubt_pct == "3.0"


def test_large_doubt_prints_a_factor_range(factors: FactorSet) -> None:
    estimate = estimate_lines(factors, [own("100", "100", "count")])
    assert (estimate.low_g, estimate.high_g) == (50000, 200000)
    assert (estimate.interval_form, estimate.word) == ("factor", "rough")


def test_by_m1_a_doubtful_line_over_a_third_is_enough() -> None:
    factors = factor_set("2026.1")
    raw = [own("40", "100", "count", "a"), own("60", "5", "count", "b")]
    assert estimate_lines(factors, raw).interval_form == "factor"
    raw = [own("30", "100", "count", "a"), own("70", "5", "count", "b")]
    assert estimate_lines(factors, raw).interval_form == "symmetric"


def test_nothing_has_no_doubt() -> None:
    assert total_doubt([]) == 0
    assert {interval([], method)[:3] for method in INTERVALS} == {(0, 0, 0)}


GOOD = {"factor": "energy.electricity.grid", "region": "CN-SC", "amount": "10"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": "-1"}, "amount"), ({"amount": "1e13"}, "amount"), ({"amount": 1.5}, "amount"),
        ({"amount": True}, "amount"), ({"amount": "NaN"}, "amount"), ({"amount": None}, "amount"),
        ({"amount": "1e-12"}, "amount"), ({"amount": "Infinity"}, "amount"),
        ({"amount": "1e999999999"}, "amount"), ({"amount": "ten"}, "amount"),
        ({"amount": ["1"]}, "amount"), ({"amount": "1" * 5000}, "amount"),
        ({"factor": "no.such"}, "factor"), ({"factor": None}, "factor"), ({"factor": 7}, "factor"),
        ({"factor": "gwp100.ar5.ch4"}, "factor"), ({"region": "x" * 300}, "region"),
        ({"unit": "km"}, "unit"), ({"unit": ""}, "unit"), ({"share": "11"}, "share"),
        ({"share": "-0.1"}, "share"), ({"basis": "hunch"}, "basis"),
        ({"own_factor": "1"}, "own_factor"),
        ({"own_factor": {"value": "1", "unit": "kWh"}}, "own_factor.source"),
        ({"own_factor": {"value": "-1", "unit": "kWh", "source": "x"}}, "own_factor.value"),
    ],
)  # fmt: skip
def test_a_bad_line_is_refused_at_its_field(
    factors: FactorSet, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(ActivityLineError) as caught:
        estimate_lines(factors, [GOOD, GOOD | change])
    assert caught.value.field == f"lines.1.{field}"


@pytest.mark.parametrize("lines", [[], {}, "x", None, [1], [GOOD] * 1001])
def test_a_bad_list_is_refused(factors: FactorSet, lines: Any) -> None:
    with pytest.raises(ActivityLineError) as caught:
        estimate_lines(factors, lines)
    assert caught.value.field.startswith("lines")


def test_conversion_and_shares(factors: FactorSet) -> None:
    line = {"factor": "energy.electricity.grid", "region": "CN-SC", "amount": 2, "unit": "MWh"}
    estimate = estimate_lines(factors, [line | {"share": "0.25", "basis": "meter"}])
    assert estimate.mass_g == 78200  # 2000 kWh x 0.1564 x 0.25
    assert estimate.inputs["lines"][0]["amount"] == "2000"


def test_an_estimate_names_its_set_and_holds_no_floats(factors: FactorSet) -> None:
    estimate = estimate_lines(factors, [RAIL, own("1", "5", "meter")])
    assert (estimate.factor_set_id, estimate.factor_set_sha256) == (factors.id, factors.sha256)
    assert (estimate.method_version, estimate.rounding) == ("m2", "r1")
    assert canonical_json(estimate.to_json())  # refuses floats and decimals


def test_an_older_edition_gives_the_older_value() -> None:
    old = estimate_lines(factor_set("2025.1"), [FLIGHT])
    assert old.mass_g == 200110


def test_attributions_name_the_sources_that_ask_for_it() -> None:
    words = " ".join(entry.text for entry in attributions())
    for name in ("GeoNames", "Open Government Licence v3.0", "Ember", "ADEME", "Cornell"):
        assert name in words
