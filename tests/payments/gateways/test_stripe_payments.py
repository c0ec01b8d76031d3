"""Stripe: opening, asking and closing payments, against a peer in its own process."""

import json
import subprocess
import sys
from datetime import timedelta
from time import monotonic

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diandian.kernel.money import EXPONENTS, Money
from diandian.payments import rules
from diandian.payments.gateway import Gateway, gateways
from diandian.payments.gateways.stripe import snapshots
from diandian.payments.gateways.stripe.gateway import GATEWAY
from diandian.payments.lines import AT_REST
from diandian.payments.messages import NOT_FOUND, Done, Rejected, Unknown
from tests.payments.gateways import stripe_kit
from tests.payments.gateways.stripe_kit import LIFE, number

pytestmark = pytest.mark.pure
shop = stripe_kit.shop
CHARGES, PAGES = "/v1/charges", "/v1/checkout/sessions"
HALF_AN_HOUR = 1_800


def pages_of(shop, payment_no):
    return [page for page in shop.truth()["pages"] if page["client_reference_id"] == payment_no]


def differs(shop, payment_no, minor=804, currency="USD"):
    """Name what an answer differs in, as the product compares it."""
    outcome = shop.query(payment_no)
    if not isinstance(outcome, Done):
        return outcome
    return rules.mismatches(
        outcome.value,
        payment_no=payment_no,
        merchant=shop.context.account,
        mode="test",
        amount=Money(minor, currency),
    )


def test_it_keeps_the_contract():
    assert gateways()["stripe"] is GATEWAY
    assert isinstance(GATEWAY, Gateway)
    assert GATEWAY.pay_origins == ("https://checkout.stripe.com",)


def test_a_payment_goes_from_its_page_to_succeeded(shop):
    payment_no = number()
    opened = shop.create(payment_no)
    assert isinstance(opened, Done)
    assert opened.value.kind == "redirect"
    assert opened.value.url.startswith(f"{shop.levers.url}/c/pay/cs_test_")
    assert shop.query(payment_no).value.state == "pending"
    shop.lever("decide", number=payment_no, how="pay")
    snapshot = shop.query(payment_no).value
    assert (snapshot.state, snapshot.amount_minor, snapshot.currency) == ("succeeded", 804, "USD")
    assert (snapshot.payment_no, snapshot.merchant) == (payment_no, shop.facts["account"])
    assert snapshot.fee_minor == 804 * 290 // 10_000 + 30
    assert snapshot.paid_at == shop.now
    assert snapshot.gateway_ref.startswith("ch_")


def test_creation_repeated_leads_to_the_same_page(shop):
    payment_no = number()
    first = shop.create(payment_no)
    assert shop.create(payment_no) == first
    # Another process, a minute later, so with another deadline: refused, and looked up.
    shop.levers("clock", advance=60)
    assert shop.elsewhere().create(payment_no) == first
    assert len(pages_of(shop, payment_no)) == 1


def test_another_process_sees_and_closes_what_this_one_opened(shop):
    payment_no = number()
    shop.create(payment_no)
    other = shop.elsewhere()
    assert other.query(payment_no).value.state == "pending"
    assert other.close(payment_no) == Done("closed")
    assert shop.query(payment_no).value.state == "closed"


def test_a_payment_that_nobody_made_is_not_found(shop):
    payment_no = number()
    assert shop.query(payment_no) == Rejected(NOT_FOUND)
    assert shop.close(payment_no) == Done("not_found_yet")


def test_08_a_declined_card_leaves_the_page_open(shop):
    payment_no = number()
    shop.create(payment_no)
    shop.lever("decide", number=payment_no, how="decline")
    assert shop.query(payment_no).value.state == "pending"
    shop.lever("decide", number=payment_no, how="pay")
    assert shop.query(payment_no).value.state == "succeeded"


def test_11_a_payment_that_takes_days_is_pending_until_it_is_settled(shop):
    for how, state in (("pay", "succeeded"), ("decline", "failed")):
        payment_no = number()
        shop.create(payment_no)
        shop.lever("decide", number=payment_no, how="waits")
        assert shop.query(payment_no).value.state == "pending"
        shop.lever("settle", number=payment_no, how=how)
        assert shop.query(payment_no).value.state == state


def test_the_page_lives_at_least_half_an_hour_and_as_long_as_asked(shop):
    for life in (timedelta(minutes=1), timedelta(minutes=45)):
        opened = shop.create(expires_at=shop.now + life)
        assert isinstance(opened, Done), opened
    assert shop.create(expires_at=shop.now) == Rejected("expired")


def test_a_page_that_leads_elsewhere_is_not_given_to_the_guest(shop):
    shop.fault(
        "altered", PAGES, method="POST", facts={"url": "https://checkout.stripe.com.evil.example/x"}
    )
    assert isinstance(shop.create(), Unknown)


# -- rows of the fault table ----------------------------------------------------------------------


@pytest.mark.parametrize("minor", [803, 805])
def test_13_a_unit_more_or_less_is_a_difference(shop, minor):
    payment_no = number()
    shop.create(payment_no)
    shop.lever("decide", number=payment_no, how="pay", altered={"amount": minor})
    assert differs(shop, payment_no) == ("amount",)


def test_13_the_total_counts_and_not_what_was_left_of_it(shop):
    payment_no = shop.paid()
    shop.refund(payment_no, minor=300)
    snapshot = shop.query(payment_no).value
    assert (snapshot.amount_minor, snapshot.refunded_minor) == (804, 300)


def test_13_two_charges_for_one_payment_are_a_difference(shop):
    payment_no, other = shop.paid(), shop.paid()
    (mine,) = snapshots.charges_of(shop.context, payment_no, at=shop.now)
    (theirs,) = snapshots.charges_of(shop.context, other, at=shop.now)
    doubled = [theirs, mine]
    found = {"object": "list", "has_more": False, "data": doubled}
    shop.fault("raw", CHARGES, body=json.dumps(found))
    assert differs(shop, payment_no) == ("amount",)


def test_14_another_currency_is_a_difference(shop):
    payment_no = number()
    shop.create(payment_no)
    shop.lever("decide", number=payment_no, how="pay", altered={"currency": "hkd"})
    assert differs(shop, payment_no) == ("currency",)


@pytest.mark.parametrize(("currency", "minor"), [("JPY", 804), ("KRW", 1_200), ("KWD", 1_250)])
def test_14_currencies_of_no_and_three_digits_are_never_scaled(shop, currency, minor):
    payment_no = shop.paid(minor, currency)
    assert differs(shop, payment_no, minor, currency) == ()
    assert {page["amount_total"] for page in pages_of(shop, payment_no)} == {minor}


def test_14_the_last_of_three_digits_must_be_zero(shop):
    assert shop.create(minor=1_255, currency="KWD") == Rejected("amount_out_of_range")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(currency=st.sampled_from(sorted(EXPONENTS)), data=st.data())
def test_14_every_amount_in_range_comes_back_as_it_went(shop, currency, data):
    least, most = GATEWAY.capabilities(shop.context).limits_minor[currency]
    minor = data.draw(st.integers(least, most))
    if currency == "KWD":
        minor -= minor % 10
    payment_no = shop.paid(minor, currency)
    assert differs(shop, payment_no, minor, currency) == ()
    snapshot = shop.query(payment_no).value
    assert snapshot.fee_minor is None or currency == "USD"


def test_15_live_money_is_no_test_money(shop):
    payment_no = shop.paid()
    shop.fault("altered", CHARGES, facts={"livemode": True})
    assert differs(shop, payment_no) == ("mode",)


def test_15_a_key_of_another_merchant_moves_nothing(shop):
    other = shop.levers("account")
    (shop.folder / "key").write_text(other["keys"][0], encoding="utf-8")
    refused = shop.create()
    assert (refused.code, refused.retryable) == ("wrong_merchant", True)
    assert not shop.levers("truth")[other["account"]]["pages"]


def test_15_a_live_key_is_not_used_in_a_test_nor_the_other_way_round(shop):
    live = shop.levers("account", is_live=True)
    (shop.folder / "key").write_text(live["keys"][0], encoding="utf-8")
    assert shop.create().code == "not_set_up"


def test_15_an_answer_about_another_payment_is_a_difference(shop):
    payment_no = shop.paid()
    shop.fault("altered", CHARGES, facts={"metadata": {"payment_no": "DD999"}})
    assert "payment_no" in differs(shop, payment_no)


@pytest.mark.parametrize("kind", ["timeout_done", "reset_done", "half_closed"])
def test_18_a_creation_whose_answer_was_lost_goes_on_as_the_same_page(shop, kind):
    payment_no = number()
    shop.fault(kind, PAGES, method="POST")
    assert isinstance(shop.create(payment_no), Unknown)
    assert shop.query(payment_no).value.state == "pending"
    again = shop.create(payment_no)
    assert isinstance(again, Done)
    assert [again.value.gateway_ref] == [page["id"] for page in pages_of(shop, payment_no)]


@pytest.mark.parametrize("kind", ["timeout_not_done", "reset"])
def test_19_a_creation_that_never_arrived_is_sent_again_by_the_same_number(shop, kind):
    payment_no = number()
    shop.fault(kind, PAGES, method="POST")
    assert isinstance(shop.create(payment_no), Unknown)
    assert shop.query(payment_no) == Rejected(NOT_FOUND)
    assert isinstance(shop.create(payment_no), Done)
    assert len(pages_of(shop, payment_no)) == 1


def test_22_closing_says_paid_or_unknown(shop):
    payment_no = shop.paid()
    assert shop.close(payment_no) == Done("already_paid")
    payment_no = number()
    shop.create(payment_no)
    shop.fault("status", f"{PAGES}/", method="POST", status=500)
    assert isinstance(shop.close(payment_no), Unknown)
    assert shop.query(payment_no).value.state == "pending"
    assert shop.close(payment_no) == Done("closed")
    assert shop.close(payment_no) == Done("closed")


def test_22_closing_that_was_done_though_its_answer_was_lost(shop):
    payment_no = number()
    shop.create(payment_no)
    shop.fault("timeout_done", f"{PAGES}/", method="POST")
    assert isinstance(shop.close(payment_no), Unknown)
    assert shop.close(payment_no) == Done("closed")


def test_22_a_guest_who_pays_while_we_close(shop):
    payment_no = number()
    shop.create(payment_no)
    # We still see it open; by the time our call arrives it is paid.
    shop.fault("altered", f"{PAGES}/", method="GET", facts={"status": "open"})
    shop.lever("decide", number=payment_no, how="pay")
    assert shop.close(payment_no) == Done("already_paid")


def test_23_not_found_is_said_only_by_a_list_that_was_read_whole(shop):
    payment_no = number()
    for body in ('{"object":"list","data":[],"has_more":true,"url":"/"}', "{}", "[]"):
        shop.fault("raw", CHARGES, body=body)
        assert isinstance(shop.query(payment_no), Unknown)
    missing = '{"error":{"type":"invalid_request_error","code":"resource_missing","message":"x"}}'
    shop.fault("raw", CHARGES, body=missing, status=404)
    assert isinstance(shop.query(payment_no), Unknown)


def test_24_a_page_past_its_time_is_closed(shop):
    payment_no = number()
    shop.create(payment_no)
    shop.levers("clock", advance=int(LIFE.total_seconds()) + 1)
    assert shop.query(payment_no).value.state == "closed"
    assert shop.close(payment_no) == Done("closed")
    assert shop.create(payment_no, expires_at=shop.now + LIFE) == Rejected(
        "closed", "the page of this payment is closed"
    )


def test_33_a_refund_in_the_console_is_seen(shop):
    payment_no = shop.paid()
    shop.lever("refund", number=payment_no, amount=200)
    assert shop.query(payment_no).value.refunded_minor == 200


def test_33_a_refund_that_is_on_its_way_counts_before_the_charge_says_so(shop):
    payment_no = shop.paid()
    shop.refund(payment_no, minor=300)
    shop.fault("altered", CHARGES, facts={"amount_refunded": 0})
    assert shop.query(payment_no).value.refunded_minor == 300


def test_34_a_dispute_is_seen_with_its_fee_until_it_is_won(shop):
    payment_no = shop.paid()
    shop.lever("dispute", number=payment_no, status="warning_needs_response")
    assert shop.query(payment_no).value.disputes == ()
    for status, state in (("needs_response", "open"), ("lost", "lost"), ("won", "won")):
        shop.lever("dispute", number=payment_no, status=status)
        (dispute,) = shop.query(payment_no).value.disputes
        assert (dispute.state, dispute.amount_minor, dispute.fee_minor) == (state, 804, 1_500)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 409},
        {"kind": "html"},
        {"kind": "html", "status": 404},
        {"kind": "html", "status": 302},
        {"kind": "half_closed"},
        {"kind": "reset"},
    ],
    ids=str,
)
def test_41_whatever_is_unclear_is_unknown(shop, fault):
    payment_no = shop.paid()
    shop.fault(path=CHARGES, **fault)
    assert isinstance(shop.query(payment_no), Unknown)
    assert shop.query(payment_no).value.state == "succeeded"


def test_41_too_many_calls_were_certainly_not_done(shop):
    payment_no = number()
    shop.fault("status", PAGES, method="POST", status=429)
    refused = shop.create(payment_no)
    assert (refused.code, refused.retryable) == ("rate_limited", True)
    assert isinstance(shop.create(payment_no), Done)


def test_41_a_refused_connection_was_certainly_not_done(shop):
    shop.with_options(base_url="http://127.0.0.1:1")
    refused = shop.create()
    assert (refused.code, refused.retryable) == ("unreachable", True)


def test_41_the_line_rests_after_five_faults_and_asks_again_later(shop):
    payment_no = shop.paid()
    assert isinstance(shop.query_on_line(payment_no), Done)
    shop.fault("status", CHARGES, status=503, count=5)
    for _ in range(5):
        assert shop.query_on_line(payment_no) == Unknown("status 503")
    assert shop.query_on_line(payment_no) == Unknown(AT_REST)
    assert isinstance(shop.query_on_line(payment_no, seconds=20), Done)


def test_41_a_slow_answer_in_time_is_an_answer(shop):
    payment_no = shop.paid()
    shop.fault("slow", CHARGES, seconds=1)
    shop.with_options(read_seconds="15")
    assert shop.query(payment_no).value.state == "succeeded"


def test_41_an_answer_that_drips_is_not_waited_for(shop):
    payment_no = shop.paid()
    assert isinstance(shop.query(payment_no), Done)
    began = monotonic()
    shop.fault("drip", CHARGES, seconds=0.4)
    assert isinstance(shop.query(payment_no), Unknown)
    # A second to read, and what was on its way.
    assert monotonic() - began < 3


def test_the_vendors_library_reports_nothing_about_this_machine(shop):
    import stripe

    shop.paid()
    assert stripe.enable_telemetry is False


def test_the_vendors_library_is_loaded_by_the_first_call_alone():
    code = "import sys, diandian.payments.gateways.stripe.gateway; print('stripe' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_48_below_the_least_nothing_is_asked(shop):
    for minor, currency in (
        (0, "USD"),
        (49, "USD"),
        (399, "CNY"),
        (49, "JPY"),
        (100_000_000, "USD"),
    ):
        assert shop.create(minor=minor, currency=currency) == Rejected("amount_out_of_range")
    assert not shop.truth()["pages"]
    shop.with_options(least_cny="500")
    assert GATEWAY.capabilities(shop.context).limits_minor["CNY"][0] == 500


def test_48_what_the_gateway_finds_too_small_is_refused_for_good(tmp_path):
    strict = stripe_kit.Shop(stripe_kit.running(), tmp_path).open(least=1_000)
    assert strict.create(minor=900) == Rejected("amount_too_small", "Amount is too small.")
