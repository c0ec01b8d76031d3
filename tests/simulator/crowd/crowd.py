"""A crowd pays: many orders at once on one clock, over lines that lose, repeat and forge.

Every act may crash at any statement; then it is done again, as a client, a bank or a worker would.
"""

import heapq
import random
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from diandian.flows import (
    allocator,
    checkout,
    expiry,
    paying,
    payment_events,
    withdrawal,
)
from diandian.flows.quote import open_quote
from diandian.kernel.errors import DiandianError
from diandian.orders import errors
from diandian.orders import queries as orders
from diandian.orders.models import Order, OrderState
from diandian.payments import merchants
from diandian.payments import queries as payment_queries
from diandian.payments import rules as payment_rules
from diandian.payments.errors import NotClosedYetError, UnknownPaymentError
from diandian.payments.models import OPEN_STATES
from tests.simulator.book import require
from tests.simulator.crash import Crash, crash_at
from tests.simulator.crowd import ending, guests
from tests.simulator.crowd.afterwards import Afterwards
from tests.simulator.crowd.office import SUPPLIERS, Office
from tests.simulator.crowd.peers import Patience
from tests.simulator.crowd.wires import Wires
from tests.simulator.crowd.work import WORK

_CRASHES, _LOSSES, _FORGERIES = 0.03, 0.05, 0.02
# How many crashes take what an adapter remembers with them; to learn it again takes long.
_FORGETS = 0.1
# Statements into an act, on average; most acts are short.
_MEAN_MOMENT, _MEAN_MOMENT_OF_SETTLING = 7, 60
_NOT_NOW = (
    errors.NotPayableError,
    errors.PaymentUnavailableError,
    NotClosedYetError,
)
_WINDOW = timedelta(seconds=300)
_QUIET_TICK = timedelta(seconds=20)
_TICK, _SOON, _LONGEST_REST = timedelta(seconds=5), timedelta(minutes=1), timedelta(hours=2)
# From noon of the first day: at half past eleven of the next one in Shanghai, statements are there.
_FIRST_DAY = timedelta(hours=18.5)
# Suppliers are paid when a refund is not due any more; that long the lines still lose something.
_SUPPLIERS_WAIT = timedelta(days=8)
# How many copies of a notice arrive, by chance in a hundred.
_COPIES = {0: 15, 1: 60, 2: 17, 3: 8}
_SKEWS = (timedelta(minutes=4), timedelta(minutes=-4), timedelta(minutes=6), timedelta(minutes=-6))


@dataclass
class Counts:
    """What happened, for the report."""

    payments: int = 0
    notices: int = 0
    forged: int = 0
    stale: int = 0
    crashes: int = 0
    lost: int = 0
    insisted: set = field(default_factory=set)

    def shown(self):
        """Return the numbers, by the words that a report has for them."""
        return {
            "notices": self.notices,
            "notices outside the window": self.stale,
            "forged notices": self.forged,
            "crashes": self.crashes,
            "acts with a lost question or answer": self.lost,
            "payments that came after all": len(self.insisted),
        }


class Crowd:
    """Guests, their banks and the worker on one clock. ``stage`` is fresh, with grams for sale."""

    # The least that is paid to a supplier by bank.
    least_payout_minor = 1_000

    # Without it guests pay, and nobody passes anything on: for what is about guests alone.
    settles = True

    def __init__(self, stage, banks, *, seed, projects, every=timedelta(seconds=0.2)):
        self.stage, self.projects, self.every = stage, projects, every
        self.banks = {bank.gateway: bank for bank in banks}
        self.least_kg = min(bank.least_kg for bank in banks)
        self.dice = random.Random(seed)
        self.patience = Patience()
        self.wires = Wires(banks, self.dice, self.patience)
        self.guests, self.counts = [], Counts()
        self.afterwards, self.office = Afterwards(self), Office(self)
        self._due, self._turn, self._routines = [], 0, {}

    def shares_refunds(self):
        """Return the gateways and suppliers where these stand for money back by contract."""
        return {
            (merchant.gateway, supplier)
            for supplier in SUPPLIERS
            for merchant in merchants.serving(supplier)
            if merchant.shares_refunds
        }

    # -- the clock --------------------------------------------------------------------------------

    def _at(self, at, act):
        self._turn += 1
        heapq.heappush(self._due, (at, self._turn, act))

    def _after(self, delta, act):
        self._at(self.stage.now + delta, act)

    @property
    def is_busy(self):
        """Tell whether guests still come."""
        return self.counts.payments < self._arrivals

    def play(self, payments, *, report=lambda _: None):
        """Let so many guests come, one each ``every``, and then everything come to its end."""
        self._arrivals = payments
        self._after(timedelta(0), lambda: self._arrive(payments))
        now = self.stage.now
        # What is done again and again, and when next; each returns how long it rests.
        self._routines, until = {self._tick: now + _TICK}, now
        if self.settles:
            self.office.open()
            self._routines |= {self._settle: now + _SOON, self._office_day: now + _FIRST_DAY}
            until = now + payments * self.every + _SUPPLIERS_WAIT
        while self._due or min(self._routines.values()) < until:
            if self._next() and not self._turn % 2_000:
                report(self.counts)
        ending.settle(self)

    def _next(self):
        """Do what comes next; tell whether it was of a guest, and no routine."""
        routine = min(self._routines, key=self._routines.get)
        at, act = self._routines[routine], routine
        is_guest = bool(self._due) and self._due[0][0] <= at
        if is_guest:
            at, _, act = heapq.heappop(self._due)
        if at > self.stage.now:
            self.stage._clock.move_to(at)
        rest = self._do(act)
        if not is_guest:
            self._routines[routine] = max(at, self.stage.now) + (rest or _TICK)
        return is_guest

    def _arrive(self, left):
        guest = guests.drawn(
            len(self.guests) + 1, self.dice, projects=self.projects, least_kg=self.least_kg
        )
        self.guests.append(guest)
        self.counts.payments += 1
        if left > 1:
            self._after(self.every, lambda: self._arrive(left - 1))
        self._after(timedelta(0), lambda: self._place(guest))

    def _tick(self):
        for bank in self.banks.values():
            while bank.refunds:
                told = bank.tell_refund(bank.refunds.pop(), self.stage.now)
                self._post([told] if told else [])
        for work in WORK:
            work()
        # Hours in which little comes are not worked through second by second.
        idle = self._due[0][0] - self.stage.now if self._due else _LONGEST_REST
        tick = _TICK if self.is_busy else _QUIET_TICK
        return tick if idle < _SOON else min(idle, _LONGEST_REST)

    def _settle(self):
        self.office.settle()
        return self.office.rests()

    def _office_day(self):
        self.office.day()
        return timedelta(days=1)

    # -- faults -----------------------------------------------------------------------------------

    def _do(self, act):
        """Do an act; perhaps the line loses something, perhaps we die and do it again.

        Returns what the act said, None where it died and left something behind.
        """
        roll, said = self.dice.random(), None
        if roll < _LOSSES:
            self.wires.fault = self.dice.choice(("before", "after"))
            self.counts.lost += 1
        if roll > _CRASHES:
            said = self._calmly(act)
        else:
            mean = _MEAN_MOMENT if act != self._settle else _MEAN_MOMENT_OF_SETTLING
            moment = 1 + int(self.dice.expovariate(1 / mean))
            due = len(self._due), self._turn
            try:
                with crash_at(moment):
                    said = self._calmly(act)
            except Crash:
                self.counts.crashes += 1
                self._restart()
                if (len(self._due), self._turn) == due:
                    said = self._calmly(act)
        self.wires.fault = ""
        return said

    def _restart(self):
        self.stage.restart()
        self.office.restart()
        self.wires.fault = ""
        if self.dice.random() < _FORGETS:
            for bank in self.banks.values():
                bank.forget()

    def _calmly(self, act):
        try:
            return act()
        except DiandianError as error:
            require(False, "was refused by", repr(error))

    # -- guests -----------------------------------------------------------------------------------

    def _place(self, guest):
        try:
            if not guest.quote:
                quote = open_quote(project_code=guest.project, mass_g=guest.mass_g)
                guest.quote = quote.token
                guest.total_minor, guest.fee_minor = quote.total_minor, quote.fee_minor
            guest.by = guest.by or guest.choose()
            placed = checkout.place_order(
                quote_token=guest.quote,
                beneficiary_name=f"Guest {guest.number}",
                on_board=False,
                language="en",
                by=guest.by,
                idempotency_key=guest.key,
                is_vouched_for=True,
                retire_at_once=not guest.keeps_right,
            )
        except errors.PaymentUnavailableError:
            # The order is there; its page offers to try again.
            found = orders.order_by_idempotency_key(guest.key)
            require(found is not None, guest, "was told of an order that is not there")
            placed = found
        guest.order_id, guest.token = placed.id, placed.token
        self._after(guest.decides_after, lambda: self._decide(guest))
        self._after(guest.returns_after, lambda: self._come_back(guest))
        if guest.plan:
            self._after(guest.plan.after, lambda: self.afterwards.act(guest))
        if guest.withdraws:
            self._after(timedelta(hours=self.dice.randint(1, 300)), lambda: self._withdraw(guest))

    def _payment(self, guest):
        return orders.latest_payment(Order.objects.get(id=guest.order_id))

    def _decide(self, guest):
        order = Order.objects.get(id=guest.order_id)
        if order.state == OrderState.AWAITING_PAYMENT:
            with suppress(*_NOT_NOW):
                checkout.retry_payment(order, guest.by)
        if guest.changes_way:
            self._change_way(guest, order)
        payment, now = self._payment(guest), self.stage.now
        if guest.end == "leaves":
            return
        has_page = payment is not None and payment_rules.is_fresh(payment.instruction, now)
        if not has_page and guest.tries_left and order.state == OrderState.AWAITING_PAYMENT:
            guest.tries_left -= 1
            self._after(timedelta(seconds=self.dice.randint(20, 150)), lambda: self._decide(guest))
            return
        if payment is not None:
            self._end(guest, order, payment, now)

    def _end(self, guest, order, payment, now):
        bank = self.banks[payment.gateway]
        if guest.end == "cancels":
            guest.asked.add("cancel")
            expiry.cancel_order(order)
        elif guest.end == "after all":
            bank.wait(payment, now)
            self._after(timedelta(minutes=self.dice.randint(25, 200)), lambda: self._late(guest))
        elif guest.end == "otherwise":
            if bank.take_otherwise(payment, guest.change_minor):
                guest.asked.add("otherwise")
            self._post(bank.choose(payment, "paid", now))
        elif guest.end == "declined":
            self._post(bank.choose(payment, "declined", now))
            guest.end = "paid"
            self._after(timedelta(seconds=self.dice.randint(10, 90)), lambda: self._decide(guest))
        else:
            self._post(bank.choose(payment, guest.end, now))

    def _change_way(self, guest, order):
        """Pay another way, and at times the first way as well, where its page still works."""
        guest.changes_way = False
        first, guest.by = self._payment(guest), guest.choose(other=True)
        if order.state == OrderState.AWAITING_PAYMENT:
            with suppress(*_NOT_NOW):
                paying.pay(order, guest.by)
        if first is not None and self.dice.random() < 0.5:
            self._post(self.banks[first.gateway].choose(first, "paid", self.stage.now))

    def _late(self, guest):
        payment = self._payment(guest)
        sent = self.banks[payment.gateway].pay_late(payment, self.stage.now)
        if sent:
            self.counts.insisted.add((payment.gateway, payment.payment_no))
        self._post(sent)

    def _come_back(self, guest):
        """Ask about what is open, as the order's page does."""
        for payment in payment_queries.of_owner(f"order:{guest.order_id}"):
            try:
                if payment.state in OPEN_STATES:
                    payment_events.refresh(payment.payment_no)
            except UnknownPaymentError:
                require(False, guest, "has a payment that is unknown")
        if Order.objects.get(id=guest.order_id).state == OrderState.PAID:
            allocator.wait_for(guest.order_id, guest.token)

    def _withdraw(self, guest):
        try:
            withdrawal.withdraw(Order.objects.get(id=guest.order_id))
        except (errors.WithdrawalEndedError, errors.NotHeldError):
            return
        guest.asked.add("withdrew")

    # -- notices ----------------------------------------------------------------------------------

    def _post(self, notices):
        """Send notices on their way: not at all, late, several times, in any order."""
        for notice in notices:
            copies = self.dice.choices(list(_COPIES), list(_COPIES.values()))[0]
            for _ in range(copies):
                mean = 600 if self.dice.random() < 0.05 else 8
                delay = timedelta(seconds=self.dice.expovariate(1 / mean))
                self._after(delay, lambda notice=notice: self._deliver(notice))
            if self.dice.random() < _FORGERIES:
                self._after(timedelta(0), lambda notice=notice: self._forge(notice))

    def _deliver(self, notice):
        skew = self.dice.choice(_SKEWS) if self.dice.random() < 0.04 else timedelta(0)
        heard_at = self.stage.now + skew
        ack = self._receive(notice, heard_at)
        seconds = abs(int(heard_at.timestamp()) - int(notice.sent_at.timestamp()))
        is_fresh = seconds <= _WINDOW.total_seconds()
        require((ack.status // 100 == 2) == is_fresh, "a notice was answered", ack)
        self.counts.notices += 1
        self.counts.stale += not is_fresh

    def _receive(self, notice, at):
        return payment_events.receive_notice(
            notice.gateway, notice.headers, notice.body, merchant_key=notice.merchant_key, at=at
        )

    def _forge(self, notice):
        forged = self.banks[notice.gateway].forged(notice, self.dice)
        ack = self._receive(forged, self.stage.now)
        require(ack.status // 100 == 4, "a forged notice was answered", ack)
        self.counts.forged += 1
