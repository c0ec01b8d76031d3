"""The state machine: whatever comes in whatever order, rank never falls and paid wins."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.kernel.money import Money
from diandian.payments import rules
from diandian.payments.messages import Capabilities, Snapshot

pytestmark = pytest.mark.pure

STATES = sorted(rules.RANKS)
START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DEADLINE = START + timedelta(minutes=10)


def walk(states):
    current = "created"
    for incoming in states:
        current = rules.next_state(current, incoming) or current
    return current


@given(st.lists(st.sampled_from(STATES), max_size=12))
def test_rank_never_falls(states):
    current = "created"
    for incoming in states:
        following = rules.next_state(current, incoming) or current
        assert rules.RANKS[following] >= rules.RANKS[current]
        current = following


@given(st.lists(st.sampled_from(STATES), max_size=12))
def test_paid_wins_in_every_order(states):
    assert (walk(states) == "succeeded") == ("succeeded" in states)


@pytest.mark.parametrize("late", ["failed", "closed", "pending", "unknown", "created"])
def test_what_comes_after_paid_is_ignored(late):
    assert rules.next_state("succeeded", late) is None


def test_failed_twice_then_paid_is_paid():
    assert walk(["failed", "failed", "succeeded"]) == "succeeded"


def test_failed_and_closed_do_not_replace_each_other():
    assert rules.next_state("failed", "closed") is None
    assert rules.next_state("closed", "failed") is None


def test_unknown_is_never_failed_and_resolves_either_way():
    assert walk(["submitted", "unknown"]) == "unknown"
    assert not rules.is_final("unknown")
    assert {rules.next_state("unknown", s) for s in ("pending", "failed", "succeeded")} == {
        "pending",
        "failed",
        "succeeded",
    }


def test_states_below_agree_with_next_state():
    for incoming in STATES:
        assert rules.states_below(incoming) == [
            state for state in rules.RANKS if rules.next_state(state, incoming)
        ]


@given(st.lists(st.sampled_from(sorted(rules.REFUND_RANKS)), max_size=12))
def test_a_refund_that_is_done_or_failed_stays_so(states):
    current, ended = "requested", None
    for incoming in states:
        current = rules.next_refund_state(current, incoming) or current
        ended = ended or (current if current in {"succeeded", "failed"} else None)
    assert ended in {None, current}


def test_what_found_no_way_home_can_be_tried_again():
    assert rules.next_refund_state("abnormal", "processing") == "processing"
    assert rules.next_refund_state("abnormal", "unknown") is None
    assert rules.next_refund_state("abnormal", "requested") is None


def asked_at(state="pending"):
    """The instants, in seconds from the start, at which a poller asks."""
    at, found = START, []
    while len(found) < 12:
        following = rules.next_query_at(state, created_at=START, expires_at=DEADLINE, at=at)
        if following is None:
            break
        assert following > at
        found.append(int((following - START).total_seconds()))
        at = following
    return found


def test_open_payments_are_asked_about_soon_then_every_five_minutes_then_daily():
    assert asked_at() == [5, 20, 80, 380, 680, 980, 1280, *(1280 + 86_400 * n for n in range(1, 6))]


def test_failed_ones_are_asked_about_until_their_grace_is_over_and_paid_ones_never():
    assert asked_at("failed") == [5, 20, 80, 380, 680, 980, 1280]
    assert asked_at("succeeded") == []


def test_asking_ends_after_a_month():
    at = DEADLINE + timedelta(days=30)
    assert rules.next_query_at("unknown", created_at=START, expires_at=DEADLINE, at=at) is None


def test_a_notice_is_tried_for_hours_and_then_left_to_people():
    at, attempts = START, 0
    while (following := rules.next_notice_attempt_at(attempts + 1, at)) is not None:
        at, attempts = following, attempts + 1
    assert timedelta(hours=20) < at - START < timedelta(hours=48)


SNAPSHOT = {
    "state": "succeeded",
    "payment_no": "DD1",
    "merchant": "demo",
    "mode": "test",
    "amount_minor": 804,
    "currency": "CNY",
    "gateway_ref": "ref",
    "paid_at": START,
    "refunded_minor": 0,
    "raw_digest": "",
}


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({}, ()),
        ({"amount_minor": 803}, ("amount",)),
        ({"amount_minor": 805}, ("amount",)),
        ({"amount_minor": 80_400}, ("amount",)),
        ({"currency": "JPY"}, ("currency",)),
        ({"merchant": "other"}, ("merchant",)),
        ({"mode": "live"}, ("mode",)),
        ({"payment_no": "DD2"}, ("payment_no",)),
        ({"mode": "live", "amount_minor": 1}, ("mode", "amount")),
    ],
)
def test_every_difference_is_named(change, differs):
    found = rules.mismatches(
        Snapshot(**SNAPSHOT | change),
        payment_no="DD1",
        merchant="demo",
        mode="test",
        amount=Money(804, "CNY"),
    )
    assert found == differs


@pytest.mark.parametrize(
    ("amount", "taken"),
    [
        (Money(0, "CNY"), False),
        (Money(99, "CNY"), False),
        (Money(100, "CNY"), True),
        (Money(500, "CNY"), True),
        (Money(501, "CNY"), False),
        (Money(100, "JPY"), False),
    ],
)
def test_amounts_out_of_range_hide_the_method(amount, taken):
    able = Capabilities({"CNY": (100, 500)}, ("redirect",), True, True, 365)
    assert rules.is_in_range(amount, able) is taken


def test_nothing_takes_a_free_order():
    able = Capabilities({"CNY": (0, 500)}, ("redirect",), True, True, 365)
    assert not rules.is_in_range(Money(0, "CNY"), able)
