"""Composed once, filled in often: the same rows and the same refusals as Django's own querysets."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import DateTimeField, F, PositiveIntegerField

from diandian.audit.models import OutboxEvent, OutboxState
from diandian.ledger.models import Journal, Transfer
from diandian.store.inserts import Insert
from diandian.store.statements import Param, Select, SelectMany, Update

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

EVENTS = Insert(OutboxEvent)
NEW_EVENTS = Insert(OutboxEvent, skip_conflicts=True)
JOURNALS = Insert(Journal)
TRANSFERS = Insert(Transfer)
BY_KEY = Select(lambda: OutboxEvent.objects.filter(key=Param("key")))
AMONG = SelectMany(lambda keys: OutboxEvent.objects.filter(key__in=keys).order_by("-id"))
AVAILABLE = Select(
    lambda: OutboxEvent.objects.filter(available_at__lte=Param("at", DateTimeField())).order_by(
        "id"
    )
)
WITH_JOURNAL = Select(
    lambda: (
        Transfer.objects.filter(amount_minor__gte=Param("least"))
        .select_related("journal")
        .order_by("id")
    )
)
ONLY_KIND = Select(lambda: OutboxEvent.objects.filter(key=Param("key")).only("kind"))
TRIED = Update(
    lambda keys: OutboxEvent.objects.filter(key__in=keys, attempts__lt=Param("most")),
    attempts=F("attempts") + Param("more", PositiveIntegerField()),
    state=OutboxState.DONE,
)


def event(key: str, **facts: object) -> OutboxEvent:
    given: dict[str, object] = {"kind": "k", "payload": {"字": [1, None]}, "created_at": AT}
    return OutboxEvent(key=key, **(given | {"available_at": AT} | facts))


def test_rows_are_written_and_read_as_django_does() -> None:
    rows = [event("a"), event("b", payload={"deep": {"x": "’%s"}}), event("c", attempts=3)]
    assert EVENTS.run(rows) == 3
    for row in rows:
        django = OutboxEvent.objects.get(key=row.key)
        ours = BY_KEY.first(key=row.key)
        assert ours is not None
        assert row.pk == django.pk == ours.pk
        for field in OutboxEvent._meta.concrete_fields:
            assert getattr(ours, field.attname) == getattr(django, field.attname)
            assert type(getattr(ours, field.attname)) is type(getattr(django, field.attname))
    assert BY_KEY.first(key="nobody") is None


def test_a_written_row_can_be_saved_again() -> None:
    row = EVENTS.one(event("a"))
    row.attempts = 7
    row.save(update_fields=["attempts"])
    assert OutboxEvent.objects.get().attempts == 7


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 33])
def test_lists_of_every_length(count: int) -> None:
    EVENTS.run([event(f"e{index}") for index in range(40)])
    keys = [f"e{index}" for index in range(count)]
    assert [row.key for row in AMONG.all(keys)] == keys[::-1]
    assert AMONG.all([]) == []
    assert TRIED.run(keys, more=2, most=1) == count
    assert TRIED.run(keys, more=2, most=1) == 0
    assert OutboxEvent.objects.filter(attempts=2, state=OutboxState.DONE).count() == count


def test_instants_compare_by_time() -> None:
    EVENTS.run([event(f"e{hour}", available_at=AT + timedelta(hours=hour)) for hour in range(4)])
    for hour in range(4):
        found = AVAILABLE.all(at=AT + timedelta(hours=hour))
        assert [row.key for row in found] == [f"e{index}" for index in range(hour + 1)]


def test_related_rows_come_along() -> None:
    journal = JOURNALS.one(
        Journal(
            source_ref="s",
            body_sha256="0" * 64,
            kind="sale",
            owner_ref="order:1",
            business_day=AT.date(),
            created_at=AT,
        )
    )
    TRANSFERS.run(
        [
            Transfer(
                journal=journal,
                debit_code="CNY:a",
                credit_code="CNY:b",
                currency="CNY",
                amount_minor=n,
            )
            for n in (5, 9)
        ]
    )
    found = WITH_JOURNAL.all(least=9)
    with connection.execute_wrapper(_no_query):
        assert [(row.amount_minor, row.journal.source_ref) for row in found] == [(9, "s")]


def test_columns_left_out_are_read_when_asked_for() -> None:
    EVENTS.one(event("a", attempts=4))
    row = ONLY_KIND.first(key="a")
    assert row is not None
    assert row.get_deferred_fields() >= {"attempts", "payload"}
    assert row.attempts == 4


def test_a_taken_key_is_refused_or_left_out() -> None:
    first = EVENTS.one(event("a"))
    with pytest.raises(IntegrityError), transaction.atomic():
        EVENTS.one(event("a"))
    again = event("a", kind="other")
    assert NEW_EVENTS.run([again]) == 0
    assert again.pk is None
    assert OutboxEvent.objects.get().kind == first.kind
    assert NEW_EVENTS.run([event("a"), event("b")]) == 1
    assert EVENTS.run([]) == 0


@pytest.mark.parametrize("text", ["'; DROP TABLE x; --", "%s", "a\\b", "𠮷", "%(key)s"])
def test_values_are_never_sql(text: str) -> None:
    EVENTS.one(event(text))
    found = BY_KEY.first(key=text)
    assert found is not None
    assert found.key == text
    assert TRIED.run([text], more=1, most=9) == 1


def _no_query(*_: object) -> None:
    raise AssertionError("no query was expected")


def test_only_the_named_key_may_be_taken() -> None:
    journals = Insert(Journal, skip_conflicts=True, conflict_column="source_ref")

    def journal(source: str, reverses: Journal | None = None) -> Journal:
        return Journal(
            source_ref=source,
            body_sha256="0" * 64,
            kind="sale",
            owner_ref="order:1",
            reverses=reverses,
            business_day=AT.date(),
            created_at=AT,
        )

    first = journal("first")
    assert journals.run([first]) == 1
    assert journals.run([journal("first")]) == 0
    assert journals.run([journal("undone", first)]) == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        journals.run([journal("undone again", first)])


def test_very_many_rows_go_in_portions() -> None:
    rows = [event(f"e{index}") for index in range(7000)]
    assert EVENTS.run(rows) == len(rows) == OutboxEvent.objects.count()
    assert len({row.pk for row in rows}) == len(rows)
