"""What guests of a scene with composed questions are asked, as an operator reads it to decide.

*Source:* methodology, section 1 (use and supply are two factors), and ``composed``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from diandian.emissions.inventory.activities import ACTIVITIES
from diandian.emissions.inventory.activity import parts
from diandian.emissions.scene_kinds.other.composed import LANGUAGES, compose
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from diandian.emissions.factor_set import FactorSet

PARTS = {
    "travel": N_("The way there and back"),
    "stay": N_("Nights"),
    "local": N_("Getting around"),
    "meals": N_("Own meals"),
}


@dataclass(frozen=True, slots=True)
class UsedFactor:
    """A row that an answer is multiplied with. ``value``: kg CO2e per ``unit``."""

    id: str
    region: str
    value: Decimal
    unit: str
    source: str
    year: str
    quality: str


@dataclass(frozen=True, slots=True)
class Described:
    """One composed question. ``activity``: a message id. ``default``, ``maximum``: in ``unit``."""

    texts: tuple[tuple[str, str], ...]
    activity: str
    unit: str
    default: str
    maximum: str
    factors: tuple[UsedFactor, ...]


def described(
    data: Mapping[str, Any], factors: FactorSet, region: str, *, non_co2: bool
) -> tuple[list[str], list[Described]]:
    """Return message ids of the ready parts that are asked besides, and each composed question.

    Raises: ComposedError when it cannot be asked with these factors at this place.
    """
    stored = compose(data, factors, region).inputs["composed"]
    asked = [_described(one, factors, region, non_co2=non_co2) for one in stored["questions"]]
    return [PARTS[name] for name in stored["keep"]], asked


def _described(
    one: Mapping[str, Any], factors: FactorSet, region: str, *, non_co2: bool
) -> Described:
    activity = ACTIVITIES[one["activity"]]
    rows = [part.found.factor for part in parts(activity, factors, region, non_co2=non_co2)]
    return Described(
        texts=tuple((lang, one["labels"][lang]) for lang in LANGUAGES if lang in one["labels"]),
        activity=activity.label,
        unit=one["unit"],
        default=one["default"],
        maximum=one["maximum"],
        factors=tuple(
            UsedFactor(
                row.id,
                row.region,
                row.value,
                row.unit,
                row.source_org,
                row.source_year,
                row.quality,
            )
            for row in rows
        ),
    )
