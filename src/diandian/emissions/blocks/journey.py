"""A journey between two places: what the travel lines of every mode have in common."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from diandian.emissions.errors import ModeTooFarError
from diandian.emissions.geo import Distance, distance
from diandian.emissions.lines import M1, ONE, Doubt
from diandian.emissions.numbers import plain
from diandian.emissions.uncertainty import CITY_PAIR, DEFAULT, EXACT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diandian.emissions.activity import Value
    from diandian.emissions.context import SceneContext
    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.geo import Place

# Great-circle kilometres beyond which an answer is taken for a slip.
FARTHEST_KM = {"metro": 200, "bus": 200, "coach": 3000, "car": 6000, "rail": 12000}


@dataclass(frozen=True, slots=True)
class Journey:
    """One way from ``origin`` to ``destination``, made ``trips`` times.

    ``weight``: part of the journey that is taken to be of this mode, below 1 only where the guest
    does not know the mode and the average of two is taken.
    """

    context: SceneContext
    values: Mapping[str, Value]
    factors: FactorSet
    origin: Place
    destination: Place
    trips: int = 2
    weight: Decimal = ONE
    assumed: bool = False

    @property
    def mainland(self) -> bool:
        """Tell whether both ends lie in mainland China."""
        return self.origin.country == "CN" and self.destination.country == "CN"

    @property
    def country(self) -> str:
        """Return the country of both ends, or of the origin."""
        return self.origin.country

    def doubt(self, distance_pct: Decimal = CITY_PAIR) -> Doubt:
        """Return the doubt of a distance between cities; more when the mode is assumed."""
        return Doubt(DEFAULT if self.assumed else EXACT, distance_pct)

    def measured(self, mode: str) -> Distance:
        """Return the one-way distance. Raises: ModeTooFarError."""
        found = distance(self.origin, self.destination, mode)
        if found.great_circle_km > FARTHEST_KM[mode]:
            raise ModeTooFarError(field="mode", distance=int(found.great_circle_km))
        return found

    def amount(self, km: Decimal) -> Decimal:
        """Return the kilometres of all trips: there and back is multiplied here and only here."""
        return M1.multiply(km, Decimal(self.trips))

    def names(self) -> dict[str, str]:
        """Return label parameters in English; ``details`` hold the other languages."""
        return {"origin": self.origin.name("en"), "destination": self.destination.name("en")}

    def details(self, measured: Distance, **more: str) -> dict[str, Any]:
        """Return where and how far, so that no later edition of the places can move the line."""
        return {
            "places": {"origin": self.origin.names, "destination": self.destination.names},
            "origin": _spot(self.origin),
            "destination": _spot(self.destination),
            "great_circle_km": str(measured.great_circle_km),
            "correction": str(measured.correction),
            "correction_reason": measured.correction_reason,
            "distance_km": plain(measured.distance_km),
            "trips": str(self.trips),
            "question": "mode",
            **more,
        }


def _spot(place: Place) -> str:
    return f"{place.key} {place.latitude} {place.longitude}"
