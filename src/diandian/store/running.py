"""Runs composed SQL without making a cursor for each statement, which took half of its time.

PostgreSQL's connection has a straight way for such statements. Where somebody listens to
statements (tests, query logs) and on SQLite, Django's own cursor runs them.
"""

from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

Asked = tuple[str, Sequence[Any]]


def database() -> BaseDatabaseWrapper:
    """Return the connection itself: asking its proxy for each attribute costs more than the use."""
    return connections[DEFAULT_DB_ALIAS]


def fetched(on: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> list[Any]:
    """Run a statement that returns rows; return them all."""
    way = _straight(on)
    if way is None:
        with on.cursor() as usual:
            usual.execute(sql, values)
            return list(usual.fetchall())
    with on.wrap_database_errors:
        return list(way.fetched(sql, values))


def fetched_together(on: BaseDatabaseWrapper, asked: Sequence[Asked]) -> list[list[Any]]:
    """Run statements that return rows, where it can be in one message; return the rows of each."""
    way = _straight(on)
    if way is None:
        return [fetched(on, sql, values) for sql, values in asked]
    with on.wrap_database_errors:
        return list(way.fetched_together(asked))


def changed(on: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> int:
    """Run a statement that changes rows; return how many."""
    way = _straight(on)
    if way is None:
        with on.cursor() as usual:
            usual.execute(sql, values)
            return int(usual.rowcount)
    with on.wrap_database_errors:
        return int(way.changed(sql, values))


def sent_along(on: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> None:
    """Run a statement whose answer nobody needs, at the latest with the commit.

    Its errors come from the next statement or the commit. Outside a transaction it runs at once.
    """
    way = _straight(on) if on.in_atomic_block else None
    if way is None:
        changed(on, sql, values)
    else:
        with on.wrap_database_errors:
            way.send_along(sql, values)


def _straight(on: BaseDatabaseWrapper) -> Any:  # noqa: ANN401 - of PostgreSQL's backend only
    """Return the connection's straight way; None where Django's own cursor is needed.

    Raises: TransactionManagementError after an error broke the transaction, as Django does.
    """
    way = getattr(on, "straight", None)
    if way is None or on.execute_wrappers or on.queries_logged:
        return None
    on.validate_no_broken_transaction()
    return way()
