"""What the guest pays is what supplier, fee and tax get: to the last minor unit (row 47)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diandian.kernel.money import EXPONENTS
from diandian.ledger.rules import build_sale
from diandian.orders.pricing import price

pytestmark = pytest.mark.pure


@settings(max_examples=2000)
@given(
    mass_g=st.integers(1, 10**9),
    price_per_tonne_minor=st.integers(1, 10**7),
    fee_basis_points=st.integers(0, 10_000),
    fee_minimum_minor=st.integers(0, 10_000),
    vat_basis_points=st.integers(0, 2500),
    currency=st.sampled_from(sorted(EXPONENTS)),
)
def test_the_parts_are_the_whole(vat_basis_points, **facts):
    paid = price(**facts)
    lines = build_sale(
        supplier=paid.supplier,
        fee=paid.fee,
        supplier_ref="s",
        vat_basis_points=vat_basis_points,
    )
    assert sum(line.amount_minor for line in lines) == paid.total.amount_minor
    assert {line.currency for line in lines} == {facts["currency"]}
    assert all(line.amount_minor > 0 for line in lines)
