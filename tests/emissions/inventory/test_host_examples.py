"""The organiser's side of every kind: worked examples, boundary, defaults."""

import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from diandian.emissions import scene_kinds as package
from diandian.emissions.factor_set import FactorSet, factor_set, factor_sets
from diandian.emissions.inventory import boundary, compute
from diandian.emissions.inventory.activities import ACTIVITIES
from diandian.emissions.inventory.activity import known_at, parts
from diandian.emissions.inventory.categories import CATEGORIES, GROUPS, NZCE
from diandian.emissions.inventory.entries import Entry, Reader
from diandian.emissions.inventory.units import unit_named
from diandian.emissions.lines import CATEGORIES as BROAD
from diandian.emissions.scene_kind import scene_kinds

pytestmark = pytest.mark.pure

FOLDER = Path(next(iter(package.__path__)))


def examples() -> Iterator[Any]:
    for key in scene_kinds():
        data = tomllib.loads((FOLDER / key / "examples.toml").read_text(encoding="utf-8"))
        for example in data["host_example"]:
            yield pytest.param(data["edition"], example, id=f"{key}: {example['name']}")


def read(example: dict[str, Any], factors: FactorSet) -> list[Entry]:
    reader = Reader(factors, example["region"])
    entries = []
    for key, raw in example["entries"].items():
        found = reader.read(raw, key)
        assert found.entry is not None, {k: e.text() for k, e in found.errors.items()}
        entries.append(found.entry)
    return entries


@pytest.mark.parametrize(("edition", "example"), list(examples()))
def test_worked_examples(edition: str, example: dict[str, Any]) -> None:
    factors = factor_set(edition)
    entries = read(example, factors)
    own = compute.estimate(entries, factors, example["region"]).own
    assert {line.key: line.mass_g for line in own.lines} == example["lines"]
    assert own.mass_g == example["mass_g"]
    assert own.adds_up()
    assert compute.replay(own.inputs, factors) == own


def test_every_kind_says_what_its_organiser_counts() -> None:
    for kind in scene_kinds().values():
        keys = [source.category for source in kind.host_sources]
        assert keys
        assert len(keys) == len(set(keys))
        for source in kind.host_sources:
            assert source.reason
            for name in filter(None, (source.activity, source.china)):
                assert source.category in ACTIVITIES[name].categories
            # A default needs a base in the method; anything else is asked for.
            assert bool(source.per) == bool(source.amount)


def test_the_conference_has_all_six_groups() -> None:
    sources = scene_kinds()["conference"].host_sources
    assert {CATEGORIES[s.category].group for s in sources} >= set(GROUPS)
    assert {CATEGORIES[s.category].nzce for s in sources} == set(NZCE)


def test_sources_carry_known_tags() -> None:
    assert {category.nzce for category in CATEGORIES.values()} == set(NZCE)
    assert len(NZCE) == 9
    assert {category.group for category in CATEGORIES.values()} - {""} == set(GROUPS)
    assert len(GROUPS) == 6
    assert {category.broad for category in CATEGORIES.values()} <= set(BROAD)


@pytest.mark.parametrize("region", ["CN-SC", "CN", "NL", "GB", "US", "HK"])
def test_every_activity_can_be_counted(region: str) -> None:
    for factors in factor_sets():
        for activity in ACTIVITIES.values():
            assert set(activity.categories) <= set(CATEGORIES)
            assert unit_named(activity.unit) == activity.unit
            chinese_only = activity.key == "flight_china"
            assert known_at(activity, factors, region) == (
                not chinese_only or region.startswith("CN")
            ), activity.key
            if not known_at(activity, factors, region):
                continue
            for non_co2 in (True, False):
                for part in parts(activity, factors, region, non_co2=non_co2):
                    assert not part.found.factor.id.endswith(".rf") or non_co2
            entry = Entry("x", activity.key, activity.categories[0], Decimal(7), activity.unit)
            lines = compute.entry_lines(entry, factors, region)
            assert all(line.mass_g >= 0 for line in lines)


def test_defaults_are_marked_as_such(factors: FactorSet) -> None:
    sources = scene_kinds()["conference"].host_sources
    entries = boundary.defaults(sources, people=400, days=2, country="CN")
    own = compute.estimate(entries, factors, "CN-SC").own
    assert own.mass_g == 400 * 2 * 7520
    assert all(line.assumed and line.uncertainty_activity_pct == 60 for line in own.lines)
    assert own.word == "rough"
    elsewhere = boundary.defaults(sources, people=400, days=2, country="NL")
    assert compute.estimate(elsewhere, factors, "NL").own.mass_g == 400 * 2 * 1650
