"""Many houses side by side: each a process with its own database, banks, crowd and verdict.

What a house tells goes over its standard output, a JSON object a line, and is summed up here.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

MARK = "@house "


@dataclass
class Report:
    """What several houses came to. ``said``: what each that broke its word printed."""

    payments: int = 0
    seconds_of_work: int = 0
    counts: Counter = field(default_factory=Counter)
    ends: Counter = field(default_factory=Counter)
    by_gateway: Counter = field(default_factory=Counter)
    met: Counter = field(default_factory=Counter)
    said: list = field(default_factory=list)

    def add(self, facts):
        """Add what one house told at its end."""
        self.payments += facts["payments"]
        self.seconds_of_work += facts["seconds_of_work"]
        for name in ("counts", "ends", "by_gateway", "met"):
            getattr(self, name).update(facts[name])


def facts_of(told, payments, seconds_of_work):
    """Return what a house came to, as JSON can carry it."""
    return {
        "payments": payments,
        "seconds_of_work": round(seconds_of_work),
        "counts": told.counts.shown(),
        "ends": dict(told.ends),
        "by_gateway": {f"{key} {end}": times for (key, end), times in told.ends_by_gateway.items()},
        "met": dict(told.met),
    }


def tell(facts):
    """Say something to whoever plays many houses."""
    print(MARK + json.dumps(facts), flush=True)  # noqa: T201 - a command


def play_all(payments, seeds, gateways, *, processes, show):
    """Play so many payments, divided among a house for each seed; return the Report."""
    report, progress = Report(), _Progress(payments, show)
    shares = [payments // len(seeds) + (n < payments % len(seeds)) for n in range(len(seeds))]
    with ThreadPoolExecutor(processes) as pool:
        for facts, said in pool.map(
            lambda house: _play(*house, gateways, progress), zip(seeds, shares, strict=True)
        ):
            if facts:
                report.add(facts)
            else:
                report.said.append(said)
    return report


def _play(seed, payments, gateways, progress):
    """Play one house in a process of its own; return its facts, or what it printed instead."""
    command = [sys.executable, "-m", "tests.simulator", "--as-house"]
    command += ["--payments", str(payments), "--seed", str(seed), "--gateways", ",".join(gateways)]
    house = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ
    )
    facts, said = None, []
    for line in house.stdout:
        if not line.startswith(MARK):
            said.append(line)
            continue
        told = json.loads(line.removeprefix(MARK))
        if "ends" in told:
            facts = told
        else:
            progress.note(seed, told["payments"])
    house.wait()
    again = f"--payments {payments} --gateways {','.join(gateways)} --seed {seed}"
    why = f"{''.join(said[-20:])}again: ./run simulate {again}"
    progress.note(seed, payments, end="ended well" if facts else f"DID NOT END WELL\n{why}")
    return facts, why


class _Progress:
    """How far all houses are together; shows it now and then."""

    def __init__(self, payments, show, every_seconds=20):
        self._payments, self._show, self._every = payments, show, every_seconds
        self._played, self._lock = {}, threading.Lock()
        self._began = self._shown = time.monotonic()

    def note(self, seed, payments, *, end=""):
        with self._lock:
            self._played[seed] = payments
            now = time.monotonic()
            if end or now - self._shown > self._every:
                self._shown = now
                played = sum(self._played.values())
                rate = played / (now - self._began)
                text = f"  {played} of {self._payments} payments, {rate:.1f}/s"
                self._show(text + (f"; house {seed} {end}" if end else ""))
