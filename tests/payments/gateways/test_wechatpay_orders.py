"""Opening payments at WeChat Pay, and what it tells of them."""

from datetime import timedelta

import pytest

from diandian.kernel.money import Money
from diandian.payments import rules
from diandian.payments.messages import Done, Rejected, Unknown
from tests.peers.wechatpay import fixture
from tests.peers.wechatpay.desk import OPENID, sit_down
from tests.peers.wechatpay.fixture import APP, MERCHANT, SUB_MERCHANT

pytestmark = pytest.mark.pure

wechatpay_peer = fixture.wechatpay_peer
QUERY = "/v3/pay/transactions/out-trade-no"
CREATE = "/v3/pay/transactions/native"
REFUNDS = "/v3/refund"


@pytest.fixture
def desk(wechatpay_peer, tmp_path):
    return sit_down(wechatpay_peer, tmp_path)


@pytest.fixture
def partner(wechatpay_peer, tmp_path):
    return sit_down(wechatpay_peer, tmp_path, SUB_MERCHANT)


def mismatches(desk, number, amount_minor=804):
    return rules.mismatches(
        desk.query(number).value,
        payment_no=number,
        merchant=desk.context.account,
        mode="test",
        amount=Money(amount_minor, "CNY"),
    )


# -- opening ----------------------------------------------------------------------------------


def test_the_three_flows(desk):
    qr = desk.create(desk.request(flow="native")).value
    assert (qr.kind, qr.text[:9]) == ("qr", "weixin://")
    page = desk.create(desk.request(flow="h5", client_ip="2001:db8::1")).value
    assert page.kind == "redirect"
    assert page.url.endswith("&redirect_url=https%3A%2F%2Fshop.example%2Fo%2Ftoken%3Ffrom%3Dpay")
    assert page.valid_until == desk.at + timedelta(minutes=5)
    view = desk.create(desk.request(flow="jsapi", payer=OPENID)).value
    assert view.kind == "jsapi"
    assert set(view.parameters) == {
        "appId",
        "timeStamp",
        "nonceStr",
        "package",
        "signType",
        "paySign",
    }
    assert view.parameters["package"].startswith("prepay_id=")
    assert (view.parameters["appId"], view.parameters["signType"]) == (APP, "RSA")
    assert view.valid_until == qr.valid_until == desk.at + timedelta(minutes=10)


@pytest.mark.parametrize("flow", ["native", "h5", "jsapi"])
def test_the_three_flows_where_a_sub_merchant_collects(partner, flow):
    number = partner.opened(flow=flow, payer=OPENID, client_ip="192.0.2.7", is_split=True)
    partner.pay(number)
    assert partner.query(number).value.merchant == f"{MERCHANT}/{SUB_MERCHANT}"
    assert mismatches(partner, number) == ()


def test_an_app_of_the_sub_merchant_opens_the_page(wechatpay_peer, tmp_path):
    desk = sit_down(wechatpay_peer, tmp_path, SUB_MERCHANT, sub_app_id="wxsupplier")
    found = desk.create(desk.request(flow="jsapi", payer=OPENID)).value.parameters
    assert found["appId"] == "wxsupplier"
    desk.opened(flow="native")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"flow": "jsapi"}, "payer_missing"),
        ({"flow": "jsapi", "payer": "a b"}, "payer_missing"),
        ({"flow": "h5"}, "client_ip_missing"),
        ({"flow": "h5", "client_ip": "no address"}, "client_ip_missing"),
        ({"flow": "app"}, "flow_unknown"),
        ({"payment_no": "../../x"}, "number_unfit"),
        ({"payment_no": "short"}, "number_unfit"),
        ({"amount": Money(804, "EUR")}, "currency_unfit"),
        ({"notify_url": ""}, "notify_url_missing"),
        ({"subject": "\n\u200b"}, "subject_missing"),
    ],
)
def test_what_cannot_be_is_not_even_sent(desk, changes, code):
    desk.peer.fault("/v3/pay", "status", status=500, times=99)
    assert desk.create(desk.request(**changes)) == Rejected(code)


def test_48_nothing_and_too_much_are_not_even_sent(desk):
    desk.peer.fault("/v3/pay", "status", status=500, times=99)
    for amount in (0, -1, 100_000_001):
        outcome = desk.create(desk.request(amount=Money(amount, "CNY")))
        assert outcome == Rejected("amount_out_of_range")
    low, _ = desk.gateway.capabilities(desk.context).limits_minor["CNY"]
    assert low == 1


def test_a_long_subject_is_cut_between_characters(desk):
    assert isinstance(desk.create(desk.request(subject="点" * 400)), Done)


def test_flows_can_be_switched_off(wechatpay_peer, tmp_path):
    desk = sit_down(wechatpay_peer, tmp_path, flows="native, jsapi")
    flows = desk.gateway.capabilities(desk.context).flows
    assert [flow.key for flow in flows] == ["jsapi", "native"]
    assert desk.create(desk.request(flow="h5", client_ip="192.0.2.7")) == Rejected("flow_unknown")


# -- truth ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("total", "names"), [(803, ("amount",)), (805, ("amount",))])
def test_13_a_difference_of_one_fen_shows(desk, total, names):
    number, _ = desk.paid()
    desk.peer.fault(QUERY, "altered", changes={"amount.total": total})
    assert mismatches(desk, number) == names


def test_13_a_coupon_is_no_difference(desk):
    number = desk.opened()
    desk.pay(number, coupon=300)
    assert mismatches(desk, number) == ()


def test_13_an_unpaid_payment_names_no_amount_and_that_is_no_difference(desk):
    number = desk.opened()
    assert not desk.query(number).value.is_amount_told
    assert mismatches(desk, number) == ()
    assert desk.close(number) == Done("closed")
    assert mismatches(desk, number) == ()


def test_13_an_amount_that_an_unpaid_payment_does_name_is_compared(desk):
    number = desk.opened()
    desk.peer.control("tells-amount", value=True)
    assert mismatches(desk, number) == ()
    assert mismatches(desk, number, amount_minor=805) == ("amount",)


def test_13_a_paid_payment_without_an_amount_is_not_believed(desk):
    number, _ = desk.paid()
    desk.peer.fault(QUERY, "altered", changes={"amount": None})
    assert isinstance(desk.query(number), Unknown)


def test_14_another_currency_shows(desk):
    number, _ = desk.paid()
    desk.peer.fault(QUERY, "altered", changes={"amount.currency": "JPY"})
    assert mismatches(desk, number) == ("currency",)


@pytest.mark.parametrize(
    "changes",
    [{"mchid": "1900000002"}, {"appid": "wx0000000000000000"}, {"sp_mchid": "1", "sub_mchid": "2"}],
)
def test_15_another_merchant_or_app_shows(desk, changes):
    number, _ = desk.paid()
    desk.peer.fault(QUERY, "altered", changes=changes)
    assert mismatches(desk, number) == ("merchant",)


def test_15_an_app_of_earlier_days_is_ours(wechatpay_peer, tmp_path):
    desk = sit_down(wechatpay_peer, tmp_path)
    number, _ = desk.paid()
    renamed = sit_down(
        wechatpay_peer, tmp_path, app_id="wxnew", former_app_ids="wxold,wxd678efh567hg6787"
    )
    assert mismatches(renamed, number) == ()


def test_15_an_answer_about_another_payment_is_not_believed(desk):
    number, _ = desk.paid()
    desk.peer.fault(QUERY, "altered", changes={"out_trade_no": "DD0000000000"})
    assert isinstance(desk.query(number), Unknown)
