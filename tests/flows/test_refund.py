"""Money back: once, in full, only before the retirement (rows 28 to 32)."""

import pytest
from django.db import transaction

from diandian.audit import queries as audit
from diandian.flows import fulfil, refund
from diandian.orders.models import Order, OrderState
from diandian.payments.errors import (
    NothingToRefundError,
    RetiredNotRefundableError,
)
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Done, RefundSnapshot, Unknown
from tests.flows.books import (
    IN_TRANSIT,
    NOTHING,
    PREPAID,
    assert_completed_once,
    books,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(world, crash):
    """An order whose money is here and whose grams are not retired yet."""
    mend = crash(fulfil, "fulfil_order")
    order = world.order()
    assert world.pay(order) == "paid"
    mend()
    return order


def test_28_an_order_that_is_not_retired_is_refunded_in_full(world, paid):
    back = refund.refund_order(paid, "asked", at=world.now)
    assert (back.state, back.amount_minor) == ("succeeded", paid.quote.total_minor)
    assert world.state(paid) == "refunded"
    assert (world.stock().held_g, world.stock().retired_g) == (0, 0)
    assert books(world) == NOTHING
    assert fulfil.drain(at=world.now) == 0, "it never retires after the refund"
    assert refund.refund_order(paid, "asked", at=world.now) == back


def test_29_a_retired_order_is_not_refunded(world):
    order = world.order()
    world.pay(order)
    with pytest.raises(RetiredNotRefundableError):
        refund.refund_order(order, "asked", at=world.now)
    assert_completed_once(world, order)


def test_29_an_unpaid_order_has_nothing_to_refund(world):
    order = world.order()
    with pytest.raises(NothingToRefundError):
        refund.refund_order(order, "asked", at=world.now)
    assert world.state(order) == "awaiting_payment"


@pytest.mark.parametrize("really", [True, False], ids=["done", "not-done"])
def test_30_a_refund_that_timed_out_is_never_sent_twice(world, paid, monkeypatch, really):
    give_back, asked = SandboxGateway.refund, []

    def timeout(self, context, request, *, at):
        asked.append(request.refund_no)
        if really or len(asked) > 1:
            give_back(self, context, request, at=at)
        return Unknown("timeout")

    monkeypatch.setattr(SandboxGateway, "refund", timeout)
    back = refund.refund_order(paid, "asked", at=world.now)
    assert (back.state, world.state(paid)) == ("unknown", "unfulfillable")
    assert books(world)[IN_TRANSIT] == -back.amount_minor
    for second in (5, 10, 15):
        refund.continue_refunds(at=world.later(seconds=second))
    assert world.state(paid) == "refunded"
    assert set(asked) == {back.refund_no}
    assert len(asked) == (1 if really else 2)
    assert world.peer.by_no(back.payment.payment_no).refunded_minor == back.amount_minor
    assert books(world) == NOTHING


def test_30_a_crash_before_the_call_is_made_good_by_the_worker(world, paid, crash):
    mend = crash(refund, "send", SystemExit)
    with pytest.raises(SystemExit):
        refund.refund_order(paid, "asked", at=world.now)
    mend()
    assert world.state(paid) == "unfulfillable"
    assert refund.continue_refunds(at=world.later(seconds=5)) == 1
    assert (world.state(paid), books(world)) == ("refunded", NOTHING)


def test_32_accepted_is_not_done_and_may_fail_later(world, paid, monkeypatch):
    said = ["processing"]

    def answer(self, context, request, *, at):
        del context, at
        number = getattr(request, "refund_no", request)
        return Done(RefundSnapshot(said[0], number, paid.quote.total_minor, "CNY"))

    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "refund", answer)
        patch.setattr(SandboxGateway, "query_refund", answer)
        back = refund.refund_order(paid, "asked", at=world.now)
        assert (back.state, world.state(paid)) == ("processing", "unfulfillable")
        said[0] = "failed"
        assert refund.continue_refunds(at=world.later(minutes=1)) == 1
    assert world.state(paid) == "unfulfillable", "not refunded, and people are told"
    assert books(world)[PREPAID] == -paid.quote.total_minor
    assert books(world)[IN_TRANSIT] == 0
    assert [entry.action for entry in audit.trail(paid.ref)] == ["refund.failed"]
    # A new try is a new number, and this time it arrives.
    second = refund.refund_order(paid, "asked again", at=world.later(hours=1))
    assert (second.refund_no, second.state) == (f"{back.refund_no}-2", "succeeded")
    assert (world.state(paid), books(world)) == ("refunded", NOTHING)


def test_an_order_that_can_never_be_fulfilled_is_refunded(world, paid):
    refund.give_up(paid.intake, "the batch was frozen", at=world.now)
    assert (world.state(paid), books(world)) == ("refunded", NOTHING)
    assert world.stock().held_g == 0


def test_an_order_under_review_is_refunded_only_by_people(world, paid):
    with transaction.atomic():
        Order.objects.filter(id=paid.id).update(state=OrderState.REVIEW)
    assert refund.continue_refunds(at=world.later(days=1)) == 0
    assert refund.refund_order(paid, "decided", at=world.now).state == "succeeded"
    assert world.state(paid) == "refunded"


def test_an_order_under_review_waits_and_stops_nobody_behind_it(world, paid, crash):
    with transaction.atomic():
        Order.objects.filter(id=paid.id).update(state=OrderState.REVIEW)
    mend = crash(fulfil, "fulfil_order")
    behind = world.order()
    assert world.pay(behind) == "paid"
    mend()
    assert fulfil.drain(at=world.later(minutes=1)) == 1
    assert (world.state(paid), world.state(behind)) == ("review", "completed")
