"""Guests in a process of their own: whole journeys from the QR code to the certificate, cheaply.

Each guest keeps one connection, as a browser does, and reads only what the next step needs. Style
sheets, fonts and scripts are left out: browsers keep them, and in production a proxy serves them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
import time
import zlib
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kit.machine import cpu_seconds

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

SLUG = "tianfu26"
_CITIES = (
    *(
        "西安",
        "重庆",
        "北京",
        "上海",
        "深圳",
        "广州",
        "杭州",
        "武汉",
        "绵阳",
        "乐山",
        "宜宾",
        "昆明",
    ),
    *(
        "贵阳",
        "南京",
        "郑州",
        "兰州",
        "天津",
        "济南",
        "青岛",
        "合肥",
        "福州",
        "厦门",
        "南昌",
        "南宁",
    ),
    *("海口", "太原", "沈阳", "哈尔滨", "Singapore", "Amsterdam", "London", "Tokyo"),
)
_ABROAD = {"Singapore", "Amsterdam", "London", "Tokyo"}
_WARM_UP_GUESTS = 48
_LOOKS_AGAIN, _PAGE_ASKS_AGAIN_SECONDS = 10, 2.0
_HIDDEN = re.compile(rb'<input type="hidden"[^>]*? name="([^"]+)" value="([^"]*)"')
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_LOCATION = re.compile(rb"\r\nlocation: *([^\r]+)", re.IGNORECASE)
_GUEST = re.compile(rb"\r\nset-cookie: *(guest=[^;\r]+)", re.IGNORECASE)
_GZIPPED = re.compile(rb"\r\ncontent-encoding: *gzip", re.IGNORECASE)


class JourneyError(Exception):
    """An answer that no guest should get."""


class Guest:
    """One guest on one connection. ``result``, ``form``, ``bank``, ``order``: found on the way."""

    def __init__(self, port: int, dice: random.Random) -> None:
        self.port = port
        self.dice = dice
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._cookie = ""
        self.result = self.bank = self.order = ""
        self.form: dict[str, str] = {}

    async def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
            self._reader = self._writer = None

    async def ask(
        self, path: str, form: Mapping[str, str] | None = None, *, expect: int = 200
    ) -> tuple[bytes, bytes]:
        """Send a request; return head and body. With ``expect`` 0 any status will do.

        Raises: JourneyError on another status than expected.
        """
        if self._writer is None or self._reader is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        body = urlencode(form).encode() if form is not None else b""
        lines = [
            f"{'GET' if form is None else 'POST'} {path} HTTP/1.1",
            f"Host: localhost:{self.port}",
            "Accept-Encoding: gzip",
            "Accept-Language: zh-CN",
            "Sec-Fetch-Site: same-origin",
        ]
        if self._cookie:
            lines.append(f"Cookie: {self._cookie}")
        if form is not None:
            lines += ["Content-Type: application/x-www-form-urlencoded"]
            lines += [f"Content-Length: {len(body)}"]
        self._writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        content = await self._content(head)
        if cookie := _GUEST.search(head):
            self._cookie = cookie[1].decode()
        if expect and int(head[9:12]) != expect:
            raise JourneyError(f"{path[1:].partition('/')[0]}: {head[9:12].decode()}")
        return head, content

    async def _content(self, head: bytes) -> bytes:
        reader = self._reader
        assert reader is not None
        if match := _LENGTH.search(head):
            return await reader.readexactly(int(match[1]))
        if not _CHUNKED.search(head):
            return b""
        parts = []
        while size := int((await reader.readline()).split(b";")[0], 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readexactly(2)
        return b"".join(parts)

    # -- the steps ------------------------------------------------------------------------------

    async def scan(self) -> None:
        """Open the scene, as the QR code does."""
        await self.ask(f"/s/{SLUG}?c=p1")

    async def questions(self) -> None:
        """Open the calculator."""
        await self.ask(f"/s/{SLUG}/go?c=p1")

    async def answers(self) -> None:
        """Answer, and be led to the result."""
        head, _ = await self.ask(f"/s/{SLUG}/go", self._answers(), expect=303)
        self.result = _target(head)

    async def see_result(self) -> None:
        """Look at the result."""
        await self.ask(self.result)

    async def offer(self) -> None:
        """Look at projects and price."""
        head, content = await self.ask(f"{self.result}/pay")
        if _GZIPPED.search(head):
            content = zlib.decompress(content, 31)
        self.form = {name.decode(): value.decode() for name, value in _HIDDEN.findall(content)}

    async def place_order(self) -> None:
        """Order what is chosen, and be led to the gateway."""
        wish = {**self.form, "project": self.form["agreed_for"]}
        if self.dice.random() < 0.5:
            wish["name"] = f"来宾{self.dice.randrange(10**6)}"
        if self.dice.random() < 0.3:
            wish["board"] = "1"
        head, _ = await self.ask(f"{self.result}/pay", wish, expect=303)
        self.bank = _target(head)
        if not self.bank.startswith("/sandbox/"):
            raise JourneyError("the order leads elsewhere")

    async def see_bank(self) -> None:
        """Look at the gateway's page."""
        await self.ask(self.bank)

    async def pay(self) -> None:
        """Pay: the notice is booked within this answer; the allocator retires what was paid."""
        head, _ = await self.ask(self.bank, {"outcome": "paid"}, expect=303)
        self.order = _target(head)

    async def certificate(self) -> None:
        """Come back to the order and be led to the certificate."""
        for _ in range(_LOOKS_AGAIN):
            head, _ = await self.ask(self.order, expect=0)
            if int(head[9:12]) == 303:
                break
            # The page says "paid, one moment" and asks again by itself.
            await asyncio.sleep(_PAGE_ASKS_AGAIN_SECONDS)
        target = _target(head)
        if not target.startswith("/c/"):
            raise JourneyError("paid, but there is no certificate")
        await self.ask(target)

    def _answers(self) -> dict[str, str]:
        city = self.dice.choice(_CITIES)
        nights = self.dice.randint(0, 4)
        abroad = city in _ABROAD
        answers = {
            "c": "p1",
            "live_here": "0",
            "from": city,
            "mode": "plane" if abroad else self.dice.choice(("train", "plane", "unknown", "train")),
            "nights": str(nights),
        }
        if city in {"绵阳", "乐山", "宜宾", "重庆"}:
            answers |= {"mode": self.dice.choice(("train", "car")), "occupants": "2"}
        if nights:
            answers["stay"] = self.dice.choice(("budget", "mid", "high", "friends", "unknown"))
        return answers


def _target(head: bytes) -> str:
    match = _LOCATION.search(head)
    if match is None:
        raise JourneyError("led nowhere")
    return quote(match[1].decode().removeprefix("http://localhost"), safe="/?=&-_.~%")


STEPS: dict[str, Callable[[Guest], Awaitable[None]]] = {
    "scan": Guest.scan,
    "questions": Guest.questions,
    "answers": Guest.answers,
    "result": Guest.see_result,
    "offer": Guest.offer,
    "order": Guest.place_order,
    "gateway": Guest.see_bank,
    "payment": Guest.pay,
    "certificate": Guest.certificate,
}


class Watch:
    """Seconds that each step took, of journeys within the measured time."""

    def __init__(self) -> None:
        self.steps: dict[str, list[float]] = defaultdict(list)
        self.journeys: list[float] = []
        self.errors: Counter[str] = Counter()

    def report(self) -> dict[str, object]:
        """Return p50, p95 and p99 in milliseconds, by step and of the whole journey."""
        return {
            "journeys": len(self.journeys),
            "errors": dict(self.errors),
            "journey_ms": percentiles(self.journeys),
            "steps_ms": {name: percentiles(self.steps[name]) for name in STEPS},
        }


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Return the usual three, in milliseconds; empty without values."""
    if not seconds:
        return {}
    ranked = sorted(seconds)
    last = len(ranked) - 1
    return {
        f"p{share}": round(1000 * ranked[round(last * share / 100)], 2) for share in (50, 95, 99)
    }


async def _journeys(port: int, number: int, window: tuple[float, float], watch: Watch) -> None:
    """Make journeys one after another; count those that begin and end within the window."""
    dice = random.Random(number)
    while time.perf_counter() < window[1]:
        guest = Guest(port, dice)
        took: dict[str, float] = {}
        began = time.perf_counter()
        try:
            for name, step in STEPS.items():
                at = time.perf_counter()
                await step(guest)
                took[name] = time.perf_counter() - at
        except (JourneyError, OSError, asyncio.IncompleteReadError, KeyError) as error:
            watch.errors[f"{type(error).__name__} {error}"] += 1
            took = {}
        finally:
            await guest.close()
        ended = time.perf_counter()
        if took and window[0] <= ended <= window[1]:
            watch.journeys.append(ended - began)
            for name, seconds in took.items():
                watch.steps[name].append(seconds)


async def together(port: int, clients: int, seconds: int, warm_up: int) -> dict[str, object]:
    """Let many guests make journeys at once; return rate, times and errors."""
    start = time.perf_counter() + warm_up
    window = (start, start + seconds)
    watch = Watch()
    own = time.process_time()
    await asyncio.gather(*(_journeys(port, number, window, watch) for number in range(clients)))
    made = len(watch.journeys)
    return {
        "journeys_per_s": round(made / seconds, 2),
        "load_cpu_share": round((time.process_time() - own) / (seconds + warm_up), 3),
        **watch.report(),
    }


async def alone(port: int, clients: int, guests: int, server: int) -> dict[str, float]:
    """Let all guests take each step before anyone takes the next; return CPU ms of the server."""
    used: dict[str, float] = {}
    # The first crowd warms the server up: fonts, factors and templates are read once.
    for size in (_WARM_UP_GUESTS, guests):
        crowd = [Guest(port, random.Random(10_000 + number)) for number in range(size)]
        for name, step in STEPS.items():
            before = cpu_seconds(server)
            await _in_turns(crowd, step, clients)
            used[name] = round(1000 * (cpu_seconds(server) - before) / size, 2)
        await asyncio.gather(*(guest.close() for guest in crowd))
    return used


async def _in_turns(
    crowd: list[Guest], step: Callable[[Guest], Awaitable[None]], clients: int
) -> None:
    waiting: Iterator[Guest] = iter(crowd)

    async def take() -> None:
        for guest in waiting:
            await step(guest)

    await asyncio.gather(*(take() for _ in range(clients)))


def main() -> None:
    """Make the journeys asked for; print the figures as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--alone", type=int, default=0, help="guests that go step by step")
    parser.add_argument("--server", type=int, default=0, help="process whose CPU time is read")
    given = parser.parse_args()
    work = (
        alone(given.port, given.clients, given.alone, given.server)
        if given.alone
        else together(given.port, given.clients, given.seconds, given.warm_up)
    )
    print(json.dumps(asyncio.run(work)))


if __name__ == "__main__":
    main()
