"""Calls that went out and came to nothing: each has an end, and nobody claims to know more."""

import socket

import pytest

from diandian.payments.messages import Unknown
from tests.payments.other_end import (
    FINE,
    IMPATIENT,
    PATIENT,
    WAIT_SECONDS,
    answering,
    ask,
    once,
    other_end,
    outcome,
)

pytestmark = pytest.mark.pure


# -- perhaps it arrived -----------------------------------------------------------------------


def reset(peer):
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    peer.close()


def after(answer, then):
    def behave(other, peer):
        other.heard(peer)
        peer.sendall(answer)
        then(other, peer)

    return behave


def drip(piece):
    def then(other, peer):
        for _ in range(100):
            if other.over.wait(0.02):
                return
            peer.sendall(piece)

    return then


def flood(piece):
    def then(other, peer):
        while not other.over.is_set():
            peer.sendall(piece * 100)

    return then


def silence(other, _peer):
    other.over.wait(WAIT_SECONDS)


def hang_up(_other, _peer):
    return


HEAD = b"HTTP/1.1 200 OK\r\n"
LONG = HEAD + b"Content-Length: 4000\r\n\r\n"
PIECES = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "then"),
    [
        (b"", silence),
        (HEAD, silence),
        (LONG, silence),
        (LONG, drip(b"x")),
        (HEAD, drip(b"X")),
        (HEAD, drip(b"X-A: b\r\n")),
        (b"", drip(b"HTTP/1.1 100 Continue\r\n\r\n")),
        (PIECES, drip(b"1\r\nx\r\n")),
        (PIECES + b"0\r\n", drip(b"X-A: b\r\n")),
        (HEAD + b"\r\n", drip(b"x")),
    ],
)
def test_every_call_has_an_end_however_slowly_they_speak(answer, then):
    with other_end(after(answer, then)) as other:
        assert outcome(other, limits=IMPATIENT) == Unknown("answer too slow")


@pytest.mark.parametrize(
    ("answer", "then"),
    [
        (HEAD + b"\r\n", flood(b"x")),
        (HEAD + b"Content-Length: 99999999999\r\n\r\n", flood(b"x")),
        (PIECES, flood(b"1\r\nx\r\n")),
        (PIECES, flood(b"ff\r\n" + b"x" * 255 + b"\r\n")),
        (PIECES + b"-1\r\n", flood(b"x")),
        (PIECES + b"0\r\n", flood(b"X-A: b\r\n")),
        (b"", flood(b"HTTP/1.1 100 Continue\r\n\r\n")),
        (HEAD + b"X-A: ", flood(b"x")),
    ],
)
def test_an_answer_without_end_is_let_go(answer, then):
    with other_end(after(answer, then)) as other:
        found = outcome(other)
    assert isinstance(found, Unknown)
    assert found.cause in {"answer too large", "LineTooLong"}


def test_the_largest_answer_is_taken_and_one_byte_more_is_not():
    largest = PATIENT.largest_bytes
    for size, is_taken in ((largest, True), (largest + 1, False)):
        answer = HEAD + f"Content-Length: {size}\r\n\r\n".encode() + b"x" * size
        with other_end(once(answer)) as other:
            if is_taken:
                assert len(ask(other).body) == size
            else:
                assert outcome(other) == Unknown("answer too large")


@pytest.mark.parametrize(
    ("answer", "then"),
    [
        (b"", hang_up),
        (b"", lambda _, peer: reset(peer)),
        (HEAD, hang_up),
        (LONG + b"x" * 3999, hang_up),
        (LONG + b"x" * 3999, lambda _, peer: reset(peer)),
        (PIECES + b"4\r\nfi", hang_up),
        (PIECES + b"no\r\n", hang_up),
        (b"<html>no</html>\r\n\r\n", hang_up),
        (b"\x00" * 100 + b"\r\n\r\n", hang_up),
        (b"HTTP/1.1 999999 Odd\r\n\r\n", hang_up),
        (b"HTTP/9.9 200 OK\r\n\r\n", hang_up),
        (HEAD + b"X: y\r\n" * 200 + b"\r\n", hang_up),
    ],
)
def test_what_breaks_off_or_cannot_be_read_is_unknown_and_the_next_call_works(answer, then):
    turns = iter([after(answer, then), answering(FINE)])

    def behave(other, peer):
        next(turns)(other, peer)

    with other_end(behave) as other:
        assert isinstance(outcome(other), Unknown)
        assert ask(other).body == b"fine"
        assert len(other.calls) == 2, "it was sent once each, never again by itself"


def test_a_reset_before_they_read_all_is_not_taken_for_not_sent():
    def behave(_, peer):
        peer.recv(1)
        reset(peer)

    with other_end(behave) as other:
        # One byte left this machine: nobody here knows how much they made of it.
        assert isinstance(outcome(other, method="POST", body=b"x" * 100), Unknown)


def test_the_text_of_an_outcome_tells_no_address():
    with other_end(after(b"", hang_up)) as other:
        assert "127.0.0.1" not in str(outcome(other, path="/?sign=SECRET"))
