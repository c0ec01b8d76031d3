"""Alipay: the trial of a set-up says in plain words what to mend."""

from datetime import timedelta

import pytest

from diandian.payments import trials
from diandian.payments.gateways.alipay.gateway import GATEWAY
from diandian.payments.messages import Rejected
from tests.payments.gateways import alipay_kit

pytestmark = pytest.mark.pure
shop = alipay_kit.shop
NOTIFY = "https://shop.example/api/v1/notifications/alipay/own"


def faults(shop, *, notify_url=NOTIFY, at=None):
    found = GATEWAY.check(shop.context, notify_url=notify_url, at=at or shop.now)
    return {each.subject: each.text for each in found if not each.is_fine}


def test_a_right_set_up_has_no_faults(shop):
    found = GATEWAY.check(shop.context, notify_url=NOTIFY, at=shop.now)
    assert all(each.is_fine for each in found), found
    subjects = {each.subject for each in found}
    assert {"app_private_key", "alipay_public_key", "payments", "clock", "splits"} <= subjects
    assert shop.truth()["payments"] == []


def test_keys_in_pem_are_as_good(shop):
    (shop.folder / "ours").write_text(shop.facts["private_pem"], encoding="utf-8")
    assert faults(shop) == {}


@pytest.mark.parametrize("option", ["app_private_key", "alipay_public_key", "app_private_key_2"])
@pytest.mark.parametrize("written", [None, "", "no key", "AAAA", "-----BEGIN PUBLIC KEY-----"])
def test_a_key_that_is_missing_or_none_is_named(shop, option, written):
    path = shop.folder / "odd"
    if written is not None:
        path.write_text(written, encoding="utf-8")
    shop.with_options(**{option: f"file:{path}"})
    assert option in faults(shop)


def test_keys_of_the_wrong_kind_are_told_apart(shop):
    shop.with_options(app_private_key=shop.key("theirs"))
    assert "private key" in faults(shop)["app_private_key"]
    refused = shop.create()
    assert isinstance(refused, Rejected)
    assert (refused.code, refused.retryable) == ("not_set_up", True)
    shop.with_options(app_private_key=shop.key("ours"), alipay_public_key=shop.key("own"))
    assert "Alipay's public key" in faults(shop)["alipay_public_key"]


def test_a_key_that_the_gateway_does_not_know(shop):
    shop.with_options(app_private_key=shop.key("ours_2"))
    assert "Upload the public key" in faults(shop)["payments"]


def test_a_public_key_that_is_not_the_gateways(shop):
    shop.with_options(alipay_public_key=shop.key("theirs_2"))
    assert "Copy Alipay's public key" in faults(shop)["payments"]


def test_an_app_that_the_gateway_does_not_know(shop):
    shop.lever("app", is_open=False)
    assert "app id" in faults(shop)["payments"]


@pytest.mark.parametrize(("seconds", "fine"), [(60, True), (-60, True), (62, False), (-62, False)])
def test_a_clock_that_is_off(shop, seconds, fine):
    found = faults(shop, at=shop.now + timedelta(seconds=seconds))
    assert ("clock" not in found) is fine


@pytest.mark.parametrize(
    "url", ["", "http://shop.example/n", "https://shop.example/n?a=1", "https://", "https://[x"]
)
def test_an_address_where_no_notice_can_come(shop, url):
    assert "notices" in faults(shop, notify_url=url)


@pytest.mark.parametrize(
    ("method", "subject"),
    [
        ("alipay.trade.query", "payments"),
        ("alipay.trade.royalty.rate.query", "splits"),
        ("alipay.data.dataservice.bill.downloadurl.query", "statements"),
    ],
)
def test_a_product_that_is_not_opened(shop, method, subject):
    shop.lever("app", denied=[method])
    assert "sign its contract" in faults(shop)[subject]


def test_a_ratio_that_the_contract_does_not_allow(shop):
    shop.lever("app", max_ratio=10)
    assert "Lower it" in faults(shop)["splits"]
    shop.with_options(split_cap_basis_points="1000")
    assert faults(shop) == {}


def test_whose_permission_a_token_is(shop):
    from dataclasses import replace

    (shop.folder / "token").write_text("TOKEN1", encoding="utf-8")
    shop.context = replace(shop.context, sub_merchant="2088000000000555")
    assert "app_auth_token" in faults(shop)["sub_merchant"]
    shop.with_options(app_auth_token=shop.key("token"))
    assert "not valid" in faults(shop)["payments"] or "TOKEN" not in faults(shop)["payments"]
    shop.lever("app", tokens={"TOKEN1": "2088000000000666"})
    assert "2088000000000666" in faults(shop)["sub_merchant"]
    shop.lever("app", tokens={"TOKEN1": "2088000000000555"})
    assert faults(shop).keys() == {"fee_account"}
    shop.with_options(fee_account="2021000000000000")
    assert "begins with 2088" in faults(shop)["fee_account"]
    shop.with_options(fee_account="2088000000000777")
    assert faults(shop) == {}
    assert GATEWAY.capabilities(shop.context).split.fee_account == "2088000000000777"


def test_an_account_that_is_not_named(shop):
    shop.with_options(seller_id="somebody")
    assert "seller_id" in faults(shop)


def test_another_address_that_is_not_allowed(shop):
    shop.with_options(base_url="http://evil.example")
    shop.with_options(connect_seconds="1")
    assert [each.subject for each in trials.address(shop.context)] == ["base_url"]


def test_a_gateway_that_does_not_answer(shop):
    shop.with_options(base_url="http://127.0.0.1:1")
    assert {"clock", "payments"} <= set(faults(shop))


def test_a_key_is_proven_once_and_read_anew_with_every_call(shop):
    from diandian.payments.gateways.alipay import client

    payment_no = shop.paid()
    before = client._kind_of.cache_info().misses
    for _ in range(3):
        assert shop.query(payment_no).value.state == "succeeded"
    assert client._kind_of.cache_info().misses == before
    # A file that is replaced counts at once, without a restart.
    (shop.folder / "ours").write_text(shop.facts["private_keys"][1], encoding="utf-8")
    shop.lever("key", what="ours", place=1)
    assert shop.query(payment_no).value.state == "succeeded"
