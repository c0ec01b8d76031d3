"""Units of activity data and the lawful conversions between them.

*Source:* constants of the methodology, section 9 (international mile, US gallon, therm, short ton).
"""

from decimal import Decimal

# unit -> (dimension, size in the dimension's base unit)
_UNITS: dict[str, tuple[str, Decimal]] = {
    "km": ("length", Decimal(1)),
    "m": ("length", Decimal("0.001")),
    "mile": ("length", Decimal("1.609344")),
    "kWh": ("energy", Decimal(1)),
    "MWh": ("energy", Decimal(1000)),
    "therm": ("energy", Decimal("29.307107")),
    "kg": ("mass", Decimal(1)),
    "g": ("mass", Decimal("0.001")),
    "tonne": ("mass", Decimal(1000)),
    "short_ton": ("mass", Decimal("907.18474")),
    "litre": ("volume", Decimal(1)),
    "us_gallon": ("volume", Decimal("3.785411784")),
    "m3": ("volume", Decimal(1000)),
}


class UnitError(ValueError):
    """The amount's unit cannot become the factor's unit."""


def convert(amount: Decimal, unit: str, to_unit: str) -> Decimal:
    """Convert an amount between units of one dimension. Raises: UnitError on another dimension.

    >>> convert(Decimal(10), "mile", "km")
    Decimal('16.093440')
    """
    if unit == to_unit:
        return amount
    source, target = _UNITS.get(unit), _UNITS.get(to_unit)
    if source is None or target is None or source[0] != target[0]:
        raise UnitError(f"{unit!r} cannot be given where {to_unit!r} is needed")
    return amount * source[1] / target[1]
