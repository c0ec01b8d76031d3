"""Bars as SVG text whose parts are set in per cent, so that they need no style attribute.

The site's security policy refuses inline styles; a width that depends on data therefore lives in
SVG geometry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from diandian.ui.drawing import CATEGORIES, number

if TYPE_CHECKING:
    from collections.abc import Sequence

_KINDS = frozenset((*CATEGORIES, "primary", "fee", "you", "ok"))


def _kind(kind: str) -> str:
    if kind not in _KINDS:
        raise ValueError(f"unknown colour {kind!r}")
    return kind


def _share(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0


def range_bar(bounds: tuple[int, int, int], labels: tuple[str, str, str]) -> str:
    """Draw low, best and high estimate on a line from zero; labels: escaped text."""
    low, middle, high = bounds
    # Half the line stays free for the words at its end, in long languages too.
    end = max(high * 2, 1)
    left, centre, right = (min(_share(value, end), 100.0) for value in (low, middle, high))
    # Labels lean away from each other when the range is too narrow for both.
    anchors = ("end", "start") if right - left < 14 else ("middle", "middle")  # noqa: PLR2004
    if left < 6:  # noqa: PLR2004 - a label centred here would leave the picture
        anchors = ("start", anchors[1])
    return (
        '<svg class="range" width="100%" height="40" aria-hidden="true" focusable="false">'
        '<rect class="track" y="8" width="100%" height="6" rx="3"/>'
        f'<rect class="span" x="{number(left)}%" y="8" width="{number(right - left)}%" height="6"'
        ' rx="3"/>'
        f'<circle class="dot" cx="{number(centre)}%" cy="11" r="6.5"/>'
        f'<text x="{number(left)}%" y="34" text-anchor="{anchors[0]}">{labels[0]}</text>'
        f'<text x="{number(right)}%" y="34" text-anchor="{anchors[1]}">{labels[1]}</text>'
        f'<text x="100%" y="34" text-anchor="end">{labels[2]}</text></svg>'
    )


def split_bar(parts: Sequence[tuple[str, int]]) -> str:
    """Draw amounts side by side as shares of their sum: where the money goes."""
    whole = sum(amount for _, amount in parts)
    body, left = [], 0.0
    for kind, amount in parts:
        width = _share(amount, whole)
        body.append(
            f'<rect class="f c-{_kind(kind)}" x="{number(left)}%" width="{number(width)}%"'
            ' height="14"/>'
        )
        if left:
            body.append(f'<rect class="gap" x="{number(left)}%" width="2" height="14"/>')
        left += width
    return (
        '<svg class="split" width="100%" height="14" aria-hidden="true" focusable="false">'
        f"{''.join(body)}</svg>"
    )


def bar(share: int, matched: int, kind: str) -> str:
    """Draw a row of a bar chart: outline to ``share``, filled to ``matched``. Units: per cent."""
    share, matched = max(0, min(share, 100)), max(0, min(matched, 100))
    return (
        '<svg class="barline" width="100%" height="16" aria-hidden="true" focusable="false">'
        '<rect class="track" width="100%" height="16" rx="8"/>'
        f'<rect class="o c-{_kind(kind)}" x="1.2" y="1.2" width="{share}%" height="13.6" rx="6.8"/>'
        f'<rect class="f c-{kind}" width="{matched}%" height="16"/></svg>'
    )
