"""Stripe: two programs that others wrote, each in its own process, as a second opinion."""

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.parse
import urllib.request
from contextlib import closing
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest

from diandian.payments.gateways.stripe import answers, client, refunds, snapshots
from diandian.payments.gateways.stripe.gateway import GATEWAY
from diandian.payments.messages import MerchantContext, NoticeRefused, VerifiedNotice
from tests.payments.gateways import stripe_kit

pytestmark = [pytest.mark.pure, pytest.mark.slow]
shop = stripe_kit.shop
ROOT = Path(__file__).parents[3]
CLIENTS = ROOT / "tests" / "peers" / "stripe" / "clients"
INSTALLED = ROOT / "var" / "peers" / "stripe"
KEY, SECRET = "sk_test_outsider", "whsec_outsider"


# -- localstripe: intents, refunds, and notices with signatures that we did not make ---------------


def free_port():
    with closing(socket.socket(socket.AF_INET6, socket.SOCK_STREAM)) as probe:
        probe.bind(("::1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def outsider(tmp_path_factory):
    """The address of a localstripe, started by its command and never imported."""
    program = Path(sys.executable).with_name("localstripe")
    if not program.exists() or not socket.has_ipv6:
        pytest.skip("localstripe is not installed, or there is no IPv6")
    port = free_port()
    quiet = dict(os.environ, PYTHONUNBUFFERED="1", PYTHONWARNINGS="ignore")
    with subprocess.Popen(
        [str(program), "--from-scratch", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=quiet,
        cwd=tmp_path_factory.mktemp("outsider"),
    ) as process:
        process.stdout.readline()
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@pytest.fixture
def context(outsider, monkeypatch):
    monkeypatch.setenv("OUTSIDER_KEY", KEY)
    monkeypatch.setenv("OUTSIDER_SECRET", SECRET)
    options = {
        "base_url": outsider,
        "api_key": "env:OUTSIDER_KEY",
        "webhook_secret": "env:OUTSIDER_SECRET",
    }
    return MerchantContext("stripe", "test", "acct_outsider", options=options)


@pytest.fixture
def ask(context):
    """Call it through our own line; it has no account to prove."""

    def call(method, path, **params):
        return client.line_of(context).send(KEY, method, path, params).facts

    return call


@pytest.fixture
def mailbox():
    """An address that keeps every notice that comes."""
    came = Queue()

    class Keeper(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.put((dict(self.headers), body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keeper)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield came, f"http://127.0.0.1:{server.server_port}/notices"
    server.shutdown()
    thread.join()
    server.server_close()


def pay(ask, payment_no, minor=804):
    """Let somebody pay by an intent, without a hosted page: that it does not have."""
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040, "cvc": "123"}
    method = ask("post", "/v1/payment_methods", type="card", card=card)
    intent = ask(
        "post",
        "/v1/payment_intents",
        amount=minor,
        currency="usd",
        payment_method=method["id"],
        metadata={"payment_no": payment_no},
    )
    confirmed = ask("post", f"/v1/payment_intents/{intent['id']}/confirm")
    charge = confirmed["latest_charge"]
    name = charge if isinstance(charge, str) else charge["id"]
    return ask("get", f"/v1/charges/{name}", expand=["balance_transaction"])


def test_our_reading_of_a_charge_that_we_did_not_shape(ask):
    charge = pay(ask, "DDOUT1")
    assert snapshots.is_paid(charge)
    assert answers.amount(charge, "amount") == 804
    assert answers.currency(charge) == "USD"
    assert answers.instant(charge)


def test_our_reading_of_a_refund_that_we_did_not_shape(ask):
    charge = pay(ask, "DDOUT2")
    back = ask(
        "post", "/v1/refunds", charge=charge["id"], amount=300, metadata={"refund_no": "ROUT2"}
    )
    seen = refunds._snapshot(back, "ROUT2")
    assert (seen.state, seen.amount_minor, seen.currency) == ("succeeded", 300, "USD")


def test_our_reading_of_a_refusal_that_we_did_not_write(ask):
    with pytest.raises(answers.NoAnswerError) as error:
        ask("post", "/v1/refunds", charge="ch_nowhere")
    assert not error.value.outcome.retryable


def test_a_notice_that_somebody_else_signed_is_believed(ask, context, mailbox):
    came, url = mailbox
    where = {"url": url, "secret": SECRET, "events[0]": "payment_intent.succeeded"}
    request = urllib.request.Request(  # noqa: S310 - on this machine
        f"{context.options['base_url']}/_config/webhooks/ours",
        urllib.parse.urlencode(where).encode(),
    )
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 - the same
    pay(ask, "DDOUT3")
    # Notices of earlier tests may come late; this one comes in the end.
    headers, body = came.get(timeout=20)
    while b"DDOUT3" not in body:
        headers, body = came.get(timeout=20)
    at = datetime.fromtimestamp(json.loads(body)["created"], UTC)
    forged = GATEWAY.parse_notification(context, headers, body + b" ", at=at)
    assert forged == NoticeRefused("bad_signature")
    notice = GATEWAY.parse_notification(context, headers, body, at=at)
    assert isinstance(notice, VerifiedNotice)
    assert (notice.kind, notice.payment_no) == ("payment_intent.succeeded", "DDOUT3")


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
    wanted = json.loads((CLIENTS / "package.json").read_text())["dependencies"]["stripe"]
    manifest = INSTALLED / "node_modules" / "stripe" / "package.json"
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


def test_the_vendors_node_client_gets_on_with_the_peer(shop, node):
    paid = shop.paid()
    notice = shop.lever("notice", type="charge.succeeded", number=paid)
    asked = {"number": stripe_kit.number(), "paid": paid, "notice": notice}
    done = subprocess.run(
        [node, "client.mjs", shop.levers.url, shop.facts["keys"][0], shop.facts["secrets"][0]],
        cwd=INSTALLED,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "page": ["open", 1_250, asked["number"]],
        "charge": [1, 804],
        "refund": ["succeeded", 4],
        "refused": ["StripeInvalidRequestError", "amount_too_large", 400],
        "notice": "charge.succeeded",
        "forged": "StripeSignatureVerificationError",
    }
