from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.verifier.audit import runs

pytestmark = pytest.mark.pure

SPANS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 12)).map(lambda pair: (pair[0], sum(pair))),
    max_size=25,
)


def grams(spans):
    return {gram for start, end in spans for gram in range(start, end)}


@given(SPANS, st.integers(0, 25))
def test_runs_hold_what_was_used_and_clashes_what_was_used_twice(spans, settled_after):
    used, seen, twice = runs.Runs(), set(), set()
    for number, (start, end) in enumerate(spans):
        used.add(start, end)
        mine = set(range(start, end))
        twice |= seen & mine
        seen |= mine
        if number == settled_after:
            used.settle()
    found = used.settle()
    assert grams(found) == seen
    assert grams(used.clashes) == twice
    assert all(low[1] < high[0] for low, high in pairwise(found))


@given(SPANS, SPANS)
def test_holes_are_taken_out(spans, holes):
    found = runs.without(runs.merged(spans)[0], holes)
    assert grams(found) == grams(spans) - grams(holes)
    assert runs.total(found) == len(grams(found))


def test_many_ranges_that_follow_each_other_are_one_run():
    used = runs.Runs()
    for number in range(10_000):
        used.add(number, number + 1)
    assert (used.start, used.end, used.waiting, used.settled) == (0, 10_000, [], [])


def test_ranges_from_the_far_end_are_sorted_in_in_bulk():
    used = runs.Runs()
    for number in reversed(range(200_000)):
        used.add(number, number + 1)
    assert len(used.waiting) < 70_000
    assert used.settle() == [(0, 200_000)]
