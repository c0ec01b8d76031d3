"""The quick writer of documents that were looked through writes the bytes of the careful one."""

from hypothesis import given
from hypothesis import strategies as st

from diandian.kernel.canonical import canonical_json, written

_LARGEST = 2**53 - 1
_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_PLAIN = st.one_of(st.none(), st.booleans(), st.integers(-_LARGEST, _LARGEST), _TEXT)
_KEYS = st.text(st.characters(max_codepoint=127), max_size=8)
documents = st.recursive(
    _PLAIN, lambda inner: st.lists(inner) | st.dictionaries(_KEYS, inner), max_leaves=30
)


@given(documents)
def test_both_writers_agree(document):
    assert written(document) == canonical_json(document)


def test_both_writers_agree_about_every_character():
    for first in range(0, 0x110000, 0x100):
        text = "".join(chr(c) for c in range(first, first + 0x100) if not 0xD800 <= c < 0xE000)
        assert written({"text": text}) == canonical_json({"text": text})
