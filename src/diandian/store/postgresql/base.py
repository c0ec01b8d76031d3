"""The database backend that settings name: Django finds ``DatabaseWrapper`` here."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.postgresql import base

from diandian.store.postgresql import arrays

arrays.register()
# A connection that answered so lately is taken to be alive. If the server restarts within that
# time, one request per connection fails and the next one connects anew.
_ALIVE_SECONDS = 5.0


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own; an idle connection is checked before its next use, a busy one is not."""

    _last_used = float("-inf")
    _cursors_of: Any = None
    _free: list[Any]
    _sending: Any = None
    _pipeline: Any = None
    _answers: Any = None

    def close_if_unusable_or_obsolete(self) -> None:
        """Close what failed or is too old; called at both ends of every request."""
        super().close_if_unusable_or_obsolete()
        if self.connection is None:
            return
        moment = time.monotonic()
        if moment - self._last_used < _ALIVE_SECONDS:
            self.health_check_done = True
        self._last_used = moment

    def free_cursor(self) -> Any:  # noqa: ANN401 - a cursor of the driver
        """Return a cursor of the present connection's; give it back when its answer was read."""
        self._keep_cursors()
        return self._free.pop() if self._free else self.create_cursor()

    def give_back(self, cursor: Any) -> None:  # noqa: ANN401 - a cursor of the driver
        """Keep a cursor for the next statement."""
        if cursor.connection is self.connection:
            self._free.append(cursor)

    def _keep_cursors(self) -> None:
        self.close_if_health_check_failed()
        self.ensure_connection()
        if self._cursors_of is not self.connection:
            self._cursors_of = self.connection
            self._free, self._sending = [], self.create_cursor()
            self._pipeline = None

    @property
    def binds_on_server(self) -> bool:
        """Tell whether values travel beside the statement, so that columns may go in binary."""
        return bool(self.settings_dict["OPTIONS"].get("server_side_binding"))

    @contextmanager
    def pipeline(self) -> Iterator[None]:
        """Let ``send`` go on without waiting for each answer; errors come at the latest at the end.

        Inside another one it only joins. Whoever asks for Django's own cursor ends it early.
        """
        self._keep_cursors()
        if self._pipeline is not None or not self.binds_on_server:
            yield
            return
        self._pipeline = self.connection.pipeline()
        self._answers = self._pipeline.__enter__()
        try:
            yield
        except BaseException:
            self._abandon_pipeline()
            raise
        self._end_pipeline()

    def send(self, sql: str, values: Any) -> None:  # noqa: ANN401 - as the driver takes them
        """Run a statement whose answer nobody reads; inside a pipeline without waiting for it."""
        self._keep_cursors()
        self._sending.execute(sql, values)

    def await_answers(self, cursor: Any) -> None:  # noqa: ANN401 - a cursor of the driver
        """Have a cursor's answer; outside a pipeline it was waited for already."""
        if self._pipeline is not None and cursor.pgresult is None:
            self._answers.sync()

    def _end_pipeline(self) -> None:
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            with self.wrap_database_errors:
                pipeline.__exit__(None, None, None)

    def _abandon_pipeline(self) -> None:
        """End it after an error, whatever else it has to say."""
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            try:
                pipeline.__exit__(None, None, None)
            except self.Database.Error:
                return

    def _cursor(self, name: str | None = None) -> Any:  # noqa: ANN401 - Django's wrapper
        # Django reads row counts as soon as a statement was sent: that needs the answer.
        self._end_pipeline()
        return super()._cursor(name)  # type: ignore[misc]  # the stubs leave it out
