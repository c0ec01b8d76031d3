import copy
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.emissions.uncertainty import factor_range
from diandian.verifier import certificate
from tests.certificates.documents import held, lump_sum, record

pytestmark = pytest.mark.pure

TONNE = 1_000_000


def failing(made):
    return [check.key for check in certificate.check(made)]


def with_range(**changes):
    made = record()
    made["ranges"][0].update(changes)
    return made


@pytest.mark.parametrize(
    "made", [record(), held(), held(ranges=[]), lump_sum(), record(money=None)]
)
def test_a_sound_record_agrees_with_itself(made):
    assert certificate.check(made) == []
    assert len(certificate.checks(made)) == 12


@pytest.mark.parametrize(
    ("made", "key"),
    [
        (record(schema="diandian/certificate/9"), "schema"),
        (record(code="7K3M9QXD2B46"), "code"),
        (record(verify_url="https://diandian.example/v/OTHER"), "code"),
        (record(state="lost"), "state"),
        (record(retired_at=None), "state"),
        (held(claim__level="L2"), "state"),
        (record(claim__level="L1"), "state"),
        (record(mass_g=124_001), "ranges"),
        (record(ranges=[]), "ranges"),
        (with_range(mass_g=123_999), "ranges"),
        (with_range(start_g=374_000), "ranges"),
        (with_range(serial_last="CD-SAMPLE-2025-000121"), "serials"),
        (with_range(serial_last="CD-SAMPLE-2025-000119"), "serials"),
        (with_range(serial_last="XX-SAMPLE-2025-000120"), "serials"),
        (with_range(serial_first="C-1-1-2", serial_last="C-2-3-2"), "serials"),
        (with_range(serial_first="C-1-7-1", serial_last="C-2-7-2"), "serials"),
        (with_range(serial_first="C-1-1-1", serial_last="C-2-2-2"), "serials"),
        (with_range(offset_first_g=250_001), "serials"),
        (with_range(offset_last_g=TONNE + 1), "serials"),
        (record(estimate__mass_g=123_714), "estimate"),
        (record(estimate__low_g=130_000), "estimate"),
        (record(estimate__high_g=100_000), "estimate"),
        (record(estimate=None), "estimate"),
        (record(dots={"travel": 43, "stay": 76}), "dots"),
        (record(dots={"travel": 43, "stay": 87, "local": -6}), "dots"),
        (record(kg_per_dot=0), "dots"),
        (record(money__fee_minor=61), "money"),
        (record(claim__level="L3"), "claim"),
        (record(claim__level="L4", mass_g=165_000), "claim"),
        (record(simulated_registry=False), "upstream"),
        (record(upstream=None), "upstream"),
        (record(upstream__custody="external", upstream__retired_at=None), "upstream"),
    ],
)
def test_each_contradiction_is_named(made, key):
    assert key in failing(made)


def by_m2(**changes):
    """Return the sample as method m2 prints it: 123.713 kg divided and multiplied by 1.334."""
    ends = {"estimate__low_g": 92_738, "estimate__high_g": 165_033}
    method = {"estimate__method_version": "m2", "estimate__doubt_pct": "33.4"}
    return record(**(ends | method | changes))


def test_by_m2_the_range_follows_from_the_doubt():
    assert failing(by_m2()) == []
    nothing = {"mass_g": 0, "low_g": 0, "high_g": 0}
    assert certificate._factor_range(nothing | {"doubt_pct": "0.0"}) == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"low_g": 92_737},
        {"low_g": 92_739},
        {"high_g": 165_034},
        {"doubt_pct": "33.3"},
        {"doubt_pct": "33.40"},
        {"doubt_pct": "33"},
        {"doubt_pct": "-33.4"},
        {"doubt_pct": "\u0663\u0663.\u0664"},
        {"doubt_pct": None},
        {"doubt_pct": 33},
    ],
)
def test_by_m2_another_end_or_doubt_is_named(changes):
    made = by_m2(**{f"estimate__{name}": value for name, value in changes.items()})
    assert failing(made) == ["estimate"]
    # By m1 the ends may be symmetric and are not recomputed.
    made["estimate"]["method_version"] = "m1"
    assert failing(made) == []


@given(st.integers(0, 10**12), st.integers(0, 99_999))
def test_by_m2_the_ends_are_those_of_the_calculator(mass, tenths):
    doubt = Decimal(tenths) / 10
    low, high = factor_range(mass, doubt)
    stated = {"mass_g": mass, "low_g": low, "high_g": high, "doubt_pct": f"{doubt:.1f}"}
    assert certificate._factor_range(stated) == ""


def test_one_gram_stands_only_once_in_a_certificate():
    made = record()
    twin = copy.deepcopy(made["ranges"][0])
    made["ranges"].append(twin)
    made["mass_g"] *= 2
    assert "ranges" in failing(made)


def test_a_covered_trip_needs_recognised_credits():
    made = record(claim__level="L3", estimate__high_g=124_000, recognition_evidence="approval 12")
    assert failing(made) == []
    assert failing(record(claim__level="L3", estimate__high_g=124_000)) == ["claim"]


@given(start=st.integers(0, 10**9), mass=st.integers(1, 10**8), first=st.integers(0, 10**6))
def test_serials_and_grams_agree_for_every_slice(start, mass, first):
    """A slice written as the registry writes it passes; one gram more or less does not."""
    end = start + mass
    last_tonne = (end - 1) // TONNE

    def piece(extra):
        return {
            "batch": "b", "start_g": start, "end_g": end, "mass_g": mass,
            "serial_first": f"CD-A7-{first + start // TONNE:09d}",
            "serial_last": f"CD-A7-{first + last_tonne:09d}",
            "offset_first_g": start % TONNE,
            "offset_last_g": end - last_tonne * TONNE + extra,
        }  # fmt: skip

    assert "serials" not in failing(record(ranges=[piece(0)], mass_g=mass))
    assert "serials" in failing(record(ranges=[piece(1)], mass_g=mass))
    assert "serials" in failing(record(ranges=[piece(-1)], mass_g=mass))


@given(
    st.sampled_from(sorted(record())), st.none() | st.text() | st.integers() | st.lists(st.none())
)
def test_a_malformed_record_fails_and_never_raises(key, value):
    assert isinstance(certificate.check(record(**{key: value})), list)
    made = record()
    del made[key]
    assert isinstance(certificate.check(made), list)
    assert certificate.check({})
