"""Dots are counted exactly, add up, and stay within their picture."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.ui import bars, drawing, halftones

pytestmark = pytest.mark.pure

MASSES = st.dictionaries(
    st.sampled_from(drawing.CATEGORIES), st.integers(0, 10**12), min_size=1, max_size=6
)

SEAL_OF_7K3M9QXD2B4F = [
    "..###..",
    ".#...#.",
    "##.#.##",
    "##.#.##",
    ".#.#.#.",
    "..###..",
    "..#.#..",
]


def dots_in(svg, css_class="k"):
    """Count the dots that the paths of a class draw."""
    paths = re.findall(rf'<path class="{css_class}[^"]*"[^>]* d="([^"]*)"', svg)
    return sum(path.count("M") for path in paths)


@given(MASSES)
def test_dots_add_up_to_the_printed_total_and_never_pass_400(masses):
    total_g = sum(masses.values())
    kg_per_dot = drawing.scale_for(total_g).kg_per_dot
    shares = drawing.dots_by_category(masses, kg_per_dot)
    assert sum(shares.values()) == drawing.dot_count(total_g, kg_per_dot) <= drawing.MAX_DOTS
    assert list(shares) == [kind for kind in drawing.CATEGORIES if kind in masses]


@pytest.mark.parametrize(
    ("mass_kg", "kg_per_dot"),
    [
        (0, 1), (400, 1), (401, 10), (4_000, 10), (4_001, 20), (8_000, 20), (40_000, 100),
        (92_000, 500), (400_000, 1_000), (400_001, 10_000), (4_000_001, 100_000),
    ],
)  # fmt: skip
def test_scale_is_the_one_of_the_tokens(mass_kg, kg_per_dot):
    assert drawing.scale_for(mass_kg * 1_000).kg_per_dot == kg_per_dot


def test_a_gram_above_a_scale_takes_the_next():
    assert drawing.scale_for(400_001).kg_per_dot == 10


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.sampled_from([1, 10, 500]))
def test_filled_dots_never_show_more_than_is_matched(done_g, total_g, kg_per_dot):
    filled = drawing.matched_dots(done_g, total_g, kg_per_dot)
    assert filled <= drawing.dot_count(total_g, kg_per_dot)
    assert filled * kg_per_dot * 1_000 <= done_g or done_g >= total_g


@given(st.lists(st.tuples(st.sampled_from(drawing.CATEGORIES), st.integers(0, 60)), max_size=6))
def test_field_draws_every_dot_once(groups):
    svg = drawing.dot_field(groups, 29, state="full")
    assert dots_in(svg) == sum(count for _, count in groups)


@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 400))
def test_progress_has_three_states_that_add_up(done, held, total):
    svg = drawing.fill_field(done, total, held=held)
    assert dots_in(svg) == total
    assert dots_in(svg, "h") == max(0, min(held, total - min(done, total)))
    assert dots_in(svg, "g") == total - min(done, total)


def test_animated_progress_lays_full_dots_over_hollow_places():
    svg = drawing.fill_field(34, 92, animate=True)
    assert dots_in(svg.partition('<g class="fills">')[2]) == 34
    assert dots_in(svg, "g") == 92


def test_blocks_begin_on_their_own_row():
    svg = drawing.dot_field([("travel", 3), ("stay", 2)], 10, state="full", blocks=True)
    second = re.search(r'class="k c-stay" d="M([\d.]+) ([\d.]+)h0', svg)
    assert second is not None
    assert second.groups() == ("6", "18")


def test_more_dots_than_fit_are_refused():
    with pytest.raises(ValueError, match="coarser scale"):
        drawing.dot_field([("travel", 401)])


def test_an_unknown_category_is_refused_rather_than_written_into_markup():
    with pytest.raises(ValueError, match="unknown category"):
        drawing.dot_field([('x"><script>', 1)])
    with pytest.raises(ValueError, match="unknown colour"):
        bars.split_bar([("x", 1)])


@given(st.integers(0, 400), st.integers(10, 400))
def test_bloom_stays_within_its_radius(count, radius):
    points, diameter = drawing.bloom_points(count, radius)
    assert len(points) == count
    assert all(math.hypot(x, y) + diameter / 2 <= radius + 1e-9 for x, y in points)


def test_bloom_grows_outwards_in_the_fixed_order():
    svg = drawing.bloom([("local", 5), ("stay", 76), ("travel", 43)])
    assert re.findall(r"c-(\w+)", svg) == ["travel", "stay", "local"]
    assert dots_in(svg) == 124


def test_bloom_outside_a_page_carries_its_own_colours():
    svg = drawing.bloom(
        [("travel", 3)], 50, {"travel": "#B4C0FF", "ground": "#222D80"}, state="half"
    )
    assert "class=" not in svg
    assert svg.count('stroke="#B4C0FF"') == 1
    assert 'fill="#B4C0FF"' in svg


@given(st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=12, max_size=12))
def test_seal_is_symmetric_and_the_same_for_every_way_of_writing(code):
    rows = drawing.seal_rows(code)
    assert [len(row) for row in rows] == [7] * 7
    assert all(row == row[::-1] for row in rows)
    spaced = f"{code[:4]}-{code[4:8]} {code[8:]}".lower()
    assert drawing.seal_rows(spaced) == rows


def test_seal_of_a_code_never_changes():
    drawn = ["".join(".#"[dot] for dot in row) for row in drawing.seal_rows("7K3M9QXD2B4F")]
    assert drawn == SEAL_OF_7K3M9QXD2B4F


@given(st.integers(0, 2**63))
def test_avatar_depends_on_its_number_alone(seed):
    assert drawing.avatar(seed) == drawing.avatar(seed)
    assert dots_in(drawing.avatar(seed)) == 19


@pytest.mark.parametrize("kind", [*halftones.PICTURES, "a kind nobody drew"])
def test_halftone_stays_small_and_in_seven_sizes(kind):
    svg = halftones.halftone(kind)
    assert 1 <= svg.count("<path") <= halftones.LEVELS
    assert 4_000 < len(svg) < 24_000
    assert svg == halftones.halftone(kind)


def test_drawings_are_hidden_from_screen_readers_and_use_one_decimal():
    for svg in (
        drawing.dot_field([("food", 30)], 26, "large"),
        drawing.bloom([("food", 30)]),
        drawing.seal("7K3M9QXD2B4F"),
        halftones.thumb("wind"),
        bars.range_bar((1, 2, 3), ("1", "3", "range")),
        bars.bar(46, 13, "stay"),
    ):
        assert 'aria-hidden="true"' in svg
        assert "style=" not in svg
        assert not re.search(r"\.\d\d", svg)


def test_range_bar_labels_lean_apart_when_the_range_is_narrow():
    assert 'text-anchor="end">99' in bars.range_bar((99, 100, 101), ("99", "101", ""))
    assert 'text-anchor="middle">90' in bars.range_bar((90, 124, 165), ("90", "165", ""))


def test_split_bar_shares_the_whole_width():
    widths = re.findall(
        r'class="f [^"]*" x="[^"]*" width="([\d.]+)%"',
        bars.split_bar([("primary", 744), ("fee", 60)]),
    )
    assert widths == ["92.5", "7.5"]
