"""Two dull, concrete comparisons for an estimate, each with its own source.

*Source:* product design, section 11: at most two, no trees. The car is the petrol average of the
factor set, fuel supply included. The air conditioner is our assumption: 1 kW while it cools, on the
average grid of the country.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from diandian.emissions.errors import FactorMissingError
from diandian.emissions.factor_set import FactorSet
from diandian.kernel.mass import kg_from_grams

CAR = ("transport.road.car.average.petrol", "transport.road.car.average.petrol.wtt")
GRID = "energy.electricity.grid"
COOLER_KW = Decimal(1)
_DIGITS = 2


@dataclass(frozen=True, slots=True)
class Comparison:
    """So many kilometres or hours. ``factor_ids``: the rows used; ``source``: whose they are."""

    key: str
    amount: int
    factor_ids: tuple[str, ...]
    source: str


def comparisons(mass_g: int, factor_set: FactorSet, country: str) -> list[Comparison]:
    """Compare a mass with driving and cooling; what the set has no factor for is left out.

    Rounding: to two digits, half up: the estimate deserves no more.
    """
    made = []
    for key, ids, per_unit in (("car_km", CAR, Decimal(1)), ("cooler_h", (GRID,), COOLER_KW)):
        try:
            rows = [factor_set.find(each, country).factor for each in ids]
        except FactorMissingError:
            continue
        factor = sum((row.value for row in rows), Decimal(0)) * per_unit
        if factor > 0:
            source = f"{rows[0].source_org}, {rows[0].source_year}"
            made.append(Comparison(key, _about(kg_from_grams(mass_g) / factor), ids, source))
    return made


def _about(value: Decimal) -> int:
    """Return a number with two digits that count, at least 1.

    >>> _about(Decimal("594.4")), _about(Decimal("7.6")), _about(Decimal("0.2"))
    (590, 8, 1)
    """
    if value < 1:
        return 1
    places = max(value.adjusted() - _DIGITS + 1, 0)
    return int(value.quantize(Decimal(1).scaleb(places), rounding=ROUND_HALF_UP))
