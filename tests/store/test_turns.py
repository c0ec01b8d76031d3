"""On SQLite, who waits to write goes before who comes back."""

import fcntl
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.db import OperationalError, connections

from diandian.store.away import is_away
from diandian.store.sqlite3.base import DatabaseWrapper

_PATIENCE_SECONDS = 20


@pytest.fixture
def connect(tmp_path, django_db_blocker):
    """Return a function that connects to one file, each time anew."""
    given = connections["default"].settings_dict | {
        "ENGINE": "diandian.store.sqlite3",
        "NAME": tmp_path / "turns.sqlite3",
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": _PATIENCE_SECONDS},
        "HOST": "",
        "PORT": "",
    }
    made = []

    def connected(**options):
        settings = given | {"OPTIONS": given["OPTIONS"] | options}
        made.append(DatabaseWrapper(settings, "turns"))
        made[-1].inc_thread_sharing()
        made[-1].connect()
        return made[-1]

    with django_db_blocker.unblock():
        yield connected
        for each in made:
            each.close()


def begin(on):
    on.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)


def end(on):
    on.commit()
    on.set_autocommit(True)


def somebody_waits(path):
    """Return once somebody has the turn and waits with it."""
    until = time.monotonic() + _PATIENCE_SECONDS
    with path.open("rb") as file:
        while time.monotonic() < until:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            fcntl.flock(file, fcntl.LOCK_UN)
            time.sleep(0.001)
    raise AssertionError("nobody waits")


@contextmanager
def coming_back(busy, neighbour, told, path):
    """Write, then at once again, while a neighbour came meanwhile; inside, it is written again."""
    begin(busy)
    waiting = threading.Thread(target=neighbour)
    waiting.start()
    somebody_waits(path)
    told.append("first")
    end(busy)
    begin(busy)
    told.append("again")
    yield
    end(busy)
    waiting.join()


def test_who_waits_goes_before_who_comes_back(connect, tmp_path):
    busy, told = connect(), []

    def neighbour():
        other = connect()
        begin(other)
        told.append("the neighbour")
        end(other)

    with coming_back(busy, neighbour, told, tmp_path / "turns.sqlite3-turn"):
        assert told == ["first", "the neighbour", "again"]


def test_a_statement_alone_goes_before_who_comes_back(connect, tmp_path):
    busy, told = connect(), []
    with busy.cursor() as cursor:
        cursor.execute("CREATE TABLE told (text)")

    def neighbour():
        with connect().cursor() as cursor:
            cursor.execute("INSERT INTO told VALUES (%s) RETURNING text", ["the neighbour"])
            told.append(cursor.fetchone()[0])

    with (
        coming_back(busy, neighbour, told, tmp_path / "turns.sqlite3-turn"),
        busy.cursor() as cursor,
    ):
        cursor.execute("SELECT text FROM told")
        assert cursor.fetchall() == [("the neighbour",)]

    assert sorted(told) == ["again", "first", "the neighbour"]


def test_a_wait_ends_with_a_message_that_tells_a_busy_database(connect):
    busy, other = connect(), connect(timeout=0.05)
    with busy.cursor() as cursor:
        cursor.execute("CREATE TABLE told (text)")
    begin(busy)

    with pytest.raises(OperationalError, match="locked") as refused:
        begin(other)
    assert is_away(refused.value)
    with pytest.raises(OperationalError, match="locked") as refused, other.cursor() as cursor:
        cursor.execute("DELETE FROM told")
    assert is_away(refused.value)

    end(busy)
    begin(other)
    end(other)


def test_a_statement_without_a_transaction_still_waits_as_set(connect):
    on = connect()
    begin(on)
    end(on)

    with closing(on.cursor()) as cursor:
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == (1000 * _PATIENCE_SECONDS,)


def test_who_died_with_the_turn_keeps_nobody(connect, tmp_path):
    other = connect()
    with (tmp_path / "turns.sqlite3-turn").open("wb") as dead:
        fcntl.flock(dead, fcntl.LOCK_EX)
        waiting = threading.Thread(target=lambda: (begin(other), end(other)))
        waiting.start()
        assert waiting.is_alive()

    waiting.join(_PATIENCE_SECONDS)
    assert not waiting.is_alive()


def test_what_else_goes_wrong_is_told_as_it_is(connect):
    on = connect()
    begin(on)

    with pytest.raises(OperationalError, match="within a transaction"):
        on._start_transaction_under_autocommit()

    end(on)
    begin(on)
    end(on)


def test_each_connection_gives_its_file_back(connect, tmp_path):
    def kept():
        files = (each.readlink() for each in Path("/proc/self/fd").iterdir() if each.exists())
        return [file for file in files if file == tmp_path / "turns.sqlite3-turn"]

    on = connect()
    begin(on)
    end(on)
    assert len(kept()) == 1

    for _ in range(3):
        on.close()
        assert kept() == []
        on.connect()
        begin(on)
        end(on)


def test_where_the_file_cannot_be_opened_a_transaction_begins_all_the_same(connect, tmp_path):
    (tmp_path / "turns.sqlite3-turn").mkdir()
    on = connect()

    begin(on)
    end(on)

    assert list((tmp_path / "turns.sqlite3-turn").iterdir()) == []
