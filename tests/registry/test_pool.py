"""The pool: tonnes of a lane, and slices that tile their range, sold, cut or cancelled."""

from datetime import UTC, date, datetime

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diandian.registry import actions, invariants
from diandian.registry.errors import NotEnoughCreditsError
from diandian.registry.models import Allocation, Lane, Retirement
from diandian.registry.pool import actions as pool
from diandian.registry.pool import queries
from diandian.registry.pool.tonnes import Used, rest_g, shared_g, used_tonnes
from tests.registry.builders import make_project

T = 1_000_000
AT = datetime(2026, 11, 1, tzinfo=UTC)
TONNES = 4


@pytest.mark.pure
@pytest.mark.parametrize(
    ("cursor", "cancelled", "outside", "expected"),
    [
        (0, [], [], []),
        (1, [], [], [Used(1, 1, T - 1)]),
        (T, [], [], [Used(1, T, 0)]),
        (T + 5, [], [], [Used(1, T, 0), Used(2, 5, T - 5)]),
        (T + 5, [], [(0, T)], [Used(2, 5, T - 5)]),
        (T + 5, [(0, T)], [], [Used(2, 5, T - 5)]),
        (T + 5, [(T - 3, T + 5)], [], [Used(1, T - 3, 0)]),
        (2 * T + 500, [], [], [Used(1, T, 0), Used(2, T, 0), Used(3, 500, 0)]),
    ],
)
def test_a_lane_is_cut_into_tonnes(cursor, cancelled, outside, expected):
    # The last tonne of this lane is cut by a buffer after 500 grams.
    lane = {"lo": 0, "hi": 2 * T + 500, "cursor": cursor}
    assert list(used_tonnes(**lane, cancelled=cancelled, outside=outside)) == expected


@pytest.mark.pure
@pytest.mark.parametrize(
    ("cursor", "held_g", "tonne", "expected"),
    [
        (300, 0, 1, T - 300),
        (300, 0, 2, 0),
        (T, 0, 1, 0),
        (T, 0, 2, 0),
        (300, 2 * T - 400, 1, 100),
        (300, 2 * T - 300, 1, 0),
    ],
)
def test_the_rest_of_a_tonne_is_what_nobody_has_or_holds(cursor, held_g, tonne, expected):
    assert rest_g(lo=0, hi=2 * T, cursor=cursor, held_g=held_g, tonne=tonne) == expected


@pytest.mark.pure
@given(
    cuts=st.lists(st.integers(0, 50), min_size=2, max_size=12, unique=True),
    window=st.tuples(st.integers(0, 50), st.integers(0, 50)),
)
def test_shared_grams_are_counted_as_one_would_by_hand(cuts, window):
    ordered = sorted(cuts)
    spans = list(zip(ordered[::2], ordered[1::2], strict=False))
    inside = [g for start, end in spans for g in range(start, end) if window[0] <= g < window[1]]
    assert shared_g(spans, *window) == len(inside)


def issue(project, lanes):
    return actions.issue(
        project=project,
        serial_text=f"POOL-1~POOL-{TONNES}",
        vintage_year=2025,
        period_start=date(2025, 1, 1),
        period_end=date(2025, 12, 31),
        custody="external",
        verified_by="Verifier",
        verified_on=date(2026, 1, 31),
        source_ref="pool:test",
        sale_lanes=lanes,
    )


def retire(project, number, mass_g):
    owner = f"order:{number}"
    actions.hold(project_id=project.id, mass_g=mass_g, owner_ref=owner, expires_at=AT)
    actions.retire(
        owner_ref=owner, source_ref=f"{owner}:r", subject={"n": number}, purpose="trip", at=AT
    )


def do(project, batch, number, step):
    """Do one step if the stock allows; what it does not allow changes nothing."""
    what, amount = step
    try:
        if what == "retire":
            retire(project, number, amount)
        elif what == "cancel":
            actions.cancel(batch=batch, mass_g=amount, reason="x", source_ref=f"c:{number}")
        elif what == "hold":
            actions.hold(
                project_id=project.id, mass_g=amount, owner_ref=f"h:{number}", expires_at=AT
            )
    except NotEnoughCreditsError:
        return
    if what == "complete":
        for tonne in queries.only_held():
            pool.complete(lane_id=tonne.lane_id, tonne=tonne.number, at=AT)
    elif what == "outside":
        tonne = amount % TONNES + batch.serial_block.first
        if not batch.upstream_retirements.filter(first_serial=tonne).exists():
            actions.record_upstream(
                batch=batch,
                first_serial=tonne,
                last_serial=tonne,
                reference=f"R-{tonne}",
                retired_at=AT,
                evidence_sha256="0" * 64,
            )


def by_hand(batch):
    """Count every sold gram of every range, and those in tonnes retired outside."""
    proofs = [
        ((row.first_serial - 1) * T, row.last_serial * T)
        for row in batch.upstream_retirements.all()
    ]
    sold = [(row.start_g, row.end_g) for row in Allocation.objects.filter(kind="retire")]
    retired_g = sum(shared_g(proofs, *span) for span in sold)
    return sum(end - start for start, end in sold), retired_g, len(proofs) * T


steps = st.lists(
    st.tuples(
        st.sampled_from(["retire", "retire", "retire", "cancel", "hold", "complete", "outside"]),
        st.integers(1, 1_400_000),
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.django_db
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lanes=st.integers(1, 3), steps=steps)
def test_slices_tile_their_range_and_the_pool_is_their_sum(lanes, steps):
    with transaction.atomic():
        project = make_project()
        batch = issue(project, lanes)
        for number, step in enumerate(steps):
            do(project, batch, number, step)
            found = queries.pools([project]).get(project.id, queries.Pool())
            assert (found.sold_g, found.retired_g) == by_hand(batch)[:2]
            assert found.retired_g <= by_hand(batch)[2]
            sold_g, retired_g, _ = by_hand(batch)
            assert found.gauge_permille == (retired_g * 1000 // sold_g if sold_g else None)
            for tonne in queries.only_held():
                assert 0 < tonne.sold_g <= T - tonne.rest_g
        spans = sorted(
            (row.start_g, row.end_g) for row in Allocation.objects.exclude(kind="genesis")
        )
        for lane in Lane.objects.order_by("lo"):
            at = lane.lo
            for start_g, end_g in [span for span in spans if lane.lo <= span[0] < lane.hi]:
                assert start_g == at
                at = end_g
            assert at == lane.cursor
        # At most one tonne of a lane is open, and each was completed once at most.
        open_ = [tonne.lane_id for tonne in queries.only_held() if tonne.rest_g]
        assert len(open_) == len(set(open_)) <= lanes
        refs = [row.source_ref for row in Retirement.objects.filter(holder_kind="platform")]
        assert len(refs) == len(set(refs))
        assert invariants.check() == []
        transaction.set_rollback(True)
