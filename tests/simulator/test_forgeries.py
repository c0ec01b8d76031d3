"""Every constraint and guard is load-bearing: with it a forged write is refused, without it not.

A constraint that is new is neither forged nor excused, and so it is noticed here.
"""

import pytest
from django.db import connection, transaction

from diandian.config import guards
from tests.simulator import forgeries, mutations, sabotage
from tests.simulator.book import BreachError
from tests.simulator.day import play

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

FORGED = {**forgeries.CONSTRAINTS, **forgeries.UNIQUE}


@pytest.fixture(scope="module")
def day(stage):
    play(stage)
    stage.keep()
    return stage


@pytest.fixture(autouse=True)
def fresh_copy(day):
    day.fresh()


def test_every_constraint_is_forged_or_excused():
    found = mutations.constraints().keys() | mutations.unique_columns().keys()
    excused = mutations.REDUNDANT.keys() | mutations.ELSEWHERE.keys()
    assert found - FORGED.keys() - excused == set(), "new: forge it, or say why not"
    assert (FORGED.keys() | excused) - found == set(), "these are gone"
    assert not FORGED.keys() & excused


def test_every_guard_is_forged_or_excused():
    for guard in guards.guards(connection.vendor):
        if guard.label == "truncate":
            continue  # each is shown in tests/config/test_guards.py: here one would empty them all
        made = forgeries.guard_forgeries(guard)
        assert bool(made) != (guard.table in mutations.GUARDS_ELSEWHERE), guard


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_row_is_refused_by_its_constraint_alone(name):
    assert forgeries.is_refused(FORGED[name])
    found = {**mutations.constraints(), **mutations.unique_columns()}
    drop = mutations.drop_unique if "." in name else mutations.drop_constraint
    drop(*found[name])
    if name in mutations.ALSO_REPLACE and connection.vendor == "sqlite":
        table = name.partition(".")[0]
        for guard in guards.guards("sqlite"):
            if (guard.table, guard.label) == (table, "replace"):
                mutations.drop_guard(guard)
    with pytest.raises(BreachError, match="a forged write was taken"):
        sabotage.take(name, FORGED[name])


@pytest.mark.parametrize(
    "name",
    [f"{table} {label}" for table, label in forgeries.GUARDS],
)
def test_a_forged_change_is_refused_by_its_guard_alone(name):
    table, label = name.split()
    if label == "replace" and connection.vendor != "sqlite":
        pytest.skip("only SQLite has REPLACE")
    made = forgeries.GUARDS[table, label]
    assert forgeries.is_refused(made)
    ours = [
        guard
        for guard in guards.guards(connection.vendor)
        if guard.table == table and made in forgeries.guard_forgeries(guard)
    ]
    assert len(ours) == 1
    mutations.drop_guard(ours[0])
    with pytest.raises(BreachError, match="a forged write was taken"):
        sabotage.take(name, made)


def test_what_a_forgery_leaves_is_undone_and_the_history_goes_on():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM registry_allocation")
        before = cursor.fetchone()
    for made in FORGED.values():
        forgeries.is_refused(made)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM registry_allocation")
        assert cursor.fetchone() == before
