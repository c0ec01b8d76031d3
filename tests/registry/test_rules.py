from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.registry import rules

pytestmark = pytest.mark.pure
AT = datetime(2026, 3, 1, tzinfo=UTC)

stretches = st.lists(
    st.builds(
        lambda free_g, days: (free_g, AT + timedelta(days=days)),
        st.integers(0, 5000),
        st.integers(0, 3),
    ),
    max_size=6,
).map(lambda rows: [rules.Stretch(number, *row) for number, row in enumerate(rows, start=1)])


@given(stretches=stretches, mass_g=st.integers(1, 20_000))
def test_a_plan_takes_exactly_what_is_asked_or_nothing(stretches, mass_g):
    free_g = {stretch.lane_id: stretch.free_g for stretch in stretches}
    plan = rules.plan_hold(stretches, mass_g)
    assert bool(plan) == (sum(free_g.values()) >= mass_g)
    assert sum(take_g for _, take_g in plan) in {0, mass_g}
    assert all(0 < take_g <= free_g[lane_id] for lane_id, take_g in plan)
    assert [lane_id for lane_id, _ in plan] == sorted({lane_id for lane_id, _ in plan})


@given(stretches=stretches, mass_g=st.integers(1, 20_000))
def test_younger_grams_wait_until_older_ones_are_gone(stretches, mass_g):
    taken = dict(rules.plan_hold(stretches, mass_g))
    touched = [stretch for stretch in stretches if stretch.lane_id in taken]
    for young in touched:
        for old in stretches:
            if taken and old.issued_at < young.issued_at:
                assert taken.get(old.lane_id, 0) == old.free_g


@given(start_g=st.integers(0, 10**9), masses_g=st.lists(st.integers(1, 10**6), max_size=20))
def test_ranges_touch_and_hold_their_grams(start_g, masses_g):
    ranges = rules.running_ranges(start_g, masses_g)
    assert [end - start for start, end in ranges] == masses_g
    ends = [start_g, *(end for _, end in ranges)]
    assert [start for start, _ in ranges] == ends[:-1]


@given(tonnes=st.integers(1, 40), rest=st.integers(0, 999_999), parts=st.integers(1, 8))
def test_lanes_tile_the_batch_at_whole_tonnes(tonnes, rest, parts):
    total = tonnes * 1_000_000 + rest
    spans = rules.split_evenly(total, parts, 1_000_000)
    assert spans[0][0] == 0
    assert spans[-1][1] == total
    assert all(lo < hi for lo, hi in spans)
    assert all(lo % 1_000_000 == 0 for lo, _ in spans)
    assert [lo for lo, _ in spans[1:]] == [hi for _, hi in spans[:-1]]
    assert len(spans) <= parts


@given(
    spans=st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)).map(sorted), max_size=6),
    ends=st.tuples(st.integers(1, 30), st.integers(1, 30)).map(sorted),
)
def test_covering_is_holding_every_number(spans, ends):
    first, last = ends
    held = {number for start, end in spans for number in range(start, end + 1)}
    expected = set(range(first, last + 1)) <= held
    assert rules.covers([tuple(span) for span in spans], first, last) == expected


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({}, None),
        ({"state": "frozen"}, "frozen"),
        ({"state": "draft"}, "draft"),
        ({"state": "exhausted"}, "exhausted"),
        ({"state": "closed"}, "closed"),
        ({"is_ex_ante": True}, "ex_ante"),
        ({"verified_by": ""}, "unverified"),
        ({"verified_on": None}, "unverified"),
    ],
)
def test_only_open_verified_batches_serve(facts, refusal):
    sound = {
        "state": "open",
        "is_ex_ante": False,
        "verified_by": "Somebody",
        "verified_on": date(2026, 1, 1),
    }
    assert rules.refusal_to_serve(**(sound | facts)) == refusal


def test_a_seal_needs_salt_and_every_letter():
    salt, subject = rules.new_salts(1)[0], {"display_name": "林晚"}
    seal = rules.subject_commit(salt, subject)
    assert seal == rules.subject_commit(salt, dict(subject))
    assert seal != rules.subject_commit(rules.new_salts(1)[0], subject)
    assert seal != rules.subject_commit(salt, {"display_name": "林晩"})


def test_the_seal_is_the_published_formula():
    import hashlib

    plain = b"diandian/subject/v1" + bytes(range(32)) + '{"display_name":"林晚"}'.encode()
    salt = bytes(range(32)).hex()
    expected = hashlib.sha256(plain).hexdigest()
    assert rules.subject_commit(salt, {"display_name": "林晚"}) == expected


def test_public_ids_sort_by_time_and_are_version_seven():
    import uuid

    ids = [rules.new_public_ids(1, AT + timedelta(seconds=n))[0] for n in range(50)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 50
    assert {uuid.UUID(one).version for one in ids} == {7}
    assert {uuid.UUID(one).variant for one in ids} == {uuid.RFC_4122}
