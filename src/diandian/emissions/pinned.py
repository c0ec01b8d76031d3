"""The places of an estimate, stored with it, so that it can be computed again without our table.

An estimate names the edition of the geodata and its digest, and carries of each place what the
arithmetic reads: position, country, region, and the airport taken for it. A later edition of the
table can then move no old result. They are answers of a person and go when those are erased.
*Source:* methodology, section 12 (geodata is versioned as factor sets are).
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from diandian.emissions.geo import is_key
from diandian.emissions.geo_table import edition
from diandian.emissions.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from diandian.emissions.context import SceneContext


def used_places(context: SceneContext, answers: Iterable[object]) -> dict[str, Any]:
    """Return the geodata's edition and the places that answers name, with the scene's own.

    Answers that name no place need none. The airport of each place is a place too.
    """
    head = edition()
    used: dict[str, Any] = {"geo": head["id"]}
    named = [answer for answer in answers if isinstance(answer, str) and is_key(answer)]
    if not named:
        return used
    places: dict[str, dict[str, str]] = {}
    for key in (*named, context.city_key):
        found = context.place(key)
        places[key] = dict(pin(found))
        for code in found.nearest_airports[:1]:
            places[f"iata:{code}"] = dict(pin(context.place(f"iata:{code}")))
    return used | {"geo_sha256": head["places_sha256"], "places": places}


@lru_cache(maxsize=4096)
def pin(found: Place) -> dict[str, str]:
    """Return what the arithmetic reads of a place, as text. Shared: not to be changed."""
    return {
        "country": found.country,
        "region": found.region,
        "latitude": str(found.latitude),
        "longitude": str(found.longitude),
        "airport": "".join(found.nearest_airports[:1]),
    }


def unpin(key: str, stored: Mapping[str, str]) -> Place:
    """Return the place that ``pin`` described; it has no other name than its key.

    Raises: KeyError, ArithmeticError, TypeError when something is missing or is no number.
    """
    return Place(
        key=key,
        names=dict.fromkeys(("zh-Hans", "en", "nl"), key),
        country=stored["country"],
        region=stored["region"],
        latitude=Decimal(stored["latitude"]),
        longitude=Decimal(stored["longitude"]),
        kind="",
        population=0,
        nearest_airports=tuple(stored["airport"].split()),
    )
