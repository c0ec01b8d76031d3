"""What the benches read of the machine: processor time, memory, PostgreSQL and its own bench."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
_TPCB_SCALE, _TPCB_CLIENTS = 50, 8


def tree(root: int) -> list[int]:
    """Return a process and all that came from it."""
    parents = {}
    for entry in _PROC.iterdir():
        if entry.name.isdecimal():
            stat = _read(entry / "stat")
            if stat:
                parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""  # it ended between two looks


def cpu_seconds(root: int) -> float:
    """Return the processor time that a tree of living processes has used."""
    used = 0
    for pid in tree(root):
        stat = _read(_PROC / str(pid) / "stat")
        if stat:
            used += sum(int(ticks) for ticks in stat.rpartition(")")[2].split()[11:13])
    return used / TICKS


def cpu_seconds_of(pid: int) -> float:
    """Return the processor time of one process; 0 for none."""
    stat = _read(_PROC / str(pid) / "stat") if pid else ""
    return sum(int(ticks) for ticks in stat.rpartition(")")[2].split()[11:13]) / TICKS


def memory_mb(root: int) -> float:
    """Return the memory of a tree; what processes share is counted once (PSS)."""
    sizes = (_read(_PROC / str(pid) / "smaps_rollup") for pid in tree(root))
    found = (re.search(r"^Pss: +(\d+) kB", text, re.MULTILINE) for text in sizes)
    return sum(int(match[1]) for match in found if match) / 1024


class Peak:
    """Looks at the memory of some trees every half second, and remembers the most."""

    def __init__(self, *roots: int) -> None:
        self.roots = roots
        self.mb = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            self.mb = max(self.mb, sum(memory_mb(root) for root in self.roots))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


class Server(NamedTuple):
    """A PostgreSQL server, by the usual variables PGHOST, PGPORT, PGUSER, PGPASSWORD."""

    host: str
    port: str
    user: str

    @classmethod
    def found(cls) -> Server | None:
        """Return the server if it answers."""
        server = cls(
            os.environ.get("PGHOST", "127.0.0.1"),
            os.environ.get("PGPORT", "5432"),
            os.environ.get("PGUSER", "postgres"),
        )
        try:
            server.connect().close()
        except psycopg.OperationalError:
            return None
        return server

    def connect(self) -> psycopg.Connection:
        """Connect to its maintenance database."""
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            dbname="postgres",
            autocommit=True,
            connect_timeout=3,
        )

    def url(self, database: str) -> str:
        """Return the address of a database, for settings. PGHOST may be a socket's folder."""
        secret = os.environ.get("PGPASSWORD", "")
        who = quote(self.user) + (f":{quote(secret)}" if secret else "")
        if self.host.startswith("/"):
            return f"postgresql://{who}@:{self.port}/{database}?host={quote(self.host)}"
        return f"postgresql://{who}@{self.host}:{self.port}/{database}"

    @contextmanager
    def database(self, purpose: str) -> Iterator[str]:
        """Make an empty database of our own, and drop it at the end."""
        name = f"diandian_bench_{purpose}_{os.getpid()}"
        with self.connect() as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield name
        finally:
            with self.connect() as connection:
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def pgbench(self, database: str, *options: str) -> str:
        """Run pgbench on a database; return what it printed."""
        environment = {**os.environ, "PGHOST": self.host, "PGPORT": self.port, "PGUSER": self.user}
        done = subprocess.run(
            ["pgbench", *options, database],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        return done.stdout

    def settle(self, database: str) -> None:
        """Let a database rest after rows by the million: statistics, dead rows, checkpoint."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
            connection.execute("CHECKPOINT")

    def make_tpcb(self, database: str) -> None:
        """Fill a database with the tables of TPC-B."""
        self.pgbench(database, "-i", "-q", "-s", str(_TPCB_SCALE))

    def tpcb(self, database: str, seconds: int, clients: int = _TPCB_CLIENTS) -> float:
        """Return transactions per second of pgbench's TPC-B: scale 50."""
        said = self.pgbench(database, "-c", str(clients), "-j", "2", "-T", str(seconds))
        match = re.search(r"^tps = ([0-9.]+)", said, re.MULTILINE)
        if match is None:
            raise RuntimeError(f"pgbench said nothing of tps:\n{said}")
        return float(match[1])


@contextmanager
def database_url(kind: str, folder: Path, name: str) -> Iterator[str]:
    """Yield the address of an empty database: a file in a folder, or one of PostgreSQL's.

    Raises: SystemExit where PostgreSQL does not answer.
    """
    if kind == "sqlite":
        yield f"sqlite://{folder}/diandian.sqlite3"
        return
    server = Server.found()
    if server is None:
        raise SystemExit("PostgreSQL does not answer (PGHOST, PGPORT, PGUSER).")
    with server.database(name) as found:
        yield server.url(found)
