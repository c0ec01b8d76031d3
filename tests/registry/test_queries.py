import pytest

from diandian.kernel.errors import NotFoundError
from diandian.registry import actions, queries
from diandian.registry.models import CreditBatch
from diandian.registry.stock import may_serve
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


def retire(project, mass_g, owner_ref, **facts):
    hold(project, mass_g, owner_ref)
    return actions.retire_many([request(owner_ref, **facts)], at=AT)[0]


def evidence(batch, first, last, reference, **facts):
    return actions.record_upstream(
        batch=batch,
        first_serial=first,
        last_serial=last,
        reference=reference,
        retired_at=AT,
        evidence_sha256="ab" * 32,
        **facts,
    )


def test_a_range_names_serials_and_places_inside_them():
    batch = make_batch(serial_text="A-000120~000129")
    retire(batch.project, 250_000, "order:1")
    (piece,) = queries.ranges_of(retire(batch.project, 1_137_000, "order:2"))
    assert (piece.start_g, piece.end_g, piece.mass_g) == (250_000, 1_387_000, 1_137_000)
    assert (piece.serial_first, piece.offset_first_g) == ("A-000120", 250_000)
    assert (piece.serial_last, piece.offset_last_g) == ("A-000121", 387_000)
    assert piece.vintage_year == 2025


def test_a_range_that_ends_with_a_tonne_does_not_touch_the_next():
    batch = make_batch(serial_text="A-1~3")
    (piece,) = queries.ranges_of(retire(batch.project, TONNE, "order:1"))
    assert (piece.serial_last, piece.offset_last_g) == ("A-1", TONNE)


def test_native_credits_are_retired_by_our_own_record():
    batch = make_batch()
    ranges = queries.ranges_of(retire(batch.project, 1000, "order:1"))
    assert queries.upstream_state(ranges).state == "retired"
    assert queries.upstream_state([]).state == "held"


def test_outside_credits_are_held_until_every_touched_tonne_is_retired_there():
    batch = make_batch(serial_text="A-1~9", custody="external")
    ranges = queries.ranges_of(retire(batch.project, 2_000_001, "order:1"))
    assert queries.upstream_state(ranges).state == "held"
    evidence(batch, 1, 2, "R-1")
    assert queries.upstream_state(ranges).state == "held"
    evidence(batch, 3, 9, "R-2", is_simulated=True, registry_url="https://registry.example/r2")
    state = queries.upstream_state(ranges)
    assert (state.state, state.reference, state.is_simulated) == ("retired", "R-1; R-2", True)
    assert state.evidence_sha256 == "ab" * 32
    first = queries.ranges_of(retire(batch.project, 1000, "order:2"))
    assert queries.upstream_state(first).reference == "R-2"


@pytest.mark.parametrize("state", ["draft", "open", "frozen", "exhausted", "closed"])
@pytest.mark.parametrize("is_ex_ante", [False, True])
@pytest.mark.parametrize("verified_by", ["", "Somebody"])
@pytest.mark.parametrize("verified_on", [None, AT.date()])
def test_the_filter_and_the_rule_agree_on_who_may_serve(
    state, is_ex_ante, verified_by, verified_on
):
    batch = make_batch()
    facts = {
        "state": state,
        "is_ex_ante": is_ex_ante,
        "verified_by": verified_by,
        "verified_on": verified_on,
    }
    CreditBatch.objects.filter(id=batch.id).update(**facts)
    batch.refresh_from_db()
    assert (queries.available_g(batch.project_id) > 0) == may_serve(batch)
    assert bool(queries.vintage_by_project([batch.project_id])) == may_serve(batch)


def test_the_register_pages_and_its_totals_agree():
    one, two = make_batch().project, make_batch().project
    for number in range(5):
        retire(one, 1000, f"order:1{number}", context_ref="scene:1")
    for number in range(3):
        retire(two, 2000, f"order:2{number}", holder_kind="organisation")
    shown, before_id = [], None
    while page := queries.retirements(limit=3, before_id=before_id):
        shown += page
        before_id = page[-1].id
    assert len(shown) == 8
    assert [row.id for row in shown] == sorted((row.id for row in shown), reverse=True)
    assert queries.retirement_totals() == (8, sum(row.mass_g for row in shown)) == (8, 11_000)
    for filters, expected in (
        ({"project": one}, (5, 5000)),
        ({"context_ref": "scene:1"}, (5, 5000)),
        ({"holder_kind": "organisation"}, (3, 6000)),
        ({"vintage_year": 2025}, (8, 11_000)),
        ({"vintage_year": 2024}, (0, 0)),
        ({"project": two, "context_ref": "scene:1"}, (0, 0)),
    ):
        assert queries.retirement_totals(**filters) == expected
        assert len(queries.retirements(**filters)) == expected[0]


def test_a_public_record_says_everything_but_the_name():
    batch = make_batch(serial_text="A-1~3")
    record = queries.public_record(retire(batch.project, 1000, "order:1"))
    assert record["mass_g"] == 1000
    assert record["ranges"] == [
        {
            "batch": batch.public_id,
            "start_g": 0,
            "end_g": 1000,
            "mass_g": 1000,
            "serial_first": "A-1",
            "serial_last": "A-1",
            "offset_first_g": 0,
            "offset_last_g": 1000,
            "vintage_year": 2025,
        }
    ]
    assert record["upstream_state"] == "retired"
    assert not {"subject", "salt", "beneficiary", "display_name", "source_ref"} & record.keys()


def test_many_records_cost_few_queries(django_assert_max_num_queries):
    project = make_batch().project
    for number in range(10):
        retire(project, 1000, f"order:{number}")
    with django_assert_max_num_queries(3):
        assert len(queries.public_records(queries.retirements())) == 10


def test_batches_show_their_serials_and_stock():
    project = make_project()
    old = make_batch(project, tonnes=3, serial_text="A-1~3", buffer_g=500_000)
    new = make_batch(project, serial_text="B-01~01", at=LATER)
    hold(project, 1000, "order:1")
    retire(project, 2000, "order:2")
    first, second = queries.batch_stocks(project)
    assert (first.batch, first.serial_first, first.serial_last) == (old, "A-1", "A-3")
    assert (second.batch, second.serial_first) == (new, "B-01")
    assert (first.stock.held_g, first.stock.retired_g, first.stock.buffer_g) == (
        1000,
        2000,
        500_000,
    )
    total = queries.stock(project)
    assert total["issued_g"] == 4 * TONNE == sum(total.values()) - total["issued_g"]


def test_what_is_not_there_is_not_found():
    with pytest.raises(NotFoundError):
        queries.project_by_code("nowhere")
    with pytest.raises(NotFoundError):
        queries.retirement_by_public_id("0" * 32)
    project = make_project(is_active=False)
    assert queries.project_by_code(project.code) == project
    assert project not in queries.projects()
    assert project in queries.projects(active_only=False)
