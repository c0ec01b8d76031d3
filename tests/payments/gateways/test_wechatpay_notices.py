"""Notices of WeChat Pay: known key, signature, age, content, addressee, in this order."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from diandian.payments.messages import NoticeRefused, VerifiedNotice
from tests.peers.wechatpay import fixture
from tests.peers.wechatpay.desk import OPENID, sit_down
from tests.peers.wechatpay.fixture import API_KEY, MERCHANT, SUB_MERCHANT

pytestmark = pytest.mark.pure

wechatpay_peer = fixture.wechatpay_peer


@pytest.fixture
def desk(wechatpay_peer, tmp_path):
    return sit_down(wechatpay_peer, tmp_path)


@pytest.fixture
def number(desk):
    number = desk.opened(flow="jsapi", payer=OPENID)
    desk.pay(number)
    # A notice is judged without one outgoing call: each would meet this fault, and be counted.
    before = desk.peer.control("fault", clear=True)["hits"]
    desk.peer.fault("/v3", "status", status=500, times=1_000)
    yield number
    assert desk.peer.control("fault", clear=True)["hits"] == before


def test_a_payment_is_named(desk, number):
    heard = desk.hear(desk.notice(number, id="EV-1"))
    assert heard == VerifiedNotice(
        notice_id="EV-1",
        kind="TRANSACTION.SUCCESS",
        payment_no=number,
        occurred_at=desk.at,
        gateway_ref=desk.truth("payments")[0]["transaction_id"],
    )
    assert OPENID not in repr(heard)


def test_the_same_notice_keeps_its_id(desk, number):
    assert desk.hear(desk.notice(number, id="EV-1")) == desk.hear(desk.notice(number, id="EV-1"))


@pytest.mark.parametrize("status", ["SUCCESS", "ABNORMAL", "CLOSED"])
def test_a_refund_is_named(desk, status):
    number, _ = desk.paid()
    refund_no, _ = desk.refund(number, 804)
    desk.peer.control("refund", mchid=MERCHANT, out_refund_no=refund_no, status=status)
    heard = desk.hear(desk.peer.control("notice", mchid=MERCHANT, out_refund_no=refund_no))
    assert (heard.kind, heard.payment_no, heard.refund_no) == (
        f"REFUND.{status}",
        number,
        refund_no,
    )


def test_a_split_names_its_payment_by_the_gateways_number(wechatpay_peer, tmp_path):
    desk = sit_down(wechatpay_peer, tmp_path, SUB_MERCHANT, split_receiver_name="Diandian")
    number, reference = desk.paid(is_split=True)
    desk.later(seconds=61)
    request = desk.split_request(number, reference, 80)
    desk.split(request)
    notice = desk.peer.control("notice", mchid=MERCHANT, out_order_no=request.split_no)
    heard = desk.hear(notice)
    assert (heard.payment_no, heard.gateway_ref) == ("", reference)


@pytest.mark.parametrize(
    ("forged", "reason"),
    [
        ("signature", "bad_signature"),
        ("body", "bad_signature"),
        ("other_key", "bad_signature"),
        ("unknown_key", "unknown_key"),
        ("empty", "bad_signature"),
        ("not_base64", "bad_signature"),
        ("algorithm", "bad_signature"),
    ],
)
def test_09_forgeries_are_refused(desk, number, forged, reason):
    refused = desk.hear(desk.notice(number, forged=forged))
    assert refused == NoticeRefused(reason)
    assert desk.gateway.ack(refused).status == 401


@pytest.mark.parametrize("name", ["Timestamp", "Nonce", "Signature", "Serial"])
@pytest.mark.parametrize("value", ["", "garbage\x00", "\udc80", "9" * 5_000, "-1", "1e9"])
def test_09_headers_of_rubbish_are_refused(desk, number, name, value):
    heard = desk.hear(desk.notice(number), headers={f"Wechatpay-{name}": value})
    assert heard in {NoticeRefused("bad_signature"), NoticeRefused("unknown_key")}


@pytest.mark.parametrize("body", [b"", b"not json", b"\xff\xff", b"{}"])
def test_09_a_right_signature_over_another_body_is_refused(desk, number, body):
    assert desk.hear(desk.notice(number), body=body) == NoticeRefused("bad_signature")


def test_09_names_of_headers_may_be_small(desk, number):
    notice = desk.notice(number)
    notice["headers"] = {name.lower(): value for name, value in notice["headers"].items()}
    assert isinstance(desk.hear(notice), VerifiedNotice)


def test_10_a_probe_of_our_check_is_refused_like_a_forgery(desk, number):
    assert desk.hear(desk.notice(number, forged="probe")) == NoticeRefused("bad_signature")


@pytest.mark.parametrize(
    "alter",
    [
        {"mchid": "1900000002"},
        {"appid": "wx0000000000000000"},
        {"sp_mchid": MERCHANT, "sub_mchid": SUB_MERCHANT},
    ],
)
def test_15_a_notice_for_another_house_is_not_ours(desk, number, alter):
    assert desk.hear(desk.notice(number, alter=alter)) == NoticeRefused("not_ours")


def test_15_a_notice_for_a_sub_merchant_is_not_for_us(desk, wechatpay_peer, tmp_path):
    partner = sit_down(wechatpay_peer, tmp_path, SUB_MERCHANT)
    number, _ = partner.paid()
    notice = partner.notice(number)
    assert isinstance(partner.hear(notice), VerifiedNotice)
    assert desk.hear(notice) == NoticeRefused("not_ours")


@pytest.mark.parametrize("age", [timedelta(minutes=5, seconds=1), timedelta(days=365)])
def test_16_an_old_notice_is_stale(desk, number, age):
    notice = desk.notice(number)
    desk.at += age
    assert desk.hear(notice) == NoticeRefused("stale")


@pytest.mark.parametrize(
    ("shift_seconds", "is_fresh"),
    [
        (-240, True),
        (240, True),
        (300, True),
        (-300, True),
        (301, False),
        (-360, False),
        (3_600, False),
    ],
)
def test_17_five_minutes_either_way(desk, number, shift_seconds, is_fresh):
    heard = desk.hear(desk.notice(number, shift_seconds=shift_seconds))
    assert isinstance(heard, VerifiedNotice) is is_fresh
    assert is_fresh or heard == NoticeRefused("stale")


def test_17_the_signature_is_judged_before_the_age(desk, number):
    notice = desk.notice(number, shift_seconds=3_600, forged="signature")
    assert desk.hear(notice) == NoticeRefused("bad_signature")


def test_17_the_age_is_judged_before_the_addressee(desk, number):
    notice = desk.notice(number, shift_seconds=3_600, alter={"mchid": "1"})
    assert desk.hear(notice) == NoticeRefused("stale")


def test_40_two_keys_of_theirs_overlap(desk, number, tmp_path):
    first = desk.peer.keys[0]
    second = desk.peer.control("key")["keys"][-1]
    new = desk.notice(number, key_id=second["id"])
    assert desk.hear(new) == NoticeRefused("unknown_key")
    path = tmp_path / "second.pem"
    path.write_text(second["public_key"], encoding="utf-8")
    both = {"other_public_key_id": second["id"], "other_public_key": f"file:{path}"}
    desk.context = desk.peer.context(tmp_path, **both)
    assert isinstance(desk.hear(new), VerifiedNotice)
    assert isinstance(desk.hear(desk.notice(number, key_id=first["id"])), VerifiedNotice)
    only = {"public_key_id": second["id"], "public_key": f"file:{path}"}
    desk.context = desk.peer.context(tmp_path, **only)
    assert desk.hear(desk.notice(number, key_id=first["id"])) == NoticeRefused("unknown_key")


def test_40_two_keys_of_ours_overlap(desk, number, tmp_path):
    new_key = API_KEY[::-1]
    closed_with_new = desk.notice(number, api_key=new_key)
    assert desk.hear(closed_with_new) == NoticeRefused("unknown_key")
    path = tmp_path / "new.key"
    path.write_text(new_key, encoding="utf-8")
    desk.context = desk.peer.context(tmp_path, other_apiv3_key=f"file:{path}")
    assert isinstance(desk.hear(closed_with_new), VerifiedNotice)
    assert isinstance(desk.hear(desk.notice(number)), VerifiedNotice)


def test_a_notice_without_a_merchant_of_ours_is_refused(desk, number):
    notice = desk.notice(number)
    desk.context = replace(desk.context, options={})
    assert desk.hear(notice) == NoticeRefused("unknown_key")


def test_the_answer_to_a_notice(desk):
    yes = desk.gateway.ack(None)
    assert (yes.status, yes.body) == (204, b"")
    no = desk.gateway.ack(NoticeRefused("stale"))
    # With a 200 the word FAIL would count as yes.
    assert no.status == 400
    assert json.loads(no.body) == {"code": "FAIL", "message": "stale"}
    assert no.content_type == "application/json"
