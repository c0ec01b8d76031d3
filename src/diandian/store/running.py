"""Runs composed SQL without making a cursor for each statement, which took half of its time.

On PostgreSQL every connection keeps one cursor of the driver's for such statements. Where somebody
listens to statements (tests, query logs) and on SQLite, Django's own cursor runs them.
"""

from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper


def database() -> BaseDatabaseWrapper:
    """Return the connection itself: asking its proxy for each attribute costs more than the use."""
    return connections[DEFAULT_DB_ALIAS]


def fetched(on: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> list[Any]:
    """Run a statement that returns rows; return them all."""
    cursor = _kept_cursor(on)
    if cursor is None:
        with on.cursor() as usual:
            usual.execute(sql, values)
            return list(usual.fetchall())
    with on.wrap_database_errors:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def changed(on: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> int:
    """Run a statement that changes rows; return how many."""
    cursor = _kept_cursor(on)
    if cursor is None:
        with on.cursor() as usual:
            usual.execute(sql, values)
            return int(usual.rowcount)
    with on.wrap_database_errors:
        cursor.execute(sql, values)
        return int(cursor.rowcount)


def _kept_cursor(on: BaseDatabaseWrapper) -> Any:  # noqa: ANN401 - a cursor of the driver
    """Return the connection's cursor for statements; None where Django's own is needed.

    Raises: TransactionManagementError after an error broke the transaction, as Django does.
    """
    keep = getattr(on, "kept_cursor", None)
    if keep is None or on.execute_wrappers or on.queries_logged:
        return None
    on.validate_no_broken_transaction()
    return keep()
