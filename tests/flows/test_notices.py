"""Notices by merchant: what they are about, what refused ones leave, who acts on them."""

import os
import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.test import Client

from diandian.api.notifications import BODY_LIMIT_BYTES
from diandian.flows import fulfil, gateways, notice_intake, payment_events, refund
from diandian.jobs import schedule
from diandian.kernel.clock import business_day
from diandian.payments import merchants
from diandian.payments.breaker import FAILURES_LIMIT
from diandian.payments.gateways.sandbox.gateway import SandboxGateway
from diandian.payments.gateways.sandbox.peer import SIGNATURE_HEADER, TIMESTAMP_HEADER
from diandian.payments.inbox import actions as inbox_actions
from diandian.payments.inbox import queries as inbox
from diandian.payments.inbox import tally
from diandian.payments.messages import Done, NoticeRefused, RefundSnapshot, VerifiedNotice
from diandian.payments.models import Notification, RefusedNotices
from diandian.ui import limits
from tests.flows.books import assert_completed_once

pytestmark = pytest.mark.django_db

LONG = "/api/v1/notifications/sandbox/sandbox"
SHORT = "/api/v1/notifications/sandbox"


@pytest.fixture(autouse=True)
def nothing_counted():
    tally.forget()
    limits.misses.forget()
    yield
    tally.forget()
    limits.misses.forget()


@pytest.fixture
def post(world):
    client = Client(raise_request_exception=False)
    # The addresses of the API are loaded at the first request.
    client.get("/api/v1/nothing")

    def send(notice=None, address=LONG, *, body=None, headers=()):
        return client.post(
            address,
            data=notice.body if notice else body,
            content_type="application/json",
            headers=notice.headers if notice else dict(headers),
        )

    return send


def notices_of(world, monkeypatch, **facts):
    """Let the next notice say something of our choice, believed."""

    def parse(self, context, headers, body, *, at):
        said = {"notice_id": "N1", "kind": "any", "payment_no": "", "occurred_at": at}
        return VerifiedNotice(**(said | facts))

    monkeypatch.setattr(SandboxGateway, "parse_notification", parse)
    return lambda at=None: payment_events.receive_notice("sandbox", {}, b"{}", at=at or world.now)


# -- addresses --------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [LONG, SHORT])
def test_each_merchant_has_an_address_and_the_only_one_a_short_one(world, post, address):
    order = world.order()
    [notice] = world.choose(world.payment(order))
    response = post(notice, address)
    assert (response.status_code, response.content) == (200, b"ok")
    assert_completed_once(world, order)


@pytest.mark.parametrize(
    "address", [SHORT + "/other", "/api/v1/notifications/nowhere", SHORT + "/%00", SHORT + "/"]
)
def test_any_other_address_is_none(world, post, address):
    order = world.order()
    [notice] = world.choose(world.payment(order))
    assert post(notice, address).status_code == 404
    assert world.state(order) == "awaiting_payment"


def test_payments_and_refunds_name_the_address_of_their_merchant(world, monkeypatch, crash):
    named = []
    create, send_back = SandboxGateway.create_payment, SandboxGateway.refund

    def note(call):
        def noted(self, context, request, *, at):
            named.append(request.notify_url)
            return call(self, context, request, at=at)

        return noted

    monkeypatch.setattr(SandboxGateway, "create_payment", note(create))
    monkeypatch.setattr(SandboxGateway, "refund", note(send_back))
    monkeypatch.setattr(fulfil, "fulfil_order", lambda *_, **__: None)
    order = world.order()
    world.pay(order)
    refund.refund_order(order, "asked", at=world.now)
    assert named == [f"http://testserver{LONG}"] * 2
    assert gateways.notice_address(merchants.every()[0]) == named[0]


# -- what a notice is about -------------------------------------------------------------------


def test_a_payment_is_found_by_the_gateways_own_number(world, monkeypatch):
    order = world.order()
    world.choose(world.payment(order), "silent")
    ref = world.payment(order).gateway_ref
    assert notices_of(world, monkeypatch, gateway_ref=ref)().status == 200
    assert Notification.objects.get().state == "applied"
    assert_completed_once(world, order)


def test_a_gateways_number_that_is_not_here_yet_waits(world, monkeypatch):
    assert notices_of(world, monkeypatch, gateway_ref="T404")().status == 200
    assert Notification.objects.get().state == "parked"


def test_the_number_of_another_merchants_payment_is_not_looked_at(world, monkeypatch, crash):
    order = world.order()
    ref = world.payment(order).gateway_ref
    world.choose(world.payment(order), "silent")
    type(world.payment(order)).objects.update(merchant="other")
    crash(SandboxGateway, "query_payment", AssertionError)
    notices_of(world, monkeypatch, gateway_ref=ref)()
    assert Notification.objects.get().state == "parked"
    type(world.payment(order)).objects.update(merchant="demo")


def test_a_notice_about_no_payment_is_taken_and_left(world, monkeypatch):
    notices_of(world, monkeypatch)()
    assert Notification.objects.get().state == "applied"


def test_a_notice_of_a_refund_leads_to_asking_about_that_refund(world, monkeypatch):
    monkeypatch.setattr(fulfil, "fulfil_order", lambda *_, **__: None)
    answers = [
        RefundSnapshot("processing", "", 0, ""),
        RefundSnapshot("succeeded", "", 0, ""),
    ]
    asked = []

    def answer(self, context, number, *, at):
        asked.append(number)
        state = answers[0 if len(asked) == 1 else 1].state
        return Done(RefundSnapshot(state, number, order.quote.total_minor, "CNY"))

    order = world.order()
    world.pay(order)
    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "query_refund", answer)
        patch.setattr(
            SandboxGateway, "refund", lambda s, c, r, at: answer(s, c, r.refund_no, at=at)
        )
        made = refund.refund_order(order, "asked", at=world.now)
        assert (made.state, world.state(order)) == ("processing", "unfulfillable")
        notices_of(world, patch, refund_no=made.refund_no)()
    assert asked == [made.refund_no] * 2
    assert Notification.objects.get(notice_id="N1").state == "applied"
    assert world.state(order) == "refunded"


# -- what is not believed ---------------------------------------------------------------------


def forged(notice):
    return notice.headers | {SIGNATURE_HEADER: "0" * 64}


def test_09_forged_notices_cost_no_query_and_leave_a_count(
    world, post, crash, django_assert_num_queries
):
    order = world.order()
    [notice] = world.choose(world.payment(order))
    crash(SandboxGateway, "query_payment", AssertionError)
    with django_assert_num_queries(0):
        for _ in range(7):
            assert post(body=notice.body, headers=forged(notice)).status_code == 401
        assert post(body=b"{}", address=SHORT + "/somebody").status_code == 404
        assert post(body=b"x" * (BODY_LIMIT_BYTES + 1)).status_code == 413
    assert not Notification.objects.exists()
    assert tally.write(at=world.now) == 8
    counts = RefusedNotices.objects.values_list("gateway", "merchant_key", "reason", "count")
    assert set(counts) == {
        ("sandbox", "sandbox", "bad_signature", 7),
        ("", "", "no_such_address", 1),
    }
    assert tally.write(at=world.now) == 0, "counted once"


def test_counts_of_a_day_add_up_and_the_next_day_begins_anew(world, post):
    for day in (0, 0, 1):
        post(body=b"{}")
        tally.write(at=world.later(days=day))
    rows = inbox.refused_since(business_day(world.now))
    assert [row.count for row in rows] == [2, 1]


def test_counts_of_ninety_days_stay_and_older_ones_are_forgotten(world, post):
    for days in (0, 1, 2):
        post(body=b"{}")
        tally.write(at=world.later(days=days))
    assert notice_intake.forget_old(at=world.later(days=89)) == 0
    assert notice_intake.forget_old(at=world.later(days=91)) == 2
    assert notice_intake.forget_old(at=world.later(days=91)) == 0
    [left] = RefusedNotices.objects.all()
    assert left.day == business_day(world.later(days=2))


def test_the_worker_forgets_old_counts_by_itself_each_day():
    [task] = [each for each in schedule.TASKS if each.run == notice_intake.forget_old]
    assert task.every == timedelta(days=1)


def test_what_could_not_be_counted_is_kept_for_the_next_time(world, post, monkeypatch):
    post(body=b"{}")
    with monkeypatch.context() as patch:
        patch.setattr(
            inbox_actions, "count_refused", lambda **_: (_ for _ in ()).throw(DatabaseError())
        )
        assert tally.write(at=world.now) == 0
    assert tally.write(at=world.now) == 1


@pytest.mark.parametrize(
    ("reason", "few", "many"), [("bad_signature", 50, 51), ("unknown_key", 2, 3)]
)
def test_10_a_few_probes_a_day_alarm_nobody(world, monkeypatch, reason, few, many):
    monkeypatch.setattr(
        SandboxGateway, "parse_notification", lambda *_, **__: NoticeRefused(reason)
    )
    for _ in range(few):
        payment_events.receive_notice("sandbox", {}, b"", at=world.now)
    tally.write(at=world.now)
    assert inbox.alarms_since(business_day(world.now)) == []
    assert notice_intake.watch(at=world.now) == 0
    payment_events.receive_notice("sandbox", {}, b"", at=world.now)
    tally.write(at=world.now)
    assert notice_intake.watch(at=world.now) == 1
    (alarm,) = inbox.alarms_since(business_day(world.now))
    assert (alarm.gateway, alarm.merchant_key) == ("sandbox", "sandbox")
    assert (alarm.reason, alarm.count) == (reason, many)


def test_who_sends_many_that_are_not_believed_waits_and_a_right_one_is_taken(world, post, settings):
    settings.MISSES_PER_MINUTE = 3
    order = world.order()
    [notice] = world.choose(world.payment(order))
    said = [post(body=notice.body, headers=forged(notice)).status_code for _ in range(5)]
    assert said == [401, 401, 401, 429, 429]
    assert post(notice).status_code == 200
    assert_completed_once(world, order)


def test_40_an_unknown_key_is_refused_without_asking_anybody(world, monkeypatch, crash):
    order = world.order()
    [notice] = world.choose(world.payment(order))
    for call in ("query_payment", "check", "capabilities"):
        crash(SandboxGateway, call, AssertionError)
    with monkeypatch.context() as patch:
        patch.setattr(
            SandboxGateway, "parse_notification", lambda *_, **__: NoticeRefused("unknown_key")
        )
        assert world.deliver(notice).status == 401
    assert not Notification.objects.exists()
    monkeypatch.undo()


def test_40_a_key_added_to_the_file_is_believed_without_a_restart(
    world, settings, tmp_path, monkeypatch
):
    """Old and new are both in force while both are named, and only as long."""
    file = tmp_path / "merchants.toml"
    monkeypatch.setattr(
        SandboxGateway,
        "parse_notification",
        lambda self, context, headers, body, *, at: (
            VerifiedNotice(headers["Id"], "any", "", at)
            if headers["Key"] in context.options["keys"].split()
            else NoticeRefused("unknown_key")
        ),
    )
    gateway = SandboxGateway()
    gateway.key = "keypay"
    monkeypatch.setattr(merchants, "gateways", lambda: {"keypay": gateway})
    settings.MERCHANTS_FILE, settings.GATEWAYS = str(file), ["keypay"]
    said = []
    for turn, keys in enumerate(("old", "old new", "new")):
        file.write_text(
            '[[merchant]]\nkey = "one"\ngateway = "keypay"\nmode = "test"\nmerchant = "160"\n'
            'settlement = "principal"\nsuppliers = ["*"]\n[merchant.options]\n'
            f'principal_confirmed = "yes"\nkeys = "{keys}"\n'
        )
        os.utime(file, (1_900_000_000 + turn,) * 2)
        for key in ("old", "new"):
            headers = {"Key": key, "Id": f"{turn}{key}"}
            said.append(payment_events.receive_notice("keypay", headers, b"", at=world.now).status)
    assert said == [200, 401, 200, 200, 401, 200]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://["}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "https://x", "Host": "\x04"}, 400),
        ({"Content-Encoding": "gzip"}, 401),
        ({"Cookie": "\xff=\x01; lang=zz", "Accept-Language": "x;q=1e999"}, 401),
    ],
)
def test_09_hostile_headers_are_refused_without_an_error_page(post, headers, status):
    assert post(body=b"{}", headers=headers).status_code == status


@pytest.mark.parametrize("body", [b"[" * 60_000, b'{"a":' * 10_000, b"\xff\xfe", b"\x1f\x8b\x08"])
def test_09_a_signed_body_that_is_no_notice_is_malformed(world, post, body):
    stamp = str(int(world.now.timestamp()))
    signature = world.peer.sign(b"notice", stamp.encode(), body)
    answer = post(body=body, headers={TIMESTAMP_HEADER: stamp, SIGNATURE_HEADER: signature})
    assert (answer.status_code, answer.content) == (400, b"malformed")
    assert not Notification.objects.exists()


# -- who acts on it ---------------------------------------------------------------------------


@pytest.fixture
def silent_line(monkeypatch):
    """A gateway that does not answer until it is let go."""
    go = threading.Event()
    query = SandboxGateway.query_payment

    def hang(self, context, number, *, at):
        assert go.wait(20)
        return query(self, context, number, at=at)

    with monkeypatch.context() as patch:
        patch.setattr(SandboxGateway, "query_payment", hang)
        yield go
        go.set()


def test_41_a_notice_is_answered_while_its_gateway_is_silent(world, silent_line):
    order = world.order()
    first, second = world.choose(world.payment(order), "twice")[1:]
    for notice in (first, second):
        ack = payment_events.receive_notice(
            "sandbox",
            notice.headers,
            notice.body,
            within=timedelta(milliseconds=50),
            at=world.now,
        )
        assert ack.status == 200
    assert world.state(order) == "awaiting_payment"
    silent_line.set()
    assert payment_events.retry_notices(at=world.later(minutes=2)) == 2
    assert set(Notification.objects.values_list("state", flat=True)) == {"applied"}
    assert_completed_once(world, order)


def test_41_where_no_call_would_set_out_the_worker_does_it_at_once(world, crash):
    order = world.order()
    [notice] = world.choose(world.payment(order))
    mend = crash(SandboxGateway, "query_payment", TimeoutError)
    for _ in range(FAILURES_LIMIT):
        payment_events.poll_due(at=world.now)
        payment_events.refresh(world.payment(order).payment_no, at=world.now)
    mend()
    within = timedelta(seconds=20)
    ack = payment_events.receive_notice(
        "sandbox", notice.headers, notice.body, within=within, at=world.now
    )
    assert ack.status == 200
    kept = Notification.objects.get()
    assert (kept.state, kept.attempts, kept.next_attempt_at) == ("verified", 0, world.now)
    assert payment_events.retry_notices(at=world.later(minutes=1)) == 1
    assert_completed_once(world, order)
