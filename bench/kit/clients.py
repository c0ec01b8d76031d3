"""Waiting clients in a process of their own: each has one request outstanding, as pgbench's have.

A request is a number and a mass; it goes to the writer through a socket, and the writer answers
with the numbers that are committed. Either each client asks again as soon as it was answered
(closed loops), or requests come at moments fixed beforehand, whether or not the writer keeps up.
"""

from __future__ import annotations

import select
import struct
import time
from itertools import islice
from multiprocessing import get_context
from socket import socketpair
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from socket import socket

_REQUEST, _ANSWER = struct.Struct("!II"), struct.Struct("!I")
_MOST_BYTES = 1 << 16


class Told(NamedTuple):
    """What the clients saw: requests answered within the time, and how long each waited."""

    answered: int
    seconds: float
    waits_ms: list[float]

    @property
    def per_second(self) -> float:
        """Return how many were answered a second."""
        return self.answered / self.seconds

    def wait_ms(self, share: float) -> float:
        """Return the wait that a share of the requests did not pass."""
        waits = sorted(self.waits_ms)
        return round(waits[min(len(waits) - 1, int(len(waits) * share))], 3) if waits else 0.0


def mass_g(number: int) -> int:
    """Return how many grams a request wants: 1 to 97 kg, in no order."""
    return (1 + number * 31 % 97) * 1000


def _messages(line: socket, pending: bytearray, form: struct.Struct) -> list[tuple[int, ...]]:
    """Return the messages that have come; none when nobody is there any more."""
    pending += line.recv(_MOST_BYTES)
    whole = len(pending) // form.size * form.size
    found = list(form.iter_unpack(bytes(pending[:whole])))
    del pending[:whole]
    return found


def _closed(line: socket, first: int, last: int, clients: int, seconds: float) -> Told:
    began = time.monotonic()
    asked: dict[int, float] = {}
    pending, waits, numbers = bytearray(), [], iter(range(first, last))

    def ask(count: int) -> None:
        moment, out = time.monotonic(), bytearray()
        for number in islice(numbers, count):
            asked[number] = moment
            out += _REQUEST.pack(number, mass_g(number))
        line.sendall(out)

    ask(clients)
    answered, ended = 0, began
    while asked:
        done = _messages(line, pending, _ANSWER)
        moment = time.monotonic()
        waits += [(moment - asked.pop(each)) * 1000 for (each,) in done]
        if moment - began < seconds:
            answered, ended = answered + len(done), moment
            ask(len(done))
    return Told(answered, ended - began, waits)


def _open(line: socket, first: int, per_second: float, seconds: float) -> Told:
    began = time.monotonic()
    due = [began + index / per_second for index in range(int(per_second * seconds))]
    pending, waits, sent = bytearray(), [], 0
    while len(waits) < len(due):
        moment = time.monotonic()
        while sent < len(due) and due[sent] <= moment:
            line.sendall(_REQUEST.pack(first + sent, mass_g(first + sent)))
            sent += 1
        until = max(0.0, due[sent] - time.monotonic()) if sent < len(due) else None
        if select.select([line], [], [], until)[0]:
            done = _messages(line, pending, _ANSWER)
            moment = time.monotonic()
            # From the moment at which it was due, so that a late sender does not hide a wait.
            waits += [(moment - due[each - first]) * 1000 for (each,) in done]
    return Told(len(waits), seconds, waits)


def _play(line: socket, out: socket, how: Callable[..., Told], *given: float) -> None:
    out.close()
    told = how(line, *given)
    line.shutdown(1)
    line.recv(1)
    line.close()
    _RESULTS.put(told)


_CONTEXT = get_context("fork")
_RESULTS = _CONTEXT.SimpleQueue()


def _serve(
    how: Callable[..., Told],
    given: Sequence[float],
    commit: Callable[[list[tuple[int, ...]]], None],
    most: int,
) -> Told:
    """Let clients ask and the writer, which is this process, answer until they are done."""
    ours, theirs = socketpair()
    player = _CONTEXT.Process(target=_play, args=(theirs, ours, how, *given))
    player.start()
    theirs.close()
    pending, waiting = bytearray(), []
    while True:
        if not waiting or select.select([ours], [], [], 0)[0]:
            came = _messages(ours, pending, _REQUEST)
            if not came and not waiting:
                break
            waiting += came
        taken, waiting = waiting[:most], waiting[most:]
        commit(taken)
        ours.sendall(b"".join(_ANSWER.pack(number) for number, _ in taken))
    ours.close()
    told: Told = _RESULTS.get()
    player.join()
    return told


def closed_loops(
    commit: Callable[[list[tuple[int, ...]]], None],
    *,
    first: int,
    last: int,
    clients: int,
    seconds: float,
    most: int = 256,
) -> Told:
    """Answer clients that ask again at once, for a time or until ``last``."""
    return _serve(_closed, (first, last, clients, seconds), commit, most)


def arrivals(
    commit: Callable[[list[tuple[int, ...]]], None],
    *,
    first: int,
    per_second: float,
    seconds: float,
    most: int = 256,
) -> Told:
    """Answer requests that come evenly at a rate, for a time."""
    return _serve(_open, (first, per_second, seconds), commit, most)


def masses_of(numbers: Iterable[int]) -> list[int]:
    """Return the grams of requests by their numbers."""
    return [mass_g(number) for number in numbers]
