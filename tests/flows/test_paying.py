"""Paying another way, links that expire, links that outlive ours (rows 5, 6, 18 to 24, 48)."""

from datetime import timedelta

import pytest

from diandian.audit import queries as audit
from diandian.flows import checkout, expiry, paying, payment_events
from diandian.flows.checkout import PayBy
from diandian.orders.errors import NotPayableError, PaymentUnavailableError
from diandian.orders.models import Order
from diandian.payments import queries as payments
from diandian.payments.errors import (
    AmountOutOfRangeError,
    NotClosedYetError,
    UnknownGatewayError,
)
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Done, Pending, Rejected, Unknown
from diandian.payments.models import Payment, Refund
from diandian.payments.splits import SplitTerms
from tests.flows import gateway as pretended
from tests.flows.books import PAST_GRACE, assert_completed_once, creation_times_out, given_up
from tests.flows.gateway import KEY

pytestmark = pytest.mark.django_db

PAGE, CODE = PayBy("sandbox", "page"), PayBy("sandbox", "qr")


@pytest.fixture
def pretend(world, monkeypatch, settings):
    return pretended.use(monkeypatch, settings)


def place(world, by, **changes):
    quote = world.quote(124_000)
    return checkout.place_order(
        quote_token=quote.token,
        beneficiary_name="",
        on_board=False,
        language="en",
        by=by,
        at=world.now,
        **changes,
    )


def closing_answers(monkeypatch, answer):
    monkeypatch.setattr(SandboxGateway, "close_payment", lambda *_, **__: answer)


# -- the request that a gateway sees ----------------------------------------------------------


def test_the_request_names_flow_and_address_and_whether_money_is_divided(world, pretend):
    pretend.changes = {"split": SplitTerms(3000, 60, can_reverse=True, pays_supplier=False)}
    order = place(world, PayBy(KEY, "code", "203.0.113.7"))
    [request] = pretend.requests
    assert (request.flow, request.client_ip, request.is_split) == ("code", "203.0.113.7", True)
    assert world.payment(order).flow == "code"


@pytest.mark.parametrize(
    ("settlement", "split"),
    [("principal", SplitTerms(3000, 60, can_reverse=True, pays_supplier=False)), ("connect", None)],
)
def test_what_is_not_divided_says_so(world, monkeypatch, settings, settlement, split):
    gateway = pretended.use(monkeypatch, settings, settlement=settlement)
    gateway.changes = {"split": split}
    place(world, PayBy(KEY))
    assert not gateway.requests[0].is_split


def test_an_unknown_flow_or_gateway_orders_nothing(world):
    for by in (PayBy("sandbox", "wap"), PayBy("nowhere"), PayBy("sandbox", "\x00")):
        with pytest.raises(UnknownGatewayError):
            place(world, by)
    assert not Order.objects.exists()
    assert world.stock().held_g == 0


def test_48_below_the_minimum_no_gateway_is_asked(world, pretend):
    pretend.changes = {"limits_minor": {"CNY": (10_000, 20_000)}}
    with pytest.raises(AmountOutOfRangeError):
        place(world, PayBy(KEY))
    assert pretend.requests == []
    assert not Order.objects.exists()
    assert world.stock().held_g == 0


def test_48_without_a_wish_the_first_gateway_that_takes_the_amount_is_taken(
    world, pretend, settings, monkeypatch
):
    limits = {"limits_minor": {"CNY": (10_000, 20_000)}}
    pretend.changes = limits
    settings.GATEWAYS = [KEY, "sandbox"]
    order = place(world, PayBy())
    assert world.payment(order).gateway == "sandbox"


# -- another way ------------------------------------------------------------------------------


def test_20_another_way_closes_the_first_at_its_gateway(world):
    order = place(world, PAGE)
    first = world.payment(order)
    second = paying.pay(order, CODE, at=world.now)
    assert second.payment_no != first.payment_no
    assert (second.flow, second.instruction["kind"]) == ("qr", "qr")
    assert second.instruction["text"].startswith("http://testserver/sandbox/")
    first.refresh_from_db()
    assert (first.state, first.is_superseded) == ("closed", False)
    assert world.peer.by_no(first.payment_no).stored_state == "closed"
    [notice] = world.peer.decide(second.instruction["text"].rpartition("/")[2], "paid", world.now)
    world.deliver(notice)
    assert_completed_once(world, order)


def test_21_the_same_way_again_is_the_same_attempt(world):
    order = place(world, CODE)
    again = [paying.pay(order, CODE, at=world.now) for _ in range(3)]
    assert {payment.payment_no for payment in again} == {world.payment(order).payment_no}
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("answer", [Unknown("timeout"), Done("not_found_yet"), Rejected("busy")])
def test_20_where_nobody_says_closed_the_first_is_set_aside_and_asked_about(
    world, monkeypatch, answer
):
    order = place(world, PAGE)
    first = world.payment(order)
    with monkeypatch.context() as patch:
        closing_answers(patch, answer)
        second = paying.pay(order, CODE, at=world.now)
    first.refresh_from_db()
    assert (first.state, first.is_superseded) == ("pending", True)
    assert first in payments.due_for_query(world.later(minutes=1), 9)
    # Both are paid: the order keeps the one that was first, the other goes back by itself.
    for payment in (second, first):
        world.peer.settle_anyway(payment.payment_no, world.now)
        assert payment_events.refresh(payment.payment_no, at=world.now) == "succeeded"
    assert_completed_once(world, order)
    [back] = Refund.objects.all()
    assert (back.payment, back.reason, back.state) == (first, "duplicate", "succeeded")


def test_20_the_one_set_aside_may_pay_the_order_alone(world, monkeypatch):
    order = place(world, PAGE)
    first = world.payment(order)
    with monkeypatch.context() as patch:
        closing_answers(patch, Unknown("timeout"))
        paying.pay(order, CODE, at=world.now)
    world.peer.settle_anyway(first.payment_no, world.now)
    assert payment_events.poll_due(at=world.later(seconds=80)) == 1
    assert_completed_once(world, order)
    assert not Refund.objects.exists()


def test_22_closing_says_paid_and_the_order_is_paid(world):
    order = place(world, PAGE)
    world.pay(order, "silent")
    with pytest.raises(NotPayableError):
        paying.pay(order, CODE, at=world.now)
    assert Payment.objects.count() == 1
    assert_completed_once(world, order)


@pytest.mark.parametrize("answer", [Pending(), Done("already_paid")])
def test_22_closing_says_paid_but_the_answer_is_not_there_yet(world, monkeypatch, answer):
    order = place(world, PAGE)
    closing_answers(monkeypatch, answer)
    with pytest.raises(NotClosedYetError):
        paying.pay(order, CODE, at=world.now)
    assert Payment.objects.count() == 1
    assert not world.payment(order).is_superseded


def test_a_way_that_is_none_closes_nothing(world, pretend):
    order = place(world, PAGE)
    pretend.changes = {"limits_minor": {"CNY": (10_000, 20_000)}}
    for by in (PayBy("sandbox", "wap"), PayBy("nowhere"), PayBy(KEY, "code")):
        with pytest.raises(UnknownGatewayError):
            paying.pay(order, by, at=world.now)
    assert [each.state for each in Payment.objects.all()] == ["pending"]


def test_another_way_that_is_refused_leaves_the_grams_held(world, crash):
    order = place(world, PAGE)
    mend = crash(SandboxGateway, "create_payment")
    with pytest.raises(PaymentUnavailableError):
        paying.pay(order, CODE, at=world.now)
    assert world.stock().held_g == order.mass_g
    mend()
    assert paying.pay(order, CODE, at=world.now).state == "pending"
    assert Payment.objects.count() == 2


def test_18_19_an_unknown_creation_is_asked_again_by_the_same_number(world):
    with creation_times_out(really=True), pytest.raises(PaymentUnavailableError):
        place(world, CODE)
    order = Order.objects.get()
    again = paying.pay(order, CODE, at=world.now)
    assert (Payment.objects.count(), again.flow, again.state) == (1, "qr", "pending")


# -- ways to pay that expire ------------------------------------------------------------------


def test_a_way_to_pay_that_expired_is_made_anew_for_the_same_payment(world, pretend):
    pretend.valid_until = world.later(minutes=5)
    order = place(world, PayBy(KEY, "code"))
    number = world.payment(order).payment_no
    paying.pay(order, PayBy(KEY, "code"), at=world.later(minutes=4))
    assert len(pretend.requests) == 1
    pretend.valid_until = world.later(minutes=10)
    fresh = paying.pay(order, PayBy(KEY, "code"), at=world.later(minutes=5))
    assert [request.payment_no for request in pretend.requests] == [number, number]
    assert pretend.requests[0].expires_at == pretend.requests[1].expires_at
    assert fresh.instruction["valid_until"] == world.later(minutes=10).isoformat()
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("outcome", [Rejected("param_error"), Unknown("timeout")])
def test_a_fresh_way_that_is_refused_does_not_end_the_payment(world, pretend, monkeypatch, outcome):
    pretend.valid_until = world.later(minutes=5)
    order = place(world, PayBy(KEY, "code"))
    payment = world.payment(order)
    monkeypatch.setattr(type(pretend), "create_payment", lambda *_, **__: outcome)
    with pytest.raises(PaymentUnavailableError):
        paying.pay(order, PayBy(KEY, "code"), at=world.later(minutes=6))
    payment.refresh_from_db()
    assert payment.state == "pending", "its guest may just be on the earlier page"
    world.peer.settle_anyway(payment.payment_no, world.now)
    assert payment_events.refresh(payment.payment_no, at=world.later(minutes=6)) == "succeeded"
    assert world.state(order) == "completed"


# -- who pays ---------------------------------------------------------------------------------


def test_a_wallet_is_asked_only_once_it_is_known_who_pays(world, monkeypatch, settings):
    gateway = pretended.use(monkeypatch, settings, app_secret="env:NOWHERE")
    order = place(world, PayBy(KEY, "in-app"))
    payment = world.payment(order)
    assert (payment.state, gateway.requests) == ("created", [])
    assert paying.pay(order, PayBy(KEY, "in-app"), at=world.now) == payment
    assert gateway.requests == []
    by = PayBy(KEY, "in-app", payer="oUpF8uMuAJO")
    paid_by = checkout.retry_payment(order, by, at=world.now)
    assert (paid_by.payment_no, paid_by.state) == (payment.payment_no, "pending")
    assert gateway.requests[0].payer == "oUpF8uMuAJO"
    kept = {name: str(value) for name, value in Payment.objects.values()[0].items()}
    assert "oUpF8uMuAJO" not in str(kept)
    assert "oUpF8uMuAJO" not in repr(by)


# -- the end of the time ----------------------------------------------------------------------


def test_an_attempt_never_outlives_the_hold_of_the_grams(world):
    order = place(world, PAGE)
    world.pay(order, "declined")
    second = paying.pay(order, PAGE, at=world.later(minutes=15))
    assert second.expires_at == world.later(minutes=20)
    world.pay(order, "declined", at=world.later(minutes=16))
    with pytest.raises(NotPayableError):
        paying.pay(order, PAGE, at=world.later(minutes=19, seconds=1))
    given_up(world, order)


def test_after_the_deadline_another_attempt_closes_the_first(world):
    order = place(world, PAGE)
    first = world.payment(order)
    second = paying.pay(order, PAGE, at=world.later(minutes=12))
    first.refresh_from_db()
    assert (first.state, second.expires_at) == ("closed", world.later(minutes=20))


@pytest.mark.parametrize("set_aside_is", ["unknown", "closed"])
def test_22_grams_are_kept_while_an_attempt_that_was_set_aside_may_succeed(
    world, monkeypatch, set_aside_is
):
    order = place(world, PAGE)
    first = world.payment(order)
    close = SandboxGateway.close_payment
    with monkeypatch.context() as patch:
        closing_answers(patch, Unknown("timeout"))
        paying.pay(order, CODE, at=world.now)

    def closed_but_for_the_first(self, context, number, *, at):
        if number == first.payment_no and set_aside_is == "unknown":
            return Unknown("timeout")
        return close(self, context, number, at=at)

    monkeypatch.setattr(SandboxGateway, "close_payment", closed_but_for_the_first)
    assert expiry.release_expired(at=world.later(**PAST_GRACE)) == (set_aside_is == "closed")
    assert world.stock().held_g == (order.mass_g if set_aside_is == "unknown" else 0)


def test_22_cancelling_while_nobody_says_closed_changes_nothing(world, crash):
    order = place(world, PAGE)
    crash(SandboxGateway, "close_payment")
    assert not expiry.cancel_order(order, at=world.now)
    assert (world.state(order), world.stock().held_g) == ("awaiting_payment", order.mass_g)


@pytest.mark.parametrize(
    ("life", "still", "gone"), [(60, 19, 20), (31 * 60, 50, 51)], ids=["short", "31 minutes"]
)
def test_23_unknown_to_a_gateway_is_no_proof_while_its_own_link_may_live(
    world, pretend, life, still, gone
):
    pretend.changes = {"shortest_life_seconds": life}
    with creation_times_out(really=False), pytest.raises(PaymentUnavailableError):
        place(world, PayBy(KEY, "go"))
    order = Order.objects.get()
    # Five minutes earlier: soon after each other it is not asked about twice.
    assert expiry.release_expired(at=world.later(minutes=still - 5)) == 0
    last = world.payment(order)
    assert not payment_events.close_or_refresh(last, at=world.later(minutes=still))
    assert world.stock().held_g == order.mass_g
    assert expiry.release_expired(at=world.later(minutes=gone)) == 1
    assert (world.state(order), world.stock().held_g) == ("expired", 0)


def test_24_a_link_that_lives_on_is_closed_then_released_at_our_deadline(world, pretend):
    pretend.changes = {"shortest_life_seconds": 31 * 60}
    order = place(world, PayBy(KEY, "go"))
    given_up(world, order)
    assert world.peer.by_no(world.payment(order).payment_no).stored_state == "closed"


def test_22_what_nobody_knows_after_a_day_goes_to_people_with_its_grams(world, crash):
    order = place(world, PAGE)
    mend = crash(SandboxGateway, "close_payment")
    for hours in (1, 23):
        assert expiry.release_expired(at=world.later(hours=hours)) == 0
        assert world.state(order) == "awaiting_payment"
    for _ in range(2):
        assert expiry.release_expired(at=world.later(hours=24)) == 0
    assert (world.state(order), world.stock().held_g) == ("review", order.mass_g)
    assert [entry.action for entry in audit.trail(order.ref)] == ["order.payment_unknown"]
    mend()
    # Paid after all: the money lies aside until people decide, nothing is lost.
    world.peer.settle_anyway(world.payment(order).payment_no, world.now)
    payment_events.refresh(world.payment(order).payment_no, at=world.now + timedelta(days=2))
    assert world.state(order) == "review"


def test_an_order_that_is_paid_begins_no_other_attempt(world):
    order = place(world, PAGE)
    world.pay(order)
    for ask in (
        lambda: paying.pay(order, CODE, at=world.now),
        lambda: checkout.begin_payment(order, CODE, at=world.now),
    ):
        with pytest.raises(NotPayableError):
            ask()
    assert Payment.objects.count() == 1
