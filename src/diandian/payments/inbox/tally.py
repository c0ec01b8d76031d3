"""Counts notices that were not believed, without a query while they come.

Anybody may send them, as many as they like: so they are counted in memory, and what was counted is
written once a second at most, by a thread of its own. A process that ends loses that second.
"""

import logging
import threading
from collections import Counter
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, connections

from diandian.kernel.clock import now
from diandian.payments.inbox import actions

log = logging.getLogger(__name__)

_WRITE_AFTER_SECONDS = 1

_lock = threading.Lock()
_counts: Counter[tuple[str, str, str]] = Counter()
_pending: list[threading.Timer] = []


def count(gateway: str, merchant_key: str, reason: str) -> None:
    """Count a refused notice; the names are ours, never a sender's."""
    key = (gateway, merchant_key, reason)
    with _lock:
        is_first = key not in _counts
        _counts[key] += 1
        if settings.WRITE_BEHIND and not _pending:
            timer = threading.Timer(_WRITE_AFTER_SECONDS, _write_apart)
            timer.daemon = True
            _pending.append(timer)
            timer.start()
    if is_first:
        log.warning("a notice was refused: %s", " ".join(part for part in key if part))


def write(*, at: datetime | None = None) -> int:
    """Write what was counted since the last time; return how many notices that were."""
    at = at or now()
    with _lock:
        waiting = Counter(_counts)
        _counts.clear()
    written = 0
    for key, number in list(waiting.items()):
        gateway, merchant_key, reason = key
        try:
            actions.count_refused(
                gateway=gateway, merchant_key=merchant_key, reason=reason, count=number, at=at
            )
        except DatabaseError:
            log.exception("refused notices could not be counted; they are kept for the next time")
            with _lock:
                _counts.update(waiting)
            break
        del waiting[key]
        written += number
    return written


def _write_apart() -> None:
    with _lock:
        _pending.clear()
    try:
        write()
    finally:
        connections.close_all()


def forget() -> None:
    """Forget what was counted; between tests."""
    with _lock:
        _counts.clear()
