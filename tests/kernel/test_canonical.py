"""Canonical bytes are the same with the quick encoder and with Python's own."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.kernel.canonical import canonical_json, digest_hex, encode_plainly

TEXTS = st.text(st.characters(blacklist_categories=("Cs",)))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_both_encoders_agree(value):
    assert canonical_json(value) == encode_plainly(value)
    assert digest_hex(value, is_checked=True) == digest_hex(value)


@pytest.mark.parametrize("value", [1.5, {"a": [Decimal(1)]}, [{"a": (2.0,)}]])
def test_no_floats_and_decimals(value):
    with pytest.raises(TypeError):
        canonical_json(value)
