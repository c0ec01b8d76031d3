"""Writes that never came from our actions: the database itself must refuse them, on both engines.

Each forgery is raw SQL of the application's own role, committed for real.
"""

# ruff: noqa: S608 - the forged statements are made of this file's own texts
from contextlib import nullcontext

import pytest
from django.db import IntegrityError, connection, transaction

from diandian.config import guards
from diandian.registry import actions, queries
from diandian.registry.invariants import check
from diandian.registry.models import LANE_STRIDE, Allocation, Lane, Retirement, SerialBlock
from tests.registry.builders import AT, hold, make_batch, request

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def room():
    """Two lanes; the first has the ranges [0, 1000) and [1000, 3000) and 5000 g held."""
    batch = make_batch(tonnes=2, sale_lanes=2)
    for owner, mass_g in (("order:1", 1000), ("order:2", 2000)):
        hold(batch.project, mass_g, owner)
        with transaction.atomic():
            actions.retire_many([request(owner)], at=AT)
    hold(batch.project, 5000, "order:3")
    return list(Lane.objects.filter(batch=batch).order_by("id"))


@pytest.fixture(autouse=True)
def nothing_changed(room):
    before = list(Allocation.objects.order_by("id").values())
    yield
    assert list(Allocation.objects.order_by("id").values()) == before
    assert check() == []


def execute(sql, *values):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def is_refused(write, *args, **kwargs):
    """Try a write and commit it: only the database's own refusal counts."""
    try:
        with transaction.atomic():
            write(*args, **kwargs)
    except IntegrityError:
        return True
    return False


def forge(lane, start_g, end_g, *, verb="INSERT", moving_g=0, **changes):
    """Write a range; ``moving_g`` moves the cursor first, as a careful forger would."""
    row = {
        "lane_id": lane.id,
        "kind": "retire",
        "start_g": start_g,
        "end_g": end_g,
        "start_key": lane.id * LANE_STRIDE + start_g,
        "end_key": lane.id * LANE_STRIDE + end_g,
        "retirement_id": queries.retirements()[0].id,
        "source_ref": "",
    } | changes
    if moving_g:
        execute(
            'UPDATE registry_lane SET "cursor" = "cursor" + %s WHERE id = %s', moving_g, lane.id
        )
    columns = ", ".join(row)
    places = ", ".join(["%s"] * len(row))
    execute(f"{verb} INTO registry_allocation ({columns}) VALUES ({places})", *row.values())


BEGINNING = {"kind": "genesis", "start_key": None, "retirement_id": None}


def forgeries(one, two):
    """The forged ranges that the chain must refuse, whatever the cursor says."""
    key = two.id * LANE_STRIDE
    return {
        "the same range again": (1000, 3000, {}),
        "the same start, longer": (1000, 3500, {}),
        "into the middle of a range": (2000, 3500, {}),
        "the same end, another start": (500, 3000, {}),
        "no grams at all": (3000, 3000, {}),
        "backwards": (3000, 2000, {}),
        "leaving a gap": (4000, 4500, {}),
        "a second beginning at the start": (0, 0, BEGINNING),
        "a second beginning at the end": (3000, 3000, BEGINNING),
        "continuing another lane": (3000, 3500, {"start_key": key}),
        "ending in another lane": (3000, 3500, {"end_key": key + 3500}),
        "under another lane's name": (3000, 3500, {"lane_id": two.id}),
        "over the stride into another lane": (3000, LANE_STRIDE + 5, {}),
        "without a retirement": (3000, 3500, {"retirement_id": None}),
    }


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "constraints alone"])
@pytest.mark.parametrize("moving_g", [0, 10_000], ids=["cursor as it is", "cursor moved"])
def test_forged_ranges_are_refused(room, guarded, moving_g):
    with nullcontext() if guarded else guards.lifted():
        accepted = [
            name
            for name, (start_g, end_g, changes) in forgeries(*room).items()
            if not is_refused(forge, room[0], start_g, end_g, moving_g=moving_g, **changes)
        ]
    assert accepted == []


def test_what_refers_to_nothing_is_refused(room):
    assert is_refused(forge, room[0], 3000, 3500, moving_g=500, retirement_id=10**9)
    assert is_refused(forge, room[0], 3000, 3500, moving_g=500, lane_id=10**6)
    stray = "INSERT INTO registry_beneficiary (retirement_id, salt) VALUES (%s, '')"
    assert is_refused(execute, stray, 10**9)
    moved = "UPDATE registry_beneficiary SET retirement_id = %s WHERE retirement_id = %s"
    assert is_refused(execute, moved, 10**9, queries.retirements()[0].id)
    own = Retirement.objects.values().first()
    forged = own | {"id": 10**9, "public_id": "f" * 32, "source_ref": "f", "project_id": 10**9}
    assert is_refused(Retirement.objects.create, **forged)
    assert not is_refused(Retirement.objects.create, **forged | {"project_id": own["project_id"]})
    with guards.lifted():
        Retirement.objects.filter(id=10**9).delete()


def test_a_range_beyond_what_was_sold_is_refused(room):
    end_g = room[0].hi
    assert is_refused(forge, room[0], 3000, 3001)
    assert is_refused(forge, room[0], 3000, end_g + 1)
    assert is_refused(forge, room[0], 3000, end_g, moving_g=end_g - 3000)  # 5000 g are held
    assert is_refused(forge, room[0], 3000, 3500, moving_g=500, kind="reversal")


def test_a_link_can_be_neither_deleted_nor_moved(room):
    links = Allocation.objects.filter(kind="retire").order_by("id")
    for link in (links.first(), links.last()):
        for sql in (
            "DELETE FROM registry_allocation WHERE id = %s",
            "UPDATE registry_allocation SET end_g = end_g-1, end_key = end_key-1 WHERE id = %s",
            "UPDATE registry_allocation SET retirement_id = NULL, kind = 'cancel' WHERE id = %s",
        ):
            assert is_refused(execute, sql, link.id), sql


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="only SQLite has REPLACE")
def test_a_row_cannot_be_replaced(room):
    link = Allocation.objects.order_by("id").last()
    for end_g in (3000, 2500):
        for changes in ({}, {"id": link.id}):
            assert is_refused(forge, room[0], 1000, end_g, verb="INSERT OR REPLACE", **changes)
    for table in guards.APPEND_ONLY:
        copy = f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
        with connection.cursor() as cursor:
            rows = cursor.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        assert is_refused(execute, copy) == (rows > 0), table


def test_a_lane_cannot_be_bent(room):
    for change in (
        '"cursor" = "cursor" - 1',
        '"cursor" = 0',
        '"cursor" = hi + 1',
        '"cursor" = hi',  # grams are held
        "held_g = -1",
        "held_g = hi",
        "hi = hi + 1000000",
        "lo = 1",
        "kind = 'buffer'",
        "batch_id = batch_id + 1",
    ):
        sql = f"UPDATE registry_lane SET {change} WHERE id = %s"
        assert is_refused(execute, sql, room[0].id), change
    assert is_refused(execute, "DELETE FROM registry_lane WHERE id = %s", room[1].id)


def test_facts_are_for_ever(room):
    for table, changes in {
        "registry_retirement": (
            "mass_g = mass_g + 1",
            "subject_commit = 'x'",
            "is_sample = is_sample",
        ),
        "registry_serialblock": ("last = last + 1", "prefix = 'X-'"),
        "registry_creditbatch": (
            "total_g = total_g + 1000000",
            "vintage_year = 2030",
            "source_ref = 'x'",
        ),
    }.items():
        assert is_refused(execute, f"DELETE FROM {table}"), table
        for change in changes:
            assert is_refused(execute, f"UPDATE {table} SET {change}"), change


def test_overlapping_serials_are_refused(room):
    block = SerialBlock.objects.get()
    columns = "programme_id, prefix, first, last, raw, numbering"
    sql = f"INSERT INTO registry_serialblock ({columns}) VALUES (%s, %s, %s, %s, %s, 'generic')"
    for first, last in ((1, 2), (2, 2), (2, 9), (1, 1), (1, 99)):
        assert is_refused(execute, sql, block.programme_id, block.prefix, first, last, "forged")
    assert SerialBlock.objects.get() == block
    assert not is_refused(execute, sql, block.programme_id, block.prefix, 3, 9, "A-3~9")


def test_the_orm_is_refused_as_well(room):
    retirement = queries.retirements()[0]
    retirement.mass_g += 1
    assert is_refused(retirement.save)
    assert is_refused(Allocation.objects.order_by("-id").first().delete)
    assert is_refused(Allocation.objects.update, kind="cancel")
