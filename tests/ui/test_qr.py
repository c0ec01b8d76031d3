"""A code that is put together from its kin is the code that the encoder makes."""

import re

import pytest
import segno
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from diandian.ui import qr

pytestmark = pytest.mark.pure

ADDRESSES = st.builds(
    "{}/v/{}".format,
    st.sampled_from(["http://localhost:8000", "https://diandian.example", "HTTPS://X.EXAMPLE"]),
    st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=12, max_size=12),
)
ASCII = st.text(st.characters(max_codepoint=127), min_size=1, max_size=120)
ANY = st.one_of(ADDRESSES, ASCII, st.text(min_size=1, max_size=60))
_RUN = re.compile(r"M(\d+) (\d+)\.5h(\d+)")


def drawn(svg):
    """Return the dark modules of a picture as (row, column), without the quiet zone."""
    return {
        (int(y) - qr.QUIET_ZONE, int(x) - qr.QUIET_ZONE + step)
        for x, y, length in _RUN.findall(svg)
        for step in range(int(length))
    }


def made(text):
    matrix = segno.make(text, error="m", micro=False, mask=qr.MASK).matrix
    return {(y, x) for y, row in enumerate(matrix) for x, dark in enumerate(row) if dark}


@settings(max_examples=300, deadline=None)
@given(ANY)
def test_it_draws_what_the_encoder_makes(text):
    assert drawn(qr.qr_svg(text, 98, "label")) == made(text)


def test_texts_of_one_length_in_either_order_and_in_either_way_of_writing():
    # Ten letters each: byte by byte, compact, and one letter away from compact.
    texts = ["abcdefghij", "ABCDEFGHIJ", "ABCDEfGHIJ", "aBCDEFGHIJ", "0123456789", "ABCDeFGHIj"]
    for order in (texts, texts[::-1]):
        qr._kin.clear()
        qr.qr_svg.cache_clear()
        for text in order:
            assert drawn(qr.qr_svg(text, 98, "label")) == made(text), text


@given(ADDRESSES)
@settings(max_examples=20, deadline=None)
def test_readers_read_it(address):
    dark = drawn(qr.qr_svg(address, 98, "label"))
    side = max(x for _, x in dark) + 1 + 2 * qr.QUIET_ZONE
    picture = Image.new("L", (side, side), 255)
    pen = ImageDraw.Draw(picture)
    pen.point([(x + qr.QUIET_ZONE, y + qr.QUIET_ZONE) for y, x in dark], 0)
    large = picture.resize((side * 4, side * 4), Image.Resampling.NEAREST)
    assert [found.text for found in zxingcpp.read_barcodes(large)] == [address]
