"""The database backend that settings name: Django finds ``DatabaseWrapper`` here."""

import sqlite3
import time
from collections.abc import Callable
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

from diandian.store.sqlite3.turn import Turn

_PATIENCE_SECONDS = 5.0
_FIRST_REST_SECONDS, _LONGEST_REST_SECONDS = 0.0002, 0.001
_WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


def writes(sql: str) -> bool:
    """Tell whether a statement changes rows."""
    return sql.startswith(_WRITES)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own; what will write begins in its turn, a transaction or a statement alone."""

    _turn: Turn | None = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:  # noqa: ANN401 - the driver's
        """Connect, and have a turn of this connection's own where the database is a file."""
        connection = super().get_new_connection(conn_params)
        name = self.settings_dict["NAME"]
        if not self.is_in_memory_db() and not str(name).startswith("file:"):
            self._turn = Turn(name)
        return connection

    def create_cursor(self, name: str | None = None) -> Any:  # noqa: ANN401 - the driver's
        """Return a cursor whose statements take their turn."""
        del name
        return self.connection.cursor(factory=lambda driver: _Cursor(driver, self.in_turn))

    def in_turn(self, write: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever it returns
        """Do what needs the database for writing: at once, or as soon as nobody else writes.

        It is asked again and again at short rests: SQLite's own grow to a tenth of a second.
        Raises: what ``write`` raises, that it is locked after the time of the setting ``timeout``.
        """
        if self._turn is None:
            return write()
        patience = float(self.settings_dict["OPTIONS"].get("timeout", _PATIENCE_SECONDS))
        until, rest = time.monotonic() + patience, _FIRST_REST_SECONDS
        with self._turn.taken():
            self.connection.execute("PRAGMA busy_timeout = 0")
            try:
                while True:
                    try:
                        return write()
                    except (OperationalError, sqlite3.OperationalError) as error:
                        if not _is_busy(error) or time.monotonic() >= until:
                            raise
                    time.sleep(rest)
                    rest = min(2 * rest, _LONGEST_REST_SECONDS)
            finally:
                self.connection.execute(f"PRAGMA busy_timeout = {int(1000 * patience)}")

    def _close(self) -> None:
        super()._close()  # type: ignore[misc]  # not among Django's typed names
        if self._turn is not None:
            self._turn.close()
            self._turn = None

    def _start_transaction_under_autocommit(self) -> None:
        begin = super()._start_transaction_under_autocommit  # type: ignore[misc]  # as above
        if self.transaction_mode == "IMMEDIATE":  # type: ignore[attr-defined]  # as above
            self.in_turn(begin)
        else:
            begin()


class _Cursor(base.SQLiteCursorWrapper):
    """Django's own; a statement that writes outside a transaction waits for its turn."""

    def __init__(self, driver: Any, in_turn: Callable[[Callable[[], Any]], Any]) -> None:  # noqa: ANN401
        super().__init__(driver)
        self._in_turn = in_turn

    def execute(self, query: str, params: Any = None) -> Any:  # noqa: ANN401 - Django's signature
        """Run a statement."""
        run = super().execute
        if self.connection.in_transaction or not writes(query):
            return run(query, params)
        return self._in_turn(lambda: run(query, params))


def _is_busy(error: BaseException) -> bool:
    refused = error if isinstance(error, sqlite3.Error) else error.__cause__
    return getattr(refused, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
