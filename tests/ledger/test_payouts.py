"""The example postings of the design: who collected, and what each event books (golden)."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diandian.kernel.money import EXPONENTS, Money, largest_remainder
from diandian.ledger import payouts, rules
from diandian.orders.pricing import price
from tests.ledger.test_rules import balances, fen

pytestmark = [pytest.mark.pure, pytest.mark.golden]
WHERE = {"gateway": "wechatpay", "merchant": "ours/solar"}
OURS = {"gateway": "wechatpay", "merchant": "ours"}
STRIPE = {"gateway": "stripe", "merchant": "acct"}
CLEARING = "CNY:1110:stripe:acct"


def test_mode_a_a_payment_is_a_memo_only():
    captured = rules.build_capture(fen(3000), **WHERE, at_supplier=True)
    assert balances(captured) == {
        "CNY:9010:wechatpay:ours/solar": 3000,
        "CNY:9020:paid": -3000,
    }
    retired = balances([*captured, *payouts.build_split_sale(fen(3000))])
    assert retired == {
        "CNY:9010:wechatpay:ours/solar": 3000,
        "CNY:9020:paid": 0,
        "CNY:9020:retired": -3000,
    }


def test_mode_a_the_split_earns_our_fee_and_credits_it():
    earned = payouts.build_split_fee(fen(300), gateway="wechatpay")
    assert balances(earned) == {"CNY:1120:wechatpay": 300, "CNY:4010": -283, "CNY:2310": -17}
    credited = payouts.build_split_fee_credited(fen(300), **OURS)
    withdrawn = payouts.build_withdrawal(fen(300), **OURS)
    assert balances([*earned, *credited, *withdrawn]) == {
        "CNY:1120:wechatpay": 0,
        "CNY:1110:wechatpay:ours": 0,
        "CNY:1010": 300,
        "CNY:4010": -283,
        "CNY:2310": -17,
    }


def test_mode_a_a_refund_before_the_retirement_undoes_the_memo_and_the_split():
    facts = {**WHERE, "at_supplier": True}
    lines = [
        *rules.build_capture(fen(3000), **facts),
        *rules.build_refund(fen(3000), at_supplier=True),
        *rules.build_refund_settled(fen(3000), **facts),
    ]
    assert set(balances(lines).values()) == {0}
    fee = [
        *payouts.build_split_fee(fen(300), gateway="wechatpay"),
        *payouts.build_split_fee_credited(fen(300), **OURS),
        *payouts.build_split_fee_reversed(fen(300), already=fen(0), **OURS),
    ]
    assert set(balances(fee).values()) == {0}
    assert balances(payouts.build_split_fee_reversed(fen(300), already=fen(0), **OURS)) == {
        "CNY:4010": 283,
        "CNY:2310": 17,
        "CNY:1110:wechatpay:ours": -300,
    }


@pytest.mark.parametrize("parts", [(30, 30), (20, 20, 20), (1, 58, 1)])
def test_a_fee_that_goes_back_in_parts_takes_all_of_its_tax_back(parts):
    lines = list(payouts.build_split_fee(fen(60), gateway="wechatpay"))
    back = 0
    for part in parts:
        lines += payouts.build_split_fee_reversed(fen(part), already=fen(back), **OURS)
        back += part
    found = balances(lines)
    assert (found["CNY:4010"], found["CNY:2310"]) == (0, 0)


def test_mode_b_from_the_payment_to_an_empty_clearing_account():
    lines = [
        *rules.build_capture(fen(3000), **STRIPE),
        *rules.build_gateway_fee(fen(18), **STRIPE),
        *rules.build_sale(supplier=fen(2700), fee=fen(300), supplier_ref="solar"),
        *payouts.build_transfer(fen(2700), supplier_ref="solar", **STRIPE),
        *payouts.build_withdrawal(fen(282), **STRIPE),
    ]
    assert balances(lines) == {
        CLEARING: 0,
        "CNY:2110": 0,
        "CNY:2010:solar": 0,
        "CNY:5110": 18,
        "CNY:4010": -283,
        "CNY:2310": -17,
        "CNY:1010": 282,
    }


def test_mode_b_a_transfer_comes_back_after_a_lost_dispute_or_for_goodwill():
    lost = payouts.build_transfer_reversed(fen(2700), **STRIPE, is_dispute=True)
    assert balances(lost) == {CLEARING: 2700, "CNY:5120": -2700}
    goodwill = payouts.build_transfer_reversed(fen(2700), **STRIPE)
    assert balances(goodwill) == {CLEARING: 2700, "CNY:5130": -2700}


def test_mode_c_our_own_credits():
    purchase = payouts.build_purchase(fen(2700), supplier_ref="solar")
    assert balances(purchase) == {"CNY:1210": 2700, "CNY:2010:solar": -2700}
    sale = payouts.build_principal_sale(fen(3000))
    assert balances(sale) == {"CNY:2110": 3000, "CNY:4020": -2830, "CNY:2310": -170}
    cost = payouts.build_cost_of_sale(fen(2700))
    paid = payouts.build_payout(fen(2700), fen(0), supplier_ref="solar")
    assert balances(paid) == {"CNY:2010:solar": 2700, "CNY:1010": -2700}
    assert balances([*purchase, *sale, *cost, *paid]) == {
        "CNY:1210": 0,
        "CNY:2010:solar": 0,
        "CNY:2110": 3000,
        "CNY:4020": -2830,
        "CNY:2310": -170,
        "CNY:5010": 2700,
        "CNY:1010": -2700,
    }


def test_a_claim_makes_the_next_payout_smaller():
    claimed = payouts.build_claim(fen(700), supplier_ref="solar")
    assert balances(claimed) == {"CNY:1130:solar": 700, "CNY:5130": -700}
    paid = payouts.build_payout(fen(2700), fen(700), supplier_ref="solar")
    assert balances([*claimed, *paid]) == {
        "CNY:1130:solar": 0,
        "CNY:5130": -700,
        "CNY:2010:solar": 2700,
        "CNY:1010": -2000,
    }


def test_nothing_is_paid_out_below_zero():
    with pytest.raises(AssertionError):
        payouts.build_payout(fen(700), fen(700), supplier_ref="solar")


def test_47_fee_and_suppliers_part_are_the_total_in_every_mode():
    draw = Random(47)
    currencies = sorted(EXPONENTS)
    for _ in range(100_000):
        paid = price(
            draw.randint(1, 10 ** draw.randint(1, 9)),
            price_per_tonne_minor=draw.randint(1, 10 ** draw.randint(1, 7)),
            fee_basis_points=draw.randint(0, 10_000),
            fee_minimum_minor=draw.choice((0, 1, 60, 10_000)),
            currency=draw.choice(currencies),
        )
        fee_minor = paid.fee.amount_minor
        vat = rules.vat_within(paid.fee)
        assert paid.supplier.amount_minor + fee_minor == paid.total.amount_minor
        assert 0 <= vat.amount_minor <= fee_minor
        assert paid.supplier + (paid.fee - vat) + vat == paid.total


@settings(max_examples=2000, deadline=None)
@given(
    total=st.integers(1, 10**10),
    weights=st.lists(st.integers(0, 10**6), min_size=1, max_size=20).filter(any),
)
def test_47_several_lines_share_a_total_without_losing_a_unit(total, weights):
    parts = largest_remainder(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    assert all(
        abs(part * whole - total * weight) < whole
        for part, weight in zip(parts, weights, strict=True)
    )
    assert Money(total, "CNY").split(weights)[0].amount_minor == parts[0]
