"""How many retirements from one hot batch the allocator's commit does, beside pgbench's TPC-B.

Clients in a process of their own have one request outstanding each; one writer takes what waits,
up to 256 requests, and answers when they are committed. The writer is the product's own code. On
PostgreSQL the rate is given as a share of TPC-B's, with as many clients, right before and after.
That is the commit alone. Beside it stand whole fulfilments, and paid orders through the intake,
with the worker that takes them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit import intake
from kit.asking import Writer, writer_on
from kit.machine import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CLIENTS = (8, 32)
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
    parser.add_argument(
        "--orders",
        type=int,
        default=1024,
        help="for whole fulfilments, and through the intake; 0: none",
    )
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


def growth(writer: Writer, plan: Plan, beside: Callable[[], float] | None = None) -> dict[str, Any]:
    """Return the rate at 32 clients in a register of each size, and what the log's files cost then.

    The database is its own, so that the smallest size is not passed before it is measured.
    ``beside``: lets the database rest and measures its baseline, before and after each; then the
    share of it is given too, which a noisy machine changes less.
    """
    found: dict[str, Any] = {}
    writer.closed(32, 60, _WARM_UP)
    for size in plan.sizes:
        found[f"retirements_before_{size}"] = writer.step("fill", writer.lane, size)["retirements"]
        writer.step("publish")
        before = beside() if beside else 0.0
        told = writer.closed(32, plan.seconds)
        show(f"after {size}", told)
        found[f"per_s_after_{size}"] = told["per_s"]
        found[f"python_us_after_{size}"] = told["python_us"]
        log = writer.step("publish")
        found[f"log_us_per_entry_after_{size}"] = round(log["seconds"] / log["entries"] * 1e6, 1)
        if beside:
            after = beside()
            ratio = told["per_s"] / ((before + after) / 2)
            print(f"  TPC-B {before:.0f} before, {after:.0f} after: ratio {ratio:.2f}", flush=True)
            found[f"ratio_after_{size}"] = round(ratio, 3)
    if len(plan.sizes) > 1:
        kind = "ratio" if beside else "per_s"
        least, most = (found[f"{kind}_after_{of(plan.sizes)}"] for of in (min, max))
        found["growth_loss"] = round(1 - most / least, 3)
    return found | {f"grown_{key}": value for key, value in finished(writer, plan).items()}


def finished(writer: Writer, plan: Plan) -> dict[str, Any]:
    """Weigh and check everything that was written.

    Raises: SystemExit where an invariant is broken.
    """
    said: dict[str, Any] = writer.step("weigh")
    print(
        f"  {said['retirements']} retirements, {said['bytes_per_retirement']} bytes each,"
        f" and {said['log_files_bytes_per_retirement']} in the log's files",
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

        figures |= {f"postgres_{key}": value for key, value in finished(writer, plan).items()}
        if plan.orders:
            figures |= fulfilments(writer, plan, "postgres")
    if plan.sizes:
        with (
            server.database("tpcb") as tpcb,
            server.database("grow") as name,
            tempfile.TemporaryDirectory(prefix="diandian-bench-") as path,
            writer_on(server.url(name), Path(path)) as writer,
        ):
            server.make_tpcb(tpcb)

            def beside() -> float:
                server.settle(name)
                return server.tpcb(tpcb, plan.tpcb_seconds, 32)

            grown = growth(writer, plan, beside)
            figures |= {f"postgres_{key}": value for key, value in grown.items()}
    if plan.orders:
        with (
            server.database("intake") as name,
            tempfile.TemporaryDirectory(prefix="diandian-bench-") as path,
            writer_on(server.url(name), Path(path), is_bare=True) as writer,
        ):
            figures |= through_intake(writer, plan, "postgres")
    return figures


def on_sqlite(plan: Plan) -> dict[str, Any]:
    """Measure on a SQLite file, with synchronous=FULL as always."""
    print("SQLite:", flush=True)
    figures: dict[str, Any] = {}
    with on_file() as writer:
        writer.closed(32, 60, _WARM_UP)
        found = writer.closed(32, plan.seconds)
        show("32 clients, one batch", found)
        figures |= {f"sqlite_{key}": value for key, value in found.items()}
        quiet = at_10_percent(writer, found["per_s"], plan)
        figures["sqlite_p99_ms_at_10_percent"] = quiet["p99_ms"]
        longest = max(found["longest_wait_ms"], quiet["longest_wait_ms"])
        figures["sqlite_longest_wait_ms"] = longest
        figures |= {f"sqlite_{key}": value for key, value in finished(writer, plan).items()}
        if plan.orders:
            figures |= fulfilments(writer, plan, "sqlite")
    if plan.sizes:
        with on_file() as writer:
            figures |= {f"sqlite_{key}": value for key, value in growth(writer, plan).items()}
    with on_file() as writer:
        writer.closed(32, 60, _WARM_UP)
        two = intake.beside_writer(writer, figures["sqlite_per_s"], plan.seconds)
        figures |= {f"sqlite_{key}": value for key, value in two.items()}
    if plan.orders:
        with on_file(is_bare=True) as writer:
            figures |= through_intake(writer, plan, "sqlite")
    return figures


@contextmanager
def on_file(*, is_bare: bool = False) -> Iterator[Writer]:
    """Start a writer on a SQLite file of its own, which goes at the end."""
    with tempfile.TemporaryDirectory(prefix="diandian-bench-") as path:
        url = f"sqlite://{path}/bench.sqlite3"
        with writer_on(url, Path(path), is_bare=is_bare) as writer:
            yield writer


def through_intake(writer: Writer, plan: Plan, name: str) -> dict[str, Any]:
    """Measure paid orders from the intake to their certificate, on a database of their own.

    Raises: SystemExit where an invariant of grams or money is broken.
    """
    found = intake.measure(writer, plan.orders, plan.seconds)
    said = writer.step("audit")
    if said["breaches"]:
        raise SystemExit(f"The audit failed: {said['first_breach']}")
    return {f"{name}_{key}": value for key, value in found.items()}


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
    losses = [figures[name] for name in figures if name.endswith("_growth_loss")]
    if losses:
        figures["growth_worst_loss"] = max(losses)
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()
