import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from diandian.registry import actions, queries
from diandian.registry.errors import (
    AlreadyRetiredError,
    HoldGoneError,
    HoldMismatchError,
    NotEnoughCreditsError,
)
from diandian.registry.invariants import check
from diandian.registry.models import (
    Allocation,
    BatchState,
    Beneficiary,
    Holding,
    Lane,
    Retirement,
)
from diandian.registry.rules import subject_commit
from tests.registry.builders import (
    AT,
    LATER,
    TONNE,
    hold,
    make_batch,
    make_project,
    request,
)

pytestmark = pytest.mark.django_db


def statements(captured: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in captured if not query["sql"].startswith(("SAVEPOINT", "REL"))]


def test_held_grams_are_not_free_and_come_back():
    batch = make_batch()
    assert hold(batch.project, 400_000, "order:1")[0].mass_g == 400_000
    assert queries.available_g(batch.project_id) == 600_000
    assert actions.release("order:1") is True
    assert actions.release("order:1") is False
    assert queries.available_g(batch.project_id) == TONNE


def test_holding_twice_is_holding_once():
    batch = make_batch()
    first, again = hold(batch.project, 1000, "order:1"), hold(batch.project, 1000, "order:1")
    assert [row.id for row in first] == [row.id for row in again]
    assert queries.available_g(batch.project_id) == TONNE - 1000
    with pytest.raises(HoldMismatchError):
        hold(batch.project, 2000, "order:1")


def test_a_released_owner_may_hold_again():
    batch = make_batch()
    for mass_g in (1000, 2000, 3000):
        hold(batch.project, mass_g, "order:1")
        actions.release("order:1")
    hold(batch.project, 4000, "order:1")
    assert queries.available_g(batch.project_id) == TONNE - 4000
    assert Holding.objects.count() == 1
    assert check() == []


def test_the_refusal_says_what_is_left_and_leaves_the_caller_free():
    batch = make_batch()
    with transaction.atomic():
        with pytest.raises(NotEnoughCreditsError) as refusal:
            hold(batch.project, TONNE + 1, "order:1")
        assert refusal.value.available_g == TONNE
        assert "1000 kg" in str(refusal.value)
        hold(batch.project, TONNE, "order:2")
    assert queries.available_g(batch.project_id) == 0
    assert not queries.holds_of("order:1")


def test_the_last_gram_sells_and_then_no_more():
    batch = make_batch()
    hold(batch.project, TONNE - 1, "order:1")
    hold(batch.project, 1, "order:2")
    with pytest.raises(NotEnoughCreditsError) as refusal:
        hold(batch.project, 1, "order:3")
    assert refusal.value.available_g == 0
    actions.retire_many([request("order:2"), request("order:1")], at=AT)
    batch.refresh_from_db()
    assert batch.state == BatchState.EXHAUSTED
    assert queries.stock(batch.project)["retired_g"] == TONNE
    assert check() == []


def test_a_hold_may_span_lanes_and_batches_oldest_first():
    project = make_project()
    young = make_batch(project, at=LATER)
    old = make_batch(project, tonnes=2, sale_lanes=2, at=AT, vintage_year=2025)
    holdings = hold(project, 2_500_000, "order:1")
    taken = {(row.lane.batch_id, row.mass_g) for row in holdings}
    assert taken == {(old.id, TONNE), (young.id, 500_000)}
    assert len(holdings) == 3
    retirement = actions.retire_many([request("order:1")], at=AT)[0]
    ranges = queries.ranges_of(retirement)
    assert sum(piece.mass_g for piece in ranges) == retirement.mass_g == 2_500_000
    assert {piece.batch for piece in ranges} == {old.public_id, young.public_id}
    assert check() == []


def test_other_projects_are_left_alone():
    one, two = make_batch(), make_batch()
    hold(one.project, TONNE, "order:1")
    assert queries.available_by_project([one.project_id, two.project_id, 0]) == {
        one.project_id: 0,
        two.project_id: TONNE,
        0: 0,
    }


def test_a_paid_hold_stays_when_unpaid_ones_go():
    batch = make_batch()
    hold(batch.project, 1000, "order:1")
    hold(batch.project, 2000, "order:2")
    actions.commit_hold("order:1")
    actions.commit_hold("order:1")
    assert queries.expired_holds(LATER) == ["order:2"]
    assert queries.expired_holds(AT) == []
    assert actions.release("order:1", unless_committed=True) is False
    assert actions.release("order:2", unless_committed=True) is True
    with pytest.raises(HoldGoneError):
        actions.commit_hold("order:2")
    with pytest.raises(HoldGoneError):
        actions.commit_hold("order:3")


def test_retiring_uses_the_hold_and_keeps_the_name_apart():
    batch = make_batch()
    hold(batch.project, 124_000, "order:1")
    actions.commit_hold("order:1")
    retirement = actions.retire(
        owner_ref="order:1",
        source_ref="order:1:retirement",
        subject={"display_name": "林晚"},
        purpose="trip",
        context_ref="scene:1",
        at=AT,
    )
    beneficiary = Beneficiary.objects.get(retirement=retirement)
    assert subject_commit(beneficiary.salt, {"display_name": "林晚"}) == retirement.subject_commit
    assert "林晚" not in str(queries.public_record(retirement))
    lane = Lane.objects.get(batch=batch)
    assert (lane.cursor, lane.held_g) == (124_000, 0)
    assert check() == []


def test_retiring_twice_is_retiring_once():
    batch = make_batch()
    hold(batch.project, 1000, "order:1")
    first = actions.retire_many([request("order:1")], at=AT)
    assert actions.retire_many([request("order:1")], at=LATER) == first
    with pytest.raises(AlreadyRetiredError):
        actions.retire_many([request("order:1", source_ref="another")], at=AT)
    with pytest.raises(AlreadyRetiredError):
        hold(batch.project, 1000, "order:1")
    with pytest.raises(AlreadyRetiredError):
        actions.commit_hold("order:1")
    assert actions.release("order:1") is False
    assert queries.stock(batch.project)["retired_g"] == 1000


def test_nothing_held_is_nothing_retired():
    batch = make_batch()
    hold(batch.project, 1000, "order:1")
    actions.release("order:1")
    for owner_ref in ("order:1", "order:2"):
        with pytest.raises(HoldGoneError):
            actions.retire_many([request(owner_ref)], at=AT)
    assert Retirement.objects.count() == 0


def test_one_bad_order_stops_the_others_before_anything_is_written():
    batch = make_batch()
    hold(batch.project, 1000, "order:1")
    with pytest.raises(HoldGoneError) as refusal:
        actions.retire_many([request("order:1"), request("order:2")], at=AT)
    assert refusal.value.params["owner_ref"] == "order:2"
    assert Retirement.objects.count() == 0
    assert actions.retire_many([request("order:1")], at=AT)[0].mass_g == 1000


def test_a_source_reference_serves_one_owner():
    batch = make_batch()
    hold(batch.project, 1000, "order:1")
    hold(batch.project, 1000, "order:2")
    actions.retire_many([request("order:1", source_ref="same")], at=AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        actions.retire_many([request("order:2", source_ref="same")], at=AT)
    assert queries.stock(batch.project)["retired_g"] == 1000


def test_many_are_retired_in_their_order_without_a_gap():
    batch = make_batch()
    masses_g = [1000, 7000, 1, 250_000]
    owners = [f"order:{number}" for number in range(4)]
    for owner, mass_g in zip(owners, masses_g, strict=True):
        hold(batch.project, mass_g, owner)
    retirements = actions.retire_many([request(owner) for owner in reversed(owners)], at=AT)
    ranges = queries.ranges_of_many(retirements)
    assert [row.mass_g for row in retirements] == masses_g[::-1]
    spans = [(piece.start_g, piece.end_g) for row in retirements for piece in ranges[row.id]]
    assert spans == [(0, 250_000), (250_000, 250_001), (250_001, 257_001), (257_001, 258_001)]


def test_retiring_tells_the_exact_grams_also_when_asked_again():
    batch = make_batch(tonnes=2, sale_lanes=2)
    for owner, mass_g in (("order:1", 900_000), ("order:2", 300_000), ("order:3", 5_000)):
        hold(batch.project, mass_g, owner)
    asked = [request(f"order:{number}") for number in (3, 1, 2)]
    retirements, ranges = actions.retire_all(asked, at=AT)
    assert ranges == queries.ranges_of_many(retirements)
    assert [len(ranges[row.id]) for row in retirements] == [1, 1, 2]
    assert actions.retire_all(asked, at=LATER) == (retirements, ranges)


@pytest.mark.parametrize("orders", [1, 100])
def test_retiring_costs_few_statements_whatever_the_number(orders):
    batch = make_batch(tonnes=2)
    owners = [f"order:{number}" for number in range(orders)]
    for owner in owners:
        hold(batch.project, 1000, owner)
    with CaptureQueriesContext(connection) as captured:
        actions.retire_many([request(owner) for owner in owners], at=AT)
    found = statements(captured)
    assert len(found) <= 8
    hot = [number for number, sql in enumerate(found) if sql.startswith("UPDATE registry_lane")]
    assert len(hot) == 1
    assert all("registry_allocation" in sql for sql in found[hot[0] + 1 :])


def test_holding_touches_the_lane_last():
    batch = make_batch()
    with CaptureQueriesContext(connection) as captured:
        hold(batch.project, 1000, "order:1")
    found = statements(captured)
    # On PostgreSQL the owner's own lock comes first.
    assert len(found) == (5 if connection.vendor == "postgresql" else 4)
    assert found[-1].startswith('UPDATE "registry_lane"')


def test_retiring_outside_a_transaction_is_refused(transactional_db):
    batch = make_batch()
    hold(batch.project, 1000, "order:1")
    with pytest.raises(AssertionError, match="transaction"):
        actions.retire_many([request("order:1")], at=AT)


def test_forgetting_a_name_keeps_the_proof():
    batch = make_batch()
    hold(batch.project, 1000, "order:1")
    retirement = actions.retire_many([request("order:1")], at=AT)[0]
    before = queries.public_record(retirement)
    assert actions.erase_beneficiary(retirement) is True
    assert actions.erase_beneficiary(retirement) is False
    beneficiary = Beneficiary.objects.get(retirement=retirement)
    assert (beneficiary.subject, beneficiary.salt) == (None, "")
    assert queries.public_record(retirement) == before
    assert check() == []


def test_a_replacement_names_what_it_replaces():
    batch = make_batch()
    hold(batch.project, 1000, "order:1")
    first = actions.retire_many([request("order:1")], at=AT)[0]
    hold(batch.project, 1000, "recall:1")
    second = actions.retire_many([request("recall:1", replaces_id=first.id)], at=AT)[0]
    assert second.replaces == first
    assert Allocation.objects.filter(kind="retire").count() == 2
