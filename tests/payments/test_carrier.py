"""One call to another end: the bytes that travel, and what was certainly not sent."""

import datetime as dt
import socket
import ssl
import threading
from time import sleep

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from diandian.payments import carrier
from diandian.payments.carrier import Limits, carry
from diandian.payments.facts import NoAnswerError
from diandian.payments.messages import UNREACHABLE, Rejected
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


# -- what goes well ---------------------------------------------------------------------------


def test_the_bytes_arrive_as_they_are_and_come_back_as_they_are():
    answer = b"HTTP/1.1 418 Odd\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 3\r\n\r\n\xff\x00\r"
    with other_end(answering(answer)) as other:
        reply = ask(other, method="POST", body=b'{"a":"\xc3\xbc"}', path="/v1/x?b=%20c")
    assert (reply.status, reply.body) == (418, b"\xff\x00\r")
    assert reply.headers["x-a"] == "1, 2"
    head, _, body = other.calls[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/x?b=%20c HTTP/1.1\r\n")
    assert b"\r\nX-Of: ours\r\n" in head + b"\r\n"
    assert body == b'{"a":"\xc3\xbc"}'


def test_an_answer_in_pieces_is_put_together():
    pieces = b"2\r\nfi\r\n2;x=y\r\nne\r\n0\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces
    with other_end(answering(answer)) as other:
        assert ask(other).body == b"fine"


def test_nothing_is_an_answer_too():
    with other_end(answering(b"HTTP/1.1 204 No Content\r\n\r\n")) as other:
        assert [ask(other).status for _ in range(2)] == [204, 204]
        assert other.connections == 1


def test_one_connection_serves_call_after_call():
    with other_end(answering(FINE)) as other:
        for _ in range(5):
            assert ask(other).body == b"fine"
        assert (other.connections, len(other.calls)) == (1, 5)


def test_a_connection_that_they_closed_is_not_used_again():
    with other_end(once(FINE)) as other:
        for _ in range(3):
            assert ask(other).body == b"fine"
            sleep(0.02)  # their end is on its way
        assert (other.connections, len(other.calls)) == (3, 3)


def test_a_connection_on_which_something_came_unasked_is_not_used_again():
    def behave(other, peer):
        while other.heard(peer):
            peer.sendall(FINE)
            sleep(0.02)
            peer.sendall(FINE.replace(b"fine", b"evil"))
            sleep(0.02)

    with other_end(behave) as other:
        first = ask(other)
        sleep(0.05)
        assert (first.body, ask(other).body) == (b"fine", b"fine")
        assert other.connections == 2


def test_a_connection_that_was_silent_for_long_is_not_used_again(monkeypatch):
    monkeypatch.setattr(carrier, "_LONGEST_IDLE_SECONDS", 0)
    with other_end(answering(FINE)) as other:
        ask(other)
        ask(other)
        assert other.connections == 2


def test_many_at_once_have_a_connection_each():
    together = threading.Barrier(3, timeout=WAIT_SECONDS)

    def behave(other, peer):
        threading.Thread(target=_serve_one, args=(other, peer.dup())).start()

    def _serve_one(other, peer):
        with peer:
            other.heard(peer)
            together.wait()
            peer.sendall(FINE)

    found = []
    with other_end(behave) as other:
        threads = [threading.Thread(target=lambda: found.append(ask(other))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT_SECONDS)
    assert [reply.body for reply in found] == [b"fine"] * 3


def test_a_proxy_of_the_machine_is_not_asked(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with other_end(answering(FINE)) as other:
        assert ask(other).body == b"fine"


def test_a_redirect_is_an_answer_and_is_not_followed():
    with other_end(answering(FINE)) as elsewhere:
        answer = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere.url}/\r\nContent-Length: 0\r\n\r\n"
        with other_end(answering(answer.encode())) as other:
            assert ask(other).status == 302
        assert elsewhere.connections == 0


# -- certainly not sent -----------------------------------------------------------------------


def assert_not_sent(found):
    assert isinstance(found, Rejected)
    assert (found.code, found.retryable) == (UNREACHABLE, True)
    assert "nothing was sent" in found.message


def test_nobody_listens():
    with other_end(answering(FINE)) as other:
        pass
    assert_not_sent(outcome(other))


def test_nobody_takes_the_connection():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        waiting = []
        for _ in range(3):  # the queue of the machine is full
            each = socket.socket()
            each.setblocking(False)
            each.connect_ex(deaf.getsockname())
            waiting.append(each)
        with pytest.raises(NoAnswerError) as caught:
            carry("POST", url, headers={}, body=b"x", limits=Limits(0.2, 20))
        for each in waiting:
            each.close()
    assert_not_sent(caught.value.outcome)
    assert "TimeoutError" in caught.value.outcome.message


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "http://",
        "http://127.0.0.1:99999/",
        "http://[/",
        "127.0.0.1",
    ],
)
def test_an_address_that_is_none(url):
    with pytest.raises(NoAnswerError) as caught:
        carry("GET", url, headers={}, limits=PATIENT)
    assert_not_sent(caught.value.outcome)


def test_a_name_that_nobody_has(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(-2, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NoAnswerError) as caught:
        carry("GET", "https://pay.example/", headers={}, limits=PATIENT)
    assert_not_sent(caught.value.outcome)


@pytest.mark.parametrize(
    ("path", "headers"), [("/a b", {}), ("/", {"X": "a\r\nY: b"}), ("/", {"X\n": "a"})]
)
def test_what_would_be_another_request_is_not_sent(path, headers):
    with other_end(answering(FINE)) as other:
        with pytest.raises(NoAnswerError) as caught:
            carry("GET", other.url + path, headers=headers, limits=PATIENT)
        assert_not_sent(caught.value.outcome)
        assert other.calls == []


def test_no_tls_at_the_other_end():
    def behave(_, peer):
        peer.recv(1)
        peer.sendall(b"HTTP/1.1 400 Bad\r\n\r\n")

    with other_end(behave) as other:
        other.url = other.url.replace("http", "https")
        assert_not_sent(outcome(other))


def test_tls_that_is_never_agreed_on():
    with other_end(lambda other, peer: other.over.wait(WAIT_SECONDS)) as other:
        other.url = other.url.replace("http", "https")
        assert_not_sent(outcome(other, limits=IMPATIENT))


def made_by_themselves(folder):
    """Return a file with a key and a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 7)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    kinds = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    text = key.private_bytes(*kinds, serialization.NoEncryption())
    file = folder / "both.pem"
    file.write_bytes(text + made.public_bytes(serialization.Encoding.PEM))
    return file


def over_tls(file, behave):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    def tls(other, peer):
        with context.wrap_socket(peer, server_side=True) as secret:
            behave(other, secret)

    return tls


def test_a_certificate_that_nobody_vouches_for(tmp_path):
    with other_end(over_tls(made_by_themselves(tmp_path), answering(FINE))) as other:
        other.url = other.url.replace("http", "https")
        assert_not_sent(outcome(other, method="POST", body=b"secret"))
        assert other.calls == []


@pytest.mark.parametrize(("host", "is_theirs"), [("localhost", True), ("127.0.0.1", False)])
def test_a_certificate_counts_for_its_own_host(tmp_path, monkeypatch, host, is_theirs):
    file = made_by_themselves(tmp_path)
    trusting = ssl.create_default_context(cafile=file)
    monkeypatch.setattr(carrier, "_tls", lambda: trusting)
    with other_end(over_tls(file, answering(FINE))) as other:
        other.url = other.url.replace("http://127.0.0.1", f"https://{host}")
        if is_theirs:
            assert [ask(other).body for _ in range(2)] == [b"fine"] * 2
            assert other.connections == 1
        else:
            assert_not_sent(outcome(other))
            assert other.calls == []


# -- several addresses of a host --------------------------------------------------------------


def test_an_address_that_is_dead_leaves_time_for_the_next(monkeypatch):
    with other_end(answering(FINE)) as other, other_end(answering(FINE)) as gone:
        pass_on = other.listening.getsockname()
        dead = gone.listening.getsockname()
        gone.close, close_now = (lambda: None), gone.close
        close_now()
        stream = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda *_, **__: [(*stream, dead), (*stream, pass_on)]
        )
        assert ask(other).body == b"fine"
