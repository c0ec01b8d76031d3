"""Lets a process die at a chosen moment of its work with the database.

A crash is an error that no handler may catch, thrown before a statement or around a commit. What
was open is rolled back by the database itself, as after a real death.
"""

from contextlib import contextmanager
from unittest import mock

from django.db import connection


class Crash(BaseException):
    """The process ends here."""


class Moments:
    """How many moments passed so far; whoever enumerates them knows where to stop."""

    def __init__(self):
        self.passed = 0


@contextmanager
def crash_at(moment: int):
    """Die at the given moment; statements, and the times before and after a commit, are counted."""
    moments = Moments()
    commit, autocommit = connection._commit, connection._set_autocommit

    def tick():
        moments.passed += 1
        if moments.passed >= moment:
            raise Crash

    def statement(execute, sql, params, many, context):
        tick()
        return execute(sql, params, many, context)

    def committing():
        tick()
        commit()
        tick()

    def switching(value):
        if moments.passed >= moment:
            raise Crash  # the dead tidy nothing up
        autocommit(value)

    try:
        with (
            connection.execute_wrapper(statement),
            mock.patch.object(connection, "_commit", committing),
            mock.patch.object(connection, "_set_autocommit", switching),
        ):
            yield moments
    except BaseException as error:
        if moments.passed < moment:
            raise
        drop_connection()
        raise Crash from error


def drop_connection():
    """Let go of the connection as a dead process does: the database rolls back what was open."""
    if connection.connection is not None:
        connection.connection.close()
    connection.connection = None
    connection.in_atomic_block = connection.closed_in_transaction = False
    connection.needs_rollback = False
    connection.savepoint_ids, connection.atomic_blocks, connection.run_on_commit = [], [], []
