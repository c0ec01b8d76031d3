"""A hostile other end of one call, in a thread: does with each connection what it was told."""

import os
import socket
import threading
from contextlib import contextmanager

import pytest

from diandian.payments import carrier
from diandian.payments.carrier import Limits, carry
from diandian.payments.facts import NoAnswerError

# Options know whole seconds; here a fraction is long enough. The patient wait for no failure.
IMPATIENT = Limits(20, 0.4, 1 << 12)
PATIENT = Limits(20, 20, 1 << 12)
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"
WAIT_SECONDS = 20


def head_of(peer):
    """Read a request to the end of its head and body; return all of it, b"" at an end."""
    seen = b""
    while b"\r\n\r\n" not in seen:
        piece = peer.recv(1 << 16)
        if not piece:
            return b""
        seen += piece
    head, _, body = seen.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            while len(body) < int(line.partition(b":")[2]):
                body += peer.recv(1 << 16)
    return head + b"\r\n\r\n" + body


class Other:
    """The other end: does with each connection what it was told; ``calls``: the requests seen."""

    def __init__(self, behave):
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.calls, self.connections, self.over = [], 0, threading.Event()
        self._behave = behave
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.listening.accept()
            except OSError:
                return
            if self.over.is_set():
                peer.close()
                return
            self.connections += 1
            with peer:
                peer.settimeout(WAIT_SECONDS)
                try:
                    self._behave(self, peer)
                except OSError:
                    continue  # the caller had enough

    def heard(self, peer):
        call = head_of(peer)
        if call:
            self.calls.append(call)
        return call

    def close(self):
        self.over.set()
        with socket.create_connection(self.listening.getsockname()):
            pass
        self._thread.join(WAIT_SECONDS)
        self.listening.close()


@contextmanager
def other_end(behave):
    other = Other(behave)
    try:
        yield other
    finally:
        # Whoever listens to a connection that waits for its next call hears its end.
        carrier._idle(os.getpid()).end()
        other.close()


def answering(answer):
    def behave(other, peer):
        while other.heard(peer):
            peer.sendall(answer)

    return behave


def once(answer):
    """Answer and hang up."""

    def behave(other, peer):
        other.heard(peer)
        peer.sendall(answer)

    return behave


def ask(other, *, method="GET", body=None, limits=PATIENT, path="/"):
    return carry(method, other.url + path, headers={"X-Of": "ours"}, body=body, limits=limits)


def outcome(*args, **kwargs):
    with pytest.raises(NoAnswerError) as caught:
        ask(*args, **kwargs)
    return caught.value.outcome
