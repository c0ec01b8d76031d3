"""The peer refuses what WeChat Pay refuses; a peer that takes everything would prove nothing."""

import base64
import http.server
import json
import threading
from datetime import timedelta

import pytest
import urllib3
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from diandian.payments import carrier
from diandian.payments.gateways.wechatpay import account, signatures
from diandian.payments.messages import Done
from tests.peers.wechatpay import fixture
from tests.peers.wechatpay.desk import NOW, OPENID, new_no, sit_down
from tests.peers.wechatpay.fixture import APP, MERCHANT, SUB_MERCHANT

pytestmark = pytest.mark.pure

wechatpay_peer = fixture.wechatpay_peer
CREATE = "/v3/pay/transactions/native"


@pytest.fixture
def desk(wechatpay_peer, tmp_path):
    return sit_down(wechatpay_peer, tmp_path)


@pytest.fixture
def say(desk):
    """Send any request with a right signature; return status and code."""
    ours = account.read(desk.context)
    pool = urllib3.PoolManager()

    def send(path, facts, *, at=NOW, drop=(), change=lambda body: body):
        body = json.dumps(facts) if facts is not None else ""
        verb = "GET" if facts is None else "POST"
        headers = {
            "Authorization": signatures.authorization(ours, verb, path, body, at),
            "Accept": "application/json",
            "User-Agent": "test",
        }
        for name in drop:
            # urllib3 fills in a User-Agent of its own where there is none.
            headers[name] = urllib3.util.SKIP_HEADER if name == "User-Agent" else ""
        answer = pool.request(verb, desk.peer.base + path, body=change(body), headers=headers)
        return answer.status, json.loads(answer.data or b"{}").get("code")

    yield send
    pool.clear()


def order(**changes):
    return {
        "appid": APP,
        "mchid": MERCHANT,
        "description": "Diandian 124 kg",
        "out_trade_no": new_no(),
        "notify_url": "https://shop.example/notices",
        "amount": {"total": 804, "currency": "CNY"},
        "time_expire": (NOW + timedelta(minutes=10)).isoformat(),
    } | changes


def test_a_right_order_is_taken(say):
    assert say(CREATE, order()) == (200, None)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"at": NOW - timedelta(seconds=301)}, (401, "SIGN_ERROR")),
        ({"at": NOW + timedelta(seconds=301)}, (401, "SIGN_ERROR")),
        ({"change": lambda body: body + " "}, (401, "SIGN_ERROR")),
        ({"drop": ["Authorization"]}, (401, "SIGN_ERROR")),
        ({"drop": ["Accept"]}, (400, "INVALID_REQUEST")),
        ({"drop": ["User-Agent"]}, (400, "INVALID_REQUEST")),
    ],
)
def test_it_refuses_whom_it_cannot_know(say, arguments, expected):
    assert say(CREATE, order(), **arguments) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"amount": {"total": 0, "currency": "CNY"}}, (400, "PARAM_ERROR")),
        ({"amount": {"total": "804", "currency": "CNY"}}, (400, "PARAM_ERROR")),
        ({"amount": {"total": 8.04, "currency": "CNY"}}, (400, "PARAM_ERROR")),
        ({"amount": {"total": True, "currency": "CNY"}}, (400, "PARAM_ERROR")),
        ({"amount": {"total": 804, "currency": "USD"}}, (400, "PARAM_ERROR")),
        ({"amount": None}, (400, "PARAM_ERROR")),
        ({"out_trade_no": "short"}, (400, "PARAM_ERROR")),
        ({"out_trade_no": "x" * 33}, (400, "PARAM_ERROR")),
        ({"out_trade_no": "with space"}, (400, "PARAM_ERROR")),
        ({"description": "x" * 128}, (400, "PARAM_ERROR")),
        ({"notify_url": "http://shop.example/notices"}, (400, "PARAM_ERROR")),
        ({"notify_url": "https://shop.example/notices?a=1"}, (400, "PARAM_ERROR")),
        ({"time_expire": NOW.isoformat()}, (400, "INVALID_REQUEST")),
        ({"time_expire": "2026-11-28T12:30:00"}, (400, "INVALID_REQUEST")),
        ({"appid": "wxother"}, (400, "APPID_MCHID_NOT_MATCH")),
        ({"mchid": "1900000002"}, (400, "MCH_NOT_EXISTS")),
    ],
)
def test_it_refuses_orders_of_another_form(say, changes, expected):
    assert say(CREATE, order(**changes)) == expected


def test_it_refuses_a_guest_whom_it_does_not_know(say):
    assert say("/v3/pay/transactions/jsapi", order()) == (400, "PARAM_ERROR")
    assert say("/v3/pay/transactions/h5", order()) == (400, "PARAM_ERROR")
    scene = {"payer_client_ip": "nowhere", "h5_info": {"type": "Wap"}}
    assert say("/v3/pay/transactions/h5", order(scene_info=scene)) == (400, "PARAM_ERROR")


def test_it_refuses_a_sub_merchant_of_somebody_else(say):
    facts = order() | {"sp_appid": APP, "sp_mchid": MERCHANT, "sub_mchid": "1900000888"}
    assert say("/v3/pay/partner/transactions/native", facts) == (403, "NO_AUTH")
    facts["sub_mchid"] = SUB_MERCHANT
    assert say("/v3/pay/partner/transactions/native", facts) == (200, None)


def test_it_refuses_a_number_again_with_other_facts(say):
    first = order()
    assert say(CREATE, first) == (200, None)
    assert say(CREATE, first) == (200, None)
    other = first | {"amount": {"total": 805, "currency": "CNY"}}
    assert say(CREATE, other) == (400, "INVALID_REQUEST")


def test_it_refuses_a_refund_number_again_with_another_amount(desk):
    number, _ = desk.paid()
    refund_no, _ = desk.refund(number, 100)
    desk.later(seconds=61)
    assert desk.refund(number, 101, refund_no=refund_no)[1].code == "INVALID_REQUEST"


def test_it_refuses_a_refund_after_a_year(desk):
    number, _ = desk.paid()
    desk.later(days=366)
    assert desk.refund(number, 100)[1].code == "INVALID_REQUEST"


def test_nobody_pays_past_the_deadline(desk):
    number = desk.opened()
    desk.later(minutes=11)
    with pytest.raises(OSError, match="409"):
        desk.pay(number)


def test_its_truth_can_be_read(desk):
    number, reference = desk.paid()
    (payment,) = desk.truth("payments")
    assert payment == {
        "out_trade_no": number,
        "mchid": MERCHANT,
        "sub_mchid": "",
        "state": "SUCCESS",
        "total": 804,
        "fee": 5,
        "transaction_id": reference,
        "paid": int(NOW.timestamp()),
    }
    assert desk.truth("disputes") == []


def test_it_sends_again_until_it_is_heard(desk):
    got, answers = [], [500, 400, 204]

    class Shop(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(desk.hear({"headers": dict(self.headers), "body": body.decode()}))
            self.send_response(answers[len(got) - 1])
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Shop) as shop:
        thread = threading.Thread(target=shop.serve_forever)
        thread.start()
        number, _ = desk.paid()
        url = f"http://127.0.0.1:{shop.server_address[1]}/notices"
        facts = {"mchid": MERCHANT, "out_trade_no": number, "url": url, "most": 5}
        said = desk.peer.control("deliver", **facts)
        shop.shutdown()
        thread.join()
    assert said == {"statuses": [500, 400, 204]}
    assert len({heard.notice_id for heard in got}) == 1
    assert {heard.payment_no for heard in got} == {number}


def test_what_the_page_hands_to_wechat_is_signed_by_us(desk):
    found = desk.create(desk.request(flow="jsapi", payer=OPENID)).value.parameters
    lines = (found["appId"], found["timeStamp"], found["nonceStr"], found["package"])
    text = "".join(f"{line}\n" for line in lines).encode()
    key = account.private_key(desk.peer.private_pem).public_key()
    signature = base64.b64decode(found["paySign"])
    key.verify(signature, text, PKCS1v15(), SHA256())
    with pytest.raises(InvalidSignature):
        key.verify(signature, text + b" ", PKCS1v15(), SHA256())


def test_one_connection_serves_many_calls(desk, monkeypatch):
    number = desk.opened()
    connect, made = carrier._connected, []
    monkeypatch.setattr(carrier, "_connected", lambda *about: made.append(about) or connect(*about))
    for _ in range(10):
        assert isinstance(desk.query(number), Done)
    desk.refund(number, 1)
    assert len(made) <= 1
