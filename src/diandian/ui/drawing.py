"""Dots as plain geometry and as SVG text: fields, blooms, progress, the seal.

One dot stands for a stated number of kilograms; one picture never mixes scales and never holds more
than ``MAX_DOTS`` dots. Every drawing is decoration: the page says the same in words beside it.
*Source:* the product's design tokens (dot, field, bloom, seal).
"""

from __future__ import annotations

import hashlib
import math
import random
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from diandian.kernel.mass import GRAMS_PER_KG
from diandian.kernel.money import largest_remainder
from diandian.kernel.tokens import normalise_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

CATEGORIES = ("travel", "stay", "local", "food", "venue", "goods")
MAX_DOTS = 400
_KEPT = 512  # drawings, some kilobytes each
GOLDEN_ANGLE = math.radians(137.50776)

Point = tuple[float, float]
Size = Literal["field", "large", "small"]
State = Literal["full", "hollow", "half", "small"]
Group = tuple[str, int] | tuple[str, int, State]

_COLOURS = frozenset((*CATEGORIES, "", "you", "ok", "fee", "primary"))
# Upper end of each scale in kilograms, and what one dot stands for up to there.
_SCALES_KG = ((400, 1), (4_000, 10), (8_000, 20), (40_000, 100), (200_000, 500), (400_000, 1_000))


@dataclass(frozen=True, slots=True)
class DotScale:
    """What one dot of a picture stands for. Units: kilograms of CO2e."""

    kg_per_dot: int


@dataclass(frozen=True, slots=True)
class DotSize:
    """Measures of a dot in a field. Units: CSS pixels."""

    pitch: float
    diameter: float
    stroke: float


SIZES: dict[Size, DotSize] = {
    "field": DotSize(12, 9, 2),
    "large": DotSize(15.6, 11.8, 2.2),
    "small": DotSize(8, 5.8, 1.5),
}


# How many dots -----------------------------------------------------------------------------------


def scale_for(mass_g: int) -> DotScale:
    """Choose the finest scale that shows a mass in at most ``MAX_DOTS`` dots.

    >>> scale_for(124_000).kg_per_dot, scale_for(92_000_000).kg_per_dot
    (1, 500)
    """
    for up_to_kg, kg_per_dot in _SCALES_KG:
        if mass_g <= up_to_kg * GRAMS_PER_KG:
            return DotScale(kg_per_dot)
    kg_per_dot = 10_000
    while mass_g > MAX_DOTS * kg_per_dot * GRAMS_PER_KG:
        kg_per_dot *= 10
    return DotScale(kg_per_dot)


def dot_count(mass_g: int, kg_per_dot: int) -> int:
    """Return the dots of a mass. Rounding: up, as the kilograms that are bought.

    >>> dot_count(123_001, 1), dot_count(0, 1)
    (124, 0)
    """
    return -(-mass_g // (kg_per_dot * GRAMS_PER_KG))


def matched_dots(done_g: int, total_g: int, kg_per_dot: int) -> int:
    """Return the dots to fill. Rounding: down, never more than matched."""
    if done_g >= total_g:
        return dot_count(total_g, kg_per_dot)
    return max(done_g, 0) // (kg_per_dot * GRAMS_PER_KG)


def dots_by_category(masses: Mapping[str, int], kg_per_dot: int) -> dict[str, int]:
    """Share the dots of the total among the categories, in the fixed order.

    Rounding: largest remainder, so that the dots add up to ``dot_count`` of the sum.

    >>> dots_by_category({"stay": 76_400, "travel": 43_200, "local": 4_400}, 1)
    {'travel': 43, 'stay': 77, 'local': 4}
    """
    kinds = sorted(masses, key=_place)
    total_g = sum(masses.values())
    if total_g == 0:
        return dict.fromkeys(kinds, 0)
    shares = largest_remainder(dot_count(total_g, kg_per_dot), [masses[kind] for kind in kinds])
    return dict(zip(kinds, shares, strict=True))


def _place(kind: str) -> int:
    return CATEGORIES.index(kind) if kind in CATEGORIES else len(CATEGORIES)


# Plain geometry ----------------------------------------------------------------------------------


def field_points(count: int, columns: int, pitch: float, *, start: int = 0) -> list[Point]:
    """Return dot centres in reading order, rows of ``columns``, from place ``start`` on."""
    half = pitch / 2
    return [
        (half + place % columns * pitch, half + place // columns * pitch)
        for place in range(start, start + count)
    ]


def bloom_points(count: int, radius: float) -> tuple[list[Point], float]:
    """Return the centres of a spiral about (0, 0), heart first, and the dot diameter.

    The whole picture, edges of the outer dots included, stays within ``radius``.
    """
    if count <= 1:
        return [(0.0, 0.0)] * count, radius * 0.375
    # Few dots keep a seed's size instead of swelling to fill the circle.
    step = min(radius / (math.sqrt(count - 0.5) + 0.75), radius / 4)
    points = []
    for i in range(count):
        reach, angle = step * math.sqrt(i + 0.5), i * GOLDEN_ANGLE
        points.append((reach * math.cos(angle), reach * math.sin(angle)))
    return points, 1.5 * step


def seal_rows(code: str) -> list[list[bool]]:
    """Return the 7 x 7 dots of a certificate's seal, mirrored left to right.

    Bits: the first 28 of SHA-256 of "DD-" and the code as stored, low bit first.
    """
    bits = int.from_bytes(hashlib.sha256(f"DD-{normalise_code(code)}".encode()).digest(), "little")
    rows = []
    for row in range(7):
        left = [bool(bits >> (row * 4 + column) & 1) for column in range(4)]
        rows.append(left + left[2::-1])
    return rows


# SVG text ----------------------------------------------------------------------------------------


def number(value: float) -> str:
    """Write a coordinate with at most one decimal.

    >>> number(12.0), number(7.84)
    ('12', '7.8')
    """
    text = f"{value:.1f}"
    return text[:-2] if text[-1] == "0" else text


def path_data(points: Iterable[Point]) -> str:
    """Write dots as one path of zero-length strokes, which round caps turn into discs."""
    return "".join([f"M{number(x)} {number(y)}h0" for x, y in points])


def svg(width: float, height: float, body: str, extra: str = "") -> str:
    """Wrap shapes in a decorative SVG of the given size."""
    wide, high = number(width), number(height)
    return (
        f'<svg{extra} width="{wide}" height="{high}" viewBox="0 0 {wide} {high}"'
        f' aria-hidden="true" focusable="false"><g fill="none" stroke="currentColor"'
        f' stroke-linecap="round">{body}</g></svg>'
    )


def _ink(kind: str, palette: Mapping[str, str] | None, name: str = "k") -> str:
    """Return the colour attributes of a shape: classes on a page, fixed values in a file."""
    if kind not in _COLOURS:
        raise ValueError(f"unknown category {kind!r}")
    if palette is None:
        return f'class="{name} c-{kind}"' if kind else f'class="{name}"'
    paint = "fill" if name == "h" else "stroke"
    return f'{paint}="{palette[kind]}"'


def _paint(
    points: Sequence[Point],
    kind: str,
    state: State,
    measures: tuple[float, float],
    palette: Mapping[str, str] | None,
) -> str:
    """Draw one group of dots in its state: shape tells the state before colour does."""
    if not points:
        return ""
    diameter, stroke = measures
    data, ink = path_data(points), _ink(kind, palette)
    width = diameter * 0.42 if state == "small" else diameter
    disc = f'<path {ink} d="{data}" stroke-width="{number(width)}"/>'
    if state in {"full", "small"}:
        return disc
    ground = 'class="g" stroke="#fff"' if palette is None else f'stroke="{palette["ground"]}"'
    ring = f'{disc}<path {ground} d="{data}" stroke-width="{number(diameter - 2 * stroke)}"/>'
    if state == "hollow":
        return ring
    radius = number(diameter / 2)
    halves = "".join(
        f"M{number(x)} {number(y - diameter / 2)}a{radius} {radius} 0 0 0 0 {number(diameter)}z"
        for x, y in points
    )
    return f'{ring}<path {_ink(kind, palette, "h")} stroke="none" d="{halves}"/>'


def _checked(groups: Sequence[Group]) -> None:
    total = sum(group[1] for group in groups)
    if total > MAX_DOTS:
        raise ValueError(f"{total} dots in one picture; choose a coarser scale")


def dot_field(
    groups: Sequence[Group],
    columns: int = 29,
    size: Size = "field",
    *,
    state: State = "hollow",
    blocks: bool = False,
    palette: Mapping[str, str] | None = None,
) -> str:
    """Draw groups of dots in reading order; with ``blocks`` each group begins its own row.

    Raises: ValueError on more than ``MAX_DOTS`` dots.
    """
    if palette is None:
        return _kept_field(tuple(groups), columns, size, state, blocks=blocks)
    return _draw_field(groups, columns, size, state, blocks=blocks, palette=palette)


@lru_cache(maxsize=_KEPT)
def _kept_field(
    groups: tuple[Group, ...], columns: int, size: Size, state: State, *, blocks: bool
) -> str:
    """Keep the drawings of pages: their counts come back from guest to guest."""
    return _draw_field(groups, columns, size, state, blocks=blocks, palette=None)


def _draw_field(
    groups: Sequence[Group],
    columns: int,
    size: Size,
    state: State,
    *,
    blocks: bool,
    palette: Mapping[str, str] | None,
) -> str:
    _checked(groups)
    measure = SIZES[size]
    start, body = 0, []
    for group in groups:
        kind, count = group[0], group[1]
        points = field_points(count, columns, measure.pitch, start=start)
        own_state = group[2] if len(group) == 3 else state  # noqa: PLR2004 - the optional third
        body.append(_paint(points, kind, own_state, (measure.diameter, measure.stroke), palette))
        start += count
        if blocks:
            start = -(-start // columns) * columns
    rows = max(-(-start // columns), 1)
    return svg(columns * measure.pitch, rows * measure.pitch, "".join(body))


def fill_field(
    done: int,
    total: int,
    columns: int = 29,
    size: Size = "field",
    *,
    held: int = 0,
    kind: str = "",
    animate: bool = False,
) -> str:
    """Draw progress: ``done`` dots full, ``held`` half, the rest of ``total`` hollow."""
    done = max(0, min(done, total))
    held = max(0, min(held, total - done))
    if not animate:
        groups: list[Group] = [
            (kind, done, "full"),
            (kind, held, "half"),
            (kind, total - done - held, "hollow"),
        ]
        return dot_field(groups, columns, size)
    _checked([(kind, total)])
    measure = SIZES[size]
    measures = (measure.diameter, measure.stroke)
    # Hollow dots lie beneath all places, so that the full ones can be seen to fill.
    under = _paint(field_points(total, columns, measure.pitch), kind, "hollow", measures, None)
    half = _paint(
        field_points(held, columns, measure.pitch, start=done), kind, "half", measures, None
    )
    full = _paint(field_points(done, columns, measure.pitch), kind, "full", measures, None)
    rows = max(-(-total // columns), 1)
    body = f'{under}{half}<g class="fills">{full}</g>'
    return svg(columns * measure.pitch, rows * measure.pitch, body)


def bloom(
    groups: Sequence[Group],
    radius: float = 118,
    palette: Mapping[str, str] | None = None,
    *,
    state: State = "full",
    opens: bool = False,
) -> str:
    """Draw dots as a spiral flower, categories from the heart outwards in the fixed order.

    ``palette``: colours by category and "ground" for a picture outside a page; else page classes.
    """
    if palette is None:
        return _kept_bloom(tuple(groups), radius, state, opens=opens)
    return _draw_bloom(groups, radius, palette, state, opens=opens)


@lru_cache(maxsize=_KEPT)
def _kept_bloom(groups: tuple[Group, ...], radius: float, state: State, *, opens: bool) -> str:
    return _draw_bloom(groups, radius, None, state, opens=opens)


def _draw_bloom(
    groups: Sequence[Group],
    radius: float,
    palette: Mapping[str, str] | None,
    state: State,
    *,
    opens: bool,
) -> str:
    _checked(groups)
    points, diameter = bloom_points(sum(group[1] for group in groups), radius)
    centred = [(x + radius, y + radius) for x, y in points]
    body, start = [], 0
    for group in sorted(groups, key=lambda each: _place(each[0])):
        own_state = group[2] if len(group) == 3 else state  # noqa: PLR2004 - the optional third
        part = centred[start : start + group[1]]
        body.append(_paint(part, group[0], own_state, (diameter, diameter * 0.2), palette))
        start += group[1]
    return svg(2 * radius, 2 * radius, "".join(body), ' class="opens"' if opens else "")


@lru_cache(maxsize=_KEPT)
def avatar(seed: int, size: float = 44, *, outer: str = "") -> str:
    """Draw a small bloom of two colours from a random number; it tells nothing about a person."""
    chance = random.Random(seed)  # noqa: S311 - a picture, not a secret
    kinds = list(CATEGORIES[:5])
    inner = chance.choice(kinds)
    kinds.remove(inner)
    ring = outer or chance.choice(kinds)
    heart = chance.randint(6, 15)
    points, diameter = bloom_points(19, size / 2)
    centred = [(x + size / 2, y + size / 2) for x, y in points]
    body = _paint(centred[:heart], inner, "full", (diameter, 0), None)
    return svg(size, size, body + _paint(centred[heart:], ring, "full", (diameter, 0), None))


def seal(code: str, size: float = 62) -> str:
    """Draw a certificate's dot seal, for a person to compare by eye."""
    rows, pitch = seal_rows(code), size * 0.115
    margin = (size - 6 * pitch) / 2
    places = [(x, y) for y in range(7) for x in range(7)]
    on = path_data((margin + x * pitch, margin + y * pitch) for x, y in places if rows[y][x])
    off = path_data((margin + x * pitch, margin + y * pitch) for x, y in places if not rows[y][x])
    edge, inside, corner = number(size * 0.02), number(size * 0.96), number(size * 0.12)
    body = (
        f'<rect x="{edge}" y="{edge}" width="{inside}" height="{inside}" rx="{corner}"'
        f' stroke-width="{number(size * 0.03)}"/>'
        f'<path d="{on}" stroke-width="{number(size * 0.089)}"/>'
        f'<path d="{off}" stroke-width="{number(size * 0.028)}"/>'
    )
    return svg(size, size, body, ' class="seal"')
