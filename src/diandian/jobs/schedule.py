"""What the worker does, and how often; tasks may be repeated, and run in several workers.

Paid orders are not among them: the allocator beside these tasks takes those.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from diandian.flows import (
    accruing,
    close,
    expiry,
    log_fill,
    notice_intake,
    payment_events,
    pool,
    promises,
    recall,
    reconcile,
    refund,
    settling,
    sign_in,
    statement_files,
)
from diandian.jobs import subscribers
from diandian.ui import rendered


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of work. ``run`` does a limited amount and returns how much it did."""

    name: str
    every: timedelta
    run: Callable[[], int]


# Small portions: between two of them the worker hears whether it should stop.
TASKS = (
    Task("deliver events", timedelta(0), lambda: subscribers.deliver(32)),
    Task("retry notices", timedelta(seconds=1), lambda: payment_events.retry_notices(16)),
    Task("watch refused notices", timedelta(hours=1), notice_intake.watch),
    Task("forget old refused notices", timedelta(days=1), notice_intake.forget_old),
    Task("ask about payments", timedelta(seconds=1), lambda: payment_events.poll_due(16)),
    Task("continue refunds", timedelta(seconds=2), lambda: refund.continue_refunds(16)),
    Task("note what suppliers are owed", timedelta(minutes=2), partial(accruing.Sweep().run, 512)),
    Task("look for what was not noted", timedelta(hours=1), accruing.warn_late),
    Task("settle with suppliers", timedelta(seconds=10), lambda: settling.settle(16)),
    Task("release expired orders", timedelta(seconds=5), lambda: expiry.release_expired(16)),
    Task("work off recalls", timedelta(0), recall.work),
    Task("replace what is short", timedelta(minutes=1), recall.retry),
    Task("follow outside retirements", timedelta(minutes=10), promises.sweep),
    Task("complete open tonnes", timedelta(minutes=10), lambda: pool.complete_due(16)),
    Task("close the days that are over", timedelta(minutes=5), close.close_due),
    Task("match statements of gateways", timedelta(seconds=10), lambda: reconcile.run_due(1)),
    Task("forget old statement files", timedelta(hours=1), statement_files.sweep),
    Task("look for overdue promises", timedelta(hours=1), promises.warn_overdue),
    Task("forget old sign-ins", timedelta(minutes=10), sign_in.forget_old),
    Task("enter what the public log lacks", timedelta(hours=1), log_fill.fill_and_tell),
    Task("sweep old papers", timedelta(hours=1), rendered.sweep),
)
