"""A payout that its bank paid and sends back days later: booked back once, and paid again."""

import pytest

from diandian.audit import queries as audit
from diandian.flows import payouts, settling
from diandian.ledger import chart
from diandian.ledger.models import Journal
from diandian.settlement.errors import BatchStateError, ResultFileError
from diandian.settlement.models import Batch
from tests.flows.settling import SUPPLIER, house_breaches, line_of, retired, settle
from tests.flows.test_payouts import (  # noqa: F401 - fixtures among them
    FACTS,
    PAYABLE,
    approved,
    due,
    export,
    principal,
    result,
    take,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("statements_agree")]
BANK, DUE_FROM = chart.bank("CNY"), chart.due_from_supplier("CNY", SUPPLIER)


@pytest.fixture
def paid(principal, due):  # noqa: F811
    batch = approved(principal)
    export(principal, batch)
    take(principal, result(batch))
    return batch


def pay(world, *, days):
    """Pay what is due by another payout; return it."""
    at = world.later(days=days)
    batch = payouts.lock(payouts.draft(**FACTS, actor_ref="ann", at=at), actor_ref="ann", at=at)
    payouts.approve(batch, actor_ref="bo", at=at)
    payouts.export(batch, form="neutral", actor_ref="bo", at=at)
    payouts.mark_paid(batch, bank_ref="B-3", actor_ref="ann", at=at)
    return Batch.objects.get(id=batch.id)


@pytest.mark.parametrize("is_found", [False, True])
def test_what_a_bank_sends_back_is_due_again_and_booked_back_once(principal, due, paid, is_found):  # noqa: F811
    if is_found:
        payouts.reconcile(paid, bank_ref="S-9", actor_ref="ann", at=principal.now)
    assert take(principal, result(paid, "failed")) == 1
    assert take(principal, result(paid, "failed")) == 0, "the same file again changes nothing"
    assert {(line_of(order).state, line_of(order).paid_at) for order in due} == {("due", None)}
    assert (principal.balance(PAYABLE), principal.balance(BANK)) == (-1488, 0)
    back = Journal.objects.get(kind="reversal")
    assert back.reverses == Journal.objects.get(kind="payout")
    assert Batch.objects.get(id=paid.id).reason == "closed"
    assert audit.trail(f"payout:{paid.number}")[-1].action == "payout.sent_back"
    assert house_breaches() == []
    with pytest.raises(BatchStateError):
        take(principal, result(paid))
    assert pay(principal, days=12).net_minor == 1488
    assert (principal.balance(PAYABLE), principal.balance(BANK)) == (0, -1488)
    assert house_breaches() == []


@pytest.mark.parametrize("is_taken_off", [False, True])
def test_what_was_claimed_of_a_part_meanwhile_is_taken_off_once(principal, due, paid, is_taken_off):  # noqa: F811
    first = due[0]
    payment = principal.payment(first)
    assert settling.reverse_before_refund(payment, 402, at=principal.later(days=9)) == "ready"
    assert principal.balance(DUE_FROM) == 372
    if is_taken_off:
        for name in ("Xu", "Zhu"):
            retired(principal, name=name)
        settle(principal, days=20)
        assert pay(principal, days=21).net_minor == 1488 - 372
    assert take(principal, result(paid, "failed")) == 1
    assert house_breaches() == []
    assert [line_of(order).state for order in due] == ["paid", "due"]
    assert pay(principal, days=22).net_minor == (1488 if is_taken_off else 1488 - 372)
    assert (principal.balance(PAYABLE), principal.balance(DUE_FROM)) == (0, 0)
    assert house_breaches() == []


def test_a_gateways_statement_is_sent_back_by_no_bank(principal, due, paid):  # noqa: F811
    Batch.objects.filter(id=paid.id).update(rail="gateway")
    with pytest.raises(ResultFileError):
        take(principal, result(paid, "failed"))
    assert principal.balance(PAYABLE) == 0
