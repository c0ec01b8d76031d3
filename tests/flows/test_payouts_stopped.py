"""What stops a payout on its way: a dispute, an account out of force, a sum that changed."""

import pytest

from diandian.flows import payees, payment_events, payouts
from diandian.ledger.models import Journal
from diandian.payments.gateways.sandbox import disputes as bank
from diandian.settlement.errors import (
    BatchChangedError,
    BatchStateError,
    PartDisputedError,
    PayeeWithdrawnError,
)
from diandian.settlement.models import Batch, BatchFile, Line
from tests.flows.settling import AFTER, line_of
from tests.flows.test_payouts import (  # noqa: F401 - their fixtures, here too
    approved,
    draft,
    due,
    export,
    locked,
    principal,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("statements_agree")]


def test_46_what_does_not_add_up_to_its_statement_is_neither_sent_nor_booked(principal, due):  # noqa: F811
    batch = approved(principal)
    Batch.objects.filter(id=batch.id).update(net_minor=2232)
    with pytest.raises(BatchChangedError) as refused:
        export(principal, batch)
    assert "¥22.32" in str(refused.value)
    assert BatchFile.objects.count() == 0
    Batch.objects.filter(id=batch.id).update(net_minor=1488)
    export(principal, batch)
    Line.objects.filter(id=line_of(due[0]).id).update(batch=None)
    with pytest.raises(BatchChangedError):
        payouts.mark_paid(batch, bank_ref="B-1", actor_ref="ann", at=principal.now)
    assert Journal.objects.filter(kind="payout").count() == 0
    assert Batch.objects.get().state == "submitted"


def dispute(world, order):
    number = world.payment(order).payment_no
    ref, _ = bank.begin(world.peer, number, amount_minor=804, now=world.later(days=8))
    payment_events.refresh(number, at=world.later(days=8))
    return number, ref


def test_what_is_approved_can_be_cancelled_while_there_is_no_file(principal, due):  # noqa: F811
    batch = approved(principal)
    payouts.cancel(batch, reason="wrong", actor_ref="ann", at=principal.now)
    assert {line_of(order).state for order in due} == {"due"}
    batch = approved(principal)
    export(principal, batch)
    with pytest.raises(BatchStateError):
        payouts.cancel(batch, reason="wrong", actor_ref="ann", at=principal.now)


@pytest.mark.parametrize("make", [locked, approved])
def test_nothing_is_sent_to_an_account_out_of_force(principal, due, make):  # noqa: F811
    batch = make(principal)
    payees.withdraw(batch.payee["payee"], actor_ref="ann", at=principal.later(**AFTER))
    act = {
        locked: lambda: payouts.approve(batch, actor_ref="bo", at=principal.later(**AFTER)),
        approved: lambda: export(principal, batch),
    }
    with pytest.raises(PayeeWithdrawnError):
        act[make]()
    assert BatchFile.objects.count() == 0


@pytest.mark.parametrize("make", [draft, locked, approved])
def test_34_a_disputed_payment_stops_its_payout_and_is_left_out_of_the_next(principal, due, make):  # noqa: F811
    batch = make(principal)
    dispute(principal, due[0])
    act = {
        draft: lambda: payouts.lock(batch, actor_ref="ann", at=principal.later(**AFTER)),
        locked: lambda: payouts.approve(batch, actor_ref="bo", at=principal.later(**AFTER)),
        approved: lambda: export(principal, batch),
    }
    with pytest.raises(PartDisputedError):
        act[make]()
    if make is not draft:
        payouts.cancel(batch, reason="disputed", actor_ref="ann", at=principal.later(**AFTER))
    again = draft(principal)
    assert [line.owner_ref for line in again.lines.all()] == [due[1].ref]
    assert again.net_minor == 744
