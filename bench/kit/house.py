"""Starts the product's own processes for a bench, and makes sure that none outlives it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_START_SECONDS = 60


def free_port() -> int:
    """Return a port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, database_url: str, port: int) -> dict[str, str]:
    """Return the environment of the product's processes: a demo in a folder of its own."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("DIANDIAN_")}
    return ours | {
        "DIANDIAN_DATA_DIR": str(folder),
        "DIANDIAN_MODE": "demo",
        "DIANDIAN_BASE_URL": f"http://localhost:{port}",
        "DIANDIAN_SECRET_KEY": "a bench keeps no secrets",
        "DIANDIAN_LOG_LEVEL": "WARNING",
        # All guests of a bench come from one address.
        "DIANDIAN_FOOTPRINTS_PER_MINUTE": "10000000",
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "diandian.config.settings",
    }


@contextmanager
def process(
    command: list[str], environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process in a group of its own; at the end the whole group goes."""
    with log.open("ab") as file:
        process = subprocess.Popen(
            command, env=environment, stdout=file, stderr=file, start_new_session=True
        )
    try:
        yield process
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
                process.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue


def wait_until_ready(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for the health page. Raises: SystemExit with the end of the log."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/healthz", headers={"Host": "localhost"})
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise SystemExit(f"The server does not answer:\n{log.read_text()[-4000:]}")
