"""Speaks to the levers of a bank that is a process of its own, over one connection."""

import http.client
import json
from contextlib import contextmanager
from threading import RLock
from unittest import mock
from urllib.parse import urlsplit

from diandian.payments import options

# How long a crowd waits for an answer, and how long a peer that never answers keeps it waiting.
WAIT_SECONDS, SILENCE_SECONDS = 0.5, 0.8


class RefusedError(Exception):
    """A bank does not do what a guest wants."""


class Levers:
    """The control side of a peer. Its clock is set only when it differs."""

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

    def close(self):
        self._connection.close()


@contextmanager
def impatient():
    """Let the adapters give up on an answer soon; their options know whole seconds only."""
    with mock.patch.object(options, "seconds", return_value=WAIT_SECONDS):
        yield
