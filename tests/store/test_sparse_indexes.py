"""References that hardly any row has cost the others no index, and are still found by one."""

import pytest
from django.db import connection

from diandian.ledger.models import Journal
from diandian.registry.models import Retirement

pytestmark = pytest.mark.django_db
SPARSE = {
    "journal_reversed_once": (Journal, "reverses"),
    "retirement_by_replaced": (Retirement, "replaces"),
}


@pytest.mark.parametrize("name", SPARSE)
def test_only_rows_with_the_reference_are_indexed(name):
    model, field = SPARSE[name]
    table = model._meta.db_table
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)
        if connection.vendor == "postgresql":
            cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name])
        else:
            cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [name])
        [sql] = cursor.fetchone()
    on_it = [each for each, facts in found.items() if facts["columns"] == [f"{field}_id"]]
    on_it = [each for each in on_it if found[each]["index"] or found[each]["unique"]]
    assert on_it == [name]
    assert "WHERE" in sql
    assert "IS NOT NULL" in sql


@pytest.mark.parametrize("name", SPARSE)
def test_what_refers_to_a_row_is_found_by_the_index(name):
    model, field = SPARSE[name]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Empty tables are read whole unless that is forbidden.
            cursor.execute("SET LOCAL enable_seqscan = off")
    plan = model.objects.order_by().filter(**{f"{field}_id": 17}).explain()
    assert name in plan
