import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.kernel.money import Money
from diandian.ledger import chart, rules

pytestmark = pytest.mark.pure
amounts = st.integers(1, 10**12)
currencies = st.sampled_from(["CNY", "EUR", "JPY"])


def fen(amount_minor, currency="CNY"):
    return Money(amount_minor, currency)


def balances(lines):
    """Debits less credits by account."""
    found = {}
    for line in lines:
        found[line.debit_code] = found.get(line.debit_code, 0) + line.amount_minor
        found[line.credit_code] = found.get(line.credit_code, 0) - line.amount_minor
    return found


def test_the_example_of_the_design():
    lines = rules.build_sale(supplier=fen(2700), fee=fen(300), supplier_ref="solar-1")
    assert balances(lines) == {
        "CNY:2110": 3000,
        "CNY:2010:solar-1": -2700,
        "CNY:4010": -283,
        "CNY:2310": -17,
    }


@given(supplier=amounts, fee=st.integers(0, 10**9), tax=st.integers(0, 3000), currency=currencies)
def test_a_sale_shares_the_price_without_losing_a_unit(supplier, fee, tax, currency):
    lines = rules.build_sale(
        supplier=fen(supplier, currency),
        fee=fen(fee, currency),
        supplier_ref="order:made:it",
        vat_basis_points=tax,
    )
    found = balances(lines)
    assert sum(found.values()) == 0
    assert found[chart.customer_prepayments(currency)] == supplier + fee
    assert -found[chart.supplier_payable(currency, "order:made:it")] == supplier
    assert all(line.currency == currency and line.amount_minor > 0 for line in lines)


@given(amount=amounts, currency=currencies)
def test_paid_and_refunded_leaves_nothing_behind(amount, currency):
    money, where = fen(amount, currency), {"gateway": "sandbox", "merchant": "demo"}
    for taken, given_back in (
        (rules.build_capture(money, **where), rules.build_refund(money)),
        (rules.build_unallocated(money, **where), rules.build_refund(money, from_unallocated=True)),
    ):
        settled = rules.build_refund_settled(money, **where)
        assert set(balances([*taken, *given_back, *settled]).values()) == {0}


@given(amount=amounts)
def test_goodwill_is_our_cost_and_touches_no_customer_money(amount):
    found = balances(rules.build_goodwill_refund(fen(amount)))
    assert found == {"CNY:5130": amount, "CNY:2120": -amount}


def test_a_gateway_fee_lowers_what_the_gateway_owes_us():
    found = balances(rules.build_gateway_fee(fen(18), gateway="sandbox", merchant="demo"))
    assert found == {"CNY:5110": 18, "CNY:1110:sandbox:demo": -18}


@given(gross=st.integers(0, 10**9), tax=st.integers(0, 10_000))
def test_the_tax_lies_within_the_gross(gross, tax):
    vat = rules.vat_within(fen(gross), tax).amount_minor
    assert 0 <= vat <= gross
    # Rounded half up: at most half a unit from gross * tax / (100 % + tax).
    assert abs(2 * (vat * (10_000 + tax) - gross * tax)) <= 10_000 + tax


@pytest.mark.parametrize(
    "facts",
    [
        ("CNY:2110", "CNY:2120", 0, "CNY"),
        ("CNY:2110", "CNY:2120", -5, "CNY"),
        ("CNY:2110", "CNY:2120", 1.5, "CNY"),
        ("CNY:2110", "CNY:2120", True, "CNY"),
        ("CNY:2110", "CNY:2110", 5, "CNY"),
        ("CNY:2110", "EUR:2110", 5, "CNY"),
        ("CNYX:2110", "CNY:2120", 5, "CNY"),
    ],
)
def test_impossible_lines_cannot_be_made(facts):
    with pytest.raises(ValueError):
        rules.TransferLine(*facts)


@pytest.mark.parametrize(
    "parts", [("ZZZ", "2110"), ("CNY", "9999"), ("CNY", "2010", ""), ("CNY", "2010", "a:b")]
)
def test_impossible_accounts_cannot_be_named(parts):
    with pytest.raises(ValueError):
        chart.code(*parts)


def test_account_codes():
    assert chart.gateway_clearing("CNY", "sandbox", "demo") == "CNY:1110:sandbox:demo"
    assert chart.unallocated("EUR") == "EUR:2190"
    assert chart.currency_of("CNY:2010:a") == "CNY"
    assert chart.number_of("CNY:2010:a") == "2010"
