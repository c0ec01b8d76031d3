"""Who outside the data folder knows how far the log was signed, and what to set up else.

A restored backup is noticed by them alone (decision 0051).
"""

from collections.abc import Mapping

from django.conf import settings

from diandian.kernel.errors import N_

NOBODY = "nobody"
NO_WITNESS = "no-witness"
NO_HIGH_WATER = "no-high-water"

WORDS: Mapping[str, str] = {
    NOBODY: N_(
        "No high-water file and no witness is set up: a backup that comes back with its data folder"
        " would not be noticed. The operator should set up one of them."
    ),
    NO_WITNESS: N_(
        "No witness is set up: a machine that is restored as a whole would not be noticed. The"
        " operator should ask somebody to be one."
    ),
    NO_HIGH_WATER: N_(
        "No high-water file is set up: while no witness answers, a backup that comes back with its"
        " data folder would not be noticed. The operator should name a file outside the backups."
    ),
}


def advice() -> str:
    """Return what is missing in production, as a code of ``WORDS``; nothing when all is there."""
    if settings.MODE != "production":
        return ""
    if settings.HIGH_WATER and settings.LOG_WITNESSES:
        return ""
    if settings.HIGH_WATER:
        return NO_WITNESS
    return NO_HIGH_WATER if settings.LOG_WITNESSES else NOBODY
