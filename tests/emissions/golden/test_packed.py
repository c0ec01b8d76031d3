"""Years, diaries and inventories that were promised come out again, and no row slips unnoticed."""

import json
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from diandian.emissions.factor_set import FactorSet, factor_set
from diandian.emissions.inventory import activities as hosts
from diandian.emissions.inventory import compute, travel
from diandian.emissions.inventory.categories import GROUPS
from diandian.emissions.inventory.entries import QUALITIES, Entry
from diandian.emissions.life import activities, calculator
from diandian.emissions.replay import again, replay
from tests.emissions.golden import packed
from tests.emissions.golden.test_golden import one_digit_more, slip
from tests.emissions.second_opinion.data import Factors, Fraction
from tests.emissions.second_opinion.entered import diary, year

pytestmark = [pytest.mark.pure, pytest.mark.golden]

# Nobody edits what was promised: another digest here is another promise.
FROZEN = "2004f6868ca73b1a1dc5967f01f2d5892f77669facef7954598ccde954d458c6"
Stated = dict[str, Any]
OPINIONS = {"life": year, "life_diary": diary}


@cache
def everything() -> dict[str, Stated]:
    return dict(packed.stated())


def of_kind(kind: str) -> dict[str, Stated]:
    return {name: each for name, each in everything().items() if each["inputs"]["kind"] == kind}


def test_the_corpus_is_the_one_that_was_promised() -> None:
    assert packed.digest() == FROZEN


def test_the_corpus_holds_lives_of_every_sort() -> None:
    years = [each["inputs"] for each in of_kind("life").values()]
    detailed = [inputs for inputs in years if inputs.get("items")]
    assert len(years) >= 150
    assert min(len(detailed), len(years) - len(detailed)) >= 50
    assert len({inputs["country"] for inputs in years}) >= 10
    assert {item["activity"] for inputs in detailed for item in inputs["items"]} | {
        entry["activity"]
        for each in of_kind("life_diary").values()
        for entry in each["inputs"]["entries"]
    } == set(activities.ALL)
    mostly_unknown = [
        inputs
        for inputs in years
        if 2 * list(inputs["answers"].values()).count("unknown") > len(inputs["answers"])
    ]
    assert len(mostly_unknown) >= 15
    assert {
        line["key"].partition(".")[0] for each in of_kind("life").values() for line in each["lines"]
    } == set(calculator.GROUPS)
    assert len(of_kind("life_diary")) >= 60


def test_the_corpus_holds_inventories_of_every_sort() -> None:
    made = of_kind("inventory").values()
    entries = [entry for each in made for entry in each["inputs"]["entries"]]
    assert len(made) >= 60
    assert {entry["activity"] for entry in entries} == set(hosts.ACTIVITIES)
    assert {entry["quality"] for entry in entries} == set(QUALITIES)
    assert {entry["organiser_pct"] for entry in entries} >= {"0", "40", "100"}
    assert any(entry["own"] for entry in entries)
    groups = {compute.CATEGORIES[entry["category"]].group for entry in entries}
    assert groups == {*GROUPS, ""}
    strata = [
        stratum for each in made for stratum in each["inputs"].get("guests", {}).get("strata", [])
    ]
    assert {stratum["state"] for stratum in strata} == set(travel.STATES)
    thin = [stratum for stratum in strata if 0 < stratum["answers"] < travel.FEWEST]
    assert any(stratum["borrowed"] for stratum in thin)
    assert any(stratum["state"] == "extrapolated" and not stratum["borrowed"] for stratum in thin)


def test_every_one_comes_out_to_the_gram() -> None:
    moved = {
        name: [str(difference) for difference in replay(stated).differences]
        for name, stated in everything().items()
    }
    assert not {name: found for name, found in moved.items() if found}


def _inventory(stated: Stated) -> compute.Inventory:
    """Compute an inventory from what its guests answered, not from the lines that it carries."""
    factors, inputs, said = factor_set(stated["factor_set_id"]), stated["inputs"], stated["asked"]
    estimates = [again(guest, factors) for guest in said["guests"]]
    country = inputs["region"][:2]
    guests = travel.extrapolate(
        [travel.answer(each, city_key=said["city"], country=country) for each in estimates],
        tuple(travel.STRATA),
        said["attendance"],
        factors=factors,
        organiser_pct=packed.pct_of(stated),
    )
    entries = [Entry.from_json(entry) for entry in inputs["entries"]]
    more = {"guests": guests, "non_co2": inputs["non_co2"]}
    return compute.estimate(entries, factors, inputs["region"], **more)


def test_every_inventory_comes_out_from_what_its_guests_said() -> None:
    asked = {name: each for name, each in of_kind("inventory").items() if each["asked"]}
    assert len(asked) >= 40
    for name, stated in asked.items():
        made = _inventory(stated)
        assert made.own.inputs == stated["inputs"], name
        assert (made.own.mass_g, made.own.low_g, made.own.high_g) == tuple(
            stated[end] for end in ("mass_g", "low_g", "high_g")
        ), name
        guests = [made.guests.mass_g, made.guests.low_g, made.guests.high_g]
        assert guests == stated["asked"]["theirs"], name


# One wrong digit ---------------------------------------------------------------------------------


def heaviest(kinds: tuple[str, ...]) -> dict[tuple[str, str, str], Stated]:
    """Return the rows that are computed from inputs, each with the footprint it weighs most in."""
    found: dict[tuple[str, str, str], tuple[int, Stated]] = {}
    for stated in (each for kind in kinds for each in of_kind(kind).values()):
        for line in stated["lines"]:
            name = (line["factor_id"], line["factor_region"], line["factor_set"])
            carried = kinds == ("inventory",) and not line["key"].split(".")[1].startswith("e")
            if name[2] != "own" and not carried and line["mass_g"] > found.get(name, (0, {}))[0]:
                found[name] = (line["mass_g"], stated)
    return {name: stated for name, (_, stated) in sorted(found.items())}


def test_one_wrong_digit_of_any_row_of_a_life_is_noticed_by_all() -> None:
    rows = heaviest(("life", "life_diary"))
    assert len(rows) > 120
    for name, stated in rows.items():
        edition = stated["factor_set_id"]
        wrong: FactorSet = slip(name, edition)
        found = replay(stated, sets=lambda _: wrong)  # noqa: B023
        assert "mass_g" in {part.where for part in found.differences}, name
        row = next(row for row in factor_set(edition).rows() if row.key == name)
        values = {name: Fraction(one_digit_more(row.value))}
        other = OPINIONS[stated["inputs"]["kind"]](stated["inputs"], Factors(edition, values))
        assert other.mass_g == found.estimate.mass_g != stated["mass_g"], name


def test_one_wrong_digit_of_any_row_of_an_inventory_is_noticed() -> None:
    rows = heaviest(("inventory",))
    assert len(rows) > 120
    for name, stated in rows.items():
        wrong = slip(name, stated["factor_set_id"])
        found = replay(stated, sets=lambda _: wrong).differences  # noqa: B023
        assert "mass_g" in {part.where for part in found}, name


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("life", ("answers", "people")),
        ("life_diary", ("entries", 0, "amount")),
        ("inventory", ("entries", 1, "amount")),
    ],
)
def test_a_changed_answer_is_noticed(kind: str, path: tuple[str | int, ...]) -> None:
    stated = json.loads(json.dumps(next(iter(of_kind(kind).values()))))
    spot: Any = stated["inputs"]
    *way, last = path
    for step in way:
        spot = spot[step]
    spot[last] = "6" if last == "people" else str(2 * Decimal(spot[last]) + 1)
    assert replay(stated).differences
