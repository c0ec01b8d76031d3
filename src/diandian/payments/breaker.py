"""When a line to a gateway is given a rest, and when it is tried again; pure.

After some failures in a row nothing is asked for a while; then one call goes ahead of the others,
and its answer decides. *Source:* payments design, section 6, row 41.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

FAILURES_LIMIT = 5
FIRST_REST = timedelta(seconds=5)
LONGEST_REST = timedelta(minutes=2)
# A call that went ahead and never came back is not waited for any longer than this.
PROBE_LIFE = timedelta(minutes=1)
_SHARES = 100


class Breaker:
    """Counts what a line's calls ended in. Not safe for threads: its owner holds a lock.

    ``dice``: returns a whole number from 0 up to below its argument, so that the processes of a
    house do not all come back at the same moment.
    """

    def __init__(self, dice: Callable[[int], int]) -> None:
        self._dice = dice
        self._failures = 0
        self._rest = FIRST_REST
        self._opened_at: datetime | None = None
        self._open_until: datetime | None = None
        self._probe_until: datetime | None = None

    def is_open(self, at: datetime) -> bool:
        """Tell whether a call would be refused now; changes nothing."""
        if self._opened_at is None or self._open_until is None:
            return False
        if at < self._opened_at:
            return False  # the clock was set back: nobody waits for it to catch up
        if self._probe_until is not None and at < self._probe_until:
            return True
        return at < self._open_until

    def admits(self, at: datetime) -> bool:
        """Tell whether a call may go out; of those after a rest, one goes ahead of the others."""
        if self.is_open(at):
            return False
        if self._opened_at is not None:
            self._probe_until = at + PROBE_LIFE
        return True

    def succeeded(self) -> None:
        """Note that the line answered: it is whole again."""
        self._failures = 0
        self._rest = FIRST_REST
        self._opened_at = self._open_until = self._probe_until = None

    def failed(self, at: datetime) -> None:
        """Note that nobody knows what a call did, or that nothing could be reached."""
        self._failures += 1
        is_probe = self._probe_until is not None
        if self._opened_at is not None and not is_probe:
            return  # it set out before the rest began
        if is_probe:
            self._rest = min(2 * self._rest, LONGEST_REST)
        elif self._failures < FAILURES_LIMIT:
            return
        self._opened_at, self._probe_until = at, None
        # Up to half as long again, never shorter.
        self._open_until = at + self._rest + self._rest * self._dice(_SHARES) / (2 * _SHARES)
