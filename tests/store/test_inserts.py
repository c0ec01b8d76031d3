"""Many rows at once, as columns: what Django reads back, and what the database still refuses."""

from datetime import UTC, date, datetime

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diandian.audit.models import OutboxEvent
from diandian.leaderboards.models import Standing
from diandian.ledger.models import Journal
from diandian.registry.models import Beneficiary, Retirement
from diandian.store.inserts import Insert, InsertMany, Merge, NewIds
from diandian.store.running import Answer, database, fetched, pipelined
from tests.registry.builders import make_project

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
EVENTS = InsertMany(OutboxEvent, "key", "payload", shared=("kind", "created_at", "available_at"))
NEW_EVENTS = InsertMany(
    OutboxEvent,
    "key",
    "payload",
    shared=("kind", "created_at", "available_at"),
    skip_conflicts=True,
)
SHARED = {"kind": "k", "created_at": AT, "available_at": AT}
RETIREMENTS = InsertMany(
    Retirement,
    "id",
    "public_id",
    "source_ref",
    "project_id",
    "mass_g",
    "vintage_year",
    "claim_from",
    "is_sample",
    shared=("retired_at", "purpose", "subject_commit"),
)
JOURNALS = InsertMany(
    Journal, "source_ref", shared=("body_sha256", "kind", "owner_ref", "business_day", "created_at")
)
BOOKED = {
    "body_sha256": "0" * 64,
    "kind": "sale",
    "owner_ref": "order:1",
    "business_day": AT.date(),
    "created_at": AT,
}
TEXTS = st.text(
    st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), min_size=1, max_size=40
)


def the_same(ours, django):
    for field in type(django)._meta.concrete_fields:
        assert getattr(ours, field.attname) == getattr(django, field.attname), field.attname


def retirement_rows(count):
    project = make_project()
    ids = NewIds(Retirement, count).read()
    return [
        (number, f"{n:032x}", f"s{n}", project.id, 1000 + n, 2025, claim_from, n % 2 == 0)
        for n, (number, claim_from) in enumerate(
            zip(ids, [None, date(2026, 11, 28), *[None] * count], strict=False)
        )
    ]


@pytest.mark.parametrize("count", [1, 2, 8, 20])
def test_rows_and_their_instances_are_what_django_reads(count):
    rows = retirement_rows(count)
    shared = {"retired_at": AT, "purpose": "trip", "subject_commit": "c" * 64}
    RETIREMENTS.along(rows, **shared)
    made = RETIREMENTS.instances(rows, **shared)
    read = list(Retirement.objects.order_by("id"))
    assert len(made) == len(read) == count
    for ours, django in zip(made, read, strict=True):
        the_same(ours, django)
        assert ours.holder_kind == "person"
    # The next ids come after those that were written.
    Retirement.objects.create(
        **{**Retirement.objects.values().last(), "id": None, "public_id": "x", "source_ref": "x"}
    )
    assert Retirement.objects.count() == count + 1


def test_instances_are_written_as_rows_too():
    events = [
        OutboxEvent(kind="k", key=f"k{n}", payload=payload, created_at=AT, available_at=AT)
        for n, payload in enumerate([{"字": [1, None]}, {}, {"deep": {"x": "’%s\\"}}])
    ]
    assert Insert(OutboxEvent).run(events) == 3
    for ours, django in zip(events, OutboxEvent.objects.order_by("id"), strict=True):
        the_same(ours, django)


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(TEXTS, min_size=1, max_size=9, unique=True))
def test_whatever_the_text_it_comes_back(keys):
    with transaction.atomic():
        EVENTS.along([(key, {"text": key}) for key in keys], **SHARED)
        found = {row.key: row.payload for row in OutboxEvent.objects.filter(kind="k")}
        assert found == {key: {"text": key} for key in keys}
        transaction.set_rollback(True)


@pytest.mark.parametrize("value", [-(2**63), -1, 0, 2**63 - 1])
def test_whole_numbers_keep_their_size(value):
    sql = "SELECT max(amount) FROM (SELECT %s AS amount UNION ALL SELECT %s) one"
    if connection.vendor == "postgresql":
        from diandian.store.postgresql.arrays import Integers

        sql = "SELECT a FROM unnest(%s::bigint[]) AS rows(a) ORDER BY a IS NULL"
        found = fetched(database(), sql, [Integers([None, value])])
        assert found == [(value,), (None,)]
    else:
        assert fetched(database(), sql, [value, value]) == [(value,)]


def test_a_taken_key_is_refused_or_left_out():
    EVENTS.along([("a", {})], **SHARED)
    with pytest.raises(IntegrityError), transaction.atomic():
        EVENTS.along([("b", {}), ("a", {})], **SHARED)
    NEW_EVENTS.along([("a", {"new": 1}), ("b", {})], **SHARED)
    assert dict(OutboxEvent.objects.values_list("key", "payload")) == {"a": {}, "b": {}}
    EVENTS.along([], **SHARED)


@pytest.mark.postgres
def test_too_long_a_text_is_refused_not_cut():
    with pytest.raises(DataError), transaction.atomic():
        JOURNALS.along([("x" * 121,), ("y",)], **BOOKED)
    with pytest.raises(DataError), transaction.atomic():
        EVENTS.along([("zero\0byte", {}), ("b", {})], **SHARED)
    assert not Journal.objects.exists()


def test_what_belongs_to_nothing_is_refused():
    with pytest.raises(IntegrityError), transaction.atomic():
        InsertMany(Beneficiary, "retirement_id", "salt").along([(10**9, ""), (10**9 + 1, "")])


def test_a_pipeline_answers_in_order_and_counts():
    with transaction.atomic(), pipelined():
        EVENTS.along([(f"k{n}", {}) for n in range(5)], **SHARED)
        rows = Answer(database(), "SELECT key FROM audit_outboxevent ORDER BY id", [])
        tried = Answer(
            database(), "UPDATE audit_outboxevent SET attempts = %s WHERE key < %s", [3, "k2"]
        )
        more = Answer(database(), "SELECT count(*) FROM audit_outboxevent WHERE attempts = 3", [])
        assert more.rows() == [(2,)]
        assert tried.count() == 2
        assert [key for (key,) in rows.rows()] == [f"k{n}" for n in range(5)]


def test_djangos_own_statements_may_stand_inside():
    with transaction.atomic(), pipelined():
        EVENTS.along([("a", {}), ("b", {})], **SHARED)
        assert OutboxEvent.objects.filter(key="a").update(attempts=4) == 1
        EVENTS.along([("c", {})], **SHARED)
        with transaction.atomic():
            EVENTS.along([("d", {})], **SHARED)
        with pipelined():
            EVENTS.along([("e", {})], **SHARED)
    assert OutboxEvent.objects.count() == 5


def twice_within():
    with transaction.atomic(), pipelined():
        EVENTS.along([("a", {}), ("a", {})], **SHARED)
        EVENTS.along([("b", {})], **SHARED)


def twice_around():
    with pipelined(), transaction.atomic():
        EVENTS.along([("a", {}), ("a", {})], **SHARED)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("write", [twice_within, twice_around])
def test_an_error_inside_takes_all_back(write):
    with pytest.raises(IntegrityError):
        write()
    assert not OutboxEvent.objects.exists()
    with transaction.atomic(), pipelined():
        EVENTS.along([("a", {})], **SHARED)
    assert OutboxEvent.objects.count() == 1


class RefusedError(Exception):
    pass


def refused():
    with pipelined():
        EVENTS.along([("a", {})], **SHARED)
        raise RefusedError


@pytest.mark.django_db(transaction=True)
def test_a_refusal_inside_leaves_the_transaction_whole():
    with transaction.atomic():
        with pytest.raises(RefusedError):
            refused()
        EVENTS.along([("b", {})], **SHARED)
    assert OutboxEvent.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_ids_are_given_within_a_transaction_only():
    with pytest.raises(AssertionError):
        NewIds(Retirement, 1)


STANDINGS = InsertMany(
    Standing,
    "board",
    "guest_key",
    "display_name",
    "avatar_seed",
    "scenes_lit",
    shared=("reached_at",),
    merge=Merge(by=("board", "guest_key"), add=("scenes_lit",), take=("display_name",)),
)


def test_a_row_that_is_there_is_added_to():
    later = datetime(2026, 11, 29, tzinfo=UTC)
    STANDINGS.along([("b", "k", "Lin", 7, 1), ("b", "other", "Wang", 8, 1)], reached_at=AT)
    STANDINGS.along([("b", "k", "Lin W.", 9, 2), ("c", "k", "Lin", 7, 1)], reached_at=later)
    rows = Standing.objects.order_by("id").values_list(
        "board", "guest_key", "display_name", "avatar_seed", "scenes_lit", "reached_at"
    )
    assert list(rows) == [
        ("b", "k", "Lin W.", 7, 3, AT),
        ("b", "other", "Wang", 8, 1, AT),
        ("c", "k", "Lin", 7, 1, later),
    ]


def test_of_many_rows_each_is_added_to_or_left_out():
    keys = [f"k{number}" for number in range(19)]
    for taken in (keys[3:12:4], keys):
        STANDINGS.along([("b", key, key, 7, 1) for key in taken], reached_at=AT)
    lit = dict(Standing.objects.values_list("guest_key", "scenes_lit"))
    assert lit == {key: 2 if key in keys[3:12:4] else 1 for key in keys}
    for taken in (keys[3:12:4], keys):
        NEW_EVENTS.along([(key, {}) for key in taken], **SHARED)
    assert sorted(OutboxEvent.objects.values_list("key", flat=True)) == sorted(keys)


@pytest.mark.parametrize("wrong", [0, 7, 8, 18])
def test_one_refused_row_of_many_refuses_all(wrong):
    rows = [(f"k{number}", {}) for number in range(19)]
    rows[wrong] = ("taken", {})
    EVENTS.along([("taken", {})], **SHARED)
    with pytest.raises(IntegrityError), transaction.atomic():
        EVENTS.along(rows, **SHARED)
    assert OutboxEvent.objects.count() == 1


@pytest.mark.parametrize("count", [1, 8, 19])
def test_whoever_listens_hears_of_many_rows(count):
    heard = []

    def listen(execute, sql, params, many, context):
        heard.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        EVENTS.along([(f"k{number}", {"%s": "%%s"}) for number in range(count)], **SHARED)
    assert any("INSERT" in sql for sql in heard)
    assert OutboxEvent.objects.count() == count
    assert OutboxEvent.objects.first().payload == {"%s": "%%s"}


def test_only_rows_that_were_written_have_their_ids_told():
    new = Insert(OutboxEvent, skip_conflicts=True)
    kept = {"kind": "k", "created_at": AT, "available_at": AT}
    first = new.ids([OutboxEvent(key="a", **kept)])
    later = new.ids([OutboxEvent(key=key, **kept) for key in "ab"])
    assert [row.key for row in OutboxEvent.objects.filter(id__in=first)] == ["a"]
    assert [row.key for row in OutboxEvent.objects.filter(id__in=later)] == ["b"]
