"""Runs the server and the worker as children that never outlive their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.1
_READY_SECONDS = 0.03


def _die_with_parent() -> Callable[[], None] | None:
    """Return what asks Linux to end the child when this process is killed outright."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return ask


@dataclass(frozen=True, slots=True)
class Child:
    """A running child. ``name`` is what people are told."""

    name: str
    process: subprocess.Popen[bytes]


class Children:
    """Children in process groups of their own, writing to one log file.

    Ctrl-C in the terminal reaches only the parent, which then stops them in order; a second one
    kills them at once.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self.requests_to_stop = 0
        self._children: list[Child] = []

    def listen_for_signals(self) -> None:
        """Count Ctrl-C, SIGTERM and a closed terminal as requests to stop."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        self.requests_to_stop += 1

    def start(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        """Start one child."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent(),  # noqa: PLW1509 - no other thread runs here
            )
        self._children.append(Child(name, process))

    def dead(self) -> Child | None:
        """Return a child that has ended, if any."""
        return next((child for child in self._children if child.process.poll() is not None), None)

    def wait_until(self, ready: Callable[[], bool], seconds: int) -> bool:
        """Wait until ready; stop waiting when a child ends or somebody asks to stop."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.requests_to_stop or self.dead():
                return False
            if ready():
                return True
            time.sleep(_READY_SECONDS)
        return False

    def watch(self) -> Child | None:
        """Wait until a child ends (return it) or somebody asks to stop (return nothing)."""
        while not self.requests_to_stop:
            dead = self.dead()
            if dead is not None:
                return dead
            time.sleep(_POLL_SECONDS)
        return None

    def stop(self, grace_seconds: int = 10) -> None:
        """End every child: politely, then for certain."""
        patience = min(self.requests_to_stop, 1)
        for child in self._children:
            _signal_group(child, signal.SIGTERM)
        deadline = time.monotonic() + grace_seconds
        while time.monotonic() < deadline and self.requests_to_stop <= patience:
            if all(child.process.poll() is not None for child in self._children):
                break
            time.sleep(_POLL_SECONDS / 2)
        for child in self._children:
            # Also where the child itself has ended: its own children may linger.
            _signal_group(child, signal.SIGKILL)
            child.process.wait()

    def last_lines(self, count: int = 15) -> str:
        """Return the end of the log."""
        with self.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 20_000))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])


def _signal_group(child: Child, number: signal.Signals) -> None:
    try:
        os.killpg(child.process.pid, number)
    except (ProcessLookupError, PermissionError):
        return
