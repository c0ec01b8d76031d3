"""Remembers which of their names belongs to which number of ours; a help, never the truth."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

_MOST = 50_000


class Known:
    """What this process has seen, the newest 50,000. ``read_until``: seconds since 1970.

    All that was made before it and within the reading's reach has been seen. Safe for threads.
    """

    def __init__(self) -> None:
        self.read_until = 0
        self._refs: OrderedDict[str, str] = OrderedDict()
        self._lock = Lock()

    def note(self, number: str, ref: str) -> None:
        """Remember a pair; the first one stays."""
        with self._lock:
            self._refs.setdefault(number, ref)
            while len(self._refs) > _MOST:
                self._refs.popitem(last=False)

    def get(self, number: str) -> str:
        """Return their name, "" where it was not seen."""
        with self._lock:
            return self._refs.get(number, "")
