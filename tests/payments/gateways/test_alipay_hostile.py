"""Alipay: nothing that the other side sends breaks a method, and none of it is believed blindly."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from diandian.kernel.clock import business_day
from diandian.payments.gateways.alipay import answers
from diandian.payments.gateways.alipay.gateway import GATEWAY
from diandian.payments.messages import NOT_FOUND, Done, Finding, Pending, Rejected, Unknown
from tests.payments.gateways import alipay_kit

pytestmark = [pytest.mark.pure, pytest.mark.slow]
shop = alipay_kit.shop
OUTCOMES = Done | Pending | Rejected | Unknown
METHODS = {
    "create": "alipay.trade.precreate",
    "query": "alipay.trade.query",
    "close": "alipay.trade.close",
    "refund": "alipay.trade.refund",
    "query_refund": "alipay.trade.fastpay.refund.query",
    "split": "alipay.trade.order.settle",
    "query_split": "alipay.trade.order.settle.query",
    "reverse": "alipay.trade.refund",
    "query_reversal": "alipay.trade.order.settle.query",
    "statement": "alipay.data.",
}
EXAMPLES = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
_PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.just(10**400)
_JSON = st.recursive(
    _PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["code", "sub_code", "trade_status", "total_amount", "trade_no"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=8,
)
_FACTS = st.dictionaries(
    st.sampled_from(
        [
            "code",
            "sub_code",
            "sub_msg",
            "trade_no",
            "out_trade_no",
            "total_amount",
            "trade_status",
            "send_pay_date",
            "refund_fee",
            "fund_change",
            "refund_status",
            "refund_amount",
            "out_request_no",
            "royalty_detail_list",
            "bill_download_url",
            "qr_code",
            "trans_currency",
        ]
    ),
    _JSON | st.sampled_from(["10000", "40004", "20000", "TRADE_SUCCESS", "8.04", "Y", "ü" * 300]),
    max_size=6,
)
_BODIES = _JSON.map(json.dumps) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1"))


def calls_of(shop, payment_no):
    """Every method that asks the gateway something."""
    split, reversal = shop.split_request(payment_no), shop.reversal_request(payment_no)
    day = business_day(shop.now) - timedelta(days=2)
    return {
        "create": shop.create,
        "query": lambda: shop.query(payment_no),
        "close": lambda: shop.close(payment_no),
        "refund": lambda: shop.refund(payment_no),
        "query_refund": lambda: shop.query_refund(f"R{payment_no}"),
        "split": lambda: shop.split(split),
        "query_split": lambda: shop.query_split(split),
        "reverse": lambda: shop.reverse(reversal),
        "query_reversal": lambda: shop.query_reversal(reversal),
        "statement": lambda: shop.statement(day),
    }


def rest(shop):
    """Let the line forget its faults, and the peer what was left of them."""
    shop.levers("calm")
    shop.levers("clock", advance=30)


@pytest.mark.parametrize("name", METHODS)
@EXAMPLES
@given(body=_BODIES)
@example(body="[" * 100_000)
@example(body='{"a":' * 50_000)
@example(body="<html>no</html>")
@example(body='{"alipay_trade_query_response":{},"sign":""}')
@example(body='{"error_response":null}')
@example(body="\xff\xfe{}")
@example(body='{"sign":"' + "A" * 100_000 + '"}')
def test_42_no_body_breaks_a_method(shop, name, body):
    rest(shop)
    shop.fault("raw", body=body, count=3)
    outcome = calls_of(shop, "DD26112200000000000000ZZ")[name]()
    assert isinstance(outcome, Rejected | Unknown)
    # Nobody signed it: it is never a certain no, unless nothing could be lost by it.
    assert isinstance(outcome, Unknown) or outcome.retryable


@pytest.mark.parametrize("name", METHODS)
@EXAMPLES
@given(facts=_FACTS)
def test_42_no_signed_facts_break_a_method(shop, name, facts):
    rest(shop)
    payment_no = shop.paid()
    shop.fault("altered", METHODS[name], facts=facts)
    assert isinstance(calls_of(shop, payment_no)[name](), OUTCOMES)


@pytest.mark.parametrize(
    "code", ["20000", "10003", "40004", "99999", "", None, 10_000, True, "10000 "]
)
def test_42_only_the_right_code_is_a_yes(shop, code):
    payment_no = shop.paid()
    shop.fault("altered", "alipay.trade.refund", facts={"code": code})
    assert not isinstance(shop.refund(payment_no), Done)


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"code": "20000", "sub_code": "isp.unknow-error"}, Unknown),
        ({"code": "40004", "sub_code": "ACQ.SYSTEM_ERROR"}, Unknown),
        ({"code": "40004", "sub_code": "aop.ACQ.SYSTEM_ERROR"}, Unknown),
        ({"code": "40004", "sub_code": "ACQ.REASON_TRADE_REFUND_FEE_ERR"}, Rejected),
        ({"code": "40006", "sub_code": "isv.insufficient-isv-permissions"}, Rejected),
        ({"code": "20001", "sub_code": "aop.invalid-app-auth-token"}, Rejected),
        ({"code": "40005", "sub_code": "isv.app-call-limited"}, Rejected),
    ],
)
def test_41_a_signed_no_is_a_no_and_their_own_errors_are_not(shop, facts, kind):
    shop.fault("altered", "alipay.trade.refund", facts=facts)
    assert isinstance(shop.refund(shop.paid()), kind)


def test_42_a_refused_question_says_nothing_about_the_payment(shop):
    payment_no = shop.paid()
    refused = {"code": "40004", "sub_code": "ACQ.INVALID_PARAMETER"}
    shop.fault("altered", "alipay.trade.query", facts=refused)
    assert isinstance(shop.query(payment_no), Unknown)
    outcome = shop.query("DD26112200000000000000ZZ")
    assert isinstance(outcome, Rejected)
    assert outcome.code == NOT_FOUND


def test_41_an_endless_answer_ends(shop):
    payment_no = shop.paid()
    shop.fault("raw", body="x" * 1_000, times=3_000)
    assert isinstance(shop.query(payment_no), Unknown)


@pytest.mark.parametrize(
    "url", ["https://evil.example/x", "ftp://x.alipay.com/", "http://x.alipay.com/", "", 7, None]
)
def test_42_a_file_is_fetched_only_from_the_gateway(shop, url):
    shop.paid()
    shop.levers("clock", advance=2 * 86_400)
    shop.fault("altered", "alipay.data.", facts={"code": "10000", "bill_download_url": url})
    day = business_day(shop.now) - timedelta(days=2)
    assert isinstance(shop.statement(day), Unknown)


@pytest.mark.parametrize("qr_code", ["javascript:alert(1)//", "https://qr.alipay.com/\n", "", 7])
def test_42_a_code_is_a_text_that_can_be_shown(shop, qr_code):
    shop.fault("altered", "alipay.trade.precreate", facts={"qr_code": qr_code})
    outcome = shop.create()
    assert isinstance(outcome, Unknown)


def test_a_trial_of_a_hostile_gateway_ends_in_findings(shop):
    for body in ("", "[" * 50_000, "<html>", '{"sign":1}'):
        rest(shop)
        shop.fault("raw", path="", body=body, count=9)
        found = GATEWAY.check(shop.context, notify_url="https://x.example/n", at=shop.now)
        assert all(isinstance(each, Finding) for each in found)
        assert not all(each.is_fine for each in found)


# -- the reading of signed text -------------------------------------------------------------------


@given(
    node=st.dictionaries(st.text(max_size=6), _PLAIN | st.text(alphabet='{}"\\,:', max_size=12)),
    tail=st.text(alphabet='{}"\\ab', max_size=12),
)
def test_the_signed_text_is_found_whatever_stands_in_it(node, tail):
    node = {name: value for name, value in node.items() if value != 10**400}
    raw = json.dumps(node, ensure_ascii=False)
    text = f'{{ "x_response" : {raw} , "sign": {json.dumps(tail)} }}'
    found = answers.parts(text)
    assert found["x_response"].raw == raw
    assert found["sign"].value == tail


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}x",
        '{"a":1,}',
        '{"a":1,"a":2}',
        '{"a":{"b":1,"b":2}}',
        '{"a":NaN}',
        "{1:2}",
        '{"a" 1}',
        '{"a":' + "9" * 5_000 + "}",
    ],
)
def test_what_could_be_read_in_two_ways_is_not_read(text):
    with pytest.raises(answers.MalformedError):
        answers.parts(text)


def test_numbers_with_a_point_are_exact():
    assert answers.parts('{"a":0.10}')["a"].value == Decimal("0.10")
