"""Finds places by what people type, and the distance between two of them.

A name that several places bear is asked back, an unknown one gets suggestions; nothing is guessed.
*Source:* methodology, section 3 (corrections per mode, airports within 150 km).
"""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from diandian.emissions.errors import (
    AmbiguousPlaceError,
    AnswerMissingError,
    PlaceKeyError,
    TooLongError,
    UnknownPlaceError,
)
from diandian.emissions.geo_table import table
from diandian.emissions.geo_text import comparable, is_han
from diandian.emissions.great_circle import METRE, great_circle_km
from diandian.emissions.place import Place, areas
from diandian.kernel.errors import N_

__all__ = ["Distance", "Place", "distance", "find_places", "is_key", "place", "resolve_place"]

LONGEST_NAME = 80
LARGEST = 4000  # rows looked through for the chief cities of an area
DOMINANCE = 20  # a namesake this many times smaller is not asked about
UNCOUNTED = 10_000  # people of a place for which the table has no count
SAME_SPOT_KM = 30  # namesakes this near each other are one place for our purpose
_KEY = re.compile(r"(geonames:\d{1,12}|iata:[A-Z]{3}|extra:[a-z]{2,40})\Z")
_PARTS = re.compile(r"[,;/|()·、]")
_STATION = re.compile(r"(?:火车站|高铁站|汽车站|[东西南北]站|站)\Z")
_SUFFIXES = ("市", "县", "区", "州", "镇")


class Distance(NamedTuple):
    """A distance and how it was made; ``distance_km`` is what the factor is multiplied with."""

    great_circle_km: Decimal
    correction: Decimal
    correction_reason: str
    distance_km: Decimal


_RAIL = (Decimal("1.2"), N_("railway detour, great circle times 1.2"))
_ROAD = (Decimal("1.5"), N_("road detour, great circle times 1.5"))
_NONE = (Decimal("1.0"), N_("great circle, no uplift: the factor already holds the detour"))
_PORTS = (Decimal("1.0"), N_("great circle from port to port"))
CORRECTIONS = {
    "air": _NONE,
    "rail": _RAIL,
    "metro": _RAIL,
    "bus": _ROAD,
    "coach": _ROAD,
    "car": _ROAD,
    "taxi": _ROAD,
    "bicycle": _ROAD,
    "walk": _ROAD,
    "ferry": _PORTS,
}


@lru_cache(maxsize=4096)
def place(key: str) -> Place:
    """Return the place with a key such as "geonames:1815286". Raises: PlaceKeyError."""
    return table().by_key(key)


def is_key(text: str) -> bool:
    """Tell whether a text is written like the key of a place."""
    return _KEY.match(text) is not None


def find_places(query: str, limit: int = 8) -> list[Place]:
    """Return places whose name is, or begins with, the query; the likeliest first.

    Exact names come before beginnings, then the more populous. Never raises on odd input.
    """
    name, filters = _split(query[:LONGEST_NAME])
    if not name:
        return []
    rows = table()
    exact = _exact_rows(name)
    begun = set(rows.starting(name)) - set(exact)
    if not query.isupper():  # "new" means New York rather than the airport NEW
        begun |= {row for row in exact if rows.place_at(row).kind == "airport"}
    numbers = [*sorted(set(exact) - begun), *sorted(begun, key=lambda row: _beginning(row, name))]
    places = [rows.place_at(row) for row in numbers[: max(limit, 1) * 4]]
    return [found for found in places if _matches(found, filters)][:limit]


def _beginning(row: int, name: str) -> tuple[bool, int]:
    """Rank a beginning: names that we show before by-names, then by people."""
    shown = table().place_at(row).names.values()
    return not any(comparable(word).startswith(name) for word in shown), row


def resolve_place(text: str) -> Place:
    """Return the one place that a text means: a key, an airport code, or a name.

    A name may carry its province or country: "Suzhou, Anhui", "苏州（江苏）", "江苏省苏州市".
    Raises: UnknownPlaceError with suggestions, AmbiguousPlaceError with candidates, TooLongError,
    AnswerMissingError.
    """
    typed = unicodedata.normalize("NFKC", text).strip()
    if not typed:
        raise AnswerMissingError
    if len(typed) > LONGEST_NAME:
        raise TooLongError
    if _KEY.match(typed):
        return _by_key(typed)
    found = _resolve_name(typed)
    if isinstance(found, Place):
        return found
    given = "".join(letter for letter in typed if letter.isprintable())
    if found:
        raise AmbiguousPlaceError(given=given, candidates=list(found))
    raise UnknownPlaceError(given=given, suggestions=_similar(typed))


def _by_key(key: str) -> Place:
    try:
        return place(key)
    except PlaceKeyError:
        raise UnknownPlaceError(given=key, suggestions=[]) from None


@lru_cache(maxsize=4096)
def _resolve_name(typed: str) -> Place | tuple[Place, ...]:
    name, filters = _split(typed)
    rows = table()
    if re.fullmatch("[A-Z]{3}", typed) and (ports := rows.exact(f"iata:{typed}")):
        return rows.place_at(ports[0])
    places = [rows.place_at(row) for row in _exact_rows(name)]
    if not places and is_han(name):
        places, filters = _without_province(name, filters)
    return _choose([found for found in places if _matches(found, filters)])


def _exact_rows(name: str) -> list[int]:
    rows = table()
    found = rows.exact(name)
    if not found and is_han(name):
        shorter = _STATION.sub("", name)
        found = rows.exact(shorter)
        if not found and shorter.endswith(_SUFFIXES):
            found = rows.exact(shorter[:-1])
    return found


def _choose(places: list[Place]) -> Place | tuple[Place, ...]:
    towns = [found for found in places if found.kind != "airport"] or places
    if len(towns) == 1:
        return towns[0]
    if not towns:
        return ()
    first, second = towns[0], towns[1]
    scenic = any(found.kind == "scenic" for found in towns)
    if not scenic and first.population >= DOMINANCE * (second.population or UNCOUNTED):
        return first
    if all(_apart(first, other) <= SAME_SPOT_KM for other in towns[1:]):
        return first
    return tuple(towns[:8])


def _apart(one: Place, other: Place) -> Decimal:
    return great_circle_km(one.latitude, one.longitude, other.latitude, other.longitude)


def _split(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the comparable name and the provinces or countries that were added to it."""
    parts = _PARTS.split(unicodedata.normalize("NFKC", text).replace("，", ","))
    names = [comparable(part) for part in parts]
    kept = [name for name in names if name]
    return (kept[0], tuple(kept[1:])) if kept else ("", ())


@lru_cache(maxsize=1)
def _area_codes() -> dict[str, set[str]]:
    codes: dict[str, set[str]] = {}
    for code, names in areas().items():
        for name in (code, code.partition("-")[2], *names.values()):
            if name:
                codes.setdefault(comparable(name), set()).add(code)
        if code.startswith("CN-"):
            chinese = names["zh-Hans"]
            for full in (f"{chinese}省", f"{chinese}市", f"{chinese}自治区"):
                codes.setdefault(full, set()).add(code)
    return codes


def _matches(found: Place, filters: tuple[str, ...]) -> bool:
    """Tell whether the words after the name fit; words that name no area are ignored."""
    for words in filters:
        codes = _area_codes().get(words)
        if codes and not codes & {found.country, found.region, found.region[3:]}:
            return False
    return True


def _without_province(name: str, filters: tuple[str, ...]) -> tuple[list[Place], tuple[str, ...]]:
    """Read "四川省成都市" as 成都 in 四川."""
    codes = _area_codes()
    for length in range(min(len(name) - 2, 8), 1, -1):
        if name[:length] in codes:
            rows = _exact_rows(name[length:])
            if rows:
                return [table().place_at(row) for row in rows], (*filters, name[:length])
    return [], filters


@lru_cache(maxsize=256)
def _similar(typed: str) -> list[Place]:
    """Return the chief cities of a province or country, else names with a like beginning."""
    name, _ = _split(typed)
    codes = _area_codes().get(name, set())
    if codes:
        rows = table()
        top = (rows.place_at(row) for row in range(min(len(rows), LARGEST)))
        return list(islice((p for p in top if codes & {p.country, p.region}), 5))
    for length in range(len(name), max(1, len(name) // 2), -1):
        found = find_places(name[:length], 5)
        if found:
            return found
    return []


@lru_cache(maxsize=8192)
def _distance(from_: Place, to: Place, mode: str) -> Distance:
    correction, reason = CORRECTIONS[mode]
    circle = _apart(from_, to)
    km = (circle * correction).quantize(METRE, rounding=ROUND_HALF_UP)
    return Distance(circle, correction, reason, km)


def distance(from_: Place, to: Place, mode: str) -> Distance:
    """Return the distance travelled one way between two places.

    ``mode``: a key of ``CORRECTIONS``. Rounding: to 0.001 km, half up.
    Raises: KeyError on another mode.
    """
    return _distance(from_, to, mode)
