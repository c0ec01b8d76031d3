"""Composed statements on the connection's straight way behave as on Django's own cursor."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.transaction import TransactionManagementError

from diandian.audit.models import OutboxEvent
from diandian.kernel.clock import now
from diandian.store.inserts import Insert
from diandian.store.running import Answer, changed, database, fetched, pipelined

pytestmark = pytest.mark.django_db

_EVENTS = Insert(OutboxEvent)


def event(key):
    at = now()
    return OutboxEvent(kind="test", key=key, payload={"点": [1, None, "é"]}, created_at=at,
                       available_at=at)  # fmt: skip


class EnoughError(Exception):
    """Ends a transaction."""


def give_up():
    raise EnoughError


def in_one(*steps):
    """Take the steps in one transaction."""
    with transaction.atomic():
        for step in steps:
            step()


def go_along(key):
    return lambda: _EVENTS.along([event(key)])


def test_rows_and_counts_come_back():
    assert fetched(database(), "SELECT %s", [7]) == [(7,)]
    _EVENTS.run([event(f"k{n}") for n in range(3)])
    sql = "UPDATE audit_outboxevent SET attempts = %s WHERE kind = %s"
    assert changed(database(), sql, [4, "test"]) == 3


def test_errors_are_djangos_own_and_break_the_transaction():
    _EVENTS.run([event("once")])
    with pytest.raises(IntegrityError), transaction.atomic():
        _EVENTS.run([event("once")])
    # An error inside a nested block without savepoint: nothing more may run until it is left.
    with transaction.atomic():
        connection.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            fetched(database(), "SELECT 1", [])
        connection.set_rollback(False)


@pytest.mark.parametrize("rows", [1, 3, 5, 8, 13, 64, 200])
def test_however_many_rows_each_gets_its_own_id(rows):
    written = [event(f"k{n}") for n in range(rows)]
    assert _EVENTS.run(written) == rows
    found = dict(OutboxEvent.objects.values_list("id", "key"))
    assert found == {each.id: each.key for each in written}


def test_json_comes_back_as_it_went():
    _EVENTS.run([event("json")])
    assert OutboxEvent.objects.get(key="json").payload == {"点": [1, None, "é"]}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_new_connection_gets_a_way_of_its_own():
    assert fetched(database(), "SELECT 1", []) == [(1,)]
    connection.close()
    assert fetched(database(), "SELECT 2", []) == [(2,)]


@pytest.mark.django_db(transaction=True)
def test_what_goes_along_is_there_for_the_next_statement():
    with transaction.atomic():
        _EVENTS.along([event("along")])
        assert fetched(database(), "SELECT key FROM audit_outboxevent", []) == [("along",)]
        _EVENTS.along([event("later")])
        # Django's own statements find it too.
        assert OutboxEvent.objects.count() == 2
        _EVENTS.along([event("with the commit")])
    assert OutboxEvent.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_waits():
    _EVENTS.along([event("alone")])
    with pytest.raises(IntegrityError):
        _EVENTS.along([event("alone")])
    assert OutboxEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_commit_refuses_what_went_along_with_it():
    _EVENTS.run([event("taken")])
    with pytest.raises(IntegrityError):
        in_one(lambda: _EVENTS.run([event("fine")]), go_along("taken"))
    assert list(OutboxEvent.objects.values_list("key", flat=True)) == ["taken"]


@pytest.mark.django_db(transaction=True)
def test_the_next_statement_refuses_what_went_along_with_it():
    _EVENTS.run([event("taken")])
    with pytest.raises(IntegrityError):
        in_one(go_along("taken"), lambda: fetched(database(), "SELECT 1", []), give_up)
    # The connection goes on as if nothing had been.
    _EVENTS.run([event("next")])
    assert OutboxEvent.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_what_goes_along_is_rolled_back_with_its_savepoint():
    with transaction.atomic():
        _EVENTS.along([event("outer")])
        with pytest.raises(EnoughError):
            in_one(go_along("inner"), give_up)
        _EVENTS.along([event("after")])
    keys = OutboxEvent.objects.order_by("key").values_list("key", flat=True)
    assert list(keys) == ["after", "outer"]


@pytest.mark.django_db(transaction=True)
def test_what_goes_along_is_rolled_back_with_the_transaction():
    with pytest.raises(EnoughError):
        in_one(go_along("gone"), give_up)
    _EVENTS.run([event("next")])
    assert list(OutboxEvent.objects.values_list("key", flat=True)) == ["next"]


@pytest.mark.django_db(transaction=True)
def test_what_was_set_off_is_rolled_back_with_its_savepoint():
    with transaction.atomic(), pipelined():
        _EVENTS.along([event("outer")])
        with pytest.raises(EnoughError):
            in_one(go_along("inner"), give_up)
        _EVENTS.along([event("after")])
    keys = OutboxEvent.objects.order_by("key").values_list("key", flat=True)
    assert list(keys) == ["after", "outer"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_error_that_nobody_heard_of_is_rolled_back_too():
    with transaction.atomic(), pipelined():
        _EVENTS.along([event("outer")])
        with pytest.raises(EnoughError):
            in_one(go_along("outer"), give_up)
        _EVENTS.along([event("after")])
    assert OutboxEvent.objects.count() == 2


def piped(*steps):
    with transaction.atomic(), pipelined():
        for step in steps:
            step()


@pytest.mark.django_db(transaction=True)
def test_what_was_set_off_is_rolled_back_with_the_transaction():
    with pytest.raises(EnoughError):
        piped(go_along("gone"), give_up)
    _EVENTS.run([event("next")])
    assert list(OutboxEvent.objects.values_list("key", flat=True)) == ["next"]


@pytest.mark.django_db(transaction=True)
def test_answers_are_read_in_any_order_and_after_others_used_the_connection():
    with transaction.atomic():
        one, two = (Answer(database(), "SELECT %s", [number]) for number in (1, 2))
        assert OutboxEvent.objects.count() == 0
        three = Answer(database(), "SELECT %s", [3])
        assert [each.rows() for each in (three, two, one, one)] == [[(3,)], [(2,)], [(1,)], [(1,)]]


@pytest.mark.django_db(transaction=True)
def test_what_an_error_kept_from_being_prepared_is_prepared_later():
    """The third use prepares a statement; here an error before it, then a rollback, prevent it."""
    on = database()
    broken = "SELECT 3 AS broken, %s"
    dropped = "SELECT 3 AS dropped, %s"
    for _ in range(2):
        fetched(on, broken, [1])
        fetched(on, dropped, [1])
    _EVENTS.run([event("taken")])
    with pytest.raises(IntegrityError):
        in_one(go_along("taken"), lambda: fetched(on, broken, [1]))
    with pytest.raises(EnoughError):
        in_one(lambda: Answer(on, dropped, [1]), give_up)
    for _ in range(3):
        assert fetched(on, broken, [1]) == fetched(on, dropped, [1]) == [(3, 1)]


@pytest.mark.django_db(transaction=True)
def test_more_than_one_message_full_goes_along():
    many = [event(f"k{number}") for number in range(40)]
    for row in many:
        row.payload = {"text": "x" * 100_000}
    with transaction.atomic():
        for row in many[:20]:
            _EVENTS.along([row])
    with transaction.atomic(), pipelined():
        for row in many[20:]:
            _EVENTS.along([row])
    assert OutboxEvent.objects.count() == 40


def test_values_keep_their_kinds_when_a_statement_is_prepared():
    sql = "SELECT %s, %s, %s"
    # The third time it is prepared, for values of these kinds; others are another statement.
    for _ in range(4):
        assert fetched(database(), sql, [7, "text", None]) == [(7, "text", None)]
    assert fetched(database(), sql, ["seven", 2**40, 1]) == [("seven", 2**40, 1)]
    assert fetched(database(), "SELECT 7 %% 4", []) == [(3,)]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_is_an_error_and_the_next_request_has_another():
    on = database()
    fetched(on, "SELECT 1", [])
    end = "SELECT pg_terminate_backend(pg_backend_pid())"
    with pytest.raises(OperationalError):
        in_one(go_along("lost"), lambda: fetched(on, end, []))
    on.close_if_unusable_or_obsolete()
    assert fetched(on, "SELECT 2", []) == [(2,)]
    assert not OutboxEvent.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_who_waits_for_the_server_stops_nobody_else():
    """A thread that waits for a row's lock lets the thread go on that holds it."""
    _EVENTS.run([event("hot")])
    waits = threading.Event()

    def second():
        try:
            with transaction.atomic():
                _EVENTS.along([event("along")])
                waits.set()
                sql = "UPDATE audit_outboxevent SET attempts = attempts + 1 WHERE key = %s"
                changed(database(), sql, ["hot"])
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            fetched(
                database(), "SELECT 1 FROM audit_outboxevent WHERE key = %s FOR UPDATE", ["hot"]
            )
            found = pool.submit(second)
            assert waits.wait(10)
            time.sleep(0.2)
        found.result(10)
    assert OutboxEvent.objects.count() == 2
