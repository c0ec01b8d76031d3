"""The sandbox: as strict on our side, and as wayward on the other, as a real gateway."""

import json
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diandian.payments.gateway import Gateway, gateways
from diandian.payments.gateways.sandbox.gateway import GATEWAY
from diandian.payments.gateways.sandbox.peer import (
    CHOICES,
    LATE_SECONDS,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Peer,
    SignedAnswer,
    TradeRefusedError,
)
from diandian.payments.messages import (
    NOT_FOUND,
    Done,
    NoticeRefused,
    Pending,
    Rejected,
    Unknown,
    VerifiedNotice,
)

pytestmark = pytest.mark.pure
FIVE_MINUTES = timedelta(minutes=5)


def state_of(context, number, at):
    return GATEWAY.query_payment(context, number, at=at).value.state


def test_it_keeps_the_contract():
    assert gateways()["sandbox"] is GATEWAY
    assert isinstance(GATEWAY, Gateway)


def test_21_creation_repeated_leads_to_the_same_page(context, make_request, now):
    first = GATEWAY.create_payment(context, make_request(), at=now)
    assert isinstance(first, Done)
    assert first.value.kind == "redirect"
    assert GATEWAY.create_payment(context, make_request(), at=now) == first


def test_pages_of_two_payments_differ_and_cannot_be_guessed(context, make_request, now):
    urls = {
        GATEWAY.create_payment(context, make_request(number), at=now).value.url
        for number in ("DD000001", "DD000002")
    }
    assert len(urls) == 2
    assert all(len(url.rpartition("/")[2]) == 22 and "DD0" not in url for url in urls)


def test_a_number_used_for_another_amount_is_refused(context, make_request, now):
    GATEWAY.create_payment(context, make_request(), at=now)
    again = GATEWAY.create_payment(context, make_request(amount_minor=805), at=now)
    assert again == Rejected("number_reused")


def test_a_deadline_in_the_past_is_refused(context, make_request, now):
    late = make_request(expires_at=now)
    assert GATEWAY.create_payment(context, late, at=now) == Rejected("expired")


def test_23_an_unknown_number_is_said_to_be_unknown(context, now):
    assert GATEWAY.query_payment(context, "DD404", at=now) == Rejected(NOT_FOUND)
    assert GATEWAY.close_payment(context, "DD404", at=now) == Done("not_found_yet")


def test_the_snapshot_says_what_was_asked(context, opened, peer, now):
    number, token = opened
    peer.decide(token, "paid", now)
    found = GATEWAY.query_payment(context, number, at=now).value
    assert (found.state, found.payment_no, found.merchant, found.mode) == (
        "succeeded",
        number,
        "demo",
        "test",
    )
    assert (found.amount_minor, found.currency, found.refunded_minor) == (804, "CNY", 0)
    assert found.paid_at == now


@pytest.mark.parametrize(
    ("choice", "at_once", "in_the_end", "notices"),
    [
        ("paid", "succeeded", "succeeded", 1),
        ("declined", "failed", "failed", 1),
        ("late", "pending", "succeeded", 0),
        ("silent", "succeeded", "succeeded", 0),
        ("twice", "succeeded", "succeeded", 3),
    ],
)
def test_08_11_choices(context, opened, peer, now, choice, at_once, in_the_end, notices):  # noqa: PLR0913, PLR0917
    number, token = opened
    sent = peer.decide(token, choice, now)
    assert len(sent) == notices
    assert state_of(context, number, now) == at_once
    assert state_of(context, number, now + timedelta(seconds=LATE_SECONDS)) == in_the_end


def test_02_twice_sends_one_notice_twice_and_a_different_one(context, opened, peer, now):
    first, same, other = peer.decide(opened[1], "twice", now)
    assert first == same
    ids = {json.loads(notice.body)["id"] for notice in (first, other)}
    assert len(ids) == 2


@pytest.mark.parametrize("second", CHOICES)
def test_the_first_choice_stands(context, opened, peer, now, second):
    number, token = opened
    peer.decide(token, "paid", now)
    assert peer.decide(token, second, now) == []
    assert state_of(context, number, now) == "succeeded"


def test_of_parallel_choices_one_happens(opened, peer, now):
    sent = []

    def choose():
        sent.extend(peer.decide(opened[1], "paid", now))
        peer.hang_up()

    threads = [threading.Thread(target=choose) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent) == 1


def test_24_an_expired_trade_is_closed_and_takes_no_choice(context, opened, peer, now):
    number, token = opened
    after = now + timedelta(minutes=10)
    assert state_of(context, number, after - timedelta(seconds=1)) == "pending"
    assert state_of(context, number, after) == "closed"
    with pytest.raises(TradeRefusedError, match="expired"):
        peer.decide(token, "paid", after)
    assert GATEWAY.close_payment(context, number, at=after) == Done("closed")


def test_a_closed_trade_cannot_be_paid(context, opened, peer, now):
    number, token = opened
    assert GATEWAY.close_payment(context, number, at=now) == Done("closed")
    assert GATEWAY.close_payment(context, number, at=now) == Done("closed")
    with pytest.raises(TradeRefusedError, match="closed"):
        peer.decide(token, "paid", now)
    assert state_of(context, number, now) == "closed"


def test_22_closing_what_was_paid_says_so(context, opened, peer, now):
    number, token = opened
    peer.decide(token, "late", now)
    assert GATEWAY.close_payment(context, number, at=now) == Pending()
    then = now + timedelta(seconds=LATE_SECONDS)
    assert GATEWAY.close_payment(context, number, at=then) == Done("already_paid")


# -- answers and notices are distrusted -------------------------------------------------------


def test_09_an_answer_that_is_not_signed_is_unknown(context, opened, peer, now, monkeypatch):
    number, _token = opened
    honest = peer.query(number, now)
    forged = SignedAnswer(honest.body.replace(b"pending", b"succeeded"), honest.signature)
    monkeypatch.setattr(Peer, "query", lambda *_: forged)
    assert isinstance(GATEWAY.query_payment(context, number, at=now), Unknown)
    monkeypatch.setattr(Peer, "close", lambda *_: forged)
    assert isinstance(GATEWAY.close_payment(context, number, at=now), Unknown)


@pytest.fixture
def notice(opened, peer, now):
    return peer.decide(opened[1], "paid", now)[0]


def parse(context, notice, at, **changes):
    headers = notice.headers | changes.get("headers", {})
    return GATEWAY.parse_notification(context, headers, changes.get("body", notice.body), at=at)


def test_a_notice_is_verified(context, opened, notice, now):
    heard = parse(context, notice, now)
    assert isinstance(heard, VerifiedNotice)
    assert (heard.payment_no, heard.kind, heard.occurred_at) == (
        opened[0],
        "payment.succeeded",
        now,
    )


def test_header_names_come_in_any_case(context, notice, now):
    lower = {name.lower(): value for name, value in notice.headers.items()}
    heard = GATEWAY.parse_notification(context, lower, notice.body, at=now)
    assert isinstance(heard, VerifiedNotice)


@pytest.mark.parametrize(
    "headers",
    [
        {SIGNATURE_HEADER: "0" * 64},
        {SIGNATURE_HEADER: ""},
        {SIGNATURE_HEADER: "签名\udc80"},
        {SIGNATURE_HEADER: "A" * 100_000},
        {TIMESTAMP_HEADER: "1"},
        {TIMESTAMP_HEADER: ""},
        {TIMESTAMP_HEADER: "٣"},
    ],
)
def test_09_forged_headers_are_refused(context, notice, now, headers):
    assert parse(context, notice, now, headers=headers) == NoticeRefused("bad_signature")


def test_09_missing_headers_are_refused(context, notice, now):
    heard = GATEWAY.parse_notification(context, {}, notice.body, at=now)
    assert heard == NoticeRefused("bad_signature")


def test_09_the_right_signature_over_another_body_is_refused(context, notice, now):
    body = notice.body.replace(b"succeeded", b"failed")
    assert parse(context, notice, now, body=body) == NoticeRefused("bad_signature")


def test_an_answer_is_not_a_notice(context, opened, peer, notice, now):
    """What is signed for one purpose does not count for the other."""
    answer = peer.query(opened[0], now)
    headers = {SIGNATURE_HEADER: answer.signature}
    heard = parse(context, notice, now, body=answer.body, headers=headers)
    assert heard == NoticeRefused("bad_signature")


def test_09_another_merchants_key_is_refused(context, notice, now, tmp_path):
    other = replace(context, options=dict(context.options) | {"keys_dir": str(tmp_path / "other")})
    assert parse(other, notice, now) == NoticeRefused("bad_signature")


@pytest.mark.parametrize("change", [{"merchant": "other"}, {"mode": "live"}])
def test_15_a_notice_for_somebody_else_is_refused(context, notice, now, change):
    assert parse(replace(context, **change), notice, now) == NoticeRefused("not_ours")


@pytest.mark.parametrize(
    ("skew", "believed"),
    [
        (timedelta(minutes=4), True),
        (timedelta(minutes=-4), True),
        (FIVE_MINUTES, True),
        (-FIVE_MINUTES, True),
        (timedelta(seconds=301), False),
        (timedelta(minutes=-6), False),
        (timedelta(minutes=6), False),
        (timedelta(hours=-1), False),
        (timedelta(days=365), False),
    ],
)
def test_16_17_notices_are_believed_five_minutes_either_way(context, notice, now, skew, believed):
    heard = parse(context, notice, now + skew)
    assert isinstance(heard, VerifiedNotice) if believed else heard == NoticeRefused("stale")


def signed(peer, body, now):
    stamp = str(int(now.timestamp()))
    signature = peer.sign(b"notice", stamp.encode(), body)
    return {TIMESTAMP_HEADER: stamp, SIGNATURE_HEADER: signature}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"id": 1, "kind": "k", "payment_no": "n", "occurred_ms": 1}',
        b'{"id": "i", "kind": "k", "payment_no": "n", "occurred_ms": "1"}',
        b'{"id": "i", "kind": "k", "payment_no": "n", "occurred_ms": 1e400}',
        b'{"id": "i", "kind": "k", "payment_no": "n", "occurred_ms": 99999999999999999999}',
        b'{"id": "i", "kind": "k", "payment_no": "n\\u0000", "occurred_ms": 1}',
        b'{"id": "i", "kind": "k", "payment_no": "' + b"9" * 33 + b'", "occurred_ms": 1}',
    ],
)
def test_42_a_signed_body_that_makes_no_sense_is_malformed(context, peer, now, body):
    heard = GATEWAY.parse_notification(context, signed(peer, body, now), body, at=now)
    assert heard == NoticeRefused("malformed")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from([SIGNATURE_HEADER, TIMESTAMP_HEADER, "X"]), st.text(max_size=80)
    ),
    st.binary(max_size=200),
)
def test_42_hostile_input_is_refused_and_never_raises(context, now, headers, body):
    heard = GATEWAY.parse_notification(context, headers, body, at=now)
    assert heard == NoticeRefused("bad_signature")


def test_acks():
    assert (GATEWAY.ack(None).status, GATEWAY.ack(None).body) == (200, b"ok")
    assert GATEWAY.ack(NoticeRefused("bad_signature")).status == 401
    assert GATEWAY.ack(NoticeRefused("stale")).status == 400
