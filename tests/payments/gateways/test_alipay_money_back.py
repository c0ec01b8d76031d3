"""Alipay: refunds, royalty and its way back, against a peer in its own process."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from diandian.payments.messages import (
    NOT_FOUND,
    WINDOW_OVER,
    Done,
    RefundSnapshot,
    Rejected,
    Unknown,
)
from tests.payments.gateways import alipay_kit
from tests.payments.gateways.alipay_kit import RECEIVER, number

pytestmark = pytest.mark.pure
shop = alipay_kit.shop
REFUND, SETTLE = "alipay.trade.refund", "alipay.trade.order.settle"
REFUND_QUERY = "alipay.trade.fastpay.refund.query"
SETTLE_QUERY = "alipay.trade.order.settle.query"


def is_not_found(outcome):
    return isinstance(outcome, Rejected) and outcome.code == NOT_FOUND


def code_of(outcome):
    assert isinstance(outcome, Rejected), outcome
    return outcome.code


def test_a_refund_in_full_closes_the_trade_and_it_still_counts_as_paid(shop):
    payment_no = shop.paid()
    refund_no = f"R{payment_no}"
    assert is_not_found(shop.query_refund(refund_no))
    done = RefundSnapshot("succeeded", refund_no, 804, "CNY")
    assert shop.refund(payment_no) == Done(done)
    assert shop.query_refund(refund_no) == Done(done)
    snapshot = shop.query(payment_no).value
    assert (snapshot.state, snapshot.refunded_minor) == ("succeeded", 804)


@pytest.mark.parametrize("kind", ["timeout_done", "reset_done", "half_closed", "unsigned", "html"])
def test_30_a_refund_that_nobody_knows_of_is_not_made_twice(shop, kind):
    payment_no = shop.paid()
    shop.fault(kind, REFUND, seconds=2)
    assert isinstance(shop.refund(payment_no, minor=300), Unknown)
    again = shop.refund(payment_no, minor=300)
    assert again.value.state == "succeeded"
    assert shop.truth(payment_no)["refunds"] == [[f"R{payment_no}", 300, "success"]]


def test_30_the_same_number_with_another_amount_shows_what_was_done(shop):
    payment_no = shop.paid()
    shop.refund(payment_no, minor=300)
    assert shop.refund(payment_no, minor=301).value.amount_minor == 300
    assert len(shop.truth(payment_no)["refunds"]) == 1


def test_30_a_number_that_does_not_name_its_payment_is_unknown(shop):
    assert isinstance(shop.query_refund("X-1"), Unknown)


def test_31_a_trade_that_is_finished_gives_nothing_back_any_more(shop):
    payment_no = shop.paid()
    shop.lever("finish", number=payment_no)
    assert code_of(shop.refund(payment_no)) == WINDOW_OVER
    assert shop.query(payment_no).value.state == "succeeded"
    assert shop.truth(payment_no)["refunds"] == []


def test_31_no_more_than_was_paid_goes_back(shop):
    payment_no = shop.paid()
    for place in (1, 2):
        refund_no = f"R{payment_no}-{place}"
        assert shop.refund(payment_no, refund_no, 400).value.state == "succeeded"
    refused = shop.refund(payment_no, f"R{payment_no}-3", 5)
    assert code_of(refused) == "ACQ.REASON_TRADE_REFUND_FEE_ERR"
    assert not refused.retryable


def test_31_twenty_at_once_by_one_number_move_money_once(shop):
    payment_no = shop.paid()
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda _: shop.refund(payment_no, minor=300), range(20)))
    assert all(each == found[0] for each in found)
    assert found[0].value.state == "succeeded"
    assert shop.truth(payment_no)["refunds"] == [[f"R{payment_no}", 300, "success"]]


def test_31_an_empty_account_can_be_filled_and_the_number_sent_again(shop):
    payment_no = shop.paid()
    shop.lever("app", is_short=True)
    refused = shop.refund(payment_no)
    assert code_of(refused) == "ACQ.SELLER_BALANCE_NOT_ENOUGH"
    assert refused.retryable
    shop.lever("app", is_short=False)
    assert shop.refund(payment_no).value.state == "succeeded"


def test_32_accepted_is_not_done_and_may_fail_later(shop):
    payment_no = shop.paid()
    refund_no = f"R{payment_no}"
    shop.lever("app", refunds_wait=True)
    assert shop.refund(payment_no).value.state == "processing"
    assert shop.query_refund(refund_no).value.state == "processing"
    shop.lever("refund", number=payment_no, refund_no=refund_no, state="fail")
    assert shop.query_refund(refund_no).value.state == "failed"


@pytest.mark.parametrize(("back", "state"), [("P", "processing"), ("S", "succeeded")])
def test_32_on_its_way_to_a_bank_card_is_not_there(shop, back, state):
    payment_no = shop.paid()
    refund_no = f"R{payment_no}"
    shop.refund(payment_no)
    shop.lever("refund", number=payment_no, refund_no=refund_no, state="success", dback=back)
    assert shop.query_refund(refund_no).value.state == state


@pytest.mark.parametrize(
    "facts",
    [
        {"out_trade_no": "DDanother"},
        {"out_request_no": "Ranother"},
        {"refund_amount": "-1.00"},
        {"refund_status": "REFUND_PERHAPS"},
    ],
)
def test_32_an_answer_about_something_else_is_not_taken_for_ours(shop, facts):
    payment_no = shop.paid()
    shop.refund(payment_no)
    shop.fault("altered", REFUND_QUERY, facts=facts)
    assert isinstance(shop.query_refund(f"R{payment_no}"), Unknown)


def test_33_a_refund_in_the_console_shows_when_it_is_whole(shop):
    payment_no = shop.paid()
    shop.lever("refund", number=payment_no, amount=804)
    assert shop.query(payment_no).value.refunded_minor == 804


# -- royalty --------------------------------------------------------------------------------------


def test_a_fee_is_split_off_and_the_rest_is_free(shop):
    payment_no = shop.paid(is_split=True)
    request = shop.split_request(payment_no)
    assert is_not_found(shop.query_split(request))
    done = shop.split(request)
    assert done.value.state == "succeeded"
    asked = shop.query_split(request).value
    assert (asked.state, asked.legs[0].amount_minor) == ("succeeded", 80)
    truth = shop.truth(payment_no)
    assert truth["splits"] == [[f"S{payment_no}", RECEIVER, 80, "SUCCESS"]]
    assert truth["is_frozen"] is False


def test_the_rest_is_free_without_a_leg_and_a_second_call_changes_nothing(shop):
    payment_no = shop.paid(is_split=True)
    request = replace(shop.split_request(payment_no, split_no=f"U{payment_no}"), legs=())
    assert shop.truth(payment_no)["is_frozen"] is True
    for _ in range(2):
        done = shop.split(request)
        assert isinstance(done, Done), done
        assert (done.value.state, done.value.legs) == ("succeeded", ())
    assert shop.truth(payment_no)["is_frozen"] is False


def test_36_a_split_asked_for_twice_is_made_once(shop):
    payment_no = shop.paid()
    request = shop.split_request(payment_no)
    shop.fault("timeout_done", SETTLE, seconds=2, count=1)
    # The first call is the question; the fault meets it, and nothing is known.
    assert isinstance(shop.split(request), Unknown)
    assert shop.split(request).value.state == "succeeded"
    assert shop.split(request).value.state == "succeeded"
    assert len(shop.truth(payment_no)["splits"]) == 1


def test_36_too_early_is_not_a_no_and_the_same_number_comes_later(shop):
    payment_no = shop.paid(is_split=True)
    shop.lever("app", split_after=30)
    request = shop.split_request(payment_no)
    # The gateway says itself that such an answer leaves open whether it divided.
    assert isinstance(shop.split(request), Unknown)
    assert is_not_found(shop.query_split(request))
    assert shop.truth(payment_no)["splits"] == []
    shop.levers("clock", advance=31)
    assert shop.split(request).value.state == "succeeded"
    assert len(shop.truth(payment_no)["splits"]) == 1


def test_36_over_the_ratio_is_refused_and_leaves_nothing(shop):
    payment_no = shop.paid()
    refused = shop.split(shop.split_request(payment_no, 242))
    assert code_of(refused) == "ACQ.ALLOC_AMOUNT_VALIDATE_ERROR"
    assert shop.truth(payment_no)["splits"] == []
    assert shop.split(shop.split_request(payment_no, 241)).value.state == "succeeded"


def test_36_before_the_money_came_nothing_is_split(shop):
    payment_no = number()
    shop.create(payment_no)
    assert is_not_found(shop.split(shop.split_request(payment_no)))
    shop.lever("pay", number=payment_no, how="scan")
    assert code_of(shop.split(shop.split_request(payment_no))) == "ACQ.TRADE_STATUS_ERROR"


@pytest.mark.parametrize("state", ["PROCESSING", "FAIL"])
def test_36_a_leg_that_waits_or_failed_says_so(shop, state):
    payment_no = shop.paid()
    request = shop.split_request(payment_no)
    shop.split(request)
    shop.lever("leg", number=payment_no, split_no=request.split_no, state=state)
    found = shop.query_split(request).value
    assert found.state == {"PROCESSING": "processing", "FAIL": "failed"}[state]
    assert bool(found.legs[0].reason) is (state == "FAIL")


@pytest.mark.parametrize("receiver", ["", "a@b.example", "2088", "1088000000000777"])
def test_36_a_receiver_that_is_no_account_is_not_asked_for(shop, receiver):
    payment_no = shop.paid()
    assert code_of(shop.split(shop.split_request(payment_no, receiver=receiver))) == (
        "receiver_unfit"
    )


def test_35_a_leg_comes_back_before_the_guest_is_paid_back(shop):
    payment_no = shop.paid()
    shop.split(shop.split_request(payment_no))
    request = shop.reversal_request(payment_no)
    assert is_not_found(shop.query_reversal(request))
    assert shop.reverse(request).value.state == "succeeded"
    assert shop.reverse(request).value.state == "succeeded"
    assert shop.query_reversal(request).value.amount_minor == 80
    truth = shop.truth(payment_no)
    assert truth["reversals"] == [[f"V{payment_no}", RECEIVER, 80, "SUCCESS"]]
    assert truth["refunds"] == []
    assert shop.refund(payment_no).value.state == "succeeded"


def test_35_a_receiver_without_money_can_be_asked_again(shop):
    payment_no = shop.paid()
    shop.split(shop.split_request(payment_no))
    shop.lever("app", short_receivers=[RECEIVER])
    refused = shop.reverse(shop.reversal_request(payment_no))
    assert code_of(refused) == "ACQ.REFUND_ROYALTY_BALANCE_NOT_ENOUGH"
    assert refused.retryable
    shop.lever("app", short_receivers=[])
    assert shop.reverse(shop.reversal_request(payment_no)).value.state == "succeeded"


@pytest.mark.parametrize("kind", ["timeout_done", "reset_done", "unsigned"])
def test_37_a_reversal_that_nobody_knows_of_is_not_made_twice(shop, kind):
    payment_no = shop.paid()
    shop.split(shop.split_request(payment_no))
    request = shop.reversal_request(payment_no, 30)
    shop.fault(kind, REFUND, seconds=2)
    assert isinstance(shop.reverse(request), Unknown)
    assert shop.reverse(request).value.state == "succeeded"
    assert len(shop.truth(payment_no)["reversals"]) == 1


def test_37_more_than_was_given_does_not_come_back(shop):
    payment_no = shop.paid()
    shop.split(shop.split_request(payment_no))
    assert code_of(shop.reverse(shop.reversal_request(payment_no, 81))) == (
        "ACQ.ROYALTY_REFUND_AMOUNT_ERROR"
    )


@pytest.mark.parametrize("kind", ["timeout_done", "unsigned", "html"])
def test_37_a_split_that_nobody_knows_of_is_not_made_twice(shop, kind):
    payment_no = shop.paid()
    request = shop.split_request(payment_no)
    # The first question goes well; what is done by it does not come back.
    shop.lever("fault", kind="slow", path=SETTLE_QUERY, seconds=0)
    shop.fault(kind, SETTLE, seconds=2)
    assert isinstance(shop.split(request), Unknown)
    assert shop.split(request).value.state == "succeeded"
    assert len(shop.truth(payment_no)["splits"]) == 1


@pytest.mark.parametrize("sub_code", ["ACQ.SETTLE_NOT_EXIST", "isv.SETTLE_NOT_EXIST"])
def test_37_that_nothing_was_split_is_believed_only_when_it_is_signed(shop, sub_code):
    payment_no = shop.paid()
    request = shop.split_request(payment_no)
    shop.split(request)
    said = {"code": "40004", "msg": "x", "sub_code": sub_code}
    shop.fault("error_response", SETTLE_QUERY, facts=said)
    assert isinstance(shop.query_split(request), Unknown)


def test_the_share_that_may_be_split_off_is_an_option(shop):
    from diandian.payments.gateways.alipay.gateway import GATEWAY

    terms = GATEWAY.capabilities(shop.context).split
    assert (terms.cap_basis_points, terms.pays_supplier, terms.can_reverse) == (3_000, False, True)
    shop.with_options(split_cap_basis_points="1000")
    assert GATEWAY.capabilities(shop.context).split.cap_basis_points == 1_000
