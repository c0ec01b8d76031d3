"""Rough distances, for guests whose city we do not know or who do not want to name one.

A band counts as its arithmetic middle, one way, along the way: no detour is put on top. Its
half-width is the doubt, so that the interval reaches both edges. Open bands got edges between which
about nine in ten of the cities over a million people lie, seen from seven large cities.
*Source:* methodology, sections 3 and 11; the rule is ours (decision 0016).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from diandian.emissions.activity import Choice
from diandian.emissions.lines import M1
from diandian.kernel.errors import N_

TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Band:
    """A rough distance one way. Units: km. ``abroad``: the journey begins in another country."""

    key: str
    label: str
    low_km: int
    high_km: int
    abroad: bool = False

    @property
    def km(self) -> Decimal:
        """Return the distance that is counted: the arithmetic middle."""
        return Decimal(self.low_km + self.high_km) / 2

    @property
    def half_width_pct(self) -> Decimal:
        """Return half of the band's width, per cent of its middle. Rounding: to 0.1, half up."""
        half = Decimal(self.high_km - self.low_km) / 2
        return M1.divide(half * 100, self.km).quantize(TENTH, ROUND_HALF_UP)


BANDS = {
    band.key: band
    for band in (
        Band("band:under_50", N_("Under 50 km"), 0, 50),
        Band("band:50_200", N_("50 to 200 km"), 50, 200),
        Band("band:200_500", N_("200 to 500 km"), 200, 500),
        Band("band:500_1000", N_("500 to 1,000 km"), 500, 1000),
        Band("band:1000_2000", N_("1,000 to 2,000 km"), 1000, 2000),
        Band("band:over_2000", N_("Over 2,000 km, in the same country"), 2000, 4000),
        Band("band:abroad_near", N_("Another country, up to 4,000 km"), 1000, 4000, abroad=True),
        Band("band:abroad_far", N_("Far abroad, over 4,000 km"), 4000, 16000, abroad=True),
    )
}
BAND_CHOICES = tuple(Choice(band.key, band.label) for band in BANDS.values())
