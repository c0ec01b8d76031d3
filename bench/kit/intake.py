"""Paid orders through the intake, as it really works: clients pay, the worker's allocator takes.

On one database: two processes of clients, the product's own worker with all its threads, the bench.
Beside the commit itself, the figures hold what stands around it: the payment's transaction with its
booking, the intake's rows and locks, the office of the allocator and its pauses.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kit import house
from kit.clients import Told
from kit.machine import cpu_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kit.asking import Writer

_KIT = Path(__file__).resolve().parent
_CLIENTS = 32
# The worker starts, leads, and composes what it composes once.
_WARM_UP = 2 * _CLIENTS


class _Found(NamedTuple):
    """What all clients saw, and the processor time of their processes a second."""

    told: Told
    cpu_share: float


def _play(
    processes: list[subprocess.Popen[str]], how: str, given: float, orders: list[int], log: Path
) -> _Found:
    """Let the processes of clients share what is to be done. Raises: SystemExit when one ended."""
    count = len(processes)
    for number, process in enumerate(processes):
        assert process.stdin is not None
        process.stdin.write(json.dumps([how, given / count, orders[number::count]]) + "\n")
        process.stdin.flush()
    found = []
    for process in processes:
        assert process.stdout is not None
        said = process.stdout.readline()
        if not said:
            raise SystemExit(f"Clients ended. The worker said:\n{log.read_text()[-4000:]}")
        found.append(json.loads(said))
    waits = [wait for each in found for wait in each["waits_ms"]]
    seconds = max(each["seconds"] for each in found)
    used = sum(each["cpu_s"] for each in found)
    return _Found(Told(len(waits), seconds, waits), round(used / seconds, 2))


@contextmanager
def _running(name: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run one of the kit's programs; it ends with its input."""
    process = subprocess.Popen(
        [sys.executable, str(_KIT / name)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.stdin is not None and not process.stdin.closed:
            process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def measure(writer: Writer, count: int, seconds: int) -> dict[str, Any]:
    """Return rate and waits of as many paid orders at saturation, and waits at a tenth of that."""
    command = [sys.executable, "-m", "diandian", "worker"]
    writer.step("sample")
    with tempfile.TemporaryDirectory(prefix="diandian-bench-") as path:
        log = Path(path) / "worker.log"
        orders = writer.step("place", _WARM_UP + count)
        with (
            house.process(command, writer.environment, log) as worker,
            _running("paying.py", writer.environment) as one,
            _running("paying.py", writer.environment) as other,
        ):
            both = [one, other]
            _play(both, "closed", _CLIENTS, orders[:_WARM_UP], log)
            used = cpu_seconds(worker.pid)
            busy, paying_share = _play(both, "closed", _CLIENTS, orders[_WARM_UP:], log)
            worker_share = (cpu_seconds(worker.pid) - used) / busy.seconds
            tenth = busy.per_second / 10
            orders = writer.step("place", max(2, int(tenth * seconds)))
            quiet = _play(both, "arrivals", tenth, orders, log).told
    print(
        f"  through the intake, {_CLIENTS} clients: {busy.per_second:.0f}/s"
        f"  p50 {busy.wait_ms(0.5):.1f} ms  p99 {busy.wait_ms(0.99):.1f}"
        f"  longest {busy.wait_ms(1):.1f}"
        f"  processors: paying {paying_share:.2f}, worker {worker_share:.2f}\n"
        f"  at {tenth:.1f}/s: p99 {quiet.wait_ms(0.99):.1f} ms, longest {quiet.wait_ms(1):.1f} ms",
        flush=True,
    )
    return {
        "intake_per_s": round(busy.per_second, 1),
        "intake_orders": busy.answered,
        "intake_p50_ms": busy.wait_ms(0.5),
        "intake_p99_ms": busy.wait_ms(0.99),
        "intake_paying_cpu_share": paying_share,
        "intake_worker_cpu_share": round(worker_share, 2),
        "intake_p99_ms_at_10_percent": quiet.wait_ms(0.99),
        "intake_orders_at_10_percent": quiet.answered,
        "intake_longest_wait_ms": max(busy.wait_ms(1), quiet.wait_ms(1)),
    }


def beside_writer(writer: Writer, per_second: float, seconds: int) -> dict[str, Any]:
    """Return the longest waits of commit and neighbour where two processes write to one file.

    Closed loops first, then a tenth of ``per_second``; the commit is the one without an intake.
    """
    writer.step("sample")
    with _running("neighbour.py", writer.environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        if not process.stdout.readline():
            raise SystemExit("The second writer ended; what it said stands above.")
        busy = writer.closed(_CLIENTS, seconds)
        quiet = writer.arrivals(per_second / 10, seconds)
        process.stdin.close()
        said = json.loads(process.stdout.readline())
    longest = max(busy["longest_wait_ms"], quiet["longest_wait_ms"])
    print(
        f"  beside a second writer: {busy['per_s']:.0f}/s, longest wait {longest:.1f} ms;"
        f" of its own {said['kept']} writes the longest took {said['longest_ms']} ms",
        flush=True,
    )
    return {
        "per_s_beside_writer": busy["per_s"],
        "longest_wait_ms_beside_writer_at_10_percent": quiet["longest_wait_ms"],
        "longest_wait_beside_writer_ms": longest,
        "writer_kept": said["kept"],
        "writer_longest_ms": said["longest_ms"],
    }
