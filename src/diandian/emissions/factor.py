"""One emission factor: mass of CO2e per unit of activity, dated, sourced, with its doubt.

A row without source, region, year or uncertainty is not a factor and is refused when read.
*Source:* methodology, sections 2 and 11 (grades A to D are 5, 15, 30 and 60 per cent).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

GRADE_UNCERTAINTY = {"A": Decimal(5), "B": Decimal(15), "C": Decimal(30), "D": Decimal(60)}
GRADES = "ABCD"
_NEEDED = [
    "id",
    "unit",
    "region",
    "value_kgco2e",
    "year_valid",
    "factor_set",
    "source_id",
    "source_org",
    "source_title",
    "source_year",
    "licence",
    "uncertainty_pct",
    "quality",
    "quality_reason",
    "status",
]


@dataclass(frozen=True, slots=True)
class EmissionFactor:
    """One row of a factor set.

    ``value``: kg CO2e per ``unit``. ``uncertainty_pct``: 95 % half-width. ``quality``: A to D.
    """

    id: str
    activity: str
    activity_zh: str
    unit: str
    region: str
    proxy_for: str
    value: Decimal
    scope_included: str
    year_valid: str
    factor_set: str
    source_id: str
    source_org: str
    source_title: str
    source_year: str
    source_table: str
    licence: str
    uncertainty_pct: Decimal
    quality: str
    quality_reason: str
    status: str
    notes: str

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what makes a row unique: id, region and publisher set."""
        return (self.id, self.region, self.factor_set)

    def one_grade_worse(self) -> EmissionFactor:
        """Return the same value as a stand-in for another place; D stays D."""
        grade = GRADES[min(GRADES.index(self.quality) + 1, 3)]
        doubt = max(GRADE_UNCERTAINTY[grade], self.uncertainty_pct)
        return replace(self, quality=grade, uncertainty_pct=doubt)


def factor_from_row(row: Mapping[str, str]) -> EmissionFactor:
    """Read one line of a factors.csv.

    Raises: ValueError when something a factor must have is missing or is not a number.
    """
    missing = [name for name in _NEEDED if not row.get(name)]
    if missing:
        raise ValueError(f"{row.get('id')!r} lacks {', '.join(missing)}")
    try:
        value, doubt = Decimal(row["value_kgco2e"]), Decimal(row["uncertainty_pct"])
    except InvalidOperation as error:
        raise ValueError(f"{row['id']!r} holds something that is not a number") from error
    if not value.is_finite() or value < 0 or not doubt.is_finite() or doubt < 0:
        raise ValueError(f"{row['id']!r} has a value or an uncertainty that makes no sense")
    if row["quality"] not in GRADE_UNCERTAINTY:
        raise ValueError(f"{row['id']!r} has no grade A to D")
    plain = set(EmissionFactor.__slots__) - {"value", "uncertainty_pct"}
    words = {name: row.get(name, "") for name in plain}
    return EmissionFactor(**words, value=value, uncertainty_pct=doubt)
