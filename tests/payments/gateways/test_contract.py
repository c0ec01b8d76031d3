"""What every gateway promises, whatever its protocol; each is tried against its own peer.

A gateway joins with a desk (see ``desks.py``) and its name in ``DESKS``. Tests that are named by a
row of the fault table count for all of them.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from diandian.kernel.money import Money
from diandian.payments.gateway import Gateway, gateways
from diandian.payments.messages import (
    NOT_FOUND,
    Done,
    MerchantContext,
    NoticeRefused,
    Rejected,
    VerifiedNotice,
)
from tests.payments.gateways import desks
from tests.peers.wechatpay import fixture as wechatpay_fixture

pytestmark = pytest.mark.pure

wechatpay_peer = wechatpay_fixture.wechatpay_peer
STATES = {"pending", "failed", "closed", "succeeded"}
DESKS = ("alipay", "sandbox", "stripe", "wechatpay")
# It makes its own key.
NEEDS_NO_KEYS = "sandbox"


@pytest.fixture(params=DESKS)
def desk(request, tmp_path):
    if request.param != "wechatpay":
        made = getattr(desks, f"{request.param}_desk")(tmp_path)
        yield made
        if request.param == "sandbox":
            made.peer.hang_up()
    else:
        yield desks.wechatpay_desk(request.getfixturevalue("wechatpay_peer"), tmp_path)


@pytest.fixture
def opened(desk):
    request = desk.request()
    assert isinstance(desk.gateway.create_payment(desk.context, request, at=desk.at), Done)
    desk.begin(request.payment_no)
    return request


def query(desk, number):
    return desk.gateway.query_payment(desk.context, number, at=desk.at)


def test_it_is_found_by_its_folder(desk):
    assert gateways()[desk.gateway.key] is desk.gateway
    assert isinstance(desk.gateway, Gateway)


def test_its_capabilities_make_sense(desk):
    found = desk.gateway.capabilities(desk.context)
    assert found.flows
    assert all(0 < low <= high for low, high in found.limits_minor.values())
    assert len({flow.key for flow in found.flows}) == len(found.flows)
    assert found.refunds_limit > 0
    assert found.shortest_life_seconds <= 1_860


def test_21_creation_repeated_is_one_payment(desk, opened):
    again = desk.gateway.create_payment(desk.context, opened, at=desk.at)
    assert isinstance(again, Done)
    assert again.value.kind
    assert len(desk.truth("payments")) == 1


def test_a_number_used_for_another_amount_opens_nothing(desk, opened):
    other = replace(opened, amount=opened.amount + opened.amount)
    assert not isinstance(desk.gateway.create_payment(desk.context, other, at=desk.at), Done)


def test_a_deadline_in_the_past_is_refused(desk):
    outcome = desk.gateway.create_payment(
        desk.context, desk.request(expires_at=desk.at), at=desk.at
    )
    assert isinstance(outcome, Rejected)
    assert desk.truth("payments") == []


def test_23_a_number_that_was_never_used_is_not_found(desk):
    number = desk.request().payment_no
    assert query(desk, number).code == NOT_FOUND
    assert desk.gateway.close_payment(desk.context, number, at=desk.at) == Done("not_found_yet")
    refund_no = f"R{number}-1"
    assert desk.gateway.query_refund(desk.context, refund_no, at=desk.at).code == NOT_FOUND


def test_it_waits_then_it_is_paid(desk, opened):
    waiting = query(desk, opened.payment_no).value
    assert waiting.state == "pending"
    assert (waiting.payment_no, waiting.mode) == (opened.payment_no, desk.context.mode)
    desk.pay(opened.payment_no)
    paid = query(desk, opened.payment_no).value
    assert (paid.state, paid.payment_no) == ("succeeded", opened.payment_no)
    assert (paid.amount_minor, paid.currency) == (
        opened.amount.amount_minor,
        opened.amount.currency,
    )
    assert (paid.merchant, paid.mode) == (desk.context.account, desk.context.mode)
    assert paid.gateway_ref
    assert abs(paid.paid_at - desk.at) < timedelta(seconds=2)


def test_24_what_is_closed_cannot_be_paid(desk, opened):
    assert desk.gateway.close_payment(desk.context, opened.payment_no, at=desk.at) == Done("closed")
    assert query(desk, opened.payment_no).value.state == "closed"
    assert desk.gateway.close_payment(desk.context, opened.payment_no, at=desk.at) == Done("closed")


def test_22_what_is_paid_cannot_be_closed(desk, opened):
    desk.pay(opened.payment_no)
    outcome = desk.gateway.close_payment(desk.context, opened.payment_no, at=desk.at)
    assert outcome == Done("already_paid")
    assert query(desk, opened.payment_no).value.state == "succeeded"


def test_30_a_refund_sent_twice_is_one_refund(desk, opened):
    desk.pay(opened.payment_no)
    request = desk.refund_request(opened.payment_no, opened.amount.amount_minor)
    for _ in range(2):
        sent = desk.gateway.refund(desk.context, request, at=desk.at)
        assert sent.value.state in {"processing", "succeeded"}
    assert len(desk.truth("refunds")) == 1
    desk.later(seconds=5)
    found = desk.gateway.query_refund(desk.context, request.refund_no, at=desk.at).value
    assert (found.state, found.refund_no) == ("succeeded", request.refund_no)
    assert found.amount_minor == opened.amount.amount_minor
    assert query(desk, opened.payment_no).value.state == "succeeded"


def test_31_more_than_was_paid_never_goes_back(desk, opened):
    desk.pay(opened.payment_no)
    half = opened.amount.amount_minor // 2 + 1
    first = desk.refund_request(opened.payment_no, half)
    assert isinstance(desk.gateway.refund(desk.context, first, at=desk.at), Done)
    desk.later(seconds=120)
    second = desk.refund_request(opened.payment_no, half)
    outcome = desk.gateway.refund(desk.context, second, at=desk.at)
    assert isinstance(outcome, Rejected)
    assert not outcome.retryable
    assert sum(each["amount"] for each in desk.truth("refunds")) == half


def test_an_unpaid_payment_is_not_refunded(desk, opened):
    request = desk.refund_request(opened.payment_no, 1)
    assert not isinstance(desk.gateway.refund(desk.context, request, at=desk.at), Done)
    assert desk.truth("refunds") == []


def test_01_a_notice_sent_again_is_known_by_its_name(desk, opened):
    desk.pay(opened.payment_no)
    first, again = (desk.hear(desk.notice(opened.payment_no)) for _ in range(2))
    assert isinstance(first, VerifiedNotice)
    assert first.payment_no == opened.payment_no
    assert first.notice_id
    assert first.notice_id == again.notice_id
    assert desk.gateway.ack(None).status in {200, 204}


def test_02_07_what_comes_after_the_payment_is_another_notice_and_it_stays_paid(desk, opened):
    number = opened.payment_no
    desk.pay(number)
    first = desk.hear(desk.notice(number))
    part = desk.refund_request(number, 100)
    assert isinstance(desk.gateway.refund(desk.context, part, at=desk.at), Done)
    second = desk.hear(desk.later_notice(number, part.refund_no))
    assert isinstance(second, VerifiedNotice)
    assert second.notice_id != first.notice_id
    assert number in {second.payment_no, first.payment_no}
    assert (query(desk, number).value.state, query(desk, number).value.amount_minor) == (
        "succeeded",
        opened.amount.amount_minor,
    )


def test_48_a_free_order_opens_nothing(desk):
    free = desk.request()
    free = replace(free, amount=Money(0, free.amount.currency))
    outcome = desk.gateway.create_payment(desk.context, free, at=desk.at)
    assert isinstance(outcome, Rejected)
    assert not outcome.retryable
    assert desk.truth("payments") == []


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff\xfe", b"[" * 50_000, b"null", b"a=b"])
@pytest.mark.parametrize("headers", [{}, {"X": "\udc80"}, {"Wechatpay-Signature": "AA=="}])
def test_09_noise_is_refused_in_words(desk, headers, body):
    heard = desk.gateway.parse_notification(desk.context, headers, body, at=desk.at)
    assert isinstance(heard, NoticeRefused)
    assert desk.gateway.ack(heard).status >= 400


@pytest.mark.parametrize("desk", [each for each in DESKS if each != NEEDS_NO_KEYS], indirect=True)
def test_without_keys_nothing_is_sent_and_nothing_breaks(desk):
    bare = MerchantContext(desk.gateway.key, "test", "nobody")
    request = desk.request()
    gateway, at = desk.gateway, desk.at
    assert isinstance(gateway.capabilities(bare).flows, tuple)
    for outcome in (
        gateway.create_payment(bare, request, at=at),
        gateway.query_payment(bare, request.payment_no, at=at),
        gateway.close_payment(bare, request.payment_no, at=at),
        gateway.query_refund(bare, f"R{request.payment_no}-1", at=at),
    ):
        assert isinstance(outcome, Rejected)
        assert outcome.retryable
    assert isinstance(gateway.parse_notification(bare, {}, b"{}", at=at), NoticeRefused)
    findings = gateway.check(bare, notify_url="", at=at)
    assert [each for each in findings if not each.is_fine]
    assert desk.truth("payments") == []
