"""The sandbox's own side: refunds, its key, its file under many threads."""

import stat
import threading
from dataclasses import replace

import pytest

from diandian.kernel.money import Money
from diandian.payments.gateways.sandbox.gateway import GATEWAY
from diandian.payments.gateways.sandbox.peer import (
    Peer,
)
from diandian.payments.messages import NOT_FOUND, Done, RefundRequest, Rejected, Unknown

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


def test_a_refund_repeated_gives_back_once(context, opened, peer, now):
    number, token = opened
    peer.decide(token, "paid", now)
    assert [refund(context, number, now).value.state for _ in range(3)] == ["succeeded"] * 3
    assert GATEWAY.query_payment(context, number, at=now).value.refunded_minor == 804


def test_more_than_was_paid_never_goes_back(context, opened, peer, now):
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


def test_a_file_that_cannot_be_used_is_unknown_not_failed(context, make_request, now, tmp_path):
    (tmp_path / "folder").mkdir()
    broken = replace(context, options=dict(context.options) | {"store": str(tmp_path / "folder")})
    assert isinstance(GATEWAY.create_payment(broken, make_request(), at=now), Unknown)
    assert isinstance(GATEWAY.query_payment(broken, "DD1", at=now), Unknown)
    assert isinstance(GATEWAY.close_payment(broken, "DD1", at=now), Unknown)
    assert isinstance(refund(broken, "DD1", now), Unknown)
    assert isinstance(GATEWAY.query_refund(broken, "R1", at=now), Unknown)
