"""Calls of one process at a gateway: so many at once, so long, at rest when it fails (row 41)."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from diandian.payments import lines
from diandian.payments.breaker import FAILURES_LIMIT, FIRST_REST
from diandian.payments.lines import AT_REST, BUSY, SLOW, Ask
from diandian.payments.messages import UNREACHABLE, Done, Rejected, SecretMissingError, Unknown

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ASK = Ask("query", "DD1", NOW)
PAYOUT = Ask("refund", "R1", NOW, is_simple=False)
MOMENT = timedelta(milliseconds=50)
LONG_SECONDS = 20


@pytest.fixture
def line():
    return lines.line("slowpay", "1", places=2)


class Hanging:
    """A gateway that answers when it is let go."""

    def __init__(self):
        self.asked, self.go = threading.Semaphore(0), threading.Event()

    def __call__(self):
        self.asked.release()
        assert self.go.wait(LONG_SECONDS)
        return Done("late")


@pytest.fixture
def hanging():
    made = Hanging()
    yield made
    made.go.set()


def in_threads(call, count):
    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def test_an_answer_comes_through(line):
    assert line.call(ASK, lambda: Done(7)) == Done(7)


def test_places_are_shared_by_the_accounts_of_a_gateway_and_by_no_other(line, hanging):
    threads = in_threads(lambda: line.call(ASK, hanging), 2)
    assert hanging.asked.acquire(timeout=LONG_SECONDS)
    assert hanging.asked.acquire(timeout=LONG_SECONDS)
    neighbour = lines.line("slowpay", "2", places=2)
    other = lines.line("quickpay", "1", places=2)
    assert not neighbour.is_ready(NOW)
    with lines.patience(MOMENT):
        assert neighbour.call(ASK, lambda: Done(7)) == Unknown(BUSY)
    assert other.is_ready(NOW)
    assert other.call(ASK, lambda: Done(7)) == Done(7)
    hanging.go.set()
    for thread in threads:
        thread.join(LONG_SECONDS)
    assert neighbour.is_ready(NOW)


def test_nobody_waits_longer_than_they_said(line, hanging):
    with lines.patience(MOMENT):
        assert line.call(ASK, hanging) == Unknown(SLOW)
    assert hanging.asked.acquire(timeout=LONG_SECONDS)
    assert not hanging.asked.acquire(blocking=False), "it was asked once"


def test_two_calls_share_one_patience(line, hanging):
    with lines.patience(MOMENT):
        line.call(ASK, hanging)
        assert line.call(ASK, hanging) in {Unknown(SLOW), Unknown(BUSY)}


@pytest.mark.parametrize(
    ("ask", "outcome"),
    [
        (ASK, Unknown("timeout")),
        (ASK, Rejected("refused", retryable=True)),
        (PAYOUT, Rejected(UNREACHABLE, retryable=True)),
    ],
)
def test_a_line_that_fails_again_and_again_rests_and_sends_nothing(line, ask, outcome):
    for _ in range(FAILURES_LIMIT):
        assert line.call(ask, lambda: outcome) == outcome
    assert not line.is_ready(NOW)

    def never():
        raise AssertionError("it was sent")

    assert line.call(ASK, never) == Unknown(AT_REST)
    later = Ask("query", "DD1", NOW + 2 * FIRST_REST)
    assert line.call(later, lambda: Done(7)) == Done(7)
    assert line.call(ASK, lambda: Done(7)) == Done(7)


def test_exceptions_count_as_failures(line):
    def broken():
        raise TypeError("secret")

    for _ in range(FAILURES_LIMIT):
        assert line.call(ASK, broken) == Unknown("TypeError")
    assert line.call(ASK, lambda: Done(7)) == Unknown(AT_REST)


@pytest.mark.parametrize(
    ("ask", "outcome"),
    [
        (ASK, Rejected("not_found")),
        (ASK, Done("pending")),
        # Too little balance, too many a minute: reasons of its own.
        (PAYOUT, Rejected("not_enough", retryable=True)),
    ],
)
def test_a_signed_no_says_that_the_line_is_whole(line, ask, outcome):
    for _ in range(3 * FAILURES_LIMIT):
        line.call(ask, lambda: outcome)
    assert line.is_ready(NOW)


def test_one_account_with_a_wrong_key_does_not_stop_another(line):
    for _ in range(FAILURES_LIMIT):
        line.call(ASK, lambda: Unknown("unsigned answer"))
    assert lines.line("slowpay", "2", places=2).call(ASK, lambda: Done(7)) == Done(7)


def test_a_place_is_given_back_whatever_happens(line):
    class Crash(BaseException):
        pass

    def crash():
        raise Crash

    for patience in (None, timedelta(seconds=LONG_SECONDS)):
        with lines.patience(patience), pytest.raises(Crash):
            line.call(ASK, crash)
    for _ in range(3):
        assert line.call(ASK, lambda: Done(7)) == Done(7)


def test_the_log_tells_where_it_broke_and_never_what_was_said(line, caplog):
    def broken():
        raise ConnectionError("https://pay.example/?sign=SECRET")

    line.call(ASK, broken)
    assert "ConnectionError at" in caplog.text
    assert "test_lines.py:" in caplog.text
    assert "SECRET" not in caplog.text
    assert "Traceback" not in caplog.text


def test_a_key_that_is_missing_is_named():
    assert lines.told(SecretMissingError("api_key: /k cannot be read")).startswith("api_key: /k")


def test_an_error_from_nowhere_can_be_told():
    assert lines.told(ValueError("SECRET")) == "ValueError at an unknown place"
