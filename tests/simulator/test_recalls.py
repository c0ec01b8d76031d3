"""What comes seldom, and the worker that dies at each statement of it: recalls, open tonnes."""

import random
from datetime import timedelta
from itertools import count
from unittest import mock

import pytest
from django.db import DatabaseError, connection  # noqa: F401 - asked by the mark

from diandian.flows import pool, remedy
from diandian.flows import recall as work
from diandian.registry.pool import actions as pool_actions
from diandian.registry.recalls import actions as recall_actions
from diandian.registry.recalls import lots, rules
from diandian.registry.recalls import queries as recall_queries
from diandian.registry.sites import actions as sites
from tests.simulator import ground, guests, mutations, recalls, rows, staff, tonnes
from tests.simulator.book import Batch, BreachError, Guest, Quality, Recall
from tests.simulator.crash import Crash, crash_at
from tests.simulator.day import pay
from tests.simulator.history import History

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

NATIVE = Quality(is_native=True)


def issued(history, project, tonnes, buffer_g=0, quality=NATIVE, lanes=1):
    number = len(history.book.batches) + 1
    ref = f"issuance:{number}"
    batch = Batch(ref, project, tonnes, lanes, buffer_g, True, {}, number, quality)
    history.book.batches[ref] = batch
    staff.enter(batch, history)
    history.judge()
    return batch


def sold(history, project, *masses_kg):
    for mass_kg in masses_kg:
        number = len(history.book.guests) + 1
        guest = Guest(f"key-{number}", project, mass_kg * 1_000, f"Guest {number}", "device")
        history.book.guests[guest.key] = guest
        guests.place(history, guest)
        pay(history.stage, guest, ["paid"])
        history.judge()


def recalled(history, batch, kind, *sources):
    last_g = batch.total_g - (batch.buffer_g if kind == "reversal" else 0)
    key = f"sim-{len(history.book.recalls)}"
    wish = Recall(key, batch.source_ref, 0, last_g, kind, sources)
    recalls.open_it(history, batch, wish)
    history.judge()
    wish.is_approved = True
    work.approve(recalls.Row.objects.get(reason=key), approved_by=recalls.OTHER)
    history.judge()


def died_everywhere(history, portion):
    """Let a portion die at each of its statements in turn, until it passes."""
    for moment in count(1):
        try:
            with crash_at(moment):
                portion(history)
        except Crash:
            history.stage.restart()
            if history.look() == history.seen:
                continue  # all of it was rolled back: it was judged before
            history._judged = None
        history.judge()
        break


def portion_of(limit):
    def portion(history):
        before = history.seen
        work.work(limit)
        history.referee.remedies.answered(before, history.look())

    return portion


def retried(history):
    before = history.seen
    work.retry()
    history.referee.remedies.answered(before, history.look(), is_retry=True)


def steps(history):
    return [
        (row.outcome, row.remedied_g, row.short_g, row.root_id != row.retirement_id)
        for row in history.seen.remedies.values()
    ]


def passing(history, portion):
    """Let a portion pass, and judge it."""
    history._do(lambda: portion(history))
    history.judge()


def bad_day(stage, dying=passing):
    """Let a batch go bad, then what stood in for it; return the history, everything answered."""
    history = History(stage)
    bad = issued(history, "sun", 1, 100_000)
    sold(history, "sun", 300, 200, 400)
    good = issued(history, "sun", 1)
    issued(history, "wind", 1)
    issued(history, "sun", 1, quality=Quality())  # only held at its origin
    issued(history, "sun", 1, quality=Quality(vintage=2024, is_native=True))
    kept = Guest("kept", "sun", 550_000, "Kept", "device")
    history.book.guests["kept"] = kept
    guests.place(history, kept)
    history.judge()
    recalled(history, bad, "reversal", "wind")
    dying(history, portion_of(2))
    dying(history, portion_of(256))
    # The buffer, then what is free of the same project, then of the named one.
    assert steps(history) == [
        ("buffer", 100_000, 200_000, False),
        ("replaced", 200_000, 0, False),
        ("replaced", 200_000, 0, False),
        ("replaced", 50_000, 350_000, False),
        ("replaced", 350_000, 0, False),
    ]
    # What stood in goes bad itself, and nothing is left: openly short, until credits come.
    recalled(history, good, "invalid")
    dying(history, portion_of(256))
    assert [step for step in steps(history) if step[3]] == [
        ("short", 0, 200_000, True),
        ("short", 0, 200_000, True),
        ("short", 0, 50_000, True),
    ]
    issued(history, "shade", 1)  # of the same kind
    dying(history, retried)
    assert steps(history)[-3:] == [
        ("replaced", 200_000, 0, True),
        ("replaced", 200_000, 0, True),
        ("replaced", 50_000, 0, True),
    ]
    return history


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the same code on both databases")
def test_a_bad_batch_is_answered_to_the_gram_wherever_the_worker_dies(stage):
    bad_day(stage, died_everywhere).settle()


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the same code on both databases")
def test_an_open_tonne_is_completed_once_wherever_the_worker_dies(stage):
    history = History(stage)
    issued(history, "sun", 2, quality=Quality())
    sold(history, "sun", 300)
    stage.later(timedelta(days=12))
    history.judge()
    died_everywhere(history, lambda _: tonnes.complete_tonnes(history, None)())
    made = [row.mass_g for row in history.seen.retirements.values() if row.source_ref[:4] == "pool"]
    assert made == [700_000]
    assert pool.complete_due() == 0
    history.settle()


def test_ground_serves_one_project_whoever_comes_first_and_after_crashes(stage):
    one, other = ("grove", "plot-1"), ("copse", "plot-1")
    box = (1_022_000_000, 319_000_000, 1_022_200_000, 319_200_000)
    shared = (1_022_100_000, 319_100_000, 1_022_300_000, 319_300_000)
    for first, second in ((one, other), (other, one)):
        history = History(stage)
        died_everywhere(history, lambda _, key=first: ground.enter(key, box))
        died_everywhere(history, lambda _, key=second: ground.enter(key, shared))
        assert ground.standing() == {first: box}


# -- each check is needed ---------------------------------------------------------------------


def over_two_lanes(stage):
    """A retirement is met again at its second range."""
    history = History(stage)
    batch = issued(history, "sun", 2, lanes=2)
    sold(history, "sun", 1_200)
    recalled(history, batch, "invalid")
    for _ in range(2):
        passing(history, portion_of(1))


def one_person(stage):
    history = History(stage)
    batch = issued(history, "sun", 1)
    recalls.open_it(history, batch, Recall("sim-0", batch.source_ref, 0, 1_000, "invalid", ()))
    history.judge()
    for dice in range(12):
        history._do(recalls.approve(history, random.Random(dice)))
        history.judge()
        if next(iter(history.seen.recalls.values())).state != "opened":
            return


def open_tonnes(stage):
    """A tonne whose day is far, then one whose rest is held in part."""
    history = History(stage)
    issued(history, "sun", 1, quality=Quality())
    sold(history, "sun", 300)
    passing(history, lambda _: tonnes.complete_tonnes(history, None)())
    stage.later(timedelta(days=12))
    held = Guest("held", "sun", 600_000, "Held", "device")
    history.book.guests["held"] = held
    history.judge()
    guests.place(history, held)
    history.judge()
    passing(history, lambda _: tonnes.complete_tonnes(history, None)())


def shared_ground(stage):
    history = History(stage)
    box = (1_022_000_000, 319_000_000, 1_022_200_000, 319_200_000)
    for project in ("grove", "copse"):
        passing(history, lambda _, key=(project, "plot-1"): ground.enter(key, box))


CHECKS = {
    "what is answered is not answered again": (
        over_two_lanes,
        recall_queries,
        "_ANSWERED",
        mock.Mock(**{"all.return_value": []}),
    ),
    "a chain keeps its beginning": (bad_day, recall_queries, "_roots", lambda _: {}),
    "the buffer goes first": (bad_day, remedy, "_from_buffer", lambda *_: []),
    "the nearest goes first": (
        bad_day,
        rules,
        "nearest_first",
        lambda lots: sorted(lots, key=lambda lot: -lot.lane_id),
    ),
    "what is only held elsewhere replaces nothing": (bad_day, lots, "_retired_ends", lambda _: {}),
    "two people stand behind a recall": (
        one_person,
        recall_actions,
        "same_person",
        lambda *_: False,
    ),
    "a completion waits for its day": (open_tonnes, pool.DueTonne, "is_asked_for", lambda *_: True),
    "a completion leaves what others hold": (
        open_tonnes,
        pool_actions,
        "rest_g",
        lambda *, hi, cursor, **_: hi - cursor,
    ),
    "no ground serves twice": (shared_ground, sites, "_refuse_overlap", lambda *_: None),
}


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the same code on both databases")
def test_without_a_check_a_bad_day_fails(stage, monkeypatch, name):
    scene, target, attribute, instead = CHECKS[name]
    monkeypatch.setattr(target, attribute, instead)
    with pytest.raises((BreachError, AssertionError, DatabaseError)):
        scene(stage)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the same code on both databases")
def test_a_remedy_that_the_database_took_twice_is_noticed(stage):
    history = bad_day(stage)
    mutations.drop_constraint(*mutations.constraints()["remedy_step_once"])
    rows.copy("registry_remedy", "outcome = 'short'")
    history._judged = None
    with pytest.raises(BreachError):
        history.judge()


@pytest.mark.parametrize("scene", [bad_day, over_two_lanes, one_person, open_tonnes, shared_ground])
def test_with_every_check_the_days_hold(stage, scene):
    scene(stage)
