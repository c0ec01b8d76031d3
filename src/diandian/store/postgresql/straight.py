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
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

# Used so often, a statement is prepared; the server keeps at most so many for a connection.
_OFTEN, _MOST_PREPARED = 3, 400
_MOST_COUNTED = 5_000
# So many bytes are worth waking the server for; fewer wait for what comes next.
_WORTH_SENDING = 4096
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

    def size(self) -> int:
        """Return the bytes of its values."""
        return sum(len(value) for value in self.values if value is not None)


class Straight:
    """The statements of the connection that ``cursor`` belongs to, in the forms it was taught.

    Unfinished statements either wait to be sent or are with the server already. ``is_eager``: what
    ``set_off`` names is sent before anybody reads, and a result is had without waiting for what was
    sent after it. From the first that is sent until ``finish`` the connection is in libpq's
    pipeline mode, where nobody else may use it.
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
        # How many of those sent the server answers without being asked again.
        self._due = 0
        self._is_piping = False
        self._heard, self._either = select.poll(), select.poll()
        self._heard.register(self._pg.socket, select.POLLIN)
        self._either.register(self._pg.socket, select.POLLIN | select.POLLOUT)

    # -- what callers use ---------------------------------------------------------------------

    def ask(self, sql: str, values: Sequence[Any]) -> Asked:
        """Run a statement before the next result is read. Its errors come from there."""
        asked = self._asked(sql, values)
        self._waiting.append(asked)
        return asked

    def set_off(self, *, to_be_read: bool) -> None:
        """Send what waits, unless it is little; nothing where statements wait for a reader.

        ``to_be_read``: results will be wanted, so little is sent too, and the server is to answer
        as soon as it can.
        """
        if not self.is_eager:
            return
        if to_be_read or sum(asked.size() for asked in self._waiting) > _WORTH_SENDING:
            self._send()
        if to_be_read:
            self._have_answered()

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
        elif self._waiting or self._is_piping:
            self._send()
            self._receive()

    def forget(self) -> None:
        """Never run what waits, and hear nothing of what was sent: it is rolled back."""
        for asked in self._waiting:
            if asked.prepares:
                self._names.pop(asked.prepares, None)
        self._waiting.clear()
        if self._is_piping:
            try:
                self._receive()
            except Error:
                return

    def commit(self) -> None:
        """Commit, together with what waits; nothing where nothing was begun."""
        if self._waiting or self._is_piping:
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
            if self.is_eager and self._is_piping:
                self._receive_through(asked)
            else:
                self.finish()
        assert asked.result is not None, "what was rolled back has no answer"
        return asked.result

    def _is_one_alone(self) -> bool:
        """Tell whether one statement is asked for, which needs no pipeline."""
        return len(self._waiting) == 1 and not self._is_piping and not self._must_begin()

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
        if not self._waiting:
            return
        pg = self._pg
        if not self._is_piping:
            if self._must_begin():
                self._waiting.insert(0, Asked(b"BEGIN"))
            pg.enter_pipeline_mode()
            self._is_piping = True
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

    def _have_answered(self) -> None:
        """Have the server answer all that was sent, without an end of the message."""
        if self._due < len(self._sent):
            self._pg.send_flush_request()
            self._due = len(self._sent)
            self._pg.flush()

    def _receive_through(self, asked: Asked) -> None:
        """Have the results up to one, while the server does what was sent after it.

        Raises: the driver's error of the first bad one.
        """
        self._send()
        assert asked in self._sent, "what was rolled back has no answer"
        place = self._sent.index(asked) + 1
        if self._due < place:
            self._have_answered()
        self._flush()
        while self._sent and asked.result is None:
            first = self._sent.pop(0)
            self._due -= 1
            self._hear(first, self._one())
            if first.result is not None and first.result.status not in _GOOD:
                # The server leaves out everything up to the end of the message.
                self._receive(first.result)

    def _receive(self, bad: PGresult | None = None) -> None:
        """Have the results of all that was sent. Raises: the driver's error of the first bad one.

        ``bad``: a result that was had before and has not been told yet.
        """
        sent, self._sent, self._due = self._sent, [], 0
        pg = self._pg
        try:
            if bad is None or pg.status == ConnStatus.OK:
                pg.pipeline_sync()
                self._flush()
                for asked in sent:
                    result = self._one()
                    self._hear(asked, result)
                    if bad is None and result.status not in _GOOD:
                        bad = result
                end = self._one()
                assert end.status == ExecStatus.PIPELINE_SYNC, "the end of the message"
        except OperationalError:
            # The first thing that went wrong says why.
            if bad is None:
                raise
        finally:
            self._is_piping = False
            pg.exit_pipeline_mode()
        if bad is not None:
            _checked(bad)

    def _hear(self, asked: Asked, result: PGresult) -> None:
        asked.result = result
        if asked.prepares and result.status not in _GOOD:
            self._names.pop(asked.prepares, None)

    def _flush(self) -> None:
        """Have the server take all that was sent."""
        while self._pg.flush():
            self._either.poll()
            self._pg.consume_input()

    def _one(self) -> PGresult:
        """Return the next result; one is told from the next by a None."""
        pg = self._pg
        for _ in range(2):
            # Waiting is ours: the driver would wait for a result with all other threads stopped.
            while pg.is_busy():
                self._heard.poll()
                pg.consume_input()
            result: PGresult | None = pg.get_result()
            if result is not None:
                return result
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
