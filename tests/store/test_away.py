import sqlite3

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.test import RequestFactory

from diandian.store.away import is_away
from diandian.web.errors import server_error


def raised(kind, cause):
    error = kind(str(cause))
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "cause",
    [
        sqlite3.OperationalError("database is locked"),
        psycopg.OperationalError("connection refused"),
        psycopg.errors.AdminShutdown("terminating connection"),
        psycopg.errors.TooManyConnections("too many clients"),
    ],
)
def test_a_database_that_is_away(cause):
    assert is_away(raised(OperationalError, cause))


def test_a_closed_connection_is_away():
    assert is_away(raised(InterfaceError, psycopg.InterfaceError("the connection is closed")))


@pytest.mark.parametrize(
    "error",
    [
        raised(OperationalError, sqlite3.OperationalError("no such table: orders")),
        raised(ProgrammingError, psycopg.errors.UndefinedTable("orders")),
        RuntimeError("locked"),
        None,
    ],
)
def test_a_fault_of_ours_is_none(error):
    assert not is_away(error)


def page_of(error):
    request = RequestFactory().get("/")
    request.resolver_match = None
    try:
        raise error
    except type(error):
        return server_error(request)


def test_the_page_says_when_to_come_back():
    response = page_of(raised(OperationalError, sqlite3.OperationalError("database is locked")))
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert page_of(RuntimeError()).status_code == 500
