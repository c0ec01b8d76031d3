"""How entries seal each other, and how long a failed event waits; no database here."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from diandian.kernel.canonical import digest_hex

# The first entry follows nothing.
FIRST_PREVIOUS = ""
GIVE_UP_AFTER = 12
# What cannot be delivered yet for want of a setting is tried this often, and for so long.
PUT_OFF_FOR = timedelta(hours=1)
PUT_OFF_AT_MOST = timedelta(days=30)
_LONGEST_WAIT = timedelta(hours=1)


def entry_hash(
    *,
    at: datetime,
    actor_ref: str,
    action: str,
    subject_ref: str,
    details: Mapping[str, object],
    previous_hash: str,
) -> str:
    """Return the seal of an entry over its content and the seal before it."""
    return digest_hex(
        {
            "schema": "diandian/audit/v1",
            "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
            "actor_ref": actor_ref,
            "action": action,
            "subject_ref": subject_ref,
            "details": details,
            "previous_hash": previous_hash,
        }
    )


def wait_after(attempts: int) -> timedelta:
    """Return how long to wait after failed attempts: 2 s, 4 s, 8 s … at most an hour."""
    assert attempts > 0, "nothing was attempted"
    return min(timedelta(seconds=2 ** min(attempts, 12)), _LONGEST_WAIT)
