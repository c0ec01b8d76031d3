"""A thread of the worker that takes turns until asked to stop, whatever a turn ends in."""

import logging
import threading
from abc import ABC, abstractmethod
from contextlib import suppress

from django.db import DatabaseError, connection

log = logging.getLogger(__name__)


class Turning(threading.Thread, ABC):
    """Takes turns. ``trouble``: what the log says of one that failed; the next comes later.

    A subclass does a ``turn``, which says how long to rest, and may ``leave`` what it holds.
    """

    trouble = ""
    first_back_off_seconds = 1.0
    longest_back_off_seconds = 60.0

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._stop_asked = threading.Event()

    @abstractmethod
    def turn(self) -> float:
        """Do what is due; return how long to rest, in seconds."""

    @abstractmethod
    def leave(self) -> None:
        """Give up what is held, at the end."""

    def recover(self) -> None:
        """Forget what a failed turn may have left wrong."""

    def stop(self) -> None:
        """Ask to stop after the turn in hand, and wait for it."""
        self._stop_asked.set()
        self.join(timeout=10)

    def run(self) -> None:
        """Turn until asked to stop; an error is logged and waited out, with a fresh connection."""
        failures = 0
        while not self._stop_asked.is_set():
            try:
                rest = self.turn()
                failures = 0
            except Exception:
                log.exception(self.trouble)
                self.recover()
                failures += 1
                back_off = self.first_back_off_seconds * 2.0**failures
                rest = min(back_off, self.longest_back_off_seconds)
                with suppress(DatabaseError):
                    connection.close()
            self._stop_asked.wait(rest)
        with suppress(DatabaseError):
            self.leave()
        connection.close()
