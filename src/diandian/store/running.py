"""Runs composed SQL without making a cursor for each statement, which took half of its time.

PostgreSQL's connection has a straight way for such statements, on which those that nobody waits
for travel with one that is waited for. SQLite runs each at once, on its driver's cursor. Where
somebody listens to statements (tests, query logs), Django's own cursor runs them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from diandian.store import sqlite


def database() -> BaseDatabaseWrapper:
    """Return the connection itself: asking its proxy for each attribute costs more than the use."""
    return connections[DEFAULT_DB_ALIAS]


class Answer:
    """What a statement has to say. Inside a transaction only reading it waits for the server."""

    def __init__(self, on: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> None:
        self._on = on
        self._way = _straight(on)
        self._rows: list[Any] = []
        self._count = 0
        if self._way is not None:
            with on.wrap_database_errors:
                self._asked = self._way.ask(sql, values)
                if not on.in_atomic_block:
                    self._way.finish()
            return
        self._rows, self._count = _run(on, sql, values)

    def set_off(self, *, to_be_read: bool = True) -> None:
        """Inside ``pipelined``, send it with all that was asked before it.

        ``to_be_read``: what they say will be wanted, so the server says it as soon as it can.
        """
        if self._way is not None:
            with self._on.wrap_database_errors:
                self._way.set_off(to_be_read=to_be_read)

    def rows(self) -> list[Any]:
        """Return the rows."""
        if self._way is None:
            return self._rows
        with self._on.wrap_database_errors:
            return list(self._way.rows(self._asked))

    def count(self) -> int:
        """Return how many rows were changed."""
        if self._way is None:
            return self._count
        with self._on.wrap_database_errors:
            return int(self._way.count(self._asked))


def set_off() -> None:
    """Inside ``pipelined``, send what was asked so far; the answers come as soon as they can."""
    way = _straight(database())
    if way is not None:
        with database().wrap_database_errors:
            way.set_off(to_be_read=True)


def fetched(on: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> list[Any]:
    """Run a statement that returns rows; return them all."""
    return Answer(on, sql, values).rows()


def changed(on: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> int:
    """Run a statement that changes rows; return how many."""
    return Answer(on, sql, values).count()


def sent_along(on: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> None:
    """Run a statement whose answer nobody needs, at the latest with the commit.

    Its errors come from the next statement that is waited for, or from the commit. Outside a
    transaction it runs at once.
    """
    Answer(on, sql, values).set_off(to_be_read=False)


def _run(on: BaseDatabaseWrapper, sql: str, values: Sequence[Any]) -> tuple[list[Any], int]:
    cursor = sqlite.cursor_of(on, sql)
    if cursor is not None:
        with on.wrap_database_errors:
            return sqlite.run(cursor, sql, values)
    with on.cursor() as usual:
        usual.execute(sql, values)
        return list(usual.fetchall()) if usual.description else [], int(usual.rowcount)


def sent_each(
    on: BaseDatabaseWrapper, sql: str, together: str, rows: Sequence[Sequence[Any]]
) -> None:
    """Run a statement of SQLite's for each row of values; nobody needs the answers.

    ``together``: the same for ``sqlite.ROWS_AT_ONCE`` rows at a time.
    """
    cursor = sqlite.cursor_of(on, sql)
    if cursor is None:
        with on.cursor() as usual:
            usual.executemany(sql, rows)
        return
    at_once = sqlite.ROWS_AT_ONCE
    whole = len(rows) - len(rows) % at_once
    with on.wrap_database_errors:
        for first in range(0, whole, at_once):
            values = list(chain.from_iterable(rows[first : first + at_once]))
            sqlite.run(cursor, together, values)
        if whole < len(rows):
            sqlite.run_each(cursor, sql, rows[whole:])


@contextmanager
def pipelined() -> Iterator[None]:
    """Send much that is written at once, and have answers without what was sent after them.

    Outside, what goes along saves the server being woken for it. Inside, where there is much to
    write, the server works on one statement while the next is being made. A question waits for the
    next of them, or until it is set off.
    """
    way = _straight(database())
    if way is None:
        yield
        return
    earlier, way.is_eager = way.is_eager, True
    try:
        yield
    finally:
        way.is_eager = earlier


def _straight(on: BaseDatabaseWrapper) -> Any:  # noqa: ANN401 - of PostgreSQL's backend only
    """Return the connection's straight way; None where Django's own cursor is needed.

    Raises: TransactionManagementError after an error broke the transaction, as Django does.
    """
    way = getattr(on, "straight", None)
    if way is None or on.execute_wrappers or on.queries_logged:
        return None
    on.validate_no_broken_transaction()
    return way()
