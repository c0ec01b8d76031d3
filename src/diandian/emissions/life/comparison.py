"""What a result is compared with: averages of a country, and what a stable climate allows.

Figures of different bases are not alike; each says which one it has, and only those of households
are like our result.
*Source:* each figure names its own in ``comparison.toml``.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from diandian.emissions.factor_set import WORLD
from diandian.kernel.errors import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = Path(__file__).with_name("comparison.toml")
BASES = {
    "household": N_(
        "What households use, goods from abroad included; government and investment are not in "
        "it. It is made like your result."
    ),
    "economy": N_(
        "All that the country uses, goods from abroad, government and investment included; your "
        "result leaves the last two out."
    ),
    "territory": N_(
        "All that is emitted inside the borders, exports included and imports left out; your "
        "result is made otherwise."
    ),
    "world": N_(
        "All that people emit, divided by all people; government and investment are in it, your "
        "result leaves them out."
    ),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A published amount per person and year. Unit: grams of CO2e.

    ``region``: country code, "GLO" for the world. ``year``: of the data, or by which a level must
    be reached. ``alike``: made like our result. ``includes``: message id. ``status``: "verified",
    "derived" or "secondary".
    """

    region: str
    year: str
    mass_g: int
    basis: str
    org: str
    title: str
    published: str
    status: str
    notes: str

    @property
    def alike(self) -> bool:
        """Tell whether the figure counts what our result counts."""
        return self.basis == "household"

    @property
    def includes(self) -> str:
        """Return what is in it, as a message id."""
        return BASES[self.basis]


@cache
def _figures() -> dict[str, tuple[Figure, ...]]:
    read = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {name: tuple(_figure(row) for row in rows) for name, rows in read.items()}


def _figure(row: Mapping[str, str]) -> Figure:
    words = dict(row)
    mass_g = Decimal(words.pop("tonnes")) * 1_000_000
    return Figure(**{"region": WORLD, **words}, mass_g=int(mass_g))


def averages(region: str) -> tuple[Figure, ...]:
    """Return the averages of a region's country, those made like our result first, then the world.

    Never empty: a country without a figure has the world's alone.
    """
    country = region[:2]
    found = [f for f in _figures()["average"] if f.region in {country, WORLD}]
    return tuple(sorted(found, key=lambda f: (f.region == WORLD, not f.alike, f.basis)))


def climate_levels() -> tuple[Figure, ...]:
    """Return the levels that keep warming to 1.5 degrees, by the year they must be reached."""
    return _figures()["level"]


def climate_level(year: int) -> Figure:
    """Return the level that is next to be reached in a year; the last one after that."""
    levels = climate_levels()
    return next((level for level in levels if int(level.year) >= year), levels[-1])
