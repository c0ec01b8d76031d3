"""Grams are sold, tonnes are retired: the open tonne is completed by us by its promised day."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction

from diandian.audit import queries as audit
from diandian.certificates import queries as certificates
from diandian.flows import batches, close, invariants, log_fill, pool, promises, sales
from diandian.flows.issuance import OutsideRetirement, record_outside
from diandian.ledger import chart
from diandian.ledger.models import Journal
from diandian.orders.models import Offer
from diandian.registry import actions as registry
from diandian.registry.models import Allocation, CreditBatch, Lane, Retirement
from diandian.transparency import queries as log

pytestmark = pytest.mark.django_db

DUE = date(2026, 12, 6)


@pytest.fixture
def batch(world):
    """Put three tonnes on sale that an outside registry keeps, and nothing else."""
    registry.freeze(CreditBatch.objects.get(), "only the outside tonnes sell in this test")
    issued = registry.issue(
        project=world.project,
        serial_text="OUTSIDE-001~OUTSIDE-003",
        vintage_year=2025,
        period_start=date(2025, 1, 1),
        period_end=date(2025, 12, 31),
        custody="external",
        verified_by="Verifier",
        verified_on=date(2026, 1, 31),
        source_ref="test:outside",
    )
    log_fill.fill()
    return issued


def bought(world, mass_g):
    order = world.order(mass_g, is_vouched_for=True)
    assert world.pay(order) == "completed"
    return order


def retire_outside(batch, first, last, day=23):
    outside = OutsideRetirement(
        first_tonne=first,
        last_tonne=last,
        reference=f"R-{first}",
        retired_at=datetime(2026, 11, day, 12, tzinfo=UTC),
        is_simulated=True,
    )
    record_outside(batch, outside, actor_ref="operator:test")
    promises.follow_all()


def one():
    [due] = pool.tonnes()
    return due


def test_the_open_tonne_is_known_with_serial_rest_due_day_and_cost(world, batch):
    bought(world, 300_000)
    due = one()
    assert (due.tonne.number, due.tonne.serial) == (1, "OUTSIDE-001")
    assert (due.tonne.sold_g, due.tonne.rest_g) == (300_000, 700_000)
    assert (due.due, due.completed_on) == (DUE, date(2026, 12, 3))
    assert due.cost.amount_minor == 4200  # 0.7 t at CNY 60.00, without our fee
    assert not due.is_asked_for(date(2026, 12, 2))
    assert due.is_asked_for(date(2026, 12, 3))


def test_we_buy_the_rest_when_its_day_nears_and_the_books_say_so(world, batch):
    bought(world, 300_000)
    assert pool.complete_due(at=world.later(days=9)) == 0
    at = world.later(days=11)
    assert pool.complete_due(at=at) == 1
    made = Retirement.objects.get(holder_kind="platform")
    assert (made.mass_g, made.purpose, made.source_ref) == (
        700_000,
        "completion",
        f"pool:{batch.public_id}:1",
    )
    assert world.balance(chart.cost_of_credits("CNY")) == 4200
    payable = chart.supplier_payable("CNY", world.project.supplier_ref)
    assert world.balance(payable) == -(1800 + 4200)
    [entry] = [e for e in audit.trail(f"batch:{batch.public_id}") if e.action == "tonne.completed"]
    assert entry.details["cost"] == "42.00 CNY"
    assert one().tonne.rest_g == 0
    assert log.places_of([f"retire:{made.public_id}"])
    closing = close.close(actor="platform", at=at)
    assert closing.found() == []
    cash = closing.books.cash["CNY"]
    assert (cash.put_in, cash.left_minor) == (4200, 0)


def test_completing_again_changes_nothing(world, batch):
    bought(world, 300_000)
    at = world.later(days=11)
    tonne = one().tonne
    assert pool.complete_tonne(tonne, at=at) is not None
    assert pool.complete_tonne(tonne, at=at) is None
    assert pool.complete_due(at=at) == 0
    bought(world, 100_000)
    assert pool.complete_tonne(tonne, at=at) is None
    assert Retirement.objects.filter(holder_kind="platform").count() == 1
    assert Journal.objects.filter(kind="completion").count() == 1


def test_a_full_tonne_is_asked_for_at_once_and_costs_us_nothing(world, batch):
    bought(world, 1_000_000)
    due = one()
    assert (due.tonne.rest_g, due.cost) == (0, None)
    assert due.is_asked_for(date(2026, 11, 22))
    assert pool.complete_due(at=world.later(days=13)) == 0


def test_certificates_follow_once_the_whole_tonne_is_retired(world, batch):
    order = bought(world, 300_000)
    pool.complete_due(at=world.later(days=11))
    assert certificates.record_of(certificates.of_order(order.ref))["state"] == "held"
    retire_outside(batch, 1, 1)
    assert certificates.record_of(certificates.of_order(order.ref))["state"] == "retired"
    assert pool.tonnes() == []
    assert invariants.check() == []


def test_grams_that_somebody_holds_are_left_to_them(world, batch):
    bought(world, 300_000)
    world.order(2_600_000, is_vouched_for=True)
    assert pool.complete_due(at=world.later(days=11)) == 1
    assert Retirement.objects.get(holder_kind="platform").mass_g == 100_000
    lane = Lane.objects.get(batch=batch)
    assert (lane.cursor, lane.held_g) == (400_000, 2_600_000)


def test_what_may_not_serve_is_not_completed(world, batch):
    bought(world, 300_000)
    registry.freeze(batch, "under review")
    assert pool.complete_due(at=world.later(days=11)) == 0
    assert not Retirement.objects.filter(holder_kind="platform").exists()


def test_nothing_is_completed_while_sales_are_stopped(world, batch):
    bought(world, 300_000)
    sales.stop(["R6"], actor_ref="platform", at=world.now)
    assert pool.complete_due(at=world.later(days=11)) == 0


def test_without_any_price_the_rest_is_retired_and_nothing_booked(world, batch):
    bought(world, 300_000)
    Offer.objects.all().update(is_active=False)
    assert pool.complete_due(at=world.later(days=11)) == 1
    assert Journal.objects.filter(kind="completion").count() == 1, "the last price counts"


def test_tonnes_retired_at_their_origin_need_no_completion(world, batch):
    retire_outside(batch, 1, 2)
    bought(world, 300_000)
    assert pool.tonnes() == []
    assert pool.complete_due(at=world.later(days=20)) == 0


def test_the_command_lists_completes_and_fails_when_late(world, batch, clock):
    bought(world, 300_000)
    out = StringIO()
    call_command("tonnes", stdout=out)
    assert "Open, to be completed later:" in out.getvalue()
    assert "by 2026-12-06" in out.getvalue()
    clock.move_to(world.later(days=12))
    out = StringIO()
    call_command("tonnes", stdout=out)
    assert "1 tonnes were completed at our cost." in out.getvalue()
    assert f"{batch.public_id} tonne 1  OUTSIDE-001  1,000,000 g sold" in out.getvalue()
    clock.move_to(world.later(days=16))
    with pytest.raises(SystemExit):
        call_command("tonnes", stdout=StringIO(), stderr=StringIO())
    retire_outside(batch, 1, 1)
    out = StringIO()
    call_command("tonnes", stdout=out)
    assert "Every tonne that is sold from is retired at its origin." in out.getvalue()


def recomputed(project):
    """Tell the pool from each single range, as an outsider would from the register."""
    sold_g = retired_g = 0
    for row in Allocation.objects.filter(lane__batch__project=project, kind="retire"):
        batch = row.lane.batch
        sold_g += row.end_g - row.start_g
        if batch.custody == "native":
            retired_g += row.end_g - row.start_g
            continue
        for proof in batch.upstream_retirements.all():
            start = (proof.first_serial - batch.serial_block.first) * 1_000_000
            end = (proof.last_serial - batch.serial_block.first + 1) * 1_000_000
            retired_g += max(0, min(end, row.end_g) - max(start, row.start_g))
    return sold_g, retired_g


def test_the_gauge_is_what_single_ranges_add_up_to(world, batch):
    [empty] = pool.by_class()
    assert (empty.programme, empty.pool.gauge_permille) == ("TEST", None)
    bought(world, 1_300_000)
    batches.cancel(
        batch.public_id, mass_g=200_000, reason="x", source_ref="c:1", actor_ref="operator:test"
    )
    bought(world, 600_000)
    [found] = pool.by_class()
    assert (found.pool.sold_g, found.pool.retired_g) == recomputed(world.project) == (1_900_000, 0)
    assert found.pool.held_g == 1_900_000
    retire_outside(batch, 2, 2)
    [found] = pool.by_class()
    assert (found.pool.sold_g, found.pool.retired_g) == recomputed(world.project)
    # Tonne 2 is sold but for 200 kg that were cancelled: 800 of 1900 kg are retired.
    assert (found.pool.retired_g, found.pool.gauge_permille) == (800_000, 421)
    assert found.pool.outside_g == 1_000_000


def test_a_commit_that_fails_leaves_no_half_completion(world, batch, crash):
    bought(world, 300_000)
    mend = crash(pool.ledger_actions, "post")
    with pytest.raises(RuntimeError), transaction.atomic():
        pool.complete_tonne(one().tonne, at=world.later(days=11))
    mend()
    assert not Retirement.objects.filter(holder_kind="platform").exists()
    assert pool.complete_due(at=world.later(days=11) + timedelta(hours=1)) == 1
