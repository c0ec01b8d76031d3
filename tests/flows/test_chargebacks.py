"""Money that a payer's bank takes back before and after the retirement (row 34)."""

import pytest

from diandian.flows import (
    disputes,
    goodwill,
    payment_events,
    refund,
    resolve,
    review,
)
from diandian.ledger.models import Journal
from diandian.orders.errors import MoneyDiffersError
from diandian.payments import errors
from diandian.payments.disputes import queries as dispute_queries
from diandian.payments.gateways.sandbox import disputes as bank
from diandian.payments.models import Dispute, Refund
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


def change(world, number, amount_minor):
    """Let a gateway tell another amount of a chargeback than it told at first."""
    world.peer.run(
        "UPDATE dispute SET amount_minor = ? WHERE dispute_ref = ?", (amount_minor, number)
    )


def ask(world, order):
    payment_events.refresh(world.payment(order).payment_no, at=world.now)


def test_34_what_people_looked_into_is_odd_again_only_for_something_newer(world, done):
    number, notice = take(world, done)
    world.deliver(notice)
    for verdict in ("won", "lost"):
        world.deliver(bank.end(world.peer, number, verdict, world.now))
    for newer_minor in (700, 600):
        disputes.clear(Dispute.objects.get().id, at=world.now, **LI)
        ask(world, done)
        assert dispute_queries.undecided() == []
        with pytest.raises(errors.DisputeChangedError):
            disputes.clear(Dispute.objects.get().id, at=world.now, **LI)
        change(world, number, newer_minor)
        ask(world, done)
        assert [each.is_odd for each in dispute_queries.undecided()] == [True]
    assert all_books(world) == {CLEARING: 804}


@pytest.mark.parametrize(("verdict", "left"), [("won", {CLEARING: 804}), ("lost", {LOSS: 804})])
def test_34_one_whose_amount_is_left_as_booked_ends_with_the_verdict(world, done, verdict, left):
    number, notice = take(world, done)
    world.deliver(notice)
    change(world, number, 700)
    world.deliver(bank.end(world.peer, number, verdict, world.now))
    assert Dispute.objects.get().state == "open"
    disputes.clear(Dispute.objects.get().id, at=world.now, **LI)
    ask(world, done)
    assert all_books(world) == left
    assert (Dispute.objects.get().state, Dispute.objects.get().is_odd) == (verdict, False)


def test_34_one_whose_amount_was_looked_into_while_open_ends_by_itself(world, done):
    number, notice = take(world, done)
    world.deliver(notice)
    change(world, number, 700)
    ask(world, done)
    disputes.clear(Dispute.objects.get().id, at=world.now, **LI)
    assert all_books(world) == {DISPUTED: 804}
    world.deliver(bank.end(world.peer, number, "won", world.now))
    assert all_books(world) == {CLEARING: 804}


@pytest.mark.parametrize(
    ("verdict", "left"),
    [
        (None, {CLEARING: 104, DISPUTED: 700}),
        ("won", {CLEARING: 804}),
        ("lost", {CLEARING: 104, LOSS: 700}),
    ],
)
def test_34_another_amount_that_the_gateway_tells_is_booked_when_people_say_so(
    world, done, verdict, left
):
    number, notice = take(world, done, fee_minor=500)
    world.deliver(notice)
    change(world, number, 700)
    if verdict:
        bank.end(world.peer, number, verdict, world.now)
    ask(world, done)
    disputes.take_over(Dispute.objects.get().id, at=world.now, **LI)
    with pytest.raises(errors.DisputeChangedError):
        disputes.take_over(Dispute.objects.get().id, at=world.now, **LI)
    ask(world, done)
    fee = {CLEARING: left.get(CLEARING, 0) - 500, LOSS: left.get(LOSS, 0) + 500}
    assert all_books(world) == left | fee
    found = Dispute.objects.get()
    assert (found.state, found.is_odd, found.amount_minor) == (verdict or "open", False, 700)
    if not verdict:
        world.deliver(bank.end(world.peer, number, "won", world.now))
        assert all_books(world) == {CLEARING: 304, LOSS: 500}


def test_34_what_came_back_of_a_lost_one_is_booked_when_people_say_so(world, done):
    number, notice = take(world, done)
    world.deliver(notice)
    for verdict in ("lost", "won"):
        world.deliver(bank.end(world.peer, number, verdict, world.now))
    assert all_books(world) == {LOSS: 804}
    seen = Dispute.objects.get().seen
    disputes.take_over(Dispute.objects.get().id, seen=seen, at=world.now, **LI)
    ask(world, done)
    assert all_books(world) == {CLEARING: 804}
    assert dispute_queries.undecided() == []
    assert not dispute_queries.is_lost(world.payment(done))
    assert acts(done)[-2:] == ["dispute.taken_over", "dispute.won"]
    # A bank may think once more, and people with it.
    world.deliver(bank.end(world.peer, number, "lost", world.now))
    with pytest.raises(errors.DisputeChangedError):
        disputes.take_over(Dispute.objects.get().id, seen=seen, at=world.now, **LI)
    disputes.take_over(Dispute.objects.get().id, at=world.now, **LI)
    assert all_books(world) == {LOSS: 804}
    world.deliver(bank.end(world.peer, number, "won", world.now))
    disputes.take_over(Dispute.objects.get().id, at=world.now, **LI)
    assert all_books(world) == {CLEARING: 804}


def test_34_money_of_a_guest_that_a_bank_gave_back_after_all_can_be_refunded(world, paid):
    number, notice = take(world, paid)
    world.deliver(notice)
    world.deliver(bank.end(world.peer, number, "lost", world.now))
    resolve.give_back(paid.id, at=world.now, **LI)
    assert (world.state(paid), all_books(world)) == ("refunded", {})
    world.deliver(bank.end(world.peer, number, "won", world.now))
    assert review.money_waits() == []
    disputes.take_over(Dispute.objects.get().id, at=world.now, **LI)
    assert world.state(paid) == "unfulfillable"
    assert all_books(world) == {CLEARING: 804, PREPAID: -804}
    assert review.money_waits() == [paid]
    resolve.refund_order(paid.id, at=world.now, **LI)
    assert (world.state(paid), all_books(world)) == ("refunded", {})


def test_34_an_order_is_not_taken_while_its_chargeback_is_told_in_two_ways(world, paid):
    number, notice = take(world, paid)
    world.deliver(notice)
    for verdict in ("won", "lost"):
        world.deliver(bank.end(world.peer, number, verdict, world.now))
    with pytest.raises(errors.DisputedError):
        resolve.accept(paid.id, at=world.now, **LI)
    assert review.overdue(at=world.later(days=4)) == [paid], "people decide, no bank"
    disputes.take_over(Dispute.objects.get().id, at=world.now, **LI)
    assert (world.state(paid), all_books(world)) == ("review", {})


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
