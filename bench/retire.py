"""How many retirements from one hot batch the allocator's commit does, beside pgbench's TPC-B.

Clients in a process of their own have one request outstanding each; one writer takes what waits,
up to 256 requests, and answers when they are committed. The writer is the product's own code. On
PostgreSQL the rate is given as a share of TPC-B's, with as many clients, right before and after.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit.machine import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_WRITER = Path(__file__).resolve().parent / "kit" / "writer.py"
_CLIENTS = (8, 32)
# More than any machine does: the holds are made before, and what is left over stays held.
_MOST_PER_SECOND = 12_000
_WARM_UP = 4_000
_SIZES = (10_000, 1_000_000, 10_000_000)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the command line asked for."""

    seconds: int
    tpcb_seconds: int
    only: str
    sizes: tuple[int, ...]
    orders: int
    is_unaudited: bool


def read_plan() -> Plan:
    """Return the plan of the command line."""
    parser = argparse.ArgumentParser(prog="./run bench retire", description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=8, help="each measured time")
    parser.add_argument("--tpcb-seconds", type=int, default=8, help="each run of pgbench")
    parser.add_argument("--only", choices=("sqlite", "postgres"), default="")
    parser.add_argument("--orders", type=int, default=1024, help="for whole fulfilments; 0: none")
    parser.add_argument(
        "--grow", action="store_true", help="measure again in a register that has grown"
    )
    parser.add_argument("--sizes", default="", help="with --grow: retirements, joined by commas")
    parser.add_argument(
        "--no-audit", action="store_true", help="ten million rows take an hour to check"
    )
    given = parser.parse_args()
    sizes = tuple(int(size) for size in given.sizes.split(",") if size) or _SIZES
    return Plan(
        given.seconds,
        given.tpcb_seconds,
        given.only,
        sizes if given.grow else (),
        given.orders,
        given.no_audit,
    )


class Writer:
    """The process that writes, asked for one step after the other. ``lane``: the hot row."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._next = 1
        self.lane: int = self.step("prepare")

    def step(self, *given: object) -> Any:  # noqa: ANN401 - what the step says
        """Do a step; return what it says."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        if not said:
            raise SystemExit(f"The writer ended at {given}; what it said stands above.")
        return json.loads(said)

    def closed(self, clients: int, seconds: float, most: int = 0) -> dict[str, Any]:
        """Answer closed loops."""
        most = most or int(seconds * _MOST_PER_SECOND)
        first, self._next = self._next, self._next + most
        found: dict[str, Any] = self.step("closed", self.lane, first, clients, seconds, most)
        return found

    def arrivals(self, per_second: float, seconds: float) -> dict[str, Any]:
        """Answer requests that come at a rate."""
        first = self._next
        self._next += int(per_second * seconds) + 1
        found: dict[str, Any] = self.step("arrivals", self.lane, first, per_second, seconds)
        return found


@contextmanager
def writer_on(database_url: str, folder: Path) -> Iterator[Writer]:
    """Start a writer on an empty database."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("DIANDIAN_")}
    environment = ours | {
        "DIANDIAN_DATA_DIR": str(folder),
        "DIANDIAN_MODE": "demo",
        "DIANDIAN_SECRET_KEY": "a bench keeps no secrets",
        "DIANDIAN_LOG_LEVEL": "WARNING",
        "DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "diandian.config.settings",
    }
    process = subprocess.Popen(
        [sys.executable, str(_WRITER)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Writer(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def show(name: str, found: dict[str, Any]) -> None:
    """Print one measurement for people."""
    print(
        f"  {name:<28} {found['per_s']:>8.0f}/s  p50 {found['p50_ms']:>7.2f} ms"
        f"  p99 {found['p99_ms']:>7.2f}  longest {found['longest_wait_ms']:>7.1f}"
        f"  CPU us: python {found['python_us']:.0f}, server {found['server_us']:.0f}",
        flush=True,
    )


def at_10_percent(writer: Writer, per_second: float, plan: Plan) -> dict[str, Any]:
    """Return the waits when a tenth as many come as could be served."""
    found = writer.arrivals(per_second / 10, plan.seconds)
    print(
        f"  at {per_second / 10:.0f}/s: p99 {found['p99_ms']:.1f} ms,"
        f" longest {found['longest_wait_ms']:.1f} ms",
        flush=True,
    )
    return found


def growth(
    writer: Writer, plan: Plan, beside: Callable[[], float] | None = None
) -> dict[str, float]:
    """Return the rate at 32 clients after each size.

    ``beside``: lets the database rest and measures its baseline, before and after each; then the
    share of it is given too, which a noisy machine changes less.
    """
    found: dict[str, float] = {}
    for size in plan.sizes:
        writer.step("fill", writer.lane, size)
        before = beside() if beside else 0.0
        told = writer.closed(32, plan.seconds)
        show(f"after {size}", told)
        found[f"per_s_after_{size}"] = told["per_s"]
        if beside:
            after = beside()
            ratio = told["per_s"] / ((before + after) / 2)
            print(f"  TPC-B {before:.0f} before, {after:.0f} after: ratio {ratio:.2f}", flush=True)
            found[f"ratio_after_{size}"] = round(ratio, 3)
    return found


def finished(writer: Writer, plan: Plan) -> dict[str, Any]:
    """Weigh and check everything that was written.

    Raises: SystemExit where an invariant is broken.
    """
    said: dict[str, Any] = writer.step("weigh")
    print(
        f"  {said['retirements']} retirements, {said['bytes_per_retirement']} bytes each",
        flush=True,
    )
    if plan.is_unaudited:
        print("  not audited, as asked", flush=True)
        return said
    said |= writer.step("audit")
    print(f"  {said['breaches']} invariants broken", flush=True)
    if said["breaches"]:
        raise SystemExit(f"The audit failed: {said['first_breach']}")
    return said


def on_postgres(plan: Plan, server: Server) -> dict[str, Any]:
    """Measure on PostgreSQL, each number of clients between two runs of pgbench with as many."""
    print("PostgreSQL: making the tables of TPC-B ...", flush=True)
    figures: dict[str, Any] = {}
    with (
        server.database("tpcb") as tpcb,
        server.database("retire") as name,
        tempfile.TemporaryDirectory(prefix="diandian-bench-") as path,
        writer_on(server.url(name), Path(path)) as writer,
    ):
        server.make_tpcb(tpcb)
        writer.closed(32, 60, _WARM_UP)
        for clients in _CLIENTS:
            before = server.tpcb(tpcb, plan.tpcb_seconds, clients)
            found = writer.closed(clients, plan.seconds)
            after = server.tpcb(tpcb, plan.tpcb_seconds, clients)
            ratio = found["per_s"] / ((before + after) / 2)
            show(f"{clients} clients, one batch", found)
            print(f"  TPC-B {before:.0f} before, {after:.0f} after: ratio {ratio:.2f}", flush=True)
            figures[f"ratio_tpcb_{clients}"] = round(ratio, 3)
            figures[f"tpcb_before_tps_{clients}"] = round(before, 1)
            figures[f"tpcb_after_tps_{clients}"] = round(after, 1)
            figures |= {f"postgres_{key}_{clients}": value for key, value in found.items()}
        quiet = at_10_percent(writer, figures["postgres_per_s_32"], plan)
        figures["p99_ms_at_10_percent"] = quiet["p99_ms"]
        figures["longest_wait_ms_at_10_percent"] = quiet["longest_wait_ms"]

        def beside() -> float:
            server.settle(name)
            return server.tpcb(tpcb, plan.tpcb_seconds, 32)

        grown = growth(writer, plan, beside)
        figures |= {f"postgres_{key}": value for key, value in grown.items()}
        figures |= {f"postgres_{key}": value for key, value in finished(writer, plan).items()}
        if plan.orders:
            figures |= fulfilments(writer, plan, "postgres")
    return figures


def on_sqlite(plan: Plan) -> dict[str, Any]:
    """Measure on a SQLite file, with synchronous=FULL as always."""
    print("SQLite:", flush=True)
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="diandian-bench-") as path:
        folder = Path(path)
        with writer_on(f"sqlite://{folder}/bench.sqlite3", folder) as writer:
            writer.closed(32, 60, _WARM_UP)
            found = writer.closed(32, plan.seconds)
            show("32 clients, one batch", found)
            figures |= {f"sqlite_{key}": value for key, value in found.items()}
            quiet = at_10_percent(writer, found["per_s"], plan)
            figures["sqlite_p99_ms_at_10_percent"] = quiet["p99_ms"]
            longest = max(found["longest_wait_ms"], quiet["longest_wait_ms"])
            figures["sqlite_longest_wait_ms"] = longest
            figures |= {f"sqlite_{key}": value for key, value in growth(writer, plan).items()}
            figures |= {f"sqlite_{key}": value for key, value in finished(writer, plan).items()}
            if plan.orders:
                figures |= fulfilments(writer, plan, "sqlite")
    return figures


def fulfilments(writer: Writer, plan: Plan, name: str) -> dict[str, Any]:
    """Measure whole fulfilments: certificates, orders and boards as well."""
    figures: dict[str, Any] = {}
    for most in (32, 256):
        found = writer.step("fulfil", plan.orders, most)
        print(
            f"  whole fulfilments, {most:>3} a commit: {found['per_s']:.0f}/s"
            f"  CPU us: python {found['python_us']:.0f}, server {found['server_us']:.0f}",
            flush=True,
        )
        figures |= {f"{name}_fulfilments_{key}_{most}": value for key, value in found.items()}
    return figures


def main() -> None:
    """Measure what was asked for; end with one line of JSON."""
    plan = read_plan()
    figures: dict[str, Any] = {"bench": "retire", "seconds": plan.seconds}
    if plan.only != "postgres":
        figures |= on_sqlite(plan)
    if plan.only != "sqlite":
        server = Server.found()
        if server is None:
            print("PostgreSQL does not answer (PGHOST, PGPORT, PGUSER): left out", flush=True)
            figures |= dict.fromkeys(("ratio_tpcb_8", "ratio_tpcb_32", "p99_ms_at_10_percent"))
        else:
            figures |= on_postgres(plan, server)
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()
