"""One line of an estimate: activity times factor times share, rounded once to a gram.

Every line carries what is needed to check it by hand: amount, unit, the row used and why, the
share, the doubt and the source.
*Source:* methodology, sections 1 and 9 (precision 28, rounding half up to 0.001 kg).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from diandian.emissions.numbers import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diandian.emissions.factor_set import FoundFactor

M1 = Context(prec=28, rounding=ROUND_HALF_UP)  # the arithmetic of m1, which m2 keeps
ONE = Decimal(1)
ZERO = Decimal(0)
CATEGORIES = ("travel", "stay", "local", "food", "venue", "goods")
NON_CO2 = ".rf"  # rows with the non-CO2 effect of flights; the twin without ends in ".norf"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a factor was published."""

    org: str
    title: str
    year: str
    table: str


# Nobody changes a line. It is not frozen all the same: freezing took a tenth of every footprint.
@dataclass(slots=True)
class Line:
    """One step of the arithmetic.

    ``mass_g`` = ``activity_amount`` x ``value`` x ``share`` in grams. ``label`` is a message id for
    ``params``. ``step``: how the factor was found (1 own value to 4 stand-in), ``reason`` its code.
    ``assumed``: an average stands where the guest gave no answer. ``details``: text only.
    """

    key: str
    category: str
    label: str
    params: dict[str, str]
    activity_amount: Decimal
    unit: str
    factor_id: str
    factor_region: str
    factor_set: str
    value: Decimal
    share: Decimal
    mass_g: int
    without_non_co2_g: int
    uncertainty_activity_pct: Decimal
    uncertainty_factor_pct: Decimal
    uncertainty_distance_pct: Decimal
    quality: str
    assumed: bool
    step: int
    reason: str
    source: Source
    details: dict[str, Any] = field(default_factory=dict)

    def params_in(self, language: str) -> dict[str, str]:
        """Return the label's parameters with place names in a language."""
        named = {
            name: words.get(language) or words["en"]
            for name, words in self.details.get("places", {}).items()
        }
        return self.params | named

    def to_json(self) -> dict[str, Any]:
        """Return text, whole numbers and flags only."""
        plain_fields: dict[str, Any] = {}
        for name in _NAMES:
            value = getattr(self, name)
            if isinstance(value, Decimal):
                value = str(value)
            elif isinstance(value, Source):
                value = {part: getattr(value, part) for part in Source.__slots__}
            plain_fields[name] = value
        return plain_fields

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Line:
        """Return the line that ``to_json`` described."""
        values = {name: data[name] for name in _NAMES}
        values |= {name: Decimal(data[name]) for name in _DECIMALS}
        return cls(**values | {"source": Source(**data["source"])})


_NAMES = tuple(item.name for item in fields(Line))
_DECIMALS = tuple(item.name for item in fields(Line) if item.type == "Decimal")


@dataclass(frozen=True, slots=True)
class Doubt:
    """Half-widths of the activity and of the distance, per cent."""

    activity: Decimal = ZERO
    distance: Decimal = ZERO


NO_DOUBT = Doubt()


# Rows share a few hundred; those of senders with factors of their own come and go.
_source = lru_cache(maxsize=2_048)(Source)


def mass_of(amount: Decimal, value: Decimal, share: Decimal) -> int:
    """Return grams of one line. Rounding: half up, once."""
    mass = M1.multiply(M1.multiply(amount, value), share)
    return int(mass.scaleb(3, M1).quantize(ONE, ROUND_HALF_UP, M1))


def make_line(  # noqa: PLR0913 - a line has this many sides; all by name
    found: FoundFactor,
    *,
    key: str,
    category: str,
    label: str,
    amount: Decimal,
    share: Decimal = ONE,
    params: dict[str, str] | None = None,
    doubt: Doubt = NO_DOUBT,
    assumed: bool = False,
    without: Decimal | None = None,
    details: dict[str, Any] | None = None,
) -> Line:
    """Multiply an activity with a factor.

    ``without``: value of the twin row without the non-CO2 effect, where there is one.
    """
    factor, step, reason = found
    mass_g = mass_of(amount, factor.value, share)
    return Line(
        key=key,
        category=category,
        label=label,
        params=params or {"amount": plain(amount)},
        activity_amount=amount,
        unit=factor.unit,
        factor_id=factor.id,
        factor_region=factor.region,
        factor_set=factor.factor_set,
        value=factor.value,
        share=share,
        mass_g=mass_g,
        without_non_co2_g=mass_g if without is None else mass_of(amount, without, share),
        uncertainty_activity_pct=doubt.activity,
        uncertainty_factor_pct=factor.uncertainty_pct,
        uncertainty_distance_pct=doubt.distance,
        quality=factor.quality,
        assumed=assumed,
        step=step,
        reason=reason,
        source=_source(
            factor.source_org, factor.source_title, factor.source_year, factor.source_table
        ),
        details=details or {},
    )


def recomputed_g(line: Line) -> int:
    """Return the grams that the line's own numbers give: what a checker computes by hand."""
    return mass_of(line.activity_amount, line.value, line.share)
