"""Many connections at once: the hot lane, the trail and the outbox."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from diandian.audit import actions as audit
from diandian.audit.models import AuditEntry, OutboxEvent
from diandian.audit.queries import verify_chain
from diandian.flows import issuance
from diandian.kernel.errors import DiandianError
from diandian.registry import actions, queries
from diandian.registry.errors import (
    EvidenceError,
    HoldGoneError,
    NotEnoughCreditsError,
    SerialOverlapError,
)
from diandian.registry.invariants import check
from diandian.registry.models import CreditBatch, Holding, SerialBlock, UpstreamRetirement
from tests.registry.builders import AT, LATER, TONNE, make_batch, make_project, request

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]
THREADS = 16


def together(work, items):
    """Run work on all items from many connections; returns results, refusals as themselves."""

    def one(item):
        try:
            return work(item)
        except (DiandianError, IntegrityError) as refusal:
            return refusal

    starting = Barrier(THREADS)

    def thread(part):
        starting.wait(30)
        try:
            return [one(item) for item in part]
        finally:
            connection.close()

    items = list(items)
    parts = [items[number::THREADS] for number in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        return [result for results in pool.map(thread, parts) for result in results]


def hold_for(project, mass_g):
    def work(number):
        with transaction.atomic():
            return actions.hold(
                project_id=project.id,
                mass_g=mass_g,
                owner_ref=f"order:{number}",
                expires_at=LATER,
            )

    return work


def test_500_people_race_for_the_last_10_kg():
    project = make_batch().project
    actions.cancel(
        batch=CreditBatch.objects.get(), mass_g=TONNE - 10_000, reason="test", source_ref="c:1"
    )
    results = together(hold_for(project, 1000), range(500))
    won = [result for result in results if isinstance(result, list)]
    lost = [result for result in results if isinstance(result, NotEnoughCreditsError)]
    assert (len(won), len(lost)) == (10, 490)
    assert queries.available_g(project.id) == 0
    assert check() == []


def test_the_tail_sells_to_the_last_gram_across_lanes():
    project = make_project()
    for _ in range(3):
        make_batch(project, tonnes=2, sale_lanes=2)
    # 6 t in pieces of 70 kg: 85 of them, and 50 kg are left in some lane's tail.
    results = together(hold_for(project, 70_000), range(120))
    assert sum(isinstance(result, list) for result in results) == 85
    assert queries.available_g(project.id) == 50_000
    hold_for(project, 50_000)("the rest")
    assert check() == []


def test_retiring_and_releasing_at_once_uses_each_hold_once():
    project = make_batch(tonnes=3, sale_lanes=3).project
    for number in range(60):
        hold_for(project, 47_000)(number)

    def settle(item):
        number, kind = item
        if kind == "release":
            return actions.release(f"order:{number}")
        with transaction.atomic():
            return actions.retire_many([request(f"order:{number}")], at=AT)[0]

    wishes = [(number, kind) for number in range(60) for kind in ("retire", "release", "retire")]
    results = together(settle, wishes)
    assert not [result for result in results if isinstance(result, OperationalError)]
    retired = {result.source_ref for result in results if hasattr(result, "source_ref")}
    released = sum(result is True for result in results)
    assert len(retired) + released == 60
    assert all(
        isinstance(result, HoldGoneError) or result is False or hasattr(result, "source_ref")
        for result in results
        if result is not True
    )
    assert queries.retirement_totals() == (len(retired), 47_000 * len(retired))
    assert check() == []


def test_many_writers_retire_in_groups_without_a_gap():
    project = make_batch(tonnes=2, sale_lanes=2).project
    for number in range(96):
        hold_for(project, 20_000)(number)
    groups = [range(start, start + 6) for start in range(0, 96, 6)]

    def retire(group):
        with transaction.atomic():
            return actions.retire_many([request(f"order:{number}") for number in group], at=AT)

    results = together(retire, groups)
    assert sum(len(result) for result in results) == 96
    assert queries.stock(project)["retired_g"] == 96 * 20_000
    assert check() == []


def test_one_owner_holds_once_however_often_asked():
    project = make_batch(tonnes=2, sale_lanes=2).project
    together(lambda _: hold_for(project, 600_000)("one"), range(64))
    assert sum(row.mass_g for row in Holding.objects.all()) == 600_000
    assert check() == []


def test_an_owner_whose_hold_was_released_holds_once_again():
    project = make_batch(tonnes=2, sale_lanes=2).project
    for _ in range(5):
        together(lambda _: hold_for(project, 600_000)("one"), range(16))
        live = Holding.objects.filter(state__in=queries.LIVE_HOLDS)
        assert sum(row.mass_g for row in live) == 600_000
        assert check() == []
        actions.release("order:one")
    assert queries.available_g(project.id) == 2 * TONNE


def evidence(batch, first, last):
    return {
        "batch": batch,
        "first_serial": first,
        "last_serial": last,
        "reference": f"R-{first}",
        "retired_at": AT,
        "evidence_sha256": "ab" * 32,
    }


def test_tonnes_are_retired_outside_once_at_many_desks():
    batch = make_batch(serial_text="A-1~40", custody="external")
    spans = [(first, 20) for first in range(1, 17)]
    results = together(lambda span: actions.record_upstream(**evidence(batch, *span)), spans)
    assert sum(isinstance(result, UpstreamRetirement) for result in results) == 1
    assert sum(isinstance(result, EvidenceError) for result in results) == 15
    assert UpstreamRetirement.objects.count() == 1


def test_the_same_evidence_entered_at_many_desks_is_told_once():
    batch = make_batch(serial_text="A-1~40", custody="external")
    outside = issuance.OutsideRetirement(
        first_tonne=1, last_tonne=2, reference="R-1", retired_at=AT
    )
    together(lambda _: issuance.record_outside(batch, outside, actor_ref="op:1"), range(16))
    assert UpstreamRetirement.objects.count() == 1
    assert AuditEntry.objects.filter(action="batch.retired_outside").count() == 1


def test_the_database_itself_refuses_evidence_that_overlaps():
    batch = make_batch(serial_text="A-1~40", custody="external")
    spans = [(first, 20) for first in range(1, 17)]
    results = together(
        lambda span: UpstreamRetirement.objects.create(**evidence(batch, *span)), spans
    )
    assert sum(isinstance(result, UpstreamRetirement) for result in results) == 1


def test_overlapping_serials_are_entered_once():
    project = make_project()
    numbers = count(1)

    def issue(_):
        with transaction.atomic():
            return make_batch(project, serial_text="RACE-1~5", source_ref=f"race:{next(numbers)}")

    results = together(issue, range(32))
    assert sum(isinstance(result, CreditBatch) for result in results) == 1
    refused = [result for result in results if not isinstance(result, CreditBatch)]
    assert all(isinstance(result, SerialOverlapError | IntegrityError) for result in refused)
    assert SerialBlock.objects.count() == 1


def test_the_database_itself_refuses_overlaps_that_race():
    programme = make_project().programme

    def insert(number):
        # Each overlaps every other, and no two begin at the same serial.
        return SerialBlock.objects.create(
            programme=programme, prefix="R-", first=number + 1, last=100, raw="R"
        )

    results = together(insert, range(32))
    assert sum(isinstance(result, SerialBlock) for result in results) == 1


def test_the_trail_never_forks():
    def note(number):
        return audit.record(actor_ref="user:1", action="x", subject_ref=f"thing:{number}")

    together(note, range(200))
    assert AuditEntry.objects.count() == 200
    assert verify_chain() is None


def test_an_event_is_claimed_by_one_worker():
    for number in range(100):
        audit.publish(kind="x", key=f"event:{number}")
    claimed = together(lambda _: audit.claim_events(["x"], 7), range(32))
    ids = [event.id for events in claimed for event in events]
    assert sorted(ids) == sorted(OutboxEvent.objects.values_list("id", flat=True))
