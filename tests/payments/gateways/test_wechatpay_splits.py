"""Profit sharing at WeChat Pay: our fee out of what a sub-merchant collected, and back again."""

import pytest

from diandian.kernel.money import Money
from diandian.payments.messages import NOT_FOUND, Done, Rejected, Unknown
from diandian.payments.splits import ReversalRequest
from tests.peers.wechatpay import fixture
from tests.peers.wechatpay.desk import new_no, sit_down
from tests.peers.wechatpay.fixture import MERCHANT, SUB_MERCHANT

pytestmark = pytest.mark.pure

wechatpay_peer = fixture.wechatpay_peer
SPLITS = "/v3/profitsharing/orders"
REVERSALS = "/v3/profitsharing/return-orders"


@pytest.fixture
def desk(wechatpay_peer, tmp_path):
    return sit_down(wechatpay_peer, tmp_path, SUB_MERCHANT, split_receiver_name="点点碳")


@pytest.fixture
def ready(desk):
    """A payment that may be divided by now: its number and reference."""
    found = desk.paid(is_split=True)
    desk.later(seconds=desk.gateway.capabilities(desk.context).split.wait_seconds)
    return found


def reversal(request, amount_minor, **changes):
    facts = {
        "reversal_no": new_no("RV"),
        "split_no": request.split_no,
        "payment_no": request.payment_no,
        "gateway_ref": request.gateway_ref,
        "leg_no": request.legs[0].leg_no,
        "leg_ref": "",
        "receiver": MERCHANT,
        "amount": Money(amount_minor, "CNY"),
    }
    return ReversalRequest(**facts | changes)


def test_splits_are_offered_only_where_a_sub_merchant_collects(desk, wechatpay_peer, tmp_path):
    terms = desk.gateway.capabilities(desk.context).split
    assert (terms.cap_basis_points, terms.wait_seconds) == (3_000, 60)
    assert (terms.can_reverse, terms.pays_supplier) == (True, False)
    alone = sit_down(wechatpay_peer, tmp_path)
    assert alone.gateway.capabilities(alone.context).split is None


def test_accepted_then_done(desk, ready):
    request = desk.split_request(*ready, 80)
    assert desk.split(request).value.state == "processing"
    desk.later(seconds=5)
    found = desk.query_split(request).value
    assert (found.state, found.split_no) == ("succeeded", request.split_no)
    (leg,) = found.legs
    assert (leg.leg_no, leg.amount_minor) == (request.legs[0].leg_no, 80)
    assert leg.leg_ref


def test_36_too_early_comes_later(desk):
    number, reference = desk.paid(is_split=True)
    request = desk.split_request(number, reference, 80)
    outcome = desk.split(request)
    assert isinstance(outcome, Rejected)
    assert outcome.retryable
    desk.later(seconds=61)
    assert isinstance(desk.split(request), Done)


def test_36_over_the_share_is_refused(desk, ready):
    assert isinstance(desk.split(desk.split_request(*ready, 242)), Rejected)
    assert desk.truth("splits") == []
    assert isinstance(desk.split(desk.split_request(*ready, 241)), Done)


def test_36_the_same_number_divides_once(desk, ready):
    request = desk.split_request(*ready, 80)
    first, second = desk.split(request), desk.split(request)
    assert first == second
    assert [each["amount"] for each in desk.truth("splits")] == [80]


def test_36_a_leg_that_failed_says_why(desk, ready):
    request = desk.split_request(*ready, 80)
    desk.split(request)
    desk.peer.control(
        "split",
        mchid=MERCHANT,
        out_order_no=request.split_no,
        result="CLOSED",
        reason="ACCOUNT_ABNORMAL",
    )
    found = desk.query_split(request).value
    assert (found.state, found.legs[0].state) == ("failed", "failed")
    assert found.legs[0].reason == "ACCOUNT_ABNORMAL"


def test_36_what_was_not_held_is_not_divided(desk):
    found = desk.paid(is_split=False)
    desk.later(seconds=61)
    outcome = desk.split(desk.split_request(*found, 80))
    assert (outcome.code, outcome.retryable) == ("INVALID_REQUEST", False)


def test_36_a_receiver_who_was_never_named_gets_nothing(wechatpay_peer, tmp_path):
    desk = sit_down(wechatpay_peer, tmp_path, SUB_MERCHANT)
    found = desk.paid(is_split=True)
    desk.later(seconds=61)
    request = desk.split_request(*found, 80, receivers=("1900000999",))
    assert isinstance(desk.split(request), Rejected)


@pytest.mark.parametrize("kind", ["timeout_with_effect", "reset_with_effect", "unsigned"])
def test_37_a_split_that_nobody_answers_happens_once(desk, ready, kind):
    request = desk.split_request(*ready, 80)
    desk.peer.fault(SPLITS, kind, milliseconds=2_300)
    assert isinstance(desk.split(request), Unknown)
    assert desk.query_split(request).value.state == "processing"
    assert isinstance(desk.split(request), Done)
    assert len(desk.truth("splits")) == 1


@pytest.mark.parametrize(
    "changes", [{"out_order_no": "SP0"}, {"state": "SOON"}, {"receivers": []}, {"receivers": 5}]
)
def test_37_an_answer_about_another_split_is_not_believed(desk, ready, changes):
    request = desk.split_request(*ready, 80)
    desk.split(request)
    desk.peer.fault(SPLITS, "altered", changes=changes)
    assert isinstance(desk.query_split(request), Unknown)


def test_37_a_split_still_going_on_is_not_done_though_its_legs_are(desk, ready):
    request = desk.split_request(*ready, 80)
    desk.split(request)
    desk.later(seconds=5)
    desk.peer.fault(SPLITS, "altered", changes={"state": "PROCESSING"})
    assert desk.query_split(request).value.state == "processing"


def test_37_a_split_that_never_arrived_is_not_found(desk, ready):
    request = desk.split_request(*ready, 80)
    desk.peer.fault(SPLITS, "timeout_without_effect", milliseconds=2_300)
    assert isinstance(desk.split(request), Unknown)
    assert desk.query_split(request).code == NOT_FOUND


def test_the_rest_can_be_released_without_a_leg(desk, ready):
    request = desk.split_request(*ready, receivers=())
    assert desk.split(request).value.legs == ()
    desk.later(seconds=5)
    assert desk.query_split(request).value.state == "succeeded"
    assert isinstance(desk.refund(ready[0], 804)[1], Done)


@pytest.mark.parametrize(
    ("amounts", "changes", "code"),
    [
        ((), {"release_rest": False}, "nothing_to_split"),
        ((80,), {"split_no": "a/b"}, "number_unfit"),
        ((80,), {"gateway_ref": ""}, "gateway_ref_missing"),
        ((0,), {}, "amount_out_of_range"),
        ((80, 20), {"receivers": (MERCHANT, MERCHANT)}, "receiver_twice"),
        ((80,), {"receivers": ("a b",)}, "receiver_unfit"),
    ],
)
def test_what_cannot_be_is_not_even_sent(desk, amounts, changes, code):
    receivers = changes.pop("receivers", (MERCHANT,) * len(amounts))
    request = desk.split_request("DD000000", "4200", *amounts, receivers=receivers, **changes)
    desk.peer.fault("/v3", "status", status=500, times=9)
    assert desk.split(request) == Rejected(code)
    assert desk.query_split(request) == Rejected(code)


def test_35_a_refund_waits_for_the_rest_and_the_split_comes_back_first(desk, ready):
    request = desk.split_request(*ready, 80, release_rest=False)
    desk.split(request)
    desk.later(seconds=5)
    refund_no, outcome = desk.refund(ready[0], 804)
    assert (outcome.code, outcome.retryable) == ("RULE_LIMIT", True)
    back = reversal(request, 80)
    found = desk.gateway.reverse_split(desk.context, back, at=desk.at).value
    assert (found.state, found.amount_minor) == ("succeeded", 80)
    assert desk.gateway.query_reversal(desk.context, back, at=desk.at) == Done(found)
    desk.split(desk.split_request(*ready, receivers=()))
    assert isinstance(desk.refund(ready[0], 804, refund_no=refund_no)[1], Done)


def test_35_a_receiver_short_of_money_fails_in_words(desk, ready):
    request = desk.split_request(*ready, 80)
    desk.split(request)
    desk.later(seconds=5)
    desk.peer.control("balance", receiver=MERCHANT, balance=79)
    found = desk.gateway.reverse_split(desk.context, reversal(request, 80), at=desk.at).value
    assert (found.state, found.reason) == ("failed", "ACCOUNT_ABNORMAL")


def test_35_more_than_the_leg_never_comes_back(desk, ready):
    request = desk.split_request(*ready, 80)
    desk.split(request)
    desk.later(seconds=5)
    gateway, context = desk.gateway, desk.context
    assert isinstance(gateway.reverse_split(context, reversal(request, 50), at=desk.at), Done)
    assert isinstance(gateway.reverse_split(context, reversal(request, 31), at=desk.at), Rejected)
    assert sum(each["amount"] for each in desk.truth("reversals")) == 50


def test_35_a_reversal_that_nobody_answers_happens_once(desk, ready):
    request = desk.split_request(*ready, 80)
    desk.split(request)
    desk.later(seconds=5)
    back = reversal(request, 80)
    desk.peer.fault(REVERSALS, "timeout_with_effect", milliseconds=2_300)
    assert isinstance(desk.gateway.reverse_split(desk.context, back, at=desk.at), Unknown)
    assert desk.gateway.query_reversal(desk.context, back, at=desk.at).value.state == "succeeded"
    assert isinstance(desk.gateway.reverse_split(desk.context, back, at=desk.at), Done)
    assert len(desk.truth("reversals")) == 1


def test_a_reversal_that_never_was_is_not_found(desk, ready):
    request = desk.split_request(*ready, 80)
    desk.split(request)
    back = reversal(request, 80)
    assert desk.gateway.query_reversal(desk.context, back, at=desk.at).code == NOT_FOUND


@pytest.mark.parametrize(
    "changes", [{"reversal_no": "a/b"}, {"receiver": ""}, {"amount": Money(80, "EUR")}]
)
def test_a_reversal_that_cannot_be_is_not_even_sent(desk, changes):
    request = desk.split_request("DD000000", "4200", 80)
    desk.peer.fault("/v3", "status", status=500, times=9)
    back = reversal(request, 80, **changes)
    assert isinstance(desk.gateway.reverse_split(desk.context, back, at=desk.at), Rejected)
    assert isinstance(desk.gateway.query_reversal(desk.context, back, at=desk.at), Rejected)
