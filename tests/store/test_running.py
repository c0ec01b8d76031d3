"""Composed statements on the connection's kept cursor behave as on Django's own."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError

from diandian.audit.models import OutboxEvent
from diandian.kernel.clock import now
from diandian.store.inserts import Insert
from diandian.store.running import changed, database, fetched

pytestmark = pytest.mark.django_db

_EVENTS = Insert(OutboxEvent)


def event(key):
    at = now()
    return OutboxEvent(kind="test", key=key, payload={"点": [1, None, "é"]}, created_at=at,
                       available_at=at)  # fmt: skip


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
def test_a_new_connection_gets_a_cursor_of_its_own():
    assert fetched(database(), "SELECT 1", []) == [(1,)]
    connection.close()
    assert fetched(database(), "SELECT 2", []) == [(2,)]
