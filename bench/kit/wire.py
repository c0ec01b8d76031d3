"""Sends a request over a line in every way that a client should and should not: length, pace, form.

A way says how its answer is judged: after a lawful way there must be one, after others the server
may also hang up. Nothing here waits for ever.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable

    from kit.hostile import Hostile

_HANGS_SECONDS = 30
Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Answer(NamedTuple):
    """``status``: 0 for none, -1 for none in time. ``seconds``: after the last byte was sent."""

    status: int
    seconds: float
    way: str


class Line:
    """A connection that is kept open as long as it is used lawfully."""

    def __init__(self, port: int, dice: random.Random) -> None:
        self.port = port
        self.dice = dice
        self._pipe: Pipe | None = None

    async def send(self, asked: Hostile, way: str) -> Answer:
        """Send a request in a way; return what came back."""
        is_whole = way in LAWFUL and asked.method != "HEAD"
        pipe = self._pipe
        try:
            if pipe is None or not is_whole:
                pipe = await asyncio.open_connection("127.0.0.1", self.port)
            await _WAYS[way](self, asked, pipe[1])
            began = time.monotonic()
            status = await asyncio.wait_for(self._answer(pipe[0], is_whole), _HANGS_SECONDS)
            answer = Answer(status, time.monotonic() - began, way)
        except TimeoutError:
            answer, is_whole = Answer(-1, _HANGS_SECONDS, way), False
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            if pipe is self._pipe is not None:
                # It was hung up after the answer before: that says nothing about this request.
                self._pipe = None
                return await self.send(asked, way)
            answer, is_whole = Answer(0, 0.0, way), False
        if is_whole:
            self._pipe = pipe
        elif pipe is not None:
            pipe[1].close()
            if pipe is self._pipe:
                self._pipe = None
        return answer

    async def _answer(self, reader: asyncio.StreamReader, is_whole: bool) -> int:  # noqa: FBT001
        head = b"HTTP/1.1 100"
        while head[9:10] == b"1":
            head = await reader.readuntil(b"\r\n\r\n")
        if is_whole:
            await _rest(reader, head)
        return int(head[9:12])

    def head(self, asked: Hostile, *more: str, first: str = "") -> bytes:
        """Return the first lines of a request, as bytes that no client library would let pass."""
        target = asked.path + f"?{asked.query}" * bool(asked.query)
        lines = [first or f"{asked.method} {target} HTTP/1.1", f"Host: localhost:{self.port}"]
        for name, value in asked.headers.items():
            lines.append(f"{name}: {value.replace(chr(13), ' ').replace(chr(10), ' ')}")
        return "\r\n".join([*lines, *more, "", ""]).encode("utf-8", "surrogatepass")


async def _rest(reader: asyncio.StreamReader, head: bytes) -> None:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.partition(b":")[2]))
            return
    if b"chunked" in head.lower():
        while size := int((await reader.readuntil(b"\r\n")).strip() or b"0", 16):
            await reader.readexactly(size + 2)
        await reader.readexactly(2)


async def _whole(line: Line, asked: Hostile, writer: asyncio.StreamWriter) -> None:
    writer.write(line.head(asked, f"Content-Length: {len(asked.body)}") + asked.body)
    await writer.drain()


def _chunks(line: Line, body: bytes) -> list[bytes]:
    size = line.dice.choice((1, 7, 100, 4_000)) if len(body) < 2_000 else 4_000
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return [b"%x\r\n%s\r\n" % (len(part), part) for part in parts]


async def _chunked(line: Line, asked: Hostile, writer: asyncio.StreamWriter) -> None:
    head = line.head(asked, "Transfer-Encoding: chunked")
    writer.write(head + b"".join(_chunks(line, asked.body)) + b"0\r\n\r\n")
    await writer.drain()


async def _broken_chunks(line: Line, asked: Hostile, writer: asyncio.StreamWriter) -> None:
    good = b"".join(_chunks(line, asked.body))
    ends = (b"-1\r\n\r\n", b"zz\r\n", b"f" * 40 + b"\r\n", b"5\r\nab", b"0\r\nX: " + b"y" * 70_000)
    end = line.dice.choice(
        (*ends, b"0;" + b"x" * 20_000 + b"\r\n\r\n", b"3\r\nabcd\r\n0\r\n\r\n", b"")
    )
    writer.write(line.head(asked, "Transfer-Encoding: chunked") + good + end)
    writer.write_eof()
    await writer.drain()


async def _short(line: Line, asked: Hostile, writer: asyncio.StreamWriter) -> None:
    """Promise more than comes, then say that it was all."""
    promised = len(asked.body) + line.dice.choice((1, 100, 60_000, 10**9))
    writer.write(line.head(asked, f"Content-Length: {promised}") + asked.body)
    writer.write_eof()
    await writer.drain()


async def _long(line: Line, asked: Hostile, writer: asyncio.StreamWriter) -> None:
    """Promise less than comes: the rest looks like the next request."""
    promised = line.dice.randrange(len(asked.body) + 1)
    writer.write(line.head(asked, f"Content-Length: {promised}") + asked.body)
    await writer.drain()


async def _odd_length(line: Line, asked: Hostile, writer: asyncio.StreamWriter) -> None:
    size = len(asked.body)
    odd = line.dice.choice(
        (
            *(("Content-Length: -1",), ("Content-Length: x",), ("Content-Length: " + "9" * 30,)),
            *(
                (f"Content-Length: +{size}",),
                (f"Content-Length: 0x{size:x}",),
                ("Content-Length:",),
            ),
            (f"Content-Length: {size}", f"Content-Length: {size + 1}"),
            (f"Content-Length: {size}", "Transfer-Encoding: chunked"),
            *(("Transfer-Encoding: gzip",), ("Transfer-Encoding: chunked, chunked",), ()),
            (f"Content-Length : {size}",),
        )
    )
    writer.write(line.head(asked, *odd) + asked.body)
    writer.write_eof()
    await writer.drain()


async def _slow(line: Line, asked: Hostile, writer: asyncio.StreamWriter) -> None:
    """Let a body drip for some seconds; now and then hang up in the middle."""
    body, pieces = asked.body, line.dice.randrange(4, 16)
    writer.write(line.head(asked, f"Content-Length: {len(body)}"))
    size = len(body) // pieces + 1
    stops = line.dice.randrange(pieces * 3)
    for place in range(pieces):
        if place == stops:
            raise OSError("hung up on purpose")
        writer.write(body[place * size : (place + 1) * size])
        await writer.drain()
        await asyncio.sleep(line.dice.random())


async def _huge_headers(line: Line, asked: Hostile, writer: asyncio.StreamWriter) -> None:
    more = line.dice.choice(
        (
            ("X-Long: " + "a" * line.dice.choice((7_000, 60_000, 300_000)),),
            tuple(f"X-Many-{number}: {number}" for number in range(line.dice.choice((90, 900)))),
            ("Bad Name: x", "Né: x", ": x", "X-Folded: a\r\n b"),
            ("X-Null: a\x00b", "X-Bell: \x07"),
            (f"Cookie: {'a=b; ' * 5_000}",),
        )
    )
    writer.write(line.head(asked, *more, f"Content-Length: {len(asked.body)}") + asked.body)
    await writer.drain()


async def _odd_first_line(line: Line, asked: Hostile, writer: asyncio.StreamWriter) -> None:
    path = asked.path
    first = line.dice.choice(
        (
            *(f"POST {path} HTTP/1.0", f"POST {path} HTTP/3.0", f"POST {path}", "POST * HTTP/1.1"),
            *(
                f"POST http://evil.example{path} HTTP/1.1",
                f"P\x00ST {path} HTTP/1.1",
                f"post {path}",
            ),
            *(
                f"{'M' * 9_000} {path} HTTP/1.1",
                f"POST {path}{'/' * 70_000} HTTP/1.1",
                "\x16\x03\x01",
            ),
            *(f"POST {path} HTTP/1.1 ", f" POST {path} HTTP/1.1", "PRI * HTTP/2.0\r\n\r\nSM"),
        )
    )
    writer.write(line.head(asked, f"Content-Length: {len(asked.body)}", first=first) + asked.body)
    writer.write_eof()
    await writer.drain()


_WAYS: dict[str, Callable[[Line, Hostile, asyncio.StreamWriter], Awaitable[None]]] = {
    "whole": _whole,
    "chunked": _chunked,
    "slow": _slow,
    "broken chunks": _broken_chunks,
    "too short": _short,
    "too long": _long,
    "odd length": _odd_length,
    "huge headers": _huge_headers,
    "odd first line": _odd_first_line,
}
LAWFUL = frozenset(("whole", "chunked"))
# Ways that say exactly what the request says: a yes to them is a yes to what was signed.
FAITHFUL = LAWFUL | {"slow", "huge headers"}
_SHARES = (70, 9, 1, 4, 3, 4, 4, 3, 2)


def any_way(dice: random.Random) -> str:
    """Return a way to send, lawful ones most often."""
    return dice.choices(list(_WAYS), _SHARES)[0]
