"""A payment that is not as agreed: told once, and what arrived is kept as what it is."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from diandian.kernel.money import Money
from diandian.payments import actions, invariants, queries
from diandian.payments.errors import OverRefundError
from diandian.payments.messages import Done, RefundSnapshot, Snapshot
from diandian.payments.models import Payment
from diandian.payments.refunds import actions as refund_actions

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment(now):
    return actions.start(
        owner_ref="order:1",
        amount=Money(804, "CNY"),
        gateway="sandbox",
        supplier_ref="supplier:one",
        expires_at=now + timedelta(minutes=10),
        at=now,
    )


def apply(payment, state="succeeded", **changes):
    at = payment.created_at
    facts = {
        "state": state,
        "payment_no": payment.payment_no,
        "merchant": "demo",
        "mode": "test",
        "amount_minor": 804,
        "currency": "CNY",
        "gateway_ref": "ref",
        "paid_at": at if state == "succeeded" else None,
        "refunded_minor": 0,
        "raw_digest": "",
    }
    with transaction.atomic():
        return actions.apply(payment, Snapshot(**facts | changes), at=at)


@pytest.mark.parametrize(
    ("difference", "received", "merchant"),
    [
        ({"amount_minor": 803}, Money(803, "CNY"), "demo"),
        ({"amount_minor": 805}, Money(805, "CNY"), "demo"),
        ({"currency": "JPY"}, Money(804, "JPY"), "demo"),
        ({"merchant": "other"}, Money(804, "CNY"), "other"),
        ({"merchant": "other", "currency": "EUR", "amount_minor": 1}, Money(1, "EUR"), "other"),
    ],
)
def test_what_arrived_is_kept_as_what_it_is(payment, difference, received, merchant):
    applied = apply(payment, **difference)
    assert (applied.changed, applied.became) == (True, "succeeded")
    assert set(applied.mismatch) == {name.removesuffix("_minor") for name in difference}
    kept = queries.by_no(payment.payment_no)
    assert (kept.received, kept.received_by) == (received, merchant)
    assert (kept.amount_minor, kept.currency, kept.merchant) == (804, "CNY", "demo")
    assert kept.next_query_at is None
    assert kept.reason.startswith("mismatch: ")
    assert invariants.check() == []
    again = apply(kept, **difference)
    assert (again.changed, bool(again.mismatch)) == (False, True)
    assert not apply(kept).changed, "what was received is final"


@pytest.mark.parametrize(
    "difference",
    [
        {"mode": "live"},
        {"payment_no": "other"},
        {"payment_no": "other", "amount_minor": 1},
        {"currency": "XAU"},
        {"currency": ""},
        {"merchant": ""},
        {"merchant": "a:b"},
        {"merchant": "m" * 51},
        {"amount_minor": 0},
        {"amount_minor": -804},
    ],
)
def test_what_is_not_about_us_or_cannot_be_booked_changes_no_state(payment, difference):
    asked_next = payment.next_query_at
    first, second = apply(payment, **difference), apply(payment, **difference)
    assert (first.changed, second.changed) == (True, False), "told once"
    kept = queries.by_no(payment.payment_no)
    assert (kept.state, kept.received_minor, kept.paid_at) == ("created", None, None)
    assert kept.next_query_at == asked_next, "the gateway is asked on"
    assert apply(kept).became == "succeeded", "and believed when it says what is right"
    assert queries.by_no(payment.payment_no).received == Money(804, "CNY")


@pytest.mark.parametrize("end", ["failed", "closed"])
def test_an_odd_payment_that_ends_unpaid_has_ended(payment, end):
    apply(payment, "pending", amount_minor=1)
    assert queries.by_no(payment.payment_no).state == "pending"
    assert apply(payment, end, amount_minor=1).became == end
    late = apply(payment, amount_minor=1)
    assert (late.changed, late.late) == (True, True)


def test_a_difference_after_success_is_old_news(payment):
    apply(payment)
    stale = Payment.objects.get(id=payment.id)
    applied = apply(stale, amount_minor=1)
    assert not applied.changed
    assert queries.by_no(payment.payment_no).received == Money(804, "CNY")


def ask(payment, amount_minor, refund_no="R1"):
    with transaction.atomic():
        return refund_actions.request_refund(
            payment=payment,
            amount_minor=amount_minor,
            refund_no=refund_no,
            reason="test",
            at=payment.created_at,
        )


@pytest.mark.parametrize("received_minor", [3, 80_400])
def test_never_more_goes_back_than_arrived(payment, received_minor):
    apply(payment, amount_minor=received_minor)
    with pytest.raises(OverRefundError):
        ask(payment, received_minor + 1)
    ask(payment, received_minor - 1)
    ask(payment, 1, "R2")
    with pytest.raises(OverRefundError):
        ask(payment, 1, "R3")
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.update(refunded_minor=received_minor + 1)
    assert invariants.check() == []


def test_a_refund_goes_back_in_the_currency_that_arrived(payment):
    apply(payment, currency="JPY")
    refund = ask(payment, 804)
    with transaction.atomic():
        answer = Done(RefundSnapshot("succeeded", refund.refund_no, 804, "JPY"))
        refund_actions.refund_result(refund, answer, at=payment.created_at)
    assert refund.state == "succeeded"


def test_the_invariants_see_a_receipt_that_is_half_known(payment):
    Payment.objects.filter(id=payment.id).update(received_minor=1)
    assert {breach.rule for breach in invariants.check()} == {"P4"}
