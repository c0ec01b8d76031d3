"""The quick reader accepts only what the careful one accepts, and reads the same."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.verifier import entries
from diandian.verifier.audit import reading
from tests.verifier.log_bodies import AT, HASH, body

pytestmark = pytest.mark.pure

KNOWN = {"B-1"}
GOOD = entries.encode(body("retire"))
ODD = ["", "a b", "x\n", "x\ny", "é", '"', "\\", "B-1", "x" * 41, None, 7, True, [], AT, HASH]


def agree(data):
    quick = reading.quick_retire(data, KNOWN)
    if quick is None:
        return None
    careful = entries.decode(data)
    assert careful["retirement"] == quick.retirement
    assert [tuple(part) for part in careful["ranges"]] == quick.ranges
    assert careful["replaces"] == quick.replaces
    return quick


def dumped(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_an_ordinary_retirement_is_read_quickly():
    assert agree(GOOD).retirement == body("retire")["retirement"]
    for changes in ({"claim_from": None}, {"claim_to": None}, {"replaces": "R-2"}):
        assert agree(entries.encode(body("retire", **changes))) is not None


@pytest.mark.parametrize("member", entries.members("retire"))
def test_odd_values_are_left_to_the_careful_reader(member):
    for value in ODD:
        agree(dumped(body("retire", **{member: value})))


@pytest.mark.parametrize(
    "ranges",
    [
        [],
        [["B-1", 5, 5]],
        [["B-1", 6, 5]],
        [["B-1", -1, 5]],
        [["B-1", 0, 2**53]],
        [["B-1", 0, 5.0]],
        [["B-1", 0, True]],
        [["B-1", 0]],
        [["B-1", 0, 5, 6]],
        [["B-9", 0, 5]],
        {"B-1": 5},
    ],
)
def test_odd_ranges_are_left_to_the_careful_reader(ranges):
    assert agree(dumped(body("retire", ranges=ranges))) is None


@pytest.mark.parametrize(
    "at",
    [
        "2026-11-28T08:00:00",
        "2026-11-28T08:00:00+00:00",
        "2026-11-28T08:00:00.5Z",
        "2026-11-28T08:00:00.000Z",
        "2026-11-28T08:00:00.500000Z",
        "2026-11-28 08:00:00Z",
        "2026-11-28T24:00:00Z",
        "2026-02-30T08:00:00Z",
        "2026-11-28T08:00:60Z",
        "0000-11-28T08:00:00Z",
        "20261128T080000Z",
    ],
)
def test_odd_instants_are_left_to_the_careful_reader(at):
    assert agree(dumped(body("retire", at=at))) is None


@given(st.integers(0, len(GOOD)), st.integers(0, 3), st.binary(max_size=4))
def test_changed_bytes_never_pass_only_the_quick_reader(place, less, more):
    agree(GOOD[:place] + more + GOOD[place + less :])


@given(st.text(max_size=40), st.text(max_size=40))
def test_equal_names_have_equal_tags(one, other):
    assert reading.tag_of(one) == reading.tag_of(one) < 2**61
    assert (reading.tag_of(f"R-{one}"[:8]) == reading.tag_of(f"R-{other}"[:8])) or one != other


def test_a_claim_that_ends_before_it_begins_is_left_to_the_careful_reader():
    assert agree(dumped(body("retire", claim_from="2026-11-29", claim_to="2026-11-28"))) is None
    same = dumped(body("retire", claim_from="2026-11-28", claim_to="2026-11-28"))
    assert agree(same) is not None
