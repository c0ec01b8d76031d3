"""The rights of the application's own role on PostgreSQL: what it needs, and nothing else.

Who owns a table may switch its guards off; who may TRUNCATE passes them by. So the tables belong to
a role that migrates, and the role that serves may only do what the rooms do: rows that are for ever
are read and added, fixed columns are not written, nothing is made, altered or emptied.
*Source:* design of the registry, sections 2 (R5) and 3.2; decision 0035.
"""

from collections.abc import Iterator, Sequence

from django.apps import apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from diandian.config.guarded import APPEND_ONLY, FIXED_COLUMNS, MAY_GO

# Rooms whose rows stay: nothing there is ever deleted, but what stands in ``_PASSING``.
_KEPT_ROOMS = (
    *("registry_", "ledger_", "payments_", "settlement_", "orders_", "audit_"),
    "transparency_",
)
_PASSING = ("orders_allocatorlease", "payments_refusednotices")
# What only a migration writes.
_READ_ONLY = ("django_migrations",)


def statements(role: str, using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Return the SQL that gives a role its rights and takes all others; run it as the owner."""
    connection = connections[using]
    quote = connection.ops.quote_name
    to, schema = quote(role), quote(_schema(connection))
    database = quote(str(connection.settings_dict["NAME"]))
    return [
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC, {to}",
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM PUBLIC, {to}",
        f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC, {to}",
        # A temporary table could take the place of one that a guard looks at.
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC, {to}",
        f"GRANT CONNECT ON DATABASE {database} TO {to}",
        f"GRANT USAGE ON SCHEMA {schema} TO {to}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {to}",
        *(
            f"GRANT {', '.join(rights)} ON {schema}.{quote(table)} TO {to}"
            for table, rights in sorted(_rights(connection))
        ),
    ]


def _schema(connection: BaseDatabaseWrapper) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        return str(cursor.fetchone()[0])


def _rights(connection: BaseDatabaseWrapper) -> Iterator[tuple[str, Sequence[str]]]:
    columns = {
        model._meta.db_table: [str(field.column) for field in model._meta.local_concrete_fields]
        for model in apps.get_models(include_auto_created=True)
    }
    for table in connection.introspection.table_names():
        if table in _READ_ONLY or table not in columns:
            yield table, ["SELECT"]
        elif table in APPEND_ONLY:
            yield table, ["SELECT", "INSERT"]
        elif table in FIXED_COLUMNS:
            free = [name for name in columns[table] if name not in FIXED_COLUMNS[table]]
            names = ", ".join(connection.ops.quote_name(name) for name in free if name != "id")
            gone = ["DELETE"] if table in MAY_GO else []
            yield table, ["SELECT", "INSERT", f"UPDATE ({names})", *gone]
        elif table.startswith(_KEPT_ROOMS) and table not in _PASSING:
            yield table, ["SELECT", "INSERT", "UPDATE"]
        else:
            yield table, ["SELECT", "INSERT", "UPDATE", "DELETE"]


def apply(role: str, using: str = DEFAULT_DB_ALIAS) -> None:
    """Give a role its rights, all or none. Raises: ProgrammingError when we may not."""
    given = statements(role, using)
    with connections[using].cursor() as cursor:
        cursor.execute("; ".join(given))


def too_mighty(using: str = DEFAULT_DB_ALIAS) -> str:
    """Say what the present role could do to tables that are for ever; "" when nothing.

    Always "" on SQLite, where whoever can write the file can do everything.
    """
    connection = connections[using]
    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, r.rolsuper, (SELECT count(*) FROM pg_class c"
            "  WHERE c.relkind = 'r' AND c.relname = ANY(%s) AND pg_table_is_visible(c.oid)"
            "  AND (pg_has_role(current_user, c.relowner, 'USAGE')"
            "   OR has_table_privilege(c.oid, 'TRUNCATE, UPDATE, DELETE')))"
            " FROM pg_roles r WHERE r.rolname = current_user",
            [list(APPEND_ONLY)],
        )
        name, is_superuser, count = cursor.fetchone()
    if is_superuser:
        return f"the database role {name} is a superuser"
    return f"the database role {name} may change {count} tables that are for ever" if count else ""


def lacking(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Return the tables on which the present role lacks a right it needs to serve, by name.

    So it is after a migration until ``diandian grants`` ran. Always none on SQLite.
    """
    connection = connections[using]
    if connection.vendor != "postgresql":
        return []
    wanted = [
        (connection.ops.quote_name(table), name, column)
        for table, rights in _rights(connection)
        for name, _, columns in (right.partition(" ") for right in rights)
        for column in columns.strip("()").replace('"', "").split(", ")
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT t FROM unnest(%s::text[], %s::text[], %s::text[]) AS w (t, r, c)"
            " WHERE NOT CASE c WHEN '' THEN has_table_privilege(t, r)"
            "  ELSE has_column_privilege(t, c, r) END ORDER BY t",
            [list(column) for column in zip(*wanted, strict=True)],
        )
        return [table.strip('"') for (table,) in cursor.fetchall()]


def behind(using: str = DEFAULT_DB_ALIAS) -> str:
    """Say which rights the present role lacks, and how it gets them; "" when none."""
    tables = lacking(using)
    if not tables:
        return ""
    role = connections[using].settings_dict["USER"]
    shown = ", ".join(tables[:3]) + (", ..." if len(tables) > 3 else "")  # noqa: PLR2004 - an example
    return (
        f"the database role {role} lacks rights on {len(tables)} tables ({shown}), so some pages"
        f" will fail; run as the owner of the tables: diandian grants {role} --apply"
    )


def advice(using: str = DEFAULT_DB_ALIAS) -> str:
    """Return what production should hear at its start about its role; "" when nothing."""
    found = "" if settings.TEST_MODE else too_mighty(using)
    if not found:
        return ""
    return f"{found}; serve as a role of its own, see docs/howto/run-on-postgresql.md"
