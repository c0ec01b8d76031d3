"""Money that somebody gave back in the gateway's own console (row 33)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from diandian.flows import (
    aftermath,
    fulfil,
    invariants,
    payment_events,
    refund,
    resolve,
    review,
)
from diandian.payments.gateways.sandbox import gateway
from diandian.payments.gateways.sandbox import refunds as desk
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.messages import Done, Unknown
from diandian.payments.models import Payment, Refund
from tests.flows import statements
from tests.flows.books import CLEARING, NOTHING, PREPAID, UNALLOCATED, books
from tests.flows.money import (  # noqa: F401 - fixtures among them
    GOODWILL,
    LI,
    acts,
    all_books,
    back,
    done_order,
    paid_order,
    total,
    whole,
)

pytestmark = pytest.mark.django_db


# -- made in the console (33) -----------------------------------------------------------------


def test_33_a_console_refund_sets_the_order_aside_and_frees_nothing(world, paid):
    notice = back(world, paid, 300)
    for _ in range(3):
        world.deliver(notice)
        payment_events.refresh(world.payment(paid).payment_no, at=world.now)
    [external] = Refund.objects.all()
    assert (external.kind, external.state, external.amount_minor) == ("external", "succeeded", 300)
    assert (world.state(paid), world.stock().held_g) == ("review", paid.mass_g)
    assert all_books(world) == {CLEARING: total(paid) - 300, PREPAID: 300 - total(paid)}
    assert fulfil.drain(at=world.later(days=1)) == 0
    assert refund.continue_refunds(at=world.later(days=1)) == 0, "nobody is asked for it"
    aftermath.see(external.id, at=world.now, **LI)
    assert acts(paid) == ["refund.external", "refund.external_seen"]
    resolve.give_back(paid.id, at=world.now, **LI)
    assert (world.state(paid), books(world)) == ("refunded", NOTHING)


def test_33_a_console_refund_in_full_leaves_the_order_to_people(world, paid):
    world.deliver(back(world, paid, total(paid)))
    assert (world.state(paid), books(world)) == ("review", NOTHING)
    resolve.give_back(paid.id, at=world.now, **LI)
    assert (world.state(paid), world.stock().held_g) == ("refunded", 0)


def test_33_of_a_retired_order_it_is_our_expense(world, done):
    world.deliver(back(world, done, 300))
    world.deliver(back(world, done, 200))
    assert [each.amount_minor for each in Refund.objects.all()] == [300, 200]
    assert world.state(done) == "completed"
    assert all_books(world) == {CLEARING: total(done) - 500, GOODWILL: 500}


def test_33_our_own_refund_is_not_counted_as_somebody_elses(world, paid, monkeypatch):
    give_back = SandboxGateway.refund

    def timeout(self, context, request, *, at):
        give_back(self, context, request, at=at)
        return Unknown("timeout")

    monkeypatch.setattr(SandboxGateway, "refund", timeout)
    ours = refund.refund_order(paid, "asked", at=world.now)
    assert ours.state == "unknown"
    world.deliver(desk.notice(world.peer, ours.payment.payment_no, world.now))
    assert [each.state for each in Refund.objects.all()] == ["succeeded"]
    assert (world.state(paid), books(world)) == ("refunded", NOTHING)


def test_33_when_the_console_was_faster_our_refund_fails_and_theirs_is_found(world, paid):
    back(world, paid, total(paid))
    ours = refund.refund_order(paid, "asked", at=world.now)
    assert ours.state == "failed"
    assert books(world)[PREPAID] == -total(paid)
    payment_events.poll_due(at=world.later(seconds=5))
    assert sorted(each.kind for each in Refund.objects.exclude(state="failed")) == ["external"]
    assert (world.state(paid), books(world)) == ("refunded", NOTHING)


def test_33_a_console_refund_that_came_undone_is_taken_back(world, done):
    number = world.payment(done).payment_no
    world.deliver(back(world, done, 300))
    world.peer.run("UPDATE trade SET refunded_minor = 0 WHERE payment_no = ?", (number,))
    world.deliver(desk.notice(world.peer, number, world.now))
    assert [each.state for each in Refund.objects.all()] == ["failed"]
    assert all_books(world) == {CLEARING: total(done)}


def test_33_one_that_came_undone_after_its_order_ended_is_refunded_by_people(world, paid):
    """It found no way home: the order ended with it, and its money is at the gateway again."""
    number = world.payment(paid).payment_no
    world.deliver(back(world, paid, total(paid)))
    resolve.give_back(paid.id, at=world.now, **LI)
    assert world.state(paid) == "refunded"
    world.peer.run("UPDATE trade SET refunded_minor = 0 WHERE payment_no = ?", (number,))
    for _ in range(2):
        world.deliver(desk.notice(world.peer, number, world.now))
    assert (world.state(paid), world.stock().held_g) == ("unfulfillable", 0)
    assert books(world)[PREPAID] == -total(paid)
    assert invariants.check() == []
    [waiting] = review.money_waits()
    assert waiting.id == paid.id
    assert acts(paid)[-1] == "refund.external_undone"
    resolve.refund_order(paid.id, at=world.now, **LI)
    assert (world.state(paid), books(world)) == ("refunded", NOTHING)
    assert world.peer.by_no(number).refunded_minor == total(paid)
    assert review.money_waits() == []


def test_33_one_of_which_less_went_back_than_was_told_leaves_the_rest_to_people(world, paid):
    number = world.payment(paid).payment_no
    world.deliver(back(world, paid, total(paid)))
    resolve.give_back(paid.id, at=world.now, **LI)
    world.peer.run("UPDATE trade SET refunded_minor = 300 WHERE payment_no = ?", (number,))
    world.deliver(desk.notice(world.peer, number, world.now))
    assert world.state(paid) == "unfulfillable"
    assert books(world)[PREPAID] == 300 - total(paid)
    assert invariants.check() == []
    resolve.refund_order(paid.id, at=world.now, **LI)
    assert (world.state(paid), books(world)) == ("refunded", NOTHING)


def test_33_when_the_gateway_does_not_answer_it_is_asked_again(world, done, monkeypatch):
    notice = back(world, done, 300)
    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "query_payment", lambda *_, **__: Unknown("timeout"))
        world.deliver(notice)
        payment_events.poll_due(at=world.later(minutes=1))
    assert not Refund.objects.exists()
    payment_events.poll_due(at=world.later(minutes=2))
    assert Refund.objects.count() == 1
    assert Payment.objects.get().next_query_at is None


def test_33_of_money_that_lay_aside_it_comes_from_there(world, paid):
    """A duplicate that somebody gave back by hand: the order itself goes on."""
    payment = Payment.objects.get()
    spare = Payment.objects.get()
    spare.id, spare.payment_no, spare.state = None, "DD2611220SPARE", "pending"
    spare.paid_at = None
    spare.save()
    world.peer.create(
        payment_no=spare.payment_no,
        merchant=spare.merchant,
        amount_minor=spare.amount_minor,
        currency=spare.currency,
        subject="again",
        return_url="/",
        expires_at=world.later(minutes=9),
    )
    desk.think(world.peer, spare.payment_no)
    world.deliver(world.peer.settle_anyway(spare.payment_no, world.now))
    ours = Refund.objects.get()
    assert (ours.payment.payment_no, ours.state) == (spare.payment_no, "processing")
    world.deliver(desk.decide(world.peer, ours.refund_no, "failed", world.now))
    world.deliver(desk.by_hand(world.peer, spare.payment_no, total(paid), world.now))
    assert world.balance(UNALLOCATED) == 0
    assert world.state(paid) == "paid"
    assert payment.refunds.count() == 0


# -- where only the statement tells it ----------------------------------------------------------


@pytest.fixture
def silent_answers():
    """Let the gateway never say how much went back, as WeChat Pay does."""
    told = gateway._snapshot

    def silent(facts, answer):
        return replace(told(facts, answer), refunded_minor=0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gateway, "_snapshot", silent)
        yield


def stated(world, payment, amount_minor, number="CONSOLE1"):
    world.peer.refund(
        refund_no=number, payment_no=payment.payment_no, amount_minor=amount_minor, currency="CNY"
    )


@pytest.mark.usefixtures("silent_answers")
def test_33_what_only_the_statement_tells_sets_the_order_aside(world, paid):
    payment = world.payment(paid)
    stated(world, payment, 300)
    stated(world, payment, 300, "CONSOLE2")
    statements.turn()
    assert world.state(paid) == "review"
    kept = Refund.objects.order_by("id")
    assert [(each.kind, each.state, each.amount_minor) for each in kept] == [
        ("external", "succeeded", 300)
    ] * 2
    assert len({each.stated_ref for each in kept}) == 2
    assert books(world)[PREPAID] == 600 - total(paid)
    assert statements.differences() == []
    assert statements.the_day().state == "closed"
    # Neither a later answer that is silent nor the next days' statements change anything.
    payment_events.refresh(payment.payment_no, at=world.later(days=1))
    statements.turn(statements.later(days=1))
    assert [each.state for each in Refund.objects.all()] == ["succeeded"] * 2
    assert statements.differences(statements.DAY + timedelta(days=1)) == []
    resolve.give_back(paid.id, at=world.now, **LI)
    assert (world.state(paid), Payment.objects.get().refunded_minor) == ("refunded", total(paid))


@pytest.mark.usefixtures("silent_answers")
def test_33_a_statement_that_is_not_proven_changes_no_payment(world, paid, monkeypatch):
    stated(world, world.payment(paid), 300)
    fetch = SandboxGateway.fetch_statement

    def unproven(self, context, day, kind, *, at):
        outcome = fetch(self, context, day, kind, at=at)
        return Done(replace(outcome.value, is_proven=False))

    monkeypatch.setattr(SandboxGateway, "fetch_statement", unproven)
    statements.turn()
    assert not Refund.objects.exists()
    assert ("trades", "missing_here") in statements.differences()


def test_33_what_an_answer_counted_is_not_kept_again_from_the_statement(world, paid, monkeypatch):
    """The answer said 300 in one; the statement lists it in two."""
    payment = world.payment(paid)
    stated(world, payment, 100)
    stated(world, payment, 200, "CONSOLE2")
    statements.turn()
    assert [each.amount_minor for each in Refund.objects.all()] == [300]
    assert books(world)[PREPAID] == 300 - total(paid)
    assert statements.differences(), "people compare"
