"""What a scene gives to every calculation made for it, fixed when it opens.

*Source:* methodology, sections 3 (non-CO2 fixed per scene) and 12 (factor set fixed per scene).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True, slots=True)
class SceneContext:
    """Where and when the scene is.

    ``city_key``: a place key. ``region``: ISO 3166-2 ("CN-SC"). ``non_co2``: count the non-CO2
    effect of flights. ``host_lines``: (category, names, mass_g) that the host answers for; shown
    beside the guest's own lines, never added to them.
    """

    city_key: str
    region: str
    country: str
    starts_on: date | None = None
    ends_on: date | None = None
    non_co2: bool = True
    host_lines: tuple[tuple[str, dict[str, str], int], ...] = ()
