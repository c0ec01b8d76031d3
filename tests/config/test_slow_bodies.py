"""Bodies that drip, break off or never end: nobody else waits for them, and no thread is theirs."""

import asyncio
import json
import signal
import socket
import sys
import time
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection

import pytest

from diandian.config.bodies import Bodies, Bounds, RefusedError
from diandian.jobs.demo import answers
from diandian.jobs.processes import Children
from tests.config.small_site import LONG, MOST_BYTES
from tests.config.test_server import free_port, serve, surroundings
from tests.house.tree import ROOT

pytestmark = [pytest.mark.pure]
# Far above what any machine needs, far below for ever.
PATIENCE = 60


def head(method, path, *lines):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


def connect(port, *pieces, pause=0.0):
    line = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    for piece in pieces:
        line.sendall(piece)
        time.sleep(pause)
    return line


def read_to_end(line):
    """Return all that comes until the other side hangs up."""
    with line, line.makefile("rb") as file:
        return file.read()


def ask(port, *pieces, pause=0.0):
    """Return the status and the body of an answer after which the server hangs up."""
    top, _, body = read_to_end(connect(port, *pieces, pause=pause)).partition(b"\r\n\r\n")
    return int(top.split()[1]), body


def get(port, path):
    return ask(port, head("GET", path, "Connection: close"))


@contextmanager
def running(tmp_path, command, environment, ready):
    children = Children(tmp_path / "log")
    children.start("server", command, environment)
    try:
        assert children.wait_until(ready, 90), children.last_lines()
        yield children._children[0].process
    finally:
        children.stop(grace_seconds=1)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The port of the small site."""
    folder, port = tmp_path_factory.mktemp("small"), free_port()
    environment = surroundings(folder, PYTHONPATH=str(ROOT))
    command = [sys.executable, "-m", "tests.config.small_site", str(port)]

    def ready():
        try:
            return get(port, "/ready")[0] == HTTPStatus.OK
        except OSError:
            return False

    with running(folder, command, environment, ready):
        yield port


def seen(port):
    return json.loads(get(port, "/seen")[1])


@pytest.mark.slow
def test_forty_dripping_bodies_hold_up_nobody(tmp_path):
    port = free_port()
    paths = ["/s/tianfu26", "/api/v1/notifications/sandbox", "/host", "/api/v1/quotes"]
    with running(
        tmp_path, serve(port), surroundings(tmp_path), lambda: answers("127.0.0.1", port)
    ) as server:
        drippers = [
            connect(port, head("POST", paths[number % 4], "Content-Length: 900"), b"a")
            for number in range(40)
        ]
        assert get(port, "/healthz")[0] == HTTPStatus.OK
        assert get(port, "/nowhere")[0] == HTTPStatus.NOT_FOUND
        # An honest phone on a bad line, and a notice in pieces, are answered among them.
        for path in paths[:2]:
            told = head("POST", path, "Content-Length: 5", "Connection: close")
            assert ask(port, told, b"a=", b"b&", b"c", pause=0.3)[0] != HTTPStatus.REQUEST_TIMEOUT
        for line in drippers:
            line.sendall(b"a")
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE) == 0
        for line in drippers:
            line.close()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["Content-Length: 900", "Transfer-Encoding: chunked"])
def test_who_is_too_slow_is_told_so_and_never_reaches_the_site(small, how):
    piece = b"1\r\na\r\n" if "chunked" in how else b"a"
    line = connect(small, head("POST", "/slow", how), piece, piece, piece, pause=0.2)
    answer = read_to_end(line)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"Nothing was done." in answer
    assert "/slow" not in seen(small)


@pytest.mark.slow
def test_forty_that_drip_leave_the_only_thread_free(small):
    told = head("POST", "/drip", "Content-Length: 900")
    lines = [connect(small, told, b"a") for _ in range(40)]
    assert get(small, "/page") == (200, b"whole:")
    for line in lines:
        assert read_to_end(line).startswith(b"HTTP/1.1 408 ")
    assert "/drip" not in seen(small)


@pytest.mark.slow
def test_more_than_anything_takes_is_refused_by_its_length_or_once_it_came(small):
    stated = head("POST", "/large", f"Content-Length: {MOST_BYTES + 1}")
    assert ask(small, stated)[0] == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    part = f"{MOST_BYTES:x}\r\n".encode() + b"a" * MOST_BYTES + b"\r\n"
    chunked = head("POST", "/large", "Transfer-Encoding: chunked")
    assert ask(small, chunked, part, part)[0] == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert "/large" not in seen(small)


@pytest.mark.slow
def test_a_body_in_pieces_arrives_whole(small):
    told = head("POST", "/three", "Content-Length: 9", "Connection: close")
    assert ask(small, told, b"abc", b"def", b"ghi", pause=0.2) == (200, b"whole:abcdefghi")
    told = head("POST", "/chunks", "Transfer-Encoding: chunked", "Connection: close")
    assert ask(small, told, b"3\r\nabc\r\n", b"1\r\nd\r\n", b"0\r\n\r\n") == (200, b"whole:abcd")
    most = b"a" * MOST_BYTES
    told = head("POST", "/most", f"Content-Length: {MOST_BYTES}", "Connection: close")
    assert ask(small, told, most) == (200, b"whole:" + most)


@pytest.mark.slow
def test_one_connection_carries_many_bodies(small):
    line = HTTPConnection("127.0.0.1", small, timeout=PATIENCE)
    for sent in (b"a", b"", b"b" * MOST_BYTES, b"c"):
        line.request("POST", "/again", body=sent)
        assert line.getresponse().read() == b"whole:" + sent
    line.close()


@pytest.mark.slow
def test_a_body_that_breaks_off_never_reaches_the_site(small):
    line = connect(small, head("POST", "/broken", "Content-Length: 90"), b"half")
    line.shutdown(socket.SHUT_WR)
    read_to_end(line)
    assert "/broken" not in seen(small)


@pytest.mark.slow
def test_long_answers_arrive_whole_and_who_reads_none_of_them_holds_up_nobody(small):
    lines = [connect(small, head("GET", "/long", "Connection: close")) for _ in range(3)]
    assert get(small, "/page") == (200, b"whole:")
    for line in lines:
        top, _, body = read_to_end(line).partition(b"\r\n\r\n")
        assert top.startswith(b"HTTP/1.1 200 OK")
        assert b"content-type: application/octet-stream" in top.lower()
        assert body == LONG
    connect(small, head("GET", "/long")).close()
    assert get(small, "/page") == (200, b"whole:")


@pytest.mark.slow
def test_a_site_that_fails_costs_one_answer_and_no_thread(small):
    assert get(small, "/fails")[0] == HTTPStatus.INTERNAL_SERVER_ERROR
    assert get(small, "/fails-late") == (200, b"whole:")
    assert get(small, "/page") == (200, b"whole:")


@pytest.mark.slow
def test_the_site_is_told_what_was_asked(small):
    told = head(
        *("POST", "/about/%E4%BD%A0%20x?q=%20a&b"),
        *("Cookie: a=1", "Cookie: b=2", "X-Two: 1", "X-Two: 2"),
        *("X-Forwarded-Proto: http", "X_Forwarded_Proto: https"),
        *("Content-Type: text/plain", "Content-Length: 2", "Connection: close"),
    )
    status, body = ask(small, told, b"ab")
    about = json.loads(body)
    assert status == HTTPStatus.OK
    assert about["PATH_INFO"].encode("latin-1").decode() == "/about/你 x"
    assert about["QUERY_STRING"] == "q=%20a&b"
    assert about["HTTP_COOKIE"] == "a=1; b=2"
    assert about["HTTP_X_TWO"] == "1,2"
    # What a proxy replaces cannot be said in another spelling.
    assert about["HTTP_X_FORWARDED_PROTO"] == "http"
    assert (about["CONTENT_TYPE"], about["CONTENT_LENGTH"]) == ("text/plain", "2")
    assert (about["REMOTE_ADDR"], about["SERVER_PORT"]) == ("127.0.0.1", str(small))
    assert (about["HTTP_HOST"], about["wsgi.url_scheme"]) == ("localhost", "http")
    assert not {"PATH", "HTTP_CONTENT_LENGTH"} & set(about)


class Line:
    """Parts of a body, given when the test says so."""

    def __init__(self):
        self.parts = asyncio.Queue()

    def __aiter__(self):
        return self

    async def __anext__(self):
        if (part := await self.parts.get()) is None:
            raise StopAsyncIteration
        return part


async def _begin(bodies, headers, *parts):
    """Return a line and the reading of it, which has taken these parts."""
    line = Line()
    for part in parts:
        line.parts.put_nowait(part)
    reading = asyncio.create_task(bodies.read(headers, line))
    for _ in range(5):
        await asyncio.sleep(0)
    return line, reading


def test_in_a_crowd_the_one_that_has_waited_longest_goes():
    async def crowd():
        bodies = Bodies(Bounds(at_once=2, seconds=PATIENCE))
        stated = {"content-length": "2"}
        lines = [await _begin(bodies, stated, b"a") for _ in range(3)]
        with pytest.raises(RefusedError) as refused:
            await lines[0][1]
        assert refused.value.status == HTTPStatus.REQUEST_TIMEOUT
        for line, _ in lines:
            line.parts.put_nowait(b"b")
            line.parts.put_nowait(None)
        assert [bytes(await reading) for _, reading in lines[1:]] == [b"ab", b"ab"]

    asyncio.run(crowd())


def test_bodies_that_are_kept_have_a_bound_until_they_are_answered():
    async def full():
        bodies = Bodies(Bounds(held_bytes=10, seconds=PATIENCE))
        _, reading = await _begin(bodies, {"content-length": "8"}, b"12345678", None)
        kept = await reading
        _, reading = await _begin(bodies, {"content-length": "3"}, b"abc", None)
        with pytest.raises(RefusedError):
            await reading
        bodies.release(kept)
        _, reading = await _begin(bodies, {"content-length": "3"}, b"abc", None)
        assert await reading == b"abc"

    asyncio.run(full())


@pytest.mark.parametrize("length", ["-1", "+3", "3 ", "٣", "", "9" * 5000])
def test_a_length_that_is_no_number_is_refused(length):
    async def once():
        with pytest.raises(RefusedError) as refused:
            await Bodies(Bounds()).read({"content-length": length}, Line())
        assert refused.value.status == HTTPStatus.BAD_REQUEST

    asyncio.run(once())
