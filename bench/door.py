"""How many guests get through the door: whole journeys against the real server and database.

The server is the demo's own command (granian, 2 workers of 4 threads) with the demo's worker beside
it; guests come from a separate process. On PostgreSQL the rate is also given as a share of what
pgbench's TPC-B does on the same server right before and after: absolute rates are of one machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit import house
from kit.machine import Peak, Server, cpu_seconds

from diandian.jobs.demo import Options, server_command

KIT = Path(__file__).resolve().parent / "kit"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the command line asked for."""

    seconds: int
    clients: int
    alone: int
    tpcb_seconds: int
    only: str


def read_plan() -> Plan:
    """Return the plan of the command line."""
    parser = argparse.ArgumentParser(prog="./run bench door", description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=20, help="measured time on each database")
    parser.add_argument("--clients", type=int, default=16, help="guests at once (8 to 32)")
    parser.add_argument("--alone", type=int, default=200, help="guests for the CPU time per step")
    parser.add_argument("--tpcb-seconds", type=int, default=10, help="each run of pgbench")
    parser.add_argument("--only", choices=("sqlite", "postgres"), default="")
    given = parser.parse_args()
    return Plan(given.seconds, given.clients, given.alone, given.tpcb_seconds, given.only)


def _load(port: int, clients: int, *options: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(KIT / "load.py"), f"--port={port}", f"--clients={clients}", *options],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(plan: Plan, database_url: str, folder: Path) -> dict[str, Any]:
    """Prepare a database, start server and worker, send guests; return the figures."""
    port = house.free_port()
    environment = house.environment(folder, database_url, port)
    log = folder / "bench.log"
    began = time.monotonic()
    subprocess.run(
        [sys.executable, str(KIT / "prepare.py")],
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    print(f"  prepared in {time.monotonic() - began:.1f} s", flush=True)
    command = server_command(Options("127.0.0.1", port, folder, reset=False))
    worker_command = [sys.executable, "-m", "diandian", "worker"]
    with house.process(command, environment, log) as server:
        house.wait_until_ready(port, server, log)
        with house.process(worker_command, environment, log) as worker:
            cpu_ms = _load(port, plan.clients, f"--alone={plan.alone}", f"--server={server.pid}")
            before = cpu_seconds(server.pid), cpu_seconds(worker.pid)
            with Peak(server.pid, worker.pid) as peak:
                found = _load(port, plan.clients, f"--seconds={plan.seconds}")
            spent = cpu_seconds(server.pid) - before[0], cpu_seconds(worker.pid) - before[1]
    found["cpu_ms"] = cpu_ms
    found["cpu_ms_journey"] = round(sum(cpu_ms.values()), 2)
    found["server_cpu_s"], found["worker_cpu_s"] = (round(value, 2) for value in spent)
    found["peak_mb"] = round(peak.mb, 1)
    return found


def show(name: str, found: dict[str, Any]) -> None:
    """Print the figures of one database for people."""
    print(f"  {name}: {found['journeys_per_s']} journeys/s, {found['journeys']} in all")
    if found["errors"]:
        print(f"  ERRORS: {found['errors']}")
    print(f"  {'step':<12} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'CPU ms':>8}")
    rows = {**found["steps_ms"], "journey": found["journey_ms"]}
    for step, times in rows.items():
        cpu = found["cpu_ms"].get(step, found["cpu_ms_journey"])
        shown = [times.get(key, float("nan")) for key in ("p50", "p95", "p99")]
        print(f"  {step:<12} " + " ".join(f"{value:>8.1f}" for value in shown) + f" {cpu:>8.2f}")
    print(
        f"  peak memory {found['peak_mb']} MB (server and worker); of the load's own processor"
        f" {found['load_cpu_share']:.0%}",
        flush=True,
    )


def on_sqlite(plan: Plan) -> dict[str, Any]:
    """Measure on a SQLite file."""
    print("SQLite:", flush=True)
    with tempfile.TemporaryDirectory(prefix="diandian-bench-") as path:
        # The demo's own layout: the folder is made and marked by the demo's code.
        folder = Path(path) / "data"
        found = measure(plan, f"sqlite://{folder}/diandian.sqlite3", folder)
    show("SQLite", found)
    return {f"sqlite_{name}": value for name, value in found.items()}


def on_postgres(plan: Plan, server: Server) -> dict[str, Any]:
    """Measure on PostgreSQL, between two runs of pgbench on the same server."""
    print("PostgreSQL: making the tables of TPC-B ...", flush=True)
    with (
        server.database("tpcb") as tpcb,
        server.database("door") as door,
        tempfile.TemporaryDirectory(prefix="diandian-bench-") as path,
    ):
        server.make_tpcb(tpcb)
        before = server.tpcb(tpcb, plan.tpcb_seconds)
        found = measure(plan, server.url(door), Path(path) / "data")
        after = server.tpcb(tpcb, plan.tpcb_seconds)
    show("PostgreSQL", found)
    middle = (before + after) / 2
    ratio = found["journeys_per_s"] / middle
    print(f"  TPC-B {before:.0f} before, {after:.0f} after; journeys per transaction {ratio:.4f}")
    return {
        **{f"postgres_{name}": value for name, value in found.items()},
        "tpcb_before_tps": round(before, 1),
        "tpcb_after_tps": round(after, 1),
        "ratio_tpcb": round(ratio, 4),
    }


def main() -> None:
    """Measure what was asked for; end with one line of JSON."""
    plan = read_plan()
    figures: dict[str, Any] = {"bench": "door", "clients": plan.clients, "seconds": plan.seconds}
    if plan.only != "postgres":
        figures |= on_sqlite(plan)
    if plan.only != "sqlite":
        server = Server.found()
        if server is None:
            print("PostgreSQL does not answer (PGHOST, PGPORT, PGUSER): left out", flush=True)
            figures["postgres_journeys_per_s"] = figures["ratio_tpcb"] = None
        else:
            figures |= on_postgres(plan, server)
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()
