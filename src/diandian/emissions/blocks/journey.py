"""A journey to the scene: what the travel lines of every mode have in common.

It runs between two places, or from somewhere in a rough distance that the guest chose.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from diandian.emissions.blocks.bands import TENTH
from diandian.emissions.errors import ModeTooFarError
from diandian.emissions.geo import Distance, distance
from diandian.emissions.lines import M1, ONE, Doubt
from diandian.emissions.numbers import plain
from diandian.emissions.uncertainty import CITY_PAIR, DEFAULT, EXACT
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diandian.emissions.activity import Value
    from diandian.emissions.blocks.bands import Band
    from diandian.emissions.context import SceneContext
    from diandian.emissions.factor_set import FactorSet
    from diandian.emissions.geo import Place

# Great-circle kilometres beyond which an answer is taken for a slip.
FARTHEST_KM = {"metro": 200, "bus": 200, "coach": 3000, "car": 6000, "rail": 12000}
# Countries whose railways and roads meet.
CHINA = frozenset({"CN", "HK", "MO"})
EUROPE = frozenset(
    "AT BE CH CZ DE DK ES FR GB HU IT LI LU MC NL PL PT SE SI SK".split()  # noqa: SIM905 - codes
)
MIDDLE = N_("the middle of the rough distance that was chosen, along the way")


@dataclass(frozen=True, slots=True)
class Journey(ABC):
    """One way to the scene, made ``trips`` times.

    ``weight``: part of the journey that is taken to be of this mode, below 1 only where the guest
    does not know the mode and the average of two is taken.
    """

    context: SceneContext
    values: Mapping[str, Value]
    factors: FactorSet
    trips: int = 2
    weight: Decimal = ONE
    assumed: bool = False

    @property
    @abstractmethod
    def country(self) -> str:
        """Return the country whose rows are taken: that of both ends, or of the origin."""

    @property
    @abstractmethod
    def countries(self) -> frozenset[str]:
        """Return the countries of both ends, as far as they are known."""

    @property
    @abstractmethod
    def region(self) -> str:
        """Return the region whose electricity a car takes."""

    @property
    @abstractmethod
    def inland(self) -> bool:
        """Tell whether both ends lie in one country."""

    @property
    @abstractmethod
    def by_land(self) -> bool:
        """Tell whether the journey is likely to need no sea or air."""

    @property
    @abstractmethod
    def circle_km(self) -> Decimal:
        """Return the great circle one way, or what stands for it."""

    @abstractmethod
    def travelled(self, mode: str) -> Distance:
        """Return the one-way distance by a mode, however far."""

    @abstractmethod
    def doubt(self, distance_pct: Decimal = CITY_PAIR) -> Doubt:
        """Return the doubt of the distance; more when the mode is assumed."""

    @abstractmethod
    def label(self, named: str, rough: str) -> str:
        """Choose between the label that names two places and the one that names a distance."""

    @abstractmethod
    def names(self, km: Decimal) -> dict[str, str]:
        """Return label parameters in English. ``km``: one way, as it is counted."""

    @abstractmethod
    def details(self, measured: Distance, **more: str) -> dict[str, Any]:
        """Return where and how far, so that no later edition of the places can move the line."""

    @property
    def mainland(self) -> bool:
        """Tell whether both ends lie in mainland China."""
        return self.inland and self.country == "CN"

    def measured(self, mode: str) -> Distance:
        """Return the one-way distance. Raises: ModeTooFarError."""
        if self.circle_km > FARTHEST_KM[mode]:
            raise ModeTooFarError(field="mode", distance=int(self.circle_km))
        return self.travelled(mode)

    def amount(self, km: Decimal) -> Decimal:
        """Return the kilometres of all trips: there and back is multiplied here and only here."""
        return M1.multiply(km, Decimal(self.trips))


@dataclass(frozen=True, slots=True, kw_only=True)
class BetweenPlaces(Journey):
    """A journey between two places; ``names`` has them in English, ``details`` in all languages."""

    origin: Place
    destination: Place

    @property
    def country(self) -> str:
        """Return the country of the origin."""
        return self.origin.country

    @property
    def countries(self) -> frozenset[str]:
        """Return those of both places."""
        return frozenset({self.origin.country, self.destination.country})

    @property
    def region(self) -> str:
        """Return the region of the origin."""
        return self.origin.region

    @property
    def inland(self) -> bool:
        """Compare the countries of both places."""
        return self.origin.country == self.destination.country

    @property
    def by_land(self) -> bool:
        """Tell whether railways and roads of both countries meet."""
        both = self.countries
        return both <= CHINA or both <= EUROPE or len(both) == 1

    @property
    def circle_km(self) -> Decimal:
        """Return the great circle between the places."""
        return self.travelled("rail").great_circle_km

    def travelled(self, mode: str) -> Distance:
        """Return the great circle with the detour of the mode."""
        return distance(self.origin, self.destination, mode)

    def doubt(self, distance_pct: Decimal = CITY_PAIR) -> Doubt:
        """Return the doubt of a distance between cities; more when the mode is assumed."""
        return Doubt(DEFAULT if self.assumed else EXACT, distance_pct)

    def label(self, named: str, rough: str) -> str:  # noqa: ARG002 - the other kind takes it
        """Take the label with two places."""
        return named

    def names(self, km: Decimal) -> dict[str, str]:  # noqa: ARG002 - the places say enough
        """Return both places in English; ``details`` hold the other languages."""
        return {"origin": self.origin.name("en"), "destination": self.destination.name("en")}

    def details(self, measured: Distance, **more: str) -> dict[str, Any]:
        """Return both places with their positions, and how the distance was made."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RoughJourney(Journey):
    """A journey of a rough distance: rows and electricity are those of the scene.

    All lines of it err together, since one choice stands behind them.
    """

    band: Band

    @property
    def country(self) -> str:
        """Return the scene's country: the origin's is not known."""
        return self.context.country

    @property
    def countries(self) -> frozenset[str]:
        """Return the scene's."""
        return frozenset({self.context.country})

    @property
    def region(self) -> str:
        """Return the scene's region."""
        return self.context.region

    @property
    def inland(self) -> bool:
        """Tell whether the band lies in the scene's country."""
        return not self.band.abroad

    @property
    def by_land(self) -> bool:
        """Take another country to lie across a sea: the higher of the two."""
        return not self.band.abroad

    @property
    def circle_km(self) -> Decimal:
        """Return the middle of the band."""
        return self.band.km

    def travelled(self, mode: str) -> Distance:  # noqa: ARG002 - the guest said it for any mode
        """Return the middle of the band for every mode: it was said along the way."""
        return Distance(self.band.km, ONE, MIDDLE, self.band.km)

    def doubt(self, distance_pct: Decimal = CITY_PAIR) -> Doubt:  # noqa: ARG002 - the band has its own
        """Return half the band's width, with the doubt of an assumed mode by squares."""
        half = self.band.half_width_pct
        if not self.assumed:
            return Doubt(half)
        both = M1.add(M1.multiply(half, half), M1.multiply(DEFAULT, DEFAULT))
        return Doubt(both.sqrt(M1).quantize(TENTH, ROUND_HALF_UP))

    def label(self, named: str, rough: str) -> str:  # noqa: ARG002 - the other kind takes it
        """Take the label with the distance."""
        return rough

    def names(self, km: Decimal) -> dict[str, str]:
        """Return the distance one way."""
        return {"km": plain(km)}

    def details(self, measured: Distance, **more: str) -> dict[str, Any]:
        """Return the band and what was made of it."""
        return {
            "band": self.band.key,
            "band_low_km": str(self.band.low_km),
            "band_high_km": str(self.band.high_km),
            "correction": str(measured.correction),
            "correction_reason": measured.correction_reason,
            "distance_km": plain(measured.distance_km),
            "moves_with": "travel.band",
            "trips": str(self.trips),
            "question": "mode",
            **more,
        }


def _spot(place: Place) -> str:
    return f"{place.key} {place.latitude} {place.longitude}"
