"""Runs composed statements on SQLite's own cursor.

Django's makes a new one for each statement, with three wrappers, and rewrites the marks in its text
every time; together that took longer than many a statement.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from diandian.store.sqlite3.base import writes

# So many rows a statement: their text is read once, and SQLite notes the last id once for them all.
ROWS_AT_ONCE = 8
_MARK = re.compile(r"(?<!%)%s")


@lru_cache(maxsize=2048)
def _marked(sql: str) -> str:
    """Return a statement with marks and signs as the driver takes them."""
    return _MARK.sub("?", sql).replace("%%", "%")


def cursor_of(on: BaseDatabaseWrapper, sql: str) -> Any:  # noqa: ANN401 - the driver's
    """Return a cursor of the driver's for a statement; None where Django's own is needed.

    That is where somebody listens, and where a statement writes alone: it has to wait its turn.

    Raises: TransactionManagementError after an error broke the transaction, as Django does.
    """
    if on.vendor != "sqlite" or on.execute_wrappers or on.queries_logged:
        return None
    if not on.in_atomic_block and writes(sql):
        return None
    on.ensure_connection()
    on.validate_no_broken_transaction()
    return on.connection.cursor()


def run(cursor: Any, sql: str, values: Sequence[Any]) -> tuple[list[Any], int]:  # noqa: ANN401
    """Run a statement; return its rows and how many it changed."""
    cursor.execute(_marked(sql), values)
    return cursor.fetchall() if cursor.description else [], int(cursor.rowcount)


def run_each(cursor: Any, sql: str, rows: Sequence[Sequence[Any]]) -> None:  # noqa: ANN401
    """Run a statement once for each row of values."""
    cursor.executemany(_marked(sql), rows)
