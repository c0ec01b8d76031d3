"""What a certificate says of a year: five sums and the range; the answers only on request.

Whoever has a certificate's code can read its record, and answers about a home, its bills and meals
are nobody else's matter. They stay with the person, whose link computes the same year again. Who
asks for it gets the whole estimate beside the sums, so that the file alone computes them again.
*Source:* methodology, section 12 (what is published); product design, section 7; decision 0023.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from diandian.emissions.estimate import CARRIED
from diandian.emissions.life.calculator import GROUPS, KIND, by_group

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diandian.emissions.estimate import Estimate

# Each group has the colour of one category of dots.
COLOURS = {
    "home": "stay",
    "moving": "travel",
    "food": "food",
    "things": "goods",
    "services": "local",
}
_KEPT = (
    "mass_g",
    "low_g",
    "high_g",
    "without_non_co2_g",
    "word",
    "interval_form",
    "doubt_pct",
    "factor_set_id",
    "factor_set_sha256",
    "method_version",
    "rounding",
)


def certified(estimate: Estimate) -> dict[str, Any]:
    """Return the JSON of a year without answers: one line for each group that has grams.

    Units: grams. The lines add up to the estimate's mass.
    """
    lines = [
        {
            "key": group,
            "category": COLOURS[group],
            "label": GROUPS[group],
            "params": {},
            "mass_g": mass_g,
            "factor_set": estimate.factor_set_id,
            "details": {},
        }
        for group, mass_g in by_group(estimate.lines).items()
        if mass_g
    ]
    kept = {name: getattr(estimate, name) for name in _KEPT}
    return {
        "kind": KIND, **kept, "lines": lines,
        "inputs": {}, "levers": [], "praise": None, "narrow": [],
    }  # fmt: skip


def carried(estimate: Estimate) -> dict[str, Any]:
    """Return the JSON of a year that carries the estimate behind its sums, answers and lines."""
    whole = replace(estimate, levers=(), narrow=())  # advice is for the person, not for a checker
    return {**certified(estimate), CARRIED: whole.to_json()}


def sums_alone(estimate: Mapping[str, Any]) -> dict[str, Any]:
    """Return a certified year without the estimate behind its sums."""
    return {name: value for name, value in estimate.items() if name != CARRIED}


def is_carried(estimate: Mapping[str, Any] | None) -> bool:
    """Tell whether a stored year carries the answers behind its sums."""
    return is_year(estimate) and bool((estimate or {}).get(CARRIED))


def is_year(estimate: Mapping[str, Any] | None) -> bool:
    """Tell whether a stored estimate is that of a year."""
    return bool(estimate) and (estimate or {}).get("kind") == KIND
