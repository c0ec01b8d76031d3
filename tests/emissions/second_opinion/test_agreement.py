"""Two people who never saw each other's work come to the same gram.

Everything beside this file in this folder is written from the methodology alone: it imports
nothing of the package, reads the published tables by its own few lines, and calculates in exact
fractions where the package uses decimals.
"""

import ast
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diandian.emissions.errors import FactorMissingError
from diandian.emissions.estimate import Estimate, estimate_lines
from diandian.emissions.factor_set import factor_set, factor_sets
from diandian.emissions.scene_kind import scene_kind
from diandian.kernel.errors import InputError
from tests.emissions.golden import corpus
from tests.emissions.golden.visits import bare_lines, visit
from tests.emissions.second_opinion.arithmetic import Opinion
from tests.emissions.second_opinion.data import Factors, RefusedError
from tests.emissions.second_opinion.visits import second_opinion

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
    for name, stated in corpus.stated():
        found = theirs(stated["inputs"], stated["factor_set_id"])
        assert found is not None, name
        assert [line["mass_g"] for line in stated["lines"]] == list(found.lines.values()), name
        assert stated["mass_g"] == found.mass_g, name
        assert (stated["low_g"], stated["high_g"]) == (found.low_g, found.high_g), name
        assert stated["without_non_co2_g"] == found.without_g, name
