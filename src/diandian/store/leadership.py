"""One leader among processes: on PostgreSQL a lock that lives as long as a session does.

A leader that is killed loses its session, and with it the lock, at once. SQLite has no such lock;
there the lease that the caller writes decides alone.
"""

from diandian.store.running import database, fetched


class Leadership:
    """Whether this session may lead. ``key``: which office, a number of the caller's."""

    def __init__(self, key: int) -> None:
        self._key = key
        self._session: object = None

    @property
    def is_exclusive(self) -> bool:
        """Tell whether the database itself keeps others out, as long as we lead."""
        return database().vendor == "postgresql"

    def take(self) -> bool:
        """Lead, or go on leading; False while another session does. True where there is no lock."""
        on = database()
        if on.vendor != "postgresql":
            return True
        on.ensure_connection()
        # A new session, after the old one broke, holds nothing.
        if self._session is not on.connection:
            taken = fetched(on, "SELECT pg_try_advisory_lock(%s)", [self._key])[0][0]
            self._session = on.connection if taken else None
        return self._session is not None

    def give_up(self) -> None:
        """Let another session lead. Idempotent."""
        on = database()
        if self._session is not None and self._session is on.connection:
            fetched(on, "SELECT pg_advisory_unlock(%s)", [self._key])
        self._session = None
