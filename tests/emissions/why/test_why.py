"""The explanations say what the program says, and what the second opinion says."""

import pytest

from diandian.emissions.factor_set import factor_set
from diandian.emissions.known_trips import TRIPS, Trip, trip
from tests.emissions.second_opinion.data import Factors
from tests.emissions.second_opinion.visits import second_opinion
from tests.emissions.why.pages import (
    BLOCK,
    FOLDER,
    NOW,
    NUMBER,
    OLD,
    filled,
    kg,
    known_numbers,
    page,
)

pytestmark = pytest.mark.pure

each_trip = pytest.mark.parametrize("known", TRIPS, ids=lambda known: known.key)


@each_trip
def test_tables_are_those_of_the_program(known: Trip) -> None:
    text = page(known).read_text(encoding="utf-8")
    assert [found[1] for found in BLOCK.findall(text)] == ["lines", "old"]
    assert text == filled(known, text), "run python -m tests.emissions.why.write"


@each_trip
def test_no_other_number_is_stated(known: Trip) -> None:
    stated = set(NUMBER.findall(page(known).read_text(encoding="utf-8")))
    assert stated
    assert stated <= known_numbers(known)


@each_trip
@pytest.mark.parametrize("edition", [NOW, OLD])
def test_the_second_opinion_says_the_same(known: Trip, edition: str) -> None:
    estimate = known.estimate(factor_set(edition))
    other = second_opinion(estimate.inputs, Factors(edition))
    assert {line.key: line.mass_g for line in estimate.lines} == other.lines
    assert (estimate.mass_g, estimate.low_g, estimate.high_g) == (
        other.mass_g, other.low_g, other.high_g
    )  # fmt: skip
    assert kg(other.mass_g) in page(known).read_text(encoding="utf-8")


def test_every_page_has_its_trip_and_every_trip_its_page() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == {"README"} | {t.key for t in TRIPS}
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    for known in TRIPS:
        assert f"({known.key}.md)" in index
        assert trip(known.key) is known


def test_a_wrong_number_in_a_page_is_noticed() -> None:
    known = TRIPS[0]
    text = page(known).read_text(encoding="utf-8")
    wrong = text.replace("0.02518", "0.02519")
    assert wrong != filled(known, wrong)
    assert not set(NUMBER.findall(wrong)) <= known_numbers(known)
