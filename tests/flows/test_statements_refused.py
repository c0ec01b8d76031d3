"""Statements that are none, crashes and repeats: nothing half-stored, nothing twice (row 39)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from diandian.flows import differences as people
from diandian.flows import reconcile
from diandian.payments.messages import Pending, Rejected, Unknown
from diandian.reconciliation.errors import (
    DayIsClosedError,
)
from diandian.reconciliation.models import DayState, MatchItem, StatementFile, StatementRow
from tests.flows.statements import (
    FEES,
    TEN,
    answered,
    bought,
    later,
    outcomes,
    sandbox,
    the_day,
    told,
    turn,
)

pytestmark = pytest.mark.django_db(transaction=True)


# -- statements that are no statements -----------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "problem"),
    [
        (Rejected("not_ready", retryable=True), "not_ready"),
        (Unknown("the file fails its digest"), "unknown: the file fails its digest"),
        (Pending(), "pending"),
    ],
)
def test_a_refused_statement_is_seen_and_fetched_again(world, outcome, problem):
    bought(world)
    with answered(outcome):
        turn()
        day = the_day()
        assert (day.state, day.problem, day.attempts) == (DayState.WAITING, problem, 1)
        assert day.next_attempt_at == TEN + timedelta(minutes=5)
        assert turn(later(minutes=4)) == 0
        assert turn(later(minutes=5)) == 1
        assert the_day().next_attempt_at == TEN + timedelta(minutes=20)
    assert StatementFile.objects.count() == StatementRow.objects.count() == 0
    turn(later(minutes=20))
    assert (the_day().state, the_day().problem) == (DayState.CLOSED, "")


@pytest.mark.parametrize("change", [{"sha256": "0" * 64}, {"day": date(2026, 11, 21)}])
def test_another_file_than_asked_for_is_refused_whole(world, monkeypatch, change):
    bought(world)
    fetch = reconcile.gateways.fetch_statement

    def other(merchant, day, kind, *, at):
        outcome = fetch(merchant, day, kind, at=at)
        return replace(outcome, value=replace(outcome.value, **change))

    monkeypatch.setattr(reconcile.gateways, "fetch_statement", other)
    turn()
    assert the_day().problem in {"digest", "other_day"}
    assert StatementRow.objects.count() == 0


def test_a_file_that_is_cut_off_or_forged_is_not_read(world, monkeypatch):
    from diandian.payments.gateways.sandbox import statement_peer

    bought(world)
    whole = statement_peer._file
    monkeypatch.setattr(statement_peer, "_file", lambda rows: whole(rows)[:-3])
    turn()
    assert the_day().problem.startswith("unknown: the statement is not whole")
    monkeypatch.setattr(statement_peer, "_file", whole)
    signed = type(world.peer).is_signed
    monkeypatch.setattr(type(world.peer), "is_signed", lambda *_: False)
    turn(later(hours=1))
    assert the_day().problem == "unknown: the statement fails its signature"
    monkeypatch.setattr(type(world.peer), "is_signed", signed)
    turn(later(days=1))
    assert the_day().state == DayState.CLOSED


def test_one_kind_that_is_missing_leaves_the_other_unmatched(world):
    bought(world)
    fetch = reconcile.gateways.fetch_statement

    def half(merchant, day, kind, *, at):
        return fetch(merchant, day, kind, at=at) if kind == "trades" else Rejected("not_ready")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reconcile.gateways, "fetch_statement", half)
        turn()
    assert (the_day().state, StatementFile.objects.count()) == (DayState.WAITING, 1)
    assert MatchItem.objects.count() == 0
    turn(later(hours=1))
    assert the_day().state == DayState.CLOSED


# -- crashes and repeats -------------------------------------------------------------------------


def test_a_crash_between_fetch_and_match_loses_nothing(world, crash):
    bought(world)
    mend = crash(reconcile, "match_day")
    turn()
    assert (the_day().state, the_day().problem) == (DayState.WAITING, "error")
    files = StatementFile.objects.count()
    mend()
    turn(later(minutes=5))
    assert the_day().state == DayState.CLOSED
    assert StatementFile.objects.count() == files == 2


def test_a_crash_between_fees_and_classes_books_no_fee_twice(world, crash):
    bought(world)
    mend = crash(reconcile.actions, "store_match")
    turn()
    assert (world.balance(FEES), MatchItem.objects.count()) == (5, 0)
    mend()
    turn(later(minutes=5))
    assert (world.balance(FEES), the_day().state) == (5, DayState.CLOSED)


def test_the_same_file_again_changes_nothing(world):
    bought(world)
    stranger = "DD261122STRANGER"
    with told(lambda lines: [*lines, replace(lines[0], our_no=stranger, gateway_ref="strange")]):
        turn()
        before = list(MatchItem.objects.order_by("id").values())
        for days in range(1, 3):
            assert reconcile.work_on(the_day(), afresh=True, at=later(days=days))
    assert list(MatchItem.objects.order_by("id").values()) == before
    assert StatementFile.objects.count() == 2
    assert world.balance(FEES) == 5


def test_a_mended_file_with_another_fee_is_for_people(world):
    bought(world)
    extra = "DD261122STRANGER"
    with told(lambda lines: [*lines, replace(lines[0], our_no=extra, gateway_ref="strange")]):
        turn()

    def dearer(lines):
        return [
            replace(each, gross_minor=-9, net_minor=-9) if each.kind == "fee" else each
            for each in lines
        ]

    with told(dearer, kinds=("funds",)):
        reconcile.work_on(the_day(), afresh=True, at=later(days=1))
    assert ("fee", "fee_diff", "booked_otherwise") in outcomes(kind="funds")
    assert (world.balance(FEES), the_day().state) == (5, DayState.OPEN)


def test_a_closed_day_stays(world):
    bought(world)
    turn()
    with pytest.raises(DayIsClosedError):
        reconcile.match_day(the_day(), sandbox(), at=later(days=1))
    with pytest.raises(DayIsClosedError):
        people.look_again(the_day().id, actor_ref="operator:li", at=later(days=1))
