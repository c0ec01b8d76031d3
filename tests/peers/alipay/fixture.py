"""Starts the peer once for each worker of the tests, and steers it."""

import atexit
import json
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

PEER = Path(__file__).with_name("peer.py")


class Levers:
    """The levers of a running peer."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, command: str, **asked: object) -> dict:
        """Send a command; return its answer. Raises: HTTPError where it is refused."""
        request = urllib.request.Request(  # noqa: S310 - the peer's own address
            f"{self.url}/control/{command}", json.dumps(asked).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the same
            return json.load(answer)

    def now(self) -> datetime:
        """Return what the peer's clock says."""
        return datetime.fromtimestamp(self("clock")["now"], UTC)


@cache
def running() -> Levers:
    """Return the levers of this process's peer, which ends with it."""
    process = subprocess.Popen(
        [sys.executable, str(PEER), "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    atexit.register(_end, process)
    assert process.stdout is not None
    return Levers(process.stdout.readline().strip())


def _end(process: subprocess.Popen) -> None:
    process.terminate()
    process.wait(10)
    process.stdout.close()


@pytest.fixture(scope="session")
def alipay_peer() -> Levers:
    """Return the levers of a peer in a process of its own, one for each worker."""
    return running()
