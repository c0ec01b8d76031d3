"""What a scene gives to every calculation made for it, fixed when it opens.

*Source:* methodology, sections 3 (non-CO2 fixed per scene) and 12 (factor set fixed per scene).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from diandian.emissions import geo
from diandian.emissions.errors import PlaceKeyError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from diandian.emissions.place import Place


@dataclass(frozen=True, slots=True)
class SceneContext:
    """Where and when the scene is.

    ``city_key``: a place key. ``region``: ISO 3166-2 ("CN-SC"). ``non_co2``: count the non-CO2
    effect of flights. ``host_lines``: (category, names, mass_g) that the host answers for; shown
    beside the guest's own lines, never added to them. ``pinned``: places by key as an earlier
    estimate stored them; with any, nothing is looked up in the table of this release.
    """

    city_key: str
    region: str
    country: str
    starts_on: date | None = None
    ends_on: date | None = None
    non_co2: bool = True
    host_lines: tuple[tuple[str, dict[str, str], int], ...] = ()
    pinned: Mapping[str, Place] = field(default_factory=dict, compare=False)

    def place(self, key: str) -> Place:
        """Return the place with a key. Raises: PlaceKeyError."""
        if not self.pinned:
            return geo.place(key)
        if key not in self.pinned:
            raise PlaceKeyError(key=key[:60])
        return self.pinned[key]
