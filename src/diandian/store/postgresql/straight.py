"""One connection's composed statements, sent straight through libpq.

The driver's cursor costs as much of our time as the server takes for most of them, and each answer
that is waited for wakes two processes. So a statement whose answer nobody needs at once waits for
the next one, and so do BEGIN and COMMIT: what waits travels in one message.
"""

import select
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import OperationalError
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

# Used so often, a statement is prepared; the server keeps at most so many for a connection.
_OFTEN, _MOST_PREPARED = 3, 400
_MOST_COUNTED = 5_000
_GOOD = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


class _Call(NamedTuple):
    """A statement with its values in the server's form; ``name`` is empty where it has none."""

    name: bytes
    sql: bytes
    values: Sequence[Any]
    types: tuple[int, ...]
    formats: Sequence[Any]


_BEGIN = _Call(b"", b"BEGIN", [], (), [])
_COMMIT = _Call(b"", b"COMMIT", [], (), [])


class Straight:
    """The statements of the connection that ``cursor`` belongs to, in the forms it was taught."""

    def __init__(self, cursor: Any) -> None:  # noqa: ANN401 - a cursor of the driver
        self.connection = cursor.connection
        self._pg = self.connection.pgconn
        self._forms = Transformer.from_context(cursor)
        self._names: dict[tuple[str, tuple[int, ...]], bytes] = {}
        self._seen: Counter[tuple[str, tuple[int, ...]]] = Counter()
        self._waiting: list[_Call] = []
        self._heard, self._either = select.poll(), select.poll()
        self._heard.register(self._pg.socket, select.POLLIN)
        self._either.register(self._pg.socket, select.POLLIN | select.POLLOUT)

    # -- what callers use ---------------------------------------------------------------------

    def fetched(self, sql: str, values: Sequence[Any]) -> list[Any]:
        """Run a statement that returns rows; return them all."""
        return self._rows(self._run(self._call(sql, values)))

    def changed(self, sql: str, values: Sequence[Any]) -> int:
        """Run a statement that changes rows; return how many."""
        return int(self._run(self._call(sql, values)).command_tuples or 0)

    def fetched_together(self, asked: Sequence[tuple[str, Sequence[Any]]]) -> list[list[Any]]:
        """Run statements that return rows in one message; return the rows of each."""
        results = self._together([self._call(sql, values) for sql, values in asked])
        return [self._rows(result) for result in results]

    def send_along(self, sql: str, values: Sequence[Any]) -> None:
        """Run a statement with the next one; inside a transaction. Its errors come from there."""
        self._waiting.append(self._call(sql, values))

    def send_waiting(self) -> None:
        """Run what waits, before somebody else uses the connection."""
        if self._waiting:
            self._together([])

    def forget_waiting(self) -> None:
        """Never run what waits: it is rolled back."""
        self._waiting.clear()

    def commit(self) -> None:
        """Commit, together with what waits; nothing where nothing was begun."""
        if self._waiting:
            self._together([_COMMIT])
        elif self._pg.transaction_status != TransactionStatus.IDLE:
            _checked(self._pg.exec_(b"COMMIT"))

    # -- how it is done -----------------------------------------------------------------------

    def _call(self, sql: str, values: Sequence[Any]) -> _Call:
        forms = self._forms
        given = forms.dump_sequence(values, [PyFormat.AUTO] * len(values)) if values else []
        types = (forms.types or ()) if values else ()
        key = (sql, types)
        name = self._names.get(key)
        if name is None:
            name = self._prepared(key)
        text = b"" if name else _numbered(sql)
        return _Call(name, text, given, types, (forms.formats or ()) if values else ())

    def _prepared(self, key: tuple[str, tuple[int, ...]]) -> bytes:
        """Return the name of a statement that comes often, prepared just now; else none."""
        if len(self._seen) > _MOST_COUNTED:
            self._seen.clear()
        self._seen[key] += 1
        if self._seen[key] < _OFTEN or len(self._names) >= _MOST_PREPARED:
            return b""
        sql, types = key
        name = b"diandian_%d" % len(self._names)
        _checked(self._pg.prepare(name, _numbered(sql), types))
        self._names[key] = name
        return name

    def _run(self, call: _Call) -> PGresult:
        if self._waiting or self._must_begin():
            return self._together([call])[-1]
        if call.name:
            return _checked(self._pg.exec_prepared(call.name, call.values, call.formats))
        return _checked(self._pg.exec_params(call.sql, call.values, call.types, call.formats))

    def _must_begin(self) -> bool:
        idle = self._pg.transaction_status == TransactionStatus.IDLE
        return idle and not self.connection.autocommit

    def _together(self, calls: Sequence[_Call]) -> list[PGresult]:
        """Run what waits and these calls; return the results of the calls."""
        first = [_BEGIN] if self._must_begin() else []
        every = [*first, *self._waiting, *calls]
        self._waiting.clear()
        pg = self._pg
        pg.enter_pipeline_mode()
        try:
            for call in every:
                if call.name:
                    pg.send_query_prepared(call.name, call.values, call.formats)
                else:
                    pg.send_query_params(call.sql, call.values, call.types, call.formats)
            pg.pipeline_sync()
            while pg.flush():
                self._either.poll()
                pg.consume_input()
            results = self._received()
        finally:
            pg.exit_pipeline_mode()
        for result in results:
            _checked(result)
        return results[len(every) - len(calls) :]

    def _received(self) -> list[PGresult]:
        """Return the results up to the end of the message; each is followed by a None."""
        pg = self._pg
        results: list[PGresult] = []
        nothing = 0
        while nothing <= 1:
            # Waiting is ours: the driver would wait for a result with all other threads stopped.
            while pg.is_busy():
                self._heard.poll()
                pg.consume_input()
            result = pg.get_result()
            if result is None:
                nothing += 1
                continue
            if result.status == ExecStatus.PIPELINE_SYNC:
                return results
            nothing = 0
            results.append(result)
        for result in results:
            _checked(result)
        raise OperationalError("the connection to the database was lost")

    def _rows(self, result: PGresult) -> list[Any]:
        self._forms.set_pgresult(result)
        return self._forms.load_rows(0, result.ntuples, tuple)


def _numbered(sql: str) -> bytes:
    """Return a text with ``%s`` for its values as the server reads it, with $1, $2 and so on."""
    parts = sql.split("%s")
    marked = "".join(f"{part}${place}" for place, part in enumerate(parts[:-1], 1)) + parts[-1]
    return marked.replace("%%", "%").encode()


def _checked(result: PGresult) -> PGresult:
    """Return a good result. Raises: the driver's error of a bad one."""
    if result.status not in _GOOD:
        raise error_from_result(result)
    return result
