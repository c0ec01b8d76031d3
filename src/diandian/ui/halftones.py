"""Pictures of scenes and projects as halftones: seven dot sizes drawn from small functions.

Each picture is a function from a place to a tone between 0 and 1; nothing is loaded from a file.
*Source:* the product's design tokens (halftone).
"""

# ruff: noqa: D401, PLR0911, PLR2004 - drawings: places and tones are plain numbers, a scene is named
from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

from diandian.ui.drawing import Point, number, path_data

# Tone at (x, y) of a picture one unit high and ``width`` units wide; y grows downwards.
Tone = Callable[[float, float, float], float]

LEVELS = 7
DROP_BELOW = 0.1
ROW_STEP = 0.87
FULLEST = 0.86  # diameter of the largest dot, in pitches


def _ground(y: float, top: float = 0.92) -> float:
    return 1.0 if y > top else 0.0


def _disc(x: float, y: float, centre: Point, radius: float) -> bool:
    return math.hypot(x - centre[0], y - centre[1]) < radius


def _ridge(x: float, y: float, width: float) -> float:
    """Snow peaks under a winter sun: the lit side bright at the crest, the shaded side thin."""
    if _disc(x, y, (0.8 * width, 0.19), 0.125):
        return 1.0
    if y > 0.93:
        return 1.0
    for at, top, left_slope, right_slope in (
        (0.655, 0.36, 1.0, 1.15),
        (1.0, 0.36, 0.95, 1.0),
        (0.05, 0.52, 2.2, 1.9),
        (0.315, 0.02, 0.86, 1.02),
    ):
        from_crest = x - at * width
        slope = right_slope if from_crest > 0 else left_slope
        depth = y - top - abs(from_crest) * slope
        if depth < 0:
            continue
        crag = 0.04 * math.sin(23 * y + 9 * from_crest)
        if from_crest > crag:
            return max(0.32 - 0.3 * depth, 0.13)
        return max(1.0 - 1.35 * depth, 0.42 if y > 0.8 else 0.3)
    return 0.0


def _hall(x: float, y: float, width: float) -> float:
    """A hall roof: shells one inside the other over a row of pillars."""
    across = (x - width / 2) / (0.56 * width)
    if y > 0.94:
        return 1.0
    if y > 0.7 and abs(across) < 0.86:
        pillar = (x * 5.2 + 0.25) % 1.0
        return 0.75 if pillar < 0.2 else 0.12
    reach = math.hypot(across, (y - 0.76) / 0.72)
    if reach > 0.98 or y > 0.7:
        return 0.0
    shell = reach * 4.6 % 1.0
    return 0.22 + 0.78 * math.pow(shell, 1.6)


def _crates(x: float, y: float, width: float) -> float:
    """Crates of a market in two rows, each filled to its own height."""
    if y > 0.95:
        return 0.9
    row, wide = (0, 0.58) if y < 0.52 else (1, 0.58)
    top = 0.16 if row == 0 else 0.56
    shift = (width % wide) / 2 + (0.29 if row else 0.0)
    column = math.floor((x - shift) / wide)
    inside = (x - shift) / wide - column
    down = (y - top) / 0.37
    if down < 0 or down > 1 or inside < 0.07 or inside > 0.93:
        fruit = y > top - 0.1 and 0.2 < inside < 0.8 and (column + row) % 2 == 0
        return 0.55 if fruit and down < 0 and down > -0.16 else 0.0
    if down < 0.16 or down > 0.86 or inside < 0.16 or inside > 0.84:
        return 1.0
    slats = down * 3.4 % 1.0
    return 0.3 + 0.12 * ((column * 3 + row) % 3) if slats < 0.68 else 0.12


def _bowl(x: float, y: float, width: float) -> float:
    """A bowl with steam."""
    centre, half = width / 2, 0.46
    across = x - centre
    if y < 0.44:
        for lane in (-0.18, 0.0, 0.18):
            if abs(across - lane - 0.04 * math.sin(y * 17 + lane * 9)) < 0.03 and y > 0.06:
                return 0.25 + 0.9 * y
        return 0.0
    if 0.47 < y < 0.545 and abs(across) < half + 0.03:
        return 1.0
    if y > 0.9:
        return 0.8 if y < 0.95 and abs(across) < 0.2 else _ground(y, 0.96) * 0.4
    rim = (across / half) ** 2 + ((y - 0.54) / 0.36) ** 2
    if y > 0.545 and rim < 1:
        return max(0.9 - 0.75 * (across + half) / (2 * half), 0.22)
    return 0.0


def _bed(x: float, y: float, width: float) -> float:
    """A bed under a crescent moon."""
    moon = _disc(x, y, (0.78 * width, 0.24), 0.17)
    if moon and not _disc(x, y, (0.78 * width + 0.09, 0.19), 0.15):
        return 1.0
    left, right = 0.13 * width, 0.87 * width
    if y > 0.95 or x < left or x > right:
        return 0.35 if y > 0.95 else 0.0
    if x < left + 0.07 and y > 0.34:
        return 1.0
    if 0.52 < y < 0.66 and left + 0.12 < x < left + 0.42:
        return 0.85
    blanket_top = 0.6 if x > left + 0.45 else 0.68
    if blanket_top < y < 0.82:
        return 0.3 + 0.55 * (y - blanket_top) / 0.2
    if 0.82 <= y < 0.87:
        return 1.0
    return 1.0 if y >= 0.87 and (x > right - 0.08) else 0.0


def _circle(x: float, y: float, width: float) -> float:
    """An open circle: a dot not yet matched."""
    reach = math.hypot(x - width / 2, y - 0.5)
    if 0.26 < reach < 0.42:
        return 0.45 + 0.55 * (1 - abs(reach - 0.34) / 0.08)
    return 0.14 if reach > 0.55 and math.sin(reach * 30) > 0.2 else 0.0


def _house(x: float, y: float, width: float) -> float:
    """A roof over a lit window."""
    across = abs(x - width / 2)
    if y > 0.94:
        return 0.9
    if 0.12 < y < 0.5 and across < (y - 0.12) * 1.25:
        return 1.0 - 0.9 * (y - 0.12)
    if 0.5 <= y <= 0.94 and across < 0.38:
        return 1.0 if across < 0.13 and 0.6 < y < 0.8 else 0.26
    return 0.0


def _panels(x: float, y: float, width: float) -> float:
    """Solar panels on a roof below the sun."""
    if _disc(x, y, (0.76 * width, 0.17), 0.14):
        return 1.0
    if y > 0.94:
        return 0.7
    if y < 0.36:
        return 0.0
    row = (y - 0.36) / 0.29 % 1.0
    column = (x + 0.42 * y) / 0.36 % 1.0
    if row > 0.86 or column > 0.88:
        return 0.0
    return 0.34 + 0.62 * (1 - column) * (0.6 + 0.4 * (1 - row))


def _dome(x: float, y: float, width: float) -> float:
    """A gas holder with bubbles rising: waste turned into use."""
    centre = width / 2
    for bubble_x, bubble_y, radius in ((0.1, 0.1, 0.06), (-0.08, 0.2, 0.08), (0.13, 0.29, 0.05)):
        if _disc(x, y, (centre + bubble_x, bubble_y), radius):
            return 0.8
    if y > 0.94:
        return 0.8
    across = x - centre
    if y > 0.66:
        return (1.0 if y < 0.71 else 0.55 - 0.4 * across) if abs(across) < 0.38 else 0.0
    inside = (across / 0.38) ** 2 + ((y - 0.66) / 0.3) ** 2 < 1
    return 0.62 - 0.9 * across if inside else 0.0


def _forest(x: float, y: float, width: float) -> float:
    """Crowns of a tended grove over its path."""
    if y > 0.86:
        return 0.34 if y < 0.95 else 0.8
    for at, top, radius in ((0.3, 0.36, 0.26), (0.74, 0.42, 0.2), (0.53, 0.54, 0.16)):
        from_centre = x - at * width
        if _disc(x, y, (at * width, top), radius):
            return max(0.85 - 1.4 * (from_centre + radius), 0.3)
        if abs(from_centre) < 0.025 and top < y:
            return 0.9
    return 0.0


def _turbine(x: float, y: float, width: float) -> float:
    """A wind turbine over low hills."""
    hub_x, hub_y = 0.52 * width, 0.36
    hill = 0.86 + 0.05 * math.sin(6 * x + 1)
    if y > hill:
        return 0.35 + 0.65 * min((y - hill) / 0.12, 1)
    if _disc(x, y, (hub_x, hub_y), 0.05):
        return 1.0
    if y > hub_y and abs(x - hub_x) < 0.018 + 0.02 * (y - hub_y):
        return 0.85
    for turn in (-90, 30, 150):
        angle = math.radians(turn + 12)
        along = (x - hub_x) * math.cos(angle) + (y - hub_y) * math.sin(angle)
        aside = abs((y - hub_y) * math.cos(angle) - (x - hub_x) * math.sin(angle))
        if 0 < along < 0.34 and aside < 0.055 * (1 - along / 0.42):
            return 1.0
    return 0.0


def _char(x: float, y: float, width: float) -> float:
    """Char in the soil: dark lumps between thin layers."""
    if y < 0.3:
        stalk = abs((x / width * 7) % 1.0 - 0.5)
        return 0.7 if y > 0.1 and stalk < 0.09 + 0.25 * abs(y - 0.2) else 0.0
    if y < 0.36:
        return 1.0
    for at, down, radius in (
        (0.22, 0.56, 0.12),
        (0.55, 0.7, 0.15),
        (0.83, 0.54, 0.1),
        (0.3, 0.84, 0.08),
    ):
        if _disc(x, y, (at * width, down), radius):
            return 0.95
    return 0.2 + 0.12 * math.sin(y * 40)


PICTURES: dict[str, Tone] = {
    "ridge": _ridge,
    "scenic_spot": _ridge,
    "conference": _hall,
    "supermarket": _crates,
    "restaurant": _bowl,
    "hotel": _bed,
    "other": _circle,
    "life": _house,
    "solar": _panels,
    "biogas": _dome,
    "forest": _forest,
    "wind": _turbine,
    "biochar": _char,
}


@cache
def halftone_points(
    kind: str, width: float, height: float, pitch: float = 6.2
) -> tuple[tuple[float, tuple[Point, ...]], ...]:
    """Return (dot diameter, centres) per dot size; an unknown kind gives the open circle."""
    tone = PICTURES.get(kind, _circle)
    levels: dict[int, list[Point]] = {}
    for row in range(math.ceil(height / (pitch * ROW_STEP))):
        y = pitch / 2 + row * pitch * ROW_STEP
        for column in range(math.ceil(width / pitch) + 1):
            x = column * pitch + (pitch / 2 if row % 2 else 0.0)
            shade = tone(x / height, y / height, width / height)
            if shade >= DROP_BELOW:
                level = min(max(round(shade * LEVELS), 1), LEVELS)
                levels.setdefault(level, []).append((x, y))
    return tuple(
        (FULLEST * pitch * level / LEVELS, tuple(levels[level])) for level in sorted(levels)
    )


@cache
def halftone(kind: str, width: int = 366, height: int = 168, pitch: float = 6.2) -> str:
    """Draw a picture in the current colour, cropped to its box."""
    body = "".join(
        f'<path d="{path_data(points)}" stroke-width="{number(diameter)}"/>'
        for diameter, points in halftone_points(kind, width, height, pitch)
    )
    return (
        f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        ' preserveAspectRatio="xMidYMax slice" aria-hidden="true" focusable="false">'
        f'<g fill="none" stroke="currentColor" stroke-linecap="round">{body}</g></svg>'
    )


def thumb(kind: str, size: int = 60) -> str:
    """Draw the small square form of a picture."""
    return halftone(kind, size, size, 4.6)
