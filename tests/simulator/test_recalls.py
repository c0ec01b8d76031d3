"""What comes seldom, and the worker that dies at each statement of it: recalls, open tonnes."""

from datetime import timedelta
from itertools import count

import pytest
from django.db import connection  # noqa: F401 - asked by the mark

from diandian.flows import pool
from diandian.flows import recall as work
from tests.simulator import ground, guests, recalls, staff, tonnes
from tests.simulator.book import Batch, Guest, Quality, Recall
from tests.simulator.crash import Crash, crash_at
from tests.simulator.day import pay
from tests.simulator.history import History

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

NATIVE = Quality(is_native=True)


def issued(history, project, tonnes, buffer_g=0, quality=NATIVE):
    number = len(history.book.batches) + 1
    ref = f"issuance:{number}"
    batch = Batch(ref, project, tonnes, 1, buffer_g, True, {}, number, quality)
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


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the same code on both databases")
def test_a_bad_batch_is_answered_to_the_gram_wherever_the_worker_dies(stage):
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
    died_everywhere(history, portion_of(2))
    died_everywhere(history, portion_of(256))
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
    died_everywhere(history, portion_of(256))
    assert [step for step in steps(history) if step[3]] == [
        ("short", 0, 200_000, True),
        ("short", 0, 200_000, True),
        ("short", 0, 50_000, True),
    ]
    issued(history, "shade", 1)  # of the same kind
    died_everywhere(history, retried)
    assert steps(history)[-3:] == [
        ("replaced", 200_000, 0, True),
        ("replaced", 200_000, 0, True),
        ("replaced", 50_000, 0, True),
    ]
    history.settle()


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
