"""Mass of CO2e in integer grams; kilograms and tonnes only at the edges.

*Source:* rounding rules of the methodology, section 9.
"""

from decimal import ROUND_HALF_UP, Decimal

GRAMS_PER_KG = 1_000
GRAMS_PER_TONNE = 1_000_000


def grams_from_kg(mass_kg: Decimal) -> int:
    """Return whole grams. Rounding: half up, once per line.

    >>> grams_from_kg(Decimal("0.0005"))
    1
    """
    return int((mass_kg * GRAMS_PER_KG).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def kg_from_grams(mass_g: int) -> Decimal:
    """Return exact kilograms."""
    return Decimal(mass_g) / GRAMS_PER_KG


def grams_to_buy(mass_g: int) -> int:
    """Return the grams to retire for an estimate: up to the next whole kilogram, zero stays zero.

    >>> grams_to_buy(123_001), grams_to_buy(124_000), grams_to_buy(0)
    (124000, 124000, 0)
    """
    if mass_g < 0:
        raise ValueError("an estimate is never negative")
    return -(-mass_g // GRAMS_PER_KG) * GRAMS_PER_KG
