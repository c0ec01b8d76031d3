"""What goes by bank is not sent any more, and what was sent does not go by bank: whoever is first.

The desk asks the gateway and then writes; meanwhile the worker may ask, send, or die.
"""

from datetime import timedelta

import pytest

from diandian.flows import by_bank, settling
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import NOT_FOUND, Rejected
from diandian.settlement.errors import LineMovesError
from diandian.settlement.lines import actions as line_actions
from diandian.settlement.models import Line
from tests.flows.settling import bank_payee, house_breaches, line_of, payee, retired, settle
from tests.flows.test_by_bank import days_go_by, given_up

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("statements_agree")]
UNKNOWN_THERE = Rejected(NOT_FOUND, "", retryable=False)


class Died(BaseException):
    """The worker is gone, between one statement and the next."""


@pytest.fixture
def refused(world, monkeypatch):
    """A part whose account has too little for many days."""
    payee(at=world.now)
    bank_payee(world.now)
    order = retired(world)
    with monkeypatch.context() as patch:
        later = Rejected("balance", "", retryable=True)
        patch.setattr(SandboxGateway, "split", lambda *_, **__: later)
        days_go_by(world)
    assert line_of(order).state == "queued"
    return order


@pytest.fixture
def looks_at(refused):
    """When the worker looks at it next."""
    return line_of(refused).next_look_at


def legs(world):
    return world.peer.run("SELECT amount_minor, state FROM leg", ())


def by_hand(order, at):
    return by_bank.settle(line_of(order), actor_ref="ann", at=at)


def refuses(order, at):
    with pytest.raises(LineMovesError):
        by_hand(order, at)
    assert line_of(order).rail == "gateway"
    return True


def meanwhile(monkeypatch, name, act):
    """Let something happen once, after the gateway answered and before that is kept."""
    real, done = getattr(SandboxGateway, name), []

    def slow(gateway, context, request, *, at):
        answer = real(gateway, context, request, at=at)
        if not done:
            done.append(1)
            act()
        return answer

    monkeypatch.setattr(SandboxGateway, name, slow)


def test_what_is_sent_while_the_desk_asks_is_not_paid_by_bank(
    world, refused, looks_at, monkeypatch
):
    meanwhile(monkeypatch, "query_split", lambda: settling.settle(at=looks_at))
    assert refuses(refused, looks_at - timedelta(seconds=1))
    settling.settle(at=looks_at + timedelta(hours=7))
    assert legs(world) == [(744, "succeeded")]
    assert line_of(refused).state == "paid"
    assert house_breaches() == []


def test_what_was_sent_and_has_no_answer_yet_is_not_paid_by_bank(
    world, refused, looks_at, monkeypatch
):
    said = []

    def desk():
        with monkeypatch.context() as patch:
            # It was asked a moment before this sending.
            patch.setattr(SandboxGateway, "query_split", lambda *_, **__: UNKNOWN_THERE)
            said.append(refuses(refused, looks_at - timedelta(seconds=1)))

    meanwhile(monkeypatch, "split", desk)
    settling.settle(at=looks_at)
    assert said == [True]
    assert line_of(refused).state == "paid"
    assert house_breaches() == []


@pytest.mark.parametrize("arrives", [True, False])
def test_a_worker_that_dies_after_sending_leaves_its_mark(
    world, refused, looks_at, monkeypatch, arrives
):
    real = SandboxGateway.split

    def dies(gateway, context, request, *, at):
        if arrives:
            real(gateway, context, request, at=at)
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "split", dies)
        with pytest.raises(Died):
            settling.settle(at=looks_at)
    with monkeypatch.context() as patch:
        # It is on its way, and not there yet.
        patch.setattr(SandboxGateway, "query_split", lambda *_, **__: UNKNOWN_THERE)
        assert refuses(refused, looks_at + timedelta(minutes=4))
    later = looks_at + timedelta(minutes=6)
    if arrives:
        assert refuses(refused, later)
    else:
        assert by_hand(refused, later).rail == "bank"
    settle(world, days=60)
    assert legs(world) == ([(744, "succeeded")] if arrives else [])
    assert house_breaches() == []


def test_what_the_desk_took_after_the_worker_asked_is_not_sent(
    world, refused, looks_at, monkeypatch
):
    early = looks_at - timedelta(seconds=1)
    meanwhile(monkeypatch, "query_split", lambda: by_hand(refused, early))
    settling.settle(at=looks_at)
    assert legs(world) == []
    assert (line_of(refused).state, line_of(refused).rail) == ("due", "bank")
    assert line_of(refused).next_look_at is None
    assert house_breaches() == []


def test_what_failed_and_the_desk_took_gets_no_new_number(world, monkeypatch):
    order = given_up(world)
    line = line_of(order)
    by_hand(order, world.later(days=20))
    # The worker found it failed a moment before.
    assert line_actions.queue_split(line, receiver="acct_solar", at=world.later(days=20)) is None
    assert line_of(order).splits.count() == 5


def test_an_answer_that_comes_late_moves_nothing_that_goes_by_bank(world, refused, looks_at):
    split = line_of(refused).splits.get()
    by_hand(refused, looks_at - timedelta(seconds=1))
    for state in ("unknown", "queued", "failed"):
        assert not line_actions.keep_split(split, state, at=looks_at)
    assert (line_of(refused).state, line_of(refused).next_look_at) == ("due", None)
    assert line_of(refused).splits.get().state == "failed"


def test_what_was_sent_again_while_the_gateway_was_asked_is_not_paid_by_bank(world, monkeypatch):
    order = given_up(world)
    at = world.later(days=20)

    def sent_meanwhile(*_, **__):
        line = line_of(order)
        line_actions.queue_split(line, receiver="acct_solar", at=at)
        Line.objects.filter(id=line.id).update(state="failed", next_look_at=None)
        return UNKNOWN_THERE

    monkeypatch.setattr(SandboxGateway, "query_split", sent_meanwhile)
    assert refuses(order, at)


def test_what_is_just_sent_for_the_first_time_is_not_paid_by_bank(world, monkeypatch):
    order = given_up(world)
    at = world.later(days=20)
    line_actions.queue_split(line_of(order), receiver="acct_solar", at=at)
    monkeypatch.setattr(SandboxGateway, "query_split", lambda *_, **__: UNKNOWN_THERE)
    assert refuses(order, at)
    assert line_of(order).state == "queued"
