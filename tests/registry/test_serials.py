import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.registry.errors import SerialFormatError
from diandian.registry.serials import SerialRange, format_serial, gram_to_serial, parse

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    "written",
    [
        "CD-SAMPLE-2025-000001~000120",
        "CD-SAMPLE-2025-000001 ~ CD-SAMPLE-2025-000120",
        "cd-sample-2025-000001至000120",
        "CD-SAMPLE-2025-000001 to 000120",
        "CD-SAMPLE-2025-000001—000120",
        "ＣＤ-SAMPLE-2025-000001～000120",  # full-width forms
    ],
)
def test_one_range_however_written(written):
    found = parse("cdcer", written)
    assert (found.prefix, found.first, found.last) == ("CD-SAMPLE-2025-", 1, 120)
    assert found.count == 120


@pytest.mark.parametrize(
    ("parser", "written"),
    [
        ("cdcer", "CD-2025-000001-000120"),  # one hyphen may be part of the prefix
        ("cdcer", "CD-2025-000120"),  # a single serial does not say that it is all
        ("cdcer", "XX-2025-000001~000120"),
        ("ccer", "CD-2025-000001~000120"),
        ("generic", "A-000120~000001"),
        ("generic", "A-000000~000001"),
        ("generic", "A-1~B-2"),
        ("generic", "A-1~2~3"),
        ("generic", "A-NaN~undefined"),
        ("generic", "A-" + "9" * 20 + "~" + "9" * 20),
        ("generic", "A-1~2" + " " * 400),
        ("generic", ""),
        ("unheard-of", "A-1~2"),
    ],
)
def test_what_is_not_a_range_is_refused(parser, written):
    with pytest.raises(SerialFormatError):
        parse(parser, written)


@given(
    prefix=st.from_regex(r"[A-Z]{2}(-[A-Z0-9]{1,6}){0,3}-", fullmatch=True),
    first=st.integers(1, 10**9),
    count=st.integers(1, 10**6),
    width=st.integers(1, 12),
)
def test_every_serial_of_a_range_reads_back(prefix, first, count, width):
    last = first + count - 1
    block = parse("generic", f"{prefix}{first:0{width}d}~{prefix}{last:0{width}d}")
    assert (block.first, block.last, block.count) == (first, last, count)
    for number in (first, last):
        written = format_serial(block, number)
        again = parse("generic", f"{written}~{written}")
        assert (again.prefix, again.first, again.count) == (prefix, number, 1)


def test_a_serial_of_another_block_is_not_written():
    with pytest.raises(ValueError, match="121"):
        format_serial(parse("generic", "A-1~120"), 121)


@given(first=st.integers(1, 10**9), gram=st.integers(0, 2**40))
def test_a_gram_has_one_place(first, gram):
    serial, offset_g = gram_to_serial(first, gram)
    assert 0 <= offset_g < 1_000_000
    assert (serial - first) * 1_000_000 + offset_g == gram


def test_there_is_no_gram_before_the_first():
    with pytest.raises(ValueError, match="zero"):
        gram_to_serial(1, -1)


@given(*[st.integers(1, 50)] * 4)
def test_overlap_is_a_shared_serial(a, b, c, d):
    one = SerialRange("A-", min(a, b), max(a, b), "")
    two = SerialRange("A-", min(c, d), max(c, d), "")
    shared = set(range(one.first, one.last + 1)) & set(range(two.first, two.last + 1))
    assert one.overlaps(two) == two.overlaps(one) == bool(shared)
    assert not one.overlaps(SerialRange("B-", one.first, one.last, ""))
