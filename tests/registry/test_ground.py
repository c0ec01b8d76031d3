"""Boundaries: read strictly, measured alike everywhere, and compared without a doubt."""

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.registry.errors import SiteShapeError
from diandian.registry.ground import (
    UNIT,
    WHY,
    Boundary,
    area_m2,
    boundary_of,
    outline,
    read_geojson,
    share_ground,
)

pytestmark = pytest.mark.pure
ABA = [[102.20, 31.90], [102.22, 31.90], [102.22, 31.92], [102.20, 31.92], [102.20, 31.90]]


def polygon(ring=ABA, **more):
    return json.dumps({"type": "Polygon", "coordinates": [ring]} | more).encode()


def ring(*corners):
    return boundary_of([*corners, corners[0]], "")


def box(x, y, wide=10, high=10):
    return ring((x, y), (x + wide, y), (x + wide, y + high), (x, y + high))


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda shape: shape,
        lambda shape: {"type": "Feature", "geometry": shape, "properties": {"name": "x"}},
        lambda shape: {
            "type": "FeatureCollection",
            "features": [{"type": "Feature", "geometry": shape}],
        },
    ],
)
def test_one_polygon_however_wrapped(wrapped):
    found = read_geojson(json.dumps(wrapped(json.loads(polygon()))).encode(), "CN")
    assert found.corners[0] == (1022000000, 319000000)
    assert len(found.corners) == 4


def test_the_digits_of_the_file_decide():
    """0.1 + 0.2 in binary would miss the neighbour by a hair."""
    shape = polygon().replace(b"102.2,", b"102.20000005,").replace(b"102.2]", b"102.20000005]")
    assert read_geojson(shape, "CN").corners[0][0] == 1022000000  # half to even, once
    exact = polygon().replace(b"102.22", b"102.2200001")
    assert (1022200001, 319000000) in read_geojson(exact, "CN").corners


SPOILT = {
    "json": b"{",
    "large": b" " * 200_001,
    "polygon": b'{"type": "MultiPolygon", "coordinates": []}',
    "holes": json.dumps({"type": "Polygon", "coordinates": [ABA, ABA]}).encode(),
    "numbers": polygon([["102.2", 31], *ABA[1:]]),
    "few": polygon([ABA[0], ABA[1], ABA[0]]),
    "many": polygon([[102 + n / 10**4, 31] for n in range(502)]),
    "open": polygon(ABA[:-1]),
    "crossed": polygon([ABA[0], ABA[2], ABA[1], ABA[3], ABA[0]]),
    "wide": polygon([[100, 30], [103, 30], [103, 31], [100, 30]]),
    "country": polygon([[x - 90, y + 20] for x, y in ABA]),
}


@pytest.mark.parametrize("why", SPOILT)
def test_what_is_no_boundary_is_refused_with_its_reason(why):
    with pytest.raises(SiteShapeError) as refusal:
        read_geojson(SPOILT[why], "CN")
    assert refusal.value.params["why"] == WHY[why]


def test_every_reason_is_tried():
    assert set(SPOILT) == set(WHY)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"type": "Polygon", "coordinates": {"a": 1}}',
        b'{"type": "Polygon", "coordinates": [1]}',
        b'{"type": "Polygon", "coordinates": [[[NaN, 1], [2, 3], [4, 5], [NaN, 1]]]}',
        b'{"type": "Polygon", "coordinates": [[[1e400, 1], [2, 3], [4, 5], [1e400, 1]]]}',
        b'{"type": "Polygon", "coordinates": [[[true, 1], [2, 3], [4, 5], [true, 1]]]}',
        b'{"type": "Polygon", "coordinates": [[[' + b"9" * 5000 + b", 1]]]}",
        b'{"type": "Feature", "geometry": null}',
        b'{"type": "FeatureCollection", "features": [1]}',
        b"null",
        b"",
    ],
)
def test_hostile_files_are_refused_like_any_other(data):
    with pytest.raises(SiteShapeError):
        read_geojson(data, "CN")


@pytest.mark.parametrize(
    "corners",
    [
        [(0, 0), (10, 0), (5, 0), (5, 5)],  # runs back over itself
        [(0, 0), (10, 0), (10, 10), (5, 0), (0, 10)],  # touches itself
        [(0, 0), (5, 0), (10, 0)],  # no area
        [(0, 0), (10, 0), (10, 10), (0, 0), (0, 10)],  # a corner twice
    ],
)
def test_a_line_that_meets_itself_is_refused(corners):
    with pytest.raises(SiteShapeError) as refusal:
        ring(*corners)
    assert refusal.value.params["why"] == WHY["crossed"]


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        (box(0, 0), True),  # the same
        (ring((10, 10), (0, 10), (0, 0), (10, 0)), True),  # the same, told otherwise
        (box(2, 2, 3, 3), True),  # inside
        (box(-5, -5, 30, 30), True),  # around
        (box(0, 0, 5, 10), True),  # a half, three borders shared
        (box(9, 9), True),
        (box(-1, 3, 12, 2), True),  # a cross: no corner inside the other
        (ring((5, -5), (15, 5), (5, 15), (-5, 5)), True),  # corners on the sides
        (ring((0, 0), (10, 10), (0, 10)), True),  # a half, cut along the diagonal
        (box(10, 0), False),  # a neighbour
        (box(10, 10), False),  # one corner shared
        (box(10, -3, 10, 4), False),  # part of a border shared
        (ring((10, 5), (20, 0), (20, 10)), False),  # a corner on the border
        (box(11, 0), False),
        (ring((10, 12), (12, 10), (12, 12)), False),  # boxes near, nothing shared
    ],
)
def test_shared_ground_is_told_from_shared_borders(other, shared):
    assert share_ground(box(0, 0), other) is shared
    assert share_ground(other, box(0, 0)) is shared


def stairs(heights):
    """A polygon over unit columns of the given heights; columns are ground or none."""
    corners = [(0, 0), (len(heights), 0)]
    for at in range(len(heights) - 1, -1, -1):
        corners += [(at + 1, heights[at]), (at, heights[at])]
    clean = [corner for n, corner in enumerate(corners) if corner != corners[n - 1]]
    return boundary_of([*clean, clean[0]], "")


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=6),
    st.lists(st.integers(1, 5), min_size=1, max_size=6),
    st.integers(-7, 7),
    st.integers(-6, 6),
)
def test_stairs_share_ground_where_their_squares_do(one, other, right, up):
    squares = {(x, y) for x, height in enumerate(one) for y in range(height)}
    moved = {(x + right, y + up) for x, height in enumerate(other) for y in range(height)}
    shifted = Boundary(tuple((x + right, y + up) for x, y in stairs(other).corners))
    assert share_ground(stairs(one), shifted) is bool(squares & moved)


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=3, max_size=3, unique=True
    ),
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=3, max_size=3, unique=True
    ),
)
def test_triangles_share_ground_as_their_clipped_area_says(one, other):
    """An independent way: cut one triangle by the sides of the other and look what is left."""
    if not (twice_area(one) and twice_area(other)):
        return
    clipped = [(Fraction(x), Fraction(y)) for x, y in one]
    sides = other if twice_area(other) > 0 else other[::-1]
    for at in range(3):
        clipped = cut(clipped, sides[at], sides[(at + 1) % 3])
    assert share_ground(ring(*one), ring(*other)) is (bool(clipped) and twice_area(clipped) != 0)


def twice_area(points):
    return sum(
        a[0] * b[1] - b[0] * a[1] for a, b in zip(points, points[1:] + points[:1], strict=True)
    )


def cut(points, a, b):
    kept = []
    for here, after in zip(points, points[1:] + points[:1], strict=True):
        before, behind = (
            (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) for p in (here, after)
        )
        if before >= 0:
            kept.append(here)
        if (before > 0 > behind) or (before < 0 < behind):
            share = Fraction(before) / (before - behind)
            kept.append(
                (here[0] + share * (after[0] - here[0]), here[1] + share * (after[1] - here[1]))
            )
    return kept


def test_an_area_is_that_of_the_sphere():
    """A band of one degree by one on the equator: R^2 * radians * sine of one degree."""
    degree = boundary_of([(0, 0), (UNIT, 0), (UNIT, UNIT), (0, UNIT), (0, 0)], "")
    assert area_m2(degree) == 12_363_711_861
    # Two hundredths of a degree at 31.9 N: about 1.89 km by 2.22 km.
    site = read_geojson(polygon(), "CN")
    assert area_m2(site) == 4_198_333


def test_an_area_does_not_depend_on_how_it_is_told():
    site = read_geojson(polygon(), "CN")
    told = Boundary(site.corners[2:] + site.corners[:2])
    back = Boundary(site.corners[::-1])
    assert area_m2(told) == area_m2(back) == area_m2(site)
    assert told.digest == back.digest == site.digest
    assert box(0, 0).digest != site.digest


def test_an_outline_keeps_its_shape_inside_the_frame():
    drawn = outline(read_geojson(polygon(), "CN"), 1200, 800)
    xs, ys = zip(*drawn, strict=True)
    assert (min(ys), max(ys)) == (0, 800)
    # Two hundredths of a degree are narrower than high here: the cosine of 31.91 degrees.
    assert max(xs) - min(xs) == 680
    assert min(xs) == 1200 - max(xs)
    assert drawn[0][1] == 800  # south is below
