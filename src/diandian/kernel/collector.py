"""Holds Python's collector of cycles back while a commit's rows are made.

The rows, records and texts of some hundred orders are let go by counting references. Looking for
cycles among all of them again and again, and through the whole program with them, took a seventh
of a recall's time.
"""

import gc
import threading
from types import TracebackType


class _Held:
    """Collects no cycles while anybody is inside, in any thread; what was off before stays off."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._was_on = False

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._was_on = gc.isenabled()
                gc.disable()
            self._inside += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside and self._was_on:
                gc.enable()


# For one portion of work, which has an end: cycles made inside wait for it.
collector_held = _Held()
