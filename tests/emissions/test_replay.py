"""A stored estimate computed again: the same, or which value differs, or why it cannot be."""

import contextlib
import json
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diandian.emissions import replay as room
from diandian.emissions.estimate import Estimate, estimate_lines, without_person
from diandian.emissions.factor_diff import change_pct, changed_factors, moved_results
from diandian.emissions.factor_set import factor_set, newest
from diandian.emissions.known_trips import TRIPS, trip
from diandian.emissions.lines import recomputed_g
from diandian.emissions.replay import (
    InputsAbsentError,
    NothingToReplayError,
    NotReplayableError,
    OtherPlacesError,
    UnknownEditionError,
    UnknownMethodError,
    again,
    estimate_of,
    replay,
)
from diandian.kernel.errors import DiandianError

pytestmark = pytest.mark.pure

Stated = dict[str, Any]


@pytest.fixture
def stated() -> Stated:
    found: Stated = json.loads(json.dumps(trip("chengdu-amsterdam").estimate(newest()).to_json()))
    return found


def with_inputs(stated: Stated, **changes: object) -> Stated:
    kept = {
        key: value for key, value in stated["inputs"].items() if changes.get(key, 1) is not None
    }
    return stated | {"inputs": kept | {k: v for k, v in changes.items() if v is not None}}


@pytest.mark.parametrize("known", TRIPS, ids=lambda known: known.key)
@pytest.mark.parametrize("edition", ["2026.2", "2026.1", "2025.1", "2024.1"])
def test_a_visit_comes_out_the_same(known: Any, edition: str) -> None:
    text = json.dumps(known.estimate(factor_set(edition)).to_json())
    found = replay(json.loads(text))
    assert (found.differences, found.places) == ((), "carried")
    assert found.same


def test_lines_after_conversion_come_out_the_same() -> None:
    line = {"factor": "energy.fuel.petrol.mineral.litre", "region": "GB", "unit": "us_gallon"}
    own = {"own_factor": {"value": "0.1", "unit": "km", "source": "log"}, "unit": "mile"}
    estimate = estimate_lines(newest(), [line | {"amount": "1.234567891"}, own | {"amount": "3"}])
    assert replay(estimate.to_json()).same
    assert replay(estimate.to_json()).places == "none"


@pytest.mark.parametrize("wrap", [
    lambda e: e,
    lambda e: {"schema": "diandian/certificate/1", "estimate": e},
    lambda e: {"credentialSubject": {"estimate": e}, "proof": {}},
])  # fmt: skip
def test_the_estimate_is_found_in_its_document(
    stated: Stated, wrap: Callable[[Stated], Stated]
) -> None:
    assert estimate_of(wrap(stated)) == stated


def test_an_altered_gram_is_named(stated: Stated) -> None:
    stated["lines"][2]["mass_g"] += 1
    stated["mass_g"] += 1
    assert [part.where for part in replay(stated).differences] == ["mass_g", "lines.2.mass_g"]
    del stated["lines"][-1]
    assert "lines" in {part.where for part in replay(stated).differences}


def test_the_same_number_may_be_written_otherwise(stated: Stated) -> None:
    stated["lines"][0]["value"] += "00"
    assert replay(stated).same


def test_another_digest_of_the_factors_is_named(stated: Stated) -> None:
    stated["factor_set_sha256"] = "0" * 64
    [found] = replay(stated).differences
    assert found.where == "factor_set_sha256"
    assert str(found).startswith("factor_set_sha256: stated 0000")


# Places ------------------------------------------------------------------------------------------


def test_places_that_were_moved_are_named(stated: Stated) -> None:
    stated["inputs"]["places"]["iata:AMS"]["latitude"] = "51.00000"
    where = [part.where for part in replay(stated).differences]
    assert "inputs.places.iata:AMS" in where
    assert "mass_g" in where


def test_a_later_table_of_places_moves_nothing(
    stated: Stated, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(key: str) -> None:
        raise AssertionError(f"{key} was looked up")

    monkeypatch.setattr("diandian.emissions.geo.place", gone)
    monkeypatch.setattr(room, "edition", lambda: {"id": "2030.1", "places_sha256": "f" * 64})
    assert replay(stated).same


def test_certificates_before_this_carry_no_places_and_still_come_out(stated: Stated) -> None:
    old = with_inputs(stated, places=None, geo_sha256=None)
    found = replay(old)
    assert (found.same, found.places) == (True, "table")
    with pytest.raises(OtherPlacesError, match=r"1999\.1"):
        replay(with_inputs(old, geo="1999.1"))


def test_a_visit_without_a_place_needs_no_table() -> None:
    from diandian.emissions.activity import parse
    from diandian.emissions.scene_kind import SceneContext, scene_kind

    kind, context = scene_kind("restaurant"), SceneContext("geonames:1815286", "CN-SC", "CN")
    values = parse(kind.questions(context), {"way": "walk"}).values
    estimate = kind.compute(context, values, newest())
    assert "places" not in estimate.inputs
    found = replay(with_inputs(estimate.to_json(), geo="1999.1"))
    assert (found.same, found.places) == (True, "none")


# What cannot be computed -------------------------------------------------------------------------


def test_an_erased_person_cannot_be_replayed_but_each_line_still_can(stated: Stated) -> None:
    erased = without_person(stated)
    assert "geonames" not in json.dumps(erased)
    with pytest.raises(InputsAbsentError):
        replay(erased)
    for line in Estimate.from_json(erased).lines:
        assert recomputed_g(line) == line.mass_g


def test_a_lump_sum_has_nothing_to_replay() -> None:
    with pytest.raises(NothingToReplayError):
        estimate_of({"credentialSubject": {"estimate": None}})


@pytest.mark.parametrize(("change", "error"), [
    ({"method_version": "m9"}, UnknownMethodError),
    ({"method_version": []}, NotReplayableError),
    ({"factor_set_id": "2099.1"}, UnknownEditionError),
    ({"factor_set_id": {}}, NotReplayableError),
    ({"inputs": {"kind": "funfair"}}, NotReplayableError),
    ({"inputs": {"lines": "many"}}, NotReplayableError),
    ({"inputs": 7}, NotReplayableError),
    ({"lines": [{}] * 8}, NotReplayableError),
])  # fmt: skip
def test_what_cannot_be_computed_is_refused(
    stated: Stated, change: Stated, error: type[DiandianError]
) -> None:
    with pytest.raises(error) as caught:
        replay(stated | change)
    assert "Nothing was computed" in caught.value.text() or "cannot be" in caught.value.text()


@pytest.mark.parametrize(
    "number",
    ["1e999999999", "9" * 5000, "1e-999999999", 10**5000],
    ids=["large", "long", "small", "whole"],
)
def test_a_number_out_of_all_measure_is_refused_at_once(stated: Stated, number: Any) -> None:
    answers = stated["inputs"]["answers"] | {"meals": number}
    with pytest.raises(NotReplayableError):
        replay(with_inputs(stated, answers=answers))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)


@given(st.integers(0, 2**32), JUNK)
@settings(deadline=None, max_examples=150)
def test_no_document_brings_it_down(seed: int, junk: Any) -> None:
    dice = random.Random(seed)
    document: Any = json.loads(json.dumps(trip("family-car").estimate(newest()).to_json()))
    spot, key = document, dice.choice(list(document))
    while isinstance(spot[key], dict) and spot[key] and dice.random() < 0.7:
        spot = spot[key]
        key = dice.choice(list(spot))
    spot[key] = junk
    with contextlib.suppress(DiandianError):  # any refusal of ours; nothing else comes through
        replay(estimate_of(document))


# Other editions ----------------------------------------------------------------------------------


def test_the_same_trip_by_other_factors(stated: Stated) -> None:
    other = again(stated["inputs"], factor_set("2024.1"))
    assert other.mass_g == trip("chengdu-amsterdam").estimate(factor_set("2024.1")).mass_g
    assert other.mass_g > stated["mass_g"]


def test_the_difference_of_editions_names_every_row() -> None:
    old, new = factor_set("2024.1"), factor_set("2026.2")
    found = {(each.factor_id, each.region): each for each in changed_factors(old, new)}
    long_haul = found["transport.air.long_haul.economy.rf", "GB"]
    assert long_haul.before is not None
    assert long_haul.after is not None
    assert (long_haul.before.value, long_haul.after.value) == (
        Decimal("0.20011"),
        Decimal("0.11704"),
    )
    assert long_haul.change_pct == Decimal("-41.5")
    assert ("transport.rail.high_speed", "CN") not in found
    for key, each in found.items():
        rows = [next((r for r in s.rows() if (r.id, r.region) == key), None) for s in (old, new)]
        assert rows == [each.before, each.after]
    assert changed_factors(new, new) == ()


def test_the_difference_says_which_results_move_and_why() -> None:
    found = {m.trip.key: m for m in moved_results(factor_set("2024.1"), factor_set("2026.1"))}
    assert set(found) == {each.key for each in TRIPS}
    flown = found["chengdu-amsterdam"]
    [line] = flown.lines
    assert line.moved_g == flown.moved_g == 2835868 - 4136264
    assert line.before is not None
    assert (line.before.factor_set, line.line.factor_set) == ("DESNZ24", "DESNZ25")
    assert found["family-car"].lines == ()
    assert found["family-car"].moved_g == 0
    assert change_pct(Decimal(0), Decimal(1)) is None
