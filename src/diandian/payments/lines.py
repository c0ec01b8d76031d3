"""Lines to the gateways, in this process: how many calls at once, how long, and when to rest.

A gateway that is slow or silent must never hold all of a server's threads: a call that finds no
place, or a line that rests, is answered at once, and nothing was sent. *Source:* payments design,
section 6, row 41.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from diandian.kernel.memory import Memory
from diandian.payments.breaker import Breaker
from diandian.payments.messages import UNREACHABLE, Outcome, Rejected, SecretMissingError, Unknown

log = logging.getLogger(__name__)
T = TypeVar("T")

# Why nothing was sent.
AT_REST = "line_at_rest"
BUSY = "line_busy"
SLOW = "no_answer_in_time"

# How long a call waits for a place at most.
_WAIT_FOR_A_PLACE = timedelta(seconds=1)
# An answer that took longer says as little for the health of a line as none.
_TOO_LONG_NS = 5_000_000_000


_deadline_ns: ContextVar[int | None] = ContextVar("deadline_ns", default=None)


@contextmanager
def patience(within: timedelta | None) -> Iterator[None]:
    """Let calls inside wait so long in all; None: as long as they take, in the caller's thread.

    A call that takes longer goes on without its caller, for whom its outcome is unknown: whoever
    needs the answer asks again.
    """
    if within is None:
        yield
        return
    nanoseconds = within // timedelta(microseconds=1) * 1_000
    token = _deadline_ns.set(time.monotonic_ns() + nanoseconds)
    try:
        yield
    finally:
        _deadline_ns.reset(token)


def _left(deadline_ns: int) -> timedelta:
    return timedelta(microseconds=max(0, deadline_ns - time.monotonic_ns()) // 1_000)


@dataclass(frozen=True, slots=True)
class Ask:
    """One call. ``number``: what it is about, for the log.

    ``is_simple``: quick, and "not now" or late speaks against the line; not so of what lets money
    leave, which a gateway puts off for reasons of its own, nor of a day's statement.
    """

    what: str
    number: str
    at: datetime
    is_simple: bool = True


class _Places:
    """The calls of this process at one gateway: so many at once, and threads for those."""

    def __init__(self, key: str, count: int) -> None:
        self.free = threading.BoundedSemaphore(count)
        self.threads = ThreadPoolExecutor(count, thread_name_prefix=f"line-{key}")


class Line:
    """One of our accounts at one gateway, as this process knows it."""

    def __init__(self, places: _Places) -> None:
        self._places = places
        self._lock = threading.Lock()
        self._breaker = Breaker(random.randrange)

    def is_ready(self, at: datetime) -> bool:
        """Tell whether a call would set out now; a moment later that may be otherwise."""
        with self._lock:
            if self._breaker.is_open(at):
                return False
        if not self._places.free.acquire(blocking=False):
            return False
        self._places.free.release()
        return True

    def is_at_rest(self, at: datetime) -> bool:
        """Tell whether calls are refused because too many before them failed; changes nothing."""
        with self._lock:
            return self._breaker.is_open(at)

    def call(self, ask: Ask, send: Callable[[], Outcome[T]]) -> Outcome[T] | Unknown:
        """Send, unless the line rests or is busy; whatever a library throws is unknown."""
        with self._lock:
            if self._breaker.is_open(ask.at):
                return Unknown(AT_REST)
        deadline_ns = _deadline_ns.get()
        wait = _WAIT_FOR_A_PLACE
        if deadline_ns is not None:
            wait = min(wait, _left(deadline_ns))
        if not self._places.free.acquire(timeout=wait.total_seconds()):
            log.warning("%s of %s: every place is taken", ask.what, ask.number)
            return Unknown(BUSY)
        with self._lock:
            admitted = self._breaker.admits(ask.at)
        if not admitted:
            self._places.free.release()
            return Unknown(AT_REST)
        if deadline_ns is None:
            return self._send(ask, send)
        sent = self._places.threads.submit(self._send, ask, send)
        try:
            return sent.result(timeout=_left(deadline_ns).total_seconds())
        except TimeoutError:
            return Unknown(SLOW)

    def _send(self, ask: Ask, send: Callable[[], Outcome[T]]) -> Outcome[T]:
        began = time.monotonic_ns()
        is_well = False
        try:
            outcome = send()
            is_well = not _is_sick(outcome, ask)
        except Exception as error:  # noqa: BLE001 - whatever a library throws
            log.error("%s of %s: the outcome is unknown (%s)", ask.what, ask.number, told(error))  # noqa: TRY400 - its text may hold secrets
            outcome = Unknown(type(error).__name__)
        finally:
            is_late = ask.is_simple and time.monotonic_ns() - began > _TOO_LONG_NS
            self._note(ask.at, is_well=is_well and not is_late)
            self._places.free.release()
        return outcome

    def _note(self, at: datetime, *, is_well: bool) -> None:
        with self._lock:
            was_open = self._breaker.is_open(at)
            if is_well:
                self._breaker.succeeded()
            else:
                self._breaker.failed(at)
            is_open = self._breaker.is_open(at)
        if is_open and not was_open:
            log.error("a line to a gateway fails again and again: it rests a while")


def _is_sick(outcome: object, ask: Ask) -> bool:
    """Tell whether an outcome speaks against the line, not against what was asked."""
    if isinstance(outcome, Rejected):
        return outcome.code == UNREACHABLE or (outcome.retryable and ask.is_simple)
    return isinstance(outcome, Unknown)


def told(error: BaseException) -> str:
    """Return what a log may say of an error: its type and the places it passed, never its text.

    Texts of libraries hold addresses, and addresses signatures and payers.
    """
    if isinstance(error, SecretMissingError):
        return str(error)  # names a reference, never a value
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return f"{type(error).__name__} at {' > '.join(places[-4:]) or 'an unknown place'}"


_FOR_EVER_SECONDS = 10**9
_places: Memory[_Places] = Memory(_FOR_EVER_SECONDS)
_lines: Memory[Line] = Memory(_FOR_EVER_SECONDS)
_making = threading.Lock()


def line(gateway: str, account: str, *, places: int) -> Line:
    """Return the line of an account at a gateway. ``places``: calls at once at that gateway."""
    with _making:
        found = _lines.get((gateway, account))
        if found is None:
            shared = _places.get(gateway)
            if shared is None:
                shared = _Places(gateway, places)
                _places.put(gateway, shared)
            found = Line(shared)
            _lines.put((gateway, account), found)
        return found
