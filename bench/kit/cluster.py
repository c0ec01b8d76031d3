"""A PostgreSQL cluster of our own in a temporary folder, which may be killed and started again."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from kit import house

if TYPE_CHECKING:
    from typing import Self

_BINARIES = "/usr/lib/postgresql"
_USER = "postgres"
_START_SECONDS = 60


def binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL's programs, or None."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    folders = sorted(Path(_BINARIES).glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return folders[-1].parent if folders else None


class Cluster:
    """Use as a context. PostgreSQL refuses root, so a root caller lends it to its own user."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._as_user: list[str] = []
        self.port = house.free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="diandian-bench-pg-"))
        self._data = self.folder / "data"
        if os.geteuid() == 0:
            entry = pwd.getpwnam(_USER)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
            self._as_user = ["setpriv", f"--reuid={_USER}", f"--regid={entry.pw_gid}"]
            self._as_user.append("--init-groups")

    @property
    def url(self) -> str:
        """Return the address of the database for the product."""
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{_USER}"

    def _run(self, program: str, *options: str, check: bool = True) -> int:
        command = [*self._as_user, str(self._programs / program), *options]
        return subprocess.run(
            command,
            cwd=self.folder,
            check=check,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ).returncode

    def __enter__(self) -> Self:
        """Make the cluster and start it."""
        self._run("initdb", "-D", str(self._data), "-U", _USER, "--auth=trust", "-E", "UTF8")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the cluster and remove its folder."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "stop", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, or start it again after it was killed. Raises: SystemExit."""
        options = f"-p {self.port} -h 127.0.0.1 -k {self.folder}"
        log = str(self.folder / "log")
        deadline = time.monotonic() + _START_SECONDS
        # Until the last orphan of a killed server is gone, a new one refuses to start.
        while self._run(
            "pg_ctl", "-D", str(self._data), "-l", log, "-o", options, "-w", "start", check=False
        ):
            if time.monotonic() > deadline:
                tail = (self.folder / "log").read_text()[-2000:]
                raise SystemExit(f"PostgreSQL does not start again:\n{tail}")
            time.sleep(0.2)

    def postmaster(self) -> int:
        """Return the server's own process."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def kill(self) -> None:
        """Kill the server without a word, as a power cut would, and start it again."""
        os.kill(self.postmaster(), signal.SIGKILL)
        self.start()

    def kill_session(self) -> bool:
        """Kill a process that serves a client: the server then recovers as after a crash."""
        try:
            with psycopg.connect(self.url, connect_timeout=3) as connection:
                row = connection.execute(
                    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                    " AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1"
                ).fetchone()
        except psycopg.Error:
            return False
        if row is None:
            return False
        os.kill(row[0], signal.SIGKILL)
        return True
