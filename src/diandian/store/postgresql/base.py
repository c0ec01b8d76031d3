"""The database backend that settings name: Django finds ``DatabaseWrapper`` here."""

import time
from typing import Any

from django.db.backends.postgresql import base

from diandian.store.postgresql import arrays
from diandian.store.postgresql.straight import Straight

arrays.register()
# A connection that answered so lately is taken to be alive. If the server restarts within that
# time, one request per connection fails and the next one connects anew.
_ALIVE_SECONDS = 5.0


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own; an idle connection is checked before its next use, a busy one is not.

    Composed statements go straight to the server where it binds values; whatever Django does
    itself finds them done.
    """

    _last_used = float("-inf")
    _straight: Straight | None = None

    def close_if_unusable_or_obsolete(self) -> None:
        """Close what failed or is too old; called at both ends of every request."""
        super().close_if_unusable_or_obsolete()
        if self.connection is None:
            return
        moment = time.monotonic()
        if moment - self._last_used < _ALIVE_SECONDS:
            self.health_check_done = True
        self._last_used = moment

    @property
    def binds_on_server(self) -> bool:
        """Tell whether values travel beside the statement, so that columns may go in binary."""
        return bool(self.settings_dict["OPTIONS"].get("server_side_binding"))

    def straight(self) -> Straight | None:
        """Return the present connection's straight way; None where the driver binds values."""
        known = self._open_way()
        # The usual case, for each of many statements.
        if known is not None and self.health_check_done:
            return known
        self.close_if_health_check_failed()
        self.ensure_connection()
        known = self._straight
        if known is None or known.connection is not self.connection:
            if not self.binds_on_server:
                return None
            known = self._straight = Straight(self.create_cursor())
        return known

    def _open_way(self) -> Straight | None:
        """Return the straight way if the present connection has used it."""
        known = self._straight
        is_present = known is not None and known.connection is self.connection is not None
        return known if is_present else None

    def _cursor(self, name: str | None = None) -> Any:  # noqa: ANN401 - Django's own
        way = self._open_way()
        if way is not None:
            with self.wrap_database_errors:
                way.finish()
        return super()._cursor(name)  # type: ignore[misc]

    def _commit(self) -> None:
        way = self._open_way()
        if way is None:
            super()._commit()  # type: ignore[misc]
        else:
            with self.wrap_database_errors:
                way.commit()

    def _rollback(self) -> None:
        self._forget_unfinished()
        super()._rollback()  # type: ignore[misc]

    def _savepoint_rollback(self, sid: str) -> None:
        # A savepoint is made after all before it was done; what is unfinished came after it.
        self._forget_unfinished()
        super()._savepoint_rollback(sid)  # type: ignore[misc]

    def _forget_unfinished(self) -> None:
        way = self._open_way()
        if way is not None:
            way.forget()
