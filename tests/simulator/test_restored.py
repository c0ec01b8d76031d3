"""An older copy of the database comes back: nothing moves until the log has caught up."""

import copy
from datetime import timedelta
from itertools import count

import pytest
from django.db import connection  # noqa: F401 - asked by the mark

from diandian.flows import fulfil, log_recover, pool, recall, resolve
from diandian.flows.quote import open_quote
from diandian.orders.errors import SalesPausedError
from diandian.transparency.errors import LogNotRecoverableError
from diandian.transparency.heads.signer import Signer
from tests.simulator import guests, staff
from tests.simulator.book import Guest
from tests.simulator.crash import Crash, crash_at
from tests.simulator.day import pay
from tests.simulator.history import History
from tests.simulator.test_recalls import issued, recalled, sold

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "data"
    settings.LOG_WITNESSES = settings.HIGH_WATER = ""


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the same code on both databases")
def test_a_copy_that_is_older_than_the_log_moves_nothing_until_it_has_caught_up(stage):
    history = History(stage)
    first = issued(history, "sun", 1)
    bad, _ = issued(history, "wind", 1), issued(history, "shade", 1)
    sold(history, "sun", 300)
    sold(history, "wind", 200)
    waiting = Guest("waiting", "sun", 100_000, "Waiting", "device")
    history.book.guests["waiting"] = waiting
    stage.poisoned.add(max(history.seen.orders) + 1)
    guests.place(history, waiting)
    pay(stage, waiting, ["paid"])
    history.judge()
    recalled(history, bad, "invalid")
    assert Signer().turn(at=stage.now) == 1
    kept, book, seen = stage.back_up(), copy.deepcopy(history.book), history.seen
    # What the copy does not know: a retirement, and what was done for a recall; published.
    stage.poisoned.clear()
    stage.later(timedelta(hours=1))
    assert fulfil.drain() == 1
    assert recall.work() == 1
    history.judge()
    assert Signer().turn(at=stage.now) == 1
    stage.bring_back(kept)
    history.book = history.referee.book = history.referee.remedies.book = book
    history.referee.before, history._judged = seen, None
    assert history.look() == seen
    with pytest.raises(SalesPausedError):
        open_quote(project_code="shade", mass_g=1_000)
    moved = fulfil.drain() + pool.complete_due() + recall.work() + recall.retry()
    assert (moved, Signer().turn(at=stage.now)) == (0, 0)
    assert history.look() == seen
    recovered(stage)
    history.book.batches[first.source_ref].is_stopped = True
    history.book.restored.add(first.source_ref)
    history.judge()
    # It goes on: who waits is refunded, the recall is answered, and others are sold to.
    staff.judge(history.book.guests["waiting"], resolve.refund_order)
    history.judge()
    recall.work_all()
    history.judge()
    assert [row.outcome for row in history.seen.remedies.values()] == ["short"]
    sold(history, "shade", 50)
    assert Signer().turn(at=stage.now) == 1
    history.settle()


def recovered(stage):
    """Let the log catch up, by a command that dies at each of its statements in turn."""
    for moment in count(1):
        try:
            with crash_at(moment):
                log_recover.recover(actor="operator:sim", reason="disk broke")
        except Crash:
            stage.restart()
        except LogNotRecoverableError:
            return  # the crash before came after its commit: what was frozen is not signed yet
        else:
            return
