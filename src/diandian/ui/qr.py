"""QR codes as one SVG path.

A code keeps the quiet zone of four modules that readers rely on. *Source:* ISO/IEC 18004.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape

import segno

QUIET_ZONE = 4
# Any mask is read by every reader; trying all eight for the prettiest took half of a page's time.
MASK = 2
_RUN = re.compile("1+")
# A text of nothing but these is written in another way than byte by byte. With two others in it, it
# is still written so when any one letter is exchanged.
_COMPACT = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
_OTHERS_NEEDED = 2


@lru_cache(maxsize=256)
def modules(text: str) -> tuple[tuple[bool, ...], ...]:
    """Return the dark and light modules of a code, without the quiet zone."""
    matrix = segno.make(text, error="m", micro=False, mask=MASK).matrix
    return tuple(tuple(bool(cell) for cell in row) for row in matrix)


def _bits(text: str) -> str:
    """Return a code's modules, row by row, as ones and noughts."""
    return "".join("1" if dark else "0" for row in modules.__wrapped__(text) for dark in row)


class _Kin:
    """The codes of all texts that are as long as a first one, written byte by byte.

    They have the same size, and each bit of the text flips the same modules in all of them: error
    correction and mask are sums without carry. So a code is the first one plus some flips, a
    hundred times quicker than making it anew.
    """

    def __init__(self, first: str) -> None:
        self._first = first
        bits = _bits(first)
        self._modules = len(bits)
        self._code = int(bits, 2)
        self._flips: dict[tuple[int, int], int] = {}

    def bits(self, text: str) -> str:
        """Return the modules of a text's code as ones and noughts."""
        code = self._code
        for place, (ours, theirs) in enumerate(zip(self._first, text, strict=True)):
            differs = ord(ours) ^ ord(theirs)
            while differs:
                lowest = differs & -differs
                code ^= self._flip(place, lowest)
                differs ^= lowest
        return f"{code:0{self._modules}b}"

    def _flip(self, place: int, bit: int) -> int:
        found = self._flips.get((place, bit))
        if found is None:
            other = chr(ord(self._first[place]) ^ bit)
            text = self._first[:place] + other + self._first[place + 1 :]
            found = self._flips[place, bit] = self._code ^ int(_bits(text), 2)
        return found


_kin: dict[int, _Kin] = {}
_MOST_KIN = 32


def _bits_of(text: str) -> str:
    """Return a code's modules, by way of its kin where it has some."""
    others = sum(letter not in _COMPACT for letter in text)
    if not text.isascii() or others < _OTHERS_NEEDED:
        return _bits(text)
    kin = _kin.get(len(text))
    if kin is None:
        if len(_kin) >= _MOST_KIN:
            _kin.clear()
        kin = _kin[len(text)] = _Kin(text)
    return kin.bits(text)


@lru_cache(maxsize=256)
def qr_svg(text: str, size: int, label: str) -> str:
    """Draw a code, dark on white in every theme, with a spoken label. Units of size: CSS pixels."""
    bits = _bits_of(text)
    modules_a_side = int(len(bits) ** 0.5)
    side = modules_a_side + 2 * QUIET_ZONE
    data = "".join(
        f"M{run.start() + QUIET_ZONE} {y + QUIET_ZONE}.5h{len(run[0])}"
        for y in range(modules_a_side)
        for run in _RUN.finditer(bits[y * modules_a_side : (y + 1) * modules_a_side])
    )
    return (
        f'<svg class="qrcode" width="{size}" height="{size}" viewBox="0 0 {side} {side}" role="img"'
        f' aria-label="{escape(label)}" shape-rendering="crispEdges">'
        f'<rect width="{side}" height="{side}" fill="#fff"/>'
        f'<path d="{data}" stroke="#141A2E" fill="none"/></svg>'
    )
