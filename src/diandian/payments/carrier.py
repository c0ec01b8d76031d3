"""Carries one call to a gateway: over TLS, once, within limits of time and size; pure.

Every gateway's bytes go this way; what is a gateway's own are headers, signatures and the reading
of answers. Not followed: redirects. Not used: proxies, caches, retries; one that sleeps would hold
a worker, and the product asks again by the same number. *Source:* payments design, section 3.
"""

from __future__ import annotations

import atexit
import io
import os
import socket
import ssl
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPConnection, HTTPException
from select import POLLIN, poll
from threading import Lock
from time import monotonic_ns
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from diandian.payments.facts import NoAnswerError
from diandian.payments.messages import UNREACHABLE, Rejected, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

# Limits that an operator may lower and nobody can lift.
CONNECT_SECONDS = 5
READ_SECONDS = 15
LARGEST_ANSWER_BYTES = 1 << 20
LARGEST_FILE_BYTES = 64 << 20

_LARGEST_HEAD_BYTES = 1 << 16
_CHUNK_BYTES = 1 << 16
_MOST_IDLE = 16
# What lies between may have forgotten a connection that was silent for longer.
_LONGEST_IDLE_SECONDS = 60
_NS = 1_000_000_000
_PORTS = {"http": 80, "https": 443}
_TOO_LARGE = "answer too large"
_TOO_SLOW = "answer too slow"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long connecting may take, how long the whole call, and how large an answer may be."""

    connect_seconds: int = CONNECT_SECONDS
    whole_seconds: int = READ_SECONDS
    largest_bytes: int = LARGEST_ANSWER_BYTES


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, as it came; headers by small names, one that came twice joined by commas."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Place(NamedTuple):
    scheme: str
    host: str
    port: int


def carry(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    limits: Limits,
) -> Reply:
    """Send once and return the whole answer, whatever its status.

    Raises: NoAnswerError. Rejected by ``UNREACHABLE``: not one byte of the call left this machine.
    Unknown: it went out, and nobody knows what became of it.
    """
    until_ns = monotonic_ns() + limits.whole_seconds * _NS
    wire: _Wire | None = None
    is_reusable = False
    try:
        place, target = _place(url)
        idle = _idle(os.getpid())
        wire = idle.take(place) or _Wire(_connected(place, until_ns, limits.connect_seconds))
        wire.begin(until_ns)
        call = (method, target, body, headers)
        reply, is_reusable = _exchange(wire, place, call, limits.largest_bytes)
    except (OSError, HTTPException, ValueError, KeyError) as error:
        raise _told(error, has_sent=wire is not None and wire.has_sent) from error
    finally:
        if wire is not None and not is_reusable:
            wire.shut()
    if is_reusable:
        idle.put(place, wire)
    return reply


def _place(url: str) -> tuple[_Place, str]:
    """Return whom to connect to, and what to ask for there. Raises: ValueError, KeyError."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("an address names a host")
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return _Place(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme]), target


def _told(error: Exception, *, has_sent: bool) -> NoAnswerError:
    """Return what an error means; never its text, which may hold addresses."""
    if not has_sent:
        text = f"no connection; nothing was sent ({type(error).__name__})"
        return NoAnswerError(Rejected(UNREACHABLE, text, retryable=True))
    is_slow = isinstance(error, TimeoutError)
    return NoAnswerError(Unknown(_TOO_SLOW if is_slow else type(error).__name__))


def _exchange(
    wire: _Wire,
    place: _Place,
    call: tuple[str, str, bytes | None, Mapping[str, str]],
    largest_bytes: int,
) -> tuple[Reply, bool]:
    """Send and read over a connection; tell whether it may serve once more."""
    method, target, body, headers = call
    connection = HTTPConnection(place.host, place.port)
    connection.default_port = _PORTS[place.scheme]
    connection.auto_open = 0
    connection.sock = wire  # all that it calls is there
    # What is signed is what is sent, to the byte: nothing is encoded on the way.
    connection.request(method, target, body=body, headers={"User-Agent": "diandian", **headers})
    with connection.getresponse() as response:
        wire.is_in_head = False
        # Also what frames the pieces counts, so that a hostile frame cannot hide a flood.
        wire.left_bytes = 2 * largest_bytes + _LARGEST_HEAD_BYTES
        found = bytearray()
        while chunk := response.read(_CHUNK_BYTES):
            found += chunk
            if len(found) > largest_bytes:
                raise NoAnswerError(Unknown(_TOO_LARGE))
        if response.length:
            raise NoAnswerError(Unknown("answer broke off"))
        names: dict[str, str] = {}
        for name, value in response.getheaders():
            known = names.get(name.lower())
            names[name.lower()] = value if known is None else f"{known}, {value}"
        return Reply(response.status, names, bytes(found)), not response.will_close


# -- connections ----------------------------------------------------------------------------------


class _Wire:
    """A connection that keeps to the limits of the call it serves, byte by byte."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._until_ns = 0
        self.left_bytes = 0
        self.has_sent = False
        self.is_in_head = True
        self.idle_since_ns = 0

    def begin(self, until_ns: int) -> None:
        """Serve a call that ends at an instant of the machine's steady clock."""
        self._until_ns, self.left_bytes = until_ns, _LARGEST_HEAD_BYTES
        self.has_sent, self.is_in_head = False, True

    def _limit(self) -> None:
        self._socket.settimeout(_left_ns(self._until_ns) / _NS)

    def sendall(self, data: bytes) -> None:
        """Send bytes: from here on nobody can say that nothing arrived."""
        self._limit()
        self.has_sent = True
        self._socket.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return the answer's bytes as a file."""
        return io.BufferedReader(_Answer(self))

    def read_into(self, buffer: memoryview) -> int:
        """Read what is there. Raises: OSError, NoAnswerError (more than is taken)."""
        self._limit()
        count = self._socket.recv_into(buffer)
        if not count and self.is_in_head:
            raise ConnectionAbortedError  # half a head would be read as a whole one
        self.left_bytes -= count
        if self.left_bytes < 0:
            raise NoAnswerError(Unknown(_TOO_LARGE))
        return count

    def was_used_lately(self) -> bool:
        """Tell whether what lies between still knows the connection."""
        return monotonic_ns() - self.idle_since_ns < _LONGEST_IDLE_SECONDS * _NS

    def is_silent(self) -> bool:
        """Tell whether nothing came unasked, not even an end."""
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return False
        watch = poll()
        watch.register(self._socket, POLLIN)
        return not watch.poll(0)

    def close(self) -> None:
        """Do nothing: who reads an answer lets go of it before its end is read."""

    def shut(self) -> None:
        """Close the connection."""
        self._socket.close()


class _Answer(io.RawIOBase):
    """The bytes that come over a connection, as ``http.client`` reads them."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._wire.read_into(buffer)


class _Idle:
    """Connections of this process that wait for the next call. Safe for threads."""

    def __init__(self) -> None:
        self._wires: dict[_Place, list[_Wire]] = defaultdict(list)
        self._lock = Lock()

    def take(self, place: _Place) -> _Wire | None:
        """Return the connection that was used last, if it is still good."""
        while True:
            with self._lock:
                waiting = self._wires[place]
                wire = waiting.pop() if waiting else None
            if wire is None:
                return None
            if wire.was_used_lately() and wire.is_silent():
                return wire
            wire.shut()

    def end(self) -> None:
        """Close whatever waits."""
        with self._lock:
            wires = [wire for waiting in self._wires.values() for wire in waiting]
            self._wires.clear()
        for wire in wires:
            wire.shut()

    def put(self, place: _Place, wire: _Wire) -> None:
        """Keep a connection, unless there are many."""
        wire.idle_since_ns = monotonic_ns()
        with self._lock:
            waiting = self._wires[place]
            if is_wanted := len(waiting) < _MOST_IDLE:
                waiting.append(wire)
        if not is_wanted:
            wire.shut()


@lru_cache(maxsize=1)
def _idle(process: int) -> _Idle:
    """Return the connections of this process; a forked child makes its own."""
    del process
    idle = _Idle()
    atexit.register(idle.end)
    return idle


def _connected(place: _Place, until_ns: int, connect_seconds: int) -> socket.socket:
    """Connect to the first address that answers; each gets its share of the time.

    Raises: OSError, ValueError. Only the machine's own look-up of a name is not bounded here.
    """
    until_ns = min(until_ns, monotonic_ns() + connect_seconds * _NS)
    addresses = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    failed: Exception = OSError("no address")
    for others, (family, kind, protocol, _, address) in zip(
        range(len(addresses), 0, -1), addresses, strict=True
    ):
        made = socket.socket(family, kind, protocol)
        try:
            made.settimeout(_left_ns(until_ns) / _NS / others)
            made.connect(address)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if place.scheme == "http":
                return made
            made.settimeout(_left_ns(until_ns) / _NS)
            return _tls().wrap_socket(made, server_hostname=place.host)
        except (OSError, ValueError) as error:
            made.close()
            failed = error
    raise failed


def _left_ns(until_ns: int) -> int:
    left_ns = until_ns - monotonic_ns()
    if left_ns <= 0:
        raise TimeoutError
    return left_ns


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    import certifi  # noqa: PLC0415 - comes with the vendors' libraries, loaded by who uses it

    return ssl.create_default_context(cafile=certifi.where())
