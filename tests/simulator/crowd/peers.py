"""Speaks to the levers of a bank that is a process of its own, over one connection."""

import http.client
import json
import mmap
from contextlib import contextmanager
from threading import RLock
from unittest import mock
from urllib.parse import urlsplit

from diandian.payments import carrier

# How long a crowd waits for an answer that was ordered not to come, and how long its peer keeps
# still. Of any other answer the adapters' own limits hold: a busy machine makes no timeouts.
WAIT_SECONDS, SILENCE_SECONDS = 0.06, 0.4


class RefusedError(Exception):
    """A bank does not do what a guest wants."""


class Levers:
    """The control side of a peer."""

    def __init__(self, url):
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        self._lock = RLock()

    def __call__(self, command, **asked):
        """Do something; return the answer. Raises: RefusedError."""
        with self._lock:
            self._connection.request("POST", f"/control/{command}", json.dumps(asked))
            answer = self._connection.getresponse()
            said = json.loads(answer.read())
        if answer.status == http.client.OK:
            return said
        is_ours = said.get("code") == "CONTROL" or isinstance(said.get("error"), str)
        assert not is_ours, (command, asked, said)
        raise RefusedError(said)

    def visit(self, url):
        """Open a page of the bank as a guest's browser does. Raises: RefusedError."""
        address = urlsplit(url)
        with self._lock:
            self._connection.request("GET", f"{address.path}?{address.query}")
            answer = self._connection.getresponse()
            said = answer.read()
        if answer.status != http.client.OK:
            raise RefusedError(said)

    def close(self):
        self._connection.close()


class SharedClock:
    """One clock for our process and a peer: a file of 8 bytes that both have mapped."""

    def __init__(self, path):
        path.write_bytes(bytes(8))
        with path.open("r+b") as file:
            self._bytes = mmap.mmap(file.fileno(), 8)
        self.path = path

    def set(self, at):
        """Set it to an instant, in whole seconds."""
        self._bytes[:8] = int(at.timestamp()).to_bytes(8, "little")

    def close(self):
        self._bytes.close()


class Patience:
    """How long the adapters wait: their own limits, short where silence is on order."""

    def __init__(self):
        self.is_short = False

    @contextmanager
    def kept(self):
        """Have every connection of an adapter ask this before it waits."""
        limit = carrier._Wire._limit

        def shortened(wire):
            limit(wire)
            if self.is_short:
                wire._socket.settimeout(WAIT_SECONDS)

        with mock.patch.object(carrier._Wire, "_limit", shortened):
            yield
