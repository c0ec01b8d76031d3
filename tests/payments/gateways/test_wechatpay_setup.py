"""Setting WeChat Pay up: what is missing or wrong is said in plain words, and no key is shown."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from diandian.payments import merchant_files
from diandian.payments.gateways.wechatpay import account
from diandian.payments.gateways.wechatpay.account import OFFICIAL_BASE, SetupError
from diandian.payments.gateways.wechatpay.gateway import WeChatPayGateway
from diandian.payments.messages import MerchantContext
from tests.house.tree import ROOT
from tests.peers.wechatpay import fixture
from tests.peers.wechatpay.desk import NOTIFY_URL, sit_down
from tests.peers.wechatpay.fixture import API_KEY, APP, MERCHANT, SUB_MERCHANT

pytestmark = pytest.mark.pure

wechatpay_peer = fixture.wechatpay_peer
QUERY = "/v3/pay/transactions/out-trade-no"


@pytest.fixture
def desk(wechatpay_peer, tmp_path):
    return sit_down(wechatpay_peer, tmp_path)


def check(desk, notify_url=NOTIFY_URL):
    return desk.gateway.check(desk.context, notify_url=notify_url, at=desk.at)


def wrong(desk, **arguments):
    return {each.subject: each.text for each in check(desk, **arguments) if not each.is_fine}


def faults(context):
    with pytest.raises(SetupError) as caught:
        account.read(context)
    return caught.value.faults


def private_text(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def test_all_is_well(desk):
    assert wrong(desk) == {}
    assert {each.subject for each in check(desk)} >= {"notify_url", "keys", "clock", "signature"}


def test_a_trial_moves_no_money_and_leaves_nothing_payable(desk):
    check(desk)
    assert {each["state"] for each in desk.truth("payments")} == {"CLOSED"}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://[",
        "http://shop.example/n",
        f"{NOTIFY_URL}?a=1",
        f"{NOTIFY_URL}?",
        f"{NOTIFY_URL}#a",
    ],
)
def test_an_address_for_notices_that_they_do_not_take(desk, url):
    assert "https://" in wrong(desk, notify_url=url)["notify_url"]


@pytest.mark.parametrize(("seconds", "word"), [(61, "ahead of"), (-61, "behind")])
def test_a_clock_that_is_off_is_named(desk, seconds, word):
    desk.at += timedelta(seconds=seconds)
    assert word in wrong(desk)["clock"]


def test_a_clock_that_is_far_off_is_named_before_anything_else(desk):
    desk.at += timedelta(hours=1)
    found = wrong(desk)
    assert "3600 seconds ahead of" in found["clock"]


def test_a_key_that_is_not_the_merchants(desk, tmp_path):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (tmp_path / "private_key.pem").write_text(private_text(key), encoding="utf-8")
    assert "private_key and serial_no" in wrong(desk)["signature"]


def test_a_serial_that_is_not_the_merchants(wechatpay_peer, tmp_path):
    desk = sit_down(wechatpay_peer, tmp_path, serial_no="A" * 40)
    assert "private_key and serial_no" in wrong(desk)["signature"]


def test_a_merchant_that_they_do_not_know(desk):
    desk.context = replace(desk.context, merchant="1900009999")
    assert wrong(desk)["signature"]


def test_a_public_key_that_is_not_theirs(desk, tmp_path):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    pem = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (tmp_path / "public_key.pem").write_bytes(pem)
    assert "public_key" in wrong(desk)["signature"]


def test_an_answer_by_a_key_that_is_not_set(desk):
    desk.peer.fault(QUERY, "unknown_key")
    assert "public_key_id" in wrong(desk)["signature"]


def test_products_that_are_not_opened(desk, wechatpay_peer):
    public_pem = (
        account.private_key(desk.peer.private_pem)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    facts = {
        "mchid": MERCHANT,
        "serial": fixture.SERIAL,
        "public_key": public_pem.decode(),
        "apps": [APP],
        "api_key": API_KEY,
    }
    everything = ["jsapi", "h5", "native", "profitsharing"]
    try:
        wechatpay_peer.control("merchant", **facts, products=["native"])
        assert "not opened" in wrong(desk)["h5"]
        wechatpay_peer.control("merchant", **facts | {"apps": ["wxother"]}, products=everything)
        assert "app_id is not bound" in wrong(desk)["native"]
    finally:
        wechatpay_peer.control("merchant", **facts, products=everything)


def test_the_share_that_may_be_given_away(wechatpay_peer, tmp_path):
    desk = sit_down(wechatpay_peer, tmp_path, SUB_MERCHANT)
    texts = {each.subject: each.text for each in check(desk)}
    assert "3000 of 10000" in texts["split"]
    desk.peer.fault("/v3/profitsharing/merchant-configs", "altered", changes={"max_ratio": 1000})
    assert "split_cap_basis_points says 3000. Set it to 1000" in wrong(desk)["split"]
    options = {**desk.context.options, "split_cap_basis_points": "1000"}
    desk.context = replace(desk.context, options=options)
    desk.peer.fault("/v3/profitsharing/merchant-configs", "altered", changes={"max_ratio": 1000})
    texts = {each.subject: each for each in check(desk)}
    assert texts["split"].is_fine
    assert WeChatPayGateway().capabilities(desk.context).split.cap_basis_points == 1000
    desk.peer.fault("/v3/profitsharing/merchant-configs", "altered", changes={"max_ratio": 0})
    assert "apply for profit sharing" in wrong(desk)["split"]
    stranger = sit_down(wechatpay_peer, tmp_path, "1900000888")
    assert wrong(stranger)


def test_nobody_at_the_other_end(desk, tmp_path):
    desk.context = desk.peer.context(tmp_path, base_url="http://127.0.0.1:1")
    assert "127.0.0.1:1 did not answer" in wrong(desk)["connection"]


# -- options ----------------------------------------------------------------------------------


def test_every_fault_is_named_at_once():
    found = faults(MerchantContext("wechatpay", "live", "shop"))
    for name in ("merchant", "app_id", "serial_no", "private_key", "public_key_id", "apiv3_key"):
        assert [fault for fault in found if name in fault], name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("private_key", ""),
        ("private_key", "-----BEGIN PRIVATE KEY-----\nsecret stuff\n-----END PRIVATE KEY-----"),
        ("private_key", private_text(ec.generate_private_key(ec.SECP256R1()))),
        ("private_key", private_text(rsa.generate_private_key(65537, 1024))),  # noqa: S505
        ("public_key", "secret stuff"),
        ("public_key", "-----BEGIN CERTIFICATE-----\nsecret stuff"),
        ("apiv3_key", "secret stuff"),
    ],
)
def test_a_bad_key_is_named_and_not_shown(desk, tmp_path, name, text):
    (tmp_path / f"{name}.pem").write_text(text, encoding="utf-8")
    (fault,) = faults(desk.context)
    assert fault.startswith(name)
    assert "secret stuff" not in fault
    assert "MII" not in fault
    assert name in wrong(desk)["keys"]


def test_a_missing_file_is_named(desk, tmp_path):
    (tmp_path / "apiv3_key.pem").unlink()
    assert "apiv3_key" in wrong(desk)["keys"]


def test_line_ends_of_another_system_do_no_harm(desk, tmp_path, monkeypatch):
    path = tmp_path / "private_key.pem"
    monkeypatch.setenv("DD_KEY", path.read_text(encoding="utf-8").replace("\n", "\r\n"))
    desk.context = desk.peer.context(tmp_path, private_key="env:DD_KEY")
    assert wrong(desk) == {}


@pytest.mark.parametrize(
    "url",
    [
        "http://pay.example",
        "http://10.0.0.1:8000",
        "https://pay.example/v3",
        "https://user@pay.example",
        "https://pay.example?x=1",
        "ftp://127.0.0.1",
        "https://[",
        "http://127.0.0.1:notaport",
        "https://",
    ],
)
def test_another_host_must_be_safe(desk, tmp_path, url):
    assert faults(desk.peer.context(tmp_path, base_url=url))


def test_another_host_is_for_tests_or_for_those_who_say_so(desk, tmp_path):
    live = replace(desk.context, mode="live")
    assert "allow_base_url" in faults(live)[0]
    allowed = replace(live, options={**live.options, "allow_base_url": "yes"})
    assert account.read(allowed).base_url == desk.peer.base
    options = {name: value for name, value in live.options.items() if name != "base_url"}
    assert account.read(replace(live, options=options)).base_url == OFFICIAL_BASE


def test_a_test_never_reaches_the_host_that_moves_money(desk):
    options = {name: value for name, value in desk.context.options.items() if name != "base_url"}
    assert "real money" in faults(replace(desk.context, options=options))[0]


@pytest.mark.parametrize("value", ["0", "16", "1.5", "-1", "", "²", "9" * 40])
def test_time_limits_can_only_be_lowered(desk, tmp_path, value):
    assert faults(desk.peer.context(tmp_path, read_timeout_seconds=value))


def test_every_call_has_time_limits_without_any_option(desk):
    options = {name: value for name, value in desk.context.options.items() if "timeout" not in name}
    found = account.read(replace(desk.context, options=options))
    assert (found.connect_seconds, found.read_seconds) == (5, 15)


def test_two_public_keys_need_two_ids(desk, tmp_path):
    options = desk.context.options
    both = {
        "other_public_key": options["public_key"],
        "other_public_key_id": options["public_key_id"],
    }
    assert faults(desk.peer.context(tmp_path, **both))


def test_nothing_secret_is_in_an_outcome(desk):
    ours = account.read(desk.context)
    shown = repr([*check(desk), desk.create(desk.request()), ours, desk.context])
    assert API_KEY not in shown
    assert desk.peer.private_pem[40:80] not in shown


def test_the_example_of_the_guide_is_one_that_we_take(monkeypatch):
    guide = (ROOT / "docs/howto/pay-with-wechatpay.md").read_text(encoding="utf-8")
    (merchant,) = merchant_files.read(re.search(r"```toml\n(.*?)```", guide, re.DOTALL)[1])
    monkeypatch.setenv("WECHATPAY_APIV3_KEY", API_KEY)
    # Its two files of keys are not on this machine; nothing else is wrong with it.
    found = faults(merchant.context)
    assert [fault.partition(":")[0] for fault in found] == ["private_key", "public_key"]
