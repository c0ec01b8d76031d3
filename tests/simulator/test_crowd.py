"""A crowd over faulty lines; ``./run simulate --payments N`` plays larger ones."""

import pytest

from diandian.flows import goodwill
from diandian.payments.gateways.sandbox import disputes
from tests.peers.wechatpay.fixture import MERCHANT
from tests.simulator.book import BreachError
from tests.simulator.crowd import afterwards
from tests.simulator.crowd.alipay_bank import AlipayBank
from tests.simulator.crowd.banks import SandboxBank
from tests.simulator.crowd.stripe_bank import StripeBank
from tests.simulator.crowd.town import BANKS, clock_of, play
from tests.simulator.crowd.wechatpay_bank import WechatpayBank
from tests.simulator.stage import Stage

pytestmark = pytest.mark.django_db(transaction=True)


def test_whatever_the_lines_do_every_payment_ends_well():
    with Stage() as stage:
        told = play(stage, payments=150, seed=1, gateways=("sandbox",))
    assert sum(told.ends.values()) == 150
    assert told.ends["completed"] > 75
    assert told.counts.crashes
    assert told.counts.stale
    assert told.counts.lost


def test_it_is_so_at_every_gateway_over_wires_that_break(monkeypatch):
    monkeypatch.setattr(afterwards, "SHARE", 0.5)
    with Stage() as stage:
        told = play(stage, payments=80, seed=3)
    assert sum(told.ends.values()) == 80
    assert told.counts.crashes
    for gateway in BANKS:
        assert told.ends_by_gateway[gateway, "completed"] > 3
    met = {tuple(what.split()[:2]) for what in told.met}
    played = {"console", "disputes", "goodwill"}
    assert {kind for _, kind in met} >= played
    broken = {gateway for gateway, kind in met if kind not in {"calls", *played}}
    assert broken == {"alipay", "stripe", "wechatpay"}


class _TakesUnseen(WechatpayBank):
    """Its first guest never pays; at the end it takes that money, and tells nobody."""

    def __init__(self, clock):
        super().__init__(clock)
        self._left = ""

    def choose(self, payment, choice, at):
        self._left = self._left or payment.payment_no
        if payment.payment_no == self._left:
            return []
        return super().choose(payment, choice, at)

    def pay_late(self, payment, at):
        return [] if payment.payment_no == self._left else super().pay_late(payment, at)

    def books(self, at):
        self.follow(at)
        self._levers("pay", even_if_closed=True, mchid=MERCHANT, out_trade_no=self._left)
        return super().books(at)


class _ReturnsUnseen(StripeBank):
    """At the end it gives money back that nobody asked for."""

    def books(self, at):
        taken = super().books(at)
        number = next(number for number, each in taken.items() if each.taken_minor)
        self._levers("refund", account=self._account, number=number, amount=1)
        return super().books(at)


class _ReturnsAtTheCounter(AlipayBank):
    """It gives money back that nobody asked for, and that no question shows."""

    def books(self, at):
        taken = super().books(at)
        number = next(number for number, each in taken.items() if each.taken_minor)
        key = self._key(self._payments_of[number])
        self._ask(key, "refund", number=number, amount=1)
        return super().books(at)


class _DisputesUnseen(SandboxBank):
    """At the end a payer's bank takes money back, and nobody is told."""

    def books(self, at):
        number = next(number for number, each in super().books(at).items() if each.taken_minor)
        disputes.begin(self.peer, number, amount_minor=1, now=at)
        return super().books(at)


def _grants_unseen(_, order, _payment, _amount_minor):
    """Send goodwill that the crowd does not know of."""
    asked = goodwill.ask(order.id, amount_minor=1, actor="ann", reason="none")
    goodwill.confirm(asked, actor="bo")


@pytest.mark.parametrize(
    ("bank", "text"),
    [
        (_TakesUnseen, "and the bank took"),
        (_ReturnsUnseen, "gave back"),
        (_ReturnsAtTheCounter, "gave back"),
    ],
)
def test_what_a_bank_did_unseen_is_noticed(monkeypatch, bank, text):
    monkeypatch.setitem(BANKS, bank.gateway, lambda stage: bank(clock_of(stage, bank.gateway)))
    with Stage() as stage, pytest.raises(BreachError, match=text):
        play(stage, payments=30, seed=5, gateways=(bank.gateway, "sandbox"))


def test_a_dispute_that_nobody_heard_of_is_noticed(monkeypatch):
    monkeypatch.setitem(BANKS, "sandbox", lambda stage: _DisputesUnseen(stage.peer))
    with Stage() as stage, pytest.raises(BreachError, match=r"dispute .* is None"):
        play(stage, payments=15, seed=6, gateways=("sandbox",))


def test_goodwill_that_nobody_granted_is_noticed(monkeypatch):
    monkeypatch.setattr(afterwards, "SHARE", 1)
    monkeypatch.setattr(afterwards, "KINDS", ("goodwill",))
    monkeypatch.setattr(afterwards.Afterwards, "_grant", _grants_unseen)
    with Stage() as stage, pytest.raises(BreachError, match="keeps"):
        play(stage, payments=15, seed=7, gateways=("sandbox",))
