"""The facts of a scene that guests rely on, as plain data: to compare, to keep, to correct.

Pure. Address, kind and edition of the factors are not among them: posters, questions and every
estimate rest on those, so they stay as they were approved.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from diandian.kernel.canonical import digest_hex

_TEXTS = ("names", "host_names", "venue_names", "city_names")
_DAYS = ("starts_on", "ends_on")
_DEGREES = ("latitude", "longitude")
_PLAIN = (
    *("place_key", "country", "region", "expected_guests"),
    *("travel_owner", "travel_organiser_pct", "claim_style"),
)
KEYS = (*_TEXTS, *_DAYS, *_DEGREES, *_PLAIN)
# What a reader sees as one fact: the parts of a place stand under its city, those of a split
# under its owner.
SHOWN = (
    *("names", "host_names", "venue_names", "city_names", "starts_on", "ends_on"),
    *("expected_guests", "travel_owner", "claim_style"),
)
_SIX_PLACES = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Change:
    """One fact that differs. ``before``, ``after``: plain values, a split as [owner, per cent]."""

    key: str
    before: Any
    after: Any


def facts_of(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts as JSON of a scene's columns."""
    found: dict[str, Any] = {key: dict(columns[key]) for key in _TEXTS}
    found |= {key: columns[key].isoformat() if columns[key] else None for key in _DAYS}
    found |= {key: str(Decimal(columns[key]).quantize(_SIX_PLACES)) for key in _DEGREES}
    return found | {key: _plain(columns[key]) for key in _PLAIN}


def _plain(value: object) -> int | str:
    return value if isinstance(value, int) else str(value)


def columns_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that ``facts_of`` described."""
    found = {key: facts[key] for key in (*_TEXTS, *_PLAIN)}
    found |= {key: date.fromisoformat(facts[key]) if facts[key] else None for key in _DAYS}
    return found | {key: Decimal(facts[key]) for key in _DEGREES}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Return what differs between two versions, in the order that pages show."""
    found = []
    for key in SHOWN:
        old, new = _shown(key, before), _shown(key, after)
        if old != new or (key == "city_names" and before["place_key"] != after["place_key"]):
            found.append(Change(key, old, new))
    return found


def _shown(key: str, facts: Mapping[str, Any]) -> object:
    if key == "travel_owner":
        return [facts[key], facts["travel_organiser_pct"]]
    return facts[key]


def digest(facts: Mapping[str, Any], *more: object) -> str:
    """Return the SHA-256 of facts, to tell whether what was seen is what stands there now."""
    return digest_hex([dict(facts), *more])
