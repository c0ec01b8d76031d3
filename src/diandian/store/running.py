"""Runs composed SQL without making a cursor for each statement, which took half of its time.

On PostgreSQL every connection keeps cursors of the driver's for such statements. Where somebody
listens to statements (tests, query logs) and on SQLite, Django's own cursor runs them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper


def database() -> BaseDatabaseWrapper:
    """Return the connection itself: asking its proxy for each attribute costs more than the use."""
    return connections[DEFAULT_DB_ALIAS]


class Answer:
    """What a statement that was sent has to say, read once; inside ``pipelined`` reading waits."""

    def __init__(self, on: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> None:
        self._on: Any = on
        self._cursor = _free_cursor(on)
        self._rows: list[Any] = []
        self._count = 0
        if self._cursor is not None:
            with on.wrap_database_errors:
                self._cursor.execute(sql, values)
            return
        with on.cursor() as usual:
            usual.execute(sql, values)
            self._count = int(usual.rowcount)
            if usual.description:
                self._rows = list(usual.fetchall())

    def rows(self) -> list[Any]:
        """Return the rows."""
        if self._cursor is not None:
            with self._on.wrap_database_errors:
                self._rows = list(self._cursor.fetchall())
            self._give_back()
        return self._rows

    def count(self) -> int:
        """Return how many rows were changed."""
        if self._cursor is not None:
            with self._on.wrap_database_errors:
                self._on.await_answers(self._cursor)
                self._count = int(self._cursor.rowcount)
            self._give_back()
        return self._count

    def _give_back(self) -> None:
        self._on.give_back(self._cursor)
        self._cursor = None


def fetched(on: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> list[Any]:
    """Run a statement that returns rows; return them all."""
    return Answer(on, sql, values).rows()


def changed(on: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> int:
    """Run a statement that changes rows; return how many."""
    return Answer(on, sql, values).count()


def sent(on: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> None:
    """Run a statement whose answer nobody needs; inside ``pipelined`` without waiting for it."""
    if not _keeps_cursors(on):
        with on.cursor() as usual:
            usual.execute(sql, values)
        return
    on.validate_no_broken_transaction()
    with on.wrap_database_errors:
        on.send(sql, values)  # type: ignore[attr-defined]


def sent_each(on: BaseDatabaseWrapper, sql: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run a statement once for each row of values; nobody needs the answers."""
    with on.cursor() as usual:
        usual.executemany(sql, rows)


@contextmanager
def pipelined() -> Iterator[None]:
    """Send statements without waiting for each answer, where the database can (PostgreSQL).

    The server works on one while the next is being made. An error is raised at the latest when
    the block ends, so the block stands inside the transaction that it may break.
    """
    on = database()
    if not _keeps_cursors(on):
        yield
        return
    with on.pipeline():  # type: ignore[attr-defined]
        yield


def _keeps_cursors(on: BaseDatabaseWrapper) -> bool:
    """Tell whether statements run on kept cursors; where not, Django's own is needed."""
    return hasattr(on, "free_cursor") and not on.execute_wrappers and not on.queries_logged


def _free_cursor(on: BaseDatabaseWrapper) -> Any:  # noqa: ANN401 - a cursor of the driver
    """Return one of the connection's cursors for statements; None where Django's own is needed.

    Raises: TransactionManagementError after an error broke the transaction, as Django does.
    """
    if not _keeps_cursors(on):
        return None
    on.validate_no_broken_transaction()
    return on.free_cursor()  # type: ignore[attr-defined]
