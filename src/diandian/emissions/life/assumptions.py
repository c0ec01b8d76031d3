"""What stands in where somebody does not know: a number, its reason and its source.

These are activity data, never factors; a line made with one carries an activity doubt of 60 %.
Elsewhere than in China and the Netherlands the higher of the two averages stands in, so that
nobody is flattered by our ignorance.
*Source:* each entry names its own; methodology, section 11 (default of this document 60).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from diandian.emissions.context import SceneContext

COUNTRY = N_("The average of your country is used (%(source)s).")
ELSEWHERE = N_(
    "Our data hold no figure for your country; the higher of the Chinese and the Dutch average "
    "stands in (%(source)s)."
)
WORLD = N_("The world average is used (%(source)s).")
OURS = N_("This is our own assumption; we found no statistic.")
NORTHERN = N_(
    "District heating is taken in the fifteen northern provinces of China, no heating in the "
    "others, gas elsewhere."
)
AVERAGE_CAR = N_("The car kilometres of an average inhabitant are taken (%(source)s).")
BY_BUS = N_("A bus is taken, five days a week, over the average distance.")
DIET_CHINA = N_("The recommended Chinese diet is taken, 3.0 kg a day (%(source)s).")
EVERYDAY = N_("Two everyday meals and a breakfast a day are taken; our own assumption.")
GAS_BY_AREA = N_(
    "The average floor area of a person is taken, with the French figure for a home heated by gas."
)
PATTERN = N_("The meals that usually go with your diet are taken; our own assumption.")

CENSUS = "NBS, seventh national census, 2020"
CBS_HOMES = "CBS, households, 2023"
CBS_ENERGY = "CBS and PBL, average use of a home, 2020"
ELECTRICITY_CN = "NEA, residential electricity 2023, divided by the census of 2020"
LIGHT_VEHICLES = "Liu et al., kilometres of light vehicles, China 2015"
CBS_CARS = "CBS, kilometres of private cars, 2022"
CAAC = "CAAC, passenger trips 2023, divided by the census of 2020"
KIM = "KiM, De Vliegende Hollander, 2024"
COMMUTE_CN = "Baidu, commuting survey in more than 300 cities, 2014"
CBS_COMMUTE = "CBS, distance from home to work, 2022"
GARMENTS = "Euromonitor via Common Objective, 2016"
SHORT_VIDEO = "Report on online audiovisual programmes in China, 2025"


@dataclass(frozen=True, slots=True)
class Assumption:
    """``value`` in the unit that the table below names. ``reason``: message id for ``params``."""

    value: Decimal
    reason: str
    source: str = ""

    @property
    def params(self) -> dict[str, str]:
        """Return what the reason's sentence needs."""
        return {"source": self.source}


def _own(value: str) -> dict[str, tuple[str, str]]:
    return {"": (value, "")}


# key -> country -> (value, source); "" is everywhere else. Derived ones show their arithmetic.
_TABLE: dict[str, dict[str, tuple[str, str]]] = {
    # persons in a home
    "people": {"CN": ("2.62", CENSUS), "NL": ("2.1", CBS_HOMES), "": ("2.1", CBS_HOMES)},
    # kWh per person and year: 1.35e12 / 1,411.78e6; 2,450 a home / 2.1
    "electricity_kwh": {
        "CN": ("956", ELECTRICITY_CN),
        "NL": ("1167", CBS_ENERGY),
        "": ("1167", CBS_ENERGY),
    },
    # m2 of floor per person
    "home_m2": {
        "CN": ("41.76", "NBS, Census Yearbook 2020"),
        "NL": ("53", "CBS, floor area per person, 2021"),
        "": ("53", "CBS, floor area per person, 2021"),
    },
    # GJ of heat per m2 and year: hot water 32.75e8 GJ over 92.51e8 m2 of northern cities, 2019
    "heat_gj_per_m2": {"": ("0.354", "CHIC, report on clean heating, 2021")},
    # km a year of one car
    "car_km": {
        "CN": ("18900", LIGHT_VEHICLES),
        "NL": ("10809", CBS_CARS),
        "": ("18900", LIGHT_VEHICLES),
    },
    # car km per inhabitant: 207e6 x 18,900 / 1,411.78e6; 114.3e9 / 17.64e6
    "car": {"CN": ("2771", LIGHT_VEHICLES), "NL": ("6478", CBS_CARS), "": ("6478", CBS_CARS)},
    "car_people": _own("1"),
    # km a week: one way 9.18 and 19.8, there and back, five days
    "commute_km": {
        "CN": ("91.8", COMMUTE_CN),
        "NL": ("198", CBS_COMMUTE),
        "": ("198", CBS_COMMUTE),
    },
    # return flights a year; NL: 100e9 km and 3,300 km a trip, split so that both bands give that
    "flights_short": {"CN": ("0.21", CAAC), "NL": ("0.57", KIM), "": ("0.57", KIM)},
    "flights_long": {"CN": ("0.01", CAAC), "NL": ("0.29", KIM), "": ("0.29", KIM)},
    "clothes": {"": ("13", GARMENTS)},  # garments a year
    "devices": _own("0.5"),  # a year
    "large_items": _own("0.25"),  # a year
    "video_hours": {"CN": ("2.6", SHORT_VIDEO), "": ("2.6", SHORT_VIDEO)},  # a day
    "hotel_nights": _own("3"),  # a year
    "coffee_cups": _own("1"),  # a day
    "alcohol_glasses": _own("2"),  # a week
    "waste_kg": _own("3"),  # a week
}
_WORLD = {"clothes"}
_CHOICES = {
    "heating": NORTHERN,
    "commute": BY_BUS,
    "diet": EVERYDAY,
    "gas_m3": GAS_BY_AREA,
    "beef_meals": PATTERN,
    "meat_meals": PATTERN,
}


def assumption(key: str, context: SceneContext) -> Assumption:
    """Return what stands in for an unknown answer. Raises: KeyError, a developer's error."""
    row = _TABLE[key]
    value, source = row.get(context.country) or row[""]
    if not source:
        reason = OURS
    elif key in _WORLD:
        reason = WORLD
    elif key == "car":
        reason = AVERAGE_CAR
    else:
        reason = COUNTRY if context.country in row else ELSEWHERE
    return Assumption(Decimal(value), reason, source)


def reason(key: str, context: SceneContext) -> tuple[str, dict[str, str]] | None:
    """Return (message id, parameters) of what "don't know" means at a question; None if nothing.

    Never raises: a question without a default of its own counts as nothing.
    """
    if key == "diet" and context.country == "CN":
        return DIET_CHINA, {"source": "Pang et al., 2023"}
    if key in _CHOICES:
        return _CHOICES[key], {}
    if key not in _TABLE:
        return None
    found = assumption(key, context)
    return found.reason, found.params
