"""Who waits to write to a SQLite file goes before who comes back.

SQLite lets writers wait by looking again after ever longer rests, so one who writes without a pause
keeps all others out for seconds. Here a writer first takes the turn, a lock on a file beside the
database, and gives it back as soon as its transaction has begun: while somebody waits with it, no
other begins. Only who has the turn looks again and again; the others sleep in the system's queue.
A process that dies loses its lock.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Turn:
    """The turn at one database, for one connection that writes. ``database``: its file."""

    def __init__(self, database: str | Path) -> None:
        self._path, self._file = f"{database}-turn", -1

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold the turn, once those before us have begun or have given up.

        Who may not open its file waits as SQLite waits.
        """
        file = self._opened()
        if file < 0:
            yield
            return
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Leave the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _opened(self) -> int:
        """Return the file, -1 where it cannot be opened. To lock it, reading is enough."""
        if self._file < 0:
            with suppress(OSError):
                self._file = os.open(self._path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o660)
        return self._file
