"""Writes of payments, refunds and the inbox, at the room's own doors."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diandian.kernel.money import Money
from diandian.payments import actions, invariants, queries
from diandian.payments.errors import (
    AmountOutOfRangeError,
    NotCapturedError,
    OverRefundError,
    RefundConflictError,
    UnknownGatewayError,
    UnknownPaymentError,
)
from diandian.payments.inbox import actions as inbox_actions
from diandian.payments.messages import (
    Done,
    Instruction,
    Pending,
    RefundSnapshot,
    Rejected,
    Snapshot,
    Unknown,
    VerifiedNotice,
)
from diandian.payments.models import Notification, Payment, Refund
from diandian.payments.refunds import actions as refund_actions

pytestmark = pytest.mark.django_db
WAY = Done(Instruction("redirect", url="/sandbox/abc", gateway_ref="abc"))


@pytest.fixture
def start(now):
    def begin(owner_ref="order:1", amount_minor=804, gateway="sandbox", at=now):
        return actions.start(
            owner_ref=owner_ref,
            amount=Money(amount_minor, "CNY"),
            gateway=gateway,
            supplier_ref="supplier:one",
            expires_at=at + timedelta(minutes=10),
            at=at,
        )

    return begin


def snapshot(payment, state="succeeded", **changes):
    facts = {
        "state": state,
        "payment_no": payment.payment_no,
        "merchant": "demo",
        "mode": "test",
        "amount_minor": payment.amount_minor,
        "currency": "CNY",
        "gateway_ref": "ref",
        "paid_at": payment.created_at if state == "succeeded" else None,
        "refunded_minor": 0,
        "raw_digest": "",
    }
    return Snapshot(**facts | changes)


def apply(payment, state="succeeded", at=None, **changes):
    with transaction.atomic():
        return actions.apply(
            payment, snapshot(payment, state, **changes), at=at or payment.created_at
        )


# -- starting ---------------------------------------------------------------------------------


def test_a_payment_is_written_before_anybody_hears_of_it(start, now):
    payment = start()
    assert payment.state == "created"
    assert (payment.merchant, payment.mode, payment.gateway) == ("demo", "test", "sandbox")
    assert len(payment.payment_no) == 24
    assert payment.payment_no.isalnum()
    # After a crash right here the poller still finds it.
    assert queries.due_for_query(now + timedelta(seconds=5), 10) == [payment]


def test_a_second_start_returns_the_open_attempt(start):
    assert start() == start()
    assert Payment.objects.count() == 1


def test_after_a_decline_a_new_attempt_may_begin(start):
    first = start()
    apply(first, "failed")
    second = start()
    assert second.payment_no != first.payment_no
    assert queries.latest_of("order:1") == second
    assert queries.open_of("order:1") == second


def test_after_setting_one_aside_a_new_attempt_may_begin(start):
    first = start()
    assert actions.supersede(first)
    assert start() != first


@pytest.mark.parametrize("amount_minor", [0, 100_000_001])
def test_a_free_or_too_large_order_never_reaches_a_gateway(start, amount_minor):
    with pytest.raises(AmountOutOfRangeError):
        start(amount_minor=amount_minor)
    assert not Payment.objects.exists()


def test_a_gateway_that_is_not_in_use_is_refused(start, settings):
    with pytest.raises(UnknownGatewayError):
        start(gateway="nowhere")
    settings.TEST_MODE = False
    with pytest.raises(UnknownGatewayError):
        start()


# -- what the gateway said to the creation ----------------------------------------------------


def test_the_way_to_pay_is_kept(start, now):
    payment = actions.submitted(start(), WAY, at=now)
    assert payment.state == "pending"
    assert payment.instruction == {
        "kind": "redirect",
        "url": "/sandbox/abc",
        "text": "",
        "parameters": {},
        "valid_until": None,
    }


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Unknown("timeout"), "unknown"),
        (Pending(), "submitted"),
        (Rejected("bad_amount"), "failed"),
        (Rejected("busy", retryable=True), "created"),
    ],
)
def test_outcomes_of_the_creation(start, now, outcome, state):
    assert actions.submitted(start(), outcome, at=now).state == state


def test_after_an_unknown_creation_the_same_number_goes_on(start, now):
    first = actions.submitted(start(), Unknown("timeout"), at=now)
    assert start() == first
    again = actions.submitted(first, WAY, at=now)
    assert (again.state, again.payment_no) == ("pending", first.payment_no)


@pytest.mark.parametrize("outcome", [WAY, Unknown("timeout"), Pending(), Rejected("late")])
def test_a_notice_that_was_faster_than_the_creation_stays(start, now, outcome):
    payment = start()
    apply(payment)
    assert actions.submitted(payment, outcome, at=now).state == "succeeded"


def test_the_way_to_pay_is_kept_even_when_a_poll_was_faster(start, now):
    payment = start()
    apply(payment, "pending")
    assert actions.submitted(payment, WAY, at=now).instruction["url"] == "/sandbox/abc"


# -- applying ---------------------------------------------------------------------------------


def test_success_is_applied_once(start, now):
    payment = start()
    first, second = apply(payment), apply(payment)
    assert (first.changed, first.became, first.late) == (True, "succeeded", False)
    assert (second.changed, second.became) == (False, "succeeded")
    payment.refresh_from_db()
    assert (payment.paid_at, payment.next_query_at) == (now, None)


@pytest.mark.parametrize("before", ["failed", "closed"])
def test_success_after_the_end_is_late(start, before):
    payment = start()
    apply(payment, before)
    applied = apply(payment)
    assert (applied.changed, applied.late) == (True, True)
    assert queries.by_no(payment.payment_no).is_late


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(st.lists(st.sampled_from(["pending", "failed", "closed", "succeeded"]), max_size=8))
def test_snapshots_in_any_order(start, states):
    Payment.objects.all().delete()
    payment = start()
    changes = [apply(payment, state) for state in states]
    assert [a.became for a in changes if a.changed].count("succeeded") == ("succeeded" in states)
    payment.refresh_from_db()
    assert (payment.state == "succeeded") == ("succeeded" in states)
    assert invariants.check() == []


def test_asking_without_news_postpones_the_next_time(start, now):
    payment = start()
    at = now + timedelta(seconds=5)
    actions.note_query(payment, at=at)
    assert queries.due_for_query(at, 10) == []
    assert queries.due_for_query(now + timedelta(seconds=20), 10) == [payment]


def test_a_payment_its_gateway_never_knew_is_closed_only_after_its_grace(start, now):
    payment = start()
    assert not actions.give_up(payment, at=now + timedelta(minutes=19))
    assert actions.give_up(payment, at=now + timedelta(minutes=20))
    assert queries.by_no(payment.payment_no).state == "closed"


def test_what_was_paid_is_never_given_up(start, now):
    payment = start()
    apply(payment)
    assert not actions.give_up(payment, at=now + timedelta(days=9))
    assert queries.by_no(payment.payment_no).state == "succeeded"


# -- the inbox --------------------------------------------------------------------------------


def keep(now, notice_id="n1", merchant="demo"):
    notice = VerifiedNotice(notice_id, "payment.succeeded", "DD1", now)
    return inbox_actions.store_notice(
        gateway="sandbox", merchant=merchant, notice=notice, body_sha256="0" * 64, at=now
    )


def test_a_notice_is_kept_once(now):
    assert keep(now) is not None
    assert keep(now) is None
    assert keep(now, "n2") is not None
    assert keep(now, merchant="other") is not None
    assert Notification.objects.count() == 3


def test_a_notice_whose_receiver_crashed_is_found_again(now):
    kept = keep(now)
    assert queries.notices_due(now, 10) == []
    assert queries.notices_due(now + timedelta(seconds=5), 10) == [kept]
    inbox_actions.finish_notice(kept)
    assert queries.notices_due(now + timedelta(days=1), 10) == []


def test_a_parked_notice_is_dead_at_last(now):
    kept, at, tries = keep(now), now, 0
    while kept.state != "dead":
        inbox_actions.park_notice(kept, at=at)
        at, tries = kept.next_attempt_at or at, tries + 1
    assert tries == 30
    assert queries.notices_due(at + timedelta(days=9), 10) == []


def test_a_notice_of_another_gateway_is_not_about_our_payment(start, now):
    payment = start()
    notice = VerifiedNotice("n9", "payment.succeeded", payment.payment_no, now)
    kept = inbox_actions.store_notice(
        gateway="elsewhere", merchant="demo", notice=notice, body_sha256="0" * 64, at=now
    )
    with pytest.raises(UnknownPaymentError):
        queries.of_notice(kept)


# -- refunds ----------------------------------------------------------------------------------


def ask(payment, amount_minor=804, refund_no="R1"):
    with transaction.atomic():
        return refund_actions.request_refund(
            payment=payment,
            amount_minor=amount_minor,
            refund_no=refund_no,
            reason="test",
            at=payment.created_at,
        )


def told(refund, outcome):
    with transaction.atomic():
        return refund_actions.refund_result(refund, outcome, at=refund.created_at)


def done(refund, state="succeeded", **changes):
    facts = {"refund_no": refund.refund_no, "amount_minor": refund.amount_minor, "currency": "CNY"}
    return Done(RefundSnapshot(state=state, **facts | changes))


@pytest.fixture
def paid(start):
    payment = start()
    apply(payment)
    payment.refresh_from_db()
    return payment


def test_a_refund_is_reserved_before_any_call(paid):
    refund = ask(paid)
    assert refund.state == "requested"
    assert queries.by_no(paid.payment_no).refunded_minor == 804
    assert queries.refunds_due(refund.created_at + timedelta(seconds=5), 9) == [refund]


def test_a_refund_number_is_used_once(paid):
    assert ask(paid) == ask(paid)
    with pytest.raises(RefundConflictError):
        ask(paid, 1)
    assert Refund.objects.count() == 1


def test_never_more_goes_back_than_came_in(paid):
    ask(paid, 500, "R1")
    with pytest.raises(OverRefundError):
        ask(paid, 305, "R2")
    ask(paid, 304, "R3")
    with pytest.raises(OverRefundError):
        ask(paid, 1, "R4")
    assert invariants.check() == []


def test_what_never_came_in_never_goes_back(start):
    with pytest.raises(NotCapturedError):
        ask(start())


def test_accepted_is_not_done(paid):
    refund = ask(paid)
    assert told(refund, done(refund, "processing"))
    assert (refund.state, refund.next_query_at is None) == ("processing", False)
    assert told(refund, done(refund))
    assert (refund.state, refund.next_query_at) == ("succeeded", None)


def test_what_is_done_is_undone_by_no_late_answer_but_when_it_came_back(paid):
    refund = ask(paid)
    told(refund, done(refund))
    for late in (Rejected("already_refunded"), Unknown("timeout"), done(refund, "failed")):
        assert not told(refund, late)
    with transaction.atomic():
        assert refund_actions.come_back(refund)
        assert not refund_actions.come_back(refund)
    assert queries.by_no(paid.payment_no).refunded_minor == 0
    assert not told(refund, done(refund))
    assert (refund.state, invariants.check()) == ("failed", [])


def test_a_failed_refund_gives_its_reservation_back(paid):
    refund = ask(paid)
    told(refund, Rejected("closed_account"))
    assert refund.state == "failed"
    assert queries.by_no(paid.payment_no).refunded_minor == 0
    assert not told(refund, Rejected("closed_account"))
    assert queries.by_no(paid.payment_no).refunded_minor == 0
    assert invariants.check() == []


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Unknown("timeout"), "unknown"),
        (Pending(), "submitted"),
        (Rejected("busy", retryable=True), "requested"),
    ],
)
def test_an_open_refund_keeps_its_reservation_and_is_asked_about(paid, outcome, state):
    refund = ask(paid)
    told(refund, outcome)
    assert refund.state == state
    assert refund.next_query_at is not None
    assert queries.by_no(paid.payment_no).refunded_minor == 804


@pytest.mark.parametrize("change", [{"amount_minor": 1}, {"currency": "JPY"}, {"refund_no": "R9"}])
def test_a_refund_that_is_not_the_one_we_asked_for_is_abnormal(paid, change):
    refund = ask(paid)
    told(refund, done(refund, **change))
    assert refund.state == "abnormal"
    assert queries.by_no(paid.payment_no).refunded_minor == 804


def test_the_invariants_see_what_they_should(paid):
    ask(paid)
    Payment.objects.filter(id=paid.id).update(refunded_minor=1, paid_at=None)
    assert {breach.rule for breach in invariants.check()} == {"P1", "P2"}
    Payment.objects.filter(id=paid.id).update(state="closed")
    assert {breach.rule for breach in invariants.check()} == {"P1", "P3"}
