"""Reads of saved footprints; only the secret token opens one."""

from diandian.footprints.errors import FootprintNotFoundError
from diandian.footprints.models import Footprint
from diandian.store.statements import Param, Select

_BARE = Select(lambda: Footprint.objects.filter(token=Param("token"), erased_at=None))
_WITH_SCENE = Select(
    lambda: Footprint.objects.filter(token=Param("token"), erased_at=None).select_related("scene")
)


def by_token(token: str) -> Footprint:
    """Return the footprint behind a secret link. Raises: FootprintNotFoundError."""
    footprint = _WITH_SCENE.first(token=token)
    if footprint is None:
        raise FootprintNotFoundError
    return footprint


def bare_by_token(token: str) -> Footprint:
    """Return a footprint whose scene is not read yet. Raises: FootprintNotFoundError."""
    footprint = _BARE.first(token=token)
    if footprint is None:
        raise FootprintNotFoundError
    return footprint
