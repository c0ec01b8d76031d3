"""Stripe: the trial of a set-up names what is wrong, in words that say what to do."""

from dataclasses import replace
from datetime import timedelta

import pytest

from diandian.payments import options
from diandian.payments.gateways.stripe import client
from diandian.payments.gateways.stripe.gateway import GATEWAY
from diandian.payments.messages import Done
from tests.payments.gateways import stripe_kit

pytestmark = pytest.mark.pure
shop = stripe_kit.shop
NOTIFY = "https://shop.example/api/v1/notifications/stripe"


def faults(shop, *, notify_url=NOTIFY, at=None):
    found = GATEWAY.check(shop.context, notify_url=notify_url, at=at or shop.now)
    return {each.subject: each.text for each in found if not each.is_fine}


def test_a_right_set_up_has_no_fault(shop):
    assert faults(shop) == {}
    found = GATEWAY.check(shop.context, notify_url=NOTIFY, at=shop.now)
    assert {each.subject for each in found} == {"api_key", "webhook_secret", "notices", "clock"}


def test_a_missing_or_unreadable_key_is_named_without_its_value(shop):
    shop.with_options(api_key="file:/nowhere/key", webhook_secret="env:DIANDIAN_NO_SUCH")
    found = faults(shop)
    assert "/nowhere/key cannot be read" in found["api_key"]
    assert "No notice can be believed" in found["webhook_secret"]


def test_a_wrong_key_and_a_wrong_secret_are_told(shop):
    (shop.folder / "key").write_text("sk_test_of_nobody", encoding="utf-8")
    (shop.folder / "secret").write_text("sk_test_of_nobody", encoding="utf-8")
    found = faults(shop)
    assert "does not take this key" in found["api_key"]
    assert "whsec_" in found["webhook_secret"]
    assert not any("of_nobody" in text for text in found.values())


def test_a_live_key_in_a_test_is_told_and_not_used(shop):
    live = shop.levers("account", is_live=True)
    (shop.folder / "key").write_text(live["keys"][0], encoding="utf-8")
    assert "no secret key for the mode test" in faults(shop)["api_key"]


def test_a_key_of_another_merchant_is_told(shop):
    other = shop.levers("account")
    (shop.folder / "key").write_text(other["keys"][0], encoding="utf-8")
    text = faults(shop)["api_key"]
    assert other["account"] in text
    assert shop.facts["account"] in text


def test_both_keys_of_an_overlap_are_tried(shop):
    (shop.folder / "key2").write_text("sk_test_of_nobody", encoding="utf-8")
    shop.with_options(api_key_2=f"file:{shop.folder / 'key2'}")
    assert set(faults(shop)) == {"api_key_2"}


@pytest.mark.parametrize("skew", [-61, 61, 86_400])
def test_a_clock_that_is_off_is_told(shop, skew):
    assert "seconds off" in faults(shop, at=shop.now + timedelta(seconds=skew))["clock"]
    assert "clock" not in faults(shop, at=shop.now + timedelta(seconds=60))


@pytest.mark.parametrize("url", ["", "http://shop.example/n", f"{NOTIFY}?key=1", "https:///n"])
def test_an_address_for_notices_must_be_https_without_a_query(shop, url):
    assert "must be https" in faults(shop, notify_url=url)["notices"]


def test_missing_rights_are_named(shop):
    shop.lever("account", denied=["refunds"])
    assert faults(shop)["permissions"].startswith("Refunds cannot be read")


def test_an_account_that_is_not_open_yet_is_told(shop):
    shop.lever("account", is_open=False)
    assert {"payments", "payouts"} <= set(faults(shop))


# -- suppliers' accounts ----------------------------------------------------------------------


def receivers(shop, *accounts):
    found = GATEWAY.check_receivers(shop.context, accounts, at=shop.now)
    return {each.subject: (each.is_fine, each.text) for each in found}


def test_an_account_that_may_receive_transfers_is_fine(shop):
    account = shop.facts["destination"]
    found = receivers(shop, account)
    assert {is_fine for is_fine, _ in found.values()} == {True}
    assert set(found) == {"connect", f"receiver …{account[-4:]}"}
    assert account not in str(found), "of an account only its end is told"


def test_connect_that_is_not_open_is_told_before_anybody_pays(shop):
    shop.lever("account", is_platform=False)
    assert set(receivers(shop, shop.facts["destination"])) == {"connect"}
    is_fine, text = receivers(shop)["connect"]
    assert not is_fine
    assert "Open Connect" in text
    # As the gateway refuses: there is no such destination then.
    assert_refused(shop, "resource_missing")


@pytest.mark.parametrize("state", ["inactive", "pending"])
def test_a_receiver_without_the_capability_is_told(shop, state):
    account = shop.facts["destination"]
    shop.lever("account", transfers={account: state})
    is_fine, text = receivers(shop, account)[f"receiver …{account[-4:]}"]
    assert not is_fine
    assert f"this capability is {state}" in text
    assert "company.tax_id, external_account" in text
    assert_refused(shop, "insufficient_capabilities_for_transfer")


def test_a_receiver_that_is_not_connected_and_one_that_is_none_are_told(shop):
    found = receivers(shop, "acct_of_nobody", "../account")
    assert "not connected" in found["receiver …body"][1]
    assert "no account of this gateway" in found["receiver …ount"][1]
    assert [is_fine for is_fine, _ in found.values()].count(False) == 2


def test_no_receiver_and_a_right_that_lacks_are_told(shop):
    assert not receivers(shop)["receivers"][0]
    shop.lever("account", denied=["accounts"])
    assert "Give the key this right" in receivers(shop)["connect"][1]


def assert_refused(shop, code):
    payment_no = shop.paid()
    request = shop.split_request(payment_no, 700)
    outcome = GATEWAY.split(shop.context, request, at=shop.now)
    assert isinstance(outcome, Done)
    assert [(leg.state, leg.reason) for leg in outcome.value.legs] == [("failed", code)]


def test_a_gateway_that_does_not_answer_is_told(shop):
    shop.with_options(base_url="http://127.0.0.1:1")
    assert "nothing was sent" in faults(shop)["api_key"]


@pytest.mark.parametrize(
    ("mode", "allow", "url", "is_taken"),
    [
        ("test", "", "https://other.example", True),
        ("test", "", "http://127.0.0.1:4000", True),
        ("test", "", "http://[::1]:4000", True),
        ("test", "", "http://other.example", False),
        ("test", "", "https://api.stripe.com@other.example", False),
        ("test", "", "https://other.example/v1", False),
        ("test", "", "http://127.0.0.1.evil.example", False),
        ("test", "", "file:///etc/passwd", False),
        ("test", "", "https://other.example:99999999", False),
        ("live", "", "https://other.example", False),
        ("live", "", "http://127.0.0.1:4000", False),
        ("live", "no", "https://other.example", False),
        ("live", "yes", "https://other.example", True),
        ("live", "yes", "http://other.example", False),
    ],
)
def test_another_address_is_taken_only_where_it_is_allowed(shop, mode, allow, url, is_taken):
    options = {"base_url": url, "allow_base_url": allow}
    context = replace(shop.context, mode=mode, options=options)
    assert client.base_url(context) == (url if is_taken else "https://api.stripe.com")
    found = GATEWAY.check(context, notify_url=NOTIFY, at=shop.now)
    assert ("base_url" in {each.subject for each in found}) == (not is_taken)


@pytest.mark.parametrize(
    ("given", "seconds"), [("", 15), ("3", 3), ("0", 15), ("90", 15), ("x", 15), ("²", 15)]
)
def test_options_lower_the_limits_of_time_and_never_lift_them(shop, given, seconds):
    shop.with_options(read_seconds=given, connect_seconds=given)
    limits = options.limits(shop.context, largest_bytes=1)
    assert limits.whole_seconds == seconds
    least = min(seconds, 5)
    assert limits.connect_seconds == least
