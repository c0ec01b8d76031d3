"""The sandbox's statements: signed, of one day, whole or refused."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from diandian.kernel.money import Money
from diandian.payments.gateways.sandbox import (
    disputes,
    movements,
    refunds,
    statement,
    statement_peer,
)
from diandian.payments.gateways.sandbox.gateway import GATEWAY
from diandian.payments.gateways.sandbox.splits import CLOSED_RECEIVER
from diandian.payments.messages import Done, RefundRequest, Rejected
from diandian.payments.splits import ReversalRequest, SplitLeg, SplitRequest
from diandian.payments.statements import NOT_READY

pytestmark = pytest.mark.pure

DAY = date(2026, 11, 22)
TEN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture
def paid(opened, peer, now):
    number, token = opened
    peer.decide(token, "paid", now)
    return number


def lines(context, kind="trades", day=DAY, at=TEN):
    outcome = GATEWAY.fetch_statement(context, day, kind, at=at)
    assert isinstance(outcome, Done), outcome
    assert (outcome.value.day, outcome.value.kind, outcome.value.is_proven) == (day, kind, True)
    return [
        (each.kind, each.our_no, each.gross_minor, each.fee_minor, each.net_minor)
        for each in outcome.value.lines
    ]


def test_38_both_kinds_tell_the_same_money(context, paid):
    assert GATEWAY.capabilities(context).statements == ("trades", "funds")
    assert lines(context) == [("payment", paid, 804, 5, 799)]
    assert lines(context, "funds") == [("payment", paid, 804, 0, 804), ("fee", paid, -5, 0, -5)]
    assert lines(context, day=DAY + timedelta(days=1), at=TEN + timedelta(days=1)) == []


def test_a_refund_stands_on_the_day_on_which_it_was_made(context, paid, make_request):
    request = make_request()
    asked = RefundRequest("R1", paid, request.amount, request.amount, "decided")
    GATEWAY.refund(context, asked, at=TEN)
    GATEWAY.refund(context, asked, at=TEN + timedelta(days=9))  # the same again
    assert ("refund", "R1", -804, 0, -804) not in lines(context)
    after = DAY + timedelta(days=1)
    assert lines(context, day=after, at=TEN + timedelta(days=1)) == [
        ("refund", "R1", -804, 0, -804)
    ]


def test_33_a_refund_made_by_hand_names_its_payment(context, paid, peer):
    peer.refund(refund_no="H1", payment_no=paid, amount_minor=4, currency="CNY")
    outcome = GATEWAY.fetch_statement(context, DAY, "trades", at=TEN)
    [line] = [each for each in outcome.value.lines if each.kind == "refund"]
    assert (line.our_no, line.payment_no, line.gross_minor) == ("H1", paid, -4)


def test_33_a_refund_made_by_hand_stands_on_the_day_on_which_it_was_made(context, paid, peer):
    refunds.by_hand(peer, paid, 4, TEN)
    assert [line for line in lines(context) if line[0] == "refund"] == []
    after = lines(context, day=DAY + timedelta(days=1), at=TEN + timedelta(days=1))
    assert [(kind, gross) for kind, _, gross, *_ in after] == [("refund", -4)]


def test_unpaid_and_foreign_trades_are_not_listed(context, opened, peer, now):
    assert lines(context) == []
    peer.decide(opened[1], "paid", now)
    peer.run("UPDATE trade SET merchant = 'somebody'", ())
    assert lines(context) == []


def test_39_there_is_none_before_ten_o_clock(context, paid):
    early = GATEWAY.fetch_statement(context, DAY, "trades", at=TEN - timedelta(seconds=1))
    assert early == Rejected(NOT_READY, retryable=True)


WHOLE = statement_peer._file(
    [("payment", "ref", "P1", "", 804, 5, 799, "CNY", 1_795_000_000_000, "succeeded")]
)


def test_a_whole_file_is_read():
    [line] = statement.read(WHOLE)
    assert (line.gateway_ref, line.gross_minor, line.status) == ("ref", 804, "succeeded")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no head\nend,0\n",
        WHOLE[:-6],
        WHOLE[: len(WHOLE) // 2],
        WHOLE.replace(b"end,1", b"end,2"),
        WHOLE.replace(b"payment,", b"gift,"),
        WHOLE.replace(b"804", b"8.04"),
        WHOLE.replace(b",succeeded", b""),
        WHOLE.replace(b"succeeded", b"\xff\xfe"),
        WHOLE + b"payment\n",
    ],
)
def test_39_a_file_that_is_not_whole_is_refused(body):
    with pytest.raises(ValueError):
        statement.read(body)


# -- what else moves money -----------------------------------------------------------------------


def moved(context, kind="funds"):
    outcome = GATEWAY.fetch_statement(context, DAY, kind, at=TEN)
    return [
        (each.kind, each.our_no or each.gateway_ref, each.payment_no, each.net_minor)
        for each in outcome.value.lines
        if each.kind not in {"payment", "fee"}
    ]


def test_parts_and_what_was_taken_back_stand_on_both_accounts(context, paid, now):
    after = now + timedelta(minutes=2)
    leg = SplitLeg("L1", "supplier", Money(300, "CNY"))
    asked = SplitRequest("S1", paid, "", (leg,))
    assert isinstance(GATEWAY.split(context, asked, at=after), Done)
    GATEWAY.split(context, asked, at=after + timedelta(days=1))  # the same again
    back = ReversalRequest("V1", "S1", paid, "", "L1", "", "supplier", Money(50, "CNY"))
    GATEWAY.reverse_split(context, back, at=after)
    assert moved(context) == [("split", "S1", paid, -300), ("reversal", "V1", paid, 50)]
    assert moved(context, "trades") == []
    supplier = replace(context, merchant="supplier")
    assert moved(supplier) == [("split", "S1", paid, 300), ("reversal", "V1", paid, -50)]


def test_a_leg_that_failed_moved_nothing(context, paid, now):
    leg = SplitLeg("L1", CLOSED_RECEIVER, Money(300, "CNY"))
    asked = SplitRequest("S1", paid, "", (leg,))
    GATEWAY.split(context, asked, at=now + timedelta(minutes=2))
    assert moved(context) == []


def test_a_chargeback_is_taken_with_its_fee_and_given_back_when_it_is_won(context, paid, peer, now):
    number, _ = disputes.begin(peer, paid, amount_minor=804, fee_minor=500, now=now)
    assert moved(context) == [("dispute", number, paid, -1304)]
    disputes.end(peer, number, "won", now)
    assert moved(context) == [("dispute", number, paid, -1304), ("dispute", number, paid, 804)]
    assert moved(context, "trades") == []


def test_a_lost_chargeback_moves_nothing_more(context, paid, peer, now):
    number, _ = disputes.begin(peer, paid, amount_minor=804, now=now)
    disputes.end(peer, number, "lost", now)
    assert moved(context) == [("dispute", number, paid, -804)]


def test_a_refund_that_failed_is_a_second_line(context, paid, peer, now, make_request):
    request = make_request()
    refunds.think(peer, paid)
    asked = RefundRequest("R1", paid, request.amount, request.amount, "decided")
    GATEWAY.refund(context, asked, at=now)
    refunds.decide(peer, "R1", "failed", now)
    for kind in ("trades", "funds"):
        assert moved(context, kind) == [("refund", "R1", paid, -804), ("refund", "R1", paid, 804)]


def test_payouts_go_to_the_bank_and_may_come_back(context, peer, now):
    number = movements.pay_out(peer, context.account, 700, "CNY", now)
    movements.pay_out(peer, "somebody", 1, "CNY", now)
    assert moved(context) == [("payout", number, "", -700)]
    movements.return_payout(peer, number, now)
    assert moved(context) == [("payout", number, "", -700), ("payout", number, "", 700)]
    assert moved(context, "trades") == []
