"""The interval around an estimate.

Factor errors of lines that share a factor row move together and are added before squaring. The
activity errors of lines are independent, but for lines that say in ``details["moves_with"]`` that
theirs is one and the same error. Half-widths at 95 %, in per cent.

The methods differ in how the doubt U becomes an interval, and in nothing else. By m1 it is
symmetric, and a factor range where that would reach zero; where the one becomes the other, better
data could lower the low end. By m2 it is a factor range at every width: with the same grams, a
smaller doubt of any line never lowers the low end and never raises the high one.
*Source:* IPCC 2006 Guidelines vol. 1 ch. 3, approach 1, as in the methodology, section 11; that m2
knows one form only is ours (decision 0022).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from diandian.emissions.lines import Line

# Half-widths of activity data, per cent.
EXACT, TICKET, CITY_PAIR, MAP, GUESS, DEFAULT = map(Decimal, (0, 5, 15, 10, 30, 60))
ZERO, TENTH = Decimal(0), Decimal("0.1")
HIGH_WORD, FAIR_WORD, SYMMETRIC_LIMIT = Decimal(15), Decimal(30), Decimal(60)


class Interval(NamedTuple):
    """``doubt_pct``: U of the total. ``form``: "symmetric" (m1 only) or "factor"."""

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


@dataclass(slots=True)
class Variance:
    """The sums whose squares make up the variance, in grams times per cent.

    ``factors``: by factor row. ``together``: by ``moves_with``. ``alone``: already squared.
    """

    factors: dict[tuple[str, str, str], Decimal] = field(default_factory=dict)
    together: dict[str, Decimal] = field(default_factory=dict)
    alone: Decimal = ZERO
    mass_g: int = 0

    @classmethod
    def of(cls, lines: Iterable[Line]) -> Variance:
        """Return the sums of some lines."""
        sums = cls()
        for line in lines:
            mass = line.mass_g
            sums.mass_g += mass
            row = (line.factor_id, line.factor_region, line.factor_set)
            part = mass * line.uncertainty_factor_pct
            sums.factors[row] = sums.factors.get(row, ZERO) + part
            distance, activity = line.uncertainty_distance_pct, line.uncertainty_activity_pct
            own = distance * distance
            group = line.details.get("moves_with", "")
            if group:
                part = mass * activity
                sums.together[group] = sums.together.get(group, ZERO) + part
            else:
                own += activity * activity
            sums.alone += mass * mass * own
        return sums

    def total(self) -> Decimal:
        """Return the variance, in squared grams times per cent."""
        parts = chain(self.factors.values(), self.together.values())
        return sum((part * part for part in parts), self.alone)

    def doubt_pct(self) -> Decimal:
        """Return U of the total in per cent; 0 when nothing was emitted."""
        return self.total().sqrt() / self.mass_g if self.mass_g else ZERO


def total_doubt(lines: Iterable[Line]) -> Decimal:
    """Return U_total in per cent; 0 when nothing was emitted."""
    return Variance.of(lines).doubt_pct()


def factor_range(mass_g: int, doubt: Decimal) -> tuple[int, int]:
    """Return a total divided and multiplied by 1 + U. Rounding: to whole grams, half up."""
    spread = 1 + doubt / 100
    return _grams(mass_g / spread), _grams(mass_g * spread)


def interval(lines: Iterable[Line], method_version: str) -> Interval:
    """Return the interval and its word by a method, a key of ``INTERVALS``. Raises: KeyError."""
    return INTERVALS[method_version](tuple(lines))


def _by_m1(lines: tuple[Line, ...]) -> Interval:
    """Return a symmetric interval; a factor range where a symmetric one would reach zero.

    Rounding: half-width and ends to whole grams, half up.
    """
    total = sum(line.mass_g for line in lines)
    doubt = total_doubt(lines)
    limit = SYMMETRIC_LIMIT * SYMMETRIC_LIMIT
    dominant = any(3 * line.mass_g > total and line_doubt_squared(line) > limit for line in lines)
    if doubt > SYMMETRIC_LIMIT or dominant:
        return Interval(*factor_range(total, doubt), doubt, _word(doubt), "factor")
    half = _grams(total * doubt / 100)
    return Interval(total - half, total + half, doubt, _word(doubt), "symmetric")


def _by_m2(lines: tuple[Line, ...]) -> Interval:
    """Return a factor range, whatever its width.

    Ends and word follow from the total and from the doubt as it is printed, so that whoever has a
    certificate can compute them. Rounding: the doubt to 0.1 %, then the ends to grams, half up.
    """
    total = sum(line.mass_g for line in lines)
    doubt = total_doubt(lines).quantize(TENTH, ROUND_HALF_UP)
    return Interval(*factor_range(total, doubt), doubt, _word(doubt), "factor")


INTERVALS: dict[str, Callable[[tuple[Line, ...]], Interval]] = {"m1": _by_m1, "m2": _by_m2}


def _word(doubt: Decimal) -> str:
    return "high" if doubt <= HIGH_WORD else "fair" if doubt <= FAIR_WORD else "rough"


def _grams(mass: Decimal) -> int:
    return int(mass.quantize(Decimal(1), rounding=ROUND_HALF_UP))
