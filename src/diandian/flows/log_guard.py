"""Whether grams may move: not while the database is known to be older than its public log.

A process compares once, before its first retirement, with all that is known from outside: what is
published, the high-water file, the witnesses. Later it looks once a second at what is published
and at what the signer refused; and each append reads the refusal with the number that it takes.
*Source:* design of the registry, L3; decision 0051.
"""

import logging
from datetime import datetime

from diandian.kernel.clock import now
from diandian.kernel.memory import Memory, ttl_cache
from diandian.store.key_files import SigningKeyMissingError
from diandian.transparency import queries
from diandian.transparency.errors import LogRefusedError
from diandian.transparency.files import folder_of, published_sizes
from diandian.transparency.heads import actions, trouble
from diandian.transparency.heads.signer import HeadSigner
from diandian.transparency.heads.trouble import RefusedError
from diandian.transparency.models import LogHead

log = logging.getLogger(__name__)

# Names the open log for which this process has compared; as good as for ever.
_looked: Memory[bool] = Memory(seconds=1_000_000_000)
# What a look can tell to be over; the others only the signer can.
_SEEN_BY_A_LOOK = {
    trouble.BEHIND_PUBLISHED,
    trouble.DIFFERS_FROM_PUBLISHED,
    trouble.BEHIND_HIGH_WATER,
    trouble.DIFFERS_FROM_HIGH_WATER,
    trouble.BEHIND_WITNESS,
}


@ttl_cache(1)
def refused() -> str:
    """Return why the log stands still, one of ``heads.trouble``, or nothing; a second old at most.

    One statement, and a file of some hundred bytes.
    """
    published = published_sizes(folder_of(1))
    head = queries.open_head()
    if head is None:
        return ""
    behind = trouble.BEHIND_PUBLISHED if published.get(head.origin, 0) > head.size else ""
    return head.refusal or behind


def may_enter(*, at: datetime | None = None) -> bool:
    """Tell whether grams may be used and entered in the log now, as far as is known here."""
    numbered = None if refused() else _open_log()
    if numbered is None:
        # No log yet: nothing was ever published under it.
        return not refused()
    if _looked.get(numbered[1].origin):
        return True
    return not look(at=at)


def require(*, at: datetime | None = None) -> None:
    """Refuse where grams may not move now. Raises: LogRefusedError."""
    if not may_enter(at=at):
        raise LogRefusedError


def look_again() -> None:
    """Forget that this process has compared: another term begins."""
    _looked.forget()
    refused.forget()


def look(*, at: datetime | None = None) -> str:
    """Compare the open log with all that is known from outside; return what is wrong, or nothing.

    What is wrong is kept with the log, and so is that it is over.
    """
    look_again()
    published_sizes.forget()
    numbered = _open_log()
    if numbered is None:
        return ""
    number, head = numbered
    try:
        HeadSigner(number).look(head, at or now())
    except RefusedError as error:
        if actions.set_refusal(head, error.code):
            log.error("the public log %s stands still: %s", head.origin, error)  # noqa: TRY400
        return error.code
    except SigningKeyMissingError as error:
        log.warning("witnesses are not asked by this process: %s", error)
    if head.refusal in _SEEN_BY_A_LOOK and actions.set_refusal(head, ""):
        log.info("the public log %s has caught up", head.origin)
        head.refusal = ""
    if not head.refusal:
        _looked.put(head.origin, value=True)
    return head.refusal


def _open_log() -> tuple[int, LogHead] | None:
    return next((each for each in queries.numbered_heads() if each[1].is_open), None)
