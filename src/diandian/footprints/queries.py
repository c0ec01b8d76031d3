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
