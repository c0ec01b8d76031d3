"""Keeps a candidate for the log signer's office running beside the worker's other tasks."""

import logging
import threading
from contextlib import suppress

from django.db import DatabaseError, connection

from diandian.store.leadership import Leadership
from diandian.transparency.heads.signer import Signer

log = logging.getLogger(__name__)

# Any number that nothing else in the database locks by.
_OFFICE = 3_688
_EVERY_SECONDS = 1.0
_LONGEST_BACK_OFF_SECONDS = 60.0


class Signing(threading.Thread):
    """Signs, each second in which there is news, until asked to stop.

    Two at once do no harm, they only hinder each other: so one has the office.
    """

    def __init__(self) -> None:
        super().__init__(name="log signer", daemon=True)
        self._signer = Signer()
        self._leadership = Leadership(_OFFICE)
        self._stop_asked = threading.Event()

    def stop(self) -> None:
        """Ask to stop after the head in hand, and wait for it."""
        self._stop_asked.set()
        self.join(timeout=10)

    def run(self) -> None:
        """Turn until asked to stop; an error is logged and waited out, with a fresh connection."""
        failures = 0
        while not self._stop_asked.is_set():
            rest = _EVERY_SECONDS
            try:
                if self._leadership.take():
                    self._signer.turn()
                failures = 0
            except Exception:
                log.exception("the public log was not signed; its entries wait")
                failures += 1
                rest = min(2.0**failures, _LONGEST_BACK_OFF_SECONDS)
                with suppress(DatabaseError):
                    connection.close()
            self._stop_asked.wait(rest)
        with suppress(DatabaseError):
            self._leadership.give_up()
        connection.close()
