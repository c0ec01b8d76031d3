"""A place: its key, names and position, with the names of provinces and countries.

*Source:* country names from Unicode CLDR, province names by the editors (``geo_data/SOURCE.md``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

FOLDER = Path(__file__).parent / "geo_data"
LANGUAGES = ("zh-Hans", "en", "nl")


@dataclass(frozen=True, slots=True)
class Place:
    """One place.

    ``region``: ISO 3166-2 where known ("CN-SC", "US-NY"), else the country code. ``latitude``,
    ``longitude``: degrees. ``kind``: "city", "airport" or "scenic". ``nearest_airports``: IATA
    codes within 150 km, the one taken for a flight first.
    """

    key: str
    names: dict[str, str]
    country: str
    region: str
    latitude: Decimal
    longitude: Decimal
    kind: str
    population: int
    nearest_airports: tuple[str, ...]

    def __hash__(self) -> int:
        return hash(self.key)

    def name(self, language: str) -> str:
        """Return the name in a language; an unknown language gets the English one."""
        return self.names.get(language) or self.names["en"]

    def in_both(self) -> str:
        """Return the English and the Chinese name, for texts whose reader is not known."""
        chinese, english = self.names["zh-Hans"], self.names["en"]
        return english if chinese == english else f"{english} ({chinese})"

    def label(self, language: str) -> str:
        """Return the name with its province or country, to tell namesakes apart."""
        area = area_name(self.region, language) or area_name(self.country, language)
        name = self.name(language)
        if not area or area == name:
            return name
        return f"{name}（{area}）" if language == "zh-Hans" else f"{name} ({area})"


@cache
def areas() -> dict[str, dict[str, str]]:
    """Return the names of countries (ISO 3166-1) and Chinese provinces (ISO 3166-2)."""
    lines = (FOLDER / "areas.tsv").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines)
    return {code: dict(zip(LANGUAGES, names, strict=True)) for code, *names in rows}


def area_name(code: str, language: str) -> str:
    """Return the name of a country or province, or "" when it has none here."""
    names = areas().get(code, {})
    return names.get(language) or names.get("en", "")
