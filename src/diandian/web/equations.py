"""Equations as dot bars: two sides drawn with as many dots, since they must be equal; pure.

A side that lacks something is that much shorter, and the page says so in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from diandian.kernel.money import largest_remainder
from diandian.ui.drawing import Group, State

COLUMNS = 29
_MOST_DOTS = 3 * COLUMNS


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a side. ``shown``: its amount in words; ``url``: its list or its file."""

    name: str
    amount: int
    shown: str
    url: str
    kind: str = ""
    state: State = "full"


@dataclass(frozen=True, slots=True)
class Side:
    """One side with its dots, and what they add up to."""

    terms: Sequence[Term]
    groups: Sequence[Group]
    total: int


@dataclass(frozen=True, slots=True)
class Equation:
    """Two sides on one scale. ``step``: what one dot stands for; ``key``: its anchor."""

    key: str
    title: str
    left: Side
    right: Side
    step: int

    @property
    def holds(self) -> bool:
        """Tell whether both sides are equal."""
        return self.left.total == self.right.total

    @property
    def difference(self) -> int:
        """Return how much the left side has more."""
        return self.left.total - self.right.total


def step_for(largest: int, unit: int) -> int:
    """Return what one dot stands for: 1, 2 or 5 times a power of ten units, so that all fit.

    >>> step_for(87, 1), step_for(88, 1), step_for(1_000, 1)
    (1, 2, 20)
    """
    power = unit
    while True:
        for factor in (1, 2, 5):
            if -(-largest // (power * factor)) <= _MOST_DOTS:
                return power * factor
        power *= 10


def equation(
    key: str, title: str, left: Sequence[Term], right: Sequence[Term], *, unit: int
) -> Equation:
    """Draw two sides on the scale of the larger one. Units: ``unit`` is the smallest step."""
    largest = max(sum(term.amount for term in side) for side in (left, right))
    step = step_for(largest, unit)
    return Equation(key, title, _side(left, step), _side(right, step), step)


def _side(terms: Sequence[Term], step: int) -> Side:
    """Share a side's dots among its terms; a part below zero has none.

    Rounding: dots of the whole up, shared by largest remainder, so that the sides compare.
    """
    total = sum(term.amount for term in terms)
    weights = [max(term.amount, 0) for term in terms]
    count = -(-max(total, 0) // step)
    shares = largest_remainder(count, weights) if any(weights) else [0] * len(weights)
    groups: list[Group] = [
        (term.kind, dots, term.state) for term, dots in zip(terms, shares, strict=True) if dots
    ]
    return Side(terms, groups, total)
