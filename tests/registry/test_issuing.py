from datetime import date

import pytest

from diandian.audit.queries import trail
from diandian.registry import actions, queries
from diandian.registry.errors import (
    BatchNotOpenError,
    CancelledDifferentlyError,
    EvidenceError,
    IssuanceError,
    IssuedDifferentlyError,
    NotEnoughCreditsError,
    SerialOverlapError,
)
from diandian.registry.invariants import check
from diandian.registry.models import Allocation, BatchState, CreditBatch, Lane
from tests.registry.builders import (
    AT,
    TONNE,
    hold,
    make_batch,
    make_programme,
    make_project,
    request,
)

pytestmark = pytest.mark.django_db


def test_an_issuance_becomes_a_batch_with_lanes_and_their_beginnings():
    batch = make_batch(tonnes=10, buffer_g=2 * TONNE, sale_lanes=2)
    lanes = list(Lane.objects.filter(batch=batch).order_by("lo"))
    assert [(lane.kind, lane.lo, lane.hi) for lane in lanes] == [
        ("sale", 0, 4 * TONNE),
        ("sale", 4 * TONNE, 8 * TONNE),
        ("buffer", 8 * TONNE, 10 * TONNE),
    ]
    assert batch.total_g == 10 * TONNE
    assert batch.state == BatchState.OPEN
    assert Allocation.objects.filter(lane__batch=batch, kind="genesis").count() == 3
    assert queries.available_g(batch.project_id) == 8 * TONNE
    assert check() == []


def test_the_same_issuance_twice_is_one_batch():
    facts = {"serial_text": "A-1~5", "source_ref": "file:1", "project": make_project()}
    assert make_batch(**facts) == make_batch(**facts)
    assert CreditBatch.objects.count() == 1


@pytest.mark.parametrize(
    "change", [{"serial_text": "A-1~6"}, {"custody": "external"}, {"buffer_g": TONNE}]
)
def test_the_same_source_with_other_facts_is_refused(change):
    facts = {"serial_text": "A-1~5", "source_ref": "file:1", "project": make_project()}
    make_batch(**facts)
    with pytest.raises(IssuedDifferentlyError):
        make_batch(**(facts | change))


@pytest.mark.parametrize("written", ["A-1~5", "A-5~9", "a-0003~0004", "A-1~100"])
def test_serials_that_are_on_record_are_refused(written):
    make_batch(serial_text="A-1~5")
    with pytest.raises(SerialOverlapError):
        make_batch(serial_text=written)
    assert CreditBatch.objects.count() == 1


def test_neighbours_and_other_prefixes_and_programmes_are_free():
    make_batch(serial_text="A-1~5")
    make_batch(serial_text="A-6~9")
    make_batch(serial_text="B-1~5")
    elsewhere = make_project(programme=make_programme(code="OTHER"))
    make_batch(serial_text="A-1~5", project=elsewhere)
    assert CreditBatch.objects.count() == 4


@pytest.mark.parametrize(
    "facts",
    [
        {"period_start": date(2025, 6, 1), "period_end": date(2025, 5, 1)},
        {"vintage_year": 2024},
        {"buffer_g": TONNE},
        {"buffer_g": -1},
        {"tonnes": 1_099_512, "serial_text": "A-1~1099512"},
    ],
)
def test_facts_that_contradict_each_other_are_refused(facts):
    with pytest.raises(IssuanceError):
        make_batch(**({"tonnes": 1} | facts))
    assert CreditBatch.objects.count() == 0


def test_the_largest_batch_fits():
    batch = make_batch(serial_text="A-1~1099511")
    assert queries.available_g(batch.project_id) == 1_099_511 * TONNE


@pytest.mark.parametrize(
    "facts", [{"is_ex_ante": True}, {"verified_by": ""}, {"verified_on": None}]
)
def test_unverified_and_future_reductions_never_sell(facts):
    batch = make_batch(**facts)
    assert batch.state == BatchState.DRAFT
    assert queries.available_g(batch.project_id) == 0
    with pytest.raises(NotEnoughCreditsError) as refusal:
        hold(batch.project, 1000, "order:1")
    assert refusal.value.available_g == 0


def test_an_unknown_numbering_is_refused():
    with pytest.raises(IssuanceError):
        make_programme(code="NEW", serial_parser="roman")


def test_outside_evidence_fits_the_batch_and_comes_once():
    batch = make_batch(serial_text="A-11~20", custody="external")
    evidence = {
        "batch": batch,
        "first_serial": 11,
        "last_serial": 15,
        "reference": "R-1",
        "retired_at": AT,
        "evidence_sha256": "ab" * 32,
    }
    first = actions.record_upstream(**evidence)
    assert actions.record_upstream(**evidence) == first
    for change in (
        {"first_serial": 15, "last_serial": 16},  # 15 is recorded already
        {"reference": "R-2"},
        {"first_serial": 10, "last_serial": 10},
        {"first_serial": 16, "last_serial": 21},
        {"first_serial": 18, "last_serial": 17},
    ):
        with pytest.raises(EvidenceError):
            actions.record_upstream(**(evidence | change))


def test_cancelled_grams_are_gone_and_come_off_the_sale():
    batch = make_batch(tonnes=2, sale_lanes=2)
    first = actions.cancel(batch=batch, mass_g=1_500_000, reason="error", source_ref="cancel:1")
    again = actions.cancel(batch=batch, mass_g=1_500_000, reason="error", source_ref="cancel:1")
    assert [row.id for row in first] == [row.id for row in again]
    stock = queries.stock(batch.project)
    assert (stock["cancelled_g"], stock["available_g"]) == (1_500_000, 500_000)
    with pytest.raises(CancelledDifferentlyError):
        actions.cancel(batch=batch, mass_g=1, reason="error", source_ref="cancel:1")
    assert [entry.action for entry in trail(f"batch:{batch.public_id}")] == ["batch.cancelled"]
    assert check() == []


def test_held_grams_cannot_be_cancelled_under_their_owner():
    batch = make_batch(tonnes=1)
    hold(batch.project, 400_000, "order:1")
    with pytest.raises(NotEnoughCreditsError) as refusal:
        actions.cancel(batch=batch, mass_g=600_001, reason="error", source_ref="cancel:1")
    assert refusal.value.available_g == 600_000
    actions.cancel(batch=batch, mass_g=600_000, reason="error", source_ref="cancel:2")
    kept = actions.retire_many([request("order:1")], at=AT)[0]
    assert [(piece.start_g, piece.end_g) for piece in queries.ranges_of(kept)] == [
        (600_000, 1_000_000)
    ]
    batch.refresh_from_db()
    assert batch.state == BatchState.EXHAUSTED
    assert check() == []


def test_a_reversal_uses_the_buffer_and_only_the_buffer():
    batch = make_batch(tonnes=4, buffer_g=TONNE)
    reversal = {"batch": batch, "reason": "fire", "from_buffer": True}
    links = actions.cancel(mass_g=300_000, source_ref="reversal:1", **reversal)
    assert [(row.kind, row.start_g) for row in links] == [("reversal", 3 * TONNE)]
    with pytest.raises(NotEnoughCreditsError):
        actions.cancel(mass_g=700_001, source_ref="reversal:2", **reversal)
    stock = queries.stock(batch.project)
    assert (stock["buffer_g"], stock["cancelled_g"], stock["available_g"]) == (
        700_000,
        300_000,
        3 * TONNE,
    )
    assert check() == []


def test_a_frozen_batch_neither_holds_nor_retires_until_it_thaws():
    batch = make_batch()
    hold(batch.project, 1000, "order:1")
    actions.freeze(batch, "documents under review")
    with pytest.raises(NotEnoughCreditsError):
        hold(batch.project, 1000, "order:2")
    with pytest.raises(BatchNotOpenError):
        actions.retire_many([request("order:1")], at=AT)
    stock = queries.stock(batch.project)
    assert (stock["available_g"], stock["blocked_g"]) == (0, 999_000)
    assert check() == []
    actions.thaw(batch, "documents are in order")
    assert actions.retire_many([request("order:1")], at=AT)[0].mass_g == 1000
    found = [entry.action for entry in trail(f"batch:{batch.public_id}")]
    assert found == ["batch.frozen", "batch.open"]


def test_thawing_opens_nothing_that_may_not_serve():
    batch = make_batch(is_ex_ante=True)
    actions.freeze(batch, "review")
    actions.thaw(batch, "done")
    assert batch.state == BatchState.DRAFT
