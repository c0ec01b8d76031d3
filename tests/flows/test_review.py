"""Money that is not as agreed, and what people decide about it (rows 13 to 15, 28 to 32)."""

import sqlite3

import pytest
from django.db import connection

from diandian.audit import queries as audit
from diandian.flows import checkout, expiry, fulfil, payment_events, refund, resolve, review
from diandian.ledger import chart
from diandian.orders.errors import MoneyDiffersError, NotUnderReviewError, StillPayableError
from diandian.orders.models import Intake, Order
from diandian.payments import queries as payments
from diandian.payments.errors import NothingToRefundError, RetiredNotRefundableError
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Rejected
from diandian.payments.models import Refund
from diandian.registry.models import Retirement
from tests.flows.books import (
    CLEARING,
    NOTHING,
    PREPAID,
    UNALLOCATED,
    assert_completed_once,
    books,
    given_up,
    journals,
)

pytestmark = pytest.mark.django_db

WHO = {"actor": "operator:Wang", "reason": "looked at the statement"}


def _broken_code(facts):
    raise KeyError("a fault of ours")


def _broken_database(facts):
    with connection.cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")


@pytest.fixture(params=[_broken_code, _broken_database])
def parked(request, world, monkeypatch):
    """An order that was paid and failed, by a fault of ours, until it went under review."""
    order = world.order()
    with monkeypatch.context() as patch:
        patch.setattr(fulfil, "build", request.param)
        assert world.pay(order) == "paid"
        for _ in range(fulfil.GIVE_UP_AFTER - 1):
            fulfil.drain(at=_next(order))
    assert world.state(order) == "review"
    return order


def _next(order):
    return Intake.objects.get(order=order).next_attempt_at


# -- what arrives ------------------------------------------------------------------------------


def test_13_odd_money_is_in_the_ledger_once(world, odd):
    order = world.order()
    payment = odd(order)
    assert (payment.state, payment.received_minor) == ("succeeded", payment.amount_minor - 1)
    assert world.state(order) == "review"
    for _ in range(2):
        payment_events.refresh(payment.payment_no, at=world.now)
    amount = payment.amount_minor - 1
    assert books(world) == NOTHING | {CLEARING: amount, UNALLOCATED: -amount}
    assert journals(order, "unallocated") == 1
    [entry] = audit.trail(order.ref)
    assert (entry.action, entry.details["received_minor"]) == ("payment.mismatch", amount)
    assert entry.details["order_under_review"] is True
    assert expiry.release_expired(at=world.later(days=2)) == 0


def test_14_money_of_another_currency_is_booked_in_that(world, odd):
    order = world.order()
    payment = odd(order, "currency", "JPY")
    assert world.balance(chart.unallocated("JPY")) == -payment.amount_minor
    assert world.balance(chart.gateway_clearing("JPY", "sandbox", "demo")) == payment.amount_minor
    assert books(world) == NOTHING


def test_15_money_at_another_merchant_is_booked_there(world, odd):
    order = world.order()
    payment = odd(order, "merchant", "other")
    assert world.balance(chart.gateway_clearing("CNY", "sandbox", "other")) == payment.amount_minor
    with pytest.raises(MoneyDiffersError):
        resolve.accept(order.id, at=world.now, **WHO)


@pytest.mark.parametrize(
    ("column", "value"), [("currency", "XAU"), ("merchant", ""), ("merchant", "a:b")]
)
def test_13_what_cannot_be_booked_is_told_and_asked_again(world, odd, column, value):
    order = world.order()
    payment = odd(order, column, value)
    assert (payment.state, world.state(order)) == ("pending", "review")
    assert books(world) == NOTHING
    assert payments.due_for_query(world.later(days=1), 9) == [payment]
    payment_events.poll_due(at=world.later(days=1))
    assert len(audit.trail(order.ref)) == 1


def test_13_an_extra_odd_payment_leaves_a_completed_order_alone(world, odd, settings):
    order = world.order()
    first = world.payment(order)
    world.pay(order, "declined")
    checkout.retry_payment(order, at=world.now)
    world.pay(order)
    assert_completed_once(world, order)
    world.peer.settle_anyway(first.payment_no, world.now)
    with sqlite3.connect(settings.SANDBOX_STORE) as bank:
        bank.execute("UPDATE trade SET amount_minor = 1 WHERE payment_no = ?", [first.payment_no])
    bank.close()
    payment_events.refresh(first.payment_no, at=world.now)
    assert world.state(order) == "completed"
    assert not Refund.objects.exists(), "an amount that nobody expected goes back only by people"
    assert world.balance(UNALLOCATED) == -1
    assert [entry.action for entry in audit.trail(order.ref)] == ["payment.mismatch"]
    resolve.refund_order(order.id, at=world.now, **WHO)
    assert world.balance(UNALLOCATED) == 0
    assert_completed_once(world, order)
    with pytest.raises(RetiredNotRefundableError):
        resolve.refund_order(order.id, at=world.now, **WHO)
    assert Refund.objects.count() == 1


def test_13_odd_money_for_an_expired_order_is_kept_aside(world, odd):
    order = world.order()
    payment = world.payment(order)
    given_up(world, order)
    notice = world.peer.settle_anyway(payment.payment_no, world.now)
    payment = odd(order)
    world.deliver(notice)
    assert (payment.state, world.state(order)) == ("succeeded", "expired")
    decision = resolve.refund_order(order.id, at=world.now, **WHO)
    assert [str(money.amount_minor) for _, money in decision.moved] == [
        str(payment.amount_minor - 1)
    ]
    assert (world.state(order), books(world)) == ("expired", NOTHING)


# -- money back --------------------------------------------------------------------------------


def test_an_odd_payment_goes_back_once(world, odd):
    order = world.order()
    payment = odd(order)
    before = Order.objects.filter(id=order.id).values().get()
    dry = resolve.give_back(order.id, dry=True, at=world.now, **WHO)
    assert (dry.after, [money.amount_minor for _, money in dry.moved]) == (
        "unfulfillable",
        [payment.amount_minor - 1],
    )
    assert Order.objects.filter(id=order.id).values().get() == before
    assert not Refund.objects.exists()
    assert len(audit.trail(order.ref)) == 1, "a dry run leaves no trace"

    resolve.give_back(order.id, at=world.now, **WHO)
    assert (world.state(order), books(world)) == ("refunded", NOTHING)
    assert (world.stock().held_g, world.stock().retired_g) == (0, 0)
    assert world.peer.by_no(payment.payment_no).refunded_minor == payment.amount_minor - 1
    entry = audit.trail(order.ref)[-1]
    assert (entry.actor_ref, entry.action) == ("operator:Wang", "order.given_back")
    assert entry.details["reason"] == WHO["reason"]
    for again in (resolve.give_back, resolve.accept):
        with pytest.raises(NotUnderReviewError):
            again(order.id, at=world.now, **WHO)
    with pytest.raises(NothingToRefundError):
        resolve.refund_order(order.id, at=world.now, **WHO)
    assert Refund.objects.count() == 1


def test_more_than_the_price_goes_back_in_full(world, odd):
    order = world.order()
    payment = odd(order, value=world.payment(order).amount_minor * 100)
    resolve.give_back(order.id, at=world.now, **WHO)
    assert world.peer.by_no(payment.payment_no).refunded_minor == payment.amount_minor * 100
    assert (world.state(order), books(world)) == ("refunded", NOTHING)


def test_30_a_crash_before_the_gateway_heard_of_the_refund(world, odd, crash):
    order = world.order()
    odd(order)
    mend = crash(refund, "send", SystemExit)
    with pytest.raises(SystemExit):
        resolve.give_back(order.id, at=world.now, **WHO)
    mend()
    assert world.state(order) == "unfulfillable"
    assert refund.continue_refunds(at=world.later(seconds=5)) == 1
    assert (world.state(order), books(world)) == ("refunded", NOTHING)


def test_32_a_refund_that_failed_is_decided_anew(world, odd, monkeypatch):
    order = world.order()
    payment = odd(order, "merchant", "other")
    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "refund", lambda *_, **__: Rejected("not_your_payment"))
        resolve.give_back(order.id, at=world.now, **WHO)
    [failed] = payments.refunds_of(order.ref)
    assert (failed.state, world.state(order)) == ("failed", "unfulfillable")
    assert world.balance(UNALLOCATED) == -payment.amount_minor
    # Somebody set it right at the gateway; the second try has a number of its own.
    resolve.refund_order(order.id, at=world.later(hours=1), **WHO)
    assert [each.state for each in payments.refunds_of(order.ref)] == ["failed", "succeeded"]
    assert (world.state(order), world.balance(UNALLOCATED)) == ("refunded", 0)


def test_a_review_where_nothing_came_ends_cancelled(world, odd):
    order = world.order()
    odd(order, "currency", "XAU")
    with pytest.raises(StillPayableError):
        resolve.give_back(order.id, at=world.now, **WHO)
    assert (world.state(order), world.stock().held_g) == ("review", order.mass_g)

    other = world.order(1000)
    payment = world.payment(other)
    _tamper_unpaid(world, payment)
    payment_events.refresh(payment.payment_no, at=world.now)
    assert world.state(other) == "review"
    assert resolve.give_back(other.id, dry=True, at=world.now, **WHO).after == "cancelled"
    assert world.payment(other).state == "pending", "a dry run asks no gateway"
    assert resolve.give_back(other.id, at=world.now, **WHO).after == "cancelled"
    assert world.payment(other).state == "closed"
    assert world.stock().held_g == order.mass_g


def _tamper_unpaid(world, payment):
    with sqlite3.connect(world.peer.store) as bank:
        bank.execute("UPDATE trade SET amount_minor = 7 WHERE payment_no = ?", [payment.payment_no])
    bank.close()


# -- accepted ----------------------------------------------------------------------------------


def test_money_that_is_the_price_after_all_is_accepted_once(world, odd):
    """First the gateway told another amount, then the right one was paid."""
    order = world.order()
    payment = world.payment(order)
    _tamper_unpaid(world, payment)
    payment_events.refresh(payment.payment_no, at=world.now)
    assert world.state(order) == "review"
    with pytest.raises(MoneyDiffersError):
        resolve.accept(order.id, at=world.now, **WHO)
    odd(order, value=payment.amount_minor)
    assert world.state(order) == "review", "people decide, even when it fits now"
    assert books(world)[UNALLOCATED] == -payment.amount_minor

    dry = resolve.accept(order.id, dry=True, at=world.now, **WHO)
    assert (dry.after, world.state(order)) == ("paid", "review")
    resolve.accept(order.id, at=world.now, **WHO)
    assert world.state(order) == "completed"
    assert books(world) == NOTHING | {CLEARING: payment.amount_minor}
    assert Retirement.objects.count() == 1
    assert audit.trail(order.ref)[-1].action == "order.accepted"
    for again in (resolve.accept, resolve.give_back):
        with pytest.raises(NotUnderReviewError):
            again(order.id, at=world.now, **WHO)
    with pytest.raises(RetiredNotRefundableError):
        resolve.refund_order(order.id, at=world.now, **WHO)


def test_less_than_the_price_is_never_accepted(world, odd):
    order = world.order()
    odd(order)
    with pytest.raises(MoneyDiffersError) as refused:
        resolve.accept(order.id, at=world.now, **WHO)
    assert "8.03 CNY" in refused.value.text()
    assert world.state(order) == "review"
    assert world.stock().retired_g == 0


# -- failures of ours --------------------------------------------------------------------------


def test_an_order_that_keeps_failing_waits_longer_then_goes_to_people(world, parked):
    assert Intake.objects.get(order=parked).state == "parked"
    assert fulfil.drain(at=world.later(days=9)) == 0
    assert world.stock().held_g == parked.mass_g
    assert books(world)[PREPAID] == -parked.quote.total_minor
    [entry] = audit.trail(parked.ref)
    assert (entry.action, entry.details["attempts"]) == ("order.under_review", 5)
    assert entry.details["error"].startswith(("KeyError: ", "OperationalError: ", "Programming"))


def test_a_parked_order_is_fulfilled_once_the_fault_is_mended(world, parked):
    resolve.accept(parked.id, at=world.now, **WHO)
    assert_completed_once(world, parked)
    assert Intake.objects.get(order=parked).state == "done"


def test_28_a_parked_order_is_refunded(world, parked):
    resolve.give_back(parked.id, at=world.now, **WHO)
    assert (world.state(parked), books(world)) == ("refunded", NOTHING)
    assert world.stock().held_g == 0
    assert fulfil.drain(at=world.later(days=1)) == 0


def test_an_order_goes_under_review_once(world, parked):
    intake = Intake.objects.get(order=parked)
    assert not review.keeps_failing(intake, ValueError(), at=world.now)
    assert len(audit.trail(parked.ref)) == 1


def test_28_a_paid_order_is_refunded_by_people(world, crash):
    mend = crash(fulfil, "fulfil_order")
    order = world.order()
    world.pay(order)
    mend()
    decision = resolve.refund_order(order.id, at=world.now, **WHO)
    assert (decision.before, decision.after) == ("paid", "unfulfillable")
    assert (world.state(order), books(world)) == ("refunded", NOTHING)
    with pytest.raises(NothingToRefundError):
        resolve.refund_order(order.id, at=world.now, **WHO)


def test_29_an_unpaid_order_has_nothing_to_refund(world):
    order = world.order()
    with pytest.raises(NothingToRefundError):
        resolve.refund_order(order.id, at=world.now, **WHO)
    assert world.state(order) == "awaiting_payment"


def test_a_gateway_that_is_silent_keeps_an_order_under_review(world, crash):
    order = world.order()
    payment = world.payment(order)
    _tamper_unpaid(world, payment)
    payment_events.refresh(payment.payment_no, at=world.now)
    mend = crash(SandboxGateway, "close_payment")
    with pytest.raises(StillPayableError):
        resolve.give_back(order.id, at=world.now, **WHO)
    mend()
    assert resolve.give_back(order.id, at=world.now, **WHO).after == "cancelled"
