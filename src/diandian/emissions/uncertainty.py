"""The interval around an estimate.

Factor errors of lines that share a factor row move together and are added before squaring; the
activity errors of lines are independent. Half-widths at 95 %, in per cent.
*Source:* IPCC 2006 Guidelines vol. 1 ch. 3, approach 1, as in the methodology, section 11.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diandian.emissions.lines import Line

# Half-widths of activity data, per cent.
EXACT, TICKET, CITY_PAIR, MAP, GUESS, DEFAULT = map(Decimal, (0, 5, 15, 10, 30, 60))
HIGH_WORD, FAIR_WORD, SYMMETRIC_LIMIT = Decimal(15), Decimal(30), Decimal(60)


class Interval(NamedTuple):
    """``doubt_pct``: U of the total. ``form``: "symmetric" or "factor"."""

    low_g: int
    high_g: int
    doubt_pct: Decimal
    word: str
    form: str


def line_doubt_squared(line: Line) -> Decimal:
    """Return U_line squared: activity, factor and distance combined."""
    activity, factor = line.uncertainty_activity_pct, line.uncertainty_factor_pct
    distance = line.uncertainty_distance_pct
    return activity * activity + factor * factor + distance * distance


def total_doubt(lines: Iterable[Line]) -> Decimal:
    """Return U_total in per cent; 0 when nothing was emitted."""
    by_factor: dict[tuple[str, str, str], Decimal] = {}
    alone = Decimal(0)
    total = 0
    for line in lines:
        mass = line.mass_g
        total += mass
        row = (line.factor_id, line.factor_region, line.factor_set)
        by_factor[row] = by_factor.get(row, Decimal(0)) + mass * line.uncertainty_factor_pct
        own = line.uncertainty_activity_pct**2 + line.uncertainty_distance_pct**2
        alone += mass * mass * own
    if not total:
        return Decimal(0)
    return (sum((part * part for part in by_factor.values()), alone)).sqrt() / total


def interval(lines: Iterable[Line]) -> Interval:
    """Return the interval and its word; a factor range where a symmetric one would reach zero.

    Rounding: half-width and ends to whole grams, half up.
    """
    kept = tuple(lines)
    total = sum(line.mass_g for line in kept)
    doubt = total_doubt(kept)
    limit = SYMMETRIC_LIMIT * SYMMETRIC_LIMIT
    dominant = any(3 * line.mass_g > total and line_doubt_squared(line) > limit for line in kept)
    word = "high" if doubt <= HIGH_WORD else "fair" if doubt <= FAIR_WORD else "rough"
    spread = 1 + doubt / 100
    if doubt > SYMMETRIC_LIMIT or dominant:
        return Interval(_grams(total / spread), _grams(total * spread), doubt, word, "factor")
    half = _grams(total * doubt / 100)
    return Interval(total - half, total + half, doubt, word, "symmetric")


def _grams(mass: Decimal) -> int:
    return int(mass.quantize(Decimal(1), rounding=ROUND_HALF_UP))
