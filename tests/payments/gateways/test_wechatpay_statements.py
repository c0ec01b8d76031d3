"""Statements of WeChat Pay: proven, whole, to the fen; anything else is fetched again."""

import gzip
import hashlib
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.kernel.money import Money
from diandian.payments.gateways.wechatpay import account, statements
from diandian.payments.gateways.wechatpay.answers import FactsError
from diandian.payments.gateways.wechatpay.client import Reply
from diandian.payments.messages import Done, Rejected, Unknown
from diandian.payments.statements import NOT_READY
from tests.peers.wechatpay import fixture
from tests.peers.wechatpay.desk import NOW, sit_down
from tests.peers.wechatpay.fixture import SUB_MERCHANT

pytestmark = pytest.mark.pure

wechatpay_peer = fixture.wechatpay_peer
DAY = date(2026, 11, 28)
BILL, FILE = "/v3/bill", "/v3/billdownload/file"

HEAD = (
    "交易时间,微信订单号,商户订单号,交易状态,货币种类,微信退款单号,商户退款单号,退款状态,商品名称,"
    "手续费,订单金额,申请退款金额"
)
LINE = "`2026-11-28 23:59:59,`4200,`DD0001,`SUCCESS,`CNY,`0,`0,`,`a, b,`0.05000,`8.04,`0.00"
BACK = "`2026-11-28 00:00:00,`4200,`DD0001,`REFUND,`CNY,`5000,`RF01,`SUCCESS,`a,`-0.01,`0.00,`1.00"
TOTAL_HEAD = "总交易单数,手续费总金额,订单总金额,申请退款总金额"
TOTAL = "`2,`0.04000,`8.04,`1.00"
WHOLE = f"{HEAD}\r\n{LINE}\r\n{BACK}\r\n{TOTAL_HEAD}\r\n{TOTAL}\r\n"


@pytest.fixture
def desk(wechatpay_peer, tmp_path):
    return sit_down(wechatpay_peer, tmp_path)


def fetch(desk, kind="trades", day=DAY):
    return desk.gateway.fetch_statement(desk.context, day, kind, at=desk.at)


def read(text):
    content = text if isinstance(text, bytes) else text.encode()
    return statements.statement(DAY, "trades", content).lines


def test_38_trades_of_a_day(desk):
    number, reference = desk.paid()
    refund_no, _ = desk.refund(number, 100)
    desk.later(days=1)
    found = fetch(desk).value
    assert found.is_proven
    assert found.sha256 == hashlib.sha256(found.raw).hexdigest()
    payment, refund = found.lines
    assert (payment.kind, payment.our_no, payment.gateway_ref) == ("payment", number, reference)
    assert (payment.gross_minor, payment.fee_minor, payment.net_minor) == (804, 5, 799)
    assert (payment.currency, payment.at, payment.status) == ("CNY", NOW, "SUCCESS")
    assert (refund.kind, refund.our_no, refund.gross_minor) == ("refund", refund_no, -100)
    assert (refund.payment_no, payment.payment_no) == (number, "")
    assert refund.gateway_ref.startswith("50000")


def test_33_a_refund_that_we_did_not_ask_for_leaves_it_paid_and_is_on_the_statement(desk):
    number, reference = desk.paid()
    desk.refund(number, 300, refund_no="CONSOLE-1")
    found = desk.query(number).value
    # Their answer says that there is a refund and not how much: only the statement does.
    assert (found.state, found.amount_minor, found.refunded_minor) == ("succeeded", 804, 0)
    desk.later(days=1)
    _, refund = fetch(desk).value.lines
    assert (refund.kind, refund.our_no, refund.gross_minor) == ("refund", "CONSOLE-1", -300)
    assert reference != refund.gateway_ref


def test_13_a_coupon_does_not_change_what_the_order_was(desk):
    number = desk.opened()
    desk.pay(number, coupon=300)
    desk.later(days=1)
    assert fetch(desk).value.lines[0].gross_minor == 804


def test_38_funds_of_a_day(desk):
    number, reference = desk.paid()
    refund_no, _ = desk.refund(number, 100)
    desk.later(days=1)
    payment, fee, refund = fetch(desk, "funds").value.lines
    assert (payment.kind, payment.gateway_ref, payment.our_no) == ("payment", reference, number)
    assert (fee.kind, fee.gross_minor, fee.fee_minor, fee.net_minor) == ("fee", 0, 5, -5)
    assert (refund.kind, refund.net_minor, refund.our_no) == ("refund", -100, refund_no)


def test_our_fee_is_in_our_funds_and_the_payment_is_not(wechatpay_peer, tmp_path):
    partner = sit_down(wechatpay_peer, tmp_path, SUB_MERCHANT, split_receiver_name="Diandian")
    found = partner.paid(is_split=True)
    partner.later(seconds=61)
    request = partner.split_request(*found, 80)
    partner.split(request)
    partner.later(days=1)
    assert fetch(partner, "funds") == Rejected("not_offered")
    assert [line.our_no for line in fetch(partner).value.lines] == [found[0]]
    ours = sit_down(wechatpay_peer, tmp_path)
    ours.later(days=1)
    (line,) = fetch(ours, "funds").value.lines
    assert (line.kind, line.net_minor, line.our_no) == ("split", 80, request.split_no)


def test_39_before_ten_o_clock_of_the_next_day_there_is_none(desk):
    desk.paid()
    desk.at = datetime(2026, 11, 29, 1, 59, 59, tzinfo=UTC)
    desk.peer.set_clock(desk.at)
    assert fetch(desk) == Rejected(NOT_READY)
    desk.later(seconds=1)
    assert isinstance(fetch(desk), Done)


def test_39_in_the_making_is_not_ready(desk):
    desk.later(days=1)
    desk.peer.fault(BILL, "status", status=400, code="STATEMENT_CREATING", signed=True)
    outcome = fetch(desk)
    assert (outcome.code, outcome.retryable) == (NOT_READY, True)
    desk.peer.fault(BILL, "status", status=400, code="STATEMENT_CREATING")
    assert isinstance(fetch(desk), Unknown)


def test_a_day_on_which_nothing_happened_is_empty_and_proven(desk):
    desk.later(days=1)
    found = fetch(desk).value
    assert (found.lines, found.raw, found.is_proven) == ((), b"", True)


@pytest.mark.parametrize("kind", ["truncated", "garbage"])
def test_39_a_broken_file_is_fetched_again(desk, kind):
    desk.paid()
    desk.later(days=1)
    desk.peer.fault(FILE, kind)
    assert isinstance(fetch(desk), Unknown)
    assert isinstance(fetch(desk), Done)


@pytest.mark.parametrize(
    "changes",
    [
        {"hash_value": "0" * 40},
        {"hash_type": "MD5"},
        {"download_url": "https://elsewhere.example/v3/billdownload/file?token=x"},
        {"download_url": "https://api.mch.weixin.qq.com@elsewhere.example/x"},
        {"download_url": "//["},
        {"download_url": None},
    ],
)
def test_39_a_file_that_is_not_the_promised_one_is_not_read(desk, changes):
    desk.paid()
    desk.later(days=1)
    desk.peer.fault(BILL, "altered", changes=changes)
    assert isinstance(fetch(desk), Unknown)


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("https://api.mch.weixin.qq.com", True),
        ("https://elsewhere.example", False),
        ("http://api.mch.weixin.qq.com", False),
        ("https://api.mch.weixin.qq.com.elsewhere.example", False),
    ],
)
def test_39_a_file_is_fetched_from_a_host_that_we_call_anyway(desk, host, is_ours):
    facts = {"hash_type": "SHA1", "hash_value": "0" * 40, "download_url": f"{host}/v3/f?token=x"}
    reply = Reply(200, json.dumps(facts).encode(), is_signed=True)
    found = statements.place(account.read(desk.context), reply)
    assert isinstance(found, Done) is is_ours
    # Whatever the file's address says, it is asked for where everything else is.
    assert not is_ours or found.value.path == "/v3/f?token=x"


def test_an_expired_link_is_unknown(desk):
    place = statements.Place("/v3/billdownload/file?token=old", "SHA1", "0" * 40)
    reply = Reply(404, b"", is_signed=False)
    assert isinstance(statements.file_outcome(DAY, "trades", place, reply), Unknown)


# -- the form of the file ---------------------------------------------------------------------


def test_lines_are_read_by_the_names_of_their_columns():
    payment, refund = read(WHOLE)
    assert (payment.gross_minor, payment.fee_minor, payment.net_minor) == (804, 5, 799)
    assert payment.at == datetime(2026, 11, 28, 15, 59, 59, tzinfo=UTC)
    assert (refund.gross_minor, refund.fee_minor, refund.net_minor) == (-100, -1, -99)
    assert refund.at == datetime(2026, 11, 27, 16, 0, tzinfo=UTC)


def test_39_a_mark_at_the_beginning_does_no_harm():
    assert read("\ufeff" + WHOLE) == read(WHOLE)
    assert read(WHOLE.replace("\r\n", "\n")) == read(WHOLE)


@pytest.mark.parametrize(
    "text",
    [
        WHOLE.encode("gbk"),
        f"{HEAD}\n{LINE}\n{TOTAL_HEAD}\n{TOTAL}",
        f"{HEAD}\n{LINE}\n{BACK}",
        f"{HEAD}\n{LINE}\n{BACK}\n{TOTAL_HEAD}",
        f"{HEAD}\n{LINE}\n{LINE}\n{BACK}\n{TOTAL_HEAD}\n{TOTAL}",
        WHOLE.replace("`2,`0.04000", "`3,`0.04000"),
        WHOLE.replace("`8.04,`0.00\r", "`8.05,`0.00\r"),
        WHOLE.replace("`0.05000", "`0.05100"),
        WHOLE.replace("`0.05000", "`NaN"),
        WHOLE.replace("`0.05000", "`Infinity"),
        WHOLE.replace("`0.05000", "`1E+999999"),
        WHOLE.replace("`8.04,`0.00", "`9" + "9" * 60 + ",`0.00"),
        WHOLE.replace("`CNY", "`QQQ"),
        WHOLE.replace("`SUCCESS,`CNY", "`MAYBE,`CNY"),
        WHOLE.replace("2026-11-28 23:59:59", "yesterday"),
        WHOLE.replace("商户订单号", "商户号"),
        WHOLE.replace("`2026-11-28 23", "2026-11-28 23"),
        WHOLE.replace(",`4200", ",`4200,`4200"),
        "<html><body>502</body></html>",
    ],
)
def test_39_a_file_that_does_not_add_up_is_refused_whole(text):
    with pytest.raises(FactsError):
        read(text)


def test_39_a_small_file_that_unpacks_to_a_large_one_is_refused():
    bomb = gzip.compress(b" " * (statements.LARGEST_FILE_BYTES + 1))
    assert len(bomb) < 1 << 20
    place = statements.Place("/", "SHA1", "0" * 40)
    outcome = statements.file_outcome(DAY, "trades", place, Reply(200, bomb, is_signed=False))
    assert isinstance(outcome, Unknown)
    assert "too large" in outcome.cause


@given(st.lists(st.tuples(st.integers(1, 10**11), st.integers(0, 10**9)), min_size=1, max_size=20))
def test_amounts_survive_the_way_through_yuan(amounts):
    lines = [
        LINE.replace("`0.05000", f"`{Money(fee, 'CNY').decimal()}").replace(
            "`8.04", f"`{Money(total, 'CNY').decimal()}"
        )
        for total, fee in amounts
    ]
    total = Money(sum(total for total, _ in amounts), "CNY").decimal()
    fees = Money(sum(fee for _, fee in amounts), "CNY").decimal()
    totals = f"`{len(amounts)}.0,`{fees},`{total},`0"
    found = read("\n".join([HEAD, *lines, TOTAL_HEAD, totals]))
    assert [(line.gross_minor, line.fee_minor) for line in found] == amounts
    assert all(line.net_minor == line.gross_minor - line.fee_minor for line in found)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content):
    for kind in ("trades", "funds"):
        try:
            statements.statement(DAY, kind, content)
        except FactsError:
            continue
        assert content == b""


def test_no_day_is_older_than_the_gateway_keeps_it(desk):
    assert isinstance(fetch(desk, day=DAY - timedelta(days=120)), Rejected)
