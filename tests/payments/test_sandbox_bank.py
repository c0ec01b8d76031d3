"""The sandbox's own side: refunds, its key, its file under many threads."""

import stat
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from diandian.kernel.money import Money
from diandian.payments.gateways.sandbox import disputes, refunds
from diandian.payments.gateways.sandbox.gateway import GATEWAY
from diandian.payments.gateways.sandbox.peer import (
    Peer,
)
from diandian.payments.messages import NOT_FOUND, Done, RefundRequest, Rejected, Unknown
from diandian.payments.splits import ReversalRequest, SplitLeg, SplitRequest

pytestmark = pytest.mark.pure


# -- refunds ----------------------------------------------------------------------------------


def refund(context, number, now, *, refund_no="RDD1", amount_minor=804):
    request = RefundRequest(
        refund_no=refund_no,
        payment_no=number,
        amount=Money(amount_minor, "CNY"),
        total=Money(804, "CNY"),
        reason="test",
    )
    return GATEWAY.refund(context, request, at=now)


def test_30_a_refund_repeated_gives_back_once(context, opened, peer, now):
    number, token = opened
    peer.decide(token, "paid", now)
    assert [refund(context, number, now).value.state for _ in range(3)] == ["succeeded"] * 3
    assert GATEWAY.query_payment(context, number, at=now).value.refunded_minor == 804


def test_31_more_than_was_paid_never_goes_back(context, opened, peer, now):
    number, token = opened
    peer.decide(token, "paid", now)
    assert isinstance(refund(context, number, now, refund_no="R1", amount_minor=500), Done)
    over = refund(context, number, now, refund_no="R2", amount_minor=305)
    assert over == Rejected("not_refundable")
    assert isinstance(refund(context, number, now, refund_no="R3", amount_minor=304), Done)


def test_a_refund_number_stands_for_one_refund(context, opened, peer, now):
    number, token = opened
    peer.decide(token, "paid", now)
    refund(context, number, now, amount_minor=100)
    assert refund(context, number, now, amount_minor=200) == Rejected("number_reused")


def test_unpaid_money_never_goes_back(context, opened, now):
    assert refund(context, opened[0], now) == Rejected("not_refundable")
    assert GATEWAY.query_refund(context, "RDD1", at=now) == Rejected(NOT_FOUND)


# -- the file and the key ---------------------------------------------------------------------


def test_the_key_is_made_once_and_kept_from_others(context, tmp_path, peer):
    key = tmp_path / "keys/sandbox-gateway.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_bytes()) == 32
    again = Peer(tmp_path / "other.sqlite3", tmp_path / "keys")
    assert again.is_signed(peer.sign(b"x"), b"x")
    assert [path.name for path in key.parent.iterdir()] == [key.name]


def test_many_threads_may_begin_at_once(context, make_request, now, peer):
    outcomes = []

    def create(number):
        outcomes.append(GATEWAY.create_payment(context, make_request(f"DD{number:06}"), at=now))
        peer.hang_up()

    threads = [threading.Thread(target=create, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(outcome) for outcome in outcomes] == [Done] * 16


def test_42_a_file_that_cannot_be_used_is_unknown_not_failed(context, make_request, now, tmp_path):
    (tmp_path / "folder").mkdir()
    broken = replace(context, options=dict(context.options) | {"store": str(tmp_path / "folder")})
    assert isinstance(GATEWAY.create_payment(broken, make_request(), at=now), Unknown)
    assert isinstance(GATEWAY.query_payment(broken, "DD1", at=now), Unknown)
    assert isinstance(GATEWAY.close_payment(broken, "DD1", at=now), Unknown)
    assert isinstance(refund(broken, "DD1", now), Unknown)
    assert isinstance(GATEWAY.query_refund(broken, "R1", at=now), Unknown)


# -- what becomes of money that came --------------------------------------------------------------


@pytest.fixture
def paid(context, opened, peer, now):
    """The number of a paid trade, and a moment at which it may be divided."""
    number, token = opened
    peer.decide(token, "paid", now)
    return number, now + timedelta(seconds=60)


def snapshot(context, number, at):
    return GATEWAY.query_payment(context, number, at=at).value


def test_11_what_was_closed_may_be_paid_after_all(context, opened, peer, now):
    number, _ = opened
    assert GATEWAY.close_payment(context, number, at=now) == Done("closed")
    peer.settle_anyway(number, now)
    assert snapshot(context, number, now).state == "succeeded"


@pytest.mark.parametrize("end", ["succeeded", "failed", "abnormal"])
def test_32_accepted_is_not_done(context, paid, peer, now, end):
    number, _ = paid
    refunds.think(peer, number)
    assert refund(context, number, now).value.state == "processing"
    refunds.decide(peer, "RDD1", end, now)
    assert GATEWAY.query_refund(context, "RDD1", at=now).value.state == end
    back = snapshot(context, number, now).refunded_minor
    assert back == (0 if end == "failed" else 804)


def test_33_a_refund_in_the_console_is_seen(context, paid, peer, now):
    number, _ = paid
    notice = refunds.by_hand(peer, number, 300, now)
    heard = GATEWAY.parse_notification(context, notice.headers, notice.body, at=now)
    assert heard.payment_no == number
    found = snapshot(context, number, now)
    assert (found.state, found.refunded_minor) == ("succeeded", 300)


@pytest.mark.parametrize("verdict", ["won", "lost"])
def test_34_a_chargeback_is_told_until_it_is_decided(context, paid, peer, now, verdict):
    number, _ = paid
    ref, _ = disputes.begin(peer, number, amount_minor=804, fee_minor=15, now=now)
    [open_one] = snapshot(context, number, now).disputes
    assert (open_one.dispute_ref, open_one.amount_minor, open_one.fee_minor) == (ref, 804, 15)
    disputes.end(peer, ref, verdict, now)
    [ended] = snapshot(context, number, now).disputes
    assert (ended.dispute_ref, ended.state) == (ref, verdict)


def split_request(number, amount_minor=800, receiver="grove"):
    leg = SplitLeg(f"L{number}-{amount_minor}", receiver, Money(amount_minor, "CNY"))
    return SplitRequest(f"S{number}-{amount_minor}", number, "", (leg,))


def reversal(request, amount_minor, reversal_no="V1"):
    [leg] = request.legs
    return ReversalRequest(
        reversal_no=reversal_no,
        split_no=request.split_no,
        payment_no=request.payment_no,
        gateway_ref="",
        leg_no=leg.leg_no,
        leg_ref="",
        receiver=leg.receiver,
        amount=Money(amount_minor, "CNY"),
    )


def test_35_a_leg_comes_back_once_and_never_more_than_it_was(context, paid):
    number, at = paid
    request = split_request(number)
    assert GATEWAY.split(context, request, at=at).value.state == "succeeded"
    for _ in range(2):
        back = GATEWAY.reverse_split(context, reversal(request, 500), at=at)
        assert (back.value.state, back.value.amount_minor) == ("succeeded", 500)
    more = GATEWAY.reverse_split(context, reversal(request, 301, "V2"), at=at)
    assert more == Rejected("not_reversible")


def test_35_a_receiver_that_has_nothing_left_says_so(context, paid):
    number, at = paid
    request = split_request(number, receiver="empty")
    assert isinstance(GATEWAY.split(context, request, at=at), Done)
    outcome = GATEWAY.reverse_split(context, reversal(request, 800), at=at)
    assert outcome == Rejected("receiver_short")


def test_36_too_early_comes_later_and_once(context, paid, now):
    number, at = paid
    request = split_request(number)
    early = GATEWAY.split(context, request, at=at - timedelta(seconds=1))
    assert (early.code, early.retryable) == ("too_early", True)
    assert GATEWAY.query_split(context, request, at=now) == Rejected(NOT_FOUND)
    first, again = (GATEWAY.split(context, request, at=at) for _ in range(2))
    assert first == again
    assert [leg.amount_minor for leg in first.value.legs] == [800]


def test_36_what_is_too_much_or_has_no_receiver_is_refused(context, paid):
    number, at = paid
    fee_only = replace(context, options=dict(context.options) | {"split": "fee"})
    assert GATEWAY.split(fee_only, split_request(number, 242), at=at) == Rejected("over_ratio")
    assert GATEWAY.split(context, split_request(number, 805), at=at) == Rejected("not_enough")
    failed = GATEWAY.split(context, split_request(number, 10, receiver="closed"), at=at).value
    assert (failed.state, failed.legs[0].reason) == ("failed", "receiver closed")
