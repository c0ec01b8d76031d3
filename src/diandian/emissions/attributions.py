"""What the product must show about the data it stands on.

*Source:* the terms of each publisher as seen, kept in the ``SOURCE.md`` of each folder.
"""

from __future__ import annotations

from typing import NamedTuple

from diandian.emissions.factor_set import publisher_sets


class Attribution(NamedTuple):
    """One source to name, with the words it asks for and its terms."""

    name: str
    text: str
    licence: str


PLACES = (
    Attribution(
        "GeoNames",
        "Cities from GeoNames (www.geonames.org), trimmed and renamed, CC BY 4.0.",
        "CC BY 4.0",
    ),
    Attribution("airportsdata", "Airports from airportsdata.", "MIT"),
    Attribution("Unicode CLDR", "Names of countries from Unicode CLDR.", "Unicode-3.0"),
)


def attributions() -> tuple[Attribution, ...]:
    """Return every source of places and factors, places first."""
    factors = (Attribution(f.publisher, f.attribution, f.licence) for f in publisher_sets())
    return (*PLACES, *dict.fromkeys(factors))
