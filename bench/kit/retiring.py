"""The writer's side of ``./run bench retire``: one hot batch, the holds, and the commit.

A retirement is what the allocator commits for one paid order: its journal and transfers, the
retirement with its beneficiary, its link of the chain, its hold settled, and its entry in the
public log. Certificates, orders and boards are the other figure (``kit.fulfilling``).
"""

from __future__ import annotations

import time
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F

from diandian.flows import fulfil, log_check, log_entries
from diandian.kernel.clock import now
from diandian.kernel.collector import collector_held
from diandian.kernel.money import Money
from diandian.ledger import actions as ledger_actions
from diandian.ledger import invariants as ledger_invariants
from diandian.ledger import rules as ledger_rules
from diandian.ledger.actions import JournalRequest
from diandian.registry import actions as registry_actions
from diandian.registry import invariants as registry_invariants
from diandian.registry.actions import RetireRequest
from diandian.registry.models import CreditBatch, Holding, HoldState, Lane, Retirement
from diandian.registry.queries import lanes_of
from diandian.store.inserts import InsertMany
from diandian.store.running import pipelined
from diandian.transparency import actions as log_actions
from kit import clients, filling
from kit.machine import cpu_seconds_of

if TYPE_CHECKING:
    from collections.abc import Sequence

TONNES = 1_000_000
SERIALS = f"CDCER-SAMPLE-BENCH-0000001~{TONNES}"
SUPPLIER = "sample-supplier"
_HOLDS = InsertMany(Holding, "owner_ref", "mass_g", shared=("lane_id", "state", "expires_at"))
_PORTION = 10_000


@transaction.atomic
def _enter(batch: CreditBatch) -> None:
    log_actions.append_many([log_entries.issued(batch, lanes_of(batch))], at=batch.issued_at)


def make_batch() -> int:
    """Make the tables, one project and one large batch; return its lane."""
    call_command("migrate", verbosity=0)
    text = {"zh-Hans": "样本", "en": "Sample", "nl": "Voorbeeld"}
    programme = registry_actions.create_programme(
        code="SAMPLE", names=text, level="city", is_simulated=True
    )
    project = registry_actions.create_project(
        programme=programme,
        code="sample-bench",
        names=text,
        category_names=text,
        place_names=text,
        descriptions=text,
        supplier_names=text,
        supplier_ref=SUPPLIER,
        kind="solar",
        methodology_code="SAMPLE-01",
        country="CN",
        region="CN-SC",
        latitude=Decimal("30.57"),
        longitude=Decimal("104.06"),
        is_sample=True,
    )
    # Its one lane is the hot row of every retirement.
    batch = registry_actions.issue(
        project=project,
        serial_text=SERIALS,
        vintage_year=2025,
        period_start=date(2025, 1, 1),
        period_end=date(2025, 12, 31),
        custody="native",
        source_ref="bench:stock",
        verified_by="Sample verifier",
        verified_on=date(2026, 1, 15),
        is_sample=True,
    )
    _enter(batch)
    # What all guests together paid before, so that the customers' account is never in debt.
    paid = Money(10**15, "CNY")
    ledger_actions.post(
        kind="capture",
        source_ref="bench:paid",
        owner_ref="bench",
        lines=ledger_rules.build_capture(paid, gateway="sandbox", merchant="bench"),
        at=now(),
    )
    return Lane.objects.filter(batch=batch).values_list("id", flat=True)[0]


def hold(lane_id: int, first: int, count: int) -> None:
    """Set grams aside for orders that are about to be paid."""
    until = now() + timedelta(days=1)
    for begin in range(first, first + count, _PORTION):
        numbers = range(begin, min(begin + _PORTION, first + count))
        masses_g = clients.masses_of(numbers)
        with transaction.atomic():
            _HOLDS.along(
                [(f"bench:{n}", mass_g) for n, mass_g in zip(numbers, masses_g, strict=True)],
                lane_id=lane_id,
                state=HoldState.COMMITTED,
                expires_at=until,
            )
            Lane.objects.filter(id=lane_id).update(held_g=F("held_g") + sum(masses_g))


def _sale(number: int, mass_g: int) -> JournalRequest:
    order = f"bench:{number}"
    return JournalRequest(
        kind="sale",
        source_ref=f"{order}:sale",
        owner_ref=order,
        lines=ledger_rules.build_sale(
            supplier=Money(mass_g // 20, "CNY"),
            fee=Money(mass_g // 100, "CNY"),
            supplier_ref=SUPPLIER,
        ),
    )


def _wish(number: int) -> RetireRequest:
    order = f"bench:{number}"
    return RetireRequest(
        owner_ref=order,
        source_ref=f"{order}:retirement",
        subject={"display_name": "林晚", "order": order},
        purpose="trip",
        context_ref="scene:1",
        claim_from=date(2026, 11, 28),
        claim_to=date(2026, 11, 29),
        is_sample=True,
    )


def commit(requests: Sequence[tuple[int, ...]]) -> None:
    """Retire what a commit's requests ask for, as ``flows.fulfil`` does."""
    at = now()
    with collector_held, transaction.atomic(), pipelined():
        sales = [_sale(number, mass_g) for number, mass_g in requests]
        fulfil.book_and_retire(sales, [_wish(number) for number, _ in requests], at=at)


def backend() -> int:
    """Return the process that serves us, 0 where there is none."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def closed(lane_id: int, first: int, count: int, seconds: float, most: int) -> dict[str, Any]:
    """Answer closed loops for a time, at most ``most`` requests; return rate, waits and CPU."""
    hold(lane_id, first, most)
    tidy()
    server = backend()
    before, spent = cpu_seconds_of(server), time.process_time()
    told = clients.closed_loops(
        commit, first=first, last=first + most, clients=count, seconds=seconds
    )
    used_us = (time.process_time() - spent) * 1_000_000
    server_us = (cpu_seconds_of(server) - before) * 1_000_000
    return {
        "per_s": round(told.per_second, 1),
        "answered": len(told.waits_ms),
        "p50_ms": told.wait_ms(0.5),
        "p99_ms": told.wait_ms(0.99),
        "longest_wait_ms": told.wait_ms(1),
        "python_us": round(used_us / len(told.waits_ms), 1),
        "server_us": round(server_us / len(told.waits_ms), 1),
    }


def arrivals(lane_id: int, first: int, per_second: float, seconds: float) -> dict[str, Any]:
    """Answer requests that come evenly at a rate; return how long they waited."""
    hold(lane_id, first, int(per_second * seconds) + 1)
    tidy()
    told = clients.arrivals(commit, first=first, per_second=per_second, seconds=seconds)
    return {"p99_ms": told.wait_ms(0.99), "longest_wait_ms": told.wait_ms(1)}


def tidy() -> None:
    """Leave the tables as a database that has run for a while does: with statistics."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("CHECKPOINT")
        else:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def audit() -> dict[str, Any]:
    """Check every invariant of grams, money and the public log."""
    breaches = [*registry_invariants.check(), *ledger_invariants.check(), *log_check.check()]
    return {"breaches": len(breaches), "first_breach": str(breaches[0]) if breaches else ""}


def weigh() -> dict[str, Any]:
    """Say how large the database and the public log's files are for each retirement."""
    filling.publish()
    count = Retirement.objects.count()
    files = filling.log_files_bytes()
    return {
        "retirements": count,
        "bytes_per_retirement": size() // max(1, count),
        "log_files_bytes_per_retirement": files // max(1, count),
        "all_bytes_per_retirement": (size() + files) // max(1, count),
    }


def size() -> int:
    """Return the bytes of the database."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
        else:
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        return int(cursor.fetchone()[0])
