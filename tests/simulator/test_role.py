"""A role that owns nothing: it serves whole journeys, and changes nothing that is for ever."""

import os

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction
from django.test import override_settings
from psycopg.errors import InsufficientPrivilege

from diandian.config import grants, guards
from tests.simulator import forgeries
from tests.simulator.day import play
from tests.simulator.history import History, script

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.postgres]
ROLE = f"diandian_app_{os.getpid()}"
FORBIDDEN = [
    *(f"TRUNCATE {table} CASCADE" for table in guards.APPEND_ONLY),
    *(f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in guards.APPEND_ONLY),
    "ALTER TABLE registry_lane DROP CONSTRAINT lane_never_oversold",
    "ALTER TABLE registry_retirement ADD COLUMN note text",
    "DROP TABLE transparency_logentry CASCADE",
    "CREATE TABLE mine (id int)",
    # It would stand in front of the one that a guard looks at.
    "CREATE TEMPORARY TABLE registry_lane (id int)",
    "SET session_replication_role = replica",
    "DELETE FROM registry_retirement",
    "DELETE FROM orders_order",
    "DELETE FROM payments_payment",
    "DELETE FROM transparency_logcheckpoint",
    "UPDATE registry_creditbatch SET total_g = total_g",
    "UPDATE registry_lane SET hi = hi",
    "UPDATE ledger_transfer SET amount_minor = amount_minor",
    "UPDATE audit_auditentry SET action = action",
    "UPDATE transparency_logentry SET body = body",
    "UPDATE transparency_loghead SET base = base",
    "INSERT INTO django_migrations (app, name, applied) VALUES ('x', 'x', now())",
]


def _connect_as(user):
    connection.close()
    before = connection.settings_dict["USER"]
    connection.settings_dict["USER"] = user
    return before


@pytest.fixture
def owner(stage):
    """A fresh copy and a role for it; yields as the owner."""
    stage.fresh()
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE ROLE "{ROLE}" LOGIN')
    yield stage
    with connection.cursor() as cursor:
        cursor.execute(f'DROP OWNED BY "{ROLE}"')
        cursor.execute(f'DROP ROLE "{ROLE}"')


@pytest.fixture
def role(owner):
    """Speak as a role with the rights that the command gives."""
    call_command("grants", ROLE, "--apply")
    before = _connect_as(ROLE)
    yield owner
    _connect_as(before)


def is_forbidden(sql):
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
            transaction.set_rollback(True)
    except ProgrammingError as error:
        return isinstance(error.__cause__, InsufficientPrivilege)
    return False


def test_the_role_serves_and_every_forged_write_is_refused(role):
    play(role, fresh=False)
    forged = {**forgeries.CONSTRAINTS, **forgeries.UNIQUE, **forgeries.GUARDS}
    names = [name for name in forged if "replace" not in name]
    assert [name for name in names if not forgeries.is_refused(forged[name])] == []
    assert [sql for sql in FORBIDDEN if not is_forbidden(sql)] == []
    owned = "DROP TRIGGER {0.name} ON {0.table}"
    kept = guards.guards("postgresql")
    assert [guard for guard in kept if not is_forbidden(owned.format(guard))] == []
    assert guards.missing() == []


def test_the_role_can_do_all_that_the_house_does(role):
    history = History(role, fresh=False)
    history.play(script(11, 60))


def test_the_role_may_forget_old_counts(role):
    """The worker does so each day, as this role."""
    assert not is_forbidden("DELETE FROM payments_refusednotices")


def test_the_owner_may_do_all_of_it_and_production_is_told_so(owner):
    assert "superuser" in grants.too_mighty() or "may change" in grants.too_mighty()
    assert grants.advice() == "", "a demo may"
    with override_settings(TEST_MODE=False):
        ids = [found.id for found in run_checks(tags=["database"], databases=["default"])]
    assert ids == ["diandian.W003"]
    allowed = "UPDATE registry_creditbatch SET total_g = total_g"
    assert not is_forbidden(allowed)


def test_production_hears_nothing_of_a_modest_role(role):
    with override_settings(TEST_MODE=False):
        assert grants.advice() == ""
        assert run_checks(tags=["database"], databases=["default"]) == []


def test_a_role_whose_rights_are_behind_is_told_at_the_start(owner):
    call_command("grants", ROLE, "--apply")
    with connection.cursor() as cursor:
        # As a migration leaves it: a new table, a new column of a table with fixed ones.
        cursor.execute(f'REVOKE ALL ON orders_intake FROM "{ROLE}"')
        cursor.execute(f'REVOKE UPDATE (state) ON registry_creditbatch FROM "{ROLE}"')
    before = _connect_as(ROLE)
    try:
        assert grants.lacking() == ["orders_intake", "registry_creditbatch"]
        [found] = run_checks(tags=["database"], databases=["default"])
        assert found.id == "diandian.W004"
        assert f"diandian grants {ROLE} --apply" in found.msg
    finally:
        _connect_as(before)
    call_command("grants", ROLE, "--apply")
    before = _connect_as(ROLE)
    try:
        assert grants.behind() == ""
        assert run_checks(tags=["database"], databases=["default"]) == []
    finally:
        _connect_as(before)


def test_the_command_shows_before_it_gives_and_refuses_the_owner(owner, capsys):
    call_command("grants", ROLE)
    shown = capsys.readouterr().out
    assert f'GRANT SELECT, INSERT ON "public"."registry_retirement" TO "{ROLE}";' in shown
    assert "TRUNCATE" not in shown
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, 'registry_lane', 'SELECT')", [ROLE])
        assert cursor.fetchone() == (False,)
    with pytest.raises(CommandError, match="keeps its rights"):
        call_command("grants", connection.settings_dict["USER"], "--apply")
    with pytest.raises(CommandError, match="nothing was changed"):
        call_command("grants", "no_such_role", "--apply")
