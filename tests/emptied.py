"""Gives the database back as the migrations left it, after a test that really committed.

Django's own way empties every table and makes all content types and permissions anew, for which
the guards of all tables had to go down and up: more work than most of the tests before it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.sql import emit_post_migrate_signal
from django.db import connections, transaction

from diandian.config import guards

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

# What Django writes after migrations, those that refer to others first.
KEPT = (Permission, ContentType)


def empty(using: str) -> None:
    """Delete all rows but the kept ones; every guard stands afterwards."""
    connection = connections[using]
    whole = is_kept_whole(using)
    kept = () if whole else [model._meta.db_table for model in KEPT]
    with transaction.atomic(using):
        names = [*_filled(connection), *kept]
        if names:
            _WITHOUT_GUARDS[connection.vendor](connection, names)
    if not whole:
        emit_post_migrate_signal(verbosity=0, interactive=False, db=using)
    # A test may have left a guard lying, on whatever table.
    guards.install(using)


def is_kept_whole(using: str) -> bool:
    """Tell whether the kept rows are those of the models."""
    metas = [model._meta for model in apps.get_models()]
    types = {(meta.app_label, meta.model_name) for meta in metas}
    permissions = {
        (meta.app_label, meta.model_name, codename)
        for meta in metas
        for codename in (
            *(f"{action}_{meta.model_name}" for action in meta.default_permissions),
            *(codename for codename, _ in meta.permissions),
        )
    }
    found_types = ContentType.objects.using(using).values_list("app_label", "model")
    found_permissions = Permission.objects.using(using).order_by()
    names = ("content_type__app_label", "content_type__model", "codename")
    return set(found_types) == types and set(found_permissions.values_list(*names)) == permissions


@cache
def _tables(using: str) -> tuple[str, ...]:
    """Return the tables that tests may fill, as Django's own ``flush`` finds them."""
    names = connections[using].introspection.django_table_names(
        only_existing=True, include_views=False
    )
    return tuple(sorted(set(names) - {model._meta.db_table for model in KEPT}))


def _filled(connection: BaseDatabaseWrapper) -> list[str]:
    quote = connection.ops.quote_name
    each = [
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {quote(table)})"  # noqa: S608
        for table in _tables(connection.alias)
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(each))
        return [table for (table,) in cursor.fetchall()]


def _on_postgres(connection: BaseDatabaseWrapper, names: list[str]) -> None:
    tables = [connection.ops.quote_name(name) for name in names]
    steps = [
        *(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in tables),
        *(f"DELETE FROM {table}" for table in tables),  # noqa: S608
        # References are looked at now: a table with looks to come cannot be altered.
        "SET CONSTRAINTS ALL IMMEDIATE",
        *(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in tables),
    ]
    with connection.cursor() as cursor:
        cursor.execute("; ".join(steps))


def _on_sqlite(connection: BaseDatabaseWrapper, names: list[str]) -> None:
    standing = guards._present(connection)
    guards._drop(connection, {name: on for name, on in standing.items() if on in names})
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(name)}")  # noqa: S608


_WITHOUT_GUARDS = {"postgresql": _on_postgres, "sqlite": _on_sqlite}
