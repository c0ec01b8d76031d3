"""Alipay: two clients that others wrote, each in its own process, against the peer.

What they send the peer takes, and what the peer signs they believe; so it is not our reading of the
documents alone that the adapter is held to.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from diandian.kernel import clock
from tests.payments.gateways import alipay_kit

pytestmark = [pytest.mark.pure, pytest.mark.slow]
shop = alipay_kit.shop
ROOT = Path(__file__).parents[3]
CLIENTS = ROOT / "tests" / "peers" / "alipay" / "clients"
INSTALLED = ROOT / "var" / "peers" / "alipay"
LIBRARY = """
import json, sys
from alipay import AliPay
asked = json.load(sys.stdin)
def key(text, kind):
    return f"-----BEGIN {kind} KEY-----\\n{text}\\n-----END {kind} KEY-----"
library = AliPay(
    asked["app_id"],
    app_private_key_string=key(asked["private_key"], "PRIVATE"),
    alipay_public_key_string=key(asked["public_key"], "PUBLIC"),
)
library._gateway = asked["url"] + "/gateway.do"
found = []
for call in asked["calls"]:
    try:
        answer = getattr(library, call[0])(**call[1])
        found.append(answer if isinstance(answer, bool) else answer["code"])
    except Exception as error:
        found.append(type(error).__name__)
print(json.dumps(found))
"""


@pytest.fixture
def todays(shop):
    """The shop, its peer on the machine's own time: the clients know no other."""
    before = int(shop.now.timestamp())
    shop.levers("clock", now=int(clock.now().timestamp()))
    yield shop
    shop.levers("clock", now=before)


def about(shop, **more):
    return {
        "url": shop.levers.url,
        "app_id": shop.facts["app_id"],
        "private_key": shop.facts["private_keys"][0],
        "public_key": shop.facts["public_keys"][0],
        **more,
    }


# -- the library that the adapter stands on --------------------------------------------------------


def library(shop, *calls, zone="Asia/Shanghai"):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LIBRARY],
        input=json.dumps(about(shop, calls=calls)),
        env={**os.environ, "TZ": zone},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_library_gets_on_with_the_peer(todays):
    payment_no = todays.paid()
    refund = {"refund_amount": "0.04", "out_trade_no": payment_no, "out_request_no": "R1"}
    made = {"out_trade_no": "DDLIB1", "total_amount": "0.01", "subject": "x"}
    found = library(
        todays,
        ("api_alipay_trade_precreate", made),
        ("api_alipay_trade_refund", refund),
        ("api_alipay_trade_fastpay_refund_query", {k: refund[k] for k in list(refund)[1:]}),
        ("api_alipay_trade_close", {"out_trade_no": "nobody"}),
    )
    assert found == ["10000", "10000", "10000", "40004"]


def test_what_the_library_lacks_is_why_we_do_it_ourselves(todays):
    payment_no = todays.paid()
    query = ("api_alipay_trade_query", {"out_trade_no": payment_no})
    # A right answer whose text holds a brace; ours is believed by the adapter.
    assert library(todays, query) == ["AliPayValidationError"]
    assert todays.query(payment_no).value.state == "succeeded"
    # The machine's own time instead of China's.
    close = ("api_alipay_trade_close", {"out_trade_no": payment_no})
    assert library(todays, close, zone="UTC") == ["AliPayException"]


# -- the vendor's client for Node ------------------------------------------------------------------


@pytest.fixture(scope="module")
def node():
    """The folder in which the vendor's Node client is installed, pinned by package.json."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if not program or not npm:
        pytest.skip("Node is not installed")
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "client.mjs"):
        shutil.copy(CLIENTS / name, INSTALLED)
    wanted = json.loads((CLIENTS / "package.json").read_text())["dependencies"]["alipay-sdk"]
    manifest = INSTALLED / "node_modules" / "alipay-sdk" / "package.json"
    if not manifest.exists() or json.loads(manifest.read_text())["version"] != wanted:
        flags = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock", "--silent")
        try:
            subprocess.run(
                [npm, "install", *flags],
                cwd=INSTALLED,
                check=True,
                capture_output=True,
                timeout=120,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            pytest.skip("npm could not install the vendor's Node client")
    return program


def test_the_vendors_node_client_gets_on_with_the_peer(todays, node):
    paid = todays.paid()
    for kind in ("other_key", "unsigned"):
        todays.fault(kind, "alipay.trade.close")
    asked = about(
        todays,
        number=alipay_kit.number(),
        paid=paid,
        notice=todays.lever("notice", number=paid)["body"],
        stranger=todays.lever("notice", number=paid, how="forged")["body"],
    )
    done = subprocess.run(
        [node, "client.mjs"],
        cwd=INSTALLED,
        input=json.dumps(asked),
        env={**os.environ, "TZ": "Asia/Shanghai"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "page": [200, f"1250 fen, {asked['number']}"],
        "precreate": ["10000", True],
        "query": ["10000", "TRADE_SUCCESS", "8.04", paid],
        "missing": ["40004", "ACQ.TRADE_NOT_EXIST"],
        "refund": ["10000", "Y", "0.04"],
        "refused": ["40004", "ACQ.REASON_TRADE_REFUND_FEE_ERR"],
        # Of an answer without a signature it has no opinion; it breaks.
        "forged": ["AlipayRequestError", "TypeError"],
        "notice": True,
        "other": False,
        "stranger": False,
    }
