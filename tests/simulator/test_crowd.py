"""A crowd over faulty lines; ``./run simulate --payments N`` plays larger ones."""

import pytest

from tests.peers.wechatpay.fixture import MERCHANT
from tests.simulator.book import BreachError
from tests.simulator.crowd.stripe_bank import StripeBank
from tests.simulator.crowd.town import BANKS, play
from tests.simulator.crowd.wechatpay_bank import WechatpayBank
from tests.simulator.stage import Stage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_the_lines_do_every_payment_ends_well(seed):
    with Stage() as stage:
        told = play(stage, payments=150, seed=seed, gateways=("sandbox",))
    assert sum(told.ends.values()) == 150
    assert told.ends["completed"] > 75
    assert told.counts.crashes
    assert told.counts.stale
    assert told.counts.lost


def test_it_is_so_at_every_gateway_over_wires_that_break():
    with Stage() as stage:
        told = play(stage, payments=60, seed=3)
    assert sum(told.ends.values()) == 60
    assert told.counts.crashes
    for gateway in BANKS:
        assert told.ends_by_gateway[gateway, "completed"] > 3
    broken = {what.split()[0] for what in told.met if not what.endswith(" calls")}
    assert broken == {"stripe", "wechatpay"}


class _TakesUnseen(WechatpayBank):
    """Its first guest never pays; at the end it takes that money, and tells nobody."""

    def __init__(self):
        super().__init__()
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


@pytest.mark.parametrize(
    ("bank", "text"),
    [(_TakesUnseen, "and the bank took"), (_ReturnsUnseen, "gave back")],
)
def test_what_a_bank_did_unseen_is_noticed(monkeypatch, bank, text):
    monkeypatch.setitem(BANKS, bank.gateway, lambda _: bank())
    with Stage() as stage, pytest.raises(BreachError, match=text):
        play(stage, payments=40, seed=5, gateways=(bank.gateway, "sandbox"))
