"""Canonical bytes are the same with the quick encoder and with Python's own."""

from datetime import date
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


class Word(str):
    __slots__ = ()


@pytest.mark.parametrize("value", [{"a": Word("b")}, {1: 2, 3: None}, [("a", [True])]])
def test_what_the_quick_one_does_not_know_goes_plainly(value):
    assert canonical_json(value) == encode_plainly(value)


NOT_EXACT = [1.5, {"a": [Decimal(1)]}, [{"a": (2.0,)}], date(2026, 1, 1), {"a": b"x"}, {1, 2}]


@pytest.mark.parametrize("value", NOT_EXACT, ids=repr)
def test_only_what_is_exact_everywhere(value):
    with pytest.raises(TypeError):
        canonical_json(value)
