"""Reads of saved footprints; only the secret token opens one."""

from diandian.footprints.errors import FootprintNotFoundError
from diandian.footprints.models import Footprint


def by_token(token: str) -> Footprint:
    """Return the footprint behind a secret link. Raises: FootprintNotFoundError."""
    footprint = (
        Footprint.objects.select_related("scene").filter(token=token, erased_at=None).first()
    )
    if footprint is None:
        raise FootprintNotFoundError
    return footprint


# Asked for every guest several times: fixed text spares the building of the same query each time.
_BARE = "SELECT * FROM footprints_footprint WHERE token = %s AND erased_at IS NULL"


def bare_by_token(token: str) -> Footprint:
    """Return a footprint whose scene is not read yet. Raises: FootprintNotFoundError."""
    footprint = next(iter(Footprint.objects.raw(_BARE, [token])), None)
    if footprint is None:
        raise FootprintNotFoundError
    return footprint
