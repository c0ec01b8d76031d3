"""The second opinion on lives, diaries and inventories: the same gram and the same range."""

import random
from fractions import Fraction
from typing import Any

import pytest

from diandian.emissions.estimate import Estimate
from diandian.emissions.factor_set import factor_set, factor_sets
from tests.emissions.golden import hosts, lives, packed
from tests.emissions.second_opinion import entered
from tests.emissions.second_opinion import hosts as second
from tests.emissions.second_opinion.arithmetic import Opinion
from tests.emissions.second_opinion.data import Factors

pytestmark = pytest.mark.pure

EDITIONS = [edition.id for edition in factor_sets()]
FACTORS = {edition: Factors(edition) for edition in EDITIONS}
LIVES, DIARIES, INVENTORIES = 3_000, 1_000, 1_000
SEED = 20261128


def ours(estimate: Estimate) -> Opinion:
    return Opinion(
        {line.key: line.mass_g for line in estimate.lines},
        estimate.mass_g,
        estimate.without_non_co2_g,
        estimate.low_g,
        estimate.high_g,
    )


def said_by(host: hosts.Host, inputs: dict[str, Any]) -> second.Said:
    guests = None if host.guests is None else [guest.inputs for guest in host.guests]
    part = Fraction(host.organiser_pct)
    return second.Said(inputs, guests, host.attendance, host.scene.city_key, part)


@pytest.mark.slow
def test_three_thousand_random_years_agree_to_the_gram() -> None:
    dice = random.Random(SEED)
    detailed = 0
    for number in range(LIVES):
        edition = EDITIONS[number % len(EDITIONS)]
        factors = factor_set(edition)
        one = lives.year(dice, factors)
        estimate = one.estimate(factors)
        assert entered.year(estimate.inputs, FACTORS[edition]) == ours(estimate), one
        detailed += bool(one.items)
    assert LIVES // 3 < detailed < LIVES


@pytest.mark.slow
def test_a_thousand_random_diaries_agree_to_the_gram() -> None:
    dice = random.Random(SEED)
    for number in range(DIARIES):
        edition = EDITIONS[number % len(EDITIONS)]
        factors = factor_set(edition)
        estimate = lives.days(dice, factors).estimate(factors)
        assert entered.diary(estimate.inputs, FACTORS[edition]) == ours(estimate), estimate.inputs


@pytest.mark.slow
def test_a_thousand_random_inventories_agree_to_the_gram() -> None:
    dice = random.Random(SEED)
    extrapolated = 0
    for number in range(INVENTORIES):
        edition = EDITIONS[number % len(EDITIONS)]
        host = hosts.host(dice, edition)
        made = host.inventory(factor_set(edition))
        own, guests = second.inventory(said_by(host, made.own.inputs), FACTORS[edition])
        assert own == ours(made.own), host.entries
        assert guests == ours(made.guests), host.entries
        strata = made.own.inputs.get("guests", {}).get("strata", [])
        extrapolated += any(stratum["state"] == "extrapolated" for stratum in strata)
    assert extrapolated > INVENTORIES // 5


def test_the_packed_corpus_agrees() -> None:
    for name, stated in packed.stated():
        inputs, factors = stated["inputs"], FACTORS[stated["factor_set_id"]]
        if inputs["kind"] == "inventory":
            said = second.Said(inputs)
            if asked := stated["asked"]:
                part = Fraction(asked["organiser_pct"])
                said = second.Said(
                    inputs, asked["guests"], asked["attendance"], asked["city"], part
                )
            found, guests = second.inventory(said, factors)
            theirs = [guests.mass_g, guests.low_g, guests.high_g]
            assert not asked or theirs == asked["theirs"], name
        else:
            opinion = {"life": entered.year, "life_diary": entered.diary}[inputs["kind"]]
            found = opinion(inputs, factors)
        assert [line["mass_g"] for line in stated["lines"]] == list(found.lines.values()), name
        assert (stated["low_g"], stated["mass_g"], stated["high_g"]) == (
            found.low_g,
            found.mass_g,
            found.high_g,
        ), name
        assert stated["without_non_co2_g"] == found.without_g, name
