"""One history: a seed, its steps, the judgement after each; how a failing one is made short."""

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection

from diandian.flows import (
    expiry,
    fulfil,
    invariants,
    payment_events,
    promises,
    recall,
    refund,
    resolve,
)
from diandian.flows.allocator import Allocator
from diandian.jobs import subscribers
from diandian.kernel.errors import DiandianError
from diandian.orders.models import Order
from diandian.registry.models import Project
from tests.simulator import ground, guests, recalls, sabotage, staff, tonnes
from tests.simulator.book import Book, BreachError, require
from tests.simulator.crash import Crash, crash_at
from tests.simulator.referee import ENDS, Referee
from tests.simulator.sight import look, look_at_bank
from tests.simulator.stage import NOON, PROJECTS

# How often each act comes, against the others.
ACTS = {
    guests.order: 12,
    guests.order_again: 3,
    guests.order_differently: 1,
    guests.pay_again: 3,
    guests.choose: 18,
    guests.deliver: 14,
    guests.forge_notice: 1,
    guests.bank_pays_late: 3,
    guests.bank_takes_another_amount: 2,
    guests.come_back: 5,
    guests.cancel: 1,
    guests.withdraw: 3,
    guests.retire_now: 1,
    guests.forget: 1,
    staff.issue: 3,
    staff.issue_again: 1,
    staff.retire_outside: 1,
    staff.freeze: 1,
    staff.thaw: 2,
    staff.take_out: 1,
    staff.reverse: 1,
    staff.decide: 2,
    staff.refund_again: 1,
    staff.close_day: 1,
    staff.work: 10,
    staff.allocate: 6,
    staff.lose_allocator: 1,
    staff.fulfil_alone: 1,
    staff.poison: 1,
    staff.wait: 9,
}
# What a month sees once or never; a part of the steps is taken by these.
SELDOM = {guests.buy: 8, **recalls.ACTS, **tonnes.ACTS, **ground.ACTS}
SELDOM_SHARE = 0.3
BY_NAME = {act.__name__: act for act in (*ACTS, *SELDOM, *sabotage.ACTS)}
_OPENING = ("issue", "issue", "order", "order")
# Whoever stops a batch makes sure that it stands.
_UNTIL_DONE = {"freeze", "thaw", "recall", "approve", "decline"}
_LAST_ROUNDS = 6
_CRASHES, _FAULTS, _FURTHEST_MOMENT = 0.2, 0.1, 60


@dataclass(frozen=True, slots=True)
class Step:
    """An act by name, the dice of its own, when it crashes (0: never) and what the line loses."""

    act: str
    dice: int
    moment: int = 0
    fault: str = ""


def script(seed, steps, *, more_of=(), seldom=0.0):
    """Return the steps of a seed; acts in ``more_of`` come often.

    ``seldom``: the share of the steps that is taken by what happens seldom.
    """
    dice, other = random.Random(seed), random.Random(f"seldom {seed}")
    weights = ACTS | dict.fromkeys(sabotage.ACTS, 1) | dict.fromkeys(more_of, 15)
    names, shares = [act.__name__ for act in weights], list(weights.values())
    made = []
    for number in range(steps):
        drawn = dice.choices(names, shares)[0]
        if other.random() < seldom:
            drawn = other.choices(list(SELDOM), list(SELDOM.values()))[0].__name__
        made.append(
            Step(
                act=_OPENING[number] if number < len(_OPENING) else drawn,
                dice=dice.getrandbits(48),
                moment=dice.randint(1, _FURTHEST_MOMENT) if dice.random() < _CRASHES else 0,
                fault=dice.choice(("before", "after")) if dice.random() < _FAULTS else "",
            )
        )
    return made


class History:
    """A world that is played and judged step by step."""

    projects = PROJECTS

    def __init__(self, stage, *, fresh=True):
        self.stage = stage
        if fresh:
            stage.fresh()
        self.book = Book()
        self.referee = Referee(self.book)
        self.allocators = [Allocator("one"), Allocator("two")]
        self.seen = look()
        self._judged = None

    # -- what acts ask for ------------------------------------------------------------------------

    def guests(self):
        """Return all guests."""
        return list(self.book.guests.values())

    def state_of(self, guest):
        """Return where an order stands at this moment."""
        return Order.objects.values_list("state", flat=True).get(id=guest.order_id)

    def project_rows(self):
        """Return the projects by code."""
        return {project.code: project for project in Project.objects.all()}

    def look(self):
        """Look at the tables anew."""
        return look()

    def sent_at(self, notice):
        """Return when a notice was sent."""
        return datetime.fromtimestamp(int(notice.headers["Sandbox-Timestamp"]), UTC)

    def changes(self):
        """Return a number that grows with every row written, where the database counts them."""
        if connection.vendor != "sqlite":
            return 0
        connection.ensure_connection()
        return connection.connection.total_changes

    # -- playing ----------------------------------------------------------------------------------

    def play(self, steps):
        """Play the steps, then let everything come to its end. Raises: BreachError."""
        for step in steps:
            self.step(step)
        self.settle()

    def step(self, step):
        """Play one step and judge the world after it. Raises: BreachError."""
        dice = random.Random(step.dice)
        try:
            do = BY_NAME[step.act](self, dice)
        except IndexError:
            return  # nobody is there to do it
        if do is None:
            return
        self.stage.line.fault = step.fault
        if step.moment:
            self._with_crash(do, step, dice)
        else:
            self._do(do)
        self.stage.line.fault = ""
        self.judge()

    def _with_crash(self, do, step, dice):
        try:
            with crash_at(step.moment):
                self._do(do)
        except Crash:
            self.stage.restart()
            # A new connection counts its changes from nothing.
            self._judged = None
            self.judge()
            if dice.random() < 0.7 or step.act in _UNTIL_DONE:
                self._do(do)

    def _do(self, do):
        try:
            do()
        except DiandianError as error:
            raise BreachError(f"refused by {error!r}") from error

    def judge(self):
        """Ask the product's own invariants, then the referee. Raises: BreachError."""
        bank = self._bank()
        moment = (self.changes(), self.stage.now, bank)
        # Where nothing was written since, nothing is different.
        if connection.vendor == "sqlite" and moment == self._judged:
            return
        breaches = invariants.check()
        require(not breaches, "invariants:", *breaches)
        self.seen = look()
        self.referee.judge(self.seen, bank, self.stage.now)
        if connection.vendor == "sqlite":
            connection.check_constraints()
        self._judged = (self.changes(), self.stage.now, bank)

    def settle(self):
        """Let weeks go by undisturbed; whoever paid must end well, and people decide the rest."""
        self.stage.poisoned.clear()
        self._do(lambda: recalls.end_all(self))
        while thaw := staff.thaw(self, random.Random(0)):
            self._do(thaw)
        for minutes in (1, 2, 5, 21, 60, 60):
            self._round(minutes)
        self.referee.nothing_forgotten(self.seen, self._bank())
        for minutes in (60, 60, 24 * 60, 17 * 24 * 60, 60, 60):
            for guest in self.guests():
                if guest.order_id and self.referee.is_open(guest, self.seen, self._bank()):
                    staff.judge(guest, resolve.accept)
                    staff.judge(guest, resolve.give_back)
                    staff.judge(guest, resolve.refund_order)
            self._round(minutes)
        # What is recalled meanwhile is tried some times more before it goes back.
        for _ in range(_LAST_ROUNDS):
            if all(order.state in ENDS for order in self.seen.orders.values()):
                break
            self._round(60)
        self.referee.settled(self.seen, self._bank())
        tonnes.gauge(self)

    def _bank(self):
        return look_at_bank(self.stage.peer, self.stage.now)

    def _round(self, minutes):
        self.stage.later(timedelta(minutes=minutes))
        for work in (
            lambda: guests.bank_insists(self),
            payment_events.retry_notices,
            payment_events.poll_due,
            expiry.release_expired,
            fulfil.drain,
            refund.continue_refunds,
            promises.follow_all,
            recall.work_all,
            recall.retry,
            lambda: subscribers.deliver(200),
        ):
            self._do(work)
        self.judge()


@dataclass
class Failure:
    """A history that failed: which steps are needed, and what was wrong."""

    seed: int
    steps: int
    kept: list[int]
    script: list[Step]
    error: BaseException

    def command(self):
        """Return the command that shows it again."""
        only = ",".join(str(number) for number in self.kept)
        return f"./run simulate --seed {self.seed} --steps {self.steps} --only {only}"

    def __str__(self):
        lines = [f"seed {self.seed} failed: {self.error}", self.command()]
        lines += [f"  {number:>3}  {self.script[number]}" for number in self.kept]
        return "\n".join(lines)


def failure_of(stage, steps):
    """Play steps; return the error and how many were played, or None."""
    history = History(stage)
    played = 0
    try:
        for played, step in enumerate(steps, start=1):  # noqa: B007 - looked at after an error
            history.step(step)
        history.settle()
    except Exception as error:  # noqa: BLE001 - whatever the product throws is a failure
        return error, played
    return None


def simulate(stage, seed, steps, *, only=None, shrink_seconds=20):
    """Play a seed. Returns a Failure, made short within the time, or None."""
    whole = script(seed, steps, seldom=SELDOM_SHARE)
    kept = list(only) if only is not None else list(range(steps))
    failed = failure_of(stage, [whole[number] for number in kept])
    if failed is None:
        return None
    error, played = failed
    kept, error = _shorter(stage, whole, kept[:played], error, shrink_seconds)
    return Failure(seed, steps, kept, whole, error)


def _shorter(stage, whole, kept, error, seconds):
    """Drop what does not matter: halves, quarters, then single steps, while time is left."""
    deadline = time.monotonic() + seconds
    size = max(1, len(kept) // 2)
    while size and time.monotonic() < deadline:
        begin = 0
        while begin < len(kept) and time.monotonic() < deadline:
            tried = kept[:begin] + kept[begin + size :]
            failed = failure_of(stage, [whole[number] for number in tried])
            if failed is None:
                begin += size
            else:
                error, played = failed
                kept = tried[:played]
        size //= 2
    return kept, error


__all__ = ["NOON", "Failure", "History", "Step", "script", "simulate"]
