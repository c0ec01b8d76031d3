"""Alipay: opening, asking and closing payments, against a peer in its own process."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from time import monotonic
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.kernel.money import Money
from diandian.payments.gateway import Gateway, gateways
from diandian.payments.gateways.alipay import answers, client
from diandian.payments.gateways.alipay.gateway import GATEWAY
from diandian.payments.lines import AT_REST
from diandian.payments.messages import NOT_FOUND, Done, Rejected, Unknown
from tests.payments.gateways import alipay_kit
from tests.payments.gateways.alipay_kit import LIFE, number

pytestmark = pytest.mark.pure
shop = alipay_kit.shop
QUERY, CLOSE, PRECREATE = "alipay.trade.query", "alipay.trade.close", "alipay.trade.precreate"


def is_not_found(outcome):
    return isinstance(outcome, Rejected) and outcome.code == NOT_FOUND


def test_it_keeps_the_contract():
    assert gateways()["alipay"] is GATEWAY
    assert isinstance(GATEWAY, Gateway)
    assert "https://openapi.alipay.com" in GATEWAY.pay_origins


def test_a_code_goes_from_made_to_succeeded(shop):
    payment_no = number()
    made = shop.create(payment_no)
    assert isinstance(made, Done), made
    assert made.value.kind == "qr"
    assert made.value.text.startswith("https://qr.alipay.com/")
    assert is_not_found(shop.query(payment_no))
    shop.lever("pay", number=payment_no, how="scan")
    assert shop.query(payment_no).value.state == "pending"
    shop.lever("pay", number=payment_no)
    snapshot = shop.query(payment_no).value
    assert (snapshot.state, snapshot.amount_minor, snapshot.currency) == ("succeeded", 804, "CNY")
    assert (snapshot.payment_no, snapshot.merchant) == (payment_no, shop.facts["app_id"])
    assert (snapshot.paid_at, snapshot.mode) == (shop.now, "test")
    assert snapshot.gateway_ref == shop.truth(payment_no)["trade_no"]


@pytest.mark.parametrize("flow", ["wap", "page"])
def test_a_page_is_taken_by_the_gateway_and_says_when_it_ends(shop, flow):
    payment_no = number()
    made = shop.create(payment_no, flow=flow, is_split=True)
    assert isinstance(made, Done), made
    assert made.value.kind == "redirect"
    status, text = shop.visit(made.value.url)
    assert (status, text) == (200, f"804 fen, {payment_no}")
    form = parse_qs(urlsplit(made.value.url).query)
    ends = answers.stamp(shop.now + LIFE)
    assert f'"time_expire":"{ends}"' in form["biz_content"][0]
    assert form["timestamp"] == [answers.stamp(shop.now)]
    assert form["notify_url"] == ["https://shop.example/api/v1/notifications/alipay/own"]
    shop.lever("pay", number=payment_no)
    assert shop.differs(payment_no) == ()
    assert shop.truth(payment_no)["is_frozen"] is True


def test_stamps_are_chinese_time_whatever_the_machine_says(shop):
    program = (
        "from datetime import UTC, datetime;"
        "from diandian.payments.gateways.alipay import answers;"
        "print(answers.stamp(datetime(2026, 11, 22, 17, 30, tzinfo=UTC)))"
    )
    for zone in ("UTC", "America/New_York"):
        done = subprocess.run(
            [sys.executable, "-c", program], env={"TZ": zone}, capture_output=True, check=True
        )
        assert done.stdout.decode().strip() == "2026-11-23 01:30:00"


def test_the_vendors_library_is_loaded_only_by_use():
    program = (
        "import sys; import diandian.payments.gateways.alipay.gateway;"
        "print([m for m in ('alipay', 'Cryptodome', 'urllib3', 'django') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"


def test_a_late_or_odd_wish_is_refused_without_a_call(shop):
    assert shop.create(expires_at=shop.now) == Rejected("expired")
    assert shop.create(flow="carrier_pigeon") == Rejected("flow_unknown")
    assert shop.truth()["links"] == 0


def test_creation_repeated_is_the_same_payment(shop):
    payment_no = number()
    first = shop.create(payment_no)
    assert shop.create(payment_no) == first
    assert shop.truth()["links"] == 1


def test_an_answer_with_braces_in_a_text_is_believed(shop):
    payment_no = shop.paid()
    shop.fault("altered", QUERY, facts={"store_name": '}}{ "}", "sign":"x" {'})
    assert shop.query(payment_no).value.state == "succeeded"


# -- rows of the fault table ----------------------------------------------------------------------


@pytest.mark.parametrize("total", [803, 805])
def test_13_a_fen_more_or_less_is_a_difference(shop, total):
    payment_no = shop.paid()
    shop.lever("trade", number=payment_no, total=total)
    assert shop.differs(payment_no) == ("amount",)


def test_13_the_total_counts_and_not_what_came_after_a_coupon(shop):
    payment_no = shop.paid()
    shop.fault("altered", QUERY, facts={"receipt_amount": "5.00", "buyer_pay_amount": "0.00"})
    assert shop.differs(payment_no) == ()


def test_14_another_currency_is_a_difference(shop):
    payment_no = shop.paid()
    shop.fault("altered", QUERY, facts={"trans_currency": "HKD"})
    assert shop.differs(payment_no) == ("currency",)


@given(st.integers(min_value=1, max_value=10**10))
def test_14_fen_become_yuan_and_come_back(minor):
    text = answers.yuan(Money(minor, "CNY"))
    assert answers.signed_minor(text) == minor
    assert Decimal(text).as_tuple().exponent == -2


@pytest.mark.parametrize(
    "value", ["8.041", "1e3", "8,04", "", "NaN", "٨.٠٤", " 8.04", None, True, 8.04, 10**13, [], {}]
)
def test_14_what_is_no_amount_is_not_read_as_one(value):
    with pytest.raises(answers.MalformedError):
        answers.signed_minor(value)


def test_15_another_payment_in_the_answer_is_a_difference(shop):
    payment_no, other = shop.paid(), shop.paid()
    shop.fault("altered", QUERY, facts={"out_trade_no": other})
    assert "payment_no" in shop.differs(payment_no)


def test_15_live_and_test_never_share_a_host(shop):
    live = replace(shop.context, mode="live")
    assert client.base_url(live) == "https://openapi.alipay.com"
    test = replace(shop.context, options={})
    assert client.base_url(test) == "https://openapi-sandbox.dl.alipaydev.com"


@pytest.mark.parametrize(
    ("mode", "url", "allowed"),
    [
        ("test", "https://peer.example", True),
        ("test", "http://peer.example", False),
        ("test", "http://127.0.0.1:9", True),
        ("test", "http://127.0.0.1@evil.example", False),
        ("test", "https://peer.example/path", False),
        ("live", "https://peer.example", False),
    ],
)
def test_15_another_address_is_taken_only_where_it_is_allowed(shop, mode, url, allowed):
    options = {"base_url": url}
    context = replace(shop.context, mode=mode, options=options)
    assert (client.base_url(context) == url) is allowed
    spoken = replace(context, mode="live", options={**options, "allow_base_url": "yes"})
    assert (client.base_url(spoken) == url) is (allowed or mode == "live")


def test_17_a_wrong_clock_is_refused_by_the_gateway_and_nothing_is_believed(shop):
    payment_no = shop.paid()
    ahead = shop.now + timedelta(hours=8)
    assert GATEWAY.query_payment(shop.context, payment_no, at=ahead) == Unknown(
        "the answer is not signed"
    )


def test_18_creation_that_was_done_and_not_answered_goes_on(shop):
    payment_no = number()
    shop.fault("timeout_done", PRECREATE, seconds=2)
    assert isinstance(shop.create(payment_no), Unknown)
    assert isinstance(shop.create(payment_no), Done)
    shop.lever("pay", number=payment_no)
    assert shop.differs(payment_no) == ()
    assert shop.truth()["links"] == 1


def test_19_creation_that_was_not_done_is_not_found_and_sent_again(shop):
    payment_no = number()
    shop.fault("timeout_not_done", PRECREATE, seconds=2)
    assert isinstance(shop.create(payment_no), Unknown)
    assert is_not_found(shop.query(payment_no))
    assert isinstance(shop.create(payment_no), Done)


def test_22_close_says_closed_paid_or_unknown(shop):
    payment_no = number()
    shop.create(payment_no)
    shop.lever("pay", number=payment_no, how="scan")
    shop.fault("timeout_not_done", CLOSE, seconds=2)
    assert isinstance(shop.close(payment_no), Unknown)
    assert shop.close(payment_no) == Done("closed")
    assert shop.close(payment_no) == Done("closed")
    assert shop.query(payment_no).value.state == "closed"
    assert shop.close(shop.paid()) == Done("already_paid")


def test_22_a_close_that_lost_a_race_says_paid(shop):
    payment_no = shop.paid()
    shop.fault("timeout_not_done", QUERY, seconds=2)
    assert isinstance(shop.close(payment_no), Unknown)


def test_23_no_trade_is_not_closed_while_the_way_to_pay_lives(shop):
    payment_no = number()
    shop.create(payment_no)
    assert shop.close(payment_no) == Done("not_found_yet")
    assert is_not_found(shop.query(payment_no))
    shop.lever("pay", number=payment_no)
    assert shop.differs(payment_no) == ()


def test_24_what_was_not_paid_in_time_is_closed_there(shop):
    payment_no = number()
    shop.create(payment_no)
    shop.lever("pay", number=payment_no, how="scan")
    shop.levers("clock", advance=int(LIFE.total_seconds()))
    assert shop.query(payment_no).value.state == "closed"


def test_11_a_late_success_shows(shop):
    payment_no = number()
    shop.create(payment_no)
    shop.lever("pay", number=payment_no, how="scan")
    shop.close(payment_no)
    shop.lever("pay", number=payment_no, how="late")
    assert shop.query(payment_no).value.state == "succeeded"


@pytest.mark.parametrize("kind", ["wrong_signature", "unsigned", "other_key", "html"])
def test_09_an_answer_that_is_not_signed_is_not_believed(shop, kind):
    payment_no = shop.paid()
    for path, call in ((QUERY, shop.query), (CLOSE, shop.close)):
        shop.fault(kind, path)
        assert isinstance(call(payment_no), Unknown)


def test_09_an_unsigned_refusal_counts_only_where_nothing_can_be_lost(shop):
    payment_no = shop.paid()
    said = {"code": "40002", "msg": "x", "sub_code": "isv.invalid-app-id"}
    shop.fault("error_response", QUERY, facts=said)
    assert isinstance(shop.query(payment_no), Unknown)
    shop.fault("error_response", PRECREATE, facts=said)
    refused = shop.create()
    assert isinstance(refused, Rejected)
    assert refused.retryable


def test_40_our_keys_overlap_while_one_replaces_the_other(shop):
    payment_no = shop.paid()
    shop.with_options(app_private_key_2=shop.key("ours_2"))
    assert shop.query(payment_no).value.state == "succeeded"
    shop.lever("key", what="ours", place=1)
    assert shop.query(payment_no).value.state == "succeeded"
    # The key that the gateway takes now signs pages too: those get no answer to learn from.
    opened = shop.create(flow="page").value
    assert shop.visit(opened.url)[0] == 200


def test_40_their_keys_overlap_while_one_replaces_the_other(shop):
    payment_no = shop.paid()
    shop.lever("key", what="theirs", place=1)
    assert isinstance(shop.query(payment_no), Unknown)
    shop.with_options(alipay_public_key_2=shop.key("theirs_2"))
    assert shop.query(payment_no).value.state == "succeeded"
    shop.lever("key", what="theirs", place=0)
    assert shop.query(payment_no).value.state == "succeeded"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_41_a_storm_of_errors_rests_the_line(shop, status):
    payment_no = shop.paid()
    shop.fault("status", count=5, status=status)
    for _ in range(5):
        assert shop.query_on_line(payment_no) == Unknown(f"status {status}")
    assert shop.query_on_line(payment_no) == Unknown(AT_REST)
    shop.levers("clock", advance=21)
    assert shop.query_on_line(payment_no).value.state == "succeeded"


@pytest.mark.parametrize("kind", ["slow", "drip", "half_closed", "reset_done", "timeout_done"])
def test_41_what_is_slow_or_breaks_off_is_unknown_in_time(shop, kind):
    payment_no = shop.paid()
    seconds = 0.3 if kind == "drip" else 2
    shop.fault(kind, QUERY, seconds=seconds)
    begun = monotonic()
    assert isinstance(shop.query(payment_no), Unknown)
    assert monotonic() - begun < 5


def test_41_nobody_listening_is_certainly_not_done(shop):
    shop.with_options(base_url="http://127.0.0.1:1")
    refused = shop.create()
    assert isinstance(refused, Rejected)
    assert refused.retryable


@pytest.mark.parametrize(
    ("minor", "currency"), [(0, "CNY"), (10**10 + 1, "CNY"), (804, "USD"), (804, "HKD")]
)
def test_48_what_is_out_of_range_is_not_asked_for(shop, minor, currency):
    assert shop.create(minor=minor, currency=currency) == Rejected("amount_out_of_range")


def test_48_a_single_fen_can_be_paid(shop):
    assert shop.differs(shop.paid(1), 1) == ()


def test_a_stamp_without_a_zone_is_chinese_time():
    there = answers.instant({"at": "2026-11-23 01:30:00"}, "at")
    assert there == datetime(2026, 11, 22, 17, 30, tzinfo=UTC)
