"""Stripe: the statement of a day is whole, of that day, and says what the account's truth says."""

import hashlib
import json
from datetime import timedelta

import pytest

from diandian.kernel.clock import business_day, day_starts
from diandian.payments.gateways.stripe.gateway import GATEWAY
from diandian.payments.messages import Done, Rejected, Unknown
from diandian.payments.statements import NOT_READY
from tests.payments.gateways import stripe_kit

pytestmark = pytest.mark.pure
MOVES = "/v1/balance_transactions"
shop = stripe_kit.shop


@pytest.fixture
def morning(shop):
    """Begin at nine in the morning of a business day that no test used before."""
    begins = day_starts(business_day(shop.now) + timedelta(days=1)) + timedelta(hours=9)
    shop.levers("clock", now=int(begins.timestamp()))
    return business_day(begins)


def fetch(shop, day, kind="funds", after=timedelta(hours=1)):
    at = day_starts(day + timedelta(days=1)) + after
    return GATEWAY.fetch_statement(shop.context, day, kind, at=at)


def in_short(statement):
    return [(line.kind, line.our_no, line.gross_minor, line.fee_minor) for line in statement.lines]


def a_busy_day(shop):
    payment_no = shop.paid(1_000)
    shop.refund(payment_no, minor=100)
    (leg,) = GATEWAY.split(
        shop.context, shop.split_request(payment_no, 800), at=shop.now
    ).value.legs
    back = shop.reversal_request(payment_no, leg, 50)
    GATEWAY.reverse_split(shop.context, back, at=shop.now)
    shop.lever("dispute", number=payment_no, status="needs_response")
    shop.lever("payout", amount=70)
    return payment_no


def test_38_funds_hold_every_movement_with_its_number_and_fee(shop, morning):
    payment_no = a_busy_day(shop)
    statement = fetch(shop, morning).value
    assert in_short(statement) == [
        ("payment", payment_no, 1_000, 59),
        ("refund", f"R{payment_no}", -100, 0),
        ("split", f"S{payment_no}", -800, 0),
        ("reversal", f"V{payment_no}", 50, 0),
        ("dispute", "", -1_000, 1_500),
        ("payout", "", -70, 0),
    ]
    assert all(line.net_minor == line.gross_minor - line.fee_minor for line in statement.lines)
    assert sum(line.net_minor for line in statement.lines) == sum(
        move["net"] for move in shop.truth()["movements"]
    )
    assert {line.currency for line in statement.lines} == {"USD"}


@pytest.mark.parametrize("alone", [False, True])
def test_the_fee_of_a_chargeback_that_comes_back_is_the_chargebacks(shop, morning, alone):
    payment_no = shop.paid(1_000)
    made = shop.lever("dispute", number=payment_no, status="needs_response")
    shop.lever("dispute", number=payment_no, status="won", back=1_500, alone=alone)
    lines = [line for line in fetch(shop, morning).value.lines if line.kind != "payment"]
    back = [(1_000, 0, 1_000), (0, -1_500, 1_500)] if alone else [(1_000, -1_500, 2_500)]
    assert [(line.gross_minor, line.fee_minor, line.net_minor) for line in lines] == [
        (-1_000, 1_500, -2_500),
        *back,
    ]
    assert {(line.kind, line.gateway_ref) for line in lines} == {("dispute", made["id"])}
    # Heard of for the first time after its end: what it cost is told all the same.
    [dispute] = shop.query(payment_no).value.disputes
    assert (dispute.state, dispute.fee_minor) == ("won", 1_500)


def test_38_trades_hold_payments_and_refunds_alone(shop, morning):
    payment_no = a_busy_day(shop)
    statement = fetch(shop, morning, "trades").value
    assert in_short(statement) == [
        ("payment", payment_no, 1_000, 59),
        ("refund", f"R{payment_no}", -100, 0),
    ]
    assert statement.lines[0].gateway_ref == shop.query(payment_no).value.gateway_ref
    assert [line.payment_no for line in statement.lines] == ["", payment_no]


def test_38_a_converted_trade_is_in_the_guests_currency_and_its_fund_in_ours(shop, morning):
    shop.paid(1_000, "JPY")
    (trade,) = fetch(shop, morning, "trades").value.lines
    (fund,) = fetch(shop, morning, "funds").value.lines
    assert (trade.currency, trade.gross_minor, trade.fee_minor) == ("JPY", 1_000, 0)
    assert (fund.currency, fund.fee_minor) == ("USD", 59)


def test_38_a_refund_that_failed_is_a_second_line(shop, morning):
    payment_no = shop.paid()
    shop.refund(payment_no, minor=100)
    shop.lever("refund", refund_no=f"R{payment_no}", status="failed")
    lines = fetch(shop, morning, "trades").value.lines
    assert [(line.gross_minor, line.status) for line in lines[1:]] == [
        (-100, "refund"),
        (100, "refund_failure"),
    ]


def test_38_a_day_ends_at_midnight_in_shanghai(shop, morning):
    ends = int(day_starts(morning + timedelta(days=1)).timestamp())
    shop.levers("clock", now=ends - 1)
    last = shop.paid()
    shop.levers("clock", now=ends)
    first = shop.paid()
    today, tomorrow = fetch(shop, morning).value, fetch(shop, morning + timedelta(days=1)).value
    assert [line.our_no for line in today.lines] == [last]
    assert [line.our_no for line in tomorrow.lines] == [first]


def test_39_before_the_day_is_over_there_is_none(shop, morning):
    assert fetch(shop, morning, after=timedelta(minutes=59)) == Rejected(NOT_READY)
    empty = fetch(shop, morning).value
    assert (empty.lines, empty.is_proven) == ((), True)


def test_39_many_pages_are_one_statement(shop, morning):
    numbers = [shop.paid() for _ in range(205)]
    statement = fetch(shop, morning, "trades").value
    assert [line.our_no for line in statement.lines] == numbers


def test_39_the_kept_file_has_its_digest_and_names_no_payer(shop, morning):
    shop.paid()
    statement = fetch(shop, morning).value
    assert statement.sha256 == hashlib.sha256(statement.raw).hexdigest()
    assert b"billing_details" not in statement.raw
    assert json.loads(statement.raw)["source"]["object"] == "charge"


def a_list(*entries, more=False):
    return json.dumps({"object": "list", "data": entries, "has_more": more})


def a_move(shop, **changes):
    stamp = int(shop.now.timestamp())
    facts = {"id": "txn_1", "type": "charge", "amount": 5, "fee": 1, "net": 4, "currency": "usd"}
    return facts | {"created": stamp, "source": "ch_1", "reporting_category": "charge"} | changes


@pytest.mark.parametrize(
    "fault",
    [
        "cut off",
        "twice",
        "another day",
        "sum",
        "no amount",
        "float",
        "huge",
        "half closed",
        "html",
        "gbk",
    ],
)
def test_39_a_statement_that_is_not_whole_is_never_read(shop, morning, fault):
    move = a_move(shop)
    bodies = {
        "cut off": a_list(more=True),
        "twice": a_list(move, move),
        "another day": a_list(move | {"created": move["created"] - 86_400}),
        "sum": a_list(move | {"net": 5}),
        "no amount": a_list({k: v for k, v in move.items() if k != "amount"}),
        "float": a_list(move | {"amount": 5.0}),
        "huge": a_list(move | {"amount": 10**30}),
        "html": "<html>Bad Gateway</html>",
        "gbk": "点点".encode("gbk").decode("latin-1"),
    }
    if fault == "half closed":
        shop.fault("half_closed", MOVES)
    else:
        shop.fault("raw", MOVES, body=bodies[fault])
    assert isinstance(fetch(shop, morning), Unknown)
    assert isinstance(fetch(shop, morning), Done)


def test_a_movement_of_an_unknown_kind_is_shown_as_other(shop, morning):
    move = a_move(shop, type="climate_order_purchase", source=None)
    shop.fault("raw", MOVES, body=a_list(move))
    (line,) = fetch(shop, morning).value.lines
    assert (line.kind, line.gateway_ref, line.status) == (
        "other",
        "txn_1",
        "climate_order_purchase",
    )


def test_33_a_refund_made_in_the_console_names_the_charge_that_it_gives_back(shop, morning):
    payment_no = shop.paid(1_000)
    made = shop.lever("refund", number=payment_no, amount=40)
    lines = fetch(shop, morning).value.lines
    paid, back = lines
    assert (back.gateway_ref, back.our_no, back.payment_no) == (made["id"], "", "")
    assert back.payment_ref == paid.gateway_ref


def test_a_chargeback_names_the_charge_that_a_bank_took(shop, morning):
    payment_no = shop.paid(1_000)
    shop.lever("dispute", number=payment_no, status="needs_response")
    paid, taken = fetch(shop, morning).value.lines
    assert (taken.kind, taken.payment_no, taken.payment_ref) == ("dispute", "", paid.gateway_ref)
