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
from contextlib import contextmanager
from pathlib import Path


class Turn:
    """The turn at one database, for one connection. ``database``: its file."""

    def __init__(self, database: str | Path) -> None:
        self._file = os.open(f"{database}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold the turn, once those before us have begun or have given up."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Leave the file."""
        os.close(self._file)
