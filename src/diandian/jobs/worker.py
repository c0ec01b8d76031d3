"""The worker: what must happen even if no guest's browser ever comes back.

It runs each task of the schedule when it is due, leaves a heartbeat, and stops within a second when
asked. A task that fails is tried again, later each time, and never stops the others.
"""

import logging
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, close_old_connections

from diandian.jobs.schedule import TASKS, Task

log = logging.getLogger(__name__)

IDLE_SECONDS = 1.0
_LONGEST_BACK_OFF_SECONDS = 60.0
_HEARTBEAT_EVERY_SECONDS = 5.0


def heartbeat_file() -> Path:
    """Return the file whose time says when the worker was last alive."""
    return Path(settings.DATA_DIR) / "worker.heartbeat"


class _Due:
    """When a task runs next, in seconds of the monotonic clock."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.at = 0.0
        self.failures = 0

    def run(self) -> int:
        """Run the task; a failure is logged and pushes it back."""
        try:
            done = self.task.run()
        except Exception:
            log.exception("task failed: %s", self.task.name)
            # A broken database connection is dropped, so that the next try gets a new one.
            with suppress(DatabaseError):
                close_old_connections()
            self.failures += 1
            self.at = time.monotonic() + min(2.0**self.failures, _LONGEST_BACK_OFF_SECONDS)
            return 0
        self.failures = 0
        self.at = time.monotonic() + self.task.every.total_seconds()
        return done


class Worker:
    """Runs tasks until asked to stop."""

    def __init__(
        self, tasks: Sequence[Task] = TASKS, *, idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self._due = [_Due(task) for task in tasks]
        self._idle_seconds = idle_seconds
        self._stop = threading.Event()
        self._beat_at = 0.0

    def listen_for_signals(self) -> None:
        """Stop on SIGTERM and Ctrl-C."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())

    def stop(self) -> None:
        """Ask the worker to stop after the portion of work in its hands."""
        self._stop.set()

    def run(self) -> None:
        """Work until asked to stop; rest while there is nothing to do."""
        log.info("worker started")
        while not self._stop.is_set():
            done = self.run_once()
            self._beat()
            if not done:
                self._stop.wait(self._idle_seconds)
        log.info("worker stopped")

    def run_once(self) -> int:
        """Run every task that is due; return how much was done."""
        done = 0
        for due in self._due:
            if self._stop.is_set():
                break
            if due.at <= time.monotonic():
                done += due.run()
        return done

    def _beat(self) -> None:
        if time.monotonic() < self._beat_at:
            return
        self._beat_at = time.monotonic() + _HEARTBEAT_EVERY_SECONDS
        try:
            heartbeat_file().touch()
        except OSError:
            log.exception("the heartbeat could not be written")
