"""Sends hostile notices to the addresses of every gateway until the time is over.

The server is the demo's own (granian, 2 workers of 4 threads), with a merchant made up for every
gateway and payments that wait at each. Both addresses of every gateway, the short one and the
merchant's, are called at the same time. Whatever comes, and however it is sent, no answer may be
500 or above, nothing but what was signed may be believed, and nothing may be written but the counts
of what was refused and notices whose signature was right. Afterwards the worker's part tries those
notices too. A seed makes the same requests again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit import house, wire
from kit.hostile import Hostile, Maker, Place
from kit.machine import database_url

from diandian.jobs.demo import Options, server_command
from diandian.payments.gateway import gateways

if TYPE_CHECKING:
    from types import ModuleType

KIT = Path(__file__).resolve().parent / "kit"
_START = "/api/v1/notifications"
_ORDERS_EACH = 5
_COUNTED, _KEPT = "payments_refusednotices", "payments_notification"
_TRIED_AFTERWARDS = 400
_TAKEN = (200, 204)
_WARM_UP = 32
_ENDS_OF_TRACEBACKS = re.compile(
    r"^(?=\w)(?!Traceback|\d{4}-)\S*(?:Error|Exception|Sent|Big)\b.*", re.MULTILINE
)
# Of a query with more fields than Django reads: it answers 400 and logs that with a traceback.
_LONG_QUERY = ("Max number of fields exceeded", "TooManyFieldsSent")
_BROKEN_PARSERS = re.compile(r"a notice of \w+ broke its parser: .*")


def read_plan() -> argparse.Namespace:
    """Return the plan of the command line."""
    parser = argparse.ArgumentParser(
        prog="./run bench fuzz_notices", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--minutes", type=float, default=10, help="for each address (10)")
    parser.add_argument("--seed", type=int, default=0, help="of the requests; 0: of the time")
    parser.add_argument("--callers", type=int, default=2, help="at once for an address (2)")
    parser.add_argument("--log", type=Path, help="where the server's log is kept")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    return parser.parse_args()


# -- set-up -----------------------------------------------------------------------------------


def _signers() -> dict[str, ModuleType]:
    found = {}
    for key in gateways():
        with suppress(ModuleNotFoundError):
            found[key] = import_module(f"kit.signers.{key}")
    return found


def _set_up(folder: Path, url: str, port: int, signers: dict[str, ModuleType]) -> None:
    """Make a demo with a merchant at every gateway and payments that wait there."""
    os.environ |= house.environment(folder, url, port)
    subprocess.run(
        [sys.executable, str(KIT / "prepare.py")],
        env={**os.environ, "PYTHONPATH": str(KIT.parent)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    entries = []
    for key in sorted(gateways()):
        facts = signers[key].merchant(folder) if key in signers else _nobody(key)
        if facts is not None:
            entries.append(_entry(key, facts))
    file = folder / "merchants.toml"
    file.write_text("\n".join(entries), encoding="utf-8")
    os.environ |= {
        "DIANDIAN_MERCHANTS": str(file),
        "DIANDIAN_GATEWAYS": ",".join(sorted(gateways())),
        # What refused notices of one address are answered after many is not looked at here.
        "DIANDIAN_MISSES_PER_MINUTE": "1000000000",
    }


def _nobody(key: str) -> dict[str, Any]:
    return {
        "merchant": "1600000001",
        "settlement": "principal",
        "suppliers": ["*"],
        "options": {"principal_confirmed": "yes", "note": f"nobody signs for {key}"},
    }


def _entry(key: str, facts: dict[str, Any]) -> str:
    lines = ["[[merchant]]", f'key = "{key}"', f'gateway = "{key}"', 'mode = "test"']
    options = facts.pop("options")
    lines += [f"{name} = {json.dumps(value)}" for name, value in facts.items()]
    lines += ["[merchant.options]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in options.items()]
    return "\n".join(lines)


def _place_orders() -> dict[str, list[str]]:
    """Place orders at every gateway; return the numbers of the payments that wait there."""
    from kit.prepare import PROJECT  # noqa: PLC0415 - models load after the set-up
    from kit.signers.sandbox import keep_open  # noqa: PLC0415

    from diandian.flows import checkout  # noqa: PLC0415
    from diandian.flows.quote import open_quote  # noqa: PLC0415
    from diandian.kernel.clock import now  # noqa: PLC0415
    from diandian.orders.errors import PaymentUnavailableError  # noqa: PLC0415
    from diandian.payments.models import Payment  # noqa: PLC0415

    for key in sorted(gateways()):
        for _ in range(_ORDERS_EACH):
            quote = open_quote(project_code=PROJECT, mass_g=900_000, at=now())
            # Three of them are at nobody's address: their payments stay to be asked about.
            with suppress(PaymentUnavailableError):
                checkout.place_order(
                    quote_token=quote.token,
                    beneficiary_name="",
                    on_board=False,
                    language="zh-Hans",
                    is_vouched_for=True,
                    by=checkout.PayBy(gateway=key),
                )
    keep_open()
    found: dict[str, list[str]] = defaultdict(list)
    for gateway, number in Payment.objects.values_list("gateway", "payment_no"):
        found[gateway].append(number)
    return {gateway: numbers[-_ORDERS_EACH:] for gateway, numbers in found.items()}


# -- the run ----------------------------------------------------------------------------------


@dataclass
class Told:
    """What was answered, and what must not have been."""

    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    ways: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    slowest: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    slowest_page: float = 0
    believed: int = 0
    bad: list[str] = field(default_factory=list)

    def note(self, place: Place, asked: Hostile, answer: wire.Answer) -> None:
        """Note an answer; say when it is one that must not be."""
        status, way = answer.status, answer.way
        self.statuses[place.path][status] += 1
        self.ways[way][status] += 1
        self.slowest[place.path] = max(self.slowest[place.path], answer.seconds)
        self.believed += status in _TAKEN
        what = f"{place.path}, {way}, {asked.method}, body {asked.body[:80]!r}: {status}"
        if status >= 500:
            self.bad.append(what)
        elif status in _TAKEN and asked.is_signed is False and way in wire.FAITHFUL:
            self.bad.append(f"believed though it was not signed: {what}")
        elif status < 1 and asked.is_signed and way in wire.LAWFUL:
            self.bad.append(f"no answer: {what}")


def _places(signers: dict[str, ModuleType]) -> list[Place]:
    return [
        Place(path, key, signers.get(key))
        for key in sorted(gateways())
        for path in (f"{_START}/{key}", f"{_START}/{key}/{key}")
    ]


async def _call(place: Place, maker: Maker, port: int, until: float, told: Told) -> None:
    line = wire.Line(port, maker.dice)
    while time.monotonic() < until and len(told.bad) < 30:
        asked = maker.next(place)
        told.note(place, asked, await line.send(asked, wire.any_way(maker.dice)))


async def _look(port: int, until: float, told: Told) -> None:
    """Open a page twice a second, as a guest does meanwhile."""
    page, line = Hostile("/s/tianfu26", "GET"), wire.Line(port, random.Random(0))
    while time.monotonic() < until:
        answer = await line.send(page, "whole")
        told.slowest_page = max(told.slowest_page, answer.seconds)
        if answer.status not in {200, 302}:
            told.bad.append(f"a guest's page: {answer.status}")
        await asyncio.sleep(0.5)


async def _fuzz(plan: argparse.Namespace, port: int, maker: Maker, told: Told) -> float:
    # A server loads its interface for programs at the first request; every thread did then.
    first = [wire.Line(port, maker.dice) for _ in range(_WARM_UP)]
    await asyncio.gather(*[line.send(Hostile(maker.places[0].path), "whole") for line in first])
    began = time.monotonic()
    until = began + plan.minutes * 60
    calls = [_call(each, maker, port, until, told) for each in maker.places * plan.callers]
    await asyncio.gather(_look(port, until, told), *calls)
    return time.monotonic() - began


# -- afterwards -------------------------------------------------------------------------------


class _Broken(logging.Handler):
    """Counts what broke while kept notices were tried again."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Count an exception, not what it was about."""
        if record.exc_info:
            error = record.exc_info[1]
            self.seen[f"{record.msg}: {type(error).__name__}: {error}"[:300]] += 1


def _try_again() -> tuple[int, list[str]]:
    """Do the worker's part with notices that were kept; return how many, and what broke."""
    from diandian.flows import payment_events  # noqa: PLC0415 - models load after the set-up
    from diandian.kernel.clock import now  # noqa: PLC0415

    broken, tried = _Broken(), 0
    logger = logging.getLogger("diandian")
    logger.handlers[:], logger.propagate = [broken], False
    for hours in range(1, 4):
        tried += payment_events.retry_notices(_TRIED_AFTERWARDS, at=now() + timedelta(hours=hours))
    return tried, [f"a kept notice, {count} times: {text}" for text, count in broken.seen.items()]


def _wrong_rows(before: Any, after: Any, believed: int) -> tuple[dict[str, Any], list[str]]:  # noqa: ANN401
    from kit import rows  # noqa: PLC0415 - models load after the set-up

    found = rows.differences(before, after)
    wrong = [f"{t}: {each}" for t, each in found.items() if t not in {_COUNTED, _KEPT}]
    kept = found.get(_KEPT, rows.Difference(0, 0, {}))
    if kept.went or kept.came > believed:
        wrong.append(f"{_KEPT}: {kept}, and {believed} were believed")
    return {
        "kept": kept.came,
        "kept_states": rows.by_column(
            {key: row for key, row in after[_KEPT].items() if key not in before[_KEPT]},
            *("gateway", "state"),
        ),
        "refused": sum(row["count"] for row in after[_COUNTED].values()),
        "tables": len(after),
        "rows": sum(len(table) for table in after.values()),
    }, wrong


def _judge(told: Told, before: Any, log: Path) -> dict[str, Any]:  # noqa: ANN401
    from kit import rows  # noqa: PLC0415 - models load after the set-up

    from diandian.flows import invariants  # noqa: PLC0415

    figures, wrong = _wrong_rows(before, rows.every(), told.believed)
    tried, broken = _try_again()
    _, wrong_afterwards = _wrong_rows(before, rows.every(), told.believed)
    text = log.read_text()
    lines = Counter(_ENDS_OF_TRACEBACKS.findall(text) + _BROKEN_PARSERS.findall(text))
    for line in [each for each in lines if any(of in each for of in _LONG_QUERY)]:
        del lines[line]
    told.bad += [*wrong, *broken, *(f"afterwards: {each}" for each in wrong_afterwards)]
    told.bad += [f"the books: {breach}" for breach in invariants.check()]
    told.bad += [f"the server's log, {n} times: {line[:200]}" for line, n in lines.most_common(10)]
    return figures | {"tried_again": tried}


def run(plan: argparse.Namespace, root: Path, url: str) -> dict[str, Any]:
    """Send until the time is over; return what was found."""
    folder, port, signers = root / "data", house.free_port(), _signers()
    log = plan.log or root / "log"
    _set_up(folder, url, port, signers)
    import django  # noqa: PLC0415 - its settings read the environment that was just made

    django.setup()
    from django.db import connections  # noqa: PLC0415
    from kit import rows  # noqa: PLC0415

    seed = plan.seed or int(time.time())
    numbers = _place_orders()
    strangers = [name for signer in signers.values() for name in signer.IDS]
    strangers += [number for of_one in numbers.values() for number in of_one]
    maker = Maker(random.Random(seed), _places(signers), numbers, strangers)
    print(f"  seed {seed}, {plan.database}; signed for: {', '.join(sorted(signers))}", flush=True)
    told, before = Told(), rows.every()
    connections.close_all()
    command = server_command(Options("127.0.0.1", port, folder, reset=False))
    with house.process(command, dict(os.environ), log) as server:
        house.wait_until_ready(port, server, log)
        seconds = asyncio.run(_fuzz(plan, port, maker, told))
        # What was refused is counted once a second.
        time.sleep(2)
        if server.poll() is not None:
            told.bad.append("the server has ended")
    figures = _judge(told, before, log)
    requests = sum(sum(of_one.values()) for of_one in told.statuses.values())
    return {
        "bench": "fuzz_notices",
        "seed": seed,
        "database": plan.database,
        "seconds": round(seconds, 1),
        "requests": requests,
        "per_second": round(requests / seconds, 1),
        "believed": told.believed,
        "by_address": {path: _sorted(told.statuses[path]) for path in sorted(told.statuses)},
        "by_way": {way: _sorted(told.ways[way]) for way in sorted(told.ways)},
        "slowest_ms": {path: round(s * 1000) for path, s in sorted(told.slowest.items())},
        "slowest_page_ms": round(told.slowest_page * 1000),
        **figures,
        "bad": told.bad,
    }


def _sorted(statuses: Counter[int]) -> dict[str, int]:
    names = {-1: "silent", 0: "hung up"}
    return {names.get(status, str(status)): count for status, count in sorted(statuses.items())}


def show(found: dict[str, Any]) -> None:
    """Print the figures for people."""
    print(f"  {found['requests']} requests, {found['per_second']} a second")
    for path, statuses in found["by_address"].items():
        said = ", ".join(f"{status}: {count}" for status, count in statuses.items())
        print(
            f"  {path.removeprefix(_START):<22} slowest {found['slowest_ms'][path]:>6} ms   {said}"
        )
    for way, statuses in found["by_way"].items():
        print(f"  {way:<16} {', '.join(f'{s}: {count}' for s, count in statuses.items())}")
    print(f"  a guest's page meanwhile: slowest {found['slowest_page_ms']} ms")
    print(f"  refused and counted {found['refused']}, believed {found['believed']},", end=" ")
    print(f"kept {found['kept']} ({found['kept_states']}), tried again {found['tried_again']}")
    print(f"  compared: {found['rows']} rows of {found['tables']} tables")
    for line in found["bad"]:
        print(f"  BAD {line}")


def main() -> None:
    """Fuzz; end with one line of JSON; exit 1 when something bad was found."""
    plan = read_plan()
    with (
        tempfile.TemporaryDirectory(prefix="diandian-fuzz-", ignore_cleanup_errors=True) as path,
        database_url(plan.database, Path(path) / "data", "fuzz") as url,
    ):
        found = run(plan, Path(path), url)
    show(found)
    print(json.dumps(found, ensure_ascii=False))
    sys.exit(1 if found["bad"] else 0)


if __name__ == "__main__":
    main()
