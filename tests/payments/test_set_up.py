"""What a set-up of payments may not be: above all no pool of suppliers' money."""

import os
from dataclasses import replace

import pytest

from diandian.payments import merchants, set_up
from diandian.payments.errors import UnknownGatewayError
from diandian.payments.gateways.sandbox.gateway import GATEWAY
from diandian.payments.merchant_files import Merchant, MerchantFileError, read
from diandian.payments.messages import MerchantContext, SecretMissingError
from diandian.payments.splits import SplitTerms

OURS = SplitTerms(cap_basis_points=3000, wait_seconds=60, can_reverse=True, pays_supplier=False)
THEIRS = replace(OURS, pays_supplier=True)


class Line:
    """As much of a gateway as the rules look at."""

    def __init__(self, split, *, currencies=("CNY",)):
        self.terms = replace(
            GATEWAY.capabilities(MerchantContext("sandbox", "test", "demo")),
            split=split,
            limits_minor=dict.fromkeys(currencies, (1, 100_000)),
        )

    def capabilities(self, context):
        if "broken" in context.options:
            raise KeyError("broken")
        return self.terms


GATEWAYS = {"sandbox": GATEWAY, "fenpay": Line(OURS), "connectpay": Line(THEIRS)}
GATEWAYS |= {"plainpay": Line(None), "europay": Line(OURS, currencies=("EUR",))}


def frame(*in_use, mode="test", is_https=True):
    return set_up.Frame(in_use, mode, is_https, GATEWAYS)


def merchant(gateway="fenpay", *, settlement="gateway_split", sub="190", mode="test", **facts):
    options, suppliers = facts.get("options", {}), facts.get("suppliers", ("supplier-a",))
    context = MerchantContext(gateway, mode, "160", sub, options)
    return Merchant("one", context, settlement, suppliers)


@pytest.mark.pure
@pytest.mark.parametrize(
    "right",
    [
        merchant(),
        merchant("europay", sub=""),
        merchant("connectpay", settlement="connect", sub="", suppliers=("*",)),
        merchant(
            "plainpay", settlement="principal", sub="", options={"principal_confirmed": "yes"}
        ),
    ],
)
def test_set_ups_without_a_pool_are_taken(right):
    assert set_up.faults([right], frame(right.gateway)) == []


@pytest.mark.pure
@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (merchant(sub=""), "sub_merchant is empty"),
        (merchant(sub="160"), "sub_merchant is our own account"),
        (merchant(options={"fee_account": "190"}), "sub_merchant is our own account"),
        (merchant(options={"seller_id": "190"}), "sub_merchant is our own account"),
        (merchant("connectpay"), "say connect"),
        (merchant("plainpay"), "does not split"),
        (merchant(suppliers=("*",)), "one supplier would collect for all"),
        (merchant(settlement="connect"), "their money would stay with us"),
        (merchant("plainpay", settlement="connect"), "their money would stay with us"),
        (merchant(settlement="principal"), "Confirm it"),
        (
            merchant(settlement="principal", options={"principal_confirmed": "no"}),
            "Confirm it",
        ),
        (merchant(mode="live"), "it is live, and a demo takes test merchants only"),
        (merchant("sandbox"), "the sandbox has one merchant of its own"),
        (merchant("nopay"), "nopay is no gateway"),
        (merchant(options={"broken": "1"}), "cannot use its options (KeyError)"),
    ],
)
def test_each_fault_is_named_with_its_merchant(wrong, named):
    (fault,) = set_up.faults([wrong], frame())
    assert fault.startswith("merchant one: ")
    assert named in fault


@pytest.mark.pure
def test_production_takes_live_merchants_over_https_only():
    live = merchant(mode="live")
    assert set_up.faults([live], frame("fenpay", mode="live")) == []
    (fault,) = set_up.faults([merchant()], frame("fenpay", mode="live"))
    assert "it is test, and production takes live merchants only" in fault
    (fault,) = set_up.faults([live], frame("fenpay", mode="live", is_https=False))
    assert "not https" in fault


@pytest.mark.pure
@pytest.mark.parametrize(
    ("key", "mode", "named"),
    [
        ("fenpay", "test", "nobody could be paid"),
        ("nopay", "test", "is no gateway"),
        ("sandbox", "live", "give credits away"),
    ],
)
def test_a_gateway_that_nobody_can_be_paid_by_is_named(key, mode, named):
    (fault,) = set_up.faults([], frame(key, mode=mode))
    assert key in fault
    assert named in fault


@pytest.mark.pure
def test_the_sandbox_needs_nothing_in_a_demo():
    assert set_up.faults([], frame("sandbox")) == []


# -- the file ---------------------------------------------------------------------------------

ENTRY = """
[[merchant]]
key = "{key}"
gateway = "connectpay"
mode = "test"
merchant = "{number}"
settlement = "{settlement}"
suppliers = ["*"]
"""


def entry(key="one", number="160", settlement="connect"):
    return ENTRY.format(key=key, number=number, settlement=settlement)


@pytest.mark.pure
@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[[merchant", "not TOML"),
        ("[other]\nx = 1", "nothing else"),
        (entry() + entry("two"), "the same account"),
        (entry() + entry("one", "161"), "the same key"),
        (entry(settlement="pool"), "settlement is not one of"),
        (entry() + '[merchant.options]\nkey = "sk_live_1"', "a key itself"),
        (entry() + 'sub_merchant = "1/2"', "sub_merchant"),
        (entry() + 'shares_refunds = "yes"', "neither true nor false"),
        (entry("One"), "small letters"),
    ],
)
def test_a_file_with_faults_names_them(text, named):
    with pytest.raises(MerchantFileError, match=named):
        read(text)


@pytest.fixture
def file(settings, tmp_path, monkeypatch):
    path = tmp_path / "merchants.toml"
    path.write_text(entry())
    settings.MERCHANTS_FILE = str(path)
    settings.GATEWAYS = ["connectpay"]
    monkeypatch.setattr(merchants, "gateways", lambda: GATEWAYS)
    return path


def rewrite(path, text, *, second):
    path.write_text(text)
    os.utime(path, (second, second))


def test_the_file_is_read_again_when_it_changed(file):
    assert [each.key for each in merchants.every()] == ["one"]
    rewrite(file, entry() + entry("two", "161"), second=1_900_000_000)
    assert [each.key for each in merchants.every()] == ["one", "two"]


@pytest.mark.parametrize("text", ["[[merchant", entry(settlement="gateway_split"), None])
def test_while_the_new_file_has_faults_the_one_before_stays(file, caplog, text):
    before = merchants.every()
    if text is None:
        file.unlink()
    else:
        rewrite(file, text, second=1_900_000_001)
    assert merchants.every() == before
    assert merchants.every() == before
    assert caplog.text.count("what was in it before stays") == 1, "told once"
    assert merchants.set_up_faults() != []
    rewrite(file, entry("new"), second=1_900_000_002)
    assert [each.key for each in merchants.every()] == ["new"]


def test_a_first_file_with_faults_is_refused(file):
    file.write_text("[[merchant")
    with pytest.raises(MerchantFileError):
        merchants.every()


def test_the_short_address_serves_while_a_gateway_has_one_merchant(file):
    assert merchants.of_address("connectpay", "").key == "one"
    rewrite(file, entry() + entry("two", "161"), second=1_900_000_003)
    assert merchants.of_address("connectpay", "two").key == "two"
    for key in ("", "three"):
        with pytest.raises(UnknownGatewayError):
            merchants.of_address("connectpay", key)


# -- secrets ----------------------------------------------------------------------------------


@pytest.mark.pure
@pytest.mark.parametrize("value", ["0123456789abcdef0123456789abcdef", "MIIEvQIBADANBgkq:hkiG9w0"])
def test_a_secret_that_stands_in_the_file_itself_is_refused_and_never_repeated(value):
    for option in ("apiv3_key", "other_apiv3_key", "app_secret", "app_private_key_2"):
        with pytest.raises(MerchantFileError, match="hold a key itself") as refused:
            read(entry() + f'[merchant.options]\n{option} = "{value}"\n')
        assert value not in str(refused.value)
        with pytest.raises(SecretMissingError) as missing:
            MerchantContext("fenpay", "test", "160", options={option: value}).secret(option)
        assert value[:12] not in str(missing.value)
    assert read(entry() + '[merchant.options]\npublic_key_id = "PUB_1"\nserial_no = "1D"\n')


@pytest.mark.pure
def test_references_that_lead_nowhere_are_named_and_values_never(tmp_path, monkeypatch):
    there = tmp_path / "there.pem"
    there.write_text("VALUE")
    monkeypatch.setenv("LINES_TEST_SECRET", "VALUE")
    options = {
        "a": f"file:{there}",
        "b": "env:LINES_TEST_SECRET",
        "c": f"file:{tmp_path}/gone.pem",
        "d": "env:LINES_TEST_NOTHING",
        "e": "a plain fact",
    }
    missing = MerchantContext("fenpay", "test", "160", options=options).missing_secrets()
    assert [text.partition(":")[0] for text in missing] == ["c", "d"]
    assert "gone.pem" in missing[0]
    assert "env:LINES_TEST_NOTHING" in missing[1]
    assert "VALUE" not in "".join(missing)
