"""What the design promises by number and no other file here shows.

R1 to R5: ``test_forgery``. R7: ``test_actions``. R11: a refund moves money alone, ``flows``.
"""

from datetime import date

import pytest
from django.db import transaction

from diandian.registry import actions, queries
from diandian.registry.errors import BatchNotOpenError, NotEnoughCreditsError
from diandian.registry.invariants import check
from diandian.registry.models import Allocation, Lane, Retirement
from tests.registry.builders import AT, LATER, TONNE, hold, make_batch, make_project, request

pytestmark = pytest.mark.django_db


def retire(owner_ref, **facts):
    return actions.retire_many([request(owner_ref, **facts)], at=AT)[0]


def test_r6_the_parts_of_a_project_add_up_whatever_happened_to_them():
    project = make_project()
    served = make_batch(project, 10, buffer_g=2 * TONNE, sale_lanes=2)
    frozen = make_batch(project, 3, at=LATER)
    make_batch(project, 5, is_ex_ante=True)
    hold(project, 1_500_000, "order:1")
    retire("order:1")
    hold(project, 400_000, "order:2")
    actions.commit_hold("order:2")
    hold(project, 300_000, "order:3")
    actions.cancel(batch=served, mass_g=700_000, reason="error", source_ref="c:1")
    actions.cancel(batch=served, mass_g=900_000, reason="fire", source_ref="c:2", from_buffer=True)
    actions.freeze(frozen, "documents")
    actions.release("order:3")
    stock = queries.stock(project)
    assert stock == {
        "issued_g": 18 * TONNE,
        "available_g": 5_400_000,
        "blocked_g": 8 * TONNE,
        "held_g": 400_000,
        "retired_g": 1_500_000,
        "cancelled_g": 1_600_000,
        "buffer_g": 1_100_000,
    }
    assert sum(grams for name, grams in stock.items() if name != "issued_g") == stock["issued_g"]
    assert check() == []


def test_r8_a_retirement_may_span_batches_and_each_range_names_its_own_vintage():
    project = make_project()
    old = make_batch(
        project,
        vintage_year=2024,
        period_start=date(2024, 1, 1),
        period_end=date(2024, 12, 31),
        at=AT,
    )
    young = make_batch(project, at=LATER)
    make_batch(at=AT)  # another project's, as old as the oldest
    hold(project, 1_250_000, "order:1")
    retirement = retire("order:1")
    ranges = queries.ranges_of(retirement)
    assert [(each.batch, each.vintage_year, each.mass_g) for each in ranges] == [
        (old.public_id, 2024, TONNE),
        (young.public_id, 2025, 250_000),
    ]
    assert retirement.vintage_year == 2024
    assert {each.batch_row.project_id for each in ranges} == {project.id}


def test_r9_what_is_held_of_a_frozen_batch_waits_and_may_be_given_back():
    batch = make_batch()
    for owner in ("order:1", "order:2"):
        hold(batch.project, 1000, owner)
    actions.freeze(batch, "documents")
    actions.commit_hold("order:1")  # paid meanwhile: the money is taken, the grams wait
    with pytest.raises(BatchNotOpenError) as refusal:
        retire("order:1")
    assert refusal.value.retryable
    assert actions.release("order:2")
    assert not Retirement.objects.exists()
    actions.thaw(batch, "in order")
    assert retire("order:1").mass_g == 1000
    assert check() == []


def test_r9_one_frozen_batch_of_two_stops_the_whole_retirement():
    project = make_project()
    one, two = make_batch(project, at=AT), make_batch(project, at=LATER)
    hold(project, 1_500_000, "order:1")
    actions.freeze(two, "documents")
    with pytest.raises(BatchNotOpenError), transaction.atomic():
        retire("order:1")
    assert Lane.objects.get(batch=one).held_g == TONNE
    assert not Allocation.objects.filter(kind="retire").exists()


def test_r9_frozen_grams_can_still_be_cancelled():
    batch = make_batch()
    actions.freeze(batch, "withdrawn upstream")
    actions.cancel(batch=batch, mass_g=TONNE, reason="withdrawn", source_ref="c:1")
    stock = queries.stock(batch.project)
    assert (stock["cancelled_g"], stock["blocked_g"]) == (TONNE, 0)
    assert check() == []


def test_r11_released_grams_are_free_and_retired_ones_never_again():
    batch = make_batch()
    hold(batch.project, 600_000, "order:1")
    retire("order:1")
    assert actions.release("order:1") is False
    assert queries.available_g(batch.project_id) == 400_000


def test_r12_a_retirement_is_replaced_from_grams_for_sale_in_parts_where_need_be():
    batch = make_batch(tonnes=2, buffer_g=TONNE)
    hold(batch.project, 300_000, "order:1")
    first = retire("order:1")
    hold(batch.project, 300_000, "recall:1")
    second = retire("recall:1", replaces_id=first.id)
    hold(batch.project, 300_000, "recall:2")
    third = retire("recall:2", replaces_id=first.id)
    assert queries.replacements_of(first) == [second.public_id, third.public_id]
    with pytest.raises(NotEnoughCreditsError):  # the buffer is not for sale
        hold(batch.project, 200_000, "recall:3")
