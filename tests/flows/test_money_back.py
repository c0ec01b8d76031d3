"""Money back in part, accepted and not done, and as goodwill (rows 29, 31, 32)."""

import pytest

from diandian.flows import (
    abnormal,
    goodwill,
    refund,
    resolve,
)
from diandian.ledger import chart
from diandian.orders.errors import MoneyDiffersError
from diandian.payments import errors
from diandian.payments.gateways.sandbox import refunds as desk
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Capabilities, Rejected
from diandian.payments.models import MoneyRequest, Refund
from tests.flows.books import CLEARING, IN_TRANSIT, NOTHING, PREPAID, books
from tests.flows.money import (  # noqa: F401 - fixtures among them
    GOODWILL,
    LI,
    WANG,
    acts,
    all_books,
    done_order,
    paid_order,
    part,
    reviewed_order,
    total,
    whole,
)

pytestmark = pytest.mark.django_db


# -- in part (31) -----------------------------------------------------------------------------


def test_31_parts_add_up_and_never_to_more_than_was_paid(world, looked_at):
    part(world, looked_at, 300)
    part(world, looked_at, 200)
    assert [each.refund_no[-2:] for each in Refund.objects.all()[1:]] == ["-2"]
    with pytest.raises(errors.NothingLeftError, match=r"3\.04 CNY"):
        part(world, looked_at, total(looked_at) - 499)
    assert world.state(looked_at) == "review"
    assert all_books(world) == {CLEARING: total(looked_at) - 500, PREPAID: 500 - total(looked_at)}
    with pytest.raises(MoneyDiffersError, match=r"ready for it is 3\.04 CNY"):
        resolve.accept(looked_at.id, at=world.now, **LI)
    rest = resolve.give_back(looked_at.id, at=world.now, **LI)
    assert [money.amount_minor for _, money in rest.moved] == [total(looked_at) - 500]
    assert (world.state(looked_at), books(world)) == ("refunded", NOTHING)


def test_31_a_part_is_not_sent_twice_by_a_second_press(world, looked_at):
    part(world, looked_at, 300, seen_minor=0)
    with pytest.raises(errors.LookAgainError):
        part(world, looked_at, 300, seen_minor=0)
    assert Refund.objects.count() == 1


def test_31_a_dry_part_changes_nothing(world, looked_at):
    shown = part(world, looked_at, 300, dry=True)
    assert shown.moved[0][1].amount_minor == 300
    assert not Refund.objects.exists()
    assert acts(looked_at) == []


def test_31_the_price_of_an_order_that_goes_on_is_not_refunded_in_part(world, paid):
    with pytest.raises(errors.PartNeedsReviewError):
        part(world, paid, 300)


def test_31_a_payment_of_another_order_is_not_touched(world, looked_at):
    other = world.order()
    wish = resolve.Part(world.payment(looked_at).payment_no, 100, 0)
    with pytest.raises(errors.UnknownPaymentError):
        resolve.refund_part(other.id, part=wish, at=world.now, **LI)


def offering(monkeypatch, **changes):
    real = SandboxGateway.capabilities

    def capabilities(self, context):
        offered = real(self, context)
        names = Capabilities.__dataclass_fields__
        return Capabilities(**{name: getattr(offered, name) for name in names} | changes)

    monkeypatch.setattr(SandboxGateway, "capabilities", capabilities)


@pytest.mark.parametrize(
    ("offered", "refusal"),
    [
        ({"can_partial_refund": False}, errors.NoPartialRefundError),
        ({"refunds_limit": 1}, errors.TooManyRefundsError),
    ],
)
def test_31_what_the_gateway_does_not_offer_is_refused_before_it_is_asked(
    world, looked_at, monkeypatch, offered, refusal
):
    if "refunds_limit" in offered:
        part(world, looked_at, 100)
    offering(monkeypatch, **offered)
    before = Refund.objects.count()
    with pytest.raises(refusal):
        part(world, looked_at, 100, at=world.later(days=2))
    assert Refund.objects.count() == before


def test_31_two_parts_wait_for_each_other(world, looked_at, monkeypatch):
    offering(monkeypatch, refund_gap_seconds=60)
    part(world, looked_at, 100)
    part(world, looked_at, 200)
    second = Refund.objects.last()
    assert (second.state, second.sent_at) == ("requested", None)
    refund.continue_refunds(at=world.later(seconds=59))
    second.refresh_from_db()
    assert second.state == "requested"
    refund.continue_refunds(at=world.later(seconds=60))
    second.refresh_from_db()
    assert second.state == "succeeded"


# -- accepted is not done (32) ----------------------------------------------------------------


def thinking(world, order):
    desk.think(world.peer, world.payment(order).payment_no)
    return refund.refund_order(order, "asked", at=world.now)


@pytest.mark.parametrize("end", ["succeeded", "failed"])
def test_32_a_refund_that_takes_its_time(world, paid, end):
    asked = thinking(world, paid)
    assert (asked.state, world.state(paid)) == ("processing", "unfulfillable")
    assert all_books(world) == {CLEARING: total(paid), IN_TRANSIT: -total(paid)}
    world.deliver(desk.decide(world.peer, asked.refund_no, end, world.now))
    asked.refresh_from_db()
    assert asked.state == end
    went = end == "succeeded"
    assert world.state(paid) == ("refunded" if went else "unfulfillable")
    assert all_books(world) == ({} if went else {CLEARING: total(paid), PREPAID: -total(paid)})


@pytest.fixture
def lost_way(world, paid):
    """A refund that the gateway took and could not pay out."""
    asked = thinking(world, paid)
    world.deliver(desk.decide(world.peer, asked.refund_no, "abnormal", world.now))
    asked.refresh_from_db()
    assert asked.state == "abnormal"
    return asked


def test_32_an_abnormal_refund_is_tried_by_another_way(world, paid, lost_way):
    assert abnormal.mend(lost_way.id, at=world.now, **LI).state == "succeeded"
    assert (world.state(paid), books(world)) == ("refunded", NOTHING)
    with pytest.raises(errors.NotAbnormalError):
        abnormal.mend(lost_way.id, at=world.now, **LI)


def test_32_a_gateway_without_another_way_says_so(world, lost_way, monkeypatch):
    refused = lambda *_, **__: Rejected("not_offered")  # noqa: E731 - the gateway's whole answer
    monkeypatch.setattr(SandboxGateway, "mend_refund", refused)
    with pytest.raises(errors.MendingNotOfferedError):
        abnormal.mend(lost_way.id, at=world.now, **LI)


def test_32_paid_by_other_means_needs_two_people(world, paid, lost_way):
    asked = abnormal.ask_otherwise(lost_way.id, evidence="transfer 4711", at=world.now, **LI)
    with pytest.raises(errors.OwnMoneyRequestError):
        goodwill.confirm(asked, actor=LI["actor"], at=world.now)
    assert Refund.objects.get().state == "abnormal"
    goodwill.confirm(asked, at=world.now, **WANG)
    assert Refund.objects.get().state == "otherwise"
    assert world.state(paid) == "refunded"
    assert all_books(world) == {CLEARING: total(paid)}, "what came stays at the gateway"
    assert world.balance(chart.bank("CNY")) == -total(paid)
    with pytest.raises(errors.MoneyRequestDecidedError):
        goodwill.refuse(asked, at=world.now, **WANG)
    assert refund.continue_refunds(at=world.later(days=1)) == 0


def test_32_what_found_its_way_meanwhile_is_not_paid_again(world, lost_way):
    asked = abnormal.ask_otherwise(lost_way.id, evidence="transfer 4711", at=world.now, **LI)
    desk.decide(world.peer, lost_way.refund_no, "succeeded", world.now)
    with pytest.raises(errors.NotAbnormalError):
        goodwill.confirm(asked, at=world.now, **WANG)
    assert world.balance(chart.bank("CNY")) == 0
    assert MoneyRequest.objects.get().state == "waiting"
    assert Refund.objects.get().state == "succeeded"


# -- goodwill (29) ----------------------------------------------------------------------------


def test_29_goodwill_is_an_expense_by_two_people(world, done):
    asked = goodwill.ask(done.id, amount_minor=300, at=world.now, **LI)
    assert goodwill.ask(done.id, amount_minor=300, at=world.now, **LI) == asked
    with pytest.raises(errors.MoneyRequestWaitsError):
        goodwill.ask(done.id, amount_minor=301, at=world.now, **LI)
    with pytest.raises(errors.OwnMoneyRequestError):
        goodwill.confirm(asked, actor=LI["actor"], at=world.now)
    assert not Refund.objects.exists()
    goodwill.confirm(asked, at=world.now, **WANG)
    with pytest.raises(errors.MoneyRequestDecidedError):
        goodwill.confirm(asked, actor="operator:third", at=world.now)
    assert [each.state for each in Refund.objects.all()] == ["succeeded"]
    assert world.state(done) == "completed"
    assert world.stock().retired_g == done.mass_g
    assert all_books(world) == {CLEARING: total(done) - 300, GOODWILL: 300}
    assert acts(done) == ["goodwill.asked", "goodwill.granted"]


def test_29_goodwill_that_fails_costs_nothing(world, done):
    desk.think(world.peer, world.payment(done).payment_no)
    asked = goodwill.ask(done.id, amount_minor=total(done), at=world.now, **LI)
    goodwill.confirm(asked, at=world.now, **WANG)
    made = Refund.objects.get()
    world.deliver(desk.decide(world.peer, made.refund_no, "failed", world.now))
    assert all_books(world) == {CLEARING: total(done)}


def test_29_goodwill_is_never_more_than_was_paid(world, done):
    for amount_minor in (total(done) + 1, 0, -1):
        with pytest.raises(errors.NothingLeftError):
            goodwill.ask(done.id, amount_minor=amount_minor, at=world.now, **LI)


def test_29_goodwill_is_for_what_is_retired(world, paid):
    with pytest.raises(errors.NotRetiredError):
        goodwill.ask(paid.id, amount_minor=1, at=world.now, **LI)


def test_29_whoever_asked_may_take_it_back(world, done):
    asked = goodwill.ask(done.id, amount_minor=300, at=world.now, **LI)
    goodwill.refuse(asked, actor=LI["actor"], at=world.now)
    with pytest.raises(errors.MoneyRequestDecidedError):
        goodwill.confirm(asked, at=world.now, **WANG)
    assert not Refund.objects.exists()
