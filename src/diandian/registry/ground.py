"""Boundaries on the ground: read from GeoJSON, checked, measured and compared; pure.

A boundary is one ring of corners in whole 1e-7 degrees (a centimetre), longitude first, WGS 84.
Between corners it runs straight in longitude and latitude. Whether two boundaries share ground is
decided in integers and fractions, so the answer is the same everywhere and never nearly right.
*Source:* RFC 7946 (GeoJSON); market study, b1-14: no forest serves twice.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import pairwise
from typing import NoReturn

from diandian.kernel.errors import N_
from diandian.registry.country_boxes import BOXES
from diandian.registry.errors import SiteShapeError

Corner = tuple[int, int]
Point = tuple[Fraction, Fraction]

UNIT = 10**7
MOST_CORNERS = 500
MOST_BYTES = 200_000
WIDEST = 2 * UNIT
# Authalic radius of the Earth, metres: a sphere of the same surface as the ellipsoid of WGS 84.
_RADIUS_M = Decimal("6371007.181")
_PI = Decimal("3.14159265358979323846264338327950288")
WHY = {
    "json": N_("it is not GeoJSON"),
    "large": N_("it is larger than 200 kB"),
    "polygon": N_("it is not one polygon; enter each piece of ground as a site of its own"),
    "holes": N_("it has holes; enter the ground around them as pieces without holes"),
    "numbers": N_("a corner is not a longitude and a latitude in degrees"),
    "few": N_("it has fewer than three different corners"),
    "many": N_("it has more than 500 corners"),
    "open": N_("its last corner is not its first one again"),
    "crossed": N_("its line touches or crosses itself"),
    "wide": N_("it spans more than two degrees"),
    "country": N_(
        "it lies outside the project's country; GeoJSON writes the longitude before the latitude"
    ),
}


def refuse(why: str) -> NoReturn:
    """Raise SiteShapeError for a key of WHY."""
    raise SiteShapeError(field="boundary", why=WHY[why])


@dataclass(frozen=True, slots=True)
class Boundary:
    """A simple ring of at least three corners, each once. Units: 1e-7 degrees, longitude first."""

    corners: tuple[Corner, ...]

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Return west, south, east, north."""
        xs, ys = zip(*self.corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    @property
    def edges(self) -> list[tuple[Corner, Corner]]:
        """Return the pieces of the line, the closing one last."""
        return list(zip(self.corners, (*self.corners[1:], self.corners[0]), strict=True))

    @property
    def digest(self) -> str:
        """Return a digest of the corners, whichever comes first and whichever way they run."""
        turned = [self.corners, self.corners[::-1]]
        rings = [ring[at:] + ring[:at] for ring in turned for at in [ring.index(min(ring))]]
        return hashlib.sha256(json.dumps(min(rings)).encode()).hexdigest()


# --- reading ------------------------------------------------------------------------------------


def read_geojson(data: bytes, country: str) -> Boundary:
    """Read one polygon: a geometry, a feature, or a collection of one feature.

    Raises: SiteShapeError.
    """
    if len(data) > MOST_BYTES:
        refuse("large")
    try:
        # Numbers stay exact: what stands in the file decides, not its nearest binary neighbour.
        found = json.loads(data, parse_float=Decimal, parse_constant=lambda _: refuse("numbers"))
    except (ValueError, RecursionError, InvalidOperation):
        refuse("json")
    rings = _rings(found)
    if len(rings) != 1:
        refuse("holes" if rings else "few")
    return boundary_of([_corner(place) for place in _many(rings[0])], country)


def _rings(found: object) -> list[object]:
    for _ in range(2):
        if not isinstance(found, dict):
            break
        if found.get("type") == "FeatureCollection":
            features = found.get("features")
            found = features[0] if isinstance(features, list) and len(features) == 1 else None
        elif found.get("type") == "Feature":
            found = found.get("geometry")
    if not isinstance(found, dict) or found.get("type") != "Polygon":
        refuse("polygon")
    rings = found.get("coordinates")
    return rings if isinstance(rings, list) else []


def _many(ring: object) -> list[object]:
    if not isinstance(ring, list):
        refuse("numbers")
    if len(ring) > MOST_CORNERS + 1:
        refuse("many")
    return ring


def _corner(place: object) -> Corner:
    if not isinstance(place, list) or len(place) not in {2, 3}:
        refuse("numbers")
    longitude, latitude = (
        _scaled(value, most) for value, most in zip(place, (180, 90), strict=False)
    )
    return longitude, latitude


def _scaled(value: object, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        refuse("numbers")
    if not -most <= value <= most:
        refuse("numbers")
    return int((Decimal(value) * UNIT).to_integral_value())


def boundary_of(ring: list[Corner], country: str) -> Boundary:
    """Make a boundary of a closed ring of corners. Raises: SiteShapeError."""
    if ring[:1] != ring[-1:]:
        refuse("open")
    corners = tuple(here for here, after in pairwise(ring) if here != after)
    if len(set(corners)) < 3:  # noqa: PLR2004 - a triangle is the least
        refuse("few")
    if len(corners) > MOST_CORNERS:
        refuse("many")
    found = Boundary(corners)
    west, south, east, north = found.box
    if east - west > WIDEST or north - south > WIDEST:
        refuse("wide")
    box = BOXES.get(country)
    if box and not (
        box[0] * UNIT <= west
        and box[1] * UNIT <= south
        and east <= box[2] * UNIT
        and north <= box[3] * UNIT
    ):
        refuse("country")
    if len(set(corners)) < len(corners) or _crosses_itself(found):
        refuse("crossed")
    return found


def _crosses_itself(found: Boundary) -> bool:
    edges = found.edges
    boxes = [_box(edge) for edge in edges]
    last = len(edges) - 1
    for i, first in enumerate(edges):
        for j in range(i + 1, len(edges)):
            if not _boxes_meet(boxes[i], boxes[j]):
                continue
            second = edges[j]
            if j == i + 1 or (i == 0 and j == last):
                # Neighbours share a corner; they may not run back over each other.
                shared = first[1] if j == i + 1 else first[0]
                ends = [end for end in (*first, *second) if end != shared]
                if _side(ends[0], shared, ends[1]) == 0 and _ahead(ends[0], shared, ends[1]):
                    return True
            elif _meetings(first, second):
                return True
    return False


# --- comparing ----------------------------------------------------------------------------------


def share_ground(one: Boundary, other: Boundary) -> bool:
    """Tell whether two boundaries enclose common ground; neighbours may share a border or corner.

    Each line is cut where it meets the other, so every piece lies inside, outside or on the other:
    ground is shared where a piece lies inside, or where the two lines are the same.
    """
    if not _boxes_overlap(one.box, other.box):
        return False
    for mine, theirs in ((one, other), (other, one)):
        places = [_place(middle, theirs) for middle in _middles(mine, theirs)]
        if "inside" in places or set(places) == {"border"}:
            return True
    return False


def _middles(mine: Boundary, theirs: Boundary) -> list[Point]:
    """Return the middle of every piece of a line that the other's line cuts."""
    boxes = [(_box(edge), edge) for edge in theirs.edges]
    found: list[Point] = []
    for edge in mine.edges:
        own = _box(edge)
        cuts: set[Point] = {_exact(edge[0]), _exact(edge[1])}
        for box, other in boxes:
            if _boxes_meet(own, box):
                cuts.update(_meetings(edge, other))
        along = sorted(cuts)
        found += [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in pairwise(along)]
    return found


def _place(point: Point, ring: Boundary) -> str:
    """Tell whether a point is inside, outside or on the border of a ring."""
    x, y = point
    is_inside = False
    for (ax, ay), (bx, by) in ring.edges:
        if not min(ay, by) <= y <= max(ay, by):
            continue
        turn = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        if turn == 0 and min(ax, bx) <= x <= max(ax, bx):
            return "border"
        # A ray to the east: an edge counts with its lower end and without its upper one.
        if (ay > y) != (by > y) and (turn > 0) == (by > ay):
            is_inside = not is_inside
    return "inside" if is_inside else "outside"


def _meetings(first: tuple[Corner, Corner], second: tuple[Corner, Corner]) -> list[Point]:
    """Return the points that two pieces of line share; of a common stretch, its ends."""
    (p, q), (r, s) = first, second
    ends = [end for end in (r, s) if _on(end, first)] + [end for end in (p, q) if _on(end, second)]
    if ends:
        return [_exact(end) for end in ends]
    d1, d2 = _side(p, q, r), _side(p, q, s)
    d3, d4 = _side(r, s, p), _side(r, s, q)
    if (d1 > 0) == (d2 > 0) or (d3 > 0) == (d4 > 0) or 0 in (d1, d2, d3, d4):
        return []
    share = Fraction(d1, d1 - d2)
    return [(r[0] + share * (s[0] - r[0]), r[1] + share * (s[1] - r[1]))]


def _side(a: Corner, b: Corner, c: Corner) -> int:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _ahead(a: Corner, middle: Corner, b: Corner) -> bool:
    """Tell whether two ends lie in the same direction from a corner."""
    return (a[0] - middle[0]) * (b[0] - middle[0]) + (a[1] - middle[1]) * (b[1] - middle[1]) > 0


def _on(point: Corner, edge: tuple[Corner, Corner]) -> bool:
    box = _box(edge)
    return (
        _side(*edge, point) == 0 and box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]
    )


def _box(edge: tuple[Corner, Corner]) -> tuple[int, int, int, int]:
    (ax, ay), (bx, by) = edge
    return min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)


def _boxes_meet(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def _boxes_overlap(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _exact(corner: Corner) -> Point:
    return Fraction(corner[0]), Fraction(corner[1])


# --- measuring ----------------------------------------------------------------------------------


def area_m2(ring: Boundary) -> int:
    """Return the area on the sphere of the Earth's surface, to the square metre.

    R^2 / 2 * |sum of (east step) * (sin of one latitude + sin of the next)|, R = 6,371,007.181 m:
    exact for lines that run straight in longitude and in the sine of latitude, which at the size of
    a forest is the same. The sines are computed in decimals, so that every machine answers alike.
    """
    sines = {corner[1]: _sine(corner[1]) for corner in ring.corners}
    twice = sum(
        ((b[0] - a[0]) * (sines[a[1]] + sines[b[1]]) for a, b in ring.edges), start=Decimal(0)
    )
    metres: Decimal = _RADIUS_M * _RADIUS_M * _PI / 180 / UNIT * abs(twice) / 2
    return int(metres.to_integral_value())


def _sine(units: int) -> Decimal:
    """Return the sine of an angle within a right angle, by its series, to 25 digits and more."""
    angle: Decimal = Decimal(units) / UNIT * _PI / 180
    term = total = angle
    for n in range(1, 20):
        term = -term * angle * angle / (2 * n * (2 * n + 1))
        total += term
    return total


def outline(ring: Boundary, wide: int = 1200, high: int = 800) -> list[tuple[int, int]]:
    """Return the corners inside a frame of whole units, north up, as wide as high on the ground."""
    west, south, east, north = ring.box
    # A degree of longitude is as long as one of latitude times the cosine of the latitude.
    cosine = _sine(90 * UNIT - abs(south + north) // 2)
    across, up = int((east - west) * cosine) or 1, (north - south) or 1
    scale = min(Fraction(wide, across), Fraction(high, up))
    left, top = (wide - across * scale) / 2, (high - up * scale) / 2
    return [
        (
            round(left + Fraction(int((x - west) * cosine)) * scale),
            round(top + (north - y) * scale),
        )
        for x, y in ring.corners
    ]
