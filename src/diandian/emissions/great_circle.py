"""Great-circle distance by the haversine formula.

The trigonometry runs in binary floating point; the answer is rounded to the metre before it
meets a mass, and is stored with the line, so no later edition can move an old result.
*Source:* methodology, section 3 (R = 6371.0088 km).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from math import asin, cos, radians, sin, sqrt
from typing import SupportsFloat

EARTH_RADIUS_KM = 6371.0088
METRE = Decimal("0.001")


def great_circle_km(
    from_latitude: SupportsFloat,
    from_longitude: SupportsFloat,
    to_latitude: SupportsFloat,
    to_longitude: SupportsFloat,
) -> Decimal:
    """Return the shortest distance over the sphere.

    Units: degrees in, kilometres out. Rounding: to 0.001 km, half up.
    """
    lat1, lat2 = radians(float(from_latitude)), radians(float(to_latitude))
    half_dlat = (lat2 - lat1) / 2
    half_dlon = radians(float(to_longitude) - float(from_longitude)) / 2
    a = sin(half_dlat) ** 2 + cos(lat1) * cos(lat2) * sin(half_dlon) ** 2
    km = 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(a)))
    return Decimal(km).quantize(METRE, rounding=ROUND_HALF_UP)
