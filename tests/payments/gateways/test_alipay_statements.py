"""Alipay: statements of a day, whole and broken."""

import hashlib
import io
import zipfile
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diandian.kernel.clock import business_day
from diandian.payments.gateways.alipay import statements
from diandian.payments.gateways.alipay.answers import MalformedError
from diandian.payments.messages import Rejected, Unknown
from diandian.payments.statements import NOT_READY
from tests.payments.gateways import alipay_kit

pytestmark = pytest.mark.pure
shop = alipay_kit.shop
DAY = date(2026, 11, 22)
HEAD = (
    "支付宝交易号,商户订单号,业务类型,完成时间,订单金额（元）,商家实收（元）,"
    "退款批次号/请求号,服务费（元）"
)
PAID = "2026112222001\t,DD1\t,交易,2026-11-22 10:00:00,8.04,7.04,,-0.05"
BACK = "2026112222001\t,DD1\t,退款,2026-11-22 11:00:00,-3.00,-3.00,RDD1,0.02"
ENDS = "#------业务明细列表结束------"
TOTALS = (
    "#交易合计：1笔，商家实收共7.04元，商家优惠共0.00元\r\n#退款合计：1笔，商家实收退款共-3.00元"
)
WHOLE = f"#支付宝业务明细查询\r\n{HEAD}\r\n{PAID}\r\n{BACK}\r\n{ENDS}\r\n{TOTALS}\r\n"


def archive(text, encoding="gbk"):
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as made:
        made.writestr("汇总.csv", "#汇总\r\n门店编号\r\n".encode("gbk"))
        made.writestr("明细.csv", text if isinstance(text, bytes) else text.encode(encoding))
    return kept.getvalue()


def read(text, **kept):
    return statements.read(archive(text, **kept), DAY, "trades")


@pytest.fixture
def day(shop):
    """A day with two payments, a refund and a split, asked for two days later."""
    day = business_day(shop.now)
    first, second = shop.paid(3_000), shop.paid(805)
    shop.refund(first, minor=500)
    shop.split(shop.split_request(second))
    shop.levers("clock", advance=2 * 86_400)
    return day, first, second


def test_38_a_day_of_trades(shop, day):
    on, first, second = day
    found = shop.statement(on).value
    assert (found.day, found.kind, found.is_proven) == (on, "trades", True)
    assert found.sha256 == hashlib.sha256(found.raw).hexdigest()
    lines = {(line.kind, line.our_no): line for line in found.lines}
    assert set(lines) == {("payment", first), ("payment", second), ("refund", f"R{first}")}
    paid = lines["payment", first]
    assert (paid.gross_minor, paid.fee_minor, paid.net_minor) == (3_000, 18, 2_982)
    back = lines["refund", f"R{first}"]
    assert (back.gross_minor, back.fee_minor, back.currency) == (-500, -3, "CNY")
    assert back.gateway_ref == shop.truth(first)["trade_no"]
    assert (back.payment_no, paid.payment_no) == (first, "")


def test_38_a_day_of_funds(shop, day):
    on, _, second = day
    found = shop.statement(on, "funds").value
    kinds = [line.kind for line in found.lines]
    assert sorted(kinds) == ["fee", "fee", "payment", "payment", "refund", "split"]
    split = next(line for line in found.lines if line.kind == "split")
    assert (split.gross_minor, split.our_no) == (-80, f"S{second}")
    assert sum(line.net_minor for line in found.lines) == 3_000 + 805 - 18 - 5 - 500 - 80


def test_39_a_day_that_is_not_over_or_has_no_file_is_not_ready(shop, day):
    on = day[0]
    assert shop.statement(business_day(shop.now)) == Rejected(NOT_READY)
    assert shop.statement(on - timedelta(days=1)) == Rejected(NOT_READY)


def test_38_a_day_without_a_trade_is_empty_once_no_file_can_come_any_more(shop, day):
    for kind in ("trades", "funds"):
        found = shop.statement(day[0] - timedelta(days=9), kind).value
        assert (found.lines, found.raw, found.is_proven) == ((), b"", False)


@pytest.mark.parametrize("length", [0, 10, 200, -1, -30])
def test_39_a_file_that_is_cut_off_is_fetched_again(shop, day, length):
    shop.lever("fault", kind="cut", path="bill", length=length)
    assert isinstance(shop.statement(day[0]), Unknown)
    assert shop.statement(day[0]).value.lines


@pytest.mark.parametrize("kind", ["unsigned", "wrong_signature", "html"])
def test_39_an_address_that_nobody_signed_is_not_followed(shop, day, kind):
    shop.fault(kind, "alipay.data.")
    assert isinstance(shop.statement(day[0]), Unknown)


def test_39_a_changed_byte_is_found(shop, day):
    raw = shop.statement(day[0]).value.raw
    for place in range(60, len(raw) - 400, 97):
        broken = bytearray(raw)
        broken[place] ^= 1
        try:
            found = statements.read(bytes(broken), day[0], "trades")
        except MalformedError:
            continue
        # What it touched was no part of the lines: a name, or the other table.
        assert found == statements.read(raw, day[0], "trades")


# -- files that are whole, and files that are not -------------------------------------------------


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8-sig"])
def test_39_encodings_that_come(encoding):
    paid, back = read(WHOLE, encoding=encoding)
    assert (paid.gross_minor, paid.fee_minor, paid.our_no) == (804, 5, "DD1")
    assert (back.gross_minor, back.fee_minor, back.our_no) == (-300, -2, "RDD1")


def test_39_backticks_and_tabs_around_numbers_are_no_part_of_them():
    ticked = WHOLE.replace("2026112222001\t", "`2026112222001").replace("DD1\t", "`DD1\t")
    assert read(ticked) == read(WHOLE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEAD,
        WHOLE.replace(ENDS, ""),
        WHOLE.replace(TOTALS, ""),
        WHOLE.replace("共7.04元", "共7.05元"),
        WHOLE.replace("合计：1笔", "合计：2笔"),
        WHOLE.replace(PAID + "\r\n", ""),
        WHOLE.replace(PAID, f"{PAID}\r\n{PAID}"),
        WHOLE.replace(PAID, PAID.replace("7.04", "7.05")),
        WHOLE.replace(PAID, PAID + ",more"),
        WHOLE.replace("2026-11-22 10", "2026-11-23 10"),
        WHOLE.replace("8.04", "8.041"),
        WHOLE.replace("8.04", "eight"),
        WHOLE.replace("交易,", "赠送,"),
        WHOLE.replace("服务费（元）", "订单金额（元）"),
        WHOLE + PAID,
    ],
)
def test_39_what_is_not_whole_is_not_read(text):
    with pytest.raises(MalformedError):
        read(text)


def test_39_bytes_of_no_encoding_are_not_read():
    with pytest.raises(MalformedError):
        read(WHOLE.encode("gbk") + b"\xff\xff")


@given(st.binary(max_size=200))
def test_42_no_archive_breaks_the_reading(raw):
    with pytest.raises(MalformedError):
        statements.read(raw, DAY, "trades")


def test_42_an_archive_that_grows_without_end_is_not_opened():
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as made:
        for place in range(21):
            made.writestr(f"{place}.csv", b"0")
    with pytest.raises(MalformedError):
        statements.read(kept.getvalue(), DAY, "trades")
