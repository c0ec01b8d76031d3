"""Alipay: notices that are right, late, repeated, forged, and about somebody else."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from diandian.payments.gateways.alipay.gateway import GATEWAY
from diandian.payments.messages import Ack, NoticeRefused, VerifiedNotice
from tests.payments.gateways import alipay_kit

pytestmark = pytest.mark.pure
shop = alipay_kit.shop
EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def reason(found):
    assert isinstance(found, NoticeRefused), found
    return found.reason


def test_a_notice_names_its_payment(shop):
    payment_no = shop.paid()
    notice = shop.hear(payment_no)
    assert isinstance(notice, VerifiedNotice)
    assert (notice.payment_no, notice.kind) == (payment_no, "trade.TRADE_SUCCESS")
    assert (notice.occurred_at, notice.refund_no) == (shop.now, "")
    assert notice.gateway_ref == shop.truth(payment_no)["trade_no"]


def test_a_notice_of_a_refund_names_the_refund(shop):
    payment_no = shop.paid()
    paid = shop.hear(payment_no)
    shop.refund(payment_no, minor=300)
    notice = shop.hear(payment_no)
    assert (notice.kind, notice.refund_no) == ("refund.TRADE_SUCCESS", f"R{payment_no}")
    assert notice.notice_id != paid.notice_id


def test_a_notice_sent_again_has_the_same_name_and_a_new_stamp(shop):
    payment_no = shop.paid()
    first = shop.hear(payment_no)
    shop.levers("clock", advance=4 * 60)
    assert shop.hear(payment_no).notice_id == first.notice_id
    shop.levers("clock", advance=10 * 60)
    again = shop.hear(payment_no)
    assert again.notice_id == first.notice_id


# -- rows of the fault table ----------------------------------------------------------------------


@pytest.mark.parametrize("how", ["forged", "other_key", "other_body", "unsigned", "garbage"])
def test_09_what_is_not_signed_by_the_gateway_is_refused(shop, how):
    assert reason(shop.hear(shop.paid(), how=how)) == "bad_signature"


def test_09_every_field_is_under_the_signature(shop):
    body = shop.lever("notice", number=shop.paid())["body"]
    fields = dict(parse_qsl(body, keep_blank_values=True))
    for name, kept in fields.items():
        changed = fields | {name: kept + "1"}
        assert reason(shop.parse(urlencode(changed).encode())) == "bad_signature", name
        missing = {each: value for each, value in fields.items() if each != name}
        assert isinstance(shop.parse(urlencode(missing).encode()), NoticeRefused), name
    assert reason(shop.parse(f"{body}&trade_status=TRADE_SUCCESS".encode())) == "bad_signature"
    assert reason(shop.parse(f"{body}&more=1".encode())) == "bad_signature"


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"\xff\xfe", b"sign=", b"sign_type=RSA2&sign=AAAA", b"a" * 70_000, b"=&=&=", b"a"],
)
def test_09_what_is_no_form_is_refused(shop, body):
    assert reason(shop.parse(body)) == "bad_signature"


def test_09_without_a_key_nobody_is_believed(shop):
    notice = shop.lever("notice", number=shop.paid())
    shop.with_options(alipay_public_key="file:/nowhere/at/all")
    assert reason(shop.parse(notice["body"].encode())) == "unknown_key"


def test_10_refusals_ask_for_another_try_and_only_the_word_is_taken(shop):
    assert GATEWAY.ack(None) == Ack(200, b"success")
    for why in ("bad_signature", "stale", "unknown_key", "malformed", "not_ours"):
        ack = GATEWAY.ack(NoticeRefused(why))
        assert ack.status >= 400
        assert ack.body == b"fail"


@pytest.mark.parametrize(
    "altered",
    [{"app_id": "2021000000000000"}, {"seller_id": "2088000000000000"}, {"seller_id": None}],
)
def test_15_what_is_meant_for_somebody_else_is_not_ours(shop, altered):
    assert reason(shop.hear(shop.paid(), altered=altered)) == "not_ours"


def test_15_the_suppliers_account_is_the_right_receiver(shop):
    notice = shop.lever("notice", number=shop.paid())
    body = notice["body"].encode()
    right = replace(shop.context, sub_merchant=shop.facts["seller"])
    assert isinstance(GATEWAY.parse_notification(right, {}, body, at=shop.now), VerifiedNotice)
    wrong = replace(shop.context, sub_merchant="2088000000000000")
    assert reason(GATEWAY.parse_notification(wrong, {}, body, at=shop.now)) == "not_ours"


@pytest.mark.parametrize("days", [1 / 24, 1, 365])
def test_16_an_old_notice_is_stale(shop, days):
    notice = shop.lever("notice", number=shop.paid())
    later = shop.now + timedelta(days=days)
    assert reason(shop.parse(notice["body"].encode(), at=later)) == "stale"


@pytest.mark.parametrize(
    ("seconds", "believed"),
    [(shift, abs(shift) <= 300) for shift in (0, 240, -240, 300, -300, 301, -301, 360, 3_600)],
)
def test_17_five_minutes_either_way_and_no_more(shop, seconds, believed):
    found = shop.hear(shop.paid(), shift=seconds)
    assert isinstance(found, VerifiedNotice) is believed
    if not believed:
        assert reason(found) == "stale"


def test_17_parts_of_a_second_do_not_count(shop):
    notice = shop.lever("notice", number=shop.paid())
    at = shop.now.replace(microsecond=0) + timedelta(seconds=300, milliseconds=900)
    assert isinstance(shop.parse(notice["body"].encode(), at=at), VerifiedNotice)


def test_the_order_is_signature_age_form_addressee(shop):
    payment_no = shop.paid()
    all_wrong = {"app_id": "2021", "out_trade_no": "!"}
    hear = shop.hear
    assert reason(hear(payment_no, how="forged", shift=900, altered=all_wrong)) == "bad_signature"
    assert reason(hear(payment_no, shift=900, altered=all_wrong)) == "stale"
    assert reason(hear(payment_no, altered=all_wrong)) == "malformed"
    assert reason(hear(payment_no, altered={"app_id": "2021"})) == "not_ours"


@pytest.mark.parametrize(
    "altered",
    [
        {"notify_time": "yesterday"},
        {"notify_time": "2026-02-31 10:00:00"},
        {"notify_id": ""},
        {"notify_id": "x" * 81},
        {"notify_type": "something_else"},
        {"out_trade_no": None},
        {"trade_no": "../../etc"},
        {"trade_status": "a b"},
        {"gmt_payment": "now"},
        {"out_biz_no": "R 1"},
    ],
)
def test_42_a_signed_notice_of_another_form_is_malformed(shop, altered):
    assert reason(shop.hear(shop.paid(), altered=altered)) == "malformed"


def test_40_both_of_their_keys_count_in_the_overlap(shop):
    payment_no = shop.paid()
    shop.with_options(alipay_public_key_2=shop.key("theirs_2"))
    assert isinstance(shop.hear(payment_no), VerifiedNotice)
    shop.lever("key", what="theirs", place=1)
    assert isinstance(shop.hear(payment_no), VerifiedNotice)


@EXAMPLES
@given(body=st.binary(max_size=300))
@example(body=b"sign_type=RSA2&sign=%FF%00&notify_time=" + b"9" * 200)
@example(body=b"&".join(b"a%d=1" % place for place in range(200)))
def test_42_no_bytes_break_it(shop, body):
    assert isinstance(shop.parse(body), NoticeRefused)


@EXAMPLES
@given(
    fields=st.dictionaries(
        st.sampled_from(["sign", "sign_type", "notify_time", "app_id", "out_trade_no", "x"]),
        st.text(max_size=40) | st.sampled_from(["RSA2", "RSA", "AAAA", "=" * 20]),
        max_size=6,
    )
)
def test_42_no_form_breaks_it(shop, fields):
    body = urlencode(fields, errors="surrogatepass").encode()
    assert isinstance(shop.parse(body), NoticeRefused)


def test_the_peer_sends_again_until_the_word_comes(shop):
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    payment_no, came = shop.paid(), []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found = shop.parse(body)
            came.append(found)
            ack = GATEWAY.ack(NoticeRefused("stale") if len(came) == 1 else None)
            self.send_response(ack.status)
            self.end_headers()
            self.wfile.write(ack.body)

        def log_message(self, *args):
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Door) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        said = shop.lever("deliver", number=payment_no, url=url, tries=5)["said"]
        server.shutdown()
    assert said == ["400", "success"]
    assert all(isinstance(each, VerifiedNotice) for each in came)
