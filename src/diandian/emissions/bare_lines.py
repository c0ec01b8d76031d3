"""Reads activity lines that a program sends: a factor or one's own, an amount, a unit, a share.

Numbers are text, whole numbers or decimals, never binary fractions. An own factor needs its
source; it counts as step 1 and grade D unless its uncertainty is given.
*Source:* methodology, sections 2 and 11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, NoReturn

from diandian.emissions.errors import ActivityLineError, FactorMissingError
from diandian.emissions.factor import GRADE_UNCERTAINTY, EmissionFactor
from diandian.emissions.factor_set import FoundFactor
from diandian.emissions.lines import M1, NON_CO2, ONE, ZERO, Doubt, Line, make_line
from diandian.emissions.numbers import plain
from diandian.emissions.uncertainty import DEFAULT, EXACT, GUESS, MAP, TICKET
from diandian.kernel.errors import N_
from diandian.kernel.units import UnitError, convert

if TYPE_CHECKING:
    from diandian.emissions.factor_set import FactorSet

MOST_LINES = 1000
LARGEST_AMOUNT, LARGEST_VALUE, LARGEST_SHARE = Decimal(10) ** 12, Decimal(10) ** 6, Decimal(10)
FINEST = -9  # decimal places that an amount may have
AS_CONVERTED = -40  # of 28 digits, after a conversion that does not end
LONGEST = 200
BASES = {
    "meter": TICKET,
    "ticket": TICKET,
    "invoice": TICKET,
    "count": EXACT,
    "map": MAP,
    "estimate": GUESS,
    "default": DEFAULT,
}
_CATEGORY = {
    "transport": "travel",
    "accommodation": "stay",
    "meal": "food",
    "drink": "food",
    "food": "food",
    "energy": "venue",
    "freight": "venue",
    "refrigerant": "venue",
    "site": "venue",
    "waste": "venue",
    "water": "venue",
}
LABEL = N_("%(activity)s, %(amount)s %(unit)s")
_WHY = {
    "object": N_("it is not an object with the fields described"),
    "missing": N_("a field is missing"),
    "number": N_("this is not a number written as text"),
    "range": N_("this number is outside what can be meant"),
    "factor": N_("there is no such factor for this region"),
    "unit": N_("this unit cannot become the factor's unit"),
    "basis": N_("the basis is not one of those listed"),
    "text": N_("this must be a short text"),
    "weight": N_("this row weighs gases against each other and is not a factor"),
    "many": N_("there are too many lines"),
}


def _refuse(field: str, why: str) -> NoReturn:
    raise ActivityLineError(field=field, why=_WHY[why])


def read_activity_lines(
    factor_set: FactorSet, raw_lines: object, *, finest: int = FINEST
) -> tuple[list[Line], list[dict[str, Any]]]:
    """Return the lines and their normalised inputs. Raises: ActivityLineError.

    ``finest``: decimal places of amounts; ``AS_CONVERTED`` for normalised inputs read again.
    """
    if not isinstance(raw_lines, Sequence) or isinstance(raw_lines, str | bytes) or not raw_lines:
        _refuse("lines", "object")
    if len(raw_lines) > MOST_LINES:
        _refuse("lines", "many")
    lines, inputs = [], []
    for number, raw in enumerate(raw_lines):
        line, clean = _line(factor_set, raw, f"lines.{number}", finest)
        lines.append(line)
        inputs.append(clean)
    return lines, inputs


def _line(
    factor_set: FactorSet, raw: object, field: str, finest: int
) -> tuple[Line, dict[str, Any]]:
    if not isinstance(raw, Mapping):
        _refuse(field, "object")
    amount = _number(raw.get("amount"), f"{field}.amount", LARGEST_AMOUNT, finest)
    share = _number(raw.get("share", ONE), f"{field}.share", LARGEST_SHARE)
    basis = raw.get("basis", "estimate")
    if not isinstance(basis, str) or basis not in BASES:
        _refuse(f"{field}.basis", "basis")
    clean: dict[str, Any] = {"share": plain(share), "basis": basis}
    if "own_factor" in raw:
        found, clean["own_factor"] = _own(raw["own_factor"], f"{field}.own_factor")
        without = None
    else:
        found, without = _found(factor_set, raw, field)
        clean |= {"factor": found.factor.id, "region": raw.get("region")}
    factor = found.factor
    unit = _text(raw.get("unit", factor.unit), f"{field}.unit")
    try:
        amount = M1.plus(convert(amount, unit, factor.unit))
    except UnitError:
        _refuse(f"{field}.unit", "unit")
    clean |= {"amount": plain(amount), "unit": factor.unit}
    line = make_line(
        found,
        key=field,
        category=_CATEGORY.get(factor.id.partition(".")[0], "goods"),
        label=LABEL,
        amount=amount,
        share=share,
        params={"activity": factor.activity, "amount": plain(amount), "unit": factor.unit},
        doubt=Doubt(activity=BASES[basis]),
        without=without,
    )
    return line, clean


def _found(
    factor_set: FactorSet, raw: Mapping[str, object], field: str
) -> tuple[FoundFactor, Decimal | None]:
    factor_id = _text(raw.get("factor"), f"{field}.factor")
    region = _text(raw.get("region"), f"{field}.region")
    if factor_id.startswith("gwp100."):
        _refuse(f"{field}.factor", "weight")
    try:
        found = factor_set.find(factor_id, region)
    except FactorMissingError:
        _refuse(f"{field}.factor", "factor")
    if not factor_id.endswith(NON_CO2):
        return found, None
    twin = factor_set.find(f"{factor_id.removesuffix(NON_CO2)}.norf", region)
    return found, twin.factor.value


def _own(raw: object, field: str) -> tuple[FoundFactor, dict[str, str]]:
    if not isinstance(raw, Mapping):
        _refuse(field, "object")
    value = _number(raw.get("value"), f"{field}.value", LARGEST_VALUE)
    unit = _text(raw.get("unit"), f"{field}.unit")
    source = _text(raw.get("source"), f"{field}.source")
    doubt = GRADE_UNCERTAINTY["D"]
    if raw.get("uncertainty_pct") is not None:
        doubt = _number(raw["uncertainty_pct"], f"{field}.uncertainty_pct", Decimal(1000))
    clean = {"value": plain(value), "unit": unit, "source": source, "uncertainty_pct": plain(doubt)}
    return own_factor(value, unit, source, doubt), clean


def own_factor(value: Decimal, unit: str, source: str, doubt: Decimal) -> FoundFactor:
    """Return a factor of somebody's own. Units: kg CO2e per ``unit``; ``doubt`` in per cent."""
    grade = next((g for g, limit in GRADE_UNCERTAINTY.items() if doubt <= limit), "D")
    factor = EmissionFactor(
        id="own",
        activity=source,
        activity_zh=source,
        unit=unit,
        region=source,  # errors of one source move together, of two they do not
        proxy_for="",
        value=value,
        scope_included="",
        year_valid="",
        factor_set="own",
        source_id="own",
        source_org=source,
        source_title=source,
        source_year="",
        source_table="",
        licence="",
        uncertainty_pct=doubt,
        quality=grade,
        quality_reason="given by the sender",
        status="own",
        notes="",
    )
    return FoundFactor(factor, 1, "own_value")


def _text(value: object, field: str) -> str:
    if value is None:
        _refuse(field, "missing")
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST:
        _refuse(field, "text")
    return value.strip()


def _number(value: object, field: str, largest: Decimal, finest: int = FINEST) -> Decimal:
    if value is None:
        _refuse(field, "missing")
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        _refuse(field, "number")
    if isinstance(value, str) and len(value) > LONGEST:
        _refuse(field, "number")
    try:
        number = Decimal(value)
    except InvalidOperation:
        _refuse(field, "number")
    if not number.is_finite():
        _refuse(field, "number")
    exponent = number.as_tuple().exponent
    if not ZERO <= number <= largest or (isinstance(exponent, int) and exponent < finest):
        _refuse(field, "range")
    return number
