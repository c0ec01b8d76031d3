"""An amount of a known activity: read from what people type, computed to lines.

Shared by the detailed mode and the diary.
*Source:* methodology, sections 1, 8 (periods, years of use) and 11 (doubts of a bill, a count).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from diandian.emissions.blocks.city_ride import SUPPLY
from diandian.emissions.errors import AnswerMissingError, OutOfRangeError, UnknownChoiceError
from diandian.emissions.life.activities import ALL, Activity, available
from diandian.emissions.life.parts import TIMES
from diandian.emissions.lines import M1, ONE, Doubt, Line, make_line
from diandian.emissions.numbers import THOUSANDTH, plain, read_number
from diandian.emissions.uncertainty import DEFAULT, EXACT, GUESS, TICKET
from diandian.kernel.units import UnitError, convert

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diandian.emissions.context import SceneContext
    from diandian.emissions.factor_set import FactorSet

BASES = {"bill": TICKET, "count": EXACT, "estimate": GUESS}
LARGEST_TYPED = Decimal(10) ** 9
# The most of a year that can be meant, by unit.
LARGEST = {
    "kWh": Decimal(200_000),
    "m3": Decimal(20_000),
    "GJ": Decimal(2000),
    "litre": Decimal(20_000),
    "kg": Decimal(20_000),
    "km": Decimal(500_000),
    "meal": Decimal(5000),
    "cup": Decimal(20_000),
    "item": Decimal(1000),
    "hour": Decimal(8784),
    "night": Decimal(366),
}
UNITS = {
    "kWh": ("kWh", "MWh", "therm"),
    "km": ("km", "m", "mile"),
    "kg": ("kg", "g"),
    "litre": ("litre", "us_gallon"),
}
MOST_YEARS = Decimal(30)


@dataclass(frozen=True, slots=True)
class Entry:
    """So much of one activity. ``amount``: in the activity's own unit.

    ``basis``: "bill", "count" or "estimate".
    """

    activity: str
    amount: Decimal
    basis: str = "estimate"

    @property
    def known(self) -> Activity:
        """Return the activity."""
        return ALL[self.activity]


def units_of(activity: Activity) -> tuple[str, ...]:
    """Return the units in which an amount may be given, its own first."""
    return UNITS.get(activity.unit, (activity.unit,))


def read_activity(key: str, context: SceneContext, factors: FactorSet, *, field: str) -> Activity:
    """Return a known activity that has a factor here. Raises: UnknownChoiceError."""
    known = ALL.get(key)
    if known is None or not available(known, context, factors):
        raise UnknownChoiceError(field=field, given=key[:40])
    return known


def read_amount(
    text: str, unit: str, activity: Activity, *, field: str, unit_field: str
) -> Decimal:
    """Return an amount in the activity's unit. Rounding: to 0.001, half up.

    ``unit``: one of ``units_of``, "" for the activity's own. Raises: AnswerMissingError,
    UnknownChoiceError, and what ``read_number`` raises.
    """
    given = unit.strip() or activity.unit
    if given not in units_of(activity):
        raise UnknownChoiceError(field=unit_field, given=given[:40])
    if not text.strip():
        raise AnswerMissingError(field=field)
    typed = read_number(
        text, unit=given, minimum=Decimal(0), maximum=LARGEST_TYPED, whole=False, field=field
    )
    most = LARGEST[activity.unit]
    try:
        amount = convert(typed, given, activity.unit)
    except UnitError as error:  # a developer's error: UNITS lists only what can be converted
        raise UnknownChoiceError(field=unit_field, given=given[:40]) from error
    if amount > most:
        raise OutOfRangeError(field=field, given=text.strip()[:40], minimum=0, maximum=most)
    return amount.quantize(THOUSANDTH, rounding=ROUND_HALF_UP)


def entry_lines(  # noqa: PLR0913 - all by name
    entry: Entry,
    context: SceneContext,
    factors: FactorSet,
    *,
    key: str,
    share: Decimal = ONE,
    times: Decimal = TIMES["once"],
    assumed: bool = False,
    details: Mapping[str, Any] | None = None,
) -> list[Line]:
    """Return the lines of an entry.

    ``times``: how often it occurs. ``assumed``: the share rests on a number that nobody stated, so
    that the line is as doubtful as a default, however exact the amount. Raises: FactorMissingError.
    """
    known = entry.known
    amount = M1.multiply(Decimal(plain(entry.amount)), times)  # 6.000 and 6 are one digit string
    lines = []
    for step in known.steps(context, factors):
        line = make_line(
            step.found,
            key=f"{key}{step.suffix}",
            category=known.category,
            label=SUPPLY if step.suffix == ".wtt" else known.label,
            amount=M1.multiply(amount, step.times),
            share=share,
            params={"amount": plain(amount), "unit": known.unit},
            doubt=Doubt(DEFAULT if assumed else BASES[entry.basis]),
            assumed=assumed,
            without=step.without,
            details={"activity": entry.activity, "amount": plain(amount), **(details or {})},
        )
        lines.append(line)
    return lines
