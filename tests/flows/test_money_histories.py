"""Random histories of money back: refunds, consoles, banks, people and crashes, in any order.

After each step the books are whole and nothing goes back that did not come in; in the end they say
what the bank's own file says.
"""

from random import Random

import pytest
from django.db import transaction

from diandian.flows import (
    abnormal,
    allocator,
    fulfil,
    goodwill,
    invariants,
    payment_events,
    refund,
    resolve,
)
from diandian.kernel.errors import DiandianError
from diandian.ledger import chart
from diandian.orders import actions as orders
from diandian.orders.models import Intake, Order, OrderState
from diandian.payments.gateways.sandbox import disputes as bank
from diandian.payments.gateways.sandbox import refunds as desk
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.gateways.sandbox.peer import TradeRefusedError
from diandian.payments.messages import Unknown
from diandian.payments.models import MoneyRequest, Payment, Refund
from tests.flows.books import CLEARING
from tests.simulator.crash import Crash, crash_at

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

LI, WANG = "operator:li", "operator:wang"
STEPS = 80


class History:
    """Some orders, and everybody who may move their money."""

    def __init__(self, world, seed):
        self.world, self.dice = world, Random(seed)
        self.numbers, self.notices, self.verdicts, self.minutes = [], [], {}, 0

    @property
    def at(self):
        return self.world.later(minutes=self.minutes)

    def order(self):
        """Return one of the orders that were paid."""
        return Order.objects.get(id=self.dice.choice(self.numbers))

    def number(self):
        return self.world.payment(self.order()).payment_no

    def share(self, order):
        return self.dice.choice([1, 10, 30, order.quote.total_minor])

    # -- what may happen ----------------------------------------------------------------------

    def buy(self):
        order = self.world.order(1_000, is_vouched_for=True, at=self.at)
        notices = self.world.choose(self.world.payment(order), at=self.at)
        self.numbers.append(order.id)
        for notice in notices:
            self.world.deliver(notice, at=self.at)

    def deliver(self):
        if self.notices:
            self.world.deliver(self.dice.choice(self.notices[-4:]), at=self.at)

    def look(self):
        """Somebody takes a paid order aside."""
        order = self.order()
        with transaction.atomic():
            if order.state == "paid" and orders.move(order, OrderState.REVIEW):
                orders.park(Intake.objects.get(order=order))

    def refund(self):
        refund.refund_order(self.order(), "asked", at=self.at)

    def decide(self):
        act = self.dice.choice([resolve.give_back, resolve.refund_order, resolve.accept])
        act(self.order().id, actor=LI, reason="decided", at=self.at)

    def part(self):
        order = self.order()
        payment = self.world.payment(order)
        wish = resolve.Part(payment.payment_no, self.share(order), payment.refunded_minor)
        resolve.refund_part(order.id, part=wish, actor=LI, reason="part", at=self.at)

    def ask(self):
        order = self.order()
        goodwill.ask(order.id, amount_minor=self.share(order), actor=LI, reason="kind", at=self.at)

    def ask_otherwise(self):
        lost = Refund.objects.filter(state="abnormal").first()
        if lost is not None:
            abnormal.ask_otherwise(
                lost.id, evidence="transfer", actor=LI, reason="closed card", at=self.at
            )

    def confirm(self):
        waiting = MoneyRequest.objects.filter(state="waiting").first()
        if waiting is not None:
            goodwill.confirm(waiting, actor=self.dice.choice([LI, WANG, WANG]), at=self.at)

    def mend(self):
        lost = Refund.objects.filter(state="abnormal").first()
        if lost is not None:
            abnormal.mend(lost.id, actor=LI, reason="again", at=self.at)

    def by_hand(self):
        order = self.order()
        number = self.world.payment(order).payment_no
        notice = desk.by_hand(self.world.peer, number, self.share(order), self.at)
        self.notices.append(notice)

    def think(self):
        desk.think(self.world.peer, self.number(), thinks=self.dice.random() < 0.7)

    def bank_decides(self):
        waiting = Refund.objects.filter(state__in=("processing", "abnormal", "unknown"))
        if waiting:
            number = self.dice.choice(list(waiting)).refund_no
            end = self.dice.choice(desk.ENDS)
            self.notices.append(desk.decide(self.world.peer, number, end, self.at))

    def dispute(self):
        order = self.order()
        number = self.world.payment(order).payment_no
        reference, notice = bank.begin(
            self.world.peer,
            number,
            amount_minor=min(self.share(order), order.quote.total_minor),
            fee_minor=self.dice.choice([0, 15]),
            now=self.at,
        )
        self.verdicts[reference] = ""
        self.notices.append(notice)

    def verdict(self):
        undecided = [number for number, ended in self.verdicts.items() if not ended]
        if undecided:
            number, ended = self.dice.choice(undecided), self.dice.choice(bank.VERDICTS)
            self.verdicts[number] = ended
            self.notices.append(bank.end(self.world.peer, number, ended, self.at))

    def work(self):
        self.minutes += self.dice.choice([0, 1, 5])
        self.dice.choice(
            [
                lambda: payment_events.retry_notices(at=self.at),
                lambda: payment_events.poll_due(at=self.at),
                lambda: refund.continue_refunds(at=self.at),
                lambda: fulfil.drain(at=self.at),
            ]
        )()

    # -- and what must be true ------------------------------------------------------------------

    def step(self):
        acts = [self.buy, self.deliver, self.deliver, self.look, self.refund, self.decide]
        acts += [self.part, self.ask, self.confirm, self.by_hand, self.think, self.bank_decides]
        acts += [self.ask_otherwise, self.mend, self.dispute, self.verdict, self.work, self.work]
        act = self.dice.choice(acts) if self.numbers else self.buy
        crashes = act is not self.buy and self.dice.random() < 0.3
        try:
            if crashes:
                with crash_at(self.dice.randint(1, 60)):
                    act()
            else:
                act()
        except (Crash, DiandianError, TradeRefusedError):
            pass

    def judge(self):
        assert invariants.check() == []
        for payment in Payment.objects.filter(state="succeeded"):
            living = payment.refunds.exclude(state="failed")
            assert sum(living.values_list("amount_minor", flat=True)) <= payment.amount_minor

    def end(self):
        """Everybody finishes: the bank decides, notices come, the worker goes on."""
        for number in [number for number, ended in self.verdicts.items() if not ended]:
            bank.end(self.world.peer, number, "won", self.at)
        for _ in range(3):
            self.minutes += 61
            payment_events.poll_due(at=self.at)
            refund.continue_refunds(at=self.at)
            for row in Refund.objects.filter(state__in=("processing", "unknown")):
                try:
                    desk.decide(self.world.peer, row.refund_no, "succeeded", self.at)
                except TradeRefusedError:
                    continue
            for payment in Payment.objects.filter(state="succeeded"):
                notice = desk.notice(self.world.peer, payment.payment_no, self.at)
                self.world.deliver(notice, at=self.at)
        self.judge()

    def agrees_with_the_bank(self):
        """The clearing account is what the bank's own file says that it keeps for us."""
        heard = Payment.objects.filter(state="succeeded").values_list("payment_no", flat=True)
        rows = self.world.peer.run("SELECT payment_no, amount_minor, refunded_minor FROM trade", ())
        kept = sum(amount - back for number, amount, back in rows if number in heard)
        for amount, fee, state in (
            self.world.peer.run("SELECT amount_minor, fee_minor, state FROM dispute", ())
            if self.verdicts
            else ()
        ):
            kept -= fee + (0 if state == "won" else amount)
        # What found no way home, or was paid otherwise, is counted there and not booked here.
        away = Refund.objects.filter(state__in=("abnormal", "otherwise"))
        kept += sum(away.values_list("amount_minor", flat=True))
        assert self.world.balance(CLEARING) == kept
        assert self.world.balance(chart.disputed_funds("CNY")) == 0


@pytest.fixture(autouse=True)
def slow_allocator(monkeypatch):
    """Let orders wait to be fulfilled, so that something can happen to their money before."""
    monkeypatch.setattr(allocator, "see_to", lambda *_, **__: None)


@pytest.mark.parametrize("seed", range(8))
def test_money_back_in_any_order(world, monkeypatch, seed):
    history = History(world, seed)
    give_back = SandboxGateway.refund

    def may_get_lost(self, context, request, *, at):
        answer = give_back(self, context, request, at=at)
        return Unknown("timeout") if history.dice.random() < 0.2 else answer

    monkeypatch.setattr(SandboxGateway, "refund", may_get_lost)
    for turn in range(3):
        history.buy()
        if turn == 1:
            fulfil.drain(at=history.at)
    for step in range(STEPS):
        history.step()
        if step % 4 == 0:
            history.judge()
    history.end()
    history.agrees_with_the_bank()


def test_a_crash_at_every_statement_of_a_console_refund_and_a_dispute(world, crash):
    """However it dies, the worker finds all of it, once."""
    moment = 0
    finished = False
    while not finished:
        moment += 1
        order = world.order(1_000, is_vouched_for=True)
        assert world.pay(order) == "paid"
        number = world.payment(order).payment_no
        notice = desk.by_hand(world.peer, number, 10, world.now)
        reference, _ = bank.begin(world.peer, number, amount_minor=20, fee_minor=5, now=world.now)
        bank.end(world.peer, reference, "lost", world.now)
        try:
            with crash_at(moment):
                world.deliver(notice)
            finished = True
        except Crash:
            world.deliver(notice)
            for minutes in (2, 4):
                payment_events.retry_notices(at=world.later(minutes=minutes))
        if moment % 5 == 0:
            assert invariants.check() == [], f"after a crash at moment {moment}"
        assert [
            each.amount_minor for each in Refund.objects.filter(payment__payment_no=number)
        ] == [10]
        assert world.state(order) == "review"
        order.refresh_from_db()
        payment = world.payment(order)
        assert [(each.state, each.covered_minor) for each in payment.disputes.all()] == [
            ("lost", 20)
        ]
    assert moment > 20, "it has many moments"
