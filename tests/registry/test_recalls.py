"""The room's own rules of recalls: plans, what is left of a range, and invariants that notice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.registry import actions
from diandian.registry.invariants import check
from diandian.registry.models import Recall, Remedy
from diandian.registry.recalls import rules
from diandian.registry.recalls.actions import approve, finish, open_recall
from tests.registry.builders import AT, hold, make_batch, request

TEXTS = {"zh-Hans": "一", "en": "a", "nl": "een"}
_SPANS = st.tuples(st.integers(0, 50), st.integers(1, 50)).map(lambda s: (s[0], s[0] + s[1]))


@given(st.lists(_SPANS, max_size=5), _SPANS)
def test_what_is_left_is_what_was_there_and_not_taken(spans, gone):
    left = rules.without(spans, gone)
    wanted = sorted(g for s in spans for g in range(*s) if not gone[0] <= g < gone[1])
    assert sorted(g for s in left for g in range(*s)) == wanted


@given(st.lists(st.integers(0, 9), max_size=6), st.integers(1, 40), st.booleans())
def test_a_plan_takes_the_nearest_and_never_more_than_there_is(frees_g, mass_g, whole):
    lots = [rules.Lot(i, i % 3, i // 2, AT, free_g) for i, free_g in enumerate(frees_g)]
    pieces = rules.replace(lots, mass_g, whole=whole)
    taken_g = sum(piece.mass_g for piece in pieces)
    wanted_g = min(mass_g, sum(frees_g))
    assert taken_g == (0 if whole and wanted_g < mass_g else wanted_g)
    assert [lot.free_g for lot in lots] == _left(frees_g, taken_g)
    assert len({piece.project_id for piece in pieces}) == len(pieces)


def _left(frees_g, taken_g):
    left = []
    for free_g in frees_g:
        take_g = min(free_g, taken_g)
        taken_g -= take_g
        left.append(free_g - take_g)
    return left


@given(st.integers(0, 20), st.lists(_SPANS, max_size=5))
def test_a_covered_stretch_has_no_gap(start, spans):
    end = rules.covered_until(start, spans)
    inside = {g for s in spans for g in range(*s)}
    assert all(g in inside for g in range(start, end))
    assert end not in inside


@pytest.mark.django_db
def test_invariants_notice_what_a_recall_forgot_or_counted_wrongly():
    batch = make_batch()
    hold(batch.project, 300_000, "guest:1")
    [row] = actions.retire_many([request("guest:1")], at=AT)
    facts = {"kind": "invalid", "reason": "test", "texts": TEXTS, "at": AT}
    recall = approve(
        open_recall(batch=batch, opened_by="operator:A", **facts), approved_by="operator:B", at=AT
    )
    assert check() == []
    with pytest.raises(AssertionError, match="has its answer"):
        finish(recall, at=AT)
    Recall.objects.update(state="done")
    assert [breach.rule for breach in check()] == ["R12"]
    facts = {"recall": recall, "retirement": row, "root": row, "outcome": "short", "at": AT}
    Remedy.objects.create(step=1, affected_g=300_000, remedied_g=0, short_g=299_999, **facts)
    assert [breach.rule for breach in check()] == ["R12"]
