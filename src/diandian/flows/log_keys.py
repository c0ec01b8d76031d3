"""An operator changes the log's key, or ends a log and begins the next; the trail says who and why.

*Source:* design of the registry, section 5 (rotation, suspected theft).
"""

from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.kernel.clock import now
from diandian.transparency import keys, queries
from diandian.transparency.errors import LogClosedError, LogNameError
from diandian.transparency.heads import actions as head_actions
from diandian.transparency.models import LogHead
from diandian.transparency.rules import name_fault


def _open_head() -> LogHead:
    head = queries.open_head()
    if head is None:
        raise LogClosedError(origin=settings.LOG_ORIGIN)
    return head


def rotate(*, actor: str, reason: str, at: datetime | None = None) -> tuple[str, Path]:
    """Make a new key that signs from now on, beside the others for 90 days.

    Returns its public half, and the file to back up. Raises: LogClosedError.
    """
    at = at or now()
    head = _open_head()
    if not queries.keys_of(head):
        # The key that signed nothing yet is the first; a second one follows it.
        head_actions.register_key(head, keys.vkey_of(head.origin, keys.first_key()), at=at)
    key, path = keys.make_another(at)
    vkey = keys.vkey_of(head.origin, key)
    with transaction.atomic():
        audit_actions.record(
            actor_ref=actor,
            action="log.key_rotated",
            subject_ref=f"log:{head.origin}"[:120],
            details={"vkey": vkey, "reason": reason},
            at=at,
        )
        head_actions.rotate(head, vkey, at=at)
    return vkey, path


def close(
    *, actor: str, reason: str, next_origin: str = "", at: datetime | None = None
) -> tuple[LogHead, Path]:
    """End the open log and begin the next under a key of its own, in one commit.

    Returns the new log, and the file of its key to back up. Raises: LogClosedError, LogNameError.
    """
    at = at or now()
    head = _open_head()
    origin = next_origin or f"{settings.LOG_ORIGIN}/{len(queries.heads()) + 1}"
    used = {each.origin for each in queries.heads()}
    if origin in used or name_fault(origin):
        raise LogNameError(origin=origin)
    key, path = keys.make_another(at)
    with transaction.atomic():
        audit_actions.record(
            actor_ref=actor,
            action="log.closed",
            subject_ref=f"log:{head.origin}"[:120],
            details={"next": origin, "reason": reason},
            at=at,
        )
        following = head_actions.close(head, next_origin=origin, at=at)
        head_actions.register_key(following, keys.vkey_of(origin, key), at=at)
    return following, path
