"""What lies between two editions of the factors: rows that differ, results that would move, why.

Nothing that was counted moves: a scene keeps its edition, and a certificate names it.
*Source:* methodology, section 12 (when a set is replaced, the change per id is published).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from diandian.emissions.known_trips import TRIPS
from diandian.emissions.lines import M1

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diandian.emissions.estimate import Estimate
    from diandian.emissions.factor import EmissionFactor
    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.known_trips import Trip
    from diandian.emissions.lines import Line

TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class ChangedFactor:
    """One row that is not the same; None where an edition has no such row."""

    factor_id: str
    region: str
    before: EmissionFactor | None
    after: EmissionFactor | None

    @property
    def change_pct(self) -> Decimal | None:
        """Return the change of the value in per cent to a tenth, half up; None without a base."""
        if self.before is None or self.after is None:
            return None
        return change_pct(self.before.value, self.after.value)


@dataclass(frozen=True, slots=True)
class MovedLine:
    """One line of a result in both editions; None where it is not there."""

    before: Line | None
    after: Line | None

    @property
    def moved_g(self) -> int:
        """Return grams more than before."""
        return _grams(self.after) - _grams(self.before)

    @property
    def line(self) -> Line:
        """Return the newer of the two, for its words."""
        found = self.after or self.before
        assert found is not None
        return found


@dataclass(frozen=True, slots=True)
class MovedResult:
    """One trip in both editions, with the lines whose grams, factor or doubt differ."""

    trip: Trip
    before: Estimate
    after: Estimate
    lines: tuple[MovedLine, ...]

    @property
    def moved_g(self) -> int:
        """Return grams more than before."""
        return self.after.mass_g - self.before.mass_g

    @property
    def change_pct(self) -> Decimal | None:
        """Return the change in per cent to a tenth, half up; None when there was nothing."""
        return change_pct(Decimal(self.before.mass_g), Decimal(self.after.mass_g))


def change_pct(before: Decimal, after: Decimal) -> Decimal | None:
    """Return by how many per cent a value changed, to a tenth, half up; None from zero."""
    if not before:
        return None
    share = M1.divide(after - before, before)
    rounded = M1.multiply(share, Decimal(100)).quantize(TENTH, ROUND_HALF_UP)
    return abs(rounded) if rounded == 0 else rounded


def changed_factors(before: FactorSet, after: FactorSet) -> tuple[ChangedFactor, ...]:
    """Return every id and region whose value, unit or doubt is not the same, sorted.

    Compared is the row that each edition takes when that very region is asked for.
    """
    one, other = _preferred(before), _preferred(after)
    return tuple(
        ChangedFactor(*key, one.get(key), other.get(key))
        for key in sorted(one.keys() | other.keys())
        if _counts(one.get(key)) != _counts(other.get(key))
    )


def _preferred(factors: FactorSet) -> dict[tuple[str, str], EmissionFactor]:
    found: dict[tuple[str, str], EmissionFactor] = {}
    for row in factors.rows():
        found.setdefault((row.id, row.region), row)
    return found


def _counts(row: EmissionFactor | None) -> tuple[object, ...]:
    return () if row is None else (row.value, row.unit, row.uncertainty_pct)


def moved_lines(before: Estimate, after: Estimate) -> tuple[MovedLine, ...]:
    """Return the lines of two estimates of one thing that are not the same, the largest move first.

    The reason is in the lines themselves: each names its row, publisher set, value and source.
    """
    one, other = _by_key(before.lines), _by_key(after.lines)
    pairs = [MovedLine(one.get(key), other.get(key)) for key in {**one, **other}]
    moved = [pair for pair in pairs if _shown(pair.before) != _shown(pair.after)]
    return tuple(sorted(moved, key=lambda pair: (-abs(pair.moved_g), pair.line.key)))


def _by_key(lines: Iterable[Line]) -> dict[str, Line]:
    return {line.key: line for line in lines}


def _shown(line: Line | None) -> tuple[object, ...]:
    if line is None:
        return ()
    return (line.mass_g, line.without_non_co2_g, line.value, line.uncertainty_factor_pct)


def _grams(line: Line | None) -> int:
    return line.mass_g if line else 0


def moved_results(before: FactorSet, after: FactorSet) -> tuple[MovedResult, ...]:
    """Return the known trips in both editions, those that do not move included."""
    return tuple(_moved(trip, before, after) for trip in TRIPS)


def _moved(trip: Trip, before: FactorSet, after: FactorSet) -> MovedResult:
    one, other = trip.estimate(before), trip.estimate(after)
    return MovedResult(trip, one, other, moved_lines(one, other))
