"""The price of a retirement: supplier's part, our fee, total; nothing is computed twice or lost.

*Source:* money arithmetic of the payments design, section 11: price rounded half up once per order,
fee half up at the offer's frozen rate with a floor, both shown before payment.
"""

from dataclasses import dataclass
from decimal import Decimal

from diandian.kernel.mass import GRAMS_PER_TONNE
from diandian.kernel.money import Money, round_half_up


@dataclass(frozen=True, slots=True)
class Price:
    """What the guest pays and where it goes. ``total`` = ``supplier`` + ``fee``, exactly."""

    supplier: Money
    fee: Money

    @property
    def total(self) -> Money:
        """Return supplier's part plus fee."""
        return self.supplier + self.fee


def price(
    mass_g: int,
    *,
    price_per_tonne_minor: int,
    fee_basis_points: int,
    fee_minimum_minor: int,
    currency: str,
) -> Price:
    """Price a mass of credits.

    Units: grams, minor units per tonne, hundredths of a per cent.
    Rounding: half up, at least one minor unit for the supplier; fee half up, at least its floor.

    >>> price(124_000, price_per_tonne_minor=6000, fee_basis_points=700,
    ...       fee_minimum_minor=60, currency="CNY").total
    Money(amount_minor=804, currency='CNY')
    """
    if mass_g <= 0:
        raise ValueError("nothing to price")
    supplier = max(1, round_half_up(Decimal(mass_g) * price_per_tonne_minor / GRAMS_PER_TONNE))
    fee = max(fee_minimum_minor, round_half_up(Decimal(supplier) * fee_basis_points / 10_000))
    return Price(Money(supplier, currency), Money(fee, currency))
