"""The frame of the tests holds."""

import socket

import pytest

from tests.house.tree import ROOT
from tests.sharing import FIRST, next_unit

pytestmark = pytest.mark.house


def test_network_is_closed():
    with pytest.raises(RuntimeError, match="no network"):
        socket.create_connection(("example.org", 80), timeout=1)
    with socket.socket() as outside, pytest.raises(RuntimeError, match="no network"):
        outside.connect(("192.0.2.1", 80))


def test_loopback_is_open():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=5) as client,
    ):
        assert client.getpeername() == server.getsockname()


@pytest.mark.django_db
def test_database_is_not_the_one_of_the_demo(settings):
    name = str(settings.DATABASES["default"]["NAME"])
    assert "test" in name
    assert "demo" not in name


def test_what_takes_longest_is_begun_first():
    assert next_unit(["tests/a.py", FIRST[1], "tests/b.py", FIRST[0]]) == FIRST[0]
    assert next_unit(["tests/b.py", "tests/a.py"]) == "tests/b.py"
    assert [name for name in FIRST if not (ROOT / name).exists()] == []
