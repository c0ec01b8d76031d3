"""Keeps a candidate for the allocator's office running beside the worker's other tasks."""

import logging
import os
import socket
import time

from diandian.flows.allocator import Allocator
from diandian.jobs.turning import Turning
from diandian.kernel import tokens

log = logging.getLogger(__name__)

_BEAT_SECONDS = 0.5
_CANDIDATE_SECONDS = 1.0
# Orders that come close together go into one commit: it costs little more than a commit of one. The
# more the last one held, the longer the next may gather: a hall is there, and waits for the server.
_GATHER_SECONDS, _LONGEST_GATHER_SECONDS = 0.025, 0.05
_IDLE_SECONDS = 0.02
# When nothing came for a while, looking less often is soon enough.
_QUIET_AFTER_SECONDS, _QUIET_SECONDS = 5.0, 0.05


class Allocating(Turning):
    """Leads when nobody else does, and then takes what waits until asked to stop."""

    trouble = "the allocator failed; what is paid stays in the intake"
    first_back_off_seconds = 0.2
    longest_back_off_seconds = 5.0

    def __init__(self) -> None:
        super().__init__("allocator")
        self._allocator = Allocator(
            f"{socket.gethostname()[:30]}:{os.getpid()}:{tokens.new_code()}"
        )
        self._leads = False
        self._beat_at = self._last_work = float("-inf")

    def recover(self) -> None:
        """Ask for the office anew."""
        self._leads = False

    def leave(self) -> None:
        """Let another lead."""
        self._allocator.retire()

    def turn(self) -> float:
        """Do what is due; return how long to rest, in seconds."""
        moment = time.monotonic()
        if moment - self._beat_at >= _BEAT_SECONDS:
            self._leads, led = self._allocator.lead(), self._leads
            self._beat_at = moment
            if self._leads and not led:
                self._allocator.begin()
            if self._leads != led:
                log.info("the allocator %s", "leads" if self._leads else "waits for its turn")
        if not self._leads:
            self._beat_at = float("-inf")
            return _CANDIDATE_SECONDS
        if taken := self._allocator.allocate():
            self._last_work = moment
            return min(_GATHER_SECONDS * taken, _LONGEST_GATHER_SECONDS)
        is_quiet = moment - self._last_work > _QUIET_AFTER_SECONDS
        return _QUIET_SECONDS if is_quiet else _IDLE_SECONDS
