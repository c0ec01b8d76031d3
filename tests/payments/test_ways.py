"""Which ways to pay are on offer: browsers, amounts, currencies, apps; and who is never told."""

import pytest

from diandian.kernel.money import Money
from diandian.payments.messages import Capabilities, Flow
from diandian.payments.ways import Line, browser_of, on_offer

pytestmark = pytest.mark.pure

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15"
ANDROID = "Mozilla/5.0 (Linux; Android 15; 24129PN74C) AppleWebKit/537.36 Chrome/130.0"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36"

EVERYWHERE = ("wechat", "alipay", "phone", "desktop")
WECHAT = Capabilities(
    limits_minor={"CNY": (1, 5_000_000)},
    flows=(
        Flow("jsapi", "jsapi", ("wechat",), needs_payer=True),
        Flow("h5", "redirect", ("phone",)),
        Flow("native", "qr", ("desktop",)),
    ),
    can_close=True,
    can_partial_refund=True,
    refund_window_days=365,
)
ALIPAY = Capabilities(
    limits_minor={"CNY": (1, 10_000_000)},
    flows=(Flow("wap", "redirect", ("phone", "alipay")), Flow("page", "redirect", ("desktop",))),
    can_close=True,
    can_partial_refund=True,
    refund_window_days=365,
)
STRIPE = Capabilities(
    limits_minor={"CNY": (400, 9_999_999), "EUR": (50, 9_999_999)},
    flows=(Flow("checkout", "redirect", ("phone", "desktop", "wechat")),),
    can_close=True,
    can_partial_refund=True,
    refund_window_days=180,
)
LINES = [
    Line("stripe", STRIPE),
    Line("wechatpay", WECHAT, can_ask_payer=True),
    Line("alipay", ALIPAY),
]


def keys(amount, browser, lines=LINES):
    return [way.key for way in on_offer(lines, amount, browser).ways]


@pytest.mark.parametrize(
    ("agent", "browser"),
    [
        (f"{IPHONE} MicroMessenger/8.0.61(0x18003d2f) NetType/WIFI Language/zh_CN", "wechat"),
        (f"{ANDROID} Mobile MMWEBID/1 MicroMessenger/8.0.61 WeChat/arm64", "wechat"),
        (f"{WINDOWS} MicroMessenger/7.0.20 WindowsWechat(0x63090a13)", "wechat"),
        (f"{IPHONE} wxwork/4.1.36 MicroMessenger/7.0.1 Mobile/15E148", "phone"),
        (f"{IPHONE} AlipayDefined(nt:WIFI) AliApp(AP/10.6.70) AlipayClient/10.6.70", "alipay"),
        (f"{IPHONE} Version/18.5 Mobile/15E148 Safari/604.1", "phone"),
        (f"{ANDROID} Mobile Safari/537.36", "phone"),
        ("Mozilla/5.0 (Phone; OpenHarmony 5.0) ArkWeb/4.1 Mobile", "phone"),
        (WINDOWS, "desktop"),
        ("", "desktop"),
        ("\x00\udcff" * 9, "desktop"),
        ("x" * 5000 + "MicroMessenger", "desktop"),
    ],
)
def test_the_browser_is_what_it_says(agent, browser):
    assert browser_of(agent) == browser


def test_each_browser_has_its_ways_and_an_app_its_own_wallet_first():
    amount = Money(804, "CNY")
    assert keys(amount, "desktop") == ["stripe:checkout", "wechatpay:native", "alipay:page"]
    assert keys(amount, "phone") == ["stripe:checkout", "wechatpay:h5", "alipay:wap"]
    assert keys(amount, "wechat") == ["wechatpay:jsapi", "stripe:checkout"]
    assert keys(amount, "alipay") == ["alipay:wap"]
    assert len(keys(amount, None)) == 6


def test_without_an_account_that_asks_who_pays_there_is_no_wallet():
    lines = [Line("stripe", STRIPE), Line("wechatpay", WECHAT)]
    assert keys(Money(804, "CNY"), "wechat", lines) == ["stripe:checkout"]


@pytest.mark.parametrize(
    ("minor", "expected"),
    [
        (399, ["wechatpay:native", "alipay:page"]),
        (400, ["stripe:checkout", "wechatpay:native", "alipay:page"]),
        (5_000_000, ["stripe:checkout", "wechatpay:native", "alipay:page"]),
        (5_000_001, ["stripe:checkout", "alipay:page"]),
        (10_000_000, ["alipay:page"]),
    ],
)
def test_48_a_way_out_of_range_is_hidden(minor, expected):
    assert keys(Money(minor, "CNY"), "desktop") == expected


@pytest.mark.parametrize(
    ("lines", "amount", "browser", "reason", "limit"),
    [
        ([], Money(804, "CNY"), "desktop", "nobody", None),
        (LINES, Money(0, "CNY"), "desktop", "free", None),
        (LINES[:1], Money(399, "CNY"), "desktop", "too_little", Money(400, "CNY")),
        (LINES, Money(10_000_001, "CNY"), "desktop", "too_much", Money(10_000_000, "CNY")),
        (LINES, Money(804, "JPY"), "desktop", "currency", None),
        (LINES[1:2], Money(804, "CNY"), "alipay", "browser", None),
    ],
)
def test_48_where_none_is_left_there_is_a_reason(lines, amount, browser, reason, limit):
    found = on_offer(lines, amount, browser)
    assert (found.ways, found.reason, found.limit) == ((), reason, limit)
    assert found.find("") is None


def test_only_what_is_on_offer_is_found():
    found = on_offer(LINES, Money(804, "CNY"), "desktop")
    assert found.find("").key == "stripe:checkout"
    assert found.find("alipay:page").flow == "page"
    for key in ("alipay:wap", "alipay", "alipay:", ":", "sandbox:page", "\x00"):
        assert found.find(key) is None


def test_a_gateway_without_a_name_is_called_by_its_key():
    [way] = on_offer([Line("newpay", STRIPE)], Money(804, "CNY"), "phone").ways
    assert way.name == "newpay"
