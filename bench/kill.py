"""Kills server, worker and PostgreSQL without a word while orders come in; then audits all of it.

Programs buy through the API and the bank's page, and try again as real ones do. At random moments a
process gets SIGKILL and is started again. At the end everything drains, and the audit says whether
every payment that the bank took is exactly one retired or refunded order, nothing twice or lost.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit import cluster, house
from kit.machine import tree

from diandian.jobs.demo import Options, server_command

if TYPE_CHECKING:
    from collections.abc import Callable

KIT = Path(__file__).resolve().parent / "kit"
_DRAIN_SECONDS = 30


def read_plan() -> argparse.Namespace:
    """Return the plan of the command line."""
    parser = argparse.ArgumentParser(prog="./run bench kill", description=__doc__.split("\n")[0])
    parser.add_argument("--orders", type=int, default=2_000, help="orders in all (2000)")
    parser.add_argument("--processes", type=int, default=2, help="processes that buy (2)")
    parser.add_argument("--clients", type=int, default=8, help="buyers in each (8)")
    parser.add_argument("--every", type=float, default=4.0, help="seconds between deaths (4)")
    parser.add_argument("--seed", type=int, default=1, help="of wishes and of deaths")
    return parser.parse_args()


class House:
    """Server, worker and PostgreSQL; what was killed is started again at once."""

    def __init__(self, postgres: cluster.Cluster, folder: Path, dice: random.Random) -> None:
        self._postgres = postgres
        self._dice = dice
        self.port = house.free_port()
        self.environment = house.environment(folder, postgres.url, self.port)
        self.log = folder.parent / "house.log"
        self._commands = {
            "server": server_command(Options("127.0.0.1", self.port, folder, reset=False)),
            "worker": [sys.executable, "-m", "diandian", "worker"],
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.deaths: Counter[str] = Counter()

    def start(self, name: str) -> None:
        """Start a process in a group of its own."""
        with self.log.open("ab") as file:
            self._running[name] = subprocess.Popen(
                self._commands[name],
                env=self.environment,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def keep_up(self) -> None:
        """Start again what ended, killed or of itself: a supervisor does so."""
        for name, process in self._running.items():
            if process.poll() is not None:
                self.start(name)

    def stop(self) -> None:
        """End every process."""
        for process in self._running.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def stop_worker(self) -> None:
        """Let the worker finish what it holds, and stop."""
        worker = self._running.pop("worker")
        worker.terminate()
        worker.wait(60)

    def kill_one(self) -> None:
        """Kill something at random."""
        ways: dict[str, Callable[[], object]] = {
            "server": lambda: self._kill_group("server"),
            "server process": self._kill_child,
            "worker": lambda: self._kill_group("worker"),
            "worker again": lambda: self._kill_group("worker"),
            "postgres": self._postgres.kill,
            "postgres session": self._postgres.kill_session,
        }
        name = self._dice.choice(list(ways))
        ways[name]()
        self.deaths[name.removesuffix(" again")] += 1
        self.keep_up()

    def _kill_group(self, name: str) -> None:
        process = self._running[name]
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _kill_child(self) -> None:
        """Kill one of the server's processes; the server itself starts another."""
        children = tree(self._running["server"].pid)[1:]
        if children:
            with suppress(ProcessLookupError):
                os.kill(self._dice.choice(children), signal.SIGKILL)


def buyers(plan: argparse.Namespace, port: int, folder: Path) -> list[subprocess.Popen[str]]:
    """Start the processes that buy."""
    share, rest = divmod(plan.orders, plan.processes)
    return [
        subprocess.Popen(
            [
                *(sys.executable, str(KIT / "buyers.py"), f"--port={port}"),
                f"--orders={share + (number < rest)}",
                f"--clients={plan.clients}",
                f"--seed={plan.seed * 1000 + number}",
                f"--told={folder / f'told-{number}'}",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(plan.processes)
    ]


def measure(plan: argparse.Namespace, postgres: cluster.Cluster, folder: Path) -> dict[str, Any]:
    """Prepare, load, kill, drain, audit; return the figures."""
    dice = random.Random(plan.seed)
    ours = House(postgres, folder, dice)
    subprocess.run(
        [sys.executable, str(KIT / "prepare.py")],
        env=ours.environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    try:
        for name in ("server", "worker"):
            ours.start(name)
        house.wait_until_ready(ours.port, ours._running["server"], ours.log)  # noqa: SLF001
        began = time.monotonic()
        buying = buyers(plan, ours.port, folder)
        while any(process.poll() is None for process in buying):
            time.sleep(min(dice.expovariate(1 / plan.every), 5 * plan.every))
            ours.keep_up()
            if any(process.poll() is None for process in buying):
                ours.kill_one()
        load_seconds = time.monotonic() - began
        heard: Counter[str] = Counter()
        for process in buying:
            heard.update(json.loads(process.communicate()[0].splitlines()[-1]))
        time.sleep(min(_DRAIN_SECONDS, 5 + plan.orders / 500))
        ours.keep_up()
        ours.stop_worker()
    finally:
        ours.stop()
    audit = subprocess.run(
        [sys.executable, str(KIT / "audit.py")],
        env=ours.environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    del heard["seconds"]
    return {
        "load_seconds": round(load_seconds, 1),
        "deaths": dict(ours.deaths),
        "heard": dict(heard),
        **json.loads(audit.stdout.splitlines()[-1]),
    }


def main() -> int:
    """Measure; end with one line of JSON. Exit status 1 when the audit found a fault."""
    plan = read_plan()
    programs = cluster.binaries()
    if programs is None:
        print("PostgreSQL's programs (initdb, pg_ctl) were not found. Nothing was run.")
        return 2
    with (
        cluster.Cluster(programs) as postgres,
        tempfile.TemporaryDirectory(prefix="diandian-bench-") as path,
    ):
        found = measure(plan, postgres, Path(path) / "data")
        if found["faults"]:
            print((Path(path) / "house.log").read_text()[-6000:])
    print(f"{plan.orders} orders in {found['load_seconds']} s; deaths: {found['deaths']}")
    for fault in found["first"]:
        print(f"  FAULT: {fault}")
    print(json.dumps({"bench": "kill", "orders": plan.orders, "seed": plan.seed, **found}))
    return 1 if found["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
