"""Rough distances instead of a city: what they count as, what holds for any, what is refused."""

import json
from decimal import Decimal
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.emissions.activity import parse
from diandian.emissions.blocks.bands import BANDS
from diandian.emissions.errors import (
    AnswerMissingError,
    ModeTooFarError,
    RoughChangeError,
    TooNearToFlyError,
    UnknownPlaceError,
)
from diandian.emissions.estimate import Estimate
from diandian.emissions.factor_set import factor_set, newest
from diandian.emissions.geo import place
from diandian.emissions.inventory.travel import answer as stratum_of
from diandian.emissions.lines import Line
from diandian.emissions.replay import replay
from diandian.emissions.scene_kind import SceneContext, scene_kind
from diandian.kernel.errors import InputError

pytestmark = pytest.mark.pure

CHENGDU = SceneContext("geonames:1815286", "CN-SC", "CN")
AMSTERDAM = SceneContext("geonames:2759794", "NL", "NL")
SCENES = [CHENGDU, AMSTERDAM]
INLAND = [key for key, band in BANDS.items() if not band.abroad]
ABROAD = [key for key, band in BANDS.items() if band.abroad]
MODES = ["train", "plane", "car", "coach", "metro", "unknown"]


def estimate(
    context: SceneContext,
    band: str,
    mode: str,
    *,
    kind: str = "conference",
    edition: str = "2026.2",
    **more: str,
) -> Estimate:
    asked = scene_kind(kind)
    parsed = parse(asked.questions(context), {"from": band, "mode": mode, "local": "none"} | more)
    assert not parsed.errors
    return asked.compute(context, parsed.values, factor_set(edition))


def travel(context: SceneContext, band: str, mode: str, **more: str) -> list[Line]:
    found = estimate(context, band, mode, **more)
    assert found.adds_up()
    return [line for line in found.lines if line.category == "travel"]


def test_a_band_counts_as_its_middle_and_doubts_to_its_edges() -> None:
    counted = {key: (int(band.km), str(band.half_width_pct)) for key, band in BANDS.items()}
    assert counted == {
        "band:under_50": (25, "100.0"),
        "band:50_200": (125, "60.0"),
        "band:200_500": (350, "42.9"),
        "band:500_1000": (750, "33.3"),
        "band:1000_2000": (1500, "33.3"),
        "band:over_2000": (3000, "33.3"),
        "band:abroad_near": (2500, "60.0"),
        "band:abroad_far": (10000, "60.0"),
    }


@pytest.mark.parametrize("context", SCENES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("more", [{}, {"cabin": "business"}, {"fuel": "electric"}])
def test_a_farther_band_never_emits_less(
    context: SceneContext, mode: str, more: dict[str, str]
) -> None:
    for chain in (INLAND, ABROAD, [*INLAND, "band:abroad_far"]):
        known = []
        for band in chain:
            try:
                known.append(sum(line.mass_g for line in travel(context, band, mode, **more)))
            except (ModeTooFarError, TooNearToFlyError):
                continue
        assert known or mode in {"metro", "coach"}
        assert all(near <= far for near, far in pairwise(known))


@pytest.mark.parametrize("context", SCENES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("band", BANDS)
def test_every_line_says_what_was_taken(context: SceneContext, mode: str, band: str) -> None:
    try:
        lines = travel(context, band, mode)
    except (ModeTooFarError, TooNearToFlyError):
        return
    for line in lines:
        assert line.details["band"] == band
        assert line.details["moves_with"] == "travel.band"
        assert line.uncertainty_activity_pct >= BANDS[band].half_width_pct
        assert line.assumed == (mode == "unknown")
        assert "places" not in line.details
    mains = [line for line in lines if not line.key.endswith(".wtt")]
    km = f"{BANDS[band].km:f}"
    assert all(f"{km} km one way, as you said" in line.label % line.params for line in mains)


def test_one_choice_errs_once() -> None:
    """Flight and fuel have the same kilometres: their doubt is not averaged away."""
    found = estimate(CHENGDU, "band:500_1000", "plane")
    flight, fuel = found.lines
    shared = (flight.mass_g + fuel.mass_g) * Decimal("33.3")
    own = [line.mass_g * line.uncertainty_factor_pct for line in found.lines]
    whole = (shared**2 + sum(part**2 for part in own)).sqrt() / found.mass_g
    assert found.doubt_pct == f"{whole:.1f}"


def test_rows_are_those_of_the_scene_and_of_the_distance() -> None:
    def row(context: SceneContext, band: str, mode: str = "plane") -> tuple[str, str]:
        line = travel(context, band, mode)[0]
        return line.factor_id, line.factor_region

    assert row(CHENGDU, "band:200_500")[0] == "transport.air.domestic.average.rf"
    assert row(CHENGDU, "band:500_1000") == ("transport.air.china_domestic.rf", "CN")
    assert row(CHENGDU, "band:abroad_near")[0] == "transport.air.short_haul.economy.rf"
    assert row(AMSTERDAM, "band:500_1000")[0] == "transport.air.short_haul.economy.rf"
    assert row(AMSTERDAM, "band:abroad_far")[0] == "transport.air.long_haul.economy.rf"
    assert row(CHENGDU, "band:200_500", "train") == ("transport.rail.high_speed", "CN")
    assert row(CHENGDU, "band:abroad_near", "train")[0] == "transport.rail.national"
    electric = travel(CHENGDU, "band:200_500", "car", fuel="electric")[0]
    assert electric.factor_region == "CN-SC"


def test_an_unknown_mode_goes_by_the_distance() -> None:
    def keys(band: str) -> set[str]:
        return {line.key.removesuffix(".wtt") for line in travel(CHENGDU, band, "unknown")}

    assert keys("band:50_200") == {"travel.rail", "travel.car"}
    assert keys("band:200_500") == {"travel.rail", "travel.air.1"}
    assert keys("band:over_2000") == {"travel.rail", "travel.air.1"}
    assert keys("band:abroad_near") == keys("band:abroad_far") == {"travel.air.1"}


def test_kilometres_by_car_are_better_than_a_band() -> None:
    line = travel(CHENGDU, "band:200_500", "car", car_km="410", trip="one_way")[0]
    assert line.activity_amount == 410
    assert line.uncertainty_activity_pct == 30
    assert "about 410 km" in line.label % line.params


@pytest.mark.parametrize(
    ("band", "raw", "field", "error"),
    [
        ("band:under_50", {"mode": "plane"}, "mode", TooNearToFlyError),
        ("band:200_500", {"mode": "metro"}, "mode", ModeTooFarError),
        ("band:abroad_far", {"mode": "coach"}, "mode", ModeTooFarError),
        ("band:1000_2000", {"mode": "plane", "via": "北京"}, "via", RoughChangeError),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    band: str, raw: dict[str, str], field: str, error: type[InputError]
) -> None:
    with pytest.raises(error) as caught:
        estimate(CHENGDU, band, **raw)
    assert caught.value.field == field
    assert "%(" not in caught.value.text()


@given(st.one_of(st.text(max_size=90), st.text(max_size=30).map("band:{}".format)))
def test_other_texts_are_no_bands(text: str) -> None:
    asked = scene_kind("conference").questions(CHENGDU)
    parsed = parse(asked, {"from": text, "mode": "train"})
    answered = parsed.values.get("from")
    if text.strip() in BANDS:
        assert answered == text.strip()
    elif answered is None:
        assert isinstance(parsed.errors["from"], InputError)
    else:
        assert place(str(answered))


@pytest.mark.parametrize("text", ["band:", "band:200-500", "BAND:200_500", "band:200_500,CN"])
def test_nearly_a_band_is_an_unknown_place(text: str) -> None:
    asked = scene_kind("conference").questions(CHENGDU)
    parsed = parse(asked, {"from": text, "mode": "plane", "via": "band:200_500"})
    assert isinstance(parsed.errors["from"], UnknownPlaceError)
    assert isinstance(parsed.errors["via"], UnknownPlaceError)


def test_no_answer_is_still_missing() -> None:
    parsed = parse(scene_kind("conference").questions(CHENGDU), {"from": " ", "mode": "train"})
    assert isinstance(parsed.errors["from"], AnswerMissingError)


def test_a_train_is_proposed_where_one_goes() -> None:
    def proposed(band: str) -> bool:
        return "train" in {lever.key for lever in estimate(CHENGDU, band, "plane").levers}

    assert proposed("band:500_1000")
    assert not proposed("band:over_2000")
    assert not proposed("band:abroad_near")
    train = estimate(CHENGDU, "band:500_1000", "train")
    plane = estimate(CHENGDU, "band:500_1000", "plane")
    assert train.praise is not None
    assert train.praise.saves_g == plane.mass_g - train.mass_g


def test_it_is_stored_and_computed_again() -> None:
    found = estimate(CHENGDU, "band:1000_2000", "unknown")
    stored = Estimate.from_json(found.to_json())
    assert stored == found
    assert stored.inputs["answers"]["from"] == "band:1000_2000"
    again = scene_kind("conference").compute(CHENGDU, stored.inputs["answers"], newest())
    assert again == found


@pytest.mark.parametrize("context", SCENES)
@pytest.mark.parametrize("edition", ["2026.1", "2026.2"])
def test_another_edition_of_the_places_moves_nothing(
    context: SceneContext, edition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No place is named, so none is carried and none is looked up, not even the scene's city."""
    stated = []
    for kind, band, mode in product(("conference", "hotel"), BANDS, MODES):
        try:
            found = estimate(context, band, mode, kind=kind, edition=edition)
        except (ModeTooFarError, TooNearToFlyError):
            continue
        stated.append(json.loads(json.dumps(found.to_json())))
    assert {each["inputs"]["answers"]["from"] for each in stated} == set(BANDS)

    def gone(key: str) -> None:
        raise AssertionError(f"{key} was looked up")

    monkeypatch.setattr("diandian.emissions.geo.place", gone)
    monkeypatch.setattr("diandian.emissions.geo_table.table", gone)
    later = {"id": "2030.1", "places_sha256": "f" * 64}
    monkeypatch.setattr("diandian.emissions.replay.edition", lambda: later)
    monkeypatch.setattr("diandian.emissions.pinned.edition", lambda: later)
    for each in stated:
        assert "places" not in each["inputs"]
        assert each["inputs"]["geo"] != later["id"]
        found_again = replay(each)
        assert (found_again.differences, found_again.places) == ((), "none")


@pytest.mark.parametrize(
    ("band", "stratum"), [("band:50_200", "same_country"), ("band:abroad_near", "abroad")]
)
def test_the_inventory_knows_from_how_far(band: str, stratum: str) -> None:
    found = estimate(CHENGDU, band, "unknown")
    assert stratum_of(found, city_key=CHENGDU.city_key, country="CN").stratum == stratum
