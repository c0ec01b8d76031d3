"""What was promised comes out again, to the gram; and a wrong digit anywhere is noticed."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

from diandian.emissions.factor import EmissionFactor
from diandian.emissions.factor_set import FactorSet, factor_set, factor_sets
from diandian.emissions.replay import METHODS, replay
from diandian.emissions.scene_kind import scene_kinds
from tests.emissions.golden import corpus
from tests.emissions.second_opinion.data import Factors
from tests.emissions.second_opinion.visits import KINDS, second_opinion

pytestmark = [pytest.mark.pure, pytest.mark.golden]

# Nobody edits what was promised: another digest here is another promise.
FROZEN = {
    "m1": "5d278db08495f5e909a215d74725a3679b12c121224853df30f73e87cb17d306",
    "m2": "82b4aaf01b92b415f3a4dcb65df2048bac03e224d46ed219b35e64ecbd37315d",
}
Name = tuple[str, str, str]
Stated = dict[str, Any]


@cache
def everything() -> dict[str, Stated]:
    return dict(corpus.stated())


def test_the_corpus_is_the_one_that_was_promised() -> None:
    assert {method: corpus.digest(method) for method in corpus.FOLDERS} == FROZEN
    assert list(FROZEN) == list(METHODS)
    for method in FROZEN:
        assert {stated["method_version"] for _, stated in corpus.stated(method)} == {method}


def test_the_corpus_holds_every_kind_and_edition() -> None:
    assert len(everything()) >= 500
    kinds = {stated["inputs"].get("kind", "lines") for stated in everything().values()}
    assert kinds >= set(scene_kinds()) | {"lines"}
    of_m2 = {stated["inputs"].get("kind", "lines") for _, stated in corpus.stated("m2")}
    assert of_m2 == set(scene_kinds()) | {"lines", "life", "life_diary", "inventory"}
    editions = {stated["factor_set_id"] for stated in everything().values()}
    assert editions == {edition.id for edition in factor_sets()}
    modes = {stated["inputs"].get("answers", {}).get("mode") for stated in everything().values()}
    assert modes >= {"train", "plane", "car", "coach", "metro", "unknown"}


def test_every_footprint_comes_out_to_the_gram() -> None:
    moved = {
        name: [str(difference) for difference in replay(stated).differences]
        for name, stated in everything().items()
    }
    assert not {name: found for name, found in moved.items() if found}


def test_a_footprint_carries_its_places_and_needs_no_table_of_ours() -> None:
    for name, stated in everything().items():
        if "places" in stated["inputs"]:
            elsewhere = stated["inputs"] | {"geo": "1999.1", "geo_sha256": "0" * 64}
            found = replay(stated | {"inputs": elsewhere})
            assert (found.same, found.places) == (True, "carried"), name


# One wrong digit ---------------------------------------------------------------------------------


def used_rows() -> Iterator[tuple[Name, Stated]]:
    """Return every row that the corpus rests on, with the footprint in which it weighs most."""
    found: dict[Name, tuple[int, Stated]] = {}
    for stated in everything().values():
        for line in stated["lines"]:
            name = (line["factor_id"], line["factor_region"], line["factor_set"])
            if name[2] not in {"own", "m1"} and line["mass_g"] > found.get(name, (0, {}))[0]:
                found[name] = (line["mass_g"], stated)
    yield from ((name, stated) for name, (_, stated) in sorted(found.items()))


def one_digit_more(value: Decimal) -> Decimal:
    """Return a value whose first digit is another one, such as 0.26201 for 0.16201."""
    sign, digits, exponent = value.as_tuple()
    return Decimal((sign, ((digits[0] % 9) + 1, *digits[1:]), exponent))


def slip(name: Name, edition: str) -> FactorSet:
    """Return an edition with one digit of one row wrong, past the check of its digest."""
    honest = factor_set(edition)
    rows = [
        replace(row, value=one_digit_more(row.value)) if row.key == name else row
        for row in honest.rows()
    ]
    head = {"id": honest.id, "method_version": honest.method_version}
    return FactorSet(head, honest.sha256, rows)


def row_of(name: Name, edition: str) -> EmissionFactor:
    return next(row for row in factor_set(edition).rows() if row.key == name)


def test_one_wrong_digit_of_any_row_is_noticed_by_all() -> None:
    rows = list(used_rows())
    assert len(rows) > 100
    for name, stated in rows:
        edition = stated["factor_set_id"]
        wrong = slip(name, edition)
        found = replay(stated, sets=lambda _: wrong)  # noqa: B023
        assert {"mass_g", "lines"} <= {part.where.partition(".")[0] for part in found.differences}
        value = Fraction(one_digit_more(row_of(name, edition).value))
        if stated["inputs"].get("kind", "lines") not in KINDS:
            continue
        other = second_opinion(stated["inputs"], Factors(edition, {name: value}))
        assert other.mass_g != stated["mass_g"], name
        assert other.mass_g == found.estimate.mass_g, name  # both are wrong in the same way


def test_one_wrong_digit_of_a_footprint_is_named() -> None:
    stated = next(iter(everything().values()))
    for field in ("value", "share", "activity_amount"):
        line = stated["lines"][0]
        wrong = line | {field: line[field] + "1"}
        found = replay(stated | {"lines": [wrong, *stated["lines"][1:]]})
        assert [part.where for part in found.differences] == [f"lines.0.{field}"]
    assert [part.where for part in replay(stated | {"mass_g": 1}).differences] == ["mass_g"]
