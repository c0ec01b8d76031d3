"""Fills an empty database with certificates of one batch, recalls it, and looks at every one.

The certificates are made in bulk, from the record of the sample certificate: only what belongs to
one of them differs. Retirements go through the registry, so that all its guards hold.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command

AT_ONCE = 256
MASS_G = 124_000
AT = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
TEXTS = {"zh-Hans": "测试用。", "en": "For a bench.", "nl": "Voor een meting."}


def names(text: str) -> dict[str, str]:
    """Return a name in every language."""
    return {"zh-Hans": text, "en": text, "nl": text}


def make_stock(count: int, replaced_percent: int) -> tuple[Any, Any]:
    """Issue the batch that will be recalled, and one that can replace a part of it."""
    from diandian.orders import actions as orders  # noqa: PLC0415 - after Django's set-up
    from diandian.registry import actions as registry  # noqa: PLC0415

    programme = registry.create_programme(
        code="BENCH", names=names("Bench"), level="city", is_simulated=True
    )
    project = registry.create_project(
        programme=programme,
        code="bench",
        names=names("Bench"),
        category_names=names("Solar"),
        place_names=names("Nowhere"),
        descriptions=names("For a bench."),
        supplier_names=names("Nobody"),
        supplier_ref="nobody",
        kind="solar",
        methodology_code="M-1",
        country="CN",
        region="CN-SC",
        latitude=Decimal(30),
        longitude=Decimal(104),
        is_sample=True,
    )
    orders.set_offer(
        project=project,
        currency="CNY",
        price_per_tonne_minor=6000,
        fee_basis_points=700,
        fee_minimum_minor=60,
        position=0,
        at=AT,
    )
    batches = []
    for number, grams in enumerate((count * MASS_G, count * MASS_G * replaced_percent // 100)):
        batches.append(
            registry.issue(
                project=project,
                serial_text=f"B{number}-000001~{-(-grams // 1_000_000):06d}",
                vintage_year=2025,
                period_start=date(2025, 1, 1),
                period_end=date(2025, 12, 31),
                custody="native",
                source_ref=f"bench:{number}",
                verified_by="Nobody",
                verified_on=date(2026, 1, 1),
                is_sample=True,
                at=AT + timedelta(days=number),
            )
        )
    return project, batches[0]


def make_orders(project: Any, first: int, count: int) -> list[Any]:  # noqa: ANN401 - a row
    """Write completed orders with their quotes."""
    from diandian.orders.models import Offer, Order, Quote  # noqa: PLC0415

    offer = Offer.objects.get()
    facts = {"currency": "CNY", "supplier_minor": 744, "fee_minor": 60, "total_minor": 804}
    quotes = Quote.objects.bulk_create(
        [
            Quote(
                token=f"q{number}",
                offer=offer,
                mass_g=MASS_G,
                created_at=AT,
                expires_at=AT,
                **facts,
            )
            for number in range(first, first + count)
        ]
    )
    return Order.objects.bulk_create(
        [
            Order(
                token=f"o{quote.id}",
                quote=quote,
                project=project,
                mass_g=MASS_G,
                state="completed",
                language="zh-Hans",
                body_sha256="0" * 64,
                created_at=AT,
                completed_at=AT,
            )
            for quote in quotes
        ]
    )


def make_certificates(project: Any, batch: Any, count: int) -> None:  # noqa: ANN401
    """Retire and certify, portion by portion."""
    from django.db import transaction  # noqa: PLC0415

    from diandian.certificates import actions as certificates  # noqa: PLC0415
    from diandian.certificates.record import range_of  # noqa: PLC0415
    from diandian.kernel import tokens  # noqa: PLC0415
    from diandian.registry import actions as registry  # noqa: PLC0415
    from diandian.registry import queries  # noqa: PLC0415
    from diandian.registry.models import Lane  # noqa: PLC0415
    from diandian.registry.recalls.actions import hold_pieces  # noqa: PLC0415
    from diandian.registry.recalls.rules import Piece  # noqa: PLC0415

    sample = Path(certificates.__file__).parent / "designs" / "sample_record.json"
    record = json.loads(sample.read_text())
    assert record["mass_g"] == MASS_G, "the sample has another mass"
    lane = Lane.objects.get(batch=batch)
    piece = Piece(project.id, ((lane.id, MASS_G),))
    for first in range(0, count, AT_ONCE):
        with transaction.atomic():
            orders = make_orders(project, first, min(AT_ONCE, count - first))
            hold_pieces([(order.ref, piece) for order in orders], expires_at=AT)
            made = registry.retire_many(
                [
                    registry.RetireRequest(
                        owner_ref=order.ref,
                        source_ref=f"{order.ref}:retirement",
                        subject={"display_name": "林晚", "order": order.ref},
                        purpose="trip",
                        is_sample=True,
                    )
                    for order in orders
                ],
                at=AT,
            )
            ranges = queries.ranges_of_many(made)
            wanted = []
            for order, row in zip(orders, made, strict=True):
                code = tokens.new_code()
                own = {
                    "code": code,
                    "verify_url": f"https://bench.example/v/{code}",
                    "retirement": row.public_id,
                    "subject_commit": row.subject_commit,
                    "ranges": [range_of(part) for part in ranges[row.id]],
                }
                wanted.append(certificates.Issue(row, order.ref, record | own))
            certificates.issue(wanted, at=AT)


def look(recall: Any, count: int, sample: int) -> dict[str, Any]:  # noqa: ANN401
    """Check that the set is complete, that the numbers add up, and some certificates whole."""
    from diandian.certificates import keys, queries  # noqa: PLC0415
    from diandian.certificates.models import Certificate  # noqa: PLC0415
    from diandian.registry import invariants  # noqa: PLC0415
    from diandian.registry.recalls.queries import totals_of  # noqa: PLC0415
    from diandian.verifier import certificate as record_check  # noqa: PLC0415
    from diandian.verifier import credential  # noqa: PLC0415

    totals = totals_of(recall)
    assert totals.retirements == totals.answered == count, totals
    assert totals.affected_g == count * MASS_G, totals
    assert totals.waiting_g == 0, totals
    newest = Certificate.objects.filter(state="current")
    assert newest.filter(version=2).count() == newest.count() == count
    assert Certificate.objects.filter(version=1, state="superseded").count() == count
    states: Counter[str] = Counter()
    for number, row in enumerate(newest.iterator(chunk_size=500)):
        record = queries.record_of(row)
        states[record["state"]] += 1
        if number % max(1, count // sample) == 0:
            assert credential.verify(row.credential, keys.public_key()) == []
            assert record_check.check(record) == [], record_check.check(record)
    assert set(states) <= {"remedied", "short"}, states
    assert invariants.check() == []
    return {
        **dict(states),
        "replaced_g": totals.replaced_g,
        "short_g": totals.short_g,
        "complete": sum(states.values()) == count,
    }


def main() -> None:
    """Do all of it; end with one line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificates", type=int, required=True)
    parser.add_argument("--replaced", type=int, required=True)
    given = parser.parse_args()
    django.setup()
    call_command("migrate", verbosity=0, skip_checks=True)
    from diandian.flows import recall  # noqa: PLC0415

    began = time.perf_counter()
    project, batch = make_stock(given.certificates, given.replaced)
    make_certificates(project, batch, given.certificates)
    made_s = time.perf_counter() - began
    print(f"  {given.certificates:,} certificates made in {made_s:.0f} s", flush=True)
    opened = recall.open_recall(
        batch, kind="invalid", reason="bench", texts=TEXTS, opened_by="operator:A"
    )
    began, cpu = time.perf_counter(), time.process_time()
    running = recall.approve(opened, approved_by="operator:B")
    portions = recall.work_all()
    took, used = time.perf_counter() - began, time.process_time() - cpu
    running.refresh_from_db()
    assert running.state == "done"
    print(f"  recalled in {took:.1f} s, {portions} commits", flush=True)
    found = look(running, given.certificates, 200)
    print(json.dumps({"seconds": round(took, 1), "cpu_seconds": round(used, 1), **found}))


if __name__ == "__main__":
    sys.exit(main())
