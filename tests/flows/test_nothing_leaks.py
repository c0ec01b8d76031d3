"""What must be kept nowhere is kept nowhere: a whole journey at the chattiest level of the log.

A gateway whose secrets and payers are marked words throws them at every place where a library
might: into exceptions, into its own log, into notices and headers.
"""

import json
import logging
from contextlib import suppress
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from diandian.flows import checkout, fulfil, gateways, payment_events, refund
from diandian.kernel.errors import DiandianError
from diandian.orders.models import Order
from diandian.payments import actions as payment_actions
from diandian.payments import merchants
from diandian.payments.gateways.sandbox.gateway import GATEWAY, SandboxGateway
from diandian.payments.gateways.sandbox.peer import SIGNATURE_HEADER
from diandian.payments.inbox import tally
from diandian.payments.messages import NoticeRefused, VerifiedNotice
from diandian.payments.splits import SplitTerms

pytestmark = pytest.mark.django_db

SECRET = "MARKSECRET7f3a"
SIGNATURE = "MARKSIGNATURE91bc"
OPENID = "MARKOPENIDo6zAJs"
PAYER = "MARKPAYERWangXiaoMing"
MARKS = (SECRET, SIGNATURE, OPENID, PAYER)
URL = f"https://pay.example/gateway.do?key={SECRET}&sign={SIGNATURE}&buyer={OPENID}&name={PAYER}"

# What a library of a gateway logs by, at its chattiest.
CHATTY = ("urllib3.connectionpool", "httpx", "httpcore.http11", "stripe", "wechatpayv3.core")
TROUBLES = {
    "create_payment": ConnectionError,
    "query_payment": TimeoutError,
    "close_payment": TypeError,
    "refund": ValueError,
    "query_refund": KeyError,
    "parse_notification": UnicodeError,
    "check": ConnectionError,
}


class Leaky(SandboxGateway):
    """The sandbox behind a library that tells everything to everybody."""

    key = "leakpay"
    trouble = ""

    def capabilities(self, context):
        from dataclasses import replace

        terms = SplitTerms(10_000, 0, can_reverse=True, pays_supplier=True)
        return replace(super().capabilities(context), split=terms)

    def tell(self, method, context):
        assert context.secret("secret") == SECRET
        for name in CHATTY:
            logging.getLogger(name).debug("GET %s", URL)
            logging.getLogger(name).warning("retrying %s", URL)
        if self.trouble == method:
            raise TROUBLES[method](URL)

    def parse_notification(self, context, headers, body, *, at):
        self.tell("parse_notification", context)
        if headers.get("Leaky-Signature") != SIGNATURE:
            return NoticeRefused("bad_signature")
        said = json.loads(body)
        return VerifiedNotice(said["id"], "paid", said["payment_no"], at)


def _telling(method):
    def call(self, context, *arguments, **named):
        self.tell(method, context)
        return getattr(SandboxGateway, method)(self, context, *arguments, **named)

    return call


for _method in TROUBLES.keys() - {"parse_notification"}:
    setattr(Leaky, _method, _telling(_method))


@pytest.fixture
def leaky(world, settings, tmp_path, monkeypatch):
    """Put the leaky gateway beside the sandbox; its bank is the sandbox's."""
    made = Leaky()
    file = tmp_path / "merchants.toml"
    file.write_text(
        f"""
[[merchant]]
key = "leaky"
gateway = "leakpay"
mode = "test"
merchant = "demo"
settlement = "connect"
suppliers = ["*"]
[merchant.options]
secret = "env:DIANDIAN_TEST_LEAKY"
store = "{settings.SANDBOX_STORE}"
keys_dir = "{settings.KEYS_DIR}"
"""
    )
    monkeypatch.setenv("DIANDIAN_TEST_LEAKY", SECRET)
    monkeypatch.setattr(merchants, "gateways", lambda: {"sandbox": GATEWAY, "leakpay": made})
    settings.MERCHANTS_FILE, settings.GATEWAYS = str(file), ["leakpay", "sandbox"]
    settings.DEBUG = False
    return made


@pytest.fixture
def heard(caplog):
    """Collect what anybody could read: the log, answers, every row of the database."""
    caplog.set_level(logging.DEBUG)
    said = []

    def hear(*texts):
        said.extend(str(text) for text in texts)

    def everything():
        rows = []
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names():
                cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - names of our own tables
                rows += [f"{table}: {row}" for row in cursor.fetchall()]
        assert len(rows) > 10
        return "\n".join([caplog.text, *said, *rows])

    hear.everything = everything
    return hear


def assert_clean(text):
    for mark in MARKS:
        at = text.find(mark)
        assert at < 0, f"it leaked: {text[max(0, at - 300) : at + 60]}"


def order_of(world):
    return checkout.place_order(
        quote_token=world.quote().token,
        beneficiary_name="Lin",
        on_board=False,
        language="en",
        by=checkout.PayBy("leakpay"),
        at=world.now,
    )


def notice(payment_no, number=1):
    said = {"id": f"N{number}", "payment_no": payment_no, "openid": OPENID, "payer": PAYER}
    return json.dumps(said).encode()


def post(client, body, signature=SIGNATURE):
    return client.post(
        "/api/v1/notifications/leakpay/leaky",
        data=body,
        content_type="application/json",
        headers={
            "Leaky-Signature": signature,
            "Authorization": SECRET,
            SIGNATURE_HEADER: SIGNATURE,
        },
    )


def test_a_whole_journey_leaves_nothing_of_it(world, leaky, heard, monkeypatch):
    client = Client(raise_request_exception=False)
    order = order_of(world)
    payment = world.payment(order)
    again = gateways.create_payment(
        payment,
        subject="Diandian",
        return_url="https://d.example/o/x",
        payer=OPENID,
        client_ip="127.0.0.1",
        at=world.now,
    )
    payment_actions.submitted(payment, again, at=world.now)
    world.choose(payment, "silent")
    for signature in ("", "wrong", SIGNATURE + "x"):
        answer = post(client, notice(payment.payment_no), signature)
        assert answer.status_code == 401
        heard(answer.headers, answer.content)
    answer = post(client, notice(payment.payment_no))
    assert answer.status_code == 200
    heard(answer.headers, answer.content)
    assert world.state(order) == "completed"
    for address in (f"/o/{order.token}", f"/api/v1/orders/{order.token}"):
        page = client.get(address, follow=True)
        heard(page.headers, page.content)
    with monkeypatch.context() as patch:
        patch.setattr(fulfil, "fulfil_order", lambda *_, **__: None)
        second = order_of(world)
        world.choose(world.payment(second), "silent")
        post(client, notice(world.payment(second).payment_no, number=2))
        refund.refund_order(second, "asked", at=world.now)
    assert world.state(second) == "refunded"
    said = StringIO()
    with suppress(SystemExit):
        call_command("payments", "check", stdout=said, stderr=said)
    tally.write(at=world.now)
    heard(said.getvalue())
    text = heard.everything()
    assert "GET /" not in text
    assert "refused" in text, "the log was listened to"
    assert_clean(text)


@pytest.mark.parametrize("method", TROUBLES)
def test_what_a_library_throws_is_told_without_its_words(world, leaky, heard, method, monkeypatch):
    client = Client(raise_request_exception=False)
    monkeypatch.setattr(fulfil, "fulfil_order", lambda *_, **__: None)
    paid = order_of(world)
    world.choose(world.payment(paid), "silent")
    leaky.trouble = method
    for _ in range(2):
        try:
            order_of(world)
        except DiandianError as error:
            heard(error.text())
    payment_events.refresh(world.payment(paid).payment_no, at=world.now)
    answer = post(client, notice(world.payment(paid).payment_no))
    heard(answer.headers, answer.content)
    payment_events.retry_notices(at=world.later(minutes=1))
    payment_events.poll_due(at=world.later(minutes=1))
    if world.state(paid) == "paid":
        refund.refund_order(Order.objects.get(id=paid.id), "asked", at=world.now)
        refund.continue_refunds(at=world.later(minutes=1))
    payment_events.close_or_refresh(
        world.payment(Order.objects.order_by("-id").first()), at=world.now
    )
    for order in Order.objects.all():
        page = client.get(f"/o/{order.token}")
        heard(page.headers, page.content)
    said = StringIO()
    with suppress(SystemExit):
        call_command("payments", "check", stdout=said, stderr=said)
    heard(said.getvalue())
    text = heard.everything()
    assert f"{TROUBLES[method].__name__} at " in text, "it was told"
    assert_clean(text)
