"""Five trips that everybody can picture: explained line by line, and compared between editions.

Their numbers stand in ``docs/why``; a test keeps both the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from diandian.emissions.activity import parse
from diandian.emissions.context import SceneContext
from diandian.emissions.geo import place
from diandian.emissions.scene_kind import scene_kind
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diandian.emissions.estimate import Estimate
    from diandian.emissions.factor_set import FactorSet

SHANGHAI, AMSTERDAM = "geonames:1796236", "geonames:2759794"
CHENGDU, DUBAI = "geonames:1815286", "geonames:292223"


@dataclass(frozen=True, slots=True)
class Trip:
    """``label``: message id. ``answers``: as typed; what is left out is not known."""

    key: str
    label: str
    kind: str
    city_key: str
    answers: Mapping[str, str]

    def estimate(self, factor_set: FactorSet) -> Estimate:
        """Return what the trip comes to with a factor set."""
        city, kind = place(self.city_key), scene_kind(self.kind)
        context = SceneContext(city.key, city.region, city.country)
        parsed = parse(kind.questions(context), self.answers)
        assert not parsed.errors, parsed.errors  # a developer's error
        return kind.compute(context, parsed.values, factor_set)


TRIPS = (
    Trip(
        "beijing-shanghai",
        N_("Beijing to Shanghai and back by high-speed train, two nights"),
        "conference",
        SHANGHAI,
        {"from": "北京", "mode": "train", "nights": "2", "stay": "mid"},
    ),
    Trip(
        "chengdu-amsterdam",
        N_("Chengdu to Amsterdam and back, changing planes in Beijing, three nights"),
        "conference",
        AMSTERDAM,
        {"from": "成都", "mode": "plane", "via": "北京", "nights": "3", "stay": "mid"},
    ),
    Trip(
        "family-car",
        N_("One of a family of four in a petrol car, Chongqing to Chengdu and back, two nights"),
        "other",
        CHENGDU,
        {"from": "重庆", "mode": "car", "occupants": "4", "fuel": "petrol", "nights": "2"}
        | {"stay": "mid", "room_people": "4", "local": "none", "meals": "8"}
        | {"meal_kind": "canteen"},
    ),
    Trip(
        "vegetarian-week",
        N_("A vegetarian week in Shanghai, coming from Hangzhou by train"),
        "other",
        SHANGHAI,
        {"from": "杭州", "mode": "train", "nights": "7", "stay": "budget", "meals": "21"}
        | {"meal_kind": "vegetarian", "local": "metro", "local_km": "60"},
    ),
    Trip(
        "five-star-week",
        N_("A week in five stars in Dubai, flying from Shanghai"),
        "hotel",
        DUBAI,
        {"from": "上海", "mode": "plane", "nights": "7", "stay": "five_star"},
    ),
)


@cache
def trip(key: str) -> Trip:
    """Return a trip by its key. Raises: KeyError."""
    return {each.key: each for each in TRIPS}[key]
