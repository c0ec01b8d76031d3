"""The matcher: every line and every fact in exactly one class, and what agrees adds up."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.reconciliation import rules
from diandian.reconciliation.rules import Fact, Line

pytestmark = pytest.mark.pure

DAY = date(2026, 11, 22)
LATER = DAY + timedelta(days=rules.TIMING_DAYS)
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)  # twelve o'clock in Shanghai
LATE = datetime(2026, 11, 22, 15, 50, tzinfo=UTC)  # ten minutes before midnight there


def line(our_no="P1", gross=800, fee=5, *, kind="payment", number=1, day=DAY, **facts):
    known = {
        "source": number,
        "day": day,
        "number": number,
        "kind": kind,
        "ref": f"ref-{our_no}",
        "our_no": our_no,
        "gross_minor": gross,
        "fee_minor": fee,
        "net_minor": gross - fee,
        "currency": "CNY",
        "at": NOON,
    }
    return Line(**known | facts)


def fact(our_no="P1", amount=800, *, kind="payment", day=DAY, **facts):
    known = {
        "kind": kind,
        "our_no": our_no,
        "ref": f"ref-{our_no}",
        "day": day,
        "at": NOON,
        "amount_minor": amount,
        "currency": "CNY",
    }
    return Fact(**known | facts)


def classes(lines, facts, newest_day=LATER):
    return [
        (item.outcome, item.detail)
        for item in rules.match(lines, facts, day=DAY, newest_day=newest_day)
    ]


@pytest.mark.parametrize(
    ("lines", "facts", "expected"),
    [
        ([line()], [fact()], [("matched", "")]),
        ([line()], [], [("missing_here", "")]),
        ([line(our_no="", ref="x")], [], [("missing_here", "no_number")]),
        ([line()], [fact(state="open")], [("missing_here", "not_paid_here")]),
        ([], [fact()], [("missing_there", "")]),
        ([line(gross=801)], [fact()], [("amount_diff", "")]),
        ([line(currency="USD")], [fact()], [("amount_diff", "currency")]),
        ([line(net_minor=800)], [fact()], [("fee_diff", "arithmetic")]),
        ([line(fee=7)], [fact(fee_minor=5)], [("fee_diff", "rate")]),
        ([line(fee=6)], [fact(fee_minor=5)], [("matched", "")]),
        ([line(status="REVOKED")], [fact()], [("status_diff", "not_paid_there")]),
        ([line(status="FAILED", gross=0, fee=0)], [], [("matched", "")]),
        ([line(), line(number=2)], [fact()], [("matched", ""), ("duplicate", "")]),
        ([line(gross=1), line(number=2)], [fact()], [("duplicate", ""), ("matched", "")]),
        ([line(kind="fee", gross=-5, fee=0)], [], [("matched", "")]),
        ([line(kind="fee", gross=-5, fee=0, currency="XAU")], [], [("fee_diff", "currency")]),
        ([line(kind="payout", gross=-5, fee=0)], [], [("missing_here", "")]),
        # The gateway's number goes before ours; ours is enough.
        ([line(our_no="")], [fact(ref="ref-")], [("matched", "")]),
        ([line(ref="other")], [fact()], [("matched", "")]),
        # Statements of other days are looked at before a late payment counts as missing.
        ([line(day=LATER)], [fact()], [("matched", "other_day")]),
    ],
)
def test_each_class(lines, facts, expected):
    assert classes(lines, facts) == expected


@pytest.mark.parametrize(
    ("at", "days", "outcome"),
    [
        (NOON, 0, "missing_there"),
        (LATE, 0, "timing"),
        (LATE, rules.TIMING_DAYS - 1, "timing"),
        (LATE, rules.TIMING_DAYS, "missing_there"),
        (LATE - timedelta(minutes=21), 0, "missing_there"),
        (LATE + timedelta(minutes=10) - timedelta(days=1), 0, "timing"),
    ],
)
def test_near_midnight_a_payment_may_be_on_the_next_statement(at, days, outcome):
    newest = DAY + timedelta(days=days)
    assert classes([], [fact(at=at)], newest) == [(outcome, "")]


@pytest.mark.parametrize(
    ("state", "lines", "newest", "expected"),
    [
        ("done", [], DAY, ("timing", "")),
        ("done", [], LATER, ("missing_there", "")),
        ("open", [], DAY, ("timing", "open_here")),
        ("open", [], LATER, ("status_diff", "open_here")),
        ("open", [line("R1", -800, 0, kind="refund")], DAY, ("timing", "open_here")),
        ("open", [line("R1", -800, 0, kind="refund")], LATER, ("status_diff", "open_here")),
        ("failed", [line("R1", -800, 0, kind="refund")], DAY, ("status_diff", "failed_here")),
        ("done", [line("R1", -800, 0, kind="refund")], DAY, ("matched", "")),
    ],
)
def test_refunds_have_days_to_arrive(state, lines, newest, expected):
    ours = fact("R1", -800, kind="refund", state=state)
    assert classes(lines, [ours], newest) == [expected]


def test_refunds_made_by_hand_are_known_by_payment_and_amount():
    def by_hand(number, amount):
        return fact(f"R{number}", -amount, kind="refund", ref="", payment_no="P1")

    def back(number, amount, **facts):
        known = {"kind": "refund", "ref": f"console-{number}", "payment_no": "P1"}
        return line("", -amount, 0, number=number, **known | facts)

    ours = [by_hand(1, 100), by_hand(2, 100), by_hand(3, 50)]
    assert classes([back(1, 100), back(2, 50), back(3, 100)], ours) == [("matched", "")] * 3
    found = classes([back(n, 100) for n in (1, 2, 3)], ours[:2])
    assert sorted(found) == [("matched", ""), ("matched", ""), ("missing_here", "no_number")]
    assert classes([back(1, 100, payment_no="P2")], ours[:1])[0][0] == "missing_here"


@pytest.mark.parametrize("kind", ["dispute", "payout"])
def test_one_number_stands_for_money_that_goes_and_for_money_that_comes_back(kind):
    out, back = (fact(f"{n}", amount, kind=kind, ref="r") for n, amount in ((1, -800), (2, 800)))
    lines = [line("", -800, 0, kind=kind, ref="r"), line("", 800, 0, kind=kind, ref="r", number=2)]
    assert classes(lines, [out, back]) == [("matched", "")] * 2
    assert classes(lines, [out])[-1] == ("missing_here", "no_number")
    assert classes(lines[:1], [out, back]) == [("matched", ""), ("missing_there", "")]
    assert classes([lines[0], replace(lines[0], number=3)], [out])[1] == ("duplicate", "")


def test_the_fee_of_a_chargeback_is_the_booked_one_exactly():
    def taken(fee_minor):
        return line("", -800, fee_minor, kind="dispute", ref="r")

    known = fact("1:opened", -800, kind="dispute", ref="r", fee_minor=500)
    assert classes([taken(500)], [known]) == [("matched", "")]
    assert classes([taken(501)], [known]) == [("fee_diff", "rate")]
    assert classes([taken(7)], [replace(known, fee_minor=None)]) == [("matched", "")]


def test_the_fee_of_a_chargeback_may_stand_alone_and_no_more_comes_back_than_was_kept():
    def alone(fee_minor, **facts):
        return line("", 0, fee_minor, kind="dispute", ref="r", number=2, **facts)

    known = fact("1:opened", -800, kind="dispute", ref="r", fee_minor=500)
    taken = line("", -800, 500, kind="dispute", ref="r")
    assert classes([taken, alone(-500)], [known])[1] == ("matched", "fee_alone")
    assert classes([taken, alone(500)], [known])[1] == ("matched", "fee_alone")
    assert classes([taken, alone(-501)], [known])[1] == ("fee_diff", "rate")
    assert classes([taken, alone(-500, currency="USD")], [known])[1] == ("amount_diff", "currency")
    assert classes([taken, replace(alone(-500), net_minor=1)], [known])[1] == (
        "fee_diff",
        "arithmetic",
    )
    assert classes([alone(-500)], []) == [("missing_here", "no_number")]


@pytest.mark.parametrize(
    ("state", "amounts", "newest", "expected"),
    [
        ("failed", [-800, 800], DAY, [("matched", "came_back")] * 2),
        ("failed", [-800], DAY, [("status_diff", "failed_here")]),
        (
            "failed",
            [-800, 799],
            DAY,
            [("status_diff", "failed_here"), ("status_diff", "came_back")],
        ),
        ("open", [-800, 800], DAY, [("timing", "open_here")] * 2),
        ("open", [-800, 800], LATER, [("status_diff", "open_here")] * 2),
        # It went, as we booked it, and then it came back after all: people look.
        ("done", [-800, 800], LATER, [("matched", ""), ("status_diff", "came_back")]),
    ],
)
def test_a_refund_that_failed_is_taken_off_and_given_back(state, amounts, newest, expected):
    lines = [
        line("R1", amount, 0, kind="refund", number=number)
        for number, amount in enumerate(amounts, start=1)
    ]
    assert classes(lines, [fact("R1", -800, kind="refund", state=state)], newest) == expected


def test_a_line_of_the_day_before_is_a_counterpart_and_no_item():
    before = DAY - timedelta(days=1)
    [item] = rules.match([line(day=before)], [fact()], day=DAY, newest_day=DAY)
    assert (item.key, item.outcome, item.is_of_line) == ("here:payment:P1", "matched", False)
    [item] = rules.match([line()], [fact(day=before)], day=DAY, newest_day=DAY)
    assert (item.outcome, item.is_of_line) == ("matched", True)


def test_a_signature_is_about_what_was_seen():
    [one] = rules.match([line(gross=801)], [fact()], day=DAY, newest_day=DAY)
    [same] = rules.match([line(gross=801)], [fact()], day=DAY, newest_day=LATER)
    [other] = rules.match([line(gross=802)], [fact()], day=DAY, newest_day=DAY)
    assert one.seen() == same.seen() != other.seen()
    assert (one.at_stake_minor, other.at_stake_minor) == (1, 2)


@pytest.mark.parametrize(("amount", "persons"), [(9_999, 1), (10_000, 1), (10_001, 2)])
def test_much_money_takes_two(amount, persons):
    assert rules.persons_needed(amount, 10_000) == persons


@pytest.mark.parametrize(("amount", "fee"), [(804, 5), (83, 0), (84, 1), (3_000, 18), (0, 0)])
def test_an_agreed_fee_is_rounded_half_up(amount, fee):
    assert rules.agreed_fee(amount, 60) == fee


# -- properties ----------------------------------------------------------------------------------

_NUMBERS = st.sampled_from(["P1", "P2", "P3", "P4", ""])
_DAYS = st.sampled_from([DAY - timedelta(days=1), DAY, DAY + timedelta(days=1)])
_KINDS = st.sampled_from(["payment", "refund"])
_AMOUNTS = st.sampled_from([1, 800, 801])
_LINES = st.lists(
    st.builds(
        line,
        our_no=_NUMBERS,
        gross=_AMOUNTS,
        fee=st.integers(0, 9),
        kind=st.sampled_from(["payment", "refund", "fee", "payout", "split", "dispute"]),
        day=_DAYS,
        ref=st.sampled_from(["ref-P1", "ref-P2", "ref-P9", ""]),
        currency=st.sampled_from(["CNY", "USD"]),
        status=st.sampled_from(["SUCCESS", "FAILED"]),
    ),
    max_size=8,
)
_FACTS = st.lists(
    st.builds(
        fact,
        our_no=st.sampled_from(["P1", "P2", "P3", "P4"]),
        amount=_AMOUNTS,
        kind=_KINDS,
        day=_DAYS,
        state=st.sampled_from(["done", "open", "failed"]),
        at=st.sampled_from([NOON, LATE]),
    ),
    max_size=6,
    unique_by=lambda each: (each.kind, each.our_no),
)


@given(_LINES, _FACTS, st.integers(0, 4))
def test_every_line_and_every_fact_is_in_exactly_one_class(drawn, facts, later):
    lines = [
        Line(**{name: getattr(each, name) for name in Line.__slots__} | {"source": n, "number": n})
        for n, each in enumerate(drawn)
    ]
    items = rules.match(lines, facts, day=DAY, newest_day=DAY + timedelta(days=later))
    told = Counter(item.line.source for item in items if item.is_of_line)
    assert told == Counter(each.source for each in lines if each.day == DAY)
    first = [item for item in items if item.outcome != "duplicate" and item.fact]
    facts_told = Counter((item.fact.kind, item.fact.our_no) for item in first)
    assert set(facts_told.values()) <= {1}
    ours = {
        (each.kind, each.our_no)
        for each in facts
        if each.day == DAY
        and (each.state == "done" or (each.kind == "refund" and each.state == "open"))
    }
    assert ours <= facts_told.keys()
    assert len({item.key for item in items}) == len(items)


@given(_LINES, _FACTS)
def test_what_is_matched_adds_up(lines, facts):
    items = rules.match(lines, facts, day=DAY, newest_day=LATER)
    matched = [item for item in items if item.outcome == "matched" and item.fact]
    paid = [item for item in matched if item.fact.state == "done"]
    assert sum(item.line.gross_minor for item in paid) == sum(
        item.fact.amount_minor for item in paid
    )
    assert all(item.line.currency == item.fact.currency for item in paid)
    assert all(item.line.net_minor == item.line.gross_minor - item.line.fee_minor for item in paid)


@given(_LINES, _FACTS)
def test_the_order_of_facts_changes_nothing(lines, facts):
    one = rules.match(lines, facts, day=DAY, newest_day=DAY)
    other = rules.match(lines, facts[::-1], day=DAY, newest_day=DAY)
    assert Counter((i.key, i.outcome) for i in one) == Counter((i.key, i.outcome) for i in other)
