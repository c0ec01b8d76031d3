"""The peer against clients that we did not write: they understand it, and reject what it forges."""

import json

import pytest

from tests.peers.wechatpay import fixture, node_client
from tests.peers.wechatpay.desk import new_no
from tests.peers.wechatpay.fixture import API_KEY, APP, MERCHANT, SERIAL

pytestmark = pytest.mark.pure

wechatpay_peer = fixture.wechatpay_peer
FORGED = ["signature", "other_key", "tampered", "empty"]


@pytest.fixture
def peer(wechatpay_peer):
    """Clients of others read the clock of the machine."""
    wechatpay_peer.control("clock", now=None)
    return wechatpay_peer


@pytest.fixture
def library(peer):
    """The Python library by itself, with its own core."""
    from wechatpayv3 import WeChatPay, WeChatPayType

    found = WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE,
        mchid=MERCHANT,
        private_key=peer.private_pem,
        cert_serial_no=SERIAL,
        appid=APP,
        apiv3_key=API_KEY,
        notify_url="https://shop.example/notices",
        timeout=(5, 15),
        public_key=peer.keys[0]["public_key"],
        public_key_id=peer.keys[0]["id"],
    )
    found._core._gate_way = peer.base
    return found


def pay(library, number, **changes):
    facts = {
        "description": "点点 124 kg",
        "out_trade_no": number,
        "amount": {"total": 804, "currency": "CNY"},
    }
    return library.pay(**facts | changes)


def test_the_python_library_pays_asks_refunds_and_closes(peer, library):
    number = new_no("PY")
    status, said = pay(library, number)
    assert status == 200
    assert json.loads(said)["code_url"].startswith("weixin://")
    assert json.loads(library.query(out_trade_no=number)[1])["trade_state"] == "NOTPAY"
    notice = peer.control("pay", mchid=MERCHANT, out_trade_no=number)["notice"]
    heard = library.callback(notice["headers"], notice["body"])
    assert heard["resource"]["out_trade_no"] == number
    paid = json.loads(library.query(out_trade_no=number)[1])
    assert (paid["trade_state"], paid["amount"]["total"]) == ("SUCCESS", 804)
    money = {"refund": 100, "total": 804, "currency": "CNY"}
    status, said = library.refund(out_refund_no=new_no("RF"), out_trade_no=number, amount=money)
    assert (status, json.loads(said)["status"]) == (200, "PROCESSING")
    other = new_no("PY")
    pay(library, other)
    assert library.close(other)[0] == 204
    assert library.query(out_trade_no="NOBODYKNOWS")[0] == 404


def test_the_python_library_takes_all_three_flows(library):
    from wechatpayv3 import WeChatPayType

    scene = {"payer_client_ip": "192.0.2.7", "h5_info": {"type": "Wap"}}
    h5 = pay(library, new_no("PY"), pay_type=WeChatPayType.H5, scene_info=scene)
    assert "h5_url" in json.loads(h5[1])
    jsapi = pay(library, new_no("PY"), pay_type=WeChatPayType.JSAPI, payer={"openid": "oUpF8uMu"})
    assert "prepay_id" in json.loads(jsapi[1])


@pytest.mark.parametrize("kind", FORGED)
def test_the_python_library_rejects_forged_answers(peer, library, kind):
    number = new_no("PY")
    pay(library, number)
    peer.fault("/v3/pay", kind)
    with pytest.raises(Exception, match="verify the signature"):
        library.query(out_trade_no=number)


@pytest.mark.parametrize("forged", ["signature", "body", "other_key", "probe"])
def test_the_python_library_rejects_forged_notices(peer, library, forged):
    number = new_no("PY")
    pay(library, number)
    peer.control("pay", mchid=MERCHANT, out_trade_no=number)
    wishes = {"mchid": MERCHANT, "out_trade_no": number, "forged": forged}
    notice = peer.control("notice", **wishes)
    assert library.callback(notice["headers"], notice["body"]) is None


def test_what_the_python_library_leaves_open_is_why_we_check_ourselves(peer, library):
    """It believes a notice of an hour ago, and of another merchant."""
    number = new_no("PY")
    pay(library, number)
    peer.control("pay", mchid=MERCHANT, out_trade_no=number)
    wishes = {"mchid": MERCHANT, "out_trade_no": number}
    old = peer.control("notice", **wishes, shift_seconds=-3_600)
    assert library.callback(old["headers"], old["body"]) is not None
    foreign = peer.control("notice", **wishes, alter={"mchid": "1900000002"})
    assert library.callback(foreign["headers"], foreign["body"]) is not None


@pytest.mark.slow
def test_a_node_client_by_other_authors_has_a_day_at_the_peer(peer):
    node, reason = node_client.installed()
    if not node:
        pytest.skip(reason)
    number = new_no("NODE")
    faults = [*FORGED, "unsigned", "unknown_key", "stale"]
    seen = node_client.run(
        node,
        {
            "base": peer.base,
            "mchid": MERCHANT,
            "serial": SERIAL,
            "privateKey": peer.private_pem,
            "certs": {key["id"]: key["public_key"] for key in peer.keys},
            "apiKey": API_KEY,
            "app": APP,
            "number": number,
            "faults": faults,
        },
    )
    assert seen["code"].startswith("weixin://")
    assert (seen["before"], seen["refund"]) == ("NOTPAY", "PROCESSING")
    assert (seen["after"]["trade_state"], seen["after"]["amount"]["total"]) == ("SUCCESS", 804)
    assert seen["notice"]["out_trade_no"] == number
    assert seen["forgedNotice"] is None
    assert "believed" not in seen["refused"]
    assert len(seen["refused"]) == len(faults)
    assert seen["unknown"] == [404, "ORDER_NOT_EXIST"]
