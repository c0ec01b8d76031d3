"""Database triggers for what no constraint can say: some rows are for ever.

The rules hold against raw SQL of the application's own role, on SQLite and PostgreSQL alike. A
trigger's name ends in a digest of its text, so that a changed text is a missing trigger.
*Source:* design of the registry, sections 2 (R1, R2, R4, R5) and 3.2.

On PostgreSQL also take the rights away (docs): who owns a table may take its guards down.
"""

# ruff: noqa: S608 - the statements are made of this file's own constants
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from diandian.config.guarded import (
    APPEND_ONLY,
    BACK_ON_SALE,
    BELONGS,
    CLAIMED,
    CLOSED,
    CLOSED_DAY,
    FIXED_COLUMNS,
    MAY_GO,
    ONWARD,
    OUTSIDE,
    OVERLAP,
    RESIGNED,
    RETIRED_TWICE,
    SIGNED,
)
from diandian.ledger.rules import DAY_LOCK

_PREFIX = "guard_"


@dataclass(frozen=True, slots=True)
class Guard:
    """One trigger. ``create``: its statements, in which ``{name}`` stands for its name."""

    table: str
    label: str
    create: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return a name that changes with the text."""
        digest = hashlib.sha256("\n".join(self.create).encode()).hexdigest()[:8]
        return f"{_PREFIX}{self.table}_{self.label}_{digest}"

    def statements(self) -> list[str]:
        """Return the SQL that makes the guard."""
        return [text.replace("{name}", self.name) for text in self.create]


def guards(vendor: str) -> list[Guard]:
    """Return every guard for a kind of database."""
    return list(_BUILDERS[vendor]())


def _written(table: str) -> tuple[str, ...]:
    """Return in which ways rows of a table come to be as they are."""
    return ("INSERT",) if table in APPEND_ONLY else ("INSERT", "UPDATE")


# --- SQLite -------------------------------------------------------------------------------------


def _sqlite(table: str, label: str, when: str, refusal: str, condition: str) -> Guard:
    trigger = (
        f"CREATE TRIGGER {{name}} BEFORE {when} ON {table} FOR EACH ROW WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
    )
    return Guard(table, label, (trigger,))


def _for_sqlite() -> Iterator[Guard]:
    for table, keys in APPEND_ONLY.items():
        refusal = f"{table} is append-only"
        yield _sqlite(table, "update", "UPDATE", refusal, "1")
        yield _sqlite(table, "delete", "DELETE", refusal, "1")
        taken = " OR ".join(f"{key} = NEW.{key}" for key in keys)
        exists = f"EXISTS (SELECT 1 FROM {table} WHERE {taken})"
        yield _sqlite(table, "replace", "INSERT", refusal, exists)
    for table, columns in FIXED_COLUMNS.items():
        changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in columns)
        yield _sqlite(table, "fixed", "UPDATE", f"{table}: fixed columns", changed)
        stays = f"NOT {MAY_GO[table]}" if table in MAY_GO else "1"
        yield _sqlite(table, "delete", "DELETE", f"{table} rows stay", stays)
        key = "origin" if table == "transparency_loghead" else "id"
        again = f"EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})"
        yield _sqlite(table, "replace", "INSERT", f"{table} rows stay", again)
    for table, (column, refusal) in ONWARD.items():
        back = f"NEW.{column} < OLD.{column}"
        yield _sqlite(table, "onward", "UPDATE", refusal, back)
    recalled = "a recalled batch stays recalled"
    yield _sqlite("registry_creditbatch", "recalled", "UPDATE", recalled, BACK_ON_SALE)
    overlap = f"EXISTS (SELECT 1 FROM registry_serialblock other WHERE {OVERLAP})"
    yield _sqlite("registry_serialblock", "overlap", "INSERT", "serials overlap", overlap)
    yield _sqlite(
        "registry_upstreamretirement", "overlap", "INSERT", "retired twice", RETIRED_TWICE
    )
    yield _sqlite("certificates_certificate", "signed", "UPDATE", SIGNED, RESIGNED)
    for table, (was_closed, refusal) in CLOSED.items():
        for when in ("UPDATE", "DELETE"):
            yield _sqlite(table, f"closed_{when.lower()}", when, refusal, was_closed)
    yield _sqlite("footprints_siteclaim", "overlap", "INSERT", "grams claimed twice", CLAIMED)
    late = "EXISTS (SELECT 1 FROM ledger_closedday WHERE day >= NEW.business_day)"
    yield _sqlite("ledger_journal", "day", "INSERT", CLOSED_DAY, late)
    outside = (
        "EXISTS (SELECT 1 FROM (SELECT NEW.lane_id AS lane_id, NEW.start_g AS start_g,"
        " NEW.end_g AS end_g, NEW.kind AS kind) fresh"
        f" LEFT JOIN registry_lane lane ON lane.id = fresh.lane_id WHERE {OUTSIDE})"
    )
    yield _sqlite("registry_allocation", "inside", "INSERT", "range outside its lane", outside)
    for table, references in BELONGS.items():
        for column, other in references:
            gone = (
                f"NEW.{column} IS NOT NULL"
                f" AND NOT EXISTS (SELECT 1 FROM {other} WHERE id = NEW.{column})"
            )
            refusal = f"{table}: no such {column}"
            for when in _written(table):
                yield _sqlite(table, f"{column}_{when.lower()}", when, refusal, gone)


# --- PostgreSQL ---------------------------------------------------------------------------------


def _postgres(table: str, label: str, timing: str, body: str) -> Guard:
    function = (
        "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
        f" $guard$ BEGIN {body} END $guard$"
    )
    trigger = f"CREATE TRIGGER {{name}} {timing.format(table=table)} EXECUTE FUNCTION {{name}}()"
    return Guard(table, label, (function, trigger))


def _refuse(refusal: str) -> str:
    return f"RAISE EXCEPTION '{refusal}' USING ERRCODE = 'integrity_constraint_violation';"


def _kept_on_postgres() -> Iterator[Guard]:
    row = "ON {table} FOR EACH ROW"
    for table in APPEND_ONLY:
        body = _refuse(f"{table} is append-only")
        yield _postgres(table, "rows", f"BEFORE UPDATE OR DELETE {row}", body)
    for table, columns in FIXED_COLUMNS.items():
        changed = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)
        refusal = _refuse(f"{table}: fixed columns")
        yield _postgres(table, "fixed", f"BEFORE UPDATE {row} WHEN ({changed})", refusal)
        stays = _refuse(f"{table} rows stay")
        if table in MAY_GO:
            stays = f"IF NOT {MAY_GO[table]} THEN {stays} END IF; RETURN OLD;"
        yield _postgres(table, "delete", f"BEFORE DELETE {row}", stays)
    # No trigger of a row sees it when a table is emptied at once.
    for table in (*APPEND_ONLY, *FIXED_COLUMNS):
        emptied = "BEFORE TRUNCATE ON {table} FOR EACH STATEMENT"
        yield _postgres(table, "truncate", emptied, _refuse(f"{table} is never emptied"))


def _for_postgres() -> Iterator[Guard]:
    row = "ON {table} FOR EACH ROW"
    yield from _kept_on_postgres()
    for table, (column, refusal) in ONWARD.items():
        onward = f"BEFORE UPDATE {row} WHEN (NEW.{column} < OLD.{column})"
        yield _postgres(table, "onward", onward, _refuse(refusal))
    sold_again = f"BEFORE UPDATE {row} WHEN ({BACK_ON_SALE})"
    recalled = _refuse("a recalled batch stays recalled")
    yield _postgres("registry_creditbatch", "recalled", sold_again, recalled)
    for table, (was_closed, refusal) in CLOSED.items():
        closed = f"BEFORE UPDATE OR DELETE {row} WHEN ({was_closed})"
        yield _postgres(table, "closed", closed, _refuse(refusal))
    # The lock lets one block of a prefix in after the other, so that each sees the one before.
    one_by_one = (
        "PERFORM pg_advisory_xact_lock("
        "hashtextextended('serials:' || NEW.programme_id || ':' || NEW.prefix, 0));"
        f" IF EXISTS (SELECT 1 FROM registry_serialblock other WHERE {OVERLAP})"
        f" THEN {_refuse('serials overlap')} END IF; RETURN NEW;"
    )
    yield _postgres("registry_serialblock", "overlap", f"BEFORE INSERT {row}", one_by_one)
    evidence_in_turn = (
        "PERFORM pg_advisory_xact_lock(hashtextextended('upstream:' || NEW.batch_id, 0));"
        f" IF {RETIRED_TWICE} THEN {_refuse('retired twice')} END IF; RETURN NEW;"
    )
    before_insert = f"BEFORE INSERT {row}"
    yield _postgres("registry_upstreamretirement", "overlap", before_insert, evidence_in_turn)
    resigned = f"BEFORE UPDATE {row} WHEN ({RESIGNED})"
    yield _postgres("certificates_certificate", "signed", resigned, _refuse(SIGNED))
    claims_in_turn = (
        "PERFORM pg_advisory_xact_lock(hashtextextended('site:' || NEW.scene_id, 0));"
        f" IF {CLAIMED} THEN {_refuse('grams claimed twice')} END IF; RETURN NEW;"
    )
    yield _postgres("footprints_siteclaim", "overlap", f"BEFORE INSERT {row}", claims_in_turn)
    # Once per statement, however many ranges it writes.
    inside = (
        "IF EXISTS (SELECT 1 FROM fresh LEFT JOIN registry_lane lane ON lane.id = fresh.lane_id"
        f" WHERE {OUTSIDE}) THEN {_refuse('range outside its lane')} END IF; RETURN NULL;"
    )
    after = "AFTER {when} ON {{table}} REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT"
    yield _postgres("registry_allocation", "inside", after.format(when="INSERT"), inside)
    # Days are counted from 1 January of the year 1, as Python does.
    late = (
        f"PERFORM pg_advisory_xact_lock_shared({DAY_LOCK}, day - DATE '0001-01-01' + 1)"
        " FROM (SELECT DISTINCT business_day AS day FROM fresh) days;"
        " IF EXISTS (SELECT 1 FROM ledger_closedday c JOIN fresh ON c.day >= fresh.business_day)"
        f" THEN {_refuse(CLOSED_DAY)} END IF; RETURN NULL;"
    )
    yield _postgres("ledger_journal", "day", after.format(when="INSERT"), late)
    for table, references in BELONGS.items():
        for column, other in references:
            # By its key one after the other, however large the table was when this was planned.
            found = f"(SELECT other.id FROM {other} other WHERE other.id = fresh.{column})"
            gone = (
                f"IF EXISTS (SELECT 1 FROM fresh WHERE fresh.{column} IS NOT NULL"
                f" AND {found} IS NULL) THEN {_refuse(f'{table}: no such {column}')} END IF;"
                " RETURN NULL;"
            )
            for when in _written(table):
                label = f"{column}_{when.lower()}"
                yield _postgres(table, label, after.format(when=when), gone)


_BUILDERS = {"sqlite": _for_sqlite, "postgresql": _for_postgres}
_PRESENT = {
    "sqlite": (
        "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'guard\\_%%'"
        " ESCAPE '\\'"
    ),
    # A trigger that is switched off counts as missing.
    "postgresql": (
        "SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgname LIKE 'guard\\_%%'"
        " AND pg_table_is_visible(c.oid)"
    ),
}


# --- what is there, what is missing -------------------------------------------------------------


def _present(connection: BaseDatabaseWrapper) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(_PRESENT[connection.vendor], [])
        return dict(cursor.fetchall())


def _absent(connection: BaseDatabaseWrapper) -> list[Guard]:
    tables = set(connection.introspection.table_names())
    present = _present(connection)
    wanted = guards(connection.vendor)
    return [guard for guard in wanted if guard.table in tables and guard.name not in present]


def missing(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Return the names of guards that should stand on existing tables and do not."""
    return [guard.name for guard in _absent(connections[using])]


def require(using: str = DEFAULT_DB_ALIAS) -> None:
    """Refuse to start without all guards. Raises: RuntimeError that says what to do."""
    names = missing(using)
    if names:
        raise RuntimeError(
            f"The database lacks {len(names)} of its guards ({names[0]} …). Nothing was started."
            " Please run: diandian migrate --skip-checks"
        )


def install(using: str = DEFAULT_DB_ALIAS) -> None:
    """Put up every guard that is missing and take down outdated ones. Idempotent."""
    connection = connections[using]
    absent = _absent(connection)
    wanted = {guard.name for guard in guards(connection.vendor)}
    outdated = {name: table for name, table in _present(connection).items() if name not in wanted}
    _drop(connection, outdated)
    with connection.cursor() as cursor:
        for guard in absent:
            # One that was switched off is still there by name.
            _drop(connection, {guard.name: guard.table})
            for statement in guard.statements():
                cursor.execute(statement)


def remove(using: str = DEFAULT_DB_ALIAS) -> None:
    """Take down every guard: while tables are rebuilt, and in tests."""
    connection = connections[using]
    _drop(connection, _present(connection))


def _drop(connection: BaseDatabaseWrapper, names: dict[str, str]) -> None:
    with connection.cursor() as cursor:
        for name, table in names.items():
            if connection.vendor == "sqlite":
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
                continue
            cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
            cursor.execute(f"DROP FUNCTION IF EXISTS {name}()")


@contextmanager
def lifted(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Take all guards down for a moment. For tests only: they empty tables after themselves."""
    remove(using)
    try:
        yield
    finally:
        install(using)


def before_migrations(*, using: str, plan: list[Any], **_: object) -> None:
    """Lift the guards while SQLite rebuilds tables: its rename fails where a trigger names them."""
    if plan and connections[using].vendor == "sqlite":
        remove(using)


def after_migrations(*, using: str, **_: object) -> None:
    """Put the guards up again after every migration (signal ``post_migrate``)."""
    install(using)
