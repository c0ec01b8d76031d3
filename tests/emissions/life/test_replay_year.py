"""A certified year computed again: from what it carries, or from the answers its owner kept."""

import contextlib
import json
import random
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diandian.emissions.estimate import Estimate, without_person
from diandian.emissions.factor_set import factor_set
from diandian.emissions.life import own_answers
from diandian.emissions.life.certified import (
    carried,
    certified,
    is_carried,
    is_year,
    sums_alone,
)
from diandian.emissions.life.own_answers import NotAnswersError
from diandian.emissions.replay import (
    InputsAbsentError,
    NotReplayableError,
    UnknownEditionError,
    UnknownMethodError,
)
from diandian.emissions.replay_year import replay_year
from diandian.kernel.canonical import canonical_json
from diandian.kernel.errors import DiandianError
from diandian.verifier import certificate as verifier
from tests.emissions.golden import lives

pytestmark = pytest.mark.pure

TEXT = "NL~people~2~electricity_kwh~u~heating~gas~gas_m3~90.5~car~none~diet~daily"
ITEMS = "electricity*180*bill*month*1~laptop*1*count*once*4"
LINK = "https://example.org/life/result?" + urlencode({"a": TEXT, "i": ITEMS})
EDITION = factor_set("2025.1")


@pytest.fixture
def year() -> Estimate:
    return own_answers.of_link(LINK).estimate(EDITION)


@pytest.fixture
def stated(year: Estimate) -> dict[str, Any]:
    return dict(json.loads(json.dumps(carried(year))))


def test_what_it_carries_gives_the_sums_again(stated: dict[str, Any], year: Estimate) -> None:
    found = replay_year(stated)
    assert found.same
    assert found.estimate.lines == year.lines
    assert canonical_json(stated)
    assert verifier._estimate({"estimate": stated}) == ""


def test_random_years_of_any_edition_come_out_from_file_and_from_link() -> None:
    dice = random.Random(1)
    for number in range(60):
        factors = factor_set(("2026.1", "2024.1")[number % 2])
        one = lives.year(dice, factors)
        made = one.estimate(factors)
        assert replay_year(json.loads(json.dumps(carried(made)))).same
        kept = {
            "schema": own_answers.SCHEMA,
            "region": one.region,
            "answers": dict(one.values),
            "items": [item.to_json() for item in one.items],
        }
        again = replay_year(certified(made), own_answers.of_document(json.loads(json.dumps(kept))))
        assert again.differences == ()


def test_without_answers_it_says_where_they_are(year: Estimate) -> None:
    with pytest.raises(InputsAbsentError):
        replay_year(certified(year))
    assert replay_year(certified(year), own_answers.of_link(LINK)).same


def test_a_changed_sum_and_a_changed_line_are_named(stated: dict[str, Any]) -> None:
    stated["lines"][0]["mass_g"] += 1
    assert [each.where for each in replay_year(stated).differences] == ["lines.home"]
    assert "sums" in verifier._estimate({"estimate": stated | {"mass_g": stated["mass_g"] + 1}})
    stated["lines"][0]["mass_g"] -= 1
    stated["carried"]["lines"][2]["value"] = "9"
    assert [each.where for each in replay_year(stated).differences] == ["carried.lines.2.value"]


def test_a_year_that_was_swapped_is_noticed(stated: dict[str, Any]) -> None:
    stated["carried"]["inputs"]["answers"]["people"] = 3
    where = {each.where for each in replay_year(stated).differences}
    assert {"mass_g", "lines.home", "carried.mass_g"} <= where
    stated["carried"]["low_g"] -= 1
    assert "another one" in verifier._estimate({"estimate": stated})


def test_answers_of_another_year_are_named(stated: dict[str, Any]) -> None:
    other = own_answers.of_link(LINK.replace("people~2", "people~4").replace("%7E2", "%7E4"))
    where = {each.where for each in replay_year(sums_alone(stated), other).differences}
    assert where >= {"mass_g", "lines.home"}
    assert "lines.food" not in where


def test_erasing_takes_along_what_it_carries(stated: dict[str, Any]) -> None:
    erased = without_person(stated)
    assert "carried" not in erased
    assert "electricity" not in json.dumps(erased)
    assert is_year(erased)
    assert not is_carried(erased)
    assert is_carried(stated)
    assert not is_carried(sums_alone(stated))
    assert erased["lines"] == [line | {"details": {}, "params": {}} for line in stated["lines"]]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"carried": {"inputs": {"kind": "hotel"}}}, NotReplayableError),
        ({"carried": {"inputs": 7}}, NotReplayableError),
        ({"carried": 7}, InputsAbsentError),
        ({"lines": 7}, NotReplayableError),
        ({"lines": [{"key": [], "mass_g": 1}]}, NotReplayableError),
    ],
)
def test_what_cannot_be_computed_is_refused(
    stated: dict[str, Any], change: dict[str, Any], error: type[DiandianError]
) -> None:
    with pytest.raises(error):
        replay_year(stated | change)


def test_an_edition_or_method_nobody_knows_is_refused(stated: dict[str, Any]) -> None:
    answers = own_answers.of_link(LINK)
    with pytest.raises(UnknownEditionError):
        replay_year(stated | {"factor_set_id": "2099.1"}, answers)
    with pytest.raises(UnknownMethodError):
        replay_year(stated | {"method_version": "m9"}, answers)


@pytest.mark.parametrize(
    "link",
    [
        "https://example.org/life/result", "?a=", "?a=XX~people~2", "?a=NL~people~many",
        "?a=NL~wings~2", "?a=NL&i=rocket*1*bill*year*1", "?a=NL&i=bus*1*bill", "http://[?a=NL",
        "?a=NL&i=bus*far*bill*year*1",
    ],
)  # fmt: skip
def test_a_link_that_is_not_understood_is_refused(link: str) -> None:
    with pytest.raises(NotAnswersError, match="Nothing was computed"):
        own_answers.of_link(link).estimate(EDITION)


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"schema": "diandian/life/2"}, {"schema": own_answers.SCHEMA},
     {"schema": own_answers.SCHEMA, "region": "NL", "answers": [1]},
     {"schema": own_answers.SCHEMA, "region": "NL", "items": [1]},
     {"schema": own_answers.SCHEMA, "region": "NL", "items": {"a": 1}}],
)  # fmt: skip
def test_a_file_that_is_not_understood_is_refused(document: object) -> None:
    with pytest.raises(NotAnswersError):
        own_answers.of_document(document).estimate(EDITION)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)


@given(st.integers(0, 2**32), JUNK)
@settings(deadline=None, max_examples=100)
def test_no_certificate_brings_it_down(seed: int, junk: Any) -> None:
    dice = random.Random(seed)
    document: Any = json.loads(json.dumps(carried(own_answers.of_link(LINK).estimate(EDITION))))
    spot, key = document, dice.choice(list(document))
    while isinstance(spot[key], dict) and spot[key] and dice.random() < 0.8:
        spot = spot[key]
        key = dice.choice(list(spot))
    spot[key] = junk
    with contextlib.suppress(DiandianError):
        replay_year(document)


@given(st.text(max_size=60), st.text(max_size=40))
def test_no_link_brings_it_down(a: str, i: str) -> None:
    with contextlib.suppress(NotAnswersError):
        own_answers.of_link("?" + urlencode({"a": a, "i": i})).estimate(EDITION)
