"""Programs that buy through the API and the bank's page, and try again as real ones do.

Each buyer keeps what it was told in a file: an order that was confirmed must not be gone later.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

PROJECT = "sample-rooftop-solar"
CHOICES = {"paid": 80, "twice": 6, "silent": 6, "declined": 3, "late": 3, "": 2}
_ANSWER_SECONDS, _PAUSE_SECONDS, _LOOKS = 20, 0.3, 40
_ENDS_SOON = {"paid", "twice", "silent"}
_ENDS = {"completed", "expired", "cancelled", "refunded", "unfulfillable"}


class Buyer:
    """One client on one connection; a broken one is opened again."""

    def __init__(self, port: int, dice: random.Random, found: Counter[str]) -> None:
        self._port = port
        self._dice = dice
        self._found = found
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def hang_up(self) -> None:
        """Drop the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _once(
        self, method: str, path: str, body: bytes, kind: str, key: str
    ) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{self._port}"]
        lines += ["Sec-Fetch-Site: same-origin", f"Content-Type: {kind}"]
        lines += [f"Content-Length: {len(body)}"]
        if key:
            lines.append(f"Idempotency-Key: {key}")
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(
            line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line
        )
        if b"content-length" in fields:
            return int(head[9:12]), await reader.readexactly(int(fields[b"content-length"]))
        content = b""
        while fields.get(b"transfer-encoding") == b"chunked":
            size = int((await reader.readline()).split(b";")[0], 16)
            content += (await reader.readexactly(size + 2))[:-2]
            if not size:
                break
        return int(head[9:12]), content

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        kind: str = "application/json",
        key: str = "",
    ) -> tuple[int, bytes]:
        """Ask until there is an answer that is not "try again"."""
        while True:
            try:
                status, content = await asyncio.wait_for(
                    self._once(method, path, body, kind, key), _ANSWER_SECONDS
                )
            except (OSError, EOFError, TimeoutError, ValueError, asyncio.IncompleteReadError):
                self._found["no answer"] += 1
                self.hang_up()
                await asyncio.sleep(_PAUSE_SECONDS * (0.5 + self._dice.random()))
                continue
            if status < 500 and status != 429:
                return status, content
            self._found[f"answered {status}"] += 1
            await asyncio.sleep(_PAUSE_SECONDS * (0.5 + self._dice.random()))

    async def buy(self, key: str) -> dict[str, Any] | None:
        """Buy once; return what was told, None when it could not be ordered."""
        mass_g = 1000 * self._dice.randint(1, 60)
        wish = json.dumps({"project": PROJECT, "mass_g": mass_g}).encode()
        status, content = await self.ask("POST", "/api/v1/quotes", wish)
        if status != 201:
            self._found[f"quote {status}"] += 1
            return None
        body = json.dumps({"quote": json.loads(content)["id"], "beneficiary": key}).encode()
        status, content = await self.ask("POST", "/api/v1/orders", body, key=key)
        if status != 201:
            self._found[f"order {status}"] += 1
            return None
        order = json.loads(content)
        choice = self._dice.choices(list(CHOICES), list(CHOICES.values()))[0]
        told = {"key": key, "id": order["id"], "mass_g": mass_g, "choice": choice}
        if choice and order["payment"] and order["payment"]["instruction"]:
            page = urlsplit(order["payment"]["instruction"]["url"]).path
            form = "application/x-www-form-urlencoded"
            await self.ask("POST", page, f"outcome={choice}".encode(), kind=form)
        # A third leaves at once, and never sees what became of it.
        stays = choice in _ENDS_SOON and self._dice.random() < 0.67
        told["state"] = await self._wait(order["id"], _LOOKS if stays else 1)
        return told

    async def _wait(self, number: str, looks: int) -> str:
        state = ""
        for look in range(looks):
            status, content = await self.ask("GET", f"/api/v1/orders/{number}")
            state = json.loads(content)["state"] if status == 200 else f"answered {status}"
            if state in _ENDS:
                break
            await asyncio.sleep(0.05 if look < 5 else 0.5)
        return str(state)


async def _all(given: argparse.Namespace, file: TextIO) -> Counter[str]:
    dice, found = random.Random(given.seed), Counter[str]()
    numbers = iter(range(given.orders))

    async def one() -> None:
        buyer = Buyer(given.port, random.Random(dice.getrandbits(48)), found)
        for number in numbers:
            told = await buyer.buy(f"{given.seed}-{number}")
            if told is not None:
                file.write(json.dumps(told) + "\n")
                found["orders"] += 1
        buyer.hang_up()

    await asyncio.gather(*(one() for _ in range(given.clients)))
    return found


def main() -> None:
    """Buy as often as asked for; end with one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("port", "orders", "clients", "seed"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--told", required=True)
    given = parser.parse_args()
    began = time.monotonic()
    with Path(given.told).open("w") as file:
        found = asyncio.run(_all(given, file))
    print(json.dumps({**found, "seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    sys.exit(main())
