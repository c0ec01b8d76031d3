"""The bench's side of ``./run bench retire``'s writer: starts it and asks for its steps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_WRITER = Path(__file__).resolve().parent / "writer.py"
# More than any machine does: the holds are made before, and what is left over stays held.
_MOST_PER_SECOND = 12_000


class Writer:
    """The process that writes, asked for one step after the other. ``lane``: the hot row, if any.

    ``environment``: for other processes on the same database.
    """

    def __init__(self, process: subprocess.Popen[str], environment: dict[str, str]) -> None:
        self._process = process
        self.environment = environment
        self._next = 1
        self.lane = 0

    def prepare(self) -> None:
        """Make the tables and the hot batch."""
        self.lane = self.step("prepare")

    def step(self, *given: object) -> Any:  # noqa: ANN401 - what the step says
        """Do a step; return what it says."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        if not said:
            raise SystemExit(f"The writer ended at {given}; what it said stands above.")
        return json.loads(said)

    def closed(self, clients: int, seconds: float, most: int = 0) -> dict[str, Any]:
        """Answer closed loops."""
        most = most or int(seconds * _MOST_PER_SECOND)
        first, self._next = self._next, self._next + most
        found: dict[str, Any] = self.step("closed", self.lane, first, clients, seconds, most)
        return found

    def arrivals(self, per_second: float, seconds: float) -> dict[str, Any]:
        """Answer requests that come at a rate."""
        first = self._next
        self._next += int(per_second * seconds) + 1
        found: dict[str, Any] = self.step("arrivals", self.lane, first, per_second, seconds)
        return found


@contextmanager
def writer_on(database_url: str, folder: Path, *, is_bare: bool = False) -> Iterator[Writer]:
    """Start a writer on an empty database. ``is_bare``: without the batch, which no log tells."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("DIANDIAN_")}
    environment = ours | {
        "DIANDIAN_DATA_DIR": str(folder),
        "DIANDIAN_MODE": "demo",
        "DIANDIAN_SECRET_KEY": "a bench keeps no secrets",
        "DIANDIAN_LOG_LEVEL": "WARNING",
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "diandian.config.settings",
    }
    process = subprocess.Popen(
        [sys.executable, str(_WRITER)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        writer = Writer(process, environment)
        if not is_bare:
            writer.prepare()
        yield writer
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
