"""One connection's composed statements, sent straight through libpq.

The driver's cursor costs as much of our time as the server takes for most of them, and each answer
that is waited for wakes two processes. So a statement waits until somebody waits for an answer:
what has come together by then, BEGIN with it, travels in one message, and COMMIT with the last.
"""

import select
from collections import Counter
from collections.abc import Sequence
from itertools import count
from typing import Any

from psycopg import OperationalError
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import Error, error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

# Used so often, a statement is prepared; the server keeps at most so many for a connection.
_OFTEN, _MOST_PREPARED = 3, 400
_MOST_COUNTED = 5_000
_GOOD = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)

_Key = tuple[str, tuple[int, ...]]


class Asked:
    """A statement with its values in the server's form, and its result once that was received.

    ``name``: where it is prepared. ``prepares``: it only has the server prepare what this names.
    """

    __slots__ = ("formats", "name", "prepares", "result", "sql", "types", "values")

    def __init__(
        self,
        sql: bytes,
        values: Sequence[Any] = (),
        types: tuple[int, ...] = (),
        formats: Sequence[Any] = (),
        *,
        name: bytes = b"",
        prepares: _Key | None = None,
    ) -> None:
        self.sql, self.values, self.types, self.formats = sql, values, types, formats
        self.name, self.prepares = name, prepares
        self.result: PGresult | None = None


class Straight:
    """The statements of the connection that ``cursor`` belongs to, in the forms it was taught.

    Unfinished statements either wait to be sent or are with the server already; ``is_eager`` sends
    each at once. From the first that is sent until ``finish`` the connection is in libpq's pipeline
    mode, where nobody else may use it.
    """

    def __init__(self, cursor: Any) -> None:  # noqa: ANN401 - a cursor of the driver
        self.connection = cursor.connection
        self.is_eager = False
        self._pg = self.connection.pgconn
        self._forms = Transformer.from_context(cursor)
        self._names: dict[_Key, bytes] = {}
        self._new_name = count()
        self._seen: Counter[_Key] = Counter()
        self._waiting: list[Asked] = []
        self._sent: list[Asked] = []
        self._heard, self._either = select.poll(), select.poll()
        self._heard.register(self._pg.socket, select.POLLIN)
        self._either.register(self._pg.socket, select.POLLIN | select.POLLOUT)

    # -- what callers use ---------------------------------------------------------------------

    def ask(self, sql: str, values: Sequence[Any]) -> Asked:
        """Run a statement before the next result is read. Its errors come from there."""
        asked = self._asked(sql, values)
        self._waiting.append(asked)
        if self.is_eager:
            self._send()
        return asked

    def rows(self, asked: Asked) -> list[Any]:
        """Return the rows of a statement."""
        result = self._result(asked)
        self._forms.set_pgresult(result)
        return self._forms.load_rows(0, result.ntuples, tuple)

    def count(self, asked: Asked) -> int:
        """Return how many rows a statement changed."""
        return int(self._result(asked).command_tuples or 0)

    def finish(self) -> None:
        """Have the results of all that was asked. Raises: the driver's error of the first bad."""
        if self._is_one_alone():
            self._run_alone(self._waiting.pop())
        elif self._waiting or self._sent:
            self._send()
            self._receive()

    def forget(self) -> None:
        """Never run what waits, and hear nothing of what was sent: it is rolled back."""
        for asked in self._waiting:
            if asked.prepares:
                self._names.pop(asked.prepares, None)
        self._waiting.clear()
        if self._sent:
            try:
                self._receive()
            except Error:
                return

    def commit(self) -> None:
        """Commit, together with what waits; nothing where nothing was begun."""
        if self._waiting or self._sent:
            self._waiting.append(Asked(b"COMMIT"))
            self.finish()
        elif self._pg.transaction_status != TransactionStatus.IDLE:
            _checked(self._pg.exec_(b"COMMIT"))

    # -- how it is done -----------------------------------------------------------------------

    def _asked(self, sql: str, values: Sequence[Any]) -> Asked:
        forms = self._forms
        given = forms.dump_sequence(values, [PyFormat.AUTO] * len(values)) if values else ()
        types, formats = (forms.types or (), forms.formats or ()) if values else ((), ())
        key = (sql, types)
        name = self._names.get(key) or self._prepared(key)
        return Asked(b"" if name else _numbered(sql), given, types, formats, name=name)

    def _prepared(self, key: _Key) -> bytes:
        """Return the name of a statement that comes often, prepared before it; else none."""
        if len(self._seen) > _MOST_COUNTED:
            self._seen.clear()
        self._seen[key] += 1
        if self._seen[key] < _OFTEN or len(self._names) >= _MOST_PREPARED:
            return b""
        sql, types = key
        name = self._names[key] = b"diandian_%d" % next(self._new_name)
        self._waiting.append(Asked(_numbered(sql), types=types, name=name, prepares=key))
        return name

    def _result(self, asked: Asked) -> PGresult:
        if asked.result is None:
            self.finish()
        assert asked.result is not None, "what was rolled back has no answer"
        return asked.result

    def _is_one_alone(self) -> bool:
        """Tell whether one statement is asked for, which needs no pipeline."""
        return len(self._waiting) == 1 and not self._sent and not self._must_begin()

    def _run_alone(self, asked: Asked) -> None:
        pg = self._pg
        if asked.name:
            asked.result = _checked(pg.exec_prepared(asked.name, asked.values, asked.formats))
        else:
            found = pg.exec_params(asked.sql, asked.values, asked.types, asked.formats)
            asked.result = _checked(found)

    def _must_begin(self) -> bool:
        idle = self._pg.transaction_status == TransactionStatus.IDLE
        return idle and not self.connection.autocommit

    def _send(self) -> None:
        """Give what waits to the server, which begins with it."""
        if not self._sent:
            if self._must_begin():
                self._waiting.insert(0, Asked(b"BEGIN"))
            self._pg.enter_pipeline_mode()
        pg = self._pg
        for asked in self._waiting:
            self._sent.append(asked)
            if asked.prepares:
                pg.send_prepare(asked.name, asked.sql, asked.types)
            elif asked.name:
                pg.send_query_prepared(asked.name, asked.values, asked.formats)
            else:
                pg.send_query_params(asked.sql, asked.values, asked.types, asked.formats)
        self._waiting.clear()
        pg.flush()

    def _receive(self) -> None:
        """Have the results of what was sent. Raises: the driver's error of the first bad one."""
        sent, self._sent = self._sent, []
        pg = self._pg
        try:
            pg.pipeline_sync()
            while pg.flush():
                self._either.poll()
                pg.consume_input()
            results = self._received()
        finally:
            pg.exit_pipeline_mode()
        for asked, result in zip(sent, results, strict=True):
            asked.result = result
            if asked.prepares and result.status not in _GOOD:
                self._names.pop(asked.prepares, None)
        for result in results:
            _checked(result)

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
