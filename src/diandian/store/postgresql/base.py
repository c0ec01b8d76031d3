"""The database backend that settings name: Django finds ``DatabaseWrapper`` here."""

import time
from typing import Any

from django.db.backends.postgresql import base

# A connection that answered so lately is taken to be alive. If the server restarts within that
# time, one request per connection fails and the next one connects anew.
_ALIVE_SECONDS = 5.0


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own; an idle connection is checked before its next use, a busy one is not."""

    _last_used = float("-inf")
    _cursor_of: Any = None
    _kept: Any = None

    def close_if_unusable_or_obsolete(self) -> None:
        """Close what failed or is too old; called at both ends of every request."""
        super().close_if_unusable_or_obsolete()
        if self.connection is None:
            return
        moment = time.monotonic()
        if moment - self._last_used < _ALIVE_SECONDS:
            self.health_check_done = True
        self._last_used = moment

    def kept_cursor(self) -> Any:  # noqa: ANN401 - a cursor of the driver
        """Return the present connection's own cursor; whoever uses it reads all rows at once."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        if self._cursor_of is not self.connection or self._kept.closed:
            self._cursor_of = self.connection
            self._kept = self.create_cursor()
        return self._kept
