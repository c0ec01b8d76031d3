"""Tells a database that is away for a moment from a fault of ours."""

from django.db import InterfaceError, OperationalError

# Classes of SQLSTATE: connection lost, not enough resources, an operator intervened.
_AWAY = ("08", "53", "57")
_SQLITE = ("locked", "busy", "unable to open")


def is_away(error: BaseException | None) -> bool:
    """Tell whether the database could not be reached or was just taken away."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    cause = error.__cause__
    if type(cause).__module__.startswith("sqlite3"):
        return any(word in str(cause) for word in _SQLITE)
    # Without a code, the connection itself failed.
    state = getattr(cause, "sqlstate", None)
    return state is None or str(state).startswith(_AWAY)
