"""Receiving details that can be right, and shares of refunds that add up."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diandian.kernel.money import EXPONENTS, Money
from diandian.settlement import rules

pytestmark = pytest.mark.pure
AT = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    "iban", ["DE89370400440532013000", "NL91ABNA0417164300", "GB82WEST12345698765432"]
)
def test_an_iban_is_right_and_with_any_digit_changed_it_is_not(iban):
    assert rules.is_iban(iban)
    for place in range(4, len(iban)):
        if iban[place].isdigit():
            other = str((int(iban[place]) + 1) % 10)
            assert not rules.is_iban(iban[:place] + other + iban[place + 1 :])


@pytest.mark.parametrize(
    ("kind", "given", "wrong"),
    [
        ("account", {"account": "acct_1A"}, ""),
        ("account", {"account": "a b"}, ""),
        ("account", {"account": "=1+1"}, "account"),
        ("iban", {"name": "Solar BV", "iban": "nl91 abna 0417 1643 00"}, ""),
        ("iban", {"name": "Solar BV", "iban": "NL91ABNA0417164301"}, "iban"),
        ("iban", {"name": "", "iban": "NL91ABNA0417164300"}, "name"),
        ("iban", {"name": "S", "iban": "NL91ABNA0417164300", "bic": "XX"}, "bic"),
        (
            "cn_bank",
            {"name": "光", "account": "6222 0000 1", "bank": "行", "cnaps": "1"},
            "cnaps",
        ),
    ],
)
def test_a_detail_is_looked_at_field_by_field(kind, given, wrong):
    given = {"account": "ab"} if given.get("account") == "a b" else given
    expected = "account" if given.get("account") == "ab" else wrong
    assert rules.wrong_field(kind, rules.clean_detail(kind, given)) == expected


def test_of_an_account_only_its_end_is_shown():
    shown = rules.masked({"name": "Solar", "iban": "NL91ABNA0417164300", "bic": ""})
    assert shown == {"name": "Solar", "iban": "•••• 4300", "bic": ""}


def test_a_change_cools_down_and_a_first_account_does_not():
    days = timedelta(days=3)
    assert rules.active_from(is_change=False, cool_down=days, at=AT) == AT
    assert rules.active_from(is_change=True, cool_down=days, at=AT) == AT + days


def test_what_is_on_its_way_is_asked_about_ever_more_seldom_and_never_forgotten():
    waits = [
        rules.next_look_at(AT, AT + timedelta(minutes=minutes)) - AT
        for minutes in (0, 4, 16, 60, 600, 10_000)
    ]
    gaps = [
        wait - timedelta(minutes=minutes)
        for wait, minutes in zip(waits, (0, 4, 16, 60, 600, 10_000), strict=True)
    ]
    assert gaps == sorted(gaps)
    assert timedelta() < gaps[0] < gaps[-1] <= timedelta(hours=6)


@settings(max_examples=3000, deadline=None)
@given(
    leg_minor=st.integers(0, 10**9),
    rest_minor=st.integers(0, 10**9),
    parts=st.lists(st.integers(1, 10**9), min_size=1, max_size=6),
    currency=st.sampled_from(sorted(EXPONENTS)),
)
def test_shares_of_refunds_never_take_more_than_the_leg(leg_minor, rest_minor, parts, currency):
    gross = Money(max(leg_minor + rest_minor, 1), currency)
    leg, back, refunded = Money(leg_minor, currency), Money(0, currency), Money(0, currency)
    for part in parts:
        left = gross - refunded
        refund = Money(min(part, left.amount_minor), currency)
        share = rules.share_of_refund(leg, gross, refund, already=back, refunded=refunded)
        assert 0 <= share.amount_minor <= leg.amount_minor - back.amount_minor
        back, refunded = back + share, refunded + refund
        # However often it is divided, what went back is what one refund of all would take.
        once = rules.share_of_refund(
            leg, gross, refunded, already=Money(0, currency), refunded=Money(0, currency)
        )
        assert back == once
    rest = gross - refunded
    last = rules.share_of_refund(leg, gross, rest, already=back, refunded=refunded)
    assert (back + last) == leg


def test_a_cap_is_met_exactly_and_not_passed():
    gross = Money(1000, "CNY")
    assert rules.is_within_cap(Money(300, "CNY"), gross, 3000)
    assert not rules.is_within_cap(Money(301, "CNY"), gross, 3000)
