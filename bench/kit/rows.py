"""Tells row by row what a database holds now that it did not hold before, and the other way."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any, NamedTuple

from django.apps import apps

Rows = dict[str, dict[Any, dict[str, Any]]]


class Difference(NamedTuple):
    """Of one table: how many rows came and went, and how many changed in each column."""

    came: int
    went: int
    changed: dict[str, int]


def every() -> Rows:
    """Return every row of every table, by its key."""
    found: Rows = {}
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            key = model._meta.pk.attname
            rows = model._base_manager.values()  # noqa: SLF001 - every row, whatever a manager hides
            found[model._meta.db_table] = {row[key]: row for row in rows}
    return found


def differences(before: Rows, after: Rows) -> dict[str, Difference]:
    """Return what differs, by table."""
    found = {}
    for table in sorted(before.keys() | after.keys()):
        old, new = before.get(table, {}), after.get(table, {})
        changed: Counter[str] = Counter()
        for key in old.keys() & new.keys():
            changed.update(name for name, value in new[key].items() if value != old[key][name])
        made = Difference(len(new.keys() - old.keys()), len(old.keys() - new.keys()), dict(changed))
        if any(made):
            found[table] = made
    return found


def by_column(table: dict[Any, dict[str, Any]], *names: str) -> dict[str, int]:
    """Count the rows of a table by some columns."""
    counts: defaultdict[str, int] = defaultdict(int)
    for row in table.values():
        counts[" ".join(str(row[name]) for name in names)] += 1
    return dict(sorted(counts.items()))
