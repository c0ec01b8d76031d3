"""Joins the caller's transaction: rooms below the flows never decide alone when to commit."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def joined() -> Iterator[None]:
    """Run inside the caller's transaction, or in one of its own when there is none.

    Inside the caller's no savepoint is made: a refusal raised before any write leaves the caller
    free to go on, and any other error ends the caller's transaction.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        yield


_BY_INDEX = """SELECT set_config('enable_seqscan', 'off', true),
    set_config('enable_bitmapscan', 'off', true)"""


def by_index(*, anew: bool) -> None:
    """Let the server look rows up by index for the rest of the transaction.

    For long work that fills the tables it reads: as long as PostgreSQL has no statistics of their
    growth it takes them for small, reads them whole, and keeps that plan. ``anew``: plans made
    before are given up, as at the beginning of such work. SQLite always takes the index.
    """
    require_transaction()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            if anew:
                cursor.execute("DISCARD PLANS")
            cursor.execute(_BY_INDEX)


def require_transaction() -> None:
    """Refuse to write piecemeal. Raises: AssertionError outside a transaction."""
    assert connection.in_atomic_block, "this write belongs into the caller's transaction"
