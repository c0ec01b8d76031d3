"""QR codes as one SVG path.

A code keeps the quiet zone of four modules that readers rely on. *Source:* ISO/IEC 18004.
"""

from __future__ import annotations

from functools import lru_cache
from html import escape

import segno

QUIET_ZONE = 4
# Any mask is read by every reader; trying all eight for the prettiest took half of a page's time.
MASK = 2


@lru_cache(maxsize=256)
def modules(text: str) -> tuple[tuple[bool, ...], ...]:
    """Return the dark and light modules of a code, without the quiet zone."""
    matrix = segno.make(text, error="m", micro=False, mask=MASK).matrix
    return tuple(tuple(bool(cell) for cell in row) for row in matrix)


def _runs(row: tuple[bool, ...]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    start = None
    for x, dark in enumerate((*row, False)):
        if dark and start is None:
            start = x
        elif not dark and start is not None:
            runs.append((start, x - start))
            start = None
    return runs


@lru_cache(maxsize=256)
def qr_svg(text: str, size: int, label: str) -> str:
    """Draw a code, dark on white in every theme, with a spoken label. Units of size: CSS pixels."""
    rows = modules(text)
    side = len(rows) + 2 * QUIET_ZONE
    data = "".join(
        f"M{x + QUIET_ZONE} {y + QUIET_ZONE}.5h{length}"
        for y, row in enumerate(rows)
        for x, length in _runs(row)
    )
    return (
        f'<svg class="qrcode" width="{size}" height="{size}" viewBox="0 0 {side} {side}" role="img"'
        f' aria-label="{escape(label)}" shape-rendering="crispEdges">'
        f'<rect width="{side}" height="{side}" fill="#fff"/>'
        f'<path d="{data}" stroke="#141A2E" fill="none"/></svg>'
    )
