"""What a gateway holds for legs that never come is let go as soon as that is certain."""

import pytest

from diandian.audit import queries as audit
from diandian.flows import payment_events, settling
from diandian.orders.models import Offer
from diandian.payments.gateways.sandbox import disputes as bank
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Rejected, Unknown
from tests.flows.settling import (
    AFTER,
    house_breaches,
    line_of,
    payee,
    retired,
    settle,
    supplier_collects,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("statements_agree")]


@pytest.fixture
def without_fee(world, settings, tmp_path):
    """A retired order that its supplier collected and of which we get nothing."""
    supplier_collects(tmp_path, settings)
    payee(at=world.now, account="solar1")
    Offer.objects.update(fee_basis_points=0, fee_minimum_minor=0)
    return retired(world)


def released(world):
    return world.peer.run("SELECT number FROM moved WHERE what = 'released'", ())


def test_a_payment_without_a_fee_is_let_go_once(world, without_fee):
    settle(world, **AFTER)
    settle(world, days=9)
    line = line_of(without_fee)
    assert line.leg.amount_minor == 0
    assert (line.state, line.rest, line.next_look_at) == ("paid", "released", None)
    assert released(world) == [(f"U{line.payment_no}",)]
    assert house_breaches() == []


def test_what_goes_back_with_a_fee_leaves_nothing_to_divide(world, settings, tmp_path):
    supplier_collects(tmp_path, settings)
    payee(at=world.now, account="solar1")
    Offer.objects.update(fee_basis_points=0, fee_minimum_minor=1)
    order = retired(world)
    number = world.payment(order)
    assert settling.reverse_before_refund(number, 600, at=world.later(days=1)) == "ready"
    settle(world, **AFTER)
    line = line_of(order)
    assert (line.leg.amount_minor, line.state, line.rest) == (0, "paid", "released")
    assert house_breaches() == []


@pytest.mark.parametrize("answer", [Unknown("timeout"), Rejected("busy", retryable=True)])
def test_an_answer_that_is_none_is_asked_for_again_under_the_same_number(
    world, without_fee, monkeypatch, answer
):
    asked = []

    def silent(_, context, request, *, at):
        asked.append(request.split_no)
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "split", silent)
        settle(world, **AFTER)
    line = line_of(without_fee)
    assert (line.state, line.rest, line.waits_for) == ("paid", "held", "gateway")
    settle(world, days=9)
    assert line_of(without_fee).rest == "released"
    assert released(world) == [(asked[0],)]


def test_a_refusal_is_told_and_not_repeated(world, without_fee, monkeypatch):
    monkeypatch.setattr(SandboxGateway, "split", lambda *_, **__: Rejected("INVALID_REQUEST"))
    for days in (8, 9):
        settle(world, days=days)
    assert (line_of(without_fee).rest, line_of(without_fee).next_look_at) == ("refused", None)
    told = [entry.action for entry in audit.trail(without_fee.ref)]
    assert told.count("settlement.rest_refused") == 1


def test_while_a_bank_decides_nothing_is_let_go(world, without_fee, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "split", lambda *_, **__: Unknown("timeout"))
        settle(world, **AFTER)
    number = world.payment(without_fee).payment_no
    late = world.later(days=9)
    bank.begin(world.peer, number, amount_minor=50, now=late)
    payment_events.refresh(number, at=late)
    settle(world, days=9)
    assert (line_of(without_fee).rest, line_of(without_fee).waits_for) == ("held", "dispute")
    assert released(world) == []


def test_where_nothing_is_held_nothing_is_let_go(world):
    payee(at=world.now)
    order = retired(world)
    settle(world, **AFTER)
    assert (line_of(order).state, line_of(order).rest) == ("paid", "")
    assert released(world) == []
