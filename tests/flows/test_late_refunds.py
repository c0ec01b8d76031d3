"""Refunds asked for after the gateway's time: two people pay them by bank, once (31, 32)."""

import pytest

from diandian.audit import queries as audit
from diandian.flows import abnormal, goodwill, payment_events, refund, resolve
from diandian.ledger import chart
from diandian.payments import errors
from diandian.payments.gateways.sandbox import disputes as bank
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import WINDOW_OVER, Capabilities, Rejected
from diandian.payments.models import Refund
from diandian.web.order_refunds import money_back
from tests.flows.books import CLEARING, IN_TRANSIT, PREPAID
from tests.flows.money import (  # noqa: F401 - fixtures among them
    LI,
    WANG,
    all_books,
    done_order,
    paid_order,
    reviewed_order,
    take,
    total,
    whole,
)
from tests.flows.settling import house_breaches

pytestmark = pytest.mark.django_db
BANK = chart.bank("CNY")


@pytest.fixture
def patches():
    """Patches of their own: what mends a crash takes back all others."""
    with pytest.MonkeyPatch.context() as context:
        yield context


@pytest.fixture(autouse=True)
def thirty_days(patches):
    real = SandboxGateway.capabilities

    def capabilities(self, context):
        offered = real(self, context)
        names = Capabilities.__dataclass_fields__
        facts = {name: getattr(offered, name) for name in names}
        return Capabilities(**facts | {"refund_window_days": 30})

    patches.setattr(SandboxGateway, "capabilities", capabilities)


@pytest.fixture
def unasked(patches):
    """The gateway must not be asked for a refund."""

    def never(*_, **__):
        raise AssertionError("the gateway was asked for a refund that it takes no more")

    patches.setattr(SandboxGateway, "refund", never)


def pay_by_bank(refund_id, at):
    asked = abnormal.ask_otherwise(refund_id, evidence="transfer 4711", at=at, **LI)
    with pytest.raises(errors.OwnMoneyRequestError):
        goodwill.confirm(asked, actor=LI["actor"], at=at)
    goodwill.confirm(asked, at=at, **WANG)
    return asked


@pytest.mark.usefixtures("unasked")
def test_31_too_late_it_is_paid_by_bank_with_two_peoples_word(world, paid):
    late = world.later(days=31)
    made = refund.refund_order(paid, "asked", at=late)
    assert (made.state, made.sent_at) == ("abnormal", None)
    assert all_books(world) == {CLEARING: total(paid), IN_TRANSIT: -total(paid)}
    assert world.state(paid) == "unfulfillable"
    [told] = [each for each in audit.trail(paid.ref) if each.action == "refund.abnormal"]
    assert told.details["why"] == WINDOW_OVER
    assert refund.continue_refunds(at=world.later(days=40)) == 0
    assert refund.refund_order(paid, "asked", at=late).id == made.id
    with pytest.raises(errors.MendingNotOfferedError):
        abnormal.mend(made.id, at=late, **LI)
    asked = pay_by_bank(made.id, late)
    assert (Refund.objects.get().state, world.state(paid)) == ("otherwise", "refunded")
    assert all_books(world) == {CLEARING: total(paid)}, "what came stays at the gateway"
    assert world.balance(BANK) == -total(paid)
    for again in (
        lambda: goodwill.confirm(asked, at=late, **WANG),
        lambda: abnormal.ask_otherwise(made.id, evidence="transfer 4712", at=late, **LI),
    ):
        with pytest.raises((errors.MoneyRequestDecidedError, errors.NotAbnormalError)):
            again()
    assert world.balance(BANK) == -total(paid)
    assert house_breaches() == []


def test_31_on_the_last_day_the_gateway_takes_it(world, paid):
    assert refund.refund_order(paid, "asked", at=world.later(days=29)).state == "succeeded"


@pytest.mark.usefixtures("unasked")
def test_31_a_part_and_goodwill_that_come_too_late_go_the_same_way(world, done):
    late = world.later(days=31)
    asked = goodwill.ask(done.id, amount_minor=300, at=late, **LI)
    goodwill.confirm(asked, at=late, **WANG)
    made = Refund.objects.get()
    assert (made.state, made.kind) == ("abnormal", "goodwill")
    pay_by_bank(made.id, late)
    assert world.balance(BANK) == -300
    assert world.balance(chart.goodwill("CNY")) == 300
    assert house_breaches() == []


def test_31_one_that_was_asked_for_in_time_and_waited_too_long(world, paid, crash):
    mend = crash(refund, "_dispatch")
    with pytest.raises(RuntimeError):
        refund.refund_order(paid, "asked", at=world.now)
    mend()
    refund.continue_refunds(at=world.later(days=31))
    assert Refund.objects.get().state == "abnormal"
    assert world.peer.by_no(world.payment(paid).payment_no).refunded_minor == 0


def test_31_a_gateway_that_says_the_time_is_over_is_believed(world, paid, monkeypatch):
    calls = []

    def over(*_, **__):
        calls.append(1)
        return Rejected(WINDOW_OVER, "the trade is finished")

    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "refund", over)
        made = refund.refund_order(paid, "asked", at=world.now)
        assert made.state == "abnormal"
        pay_by_bank(made.id, world.now)
    assert Refund.objects.get().state == "otherwise"
    assert world.balance(BANK) == -total(paid)
    assert len(calls) == 2, "asked once more before somebody wrote, and never after"
    assert house_breaches() == []


@pytest.mark.parametrize("verdict", ["won", "lost"])
def test_31_nobody_pays_by_bank_what_a_bank_decides_about(world, paid, verdict):
    late = world.later(days=31)
    made = refund.refund_order(paid, "asked", at=late)
    asked = abnormal.ask_otherwise(made.id, evidence="transfer 4711", at=late, **LI)
    number, notice = take(world, paid)
    world.deliver(notice)
    with pytest.raises(errors.DisputedError):
        goodwill.confirm(asked, at=late, **WANG)
    world.deliver(bank.end(world.peer, number, verdict, world.now))
    if verdict == "won":
        goodwill.confirm(asked, at=late, **WANG)
        assert world.balance(BANK) == -total(paid)
    else:
        with pytest.raises(errors.NotAbnormalError):
            goodwill.confirm(asked, at=late, **WANG)
        assert (Refund.objects.get().state, all_books(world)) == ("failed", {})
        assert world.balance(BANK) == 0
    assert world.state(paid) == "refunded"
    assert house_breaches() == []


def test_31_its_guest_reads_that_it_comes_another_way(world, paid):
    made = refund.refund_order(paid, "asked", at=world.later(days=31))
    paid.refresh_from_db()
    [line] = money_back(paid, [world.payment(paid)]).lines
    assert "takes nothing back after so long" in line.words
    pay_by_bank(made.id, world.later(days=31))
    paid.refresh_from_db()
    [line] = money_back(paid, [world.payment(paid)]).lines
    assert line.words == "Returned to you by other means."


def test_31_a_part_under_review_too(world, looked_at):
    payment = world.payment(looked_at)
    wish = resolve.Part(payment.payment_no, 300, payment.refunded_minor)
    late = world.later(days=31)
    resolve.refund_part(looked_at.id, part=wish, at=late, **LI)
    assert Refund.objects.get().state == "abnormal"
    assert all_books(world) == {
        CLEARING: total(looked_at),
        PREPAID: 300 - total(looked_at),
        IN_TRANSIT: -300,
    }
    payment_events.refresh(payment.payment_no, at=late)
    assert house_breaches() == []
