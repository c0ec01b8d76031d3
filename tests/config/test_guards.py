import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from diandian.audit import actions
from diandian.audit.models import AuditEntry
from diandian.config import guarded, guards

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def back_in_place():
    yield
    guards.install()


def names():
    return [guard.name for guard in guards.guards(connection.vendor)]


def test_every_guard_stands_after_migration():
    assert guards.missing() == []
    guards.require()
    assert len(set(names())) == len(names())
    assert all(len(name) <= 63 for name in names())


@pytest.mark.parametrize("number", range(3))
def test_one_missing_guard_stops_the_start(number):
    guard = guards.guards(connection.vendor)[number]
    on_table = "" if connection.vendor == "sqlite" else f" ON {guard.table}"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {guard.name}{on_table}")
    assert guards.missing() == [guard.name]
    with pytest.raises(RuntimeError, match=guard.name):
        guards.require()
    (error,) = run_checks(tags=["database"], databases=["default"])
    assert (error.id, guard.name in error.msg) == ("diandian.E001", True)
    call_command("migrate", verbosity=0)
    assert guards.missing() == []
    assert run_checks(tags=["database"], databases=["default"]) == []


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only PostgreSQL switches them off")
def test_a_guard_that_is_switched_off_counts_as_missing():
    guard = guards.guards(connection.vendor)[0]
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {guard.table} DISABLE TRIGGER {guard.name}")
    assert guards.missing() == [guard.name]
    guards.install()
    assert guards.missing() == []


@pytest.mark.postgres
def test_no_table_that_stays_can_be_emptied_and_each_guard_is_needed():
    emptied = [each for each in guards.guards(connection.vendor) if each.label == "truncate"]
    assert {guard.table for guard in emptied} == {*guarded.APPEND_ONLY, *guarded.FIXED_COLUMNS}
    with guards.lifted(), connection.cursor() as cursor:
        for guard in emptied:
            statement = f"TRUNCATE {guard.table} CASCADE"
            with transaction.atomic():
                cursor.execute(statement)
                for each in guard.statements():
                    cursor.execute(each)
                refused = pytest.raises(IntegrityError, match=f"{guard.table} is never emptied")
                with refused, transaction.atomic():
                    cursor.execute(statement)
                transaction.set_rollback(True)


def test_a_guard_of_an_older_text_is_taken_down(monkeypatch):
    monkeypatch.setitem(guards.APPEND_ONLY, "audit_outboxevent", ("id",))
    guards.install()
    outdated = set(names())
    monkeypatch.undo()
    guards.install()
    with connection.cursor() as cursor:
        present = guards._present(connection)
        assert cursor is not None
    assert set(present) == set(names()) < outdated


def test_lifted_guards_come_back_even_after_an_error():
    actions.record(actor_ref="user:1", action="x", subject_ref="y")

    def stumble():
        with guards.lifted():
            AuditEntry.objects.update(action="z")
            raise ValueError("stumbled")

    with pytest.raises(ValueError, match="stumbled"):
        stumble()
    assert guards.missing() == []
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEntry.objects.update(action="x")


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="only SQLite rebuilds tables")
@pytest.mark.parametrize("table", ["registry.Lane", "registry.Allocation", "audit.AuditEntry"])
def test_a_rebuilt_table_gets_its_guards_back(table):
    from django.apps import apps
    from django.db.migrations.executor import MigrationExecutor

    # What a migration that alters a field does, between the signals that surround every migration.
    guards.before_migrations(using="default", plan=[MigrationExecutor])
    with connection.schema_editor() as editor:
        editor._remake_table(apps.get_model(table))
    assert guards.missing() != []
    guards.after_migrations(using="default")
    assert guards.missing() == []
