"""WeChat Pay under faults: rows of the table in the payments design, each by its number."""

import threading
import time

import pytest

from diandian.payments.messages import NOT_FOUND, Done, Rejected, Unknown
from tests.peers.wechatpay import fixture
from tests.peers.wechatpay.desk import sit_down
from tests.peers.wechatpay.fixture import MERCHANT

pytestmark = pytest.mark.pure

wechatpay_peer = fixture.wechatpay_peer
QUERY = "/v3/pay/transactions/out-trade-no"
CREATE = "/v3/pay/transactions/native"
REFUNDS = "/v3/refund"


@pytest.fixture
def desk(wechatpay_peer, tmp_path):
    return sit_down(wechatpay_peer, tmp_path)


# -- opening that goes wrong ------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["timeout_with_effect", "reset_with_effect", "half_closed"])
def test_18_created_but_the_answer_is_lost(desk, kind):
    request = desk.request()
    desk.peer.fault(CREATE, kind, milliseconds=2_300)
    assert isinstance(desk.create(request), Unknown)
    assert desk.query(request.payment_no).value.state == "pending"
    assert isinstance(desk.create(request), Done)
    assert len(desk.truth("payments")) == 1


@pytest.mark.parametrize("kind", ["timeout_without_effect", "reset_without_effect"])
def test_19_not_created_and_no_answer(desk, kind):
    request = desk.request()
    desk.peer.fault(CREATE, kind, milliseconds=2_300)
    assert isinstance(desk.create(request), Unknown)
    assert desk.query(request.payment_no).code == NOT_FOUND
    assert isinstance(desk.create(request), Done)
    assert len(desk.truth("payments")) == 1


def test_19_a_closed_door_means_that_nothing_was_sent(desk, tmp_path):
    desk.context = desk.peer.context(tmp_path, base_url="http://127.0.0.1:1")
    outcome = desk.create(desk.request())
    assert (outcome.code, outcome.retryable) == ("unreachable", True)


@pytest.mark.parametrize("kind", ["unsigned", "signature", "other_key", "unknown_key", "empty"])
@pytest.mark.parametrize("path", [CREATE, QUERY, REFUNDS])
def test_09_an_answer_that_is_not_signed_is_not_believed(desk, path, kind):
    number, _ = desk.paid()
    desk.peer.fault(path, kind)
    outcome = {
        CREATE: lambda: desk.create(desk.request()),
        QUERY: lambda: desk.query(number),
        REFUNDS: lambda: desk.refund(number, 804)[1],
    }[path]()
    assert isinstance(outcome, Unknown)


@pytest.mark.parametrize("kind", ["tampered", "stale"])
def test_09_an_answer_changed_on_its_way_or_old_is_not_believed(desk, kind):
    number, _ = desk.paid()
    desk.peer.fault(QUERY, kind)
    assert isinstance(desk.query(number), Unknown)


@pytest.mark.parametrize("status", [400, 403, 404, 429])
def test_09_a_refusal_without_a_signature_is_only_a_hint(desk, status):
    desk.peer.fault(QUERY, "status", status=status, code="ORDER_NOT_EXIST")
    assert isinstance(desk.query("DD404404404"), Unknown)
    desk.peer.fault(QUERY, "status", status=status, code="ORDER_NOT_EXIST", signed=True)
    assert desk.query("DD404404404").code == NOT_FOUND


def test_a_number_in_use_leaves_open_what_became_of_it(desk):
    number, _ = desk.paid()
    assert isinstance(desk.create(desk.request(payment_no=number)), Unknown)
    desk.peer.fault(CREATE, "status", status=403, code="OUT_TRADE_NO_USED", signed=True)
    assert isinstance(desk.create(desk.request()), Unknown)


# -- closing ----------------------------------------------------------------------------------


def test_22_closing_that_nobody_answers_is_unknown(desk):
    number = desk.opened()
    desk.peer.fault(f"{QUERY}/{number}/close", "timeout_with_effect", milliseconds=2_300)
    assert isinstance(desk.close(number), Unknown)
    assert desk.close(number) == Done("closed")


def test_22_a_yes_with_words_in_it_is_not_closed(desk):
    number = desk.opened()
    desk.peer.fault(f"{QUERY}/{number}/close", "status", status=202, code="USERPAYING", signed=True)
    assert isinstance(desk.close(number), Unknown)


def test_22_closing_what_was_paid_says_so(desk):
    number, _ = desk.paid()
    assert desk.close(number) == Done("already_paid")


def test_23_closing_what_is_not_there_is_no_proof(desk):
    assert desk.close("DD404404404") == Done("not_found_yet")


def test_24_past_its_deadline_a_payment_still_waits_until_we_close_it(desk):
    number = desk.opened()
    desk.later(minutes=11)
    assert desk.query(number).value.state == "pending"
    assert desk.close(number) == Done("closed")
    assert desk.query(number).value.state == "closed"


def test_11_a_late_success_is_told(desk):
    number = desk.opened()
    desk.close(number)
    desk.pay(number, even_if_closed=True)
    assert desk.query(number).value.state == "succeeded"


# -- money back -------------------------------------------------------------------------------


def test_30_a_refund_that_nobody_answers_goes_back_once(desk):
    number, _ = desk.paid()
    desk.peer.fault(REFUNDS, "timeout_with_effect", milliseconds=2_300)
    refund_no, outcome = desk.refund(number, 804)
    assert isinstance(outcome, Unknown)
    assert desk.query_refund(refund_no).value.state == "processing"
    desk.refund(number, 804, refund_no=refund_no)
    assert [each["amount"] for each in desk.truth("refunds")] == [804]


def test_30_a_refund_that_never_arrived_is_not_found(desk):
    number, _ = desk.paid()
    desk.peer.fault(REFUNDS, "timeout_without_effect", milliseconds=2_300)
    refund_no, outcome = desk.refund(number, 804)
    assert isinstance(outcome, Unknown)
    assert desk.query_refund(refund_no).code == NOT_FOUND


def test_31_partial_refunds_too_close_together_come_later(desk):
    number, _ = desk.paid()
    desk.refund(number, 100)
    refund_no, outcome = desk.refund(number, 100)
    assert (outcome.code, outcome.retryable) == ("FREQUENCY_LIMITED", True)
    desk.later(seconds=desk.gateway.capabilities(desk.context).refund_gap_seconds)
    assert isinstance(desk.refund(number, 100, refund_no=refund_no)[1], Done)


def test_31_fifty_refunds_and_no_more(desk):
    number, _ = desk.paid()
    for _ in range(desk.gateway.capabilities(desk.context).refunds_limit):
        assert isinstance(desk.refund(number, 1)[1], Done)
        desk.later(seconds=60)
    outcome = desk.refund(number, 1)[1]
    assert isinstance(outcome, Rejected)
    assert len(desk.truth("refunds")) == 50


def test_31_an_empty_balance_is_filled_up_and_tried_again(desk):
    number, _ = desk.paid()
    desk.peer.control("balance", mchid=MERCHANT, balance=10)
    refund_no, outcome = desk.refund(number, 804)
    assert (outcome.code, outcome.retryable) == ("NOT_ENOUGH", True)
    desk.peer.control("balance", mchid=MERCHANT, balance=None)
    assert isinstance(desk.refund(number, 804, refund_no=refund_no)[1], Done)


@pytest.mark.parametrize(
    ("status", "state"), [("CLOSED", "failed"), ("ABNORMAL", "abnormal"), ("SUCCESS", "succeeded")]
)
def test_32_accepted_is_not_done(desk, status, state):
    number, _ = desk.paid()
    refund_no, outcome = desk.refund(number, 804)
    assert outcome.value.state == "processing"
    desk.peer.control("refund", mchid=MERCHANT, out_refund_no=refund_no, status=status)
    assert desk.query_refund(refund_no).value.state == state


def test_32_an_answer_about_another_refund_is_not_believed(desk):
    number, _ = desk.paid()
    refund_no, _ = desk.refund(number, 804)
    desk.peer.fault(REFUNDS, "altered", changes={"out_refund_no": "RF0000"})
    assert isinstance(desk.query_refund(refund_no), Unknown)


@pytest.mark.parametrize("when", ["2026-11-28T12:00:00", "yesterday", 5, ""])
def test_a_time_without_a_zone_is_not_believed(desk, when):
    number, _ = desk.paid()
    desk.peer.fault(QUERY, "altered", changes={"success_time": when})
    assert isinstance(desk.query(number), Unknown)


def test_32_a_refund_state_of_tomorrow_is_unknown(desk):
    number, _ = desk.paid()
    refund_no, _ = desk.refund(number, 804)
    desk.peer.control("refund", mchid=MERCHANT, out_refund_no=refund_no, status="MAYBE")
    assert isinstance(desk.query_refund(refund_no), Unknown)


# -- storms -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 502, 503])
def test_41_a_server_error_is_unknown_even_signed(desk, status):
    for signed in (False, True):
        desk.peer.fault(CREATE, "status", status=status, signed=signed)
        assert isinstance(desk.create(desk.request()), Unknown)


def test_41_too_many_requests_comes_later(desk):
    desk.peer.fault(CREATE, "status", status=429, code="FREQUENCY_LIMITED", signed=True)
    outcome = desk.create(desk.request())
    assert (outcome.code, outcome.retryable) == ("FREQUENCY_LIMITED", True)


@pytest.mark.parametrize("kind", ["html", "half_closed", "endless", "slow"])
def test_41_bad_lines_are_unknown_and_the_next_call_works(desk, kind):
    number, _ = desk.paid()
    desk.peer.fault(QUERY, kind, milliseconds=2_300)
    assert isinstance(desk.query(number), Unknown)
    assert desk.query(number).value.state == "succeeded"


def test_41_an_answer_without_end_is_not_read_to_its_end(desk):
    number, _ = desk.paid()
    desk.peer.fault(QUERY, "endless")
    outcome = desk.query(number)
    assert isinstance(outcome, Unknown)
    assert "too large" in outcome.cause


def test_41_an_answer_that_drips_has_an_end(desk):
    number, _ = desk.paid()
    desk.peer.fault(QUERY, "drip", milliseconds=200)
    begun = time.monotonic()
    outcome = desk.query(number)
    assert isinstance(outcome, Unknown)
    assert "slow" in outcome.cause
    # The whole of it, a few hundred bytes, would take more than a minute.
    assert time.monotonic() - begun < 20


def test_an_answer_that_points_elsewhere_is_not_followed(desk):
    number, _ = desk.paid()
    keys = len(desk.peer.control("keys")["keys"])
    desk.peer.fault(QUERY, "redirect", location="/control/key")
    assert isinstance(desk.query(number), Unknown)
    assert len(desk.peer.control("keys")["keys"]) == keys


def test_41_twenty_at_once_all_end(desk):
    number, _ = desk.paid()
    desk.peer.fault(QUERY, "timeout_with_effect", milliseconds=2_300, times=10)
    heard = []

    def ask():
        heard.append(desk.query(number))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert sum(isinstance(each, Unknown) for each in heard) == 10
    assert sum(isinstance(each, Done) for each in heard) == 10
