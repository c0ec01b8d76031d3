"""When a line rests and when it is tried again (row 41), with a clock of our own."""

from datetime import UTC, datetime, timedelta

import pytest

from diandian.payments.breaker import (
    FAILURES_LIMIT,
    FIRST_REST,
    LONGEST_REST,
    PROBE_LIFE,
    Breaker,
)

pytestmark = pytest.mark.pure

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MOMENT = timedelta(milliseconds=1)


@pytest.fixture
def breaker():
    return Breaker(lambda _: 0)


def tripped(breaker, at=NOW):
    for _ in range(FAILURES_LIMIT):
        assert breaker.admits(at)
        breaker.failed(at)
    return breaker


def test_a_few_failures_are_borne(breaker):
    for _ in range(FAILURES_LIMIT - 1):
        breaker.failed(NOW)
    assert not breaker.is_open(NOW)
    breaker.succeeded()
    for _ in range(FAILURES_LIMIT - 1):
        breaker.failed(NOW)
    assert breaker.admits(NOW), "only failures in a row count"


def test_after_many_in_a_row_it_rests(breaker):
    tripped(breaker)
    assert not breaker.admits(NOW)
    assert not breaker.admits(NOW + FIRST_REST - MOMENT)
    assert breaker.admits(NOW + FIRST_REST)


def test_of_many_after_the_rest_one_goes_ahead(breaker):
    tripped(breaker)
    at = NOW + FIRST_REST
    assert [breaker.admits(at) for _ in range(5)] == [True, False, False, False, False]
    breaker.succeeded()
    assert [breaker.admits(at) for _ in range(3)] == [True] * 3


def test_looking_takes_no_place(breaker):
    tripped(breaker)
    at = NOW + FIRST_REST
    assert [breaker.is_open(at) for _ in range(3)] == [False] * 3
    assert breaker.admits(at)


def test_each_rest_is_longer_up_to_a_limit(breaker):
    tripped(breaker)
    at, rests = NOW, []
    for _ in range(8):
        rest = FIRST_REST
        while not breaker.admits(at + rest):
            rest += timedelta(seconds=1)
        at += rest
        rests.append(rest)
        breaker.failed(at)
    assert rests[:3] == [FIRST_REST, 2 * FIRST_REST, 4 * FIRST_REST]
    assert rests[-1] == LONGEST_REST
    assert rests == sorted(rests)


def test_a_rest_is_at_most_half_as_long_again():
    breaker = tripped(Breaker(lambda below: below - 1))
    assert breaker.is_open(NOW + FIRST_REST)
    assert not breaker.is_open(NOW + FIRST_REST * 3 / 2)


def test_two_processes_do_not_come_back_together():
    ends = set()
    for share in (0, 50, 99):
        breaker = tripped(Breaker(lambda _, share=share: share))
        at = NOW
        while breaker.is_open(at):
            at += MOMENT * 10
        ends.add(at)
    assert len(ends) == 3


def test_one_that_went_ahead_and_never_came_back_is_not_waited_for(breaker):
    tripped(breaker)
    at = NOW + FIRST_REST
    assert breaker.admits(at)
    assert not breaker.admits(at + PROBE_LIFE - MOMENT)
    assert breaker.admits(at + PROBE_LIFE)


def test_what_set_out_before_the_rest_does_not_make_it_longer(breaker):
    tripped(breaker)
    for _ in range(20):
        breaker.failed(NOW + MOMENT)
    assert breaker.admits(NOW + FIRST_REST)


def test_a_clock_set_back_stops_nobody(breaker):
    tripped(breaker)
    assert breaker.admits(NOW - timedelta(hours=1))
