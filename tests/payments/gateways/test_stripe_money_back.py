"""Stripe: refunds, transfers to suppliers, reversals; never twice, never more than came."""

from threading import Thread

import pytest

from diandian.payments.gateways.stripe.gateway import GATEWAY
from diandian.payments.messages import NOT_FOUND, Done, Rejected, Unknown
from tests.payments.gateways import stripe_kit
from tests.payments.gateways.stripe_kit import number

pytestmark = pytest.mark.pure
shop = stripe_kit.shop
REFUNDS, TRANSFERS = "/v1/refunds", "/v1/transfers"
TWO_DAYS = 2 * 86_400


def split(shop, request):
    return GATEWAY.split(shop.context, request, at=shop.now)


def query_split(shop, request):
    return GATEWAY.query_split(shop.context, request, at=shop.now)


def reverse(shop, request):
    return GATEWAY.reverse_split(shop.context, request, at=shop.now)


def query_reversal(shop, request):
    return GATEWAY.query_reversal(shop.context, request, at=shop.now)


def test_a_refund_in_full_and_in_part(shop):
    payment_no = shop.paid()
    assert shop.query_refund(f"R{payment_no}") == Rejected(NOT_FOUND)
    back = shop.refund(payment_no, minor=300).value
    assert (back.state, back.amount_minor, back.currency) == ("succeeded", 300, "USD")
    assert shop.refund(payment_no, f"R{payment_no}-2", minor=504).value.amount_minor == 504
    assert shop.query(payment_no).value.refunded_minor == 804


def test_a_refund_whose_number_names_no_payment_is_found_too(shop):
    refund_no = number("XR")
    assert shop.query_refund(refund_no) == Rejected(NOT_FOUND)
    shop.refund(shop.paid(), refund_no)
    assert shop.query_refund(refund_no).value.refund_no == refund_no


@pytest.mark.parametrize("kind", ["timeout_done", "reset_done", "half_closed"])
def test_30_a_refund_whose_answer_was_lost_is_not_made_twice(shop, kind):
    payment_no = shop.paid()
    shop.fault(kind, REFUNDS, method="POST")
    assert isinstance(shop.refund(payment_no, minor=300), Unknown)
    assert shop.query_refund(f"R{payment_no}").value.state == "succeeded"
    assert shop.refund(payment_no, minor=300).value.amount_minor == 300
    assert len(shop.truth()["refunds"]) == 1


def test_30_a_refund_is_not_made_twice_after_the_key_was_forgotten(shop):
    payment_no = shop.paid()
    shop.refund(payment_no, minor=300)
    shop.levers("clock", advance=TWO_DAYS)
    assert shop.refund(payment_no, minor=300).value.amount_minor == 300
    assert len(shop.truth()["refunds"]) == 1


@pytest.mark.parametrize("kind", ["timeout_not_done", "reset"])
def test_30_a_refund_that_never_arrived_is_not_found(shop, kind):
    payment_no = shop.paid()
    shop.fault(kind, REFUNDS, method="POST")
    assert isinstance(shop.refund(payment_no), Unknown)
    assert shop.query_refund(f"R{payment_no}") == Rejected(NOT_FOUND)
    assert isinstance(shop.refund(payment_no), Done)


def test_30_a_question_that_fails_never_says_not_found(shop):
    payment_no = shop.paid()
    for path in ("/v1/charges", REFUNDS):
        for body in ('{"object":"list","data":[],"has_more":true}', "{}", "<html>"):
            shop.fault("raw", path, method="GET", body=body)
            assert isinstance(shop.query_refund(f"R{payment_no}"), Unknown)


def test_31_more_than_was_paid_is_refused_for_good(shop):
    payment_no = shop.paid()
    assert isinstance(shop.refund(payment_no, minor=500), Done)
    refused = shop.refund(payment_no, f"R{payment_no}-2", minor=500)
    assert (refused.code, refused.retryable) == ("amount_too_large", False)
    assert shop.query(payment_no).value.refunded_minor == 500


def test_31_two_refunds_of_one_number_at_once_are_one(shop):
    payment_no = shop.paid()
    outcomes = []
    threads = [
        Thread(target=lambda: outcomes.append(shop.refund(payment_no, minor=300))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {type(outcome) for outcome in outcomes} == {Done}
    assert len(shop.truth()["refunds"]) == 1


@pytest.mark.parametrize("ends", ["failed", "canceled"])
def test_32_accepted_is_not_done_and_may_fail(shop, ends):
    shop.lever("account", refunds_wait=True)
    payment_no = shop.paid()
    assert shop.refund(payment_no).value.state == "processing"
    assert shop.query(payment_no).value.refunded_minor == 804
    shop.lever("refund", refund_no=f"R{payment_no}", status=ends)
    assert shop.query_refund(f"R{payment_no}").value.state == "failed"
    assert shop.query(payment_no).value.refunded_minor == 0


def test_32_accepted_and_arrived(shop):
    shop.lever("account", refunds_wait=True)
    payment_no = shop.paid()
    shop.refund(payment_no)
    shop.lever("refund", refund_no=f"R{payment_no}", status="succeeded")
    assert shop.query_refund(f"R{payment_no}").value.state == "succeeded"


def test_35_the_leg_comes_back_before_the_guest_gets_all(shop):
    payment_no = shop.paid(1_000)
    request = shop.split_request(payment_no, 900)
    (leg,) = split(shop, request).value.legs
    back = shop.reversal_request(payment_no, leg, 900)
    assert query_reversal(shop, back) == Rejected(NOT_FOUND)
    assert reverse(shop, back).value.state == "succeeded"
    assert query_reversal(shop, back).value.amount_minor == 900
    assert isinstance(shop.refund(payment_no, minor=1_000), Done)


def test_35_a_receiver_that_is_short_leaves_it_to_people(shop):
    payment_no = shop.paid(1_000)
    (leg,) = split(shop, shop.split_request(payment_no, 900)).value.legs
    shop.lever("account", short=[shop.facts["destination"]])
    refused = reverse(shop, shop.reversal_request(payment_no, leg, 900))
    assert (refused.code, refused.retryable) == ("balance_insufficient", True)


def test_35_more_than_the_leg_does_not_come_back(shop):
    payment_no = shop.paid(1_000)
    (leg,) = split(shop, shop.split_request(payment_no, 900)).value.legs
    assert isinstance(reverse(shop, shop.reversal_request(payment_no, leg, 500)), Done)
    refused = reverse(shop, shop.reversal_request(payment_no, leg, 500, f"V{payment_no}-2"))
    assert refused.code == "amount_too_large"


def test_36_before_the_money_came_nothing_is_divided(shop):
    payment_no = number()
    shop.create(payment_no)
    refused = split(shop, shop.split_request(payment_no, 700))
    assert (refused.code, refused.retryable) == ("not_captured", True)


def test_36_more_than_the_payment_is_not_divided(shop):
    payment_no = shop.paid(1_000)
    assert split(shop, shop.split_request(payment_no, 600, 401)).code == "over_payment"
    assert not shop.truth()["transfers"]


def test_36_a_division_repeated_is_one(shop):
    payment_no = shop.paid(1_000)
    request = shop.split_request(payment_no, 600, 300)
    first = split(shop, request)
    assert first.value.state == "succeeded"
    assert split(shop, request) == first
    shop.levers("clock", advance=TWO_DAYS)
    assert split(shop, request) == first
    assert query_split(shop, request) == first
    assert [sent["amount"] for sent in shop.truth()["transfers"]] == [600, 300]


def test_36_a_leg_that_is_refused_says_so_and_the_other_is_paid(shop):
    payment_no = shop.paid(1_000)
    request = shop.split_request(payment_no, 600, 300)
    nobody = shop.split_request(payment_no, 600, 300, receiver="acct_nobody").legs[1]
    request = type(request)(request.split_no, payment_no, "", (request.legs[0], nobody))
    done = split(shop, request).value
    assert done.state == "failed"
    assert [(leg.state, leg.reason) for leg in done.legs] == [
        ("succeeded", ""),
        ("failed", "resource_missing"),
    ]
    seen = query_split(shop, request).value
    assert [leg.reason for leg in seen.legs] == ["", NOT_FOUND]


def test_36_a_payment_that_was_converted_is_refused_by_the_gateway(shop):
    payment_no = shop.paid(1_000, "EUR")
    done = split(shop, shop.split_request(payment_no, 600, currency="EUR")).value
    assert (done.state, done.legs[0].reason) == ("failed", "parameter_invalid")


@pytest.mark.parametrize("kind", ["timeout_done", "reset_done"])
def test_37_a_transfer_whose_answer_was_lost_is_not_made_twice(shop, kind):
    payment_no = shop.paid(1_000)
    request = shop.split_request(payment_no, 900)
    shop.fault(kind, TRANSFERS, method="POST")
    assert isinstance(split(shop, request), Unknown)
    assert query_split(shop, request).value.state == "succeeded"
    assert split(shop, request).value.state == "succeeded"
    assert len(shop.truth()["transfers"]) == 1


@pytest.mark.parametrize("kind", ["timeout_not_done", "reset"])
def test_37_a_transfer_that_never_arrived_is_not_found(shop, kind):
    payment_no = shop.paid(1_000)
    request = shop.split_request(payment_no, 900)
    shop.fault(kind, TRANSFERS, method="POST")
    assert isinstance(split(shop, request), Unknown)
    assert query_split(shop, request) == Rejected(NOT_FOUND)
    assert isinstance(split(shop, request), Done)


def test_37_a_reversal_whose_answer_was_lost_is_not_made_twice(shop):
    payment_no = shop.paid(1_000)
    (leg,) = split(shop, shop.split_request(payment_no, 900)).value.legs
    back = shop.reversal_request(payment_no, leg, 400)
    shop.fault("timeout_done", f"{TRANSFERS}/", method="POST")
    assert isinstance(reverse(shop, back), Unknown)
    assert reverse(shop, back).value.amount_minor == 400
    assert len(shop.truth()["reversals"]) == 1
