"""Lines, their sum and its interval, in fractions: sections 1, 9 and 11 by the letter.

Section 9 asks for 28 digits, which decides where a share such as a third meets half a gram.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from math import floor

from tests.emissions.second_opinion.data import Row

HALF = Fraction(1, 2)
PRECISE, BY_METHOD = Context(prec=60), Context(prec=28, rounding=ROUND_HALF_UP)


@dataclass(frozen=True)
class Part:
    """One line. ``activity``, ``distance``: doubts in per cent. ``without``: value of the twin.

    ``together``: lines of one name share the error of their activity.
    """

    key: str
    row: Row
    amount: Fraction
    share: Fraction = Fraction(1)
    activity: Fraction = Fraction(0)
    distance: Fraction = Fraction(0)
    without: Fraction | None = None
    together: str = ""

    @property
    def grams(self) -> int:
        """Return grams, rounded once, half up."""
        return self._grams(self.row.value)

    @property
    def grams_without(self) -> int:
        """Return grams without the non-CO2 effect of flying."""
        return self._grams(self.row.value if self.without is None else self.without)

    def _grams(self, value: Fraction) -> int:
        kg = digits(digits(self.amount * value) * digits(self.share))
        return floor(kg * 1000 + HALF)


@dataclass(frozen=True)
class Opinion:
    """What should come out. ``lines``: grams by key."""

    lines: dict[str, int]
    mass_g: int
    without_g: int
    low_g: int
    high_g: int


def digits(number: Fraction) -> Fraction:
    """Return a number with as many digits as the method keeps, half up."""
    return Fraction(BY_METHOD.divide(Decimal(number.numerator), Decimal(number.denominator)))


def root(square: Fraction) -> Fraction:
    """Return a square root."""
    number = PRECISE.divide(Decimal(square.numerator), Decimal(square.denominator))
    return Fraction(PRECISE.sqrt(number))


def opinion(parts: Iterable[Part], method: str) -> Opinion:
    """Add lines up, with the interval of the total by "m1" or "m2"."""
    kept = list(parts)
    total = sum(part.grams for part in kept)
    low, high = {"m1": _ends_by_m1, "m2": _ends_by_m2}[method](kept, total)
    without = sum(part.grams_without for part in kept)
    return Opinion({part.key: part.grams for part in kept}, total, without, low, high)


def spread(parts: Iterable[Part]) -> Fraction:
    """Return the doubt of a sum in grams times per cent."""
    errors: dict[object, Fraction] = defaultdict(Fraction)
    square = Fraction(0)
    for part in parts:
        errors[part.row.name] += part.grams * part.row.doubt
        if part.together:
            errors[part.together] += part.grams * part.activity
        else:
            square += (part.grams * part.activity) ** 2
        square += (part.grams * part.distance) ** 2
    return root(square + sum(each**2 for each in errors.values()))


def _ends_by_m1(parts: list[Part], total: int) -> tuple[int, int]:
    """Add and take away, or multiply and divide where the doubt is over 60 %."""
    doubt = spread(parts)
    heavy = any(
        3 * part.grams > total and part.activity**2 + part.distance**2 + part.row.doubt**2 > 60**2
        for part in parts
    )
    if total and (doubt > 60 * total or heavy):
        times = 1 + doubt / 100 / total
        return floor(total / times + HALF), floor(total * times + HALF)
    half = floor(doubt / 100 + HALF)
    return total - half, total + half


def _ends_by_m2(parts: list[Part], total: int) -> tuple[int, int]:
    """Multiply and divide by 1 plus the doubt, rounded to a tenth of a per cent."""
    if not total:
        return 0, 0
    times = 1 + Fraction(floor(spread(parts) / total * 10 + HALF), 1000)
    return floor(total / times + HALF), floor(total * times + HALF)
