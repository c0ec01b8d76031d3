import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    assert len(certificate.checks(made)) == 11


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
