"""A crowd over faulty lines; ``./run simulate --payments N`` plays larger ones."""

from collections import Counter
from dataclasses import replace
from itertools import count

import pytest

from diandian.audit.models import AuditEntry
from diandian.flows import goodwill
from diandian.payments.gateways.sandbox import disputes
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.settlement.models import Return
from tests.simulator.book import BreachError
from tests.simulator.crowd import afterwards, postings, verdict
from tests.simulator.crowd.alipay_bank import AlipayBank
from tests.simulator.crowd.banks import SandboxBank
from tests.simulator.crowd.crowd import Crowd
from tests.simulator.crowd.house_bank import HouseBank
from tests.simulator.crowd.stripe_bank import StripeBank
from tests.simulator.crowd.town import BANKS, clock_of, play
from tests.simulator.crowd.wechatpay_bank import WechatpayBank
from tests.simulator.stage import Stage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def guests_alone(monkeypatch):
    """Pass nothing on: what is looked at is what guests and banks did."""
    monkeypatch.setattr(Crowd, "settles", False)


@pytest.mark.usefixtures("guests_alone")
def test_whatever_the_lines_do_every_payment_ends_well():
    with Stage() as stage:
        told = play(stage, payments=150, seed=1, gateways=("sandbox",))
    assert sum(told.ends.values()) == 150
    assert told.ends["completed"] > 75
    assert told.counts.crashes
    assert told.counts.stale
    assert told.counts.lost


@pytest.mark.usefixtures("guests_alone")
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
    broken = {key for key, kind in met if key in BANKS and kind not in {"calls", *played}}
    assert broken == {"alipay", "stripe", "wechatpay"}


class _TakesUnseen(WechatpayBank):
    """Its first guest never pays; at the end it takes that money, and tells nobody."""

    def __init__(self, clock):
        super().__init__(clock)
        self._left = None

    def choose(self, payment, choice, at):
        self._left = self._left or payment
        return [] if payment == self._left else super().choose(payment, choice, at)

    def pay_late(self, payment, at):
        return [] if payment == self._left else super().pay_late(payment, at)

    def books(self, at):
        self.follow(at)
        self._pay(self._left, even_if_closed=True)
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


@pytest.mark.usefixtures("guests_alone")
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


@pytest.mark.usefixtures("guests_alone")
def test_a_dispute_that_nobody_heard_of_is_noticed(monkeypatch):
    monkeypatch.setitem(BANKS, "sandbox", lambda stage: _DisputesUnseen(stage.peer))
    with Stage() as stage, pytest.raises(BreachError, match=r"dispute .* is None"):
        play(stage, payments=15, seed=6, gateways=("sandbox",))


@pytest.mark.usefixtures("guests_alone")
def test_goodwill_that_nobody_granted_is_noticed(monkeypatch):
    monkeypatch.setattr(afterwards, "SHARE", 1)
    monkeypatch.setattr(afterwards, "KINDS", ("goodwill",))
    monkeypatch.setattr(afterwards.Afterwards, "_grant", _grants_unseen)
    with Stage() as stage, pytest.raises(BreachError, match="keeps"):
        play(stage, payments=15, seed=7, gateways=("sandbox",))


# -- suppliers --------------------------------------------------------------------------------


def _sent_twice(crowd):
    """Let a bank have passed on one part more."""
    bank = crowd.banks["sandbox"]
    parts = bank.parts(crowd.stage.now)
    bank.parts = lambda at: [*parts, parts[0]]


def _lost(crowd):
    """Let a bank have passed on one part less."""
    bank = crowd.banks["sandbox"]
    parts = bank.parts(crowd.stage.now)
    bank.parts = lambda at: parts[1:]


def _paid_twice(crowd):
    """Let our bank have paid a payout twice."""
    paid = crowd.office.bank.paid
    account = next(iter(paid))
    paid[account] *= 2


def _paid_out_unseen(crowd):
    """Let a bank have sent us money that no statement tells."""
    crowd.banks["sandbox"].pay_out(1, crowd.stage.now)


def _signed(crowd):
    """Let somebody have signed what did not agree."""
    crowd.office.signed.append("a difference")


def test_what_suppliers_got_too_much_or_too_little_is_noticed(monkeypatch):
    monkeypatch.setattr(afterwards, "SHARE", 1)
    monkeypatch.setattr(afterwards, "KINDS", ("goodwill",))
    judged = []

    def judge(crowd):
        ends = judge_all(crowd)
        for wrong, text in (
            (_sent_twice, "passed on"),
            (_lost, "passed on 0 not"),
            (_paid_twice, "is owed -"),
            (_paid_out_unseen, "account"),
            (_signed, "no statement agreed"),
        ):
            # Each is undone by going back to what the banks had.
            bank, paid = crowd.banks["sandbox"], crowd.office.bank.paid.copy()
            wrong(crowd)
            with pytest.raises(BreachError, match=text):
                judge_all(crowd)
            vars(bank).pop("parts", None)
            crowd.office.bank.paid = paid
            judged.append(text)
        return ends

    judge_all = verdict.judge
    monkeypatch.setattr(verdict, "judge", judge)
    with Stage() as stage:
        play(stage, payments=12, seed=9, gateways=("sandbox",))
    assert len(judged) == 5


def test_a_part_that_was_sent_twice_under_two_numbers_is_noticed(monkeypatch):
    send, sent = SandboxGateway.split, []

    def twice(gateway, context, request, *, at):
        legs = tuple(replace(leg, leg_no=f"{leg.leg_no}-again") for leg in request.legs)
        again = replace(request, split_no=f"{request.split_no}-again", legs=legs)
        sent.append(send(gateway, context, again, at=at))
        return send(gateway, context, request, at=at)

    monkeypatch.setattr(SandboxGateway, "split", twice)
    with Stage() as stage, pytest.raises(BreachError, match="passed on"):
        play(stage, payments=6, seed=8, gateways=("sandbox",))
    assert sent


def test_what_is_granted_while_a_payout_is_at_a_slow_bank_for_days_is_shared_all_the_same(
    monkeypatch,
):
    monkeypatch.setattr(afterwards, "SHARE", 0.9)
    monkeypatch.setattr(afterwards, "KINDS", ("goodwill",))
    work, calls = HouseBank.work, count(1)

    def weekly(bank):
        if not next(calls) % 7:
            work(bank)

    monkeypatch.setattr(HouseBank, "work", weekly)
    with Stage() as stage:
        play(stage, payments=60, seed=50, gateways=("alipay",))
        said = AuditEntry.objects.filter(action="settlement.short")
        late = {each["return"] for each in said.values_list("details", flat=True)}
        assert len(late) > 3
        assert {*Return.objects.filter(return_no__in=late).values_list("way", flat=True)} == {
            "claimed"
        }


def test_an_example_that_no_house_ever_booked_is_named():
    met = Counter({f"booked: {name}": 1 for name in postings.EXAMPLES})
    every = {"gateways": tuple(BANKS)}
    assert postings.lacking(met, payments=30_000, **every) == []
    del met["booked: 8 paid twice"]
    assert postings.lacking(met, payments=30_000, **every) == ["8 paid twice"]
    assert postings.lacking(met, payments=29_999, **every) == []
    assert postings.lacking(met, payments=30_000, gateways=("sandbox",)) == []
