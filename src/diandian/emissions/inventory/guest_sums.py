"""Adds up guests' lines by factor row, and turns the sums into lines of an inventory.

The grams of guests who answered are the sum of the grams that each was shown. Their amount is the
sum of the amounts; where rounding of many lines parts the two, the amount is the one that gives
these grams, so that each line can be checked by its own numbers.
*Source:* methodology, sections 1, 5, 10 and 11.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from diandian.emissions.inventory.categories import CATEGORIES
from diandian.emissions.lines import M1, ONE, ZERO, Line, Source, mass_of
from diandian.emissions.numbers import plain
from diandian.kernel.errors import N_
from diandian.kernel.mass import kg_from_grams

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diandian.emissions.factor_set import FactorSet

ANSWERED = N_("Guests who answered: %(activity)s")
MISSING = N_("Guests who did not answer: %(activity)s")
SOURCES = {"travel": "attendee_travel", "local": "local_transport", "stay": "attendee_lodging"}
_SPREAD_OUT = "guests.extrapolated"
OWN = "own"
HUNDRED, _MILLIONTH = Decimal(100), Decimal("0.000001")


@dataclass(slots=True)
class _Sum:
    """Sums over the lines of one factor row; ``line``: one of them, for what they share."""

    line: Line
    source: str
    amount: Decimal = ZERO
    mass_g: int = 0
    without_g: int = 0
    defaults: Decimal = ZERO  # grams times per cent: one default, one error
    guesses: Decimal = ZERO  # squared grams times per cent: everybody errs alone
    distances: Decimal = ZERO  # grams times per cent: one detour ratio, one error

    def doubts(self) -> tuple[Decimal, Decimal]:
        """Return the doubt of the activity and of the distance, per cent to 0.001."""
        if not self.mass_g:
            return ZERO, ZERO
        activity = (self.defaults**2 + self.guesses).sqrt(M1) / self.mass_g
        return _thousandth(activity), _thousandth(self.distances / self.mass_g)


@dataclass(slots=True)
class Sums:
    """The organiser's part and the guests' part."""

    own: dict[tuple[str, ...], _Sum] = field(default_factory=dict)
    others: dict[tuple[str, ...], _Sum] = field(default_factory=dict)

    @staticmethod
    def counts(line: Line) -> bool:
        """Tell whether a line is travel, local transport or a night."""
        return line.category in SOURCES

    @classmethod
    def of(cls, lines: Iterable[Line], organiser_pct: Decimal) -> Sums:
        """Add lines up. ``organiser_pct``: the organiser's part; what is left is the guest's."""
        sums = cls()
        sums.add(lines, organiser_pct)
        return sums

    def add(self, lines: Iterable[Line], organiser_pct: Decimal) -> None:
        """Add lines of one part; see ``of``."""
        part = M1.divide(organiser_pct, HUNDRED)
        for line in lines:
            if not self.counts(line):
                continue
            amount = M1.multiply(line.activity_amount, line.share)
            theirs, without = 0, 0
            if part != ONE:
                rest = ONE - part
                theirs = mass_of(amount, line.value, rest)
                without = _grams(line.without_non_co2_g * rest)
                _add(self.others, line, M1.multiply(amount, rest), theirs, without)
            if part:
                mine, mine_without = line.mass_g - theirs, line.without_non_co2_g - without
                _add(self.own, line, M1.multiply(amount, part), mine, mine_without)


def _add(
    sums: dict[tuple[str, ...], _Sum], line: Line, amount: Decimal, mass_g: int, without_g: int
) -> None:
    region = "" if line.factor_set == OWN else line.factor_region
    key = (
        line.category, line.factor_id, region, line.factor_set, str(line.value),
        str(line.uncertainty_factor_pct), str(line.step), line.reason,
    )  # fmt: skip
    found = sums.get(key)
    if found is None:
        found = sums[key] = _Sum(_nameless(line), SOURCES[line.category])
    found.amount = M1.add(found.amount, amount)
    found.mass_g += mass_g
    found.without_g += without_g
    doubt = mass_g * line.uncertainty_activity_pct
    if line.assumed:
        found.defaults += doubt
    else:
        found.guesses += doubt * doubt
    found.distances += mass_g * line.uncertainty_distance_pct


def _nameless(line: Line) -> Line:
    """Return a line without its places, and without a sender's own words about a factor."""
    line = replace(line, params={}, details={})
    if line.factor_set != OWN:
        return line
    return replace(line, factor_region="", source=Source("", "", "", ""))


def answered_lines(sums: Sums, label: str) -> tuple[list[Line], list[Line]]:
    """Return the lines of those who answered, the organiser's part and the guests'."""
    own, others = (
        [_answered(item, label, f"answered.{number}") for number, item in enumerate(part.values())]
        for part in (sums.own, sums.others)
    )
    return own, others


def scaled_lines(
    sums: Sums, label: str, *, stratum: str, scale: Decimal, doubt: Decimal
) -> tuple[list[Line], list[Line]]:
    """Return lines for those who did not answer: the sums times ``scale``, with their doubt."""
    own, others = (
        [
            _scaled(item, label, f"{stratum}.{number}", scale, doubt)
            for number, item in enumerate(part.values())
        ]
        for part in (sums.own, sums.others)
    )
    return own, others


def _answered(item: _Sum, label: str, tail: str) -> Line:
    amount = _amount_for(item)
    activity, distance = item.doubts()
    details = _details(item, "answered") | {"amounts_added": plain(_thousandth(item.amount))}
    return _line(item, label, tail, amount, (item.mass_g, item.without_g), (activity, distance),
                 details)  # fmt: skip


def _amount_for(item: _Sum) -> Decimal:
    """Return the added amounts, or the shortest amount that gives the added grams."""
    amount = M1.plus(item.amount)
    if not item.line.value:
        return amount
    exact = M1.divide(kg_from_grams(item.mass_g), item.line.value)
    for candidate in (amount, _thousandth(exact), exact.quantize(_MILLIONTH, ROUND_HALF_UP, M1)):
        if mass_of(candidate, item.line.value, ONE) == item.mass_g:
            return candidate
    return exact


def _scaled(item: _Sum, label: str, tail: str, scale: Decimal, doubt: Decimal) -> Line:
    amount = _thousandth(M1.multiply(item.amount, scale))
    masses = (mass_of(amount, item.line.value, ONE), _grams(item.without_g * scale))
    details = _details(item, "extrapolated") | {"entry": _SPREAD_OUT, "moves_with": _SPREAD_OUT}
    return _line(item, label, tail, amount, masses, (doubt, ZERO), details)


def _line(
    item: _Sum,
    label: str,
    tail: str,
    amount: Decimal,
    masses: tuple[int, int],
    doubts: tuple[Decimal, Decimal],
    details: dict[str, Any],
) -> Line:
    one = item.line
    extrapolated = details["guests"] == "extrapolated"
    return Line(
        key=f"{item.source}.{tail}",
        category=one.category,
        label=label,
        params={"activity": one.factor_id},
        activity_amount=amount,
        unit=one.unit,
        factor_id=one.factor_id,
        factor_region=one.factor_region,
        factor_set=one.factor_set,
        value=one.value,
        share=ONE,
        mass_g=masses[0],
        without_non_co2_g=min(masses),
        uncertainty_activity_pct=doubts[0],
        uncertainty_factor_pct=one.uncertainty_factor_pct,
        uncertainty_distance_pct=doubts[1],
        quality="D" if extrapolated else one.quality,
        assumed=extrapolated,
        step=one.step,
        reason=one.reason,
        source=one.source,
        details=details,
    )


def _details(item: _Sum, whose: str) -> dict[str, Any]:
    category = CATEGORIES[item.source]
    return {
        "source": category.key,
        "group": category.group,
        "nzce": category.nzce,
        "quality": "estimated",
        "guests": whose,
    }


def name_activities(lines: Iterable[Line], factors: FactorSet) -> list[Line]:
    """Return the lines with the words of their rows, in the two languages rows are written in."""
    return [_named(line, factors) for line in lines]


def _named(line: Line, factors: FactorSet) -> Line:
    words = {"en": line.factor_id, "zh-Hans": line.factor_id}
    if factors.has(line.factor_id, line.factor_region):
        row = factors.find(line.factor_id, line.factor_region).factor
        words = {"en": row.activity, "zh-Hans": row.activity_zh}
    return replace(
        line,
        params={"activity": words["en"]},
        details=line.details | {"places": {"activity": words}},
    )


def _thousandth(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.001"), ROUND_HALF_UP, M1)


def _grams(mass: Decimal) -> int:
    return int(mass.quantize(ONE, ROUND_HALF_UP, M1))
