"""Whatever comes from the other side, WeChat Pay's adapter answers in words: it never raises."""

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diandian.kernel.money import Money
from diandian.payments.gateways.wechatpay import account, answers, notices, orders, splits
from diandian.payments.gateways.wechatpay.client import Reply
from diandian.payments.messages import (
    Done,
    Instruction,
    NoticeRefused,
    Rejected,
    Unknown,
    VerifiedNotice,
)
from tests.peers.wechatpay import fixture, signing
from tests.peers.wechatpay.desk import NOW, OPENID, sit_down
from tests.peers.wechatpay.fixture import API_KEY, MERCHANT

pytestmark = pytest.mark.pure

wechatpay_peer = fixture.wechatpay_peer
NUMBER = "DD261128ABCDEFGH"
OUTCOMES = (Done, Rejected, Unknown)
QUICK = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    max_examples=150,
)

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([NUMBER, "SUCCESS", "REFUND", "CNY", MERCHANT, "9" * 5_000, "\udc80", ""])
)
jsons = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)
NAMES = [
    "trade_state",
    "out_trade_no",
    "amount",
    "total",
    "currency",
    "mchid",
    "sp_mchid",
    "sub_mchid",
    "appid",
    "transaction_id",
    "success_time",
    "status",
    "out_refund_no",
    "refund",
    "code",
    "message",
    "state",
    "receivers",
    "out_order_no",
    "result",
    "prepay_id",
    "h5_url",
    "code_url",
    "id",
    "event_type",
    "create_time",
    "resource",
    "order_id",
]
nearly = st.recursive(
    leaves,
    lambda inner: st.dictionaries(st.sampled_from(NAMES), inner) | st.lists(inner, max_size=3),
    max_leaves=16,
)
bodies = (
    st.binary(max_size=200)
    | (jsons | nearly).map(lambda value: json.dumps(value).encode())
    | st.sampled_from([b"[" * 100_000, b"{" * 100_000, b'{"amount":' * 9_000, b"9" * 100_000])
)
statuses = st.integers(0, 999)


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    return account.read(fixture.running().context(tmp_path_factory.mktemp("keys")))


@pytest.fixture(scope="module")
def stranger():
    return signing.PlatformKey()


@pytest.fixture(scope="module")
def trusting(tmp_path_factory, stranger):
    """An account that believes a key which this test holds."""
    folder = tmp_path_factory.mktemp("keys")
    path = folder / "theirs.pem"
    path.write_text(stranger.public_pem(), encoding="utf-8")
    both = {"public_key_id": stranger.id, "public_key": f"file:{path}"}
    return account.read(fixture.running().context(folder, **both))


@QUICK
@given(statuses, bodies, st.booleans())
def test_42_any_answer_means_something(ours, status, body, is_signed):
    reply = Reply(status, body, is_signed=is_signed, fault="" if is_signed else "bad_signature")
    payment = answers.outcome(
        reply, lambda facts: answers.snapshot(ours, NUMBER, facts, reply.body)
    )
    refund = answers.outcome(reply, lambda facts: answers.refund_snapshot(NUMBER, facts))
    assert isinstance(payment, OUTCOMES)
    assert isinstance(refund, OUTCOMES)
    if not is_signed or status >= 500:
        assert isinstance(payment, Unknown)
        assert isinstance(refund, Unknown)


@QUICK
@given(bodies)
def test_42_any_split_means_something(desk_request, body):
    reply = Reply(200, body, is_signed=True)
    outcome = answers.outcome(reply, lambda facts: splits.snapshot(desk_request, facts))
    assert isinstance(outcome, (Done, Unknown))


@pytest.fixture(scope="module")
def desk_request(tmp_path_factory):
    desk = sit_down(fixture.running(), tmp_path_factory.mktemp("keys"))
    return desk.split_request(NUMBER, "4200", 80)


@QUICK
@given(st.sampled_from(["native", "h5", "jsapi"]), nearly)
def test_42_any_way_to_pay_is_checked(desk_requests, ours, flow, value):
    reply = Reply(200, json.dumps(value).encode(), is_signed=True)
    outcome = answers.outcome(
        reply, lambda facts: orders.instruction(ours, desk_requests[flow], facts, NOW)
    )
    assert isinstance(outcome, (Done, Unknown))
    if isinstance(outcome, Done):
        assert isinstance(outcome.value, Instruction)


@pytest.fixture(scope="module")
def desk_requests(tmp_path_factory):
    desk = sit_down(fixture.running(), tmp_path_factory.mktemp("keys"))
    return {flow: desk.request(flow=flow, payer=OPENID) for flow in ("native", "h5", "jsapi")}


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://wx.tenpay.com.evil.example/?a=1",
        "https://wx.tenpay.com@evil.example/?a=1",
        "http://wx.tenpay.com/?a=1",
        "//evil.example/?a=1",
        "https://[/?a=1",
        "https://wx.tenpay.com/no-question",
    ],
)
def test_a_guest_is_sent_nowhere_else(desk_requests, ours, url):
    reply = Reply(200, json.dumps({"h5_url": url}).encode(), is_signed=True)
    outcome = answers.outcome(
        reply, lambda facts: orders.instruction(ours, desk_requests["h5"], facts, NOW)
    )
    assert isinstance(outcome, Unknown)


@QUICK
@given(
    st.dictionaries(
        st.sampled_from(
            [f"Wechatpay-{name}" for name in ("Timestamp", "Nonce", "Signature", "Serial")]
        )
        | st.text(max_size=20),
        st.text(max_size=80),
    ),
    bodies,
)
def test_42_any_notice_is_refused_in_words(ours, headers, body):
    assert isinstance(notices.parse(ours, headers, body, NOW), NoticeRefused)


@QUICK
@given(bodies)
def test_42_a_rightly_signed_notice_of_rubbish_is_malformed(trusting, stranger, body):
    headers = signing.headers_for(stranger, body, int(NOW.timestamp()))
    heard = notices.parse(trusting, headers, body, NOW)
    assert heard == NoticeRefused("malformed")


@QUICK
@given(jsons | nearly, nearly)
def test_42_a_rightly_closed_notice_of_rubbish_is_refused(trusting, stranger, inner, outer):
    facts = outer if isinstance(outer, dict) else {}
    resource = signing.closed(API_KEY, inner, "transaction")
    body = json.dumps(facts | {"resource": resource}).encode()
    headers = signing.headers_for(stranger, body, int(NOW.timestamp()))
    heard = notices.parse(trusting, headers, body, NOW)
    assert isinstance(heard, (NoticeRefused, VerifiedNotice))


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "short"},
        {"nonce": "n" * 4_000},
        {"nonce": 12},
        {"ciphertext": "***"},
        {"ciphertext": ""},
        {"ciphertext": "AA=="},
        {"algorithm": "AEAD_SM4_GCM"},
        {"associated_data": "another"},
        {"associated_data": 5},
    ],
)
def test_42_a_notice_closed_in_a_wrong_way_is_refused(trusting, stranger, change):
    resource = signing.closed(API_KEY, {"mchid": MERCHANT}, "transaction") | change
    body = json.dumps({"id": "1", "event_type": "x", "resource": resource}).encode()
    headers = signing.headers_for(stranger, body, int(NOW.timestamp()))
    assert isinstance(notices.parse(trusting, headers, body, NOW), NoticeRefused)


def test_a_notice_that_is_too_long_is_not_even_verified(ours):
    body = b" " * (notices.LARGEST_NOTICE_BYTES + 1)
    assert notices.parse(ours, {}, body, NOW) == NoticeRefused("malformed")


@pytest.mark.parametrize(
    "body", ["", "null", "[]", '"text"', "{", "\ud800", '{"trade_state":1e999}', "{}" * 2]
)
def test_42_rightly_signed_rubbish_over_the_line(wechatpay_peer, tmp_path, body):
    desk = sit_down(wechatpay_peer, tmp_path)
    number, _ = desk.paid()
    desk.peer.fault("/v3/pay/transactions/out-trade-no", "garbage", body=body)
    assert isinstance(desk.query(number), Unknown)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=25,
)
@given(st.integers(1, 100_000_000))
def test_every_amount_comes_back_as_it_went_out(wechatpay_peer, tmp_path, amount_minor):
    desk = sit_down(wechatpay_peer, tmp_path)
    number, _ = desk.paid(amount=Money(amount_minor, "CNY"), expires_at=NOW + timedelta(minutes=5))
    found = desk.query(number).value
    assert (found.amount_minor, found.currency) == (amount_minor, "CNY")
    refund_no, outcome = desk.refund(number, amount_minor, total_minor=amount_minor)
    assert outcome.value.amount_minor == amount_minor
    assert desk.query_refund(refund_no).value.amount_minor == amount_minor
