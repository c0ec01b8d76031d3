"""Notices of a gateway, many a second, while guests visit: how soon is each answered.

The server is the demo's own (granian, 2 workers of 4 threads) with its worker beside it. Notices
come at a fixed rate whatever the answers do: first ones, others about the same payments, repeated
ones and forged ones. Then all of it again while the gateway takes half a minute for each answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from kit import house
from kit.machine import database_url

from diandian.jobs.demo import Options, server_command
from diandian.kernel.clock import now
from diandian.payments.gateways.sandbox.peer import SIGNATURE_HEADER, Peer, SignedNotice

KIT = Path(__file__).resolve().parent / "kit"
ADDRESS = "/api/v1/notifications/sandbox/sandbox"
PAGE = "/s/tianfu26"
_CONNECTIONS = 128
_TIMEOUT_SECONDS = 60
_GUESTS = 4
_EXPECTED = {"first": 200, "other": 200, "again": 200, "forged": 401}
# Of ten notices: what a bad day looks like.
_MIX = ("first", "other", "other", "other", "again", "again", "again", "forged", "forged", "forged")


def read_plan() -> argparse.Namespace:
    """Return the plan of the command line."""
    parser = argparse.ArgumentParser(prog="./run bench notices", description=__doc__.split("\n")[0])
    parser.add_argument("--rate", type=int, default=200, help="notices a second (200)")
    parser.add_argument("--seconds", type=int, default=20, help="of each part (20)")
    parser.add_argument("--silent", type=int, default=30, help="seconds of a slow answer (30)")
    parser.add_argument("--only", choices=("quick", "silent"), default="", help="one part")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    return parser.parse_args()


class Door:
    """A few connections to the server, kept open; a broken one is opened anew."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._free: asyncio.LifoQueue[Any] = asyncio.LifoQueue()
        for _ in range(_CONNECTIONS):
            self._free.put_nowait(None)

    async def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> int:
        """Send a request; return the status, 0 for none."""
        pipe = await self._free.get()
        try:
            if pipe is None:
                pipe = await asyncio.open_connection("127.0.0.1", self.port)
            reader, writer = pipe
            lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{self.port}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            lines += [f"Content-Length: {len(body)}"] if method == "POST" else []
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _TIMEOUT_SECONDS)
            await _rest(reader, head)
            return int(head[9:12])
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pipe = None
            return 0
        finally:
            self._free.put_nowait(pipe)


async def _rest(reader: asyncio.StreamReader, head: bytes) -> None:
    fields = head.lower().split(b"\r\n")
    length = next((f for f in fields if f.startswith(b"content-length:")), b"")
    if length:
        await reader.readexactly(int(length.partition(b":")[2]))
        return
    while size := int((await reader.readuntil(b"\r\n")).strip() or b"0", 16):
        await reader.readexactly(size + 2)
    await reader.readexactly(2)


class Bank:
    """Makes the notices of the mix, signed at the moment they are sent."""

    def __init__(self, peer: Peer, unpaid: list[list[str]], dice: random.Random) -> None:
        self._peer = peer
        self._unpaid = unpaid
        self._dice = dice
        self._known: list[str] = []
        self._sent: list[SignedNotice] = []

    def next(self, kind: str) -> tuple[str, SignedNotice]:
        """Return a notice of a kind, or of the next best where there is none yet."""
        if kind == "first" and self._unpaid:
            number, token, _ = self._unpaid.pop()
            self._peer.decide(token, "silent", now())
            self._known.append(number)
            return kind, self._signed(number)
        if kind == "again" and self._sent:
            return kind, self._dice.choice(self._sent[-50:])
        if not self._known:
            number, _, _ = self._unpaid[0]
            return "other", self._signed(number)
        notice = self._signed(self._dice.choice(self._known))
        if kind == "forged":
            self._sent.pop()
            return kind, SignedNotice(notice.headers | {SIGNATURE_HEADER: "0" * 64}, notice.body)
        return "other", notice

    def _signed(self, number: str) -> SignedNotice:
        trade = self._peer.by_no(number)
        assert trade is not None
        notice = self._peer.notice(trade, "payment.succeeded", now())
        self._sent.append(notice)
        return notice


class Times:
    """Milliseconds by kind, and what was answered."""

    def __init__(self) -> None:
        self.ms: dict[str, list[float]] = defaultdict(list)
        self.wrong: Counter[str] = Counter()

    def note(self, kind: str, due: float, status: int, expected: int) -> None:
        """Note an answer, timed from when it was due to be sent."""
        self.ms[kind].append((time.monotonic() - due) * 1000)
        if status != expected:
            self.wrong[f"{kind}: {status}"] += 1

    def figures(self, *kinds: str) -> dict[str, float]:
        """Return the middle, the slow and the longest of some kinds."""
        every = sorted(value for kind in kinds for value in self.ms[kind])
        if not every:
            return {}
        places = {"p50": 0.50, "p99": 0.99, "longest": 1.0}
        found = {
            name: every[min(len(every) - 1, int(len(every) * share))]
            for name, share in places.items()
        }
        return {name: round(value, 1) for name, value in found.items()} | {"count": len(every)}


async def _notices(door: Door, bank: Bank, plan: argparse.Namespace, times: Times) -> None:
    began, waiting = time.monotonic(), set()
    for number in range(plan.rate * plan.seconds):
        due = began + number / plan.rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        kind, notice = bank.next(_MIX[number % len(_MIX)])

        async def send(kind: str = kind, notice: SignedNotice = notice, due: float = due) -> None:
            status = await door.ask("POST", ADDRESS, notice.headers, notice.body)
            times.note(kind, due, status, _EXPECTED[kind])

        task = asyncio.create_task(send())
        waiting.add(task)
        task.add_done_callback(waiting.discard)
    await asyncio.gather(*waiting)


async def _guests(door: Door, name: str, paths: list[str], until: float, times: Times) -> None:
    turn = 0
    while time.monotonic() < until:
        began, path = time.monotonic(), paths[turn % len(paths)]
        status = await door.ask("GET", path, {"Accept-Language": "zh-CN"})
        times.note(name, began, status if status != 302 else 200, 200)
        turn += 1
        await asyncio.sleep(0.1)


async def _run(plan: argparse.Namespace, port: int, bank: Bank, orders: list[str]) -> Times:
    notices, guests, times = Door(port), Door(port), Times()
    # A demo loads its interface for programs at the first request; both of its workers did then.
    await asyncio.gather(*[notices.ask("POST", ADDRESS, {}, b"{}") for _ in range(_CONNECTIONS)])
    await asyncio.gather(*[guests.ask("GET", PAGE, {}) for _ in range(_GUESTS)])
    until = time.monotonic() + plan.seconds
    await asyncio.gather(
        _notices(notices, bank, plan, times),
        *[_guests(guests, "page", [PAGE], until, times) for _ in range(_GUESTS)],
        # These ask the gateway as well, each time they are opened.
        _guests(guests, "order", orders, until, times),
    )
    return times


def measure(plan: argparse.Namespace, part: str) -> dict[str, Any]:
    """Prepare a database, start server and worker, send notices; return the figures."""
    port, count = house.free_port(), plan.rate * plan.seconds // len(_MIX) + 200
    with tempfile.TemporaryDirectory(prefix="diandian-bench-") as path:
        folder, log = Path(path) / "data", Path(path) / "bench.log"
        with database_url(plan.database, folder, "notices") as url:
            environment = house.environment(folder, url, port) | {
                "BENCH_SILENT_SECONDS": str(plan.silent),
                # What refused notices of one address are answered after many is not measured.
                "DIANDIAN_MISSES_PER_MINUTE": "1000000",
                "PYTHONPATH": str(KIT.parent),
            }
            made = subprocess.run(
                [sys.executable, str(KIT / "unpaid.py"), str(count)],
                env=environment,
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
            unpaid = json.loads(made.stdout.splitlines()[-1])
            print(f"  {part}: prepared {count} orders", flush=True)
            command = server_command(Options("127.0.0.1", port, folder, reset=False))
            if part == "silent":
                serve = command.index("serve")
                command = [sys.executable, str(KIT / "silent_server.py"), *command[serve:]]
            worker_command = [sys.executable, "-m", "diandian", "worker"]
            with house.process(command, environment, log) as server:
                house.wait_until_ready(port, server, log)
                # While the gateway is silent its worker would be too: it is looked at elsewhere.
                worker = house.process(worker_command, environment, log)
                with worker if part == "quick" else nullcontext():
                    peer = Peer(folder / "sandbox-gateway.sqlite3", folder / "keys")
                    orders = [f"/o/{token}" for _, _, token in unpaid[:100]]
                    bank = Bank(peer, unpaid[100:], random.Random(1))
                    times = asyncio.run(_run(plan, port, bank, orders))
                    peer.hang_up()
            trouble = [line for line in log.read_text().splitlines() if "Traceback" in line]
    return {
        "notices": times.figures(*_EXPECTED),
        **{kind: times.figures(kind) for kind in (*_EXPECTED, "page", "order")},
        "wrong": dict(times.wrong),
        "tracebacks": len(trouble),
    }


def show(part: str, found: dict[str, Any]) -> None:
    """Print the figures for people."""
    print(f"  {part:<8} {'count':>7} {'p50 ms':>9} {'p99 ms':>9} {'longest':>9}")
    for kind in ("notices", *_EXPECTED, "page", "order"):
        row = found[kind]
        shown = [row.get(name, float("nan")) for name in ("p50", "p99", "longest")]
        print(f"  {kind:<8} {row.get('count', 0):>7} " + " ".join(f"{ms:>9.1f}" for ms in shown))
    print(f"  answered otherwise than they should be: {found['wrong'] or 'none'}", flush=True)


def main() -> None:
    """Measure what was asked for; end with one line of JSON."""
    plan = read_plan()
    figures: dict[str, Any] = {"bench": "notices", "rate": plan.rate, "seconds": plan.seconds}
    figures["database"] = plan.database
    for part in (plan.only,) if plan.only else ("quick", "silent"):
        found = measure(plan, part)
        show(part, found)
        figures |= {f"{part}_{name}": value for name, value in found.items()}
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()
