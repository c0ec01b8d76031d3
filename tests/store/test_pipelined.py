"""Inside ``pipelined`` an answer is had while the server still works on what came after it."""

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from diandian.audit.models import OutboxEvent
from diandian.kernel.clock import now
from diandian.store.inserts import InsertMany
from diandian.store.running import Answer, database, fetched, pipelined, set_off

pytestmark = pytest.mark.django_db(transaction=True)

_EVENTS = InsertMany(OutboxEvent, "key", "payload", shared=("kind", "created_at", "available_at"))
_LOCK = 77_001
_END = "SELECT pg_terminate_backend(pg_backend_pid())"


def write(*keys, text=""):
    at = now()
    rows = [(key, {"text": text}) for key in keys]
    _EVENTS.along(rows, kind="test", created_at=at, available_at=at)


def ask(number):
    return Answer(database(), "SELECT %s", [number])


def keys():
    return list(OutboxEvent.objects.order_by("key").values_list("key", flat=True))


@pytest.fixture
def other():
    """A second connection to the same database."""
    second = connection.copy()
    yield second
    second.close()


def asked_while_locked(other):
    """Ask before and after a question that waits for a lock; read the first, then let it go on."""
    with transaction.atomic(), pipelined():
        # Whoever waited for all three would be refused, not stay for ever.
        fetched(database(), "SELECT set_config('lock_timeout', '5s', true)", [])
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
            first = ask(1)
            set_off()
            held = Answer(database(), "SELECT pg_advisory_xact_lock(%s)::text", [_LOCK])
            last = ask(3)
            set_off()
            early = first.rows()
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
        return early, last.rows(), held.rows()


@pytest.mark.postgres
def test_an_answer_waits_for_nothing_that_was_set_off_after_it(other):
    assert asked_while_locked(other) == ([(1,)], [(3,)], [("",)])


@pytest.mark.parametrize("text", ["", "x" * 5000])
def test_answers_come_in_any_order_between_what_is_written(text):
    with transaction.atomic(), pipelined():
        first, second = ask(1), ask(2)
        set_off()
        write("a", text=text)
        third = ask(3)
        assert second.rows() == [(2,)]
        write("b", "c", text=text)
        assert (third.rows(), first.rows()) == ([(3,)], [(1,)])
        # Django's own cursor finds all done, and the straight way goes on after it.
        assert keys() == ["a", "b", "c"]
        set_off()
        assert ask(4).rows() == [(4,)]
        write("d", text=text)
    assert keys() == ["a", "b", "c", "d"]


def refused_before(text):
    with transaction.atomic(), pipelined():
        assert ask(1).rows() == [(1,)]
        write("a", text=text)
        write("taken", text=text)
        later = ask(2)
        write("b", text=text)
        later.rows()


def refused_at_the_end(text):
    with transaction.atomic(), pipelined():
        first = ask(1)
        write("taken", text=text)
        set_off()
        assert first.rows() == [(1,)]
        write("b", text=text)


@pytest.mark.parametrize("text", ["", "x" * 5000])
@pytest.mark.parametrize("refused", [refused_before, refused_at_the_end])
def test_what_is_refused_between_answers_takes_all_back(refused, text):
    write("taken")
    with pytest.raises(IntegrityError):
        refused(text)
    assert keys() == ["taken"]
    with transaction.atomic(), pipelined():
        first = ask(1)
        write("next", text=text)
        assert first.rows() == [(1,)]
    assert keys() == ["next", "taken"]


class EnoughError(Exception):
    """Ends a transaction."""


def left_between():
    with transaction.atomic(), pipelined():
        first, unread = ask(1), ask(2)
        write("gone", text="x" * 5000)
        set_off()
        assert first.rows() == [(1,)]
        write("gone too")
        unread.set_off()
        raise EnoughError


def test_what_was_half_heard_is_rolled_back():
    with pytest.raises(EnoughError):
        left_between()
    assert keys() == []
    write("next")
    assert keys() == ["next"]


def lost_between():
    with transaction.atomic(), pipelined():
        assert ask(1).rows() == [(1,)]
        write("lost")
        Answer(database(), _END, [])
        ask(2).rows()


@pytest.mark.postgres
def test_a_connection_that_is_lost_between_answers_is_an_error_and_the_next_is_another():
    with pytest.raises(OperationalError):
        lost_between()
    database().close_if_unusable_or_obsolete()
    assert fetched(database(), "SELECT 2", []) == [(2,)]
    assert keys() == []
