"""Reads a request's body whole, within bounds, before a thread is given to the request.

The server sets a time for a request's head but none for its body, and a thread that waits for a
body can do nothing else. So bodies are waited for in the event loop, where that costs memory only.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from diandian.config.uploads import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

# Of a stated length; a longer number is none.
_MOST_DIGITS = 18


class Headers(Protocol):
    """A request's headers; names in lower case."""

    def get(self, key: str, default: str | None = None) -> str | None:
        """Return the first value of a name."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one process takes.

    Every body has ``seconds``, and one more for each ``bytes_per_second`` that came: a slow line
    carries a large file, a dripping one nothing. ``at_once`` bodies are waited for, and at most
    ``held_bytes`` kept until their answers; beyond that, the one that has waited longest goes.
    """

    body_bytes: int = MOST_BYTES
    seconds: float = 15
    bytes_per_second: int = 16_384
    at_once: int = 256
    held_bytes: int = 64_000_000


class RefusedError(Exception):
    """A body that is not taken: ``status`` says why (408, 413, or 400 for one that broke off)."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


class Bodies:
    """The bodies that one process waits for or keeps."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._held_bytes = 0
        # In the order in which they began.
        self._awaited: dict[asyncio.Timeout, None] = {}

    async def read(self, headers: Headers, parts: AsyncIterable[bytes]) -> bytearray:
        """Return the whole body; it counts as kept until ``release``.

        Raises: RefusedError (413 too large, 408 too slow or oldest of too many, 400 broken off).
        """
        chunked = headers.get("transfer-encoding") is not None
        length = None if chunked else _length(headers.get("content-length"))
        if length is not None and length > self._bounds.body_bytes:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        body = bytearray()
        try:
            async with asyncio.timeout(self._bounds.seconds) as patience:
                await self._collect(body, length, parts, patience)
        except BaseException as error:
            self.release(body)
            if isinstance(error, TimeoutError):
                raise RefusedError(HTTPStatus.REQUEST_TIMEOUT) from None
            raise
        if length is not None and len(body) != length:
            # Whoever sent it has gone: the server gives what came and then says no more.
            self.release(body)
            raise RefusedError(HTTPStatus.BAD_REQUEST)
        return body

    def release(self, body: bytearray) -> None:
        """Count a body as no longer kept."""
        self._held_bytes -= len(body)

    async def _collect(
        self,
        body: bytearray,
        length: int | None,
        parts: AsyncIterable[bytes],
        patience: asyncio.Timeout,
    ) -> None:
        bounds, began = self._bounds, asyncio.get_running_loop().time()
        self._awaited[patience] = None
        try:
            if len(self._awaited) > bounds.at_once:
                self._let_one_go()
            async for part in parts:
                body += part
                self._held_bytes += len(part)
                if len(body) > bounds.body_bytes:
                    raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                if self._held_bytes > bounds.held_bytes:
                    self._let_one_go()
                if patience not in self._awaited:
                    raise TimeoutError
                if len(body) == length:
                    break
                earned = len(body) / bounds.bytes_per_second
                patience.reschedule(began + bounds.seconds + earned)
        finally:
            self._awaited.pop(patience, None)

    def _let_one_go(self) -> None:
        """End the wait for the oldest: what is honest and small has arrived long before."""
        oldest = next(iter(self._awaited))
        del self._awaited[oldest]
        oldest.reschedule(asyncio.get_running_loop().time())


def _length(stated: str | None) -> int | None:
    """Return a stated length in bytes. Raises: RefusedError (400) when it is no number."""
    if stated is None:
        return None
    if not (stated.isascii() and stated.isdigit() and len(stated) <= _MOST_DIGITS):
        raise RefusedError(HTTPStatus.BAD_REQUEST)
    return int(stated)
