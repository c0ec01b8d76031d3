"""Two people who never saw each other's work come to the same gram.

Everything beside this file in this folder is written from the methodology alone: it imports
nothing of the package, reads the published tables by its own few lines, and calculates in exact
fractions where the package uses decimals.
"""

import ast
import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from diandian.emissions.errors import FactorMissingError
from diandian.emissions.estimate import Estimate, estimate_lines
from diandian.emissions.factor_set import FactorSet, factor_set, factor_sets
from diandian.emissions.lines import Line
from diandian.emissions.scene_kind import scene_kind
from diandian.kernel.errors import InputError
from tests.emissions.golden import corpus, years
from tests.emissions.golden.visits import bare_lines, visit
from tests.emissions.second_opinion.arithmetic import Opinion, Part, opinion
from tests.emissions.second_opinion.data import Factors, RefusedError, Row
from tests.emissions.second_opinion.visits import KINDS, second_opinion

pytestmark = pytest.mark.pure

HERE = Path(__file__).parent
EDITIONS = [edition.id for edition in factor_sets()]
FOOTPRINTS, BARE = 10_000, 1_000
SEED = 20261122


def theirs(inputs: dict[str, Any], edition: str) -> Opinion | None:
    try:
        return second_opinion(inputs, _FACTORS[edition])
    except RefusedError:
        return None


_FACTORS = {edition: Factors(edition) for edition in EDITIONS}


def ours(compute: Callable[[], Estimate]) -> Opinion | None:
    try:
        estimate = compute()
    except (InputError, FactorMissingError):
        return None
    return Opinion(
        {line.key: line.mass_g for line in estimate.lines},
        estimate.mass_g,
        estimate.without_non_co2_g,
        estimate.low_g,
        estimate.high_g,
    )


def test_the_second_opinion_shares_no_code() -> None:
    modules = [path for path in HERE.glob("*.py") if not path.name.startswith("test_")]
    assert len(modules) >= 4
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = [node.module] if isinstance(node, ast.ImportFrom) else []
            named += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in named if "diandian" in str(name)], path.name


@pytest.mark.slow
def test_ten_thousand_random_footprints_agree_to_the_gram() -> None:
    dice = random.Random(SEED)
    counted, refused = 0, 0
    while counted < FOOTPRINTS:
        one, edition = visit(dice, rough=dice.random() < 0.15), dice.choice(EDITIONS)
        kind, values = scene_kind(one.kind), one.values()
        inputs = {
            "kind": one.kind,
            "answers": values,
            "city": one.context.city_key,
            "region": one.context.region,
            "country": one.context.country,
            "non_co2": one.context.non_co2,
        }
        mine = ours(lambda: kind.compute(one.context, values, factor_set(edition)))  # noqa: B023
        assert theirs(inputs, edition) == mine, (one, edition)
        counted, refused = counted + (mine is not None), refused + (mine is None)
    assert 0 < refused < counted  # both refused the same impossible journeys


def test_bare_lines_agree_in_every_unit() -> None:
    dice = random.Random(SEED)
    for number in range(BARE):
        edition = EDITIONS[number % len(EDITIONS)]
        factors = factor_set(edition)
        lines = bare_lines(dice, factors)
        assert theirs({"lines": lines}, edition) == ours(lambda: estimate_lines(factors, lines))  # noqa: B023


def test_the_golden_corpus_agrees() -> None:
    seen = set()
    for name, stated in corpus.stated():
        kind = stated["inputs"].get("kind", "lines")
        if kind not in KINDS:
            continue  # lives and inventories: their ranges are compared below
        seen.add((kind, stated["method_version"]))
        found = theirs(stated["inputs"], stated["factor_set_id"])
        assert found is not None, name
        assert [line["mass_g"] for line in stated["lines"]] == list(found.lines.values()), name
        assert stated["mass_g"] == found.mass_g, name
        assert (stated["low_g"], stated["high_g"]) == (found.low_g, found.high_g), name
        assert stated["without_non_co2_g"] == found.without_g, name
    assert seen == {(kind, method) for kind in KINDS for method in ("m1", "m2")}


def part_of(line: Line) -> Part:
    """Return a line of ours as the second opinion knows lines: its numbers, no result."""
    place, doubt = (line.factor_region, line.factor_set), line.uncertainty_factor_pct
    value = Fraction(line.value)
    return Part(
        line.key,
        Row(line.factor_id, *place, line.unit, "", False, value, line.quality, Fraction(doubt)),
        Fraction(line.activity_amount),
        Fraction(line.share),
        Fraction(line.uncertainty_activity_pct),
        Fraction(line.uncertainty_distance_pct),
        together=line.details.get("moves_with", ""),
    )


@pytest.mark.parametrize("make", [years.year, years.days, years.inventory])
def test_the_ranges_of_lives_and_inventories_agree(
    make: Callable[[random.Random, FactorSet], Estimate],
) -> None:
    dice = random.Random(SEED)
    for _ in range(100):
        estimate = make(dice, factor_set("2026.2"))
        found = opinion([part_of(line) for line in estimate.lines], "m2")
        assert {line.key: line.mass_g for line in estimate.lines} == found.lines
        assert (estimate.mass_g, estimate.low_g, estimate.high_g) == (
            found.mass_g, found.low_g, found.high_g
        )  # fmt: skip
