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


def require_transaction() -> None:
    """Refuse to write piecemeal. Raises: AssertionError outside a transaction."""
    assert connection.in_atomic_block, "this write belongs into the caller's transaction"
