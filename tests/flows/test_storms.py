"""A gateway that fails, is slow or talks nonsense (row 41): nobody waits, nothing is lost."""

import json
import threading
from contextlib import suppress
from datetime import timedelta

import pytest

from diandian.flows import checkout, expiry, payment_events
from diandian.orders.errors import PaymentUnavailableError
from diandian.orders.models import Order
from diandian.payments.breaker import FAILURES_LIMIT
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Rejected, Unknown
from diandian.payments.models import Payment
from tests.flows.books import assert_completed_once

pytestmark = pytest.mark.django_db

GUESTS = 8
STORMS = {
    "5xx": lambda: Unknown("HTTP 503"),
    "429": lambda: Rejected("too_many_requests", retryable=True),
    "half-closed": lambda: (_ for _ in ()).throw(ConnectionResetError("reset")),
    "html": lambda: json.loads("<html>502 Bad Gateway</html>"),
    "timeout": lambda: (_ for _ in ()).throw(TimeoutError("read timed out")),
}


class Storm:
    """What comes over the gateway: every call is counted and ends in the same."""

    def __init__(self, patch, answer):
        self.calls = {"create_payment": 0, "query_payment": 0, "close_payment": 0}
        for name in self.calls:
            patch.setattr(SandboxGateway, name, self._call(name, answer))

    def _call(self, name, answer):
        def call(*_, **__):
            self.calls[name] += 1
            return answer()

        return call


@pytest.fixture(params=STORMS.values(), ids=STORMS)
def storm(request, monkeypatch):
    def begin(patch):
        return Storm(patch, request.param)

    return begin


def test_41_paid_in_a_storm_completes_after_it(world, storm, monkeypatch):
    orders = [world.order(1_000, is_vouched_for=True) for _ in range(GUESTS)]
    for order in orders:
        world.choose(world.payment(order), "silent")
    with monkeypatch.context() as patch:
        raging = storm(patch)
        for _ in range(4):
            for order in orders:
                number = world.payment(order).payment_no
                assert payment_events.refresh(number, at=world.now) == "pending"
        # Of four rounds of guests only the first few calls left the house.
        assert raging.calls["query_payment"] == FAILURES_LIMIT
        # The poller tries again, one call ahead of the others.
        payment_events.poll_due(at=world.later(minutes=3))
        assert raging.calls["query_payment"] == FAILURES_LIMIT + 1
    assert {world.state(order) for order in orders} == {"awaiting_payment"}
    assert world.stock().held_g == GUESTS * 1_000
    payment_events.poll_due(at=world.later(minutes=9))
    assert {world.state(order) for order in orders} == {"completed"}
    assert Payment.objects.filter(state="succeeded").count() == GUESTS


def test_41_an_order_in_a_storm_waits_and_is_paid_with_the_same_number(world, storm, monkeypatch):
    with monkeypatch.context() as patch:
        raging = storm(patch)
        for _ in range(FAILURES_LIMIT + 3):
            with suppress(PaymentUnavailableError):
                world.order(1_000, is_vouched_for=True)
        assert raging.calls["create_payment"] == FAILURES_LIMIT
    # What never left the house is known not to have: it is not asked about as if it might be there.
    states = list(Payment.objects.order_by("id").values_list("state", flat=True))
    assert states[FAILURES_LIMIT:] == ["created"] * 3
    at = world.later(minutes=3)
    order = Order.objects.order_by("-id").first()
    number = world.payment(order).payment_no
    again = checkout.retry_payment(order, at=at)
    assert (again.payment_no, again.state) == (number, "pending")
    assert world.pay(order, at=at) == "completed"


def test_41_a_storm_at_the_deadline_releases_nothing(world, storm, monkeypatch):
    order = world.order()
    world.choose(world.payment(order), "silent")
    with monkeypatch.context() as patch:
        storm(patch)
        for minutes in (21, 22, 40):
            assert expiry.release_expired(at=world.later(minutes=minutes)) == 0
    assert world.stock().held_g == order.mass_g
    expiry.release_expired(at=world.later(minutes=60))
    assert_completed_once(world, order)


def test_41_guests_of_a_silent_gateway_are_told_at_once(world, monkeypatch):
    """Two are asked about and give up; the third does not wait for a place longer than a moment."""
    orders = [world.order(1_000) for _ in range(3)]
    asked, go = [], threading.Event()
    query = SandboxGateway.query_payment

    def hang(self, context, number, *, at):
        asked.append(number)
        assert go.wait(20)
        return query(self, context, number, at=at)

    monkeypatch.setattr(payment_events, "_GUESTS_WAIT", timedelta(milliseconds=50))
    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "query_payment", hang)
        for order in orders:
            world.choose(world.payment(order), "silent")
            number = world.payment(order).payment_no
            assert payment_events.refresh(number, at=world.now) == "pending"
        assert len(asked) == 2, "as many as there are places"
        go.set()
    payment_events.poll_due(at=world.later(minutes=5))
    assert {world.state(order) for order in orders} == {"completed"}
