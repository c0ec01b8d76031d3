"""Money that a payer's bank takes back before and after the retirement (row 34)."""

import pytest

from diandian.flows import (
    disputes,
    goodwill,
    payment_events,
    refund,
    resolve,
)
from diandian.ledger.models import Journal
from diandian.orders.errors import MoneyDiffersError
from diandian.payments import errors
from diandian.payments.disputes import queries as dispute_queries
from diandian.payments.gateways.sandbox import disputes as bank
from diandian.payments.models import Refund
from tests.flows.books import CLEARING, PREPAID
from tests.flows.money import (  # noqa: F401 - fixtures among them
    DISPUTED,
    LI,
    LOSS,
    acts,
    all_books,
    done_order,
    paid_order,
    take,
    total,
    whole,
)

pytestmark = pytest.mark.django_db


# -- chargebacks (34) -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "left"),
    [
        ("won", {CLEARING: 304, PREPAID: -804, LOSS: 500}),
        ("lost", {CLEARING: -500, LOSS: 500}),
    ],
)
def test_34_before_the_retirement(world, paid, verdict, left):
    assert total(paid) == 804
    number, notice = take(world, paid, fee_minor=500)
    for _ in range(3):
        world.deliver(notice)
        payment_events.refresh(world.payment(paid).payment_no, at=world.now)
    assert (world.state(paid), world.stock().held_g) == ("review", paid.mass_g)
    assert all_books(world) == {CLEARING: -500, PREPAID: -804, DISPUTED: 804, LOSS: 500}
    assert dispute_queries.is_disputed(world.payment(paid))
    for refused in (resolve.give_back, resolve.refund_order):
        with pytest.raises(errors.DisputedError):
            refused(paid.id, at=world.now, **LI)
    with pytest.raises(MoneyDiffersError):
        resolve.accept(paid.id, at=world.now, **LI)
    notice = bank.end(world.peer, number, verdict, world.now)
    for _ in range(3):
        world.deliver(notice)
    assert all_books(world) == left
    assert world.state(paid) == "review"
    if verdict == "won":
        resolve.accept(paid.id, at=world.now, **LI)
        assert world.state(paid) == "completed"
    else:
        resolve.give_back(paid.id, at=world.now, **LI)
        assert (world.state(paid), world.stock().held_g) == ("refunded", 0)


@pytest.mark.parametrize("verdict", ["won", "lost"])
def test_34_after_the_retirement(world, done, verdict):
    number, notice = take(world, done, fee_minor=500)
    world.deliver(notice)
    assert all_books(world) == {CLEARING: -500, DISPUTED: 804, LOSS: 500}
    with pytest.raises(errors.DisputedError):
        goodwill.ask(done.id, amount_minor=1, at=world.now, **LI)
    world.deliver(bank.end(world.peer, number, verdict, world.now))
    won = {CLEARING: 304, LOSS: 500}
    assert all_books(world) == (won if verdict == "won" else {CLEARING: -500, LOSS: 1304})
    assert (world.state(done), world.stock().retired_g) == ("completed", done.mass_g)
    payment = world.payment(done)
    assert dispute_queries.is_lost(payment) == (verdict == "lost")
    assert not dispute_queries.is_disputed(payment)
    if verdict == "lost":
        with pytest.raises(errors.NothingLeftError):
            goodwill.ask(done.id, amount_minor=1, at=world.now, **LI)


def test_34_a_verdict_that_comes_first_opens_and_ends_at_once(world, paid):
    number, opened = take(world, paid)
    world.deliver(bank.end(world.peer, number, "lost", world.now))
    world.deliver(opened)
    assert all_books(world) == {}
    assert acts(paid) == ["dispute.opened", "dispute.lost"]


def test_34_what_was_decided_stays_and_the_opposite_is_for_people(world, done):
    number, notice = take(world, done)
    world.deliver(notice)
    world.deliver(bank.end(world.peer, number, "won", world.now))
    for _ in range(2):
        world.deliver(bank.end(world.peer, number, "lost", world.now))
    [dispute] = dispute_queries.undecided()
    assert (dispute.state, dispute.is_odd) == ("won", True)
    assert all_books(world) == {CLEARING: 804}
    assert acts(done) == ["dispute.opened", "dispute.won", "dispute.contradicted"]
    disputes.clear(dispute.id, at=world.now, **LI)
    assert dispute_queries.undecided() == []


def test_34_nobody_refunds_what_a_bank_took(world, paid, crash):
    """The refund was decided and not sent: the bank gives the same money back itself."""
    mend = crash(refund, "_dispatch")
    with pytest.raises(RuntimeError):
        refund.refund_order(paid, "asked", at=world.now)
    mend()
    number, notice = take(world, paid)
    world.deliver(notice)
    refund.continue_refunds(at=world.later(minutes=5))
    assert world.peer.by_no(world.payment(paid).payment_no).refunded_minor == 0
    world.deliver(bank.end(world.peer, number, "lost", world.now))
    assert [each.state for each in Refund.objects.all()] == ["failed"]
    assert (world.state(paid), all_books(world)) == ("refunded", {})
    refund.continue_refunds(at=world.later(days=1))
    assert world.peer.by_no(world.payment(paid).payment_no).refunded_minor == 0


def test_34_a_bank_that_takes_what_went_back_already_is_our_loss(world, paid):
    refund.refund_order(paid, "asked", at=world.now)
    number, notice = take(world, paid)
    world.deliver(notice)
    world.deliver(bank.end(world.peer, number, "lost", world.now))
    assert (world.state(paid), all_books(world)) == ("refunded", {CLEARING: -804, LOSS: 804})


def test_34_a_dispute_of_a_part_leaves_the_rest(world, paid):
    number, notice = take(world, paid, 300)
    world.deliver(notice)
    world.deliver(bank.end(world.peer, number, "lost", world.now))
    assert all_books(world) == {CLEARING: 504, PREPAID: -504}
    resolve.give_back(paid.id, at=world.now, **LI)
    assert (world.state(paid), all_books(world)) == ("refunded", {})


def test_34_a_fee_that_is_told_later_is_booked_once(world, done):
    number, notice = take(world, done)
    world.deliver(notice)
    world.peer.run("UPDATE dispute SET fee_minor = 1500 WHERE dispute_ref = ?", (number,))
    for _ in range(2):
        world.deliver(bank.end(world.peer, number, "lost", world.now))
    assert all_books(world) == {CLEARING: -1500, LOSS: 2304}
    assert Journal.objects.filter(kind="dispute_fee").count() == 1
