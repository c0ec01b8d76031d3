"""A slip in what people book of a payout to our bank: never booked twice, and undone by two."""

import pytest

from diandian.audit.models import AuditEntry
from diandian.flows import gateway_payouts, reconcile_proof
from diandian.ledger.models import Journal
from diandian.reconciliation.errors import PayoutByTwoError, PayoutKnownError, PayoutStateError
from diandian.reconciliation.models import DayState, GatewayPayout
from diandian.reconciliation.payouts import queries as payout_queries
from tests.flows.books import CLEARING
from tests.flows.statements import (
    DAY,
    TEN,
    bought,
    differences,
    later,
    outcomes,
    sandbox,
    the_day,
    turn,
)
from tests.flows.test_gateway_payouts import BANK, LI, NEXT, WANG, enter, read, sent, yuan

pytestmark = pytest.mark.django_db(transaction=True)


def slipped(world, *, is_confirmed=True):
    """Let people enter a payout of the gateway with a slip in its number."""
    bought(world)
    payout_ref = sent(world)
    payout = gateway_payouts.enter(
        read(payout_ref=payout_ref[:-1] + "x", bank_day=DAY), actor_ref=LI, at=world.now
    )
    if is_confirmed:
        gateway_payouts.confirm(payout.id, actor_ref=WANG, at=world.now)
    return payout


def test_a_slip_in_a_payouts_number_books_no_money_twice_and_is_undone_by_two(world):
    payout = slipped(world)
    for days in range(5):
        turn(later(days=days))
    assert (world.balance(BANK), GatewayPayout.objects.count()) == (300, 1)
    assert differences() == [("funds", "missing_here"), ("funds", "missing_there")]
    assert ("payout", "missing_here", "entered_by_hand") in outcomes(kind="funds")
    assert payout_queries.booked_by_hand(9) == [payout]
    gateway_payouts.ask_undo(payout.id, reason="a slip", actor_ref=WANG, at=later(days=5))
    with pytest.raises(PayoutStateError):
        gateway_payouts.ask_undo(payout.id, reason="a slip", actor_ref=LI, at=later(days=5))
    with pytest.raises(PayoutByTwoError):
        gateway_payouts.undo(payout.id, actor_ref=WANG, at=later(days=5))
    gateway_payouts.undo(payout.id, actor_ref=LI, at=later(days=5))
    with pytest.raises(PayoutStateError):
        gateway_payouts.undo(payout.id, actor_ref=LI, at=later(days=5))
    assert (world.balance(BANK), world.balance(CLEARING)) == (0, 799)
    assert reconcile_proof.check() == []
    turn(later(days=6))
    assert (world.balance(BANK), world.balance(CLEARING)) == (300, 799 - 300)
    assert the_day().state == DayState.CLOSED
    assert [each.left_minor for each in reconcile_proof.of_merchant(sandbox())] == [0]
    assert reconcile_proof.check() == []
    kinds = Journal.objects.filter(kind__startswith="gateway_payout").order_by("id")
    assert [each.kind for each in kinds] == [
        *("gateway_payout", "gateway_payout_undone", "gateway_payout")
    ]
    acts = AuditEntry.objects.filter(subject_ref=f"gateway_payout:{payout.id}").order_by("id")
    assert [(each.action.partition(".")[2], each.actor_ref) for each in acts][2:] == [
        ("undo_asked", WANG),
        ("undone", LI),
    ]
    # Its line at the bank is free for the payout that it really is.
    true = GatewayPayout.objects.get(state="booked")
    gateway_payouts.note_arrival(
        true.id, yuan(300), bank_ref="B1", bank_day=DAY, actor_ref=LI, at=later(days=6)
    )


def test_a_slip_that_nobody_confirmed_yet_lets_the_line_wait_until_it_is_refused(world):
    payout = slipped(world, is_confirmed=False)
    turn()
    assert world.balance(BANK) == 0
    gateway_payouts.refuse(payout.id, reason="a slip", actor_ref=LI, at=later(days=1))
    turn(later(days=1))
    assert (world.balance(BANK), the_day().state) == (300, DayState.CLOSED)


def test_what_people_entered_is_not_confirmed_beside_its_like_that_a_statement_booked(
    world, monkeypatch
):
    bought(world)
    sent(world)
    turn()
    with monkeypatch.context() as patch:
        # Entered in the very moment in which the statement was matched.
        patch.setattr(payout_queries, "like", lambda _: None)
        payout = enter(bank_day=DAY)
    with pytest.raises(PayoutKnownError):
        gateway_payouts.confirm(payout.id, actor_ref=WANG, at=TEN)
    assert world.balance(BANK) == 300


def test_undoing_that_was_asked_for_is_taken_back(world):
    payout = slipped(world)
    with pytest.raises(PayoutStateError):
        gateway_payouts.undo(payout.id, actor_ref=WANG, at=TEN)
    gateway_payouts.ask_undo(payout.id, reason="a slip", actor_ref=LI, at=TEN)
    kept = gateway_payouts.keep(payout.id, actor_ref=LI, at=TEN)
    assert (kept.state, kept.undo_by, kept.reason) == ("booked", "", "")
    with pytest.raises(PayoutStateError):
        gateway_payouts.keep(payout.id, actor_ref=LI, at=TEN)
    assert world.balance(BANK) == 300


def test_what_a_statement_tells_is_not_undone(world):
    bought(world)
    payout_ref = sent(world)
    payout = gateway_payouts.enter(
        read(payout_ref=payout_ref, bank_day=DAY), actor_ref=LI, at=world.now
    )
    gateway_payouts.confirm(payout.id, actor_ref=WANG, at=world.now)
    gateway_payouts.ask_undo(payout.id, reason="not ours", actor_ref=LI, at=world.now)
    turn()
    with pytest.raises(PayoutStateError):
        gateway_payouts.undo(payout.id, actor_ref=WANG, at=TEN)
    assert payout_queries.booked_by_hand(9) == []
    assert world.balance(BANK) == 300


def test_two_equal_payouts_of_which_one_was_entered_by_hand_are_two(world):
    """The line of the first waits only until the statement tells of the second."""
    bought(world)
    sent(world)
    second = sent(world, at=world.later(days=1))
    payout = gateway_payouts.enter(
        read(payout_ref=second, paid_on=NEXT, bank_day=NEXT), actor_ref=LI, at=later(hours=1)
    )
    gateway_payouts.confirm(payout.id, actor_ref=WANG, at=later(hours=1))
    for days in range(3):
        turn(later(days=days))
    assert world.balance(BANK) == 600
    assert differences() == []
