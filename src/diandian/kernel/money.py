"""Money as integer minor units with a currency; no float, no hidden scale.

*Source:* exponents from ISO 4217.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

EXPONENTS = {"CNY": 2, "EUR": 2, "USD": 2, "GBP": 2, "HKD": 2, "JPY": 0, "KRW": 0, "KWD": 3}


def round_half_up(value: Decimal) -> int:
    """Round to the nearest integer, halves away from zero."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount of one currency.

    ``amount_minor``: integer minor units (fen, cent). ``currency``: ISO 4217 code in ``EXPONENTS``.
    """

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:
            raise TypeError("amount_minor must be an integer")
        if self.currency not in EXPONENTS:
            raise ValueError(f"unknown currency {self.currency!r}")

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount_minor - other.amount_minor, self.currency)

    def decimal(self) -> Decimal:
        """Return the amount in major units, exactly.

        >>> Money(804, "CNY").decimal()
        Decimal('8.04')
        """
        return Decimal(self.amount_minor).scaleb(-EXPONENTS[self.currency])

    @classmethod
    def from_decimal(cls, amount: Decimal, currency: str) -> Money:
        """Make money from major units. Raises: ValueError on more digits than the currency has."""
        scaled = amount.scaleb(EXPONENTS[currency])
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{amount} {currency} is finer than its smallest unit")
        return cls(int(scaled), currency)

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Split by weights without losing a unit. Rounding: largest remainder, ties to the first.

        >>> [part.amount_minor for part in Money(100, "CNY").split([1, 1, 1])]
        [34, 33, 33]
        """
        shares = largest_remainder(self.amount_minor, weights)
        return [Money(share, self.currency) for share in shares]


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Share an integer total by integer weights so that the parts add up to it.

    Rounding: floor, then the units left go to the largest remainders, ties to the first.
    Raises: ValueError on an empty, negative or all-zero list of weights, or a negative total.
    """
    whole = sum(weights)
    if not weights or whole <= 0 or min(weights) < 0 or total < 0:
        raise ValueError("weights must be non-negative with a positive sum, total non-negative")
    shares = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in order[: total - sum(shares)]:
        shares[i] += 1
    return shares
