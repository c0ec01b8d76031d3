"""Stripe: notices are believed by signature, age, form and addressee, in this order."""

import hashlib
import hmac
import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from diandian.payments.gateways.stripe.gateway import GATEWAY
from diandian.payments.messages import MerchantContext, NoticeRefused, VerifiedNotice
from tests.payments.gateways import stripe_kit

pytestmark = pytest.mark.pure
shop = stripe_kit.shop
COMPLETED = "checkout.session.completed"
AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
STAMP = int(AT.timestamp())
BAD = NoticeRefused("bad_signature")


@pytest.fixture
def context(monkeypatch):
    """A merchant whose secret is known to the test; nobody is called."""
    monkeypatch.setenv("STRIPE_TEST_SECRET", "whsec_known")
    options = {"webhook_secret": "env:STRIPE_TEST_SECRET"}
    return MerchantContext("stripe", "test", "acct_ours", options=options)


def event(**changes):
    thing = {"object": "charge", "id": "ch_1", "metadata": {"payment_no": "DD1"}}
    facts = {
        "id": "evt_1",
        "object": "event",
        "type": "charge.succeeded",
        "created": STAMP,
        "livemode": False,
        "data": {"object": thing},
    }
    return facts | changes


def signed(body, *, stamp=STAMP, secret="whsec_known"):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = hmac.new(secret.encode(), f"{stamp}.".encode() + text, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={stamp},v1={signature}"}, text


def heard(context, headers, body, at=AT):
    return GATEWAY.parse_notification(context, headers, body, at=at)


def test_a_right_notice_names_its_payment(shop):
    payment_no = shop.paid()
    notice = shop.hear(type=COMPLETED, number=payment_no)
    assert isinstance(notice, VerifiedNotice)
    assert (notice.kind, notice.payment_no) == (COMPLETED, payment_no)
    assert notice.occurred_at == shop.now
    assert GATEWAY.ack(None).status == 200


def test_every_kind_that_we_ask_for_is_understood(shop):
    payment_no = shop.paid()
    charge = shop.query(payment_no).value.gateway_ref
    shop.refund(payment_no, minor=100)
    GATEWAY.split(shop.context, shop.split_request(payment_no, 500), at=shop.now)
    shop.lever("dispute", number=payment_no, status="needs_response")
    expected = {
        "charge.succeeded": (payment_no, charge, ""),
        "payment_intent.succeeded": (payment_no, "", ""),
        "charge.refunded": (payment_no, charge, ""),
        "refund.created": (payment_no, charge, f"R{payment_no}"),
        "transfer.created": (payment_no, charge, ""),
        "charge.dispute.created": ("", charge, ""),
    }
    for kind, (number, ref, refund_no) in expected.items():
        notice = shop.hear(type=kind)
        assert (notice.payment_no, notice.gateway_ref, notice.refund_no) == (number, ref, refund_no)


def test_a_refund_made_in_the_console_names_its_charge(shop):
    payment_no = shop.paid()
    shop.lever("refund", number=payment_no, amount=100)
    notice = shop.hear(type="refund.created")
    assert (notice.payment_no, notice.refund_no) == ("", "")
    assert notice.gateway_ref == shop.query(payment_no).value.gateway_ref


# -- rows of the fault table ----------------------------------------------------------------------


@pytest.mark.parametrize("how", ["forged", "other_body", "unsigned", "garbage"])
def test_09_what_the_gateway_did_not_sign_is_refused(shop, how):
    payment_no = shop.paid()
    refused = shop.hear(type=COMPLETED, number=payment_no, how=how)
    assert refused == BAD
    assert GATEWAY.ack(refused).status == 401


def test_09_a_notice_for_another_merchant_is_no_notice_for_us(shop):
    other = stripe_kit.Shop(shop.levers, shop.folder / "other").open()
    payment_no = other.paid()
    notice = other.lever("notice", type=COMPLETED, number=payment_no)
    assert heard(shop.context, notice["headers"], notice["body"].encode(), shop.now) == BAD


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=",
        "t=1795338000",
        "v1=aa",
        "t=1795338000,v1=",
        "t=1795338000,v1=zz",
        "t=1795338000,v0=" + "a" * 64,
        "t=99999999999999999999,v1=" + "a" * 64,
        "t=-5,v1=" + "a" * 64,
        "t=１７９５３３８０００,v1=" + "a" * 64,
        "t=1,t=1,v1=" + "a" * 64,
        "=,=,=" * 2_000,
        "\x00\ud800",
    ],
)
def test_09_garbage_in_the_header_is_refused(context, header):
    assert heard(context, {"Stripe-Signature": header}, b"{}") == BAD
    assert heard(context, {}, b"{}") == BAD


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(max_size=200), st.binary(max_size=200))
def test_09_any_header_and_body_end_in_a_refusal(context, header, body):
    assert heard(context, {"stripe-signature": header}, body) == BAD


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.binary(max_size=300) | _JSON.map(lambda v: json.dumps(v).encode()))
@example(body=b"[" * 200_000)
@example(body=b'{"a":' * 100_000)
@example(body=b"9" * 10_000)
@example(body=b"\xff\xfe")
@example(body="<html>点</html>".encode("gbk"))
def test_42_signed_bytes_of_any_form_end_in_a_refusal(context, body):
    headers, body = signed(body)
    assert heard(context, headers, body) == NoticeRefused("malformed")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(["id", "type", "created", "livemode", "data", "object", "account"]), _JSON)
def test_42_a_signed_event_with_any_fact_of_any_type_never_breaks(context, name, value):
    found = heard(context, *signed(event(**{name: value})))
    assert isinstance(found, VerifiedNotice | NoticeRefused)
    if isinstance(found, VerifiedNotice):
        assert len(found.notice_id) <= 80
        assert len(found.kind) <= 40
        assert found.payment_no == "DD1"


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(["checkout.session", "refund", "charge", "dispute", "transfer", "x"]),
    st.dictionaries(
        st.sampled_from(["id", "metadata", "charge", "client_reference_id", "source_transaction"]),
        _JSON,
    ),
)
def test_42_whatever_an_event_is_about_never_breaks(context, what, facts):
    found = heard(context, *signed(event(data={"object": facts | {"object": what}})))
    assert isinstance(found, VerifiedNotice | NoticeRefused)


def test_15_live_and_test_never_meet(context):
    refused = heard(context, *signed(event(livemode=True)))
    assert refused == NoticeRefused("not_ours")
    assert heard(replace(context, mode="live"), *signed(event())) == NoticeRefused("not_ours")


def test_15_an_event_of_a_connected_account_is_not_ours(context):
    assert heard(context, *signed(event(account="acct_theirs"))) == NoticeRefused("not_ours")
    assert isinstance(heard(context, *signed(event(account="acct_ours"))), VerifiedNotice)
    # It came from the gateway; asking for it again would change nothing.
    assert GATEWAY.ack(NoticeRefused("not_ours")).status == 200


def test_an_event_that_names_no_payment_is_not_ours(context):
    payout = {"object": "payout", "id": "po_1", "metadata": {}}
    assert heard(context, *signed(event(data={"object": payout}))) == NoticeRefused("not_ours")


@pytest.mark.parametrize("age", [301, 3_600, 365 * 86_400])
def test_16_an_old_notice_is_stale(context, age):
    headers, body = signed(event())
    refused = heard(context, headers, body, AT + timedelta(seconds=age))
    assert refused == NoticeRefused("stale")
    assert GATEWAY.ack(refused).status == 400


@pytest.mark.parametrize("shift", [-360, -301, 301, 360, 3_600])
def test_17_outside_five_minutes_either_way_is_refused(context, shift):
    headers, body = signed(event(), stamp=STAMP + shift)
    assert heard(context, headers, body) == NoticeRefused("stale")


@pytest.mark.parametrize("shift", [-300, -240, 0, 240, 300])
def test_17_within_five_minutes_either_way_is_heard(context, shift):
    headers, body = signed(event(), stamp=STAMP + shift)
    assert isinstance(heard(context, headers, body), VerifiedNotice)


def test_the_order_is_signature_age_form_addressee(context):
    """Each refusal hides what comes after it."""
    late = STAMP - 3_600
    assert heard(context, *signed(b"x", stamp=late, secret="whsec_other")) == BAD
    assert heard(context, *signed(b"x", stamp=late)) == NoticeRefused("stale")
    foreign = event(livemode=True, created="x")
    assert heard(context, *signed(foreign)) == NoticeRefused("malformed")
    assert heard(context, *signed(event(livemode=True))) == NoticeRefused("not_ours")


def test_40_old_and_new_secret_are_both_taken_in_the_overlap(shop):
    payment_no = shop.paid()
    asked = {"type": COMPLETED, "number": payment_no}
    new = shop.lever("key", what="secret")["secrets"][1]
    assert isinstance(shop.hear(**asked), VerifiedNotice)
    shop.lever("key", what="revoke_secret")
    assert shop.hear(**asked) == BAD
    (shop.folder / "secret2").write_text(new, encoding="utf-8")
    shop.with_options(webhook_secret_2=f"file:{shop.folder / 'secret2'}")
    assert isinstance(shop.hear(**asked), VerifiedNotice)


def test_40_without_a_secret_nothing_is_believed_and_nobody_is_called(context):
    bare = replace(context, options={"base_url": "http://127.0.0.1:1"})
    refused = heard(bare, *signed(event(), secret=""))
    assert refused == NoticeRefused("unknown_key")
    assert GATEWAY.ack(refused).status == 401


def test_40_old_and_new_api_key_are_both_taken_in_the_overlap(shop):
    payment_no = shop.paid()
    new = shop.lever("key", what="key")["keys"][1]
    (shop.folder / "key2").write_text(new, encoding="utf-8")
    shop.with_options(api_key_2=f"file:{shop.folder / 'key2'}")
    assert shop.query(payment_no).value.state == "succeeded"
    shop.lever("key", what="revoke_key")
    assert shop.query(payment_no).value.state == "succeeded"
    assert shop.refund(payment_no).value.state == "succeeded"
    (shop.folder / "key2").write_text("sk_test_none", encoding="utf-8")
    refused = shop.query(payment_no)
    assert (refused.code, refused.retryable) == ("wrong_key", True)


# -- a second opinion: the vendor's own check -----------------------------------------------------


def test_the_vendors_library_takes_what_we_take(shop):
    import stripe

    payment_no = shop.paid()
    notice = shop.lever("notice", type=COMPLETED, number=payment_no)
    header, body = notice["headers"]["Stripe-Signature"], notice["body"].encode()
    seen = stripe.WebhookSignature.verify_header(body, header, shop.facts["secrets"][0], None)
    assert seen is True
    assert isinstance(heard(shop.context, notice["headers"], body, shop.now), VerifiedNotice)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")),
    secret=st.sampled_from(["whsec_known", "whsec_other"]),
    touched=st.booleans(),
)
def test_the_vendors_library_refuses_what_we_refuse(context, body, secret, touched):
    import stripe

    headers, body = signed(body, secret=secret)
    body += b" " if touched else b""
    try:
        theirs = stripe.WebhookSignature.verify_header(
            body, headers["Stripe-Signature"], "whsec_known", None
        )
    except stripe.SignatureVerificationError:
        theirs = False
    assert (heard(context, headers, body) != BAD) == theirs


def test_the_vendors_library_lets_the_future_pass_and_we_do_not(context):
    import stripe

    ahead = int(time.time()) + 86_400
    headers, body = signed(event(), stamp=ahead)
    header = headers["Stripe-Signature"]
    assert stripe.WebhookSignature.verify_header(body, header, "whsec_known", 300) is True
    now = datetime.fromtimestamp(ahead - 86_400, UTC)
    assert heard(context, headers, body, now) == NoticeRefused("stale")
