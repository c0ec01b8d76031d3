"""Small things that the blocks of the life calculator share: periods, answers, stand-ins.

*Source:* methodology, section 8 (a week x 52.142857, a month x 12, a year of 365 days).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from diandian.emissions.activity import UNKNOWN
from diandian.emissions.life.assumptions import assumption
from diandian.emissions.lines import M1, ONE, Doubt
from diandian.emissions.numbers import plain
from diandian.emissions.uncertainty import DEFAULT, GUESS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diandian.emissions.activity import Value
    from diandian.emissions.context import SceneContext
    from diandian.emissions.factor_set import FactorSet, FoundFactor

TIMES = {
    "once": ONE,
    "year": ONE,
    "month": Decimal(12),
    "week": Decimal("52.142857"),
    "day": Decimal(365),
}
FRANCE = "FR"


@dataclass(frozen=True, slots=True)
class Amount:
    """An activity of one year, said or assumed."""

    value: Decimal
    assumed: bool
    doubt: Doubt
    details: dict[str, Any] = field(default_factory=dict)


def said(values: Mapping[str, Value], key: str) -> Decimal | None:
    """Return a number that was answered, None where it was not or is not known."""
    value = values.get(key, UNKNOWN)
    return None if value == UNKNOWN or isinstance(value, bool) else Decimal(value)


def chosen(values: Mapping[str, Value], key: str) -> str:
    """Return the choice, or "unknown"."""
    value = values.get(key, UNKNOWN)
    return value if isinstance(value, str) else UNKNOWN


def assumed_amount(value: Decimal, details: dict[str, Any]) -> Amount:
    """Return an amount that nobody stated, with the doubt of a default."""
    return Amount(value, assumed=True, doubt=Doubt(DEFAULT), details=details)


def stand_in(key: str, context: SceneContext, times: Decimal = ONE, asked: str = "") -> Amount:
    """Return the assumed amount of a year. ``asked``: the question whose answer would replace it.

    ``key``: of the table of assumptions.
    """
    found = assumption(key, context)
    details = {"question": asked or key, "assumption": key}
    details |= {"assumed_value": plain(found.value), "assumed_source": found.source}
    return assumed_amount(M1.multiply(found.value, times), details)


def amount(
    values: Mapping[str, Value], key: str, context: SceneContext, period: str = "year"
) -> Amount:
    """Return the amount of a year, from the answer or its stand-in."""
    stated = said(values, key)
    if stated is None:
        return stand_in(key, context, TIMES[period])
    year = M1.multiply(stated, TIMES[period])
    return Amount(year, assumed=False, doubt=Doubt(GUESS), details={"question": key})


def per_person(values: Mapping[str, Value], context: SceneContext) -> tuple[Decimal, bool]:
    """Return one person's share of a home, and whether the people in it are assumed."""
    people = said(values, "people")
    if people is not None:
        return M1.divide(ONE, people), False
    return M1.divide(ONE, assumption("people", context).value), True


def with_supply(
    factors: FactorSet, factor_id: str, region: str
) -> tuple[tuple[str, FoundFactor], ...]:
    """Return the row of burning a fuel and that of its supply, two lines by the methodology."""
    supply = factors.find(f"{factor_id}.wtt", region)
    return (("", factors.find(factor_id, region)), (".wtt", supply))


def french_row(factors: FactorSet, factor_id: str, country: str) -> FoundFactor:
    """Return a row that exists for France only; one grade worse elsewhere.

    *Source:* methodology, section 8 ("no bill": France, grade D, outside France shown as rough).
    """
    if country == FRANCE:
        return factors.find(factor_id, FRANCE)
    return factors.stand_in(factor_id, FRANCE)
