from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from diandian.audit import actions, queries, rules
from diandian.audit.invariants import check
from diandian.audit.models import AuditEntry
from diandian.config import guards

AT = datetime(2026, 3, 1, 8, 0, 0, 123456, tzinfo=UTC)


def note(number=1, **facts):
    facts = {
        "actor_ref": "user:1",
        "action": "offer.changed",
        "subject_ref": f"offer:{number}",
        "details": {"words": "林晚", "number": number, "list": [1, {"a": None}]},
    } | facts
    return actions.record(**facts)


@pytest.mark.django_db
def test_entries_seal_each_other():
    entries = [note(number) for number in (1, 2, 1)]
    assert entries[0].previous_hash == ""
    assert [entry.previous_hash for entry in entries[1:]] == [
        entry.entry_hash for entry in entries[:2]
    ]
    assert [entry.id for entry in queries.trail("offer:1")] == [entries[0].id, entries[2].id]
    assert queries.verify_chain() is None
    assert check() == []


@pytest.mark.django_db
def test_an_empty_trail_holds():
    assert queries.verify_chain() is None


@pytest.mark.django_db
def test_entries_are_for_ever():
    entry = note()
    for write in (entry.save, entry.delete, lambda: AuditEntry.objects.update(action="x")):
        with pytest.raises(IntegrityError), transaction.atomic():
            write()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "change",
    [
        {"action": "x"},
        {"actor_ref": "user:2"},
        {"subject_ref": "x"},
        {"details": {"number": 3}},
        {"at": AT},
        {"previous_hash": "0" * 64},
        {"entry_hash": "0" * 64},
    ],
)
def test_whoever_gets_past_the_guards_is_seen(change):
    entries = [note(number) for number in range(3)]
    with guards.lifted():
        AuditEntry.objects.filter(id=entries[1].id).update(**change)
    assert queries.verify_chain() == entries[1].id
    assert [breach.rule for breach in check()] == ["A1"]


@pytest.mark.django_db(transaction=True)
def test_a_missing_entry_is_seen():
    entries = [note(number) for number in range(3)]
    with guards.lifted():
        AuditEntry.objects.filter(id=entries[1].id).delete()
    assert queries.verify_chain() == entries[2].id


@pytest.mark.django_db
def test_the_chain_cannot_fork():
    entry = note()
    twin = AuditEntry(
        at=AT,
        actor_ref="user:2",
        action="x",
        subject_ref="y",
        previous_hash=entry.previous_hash,
        entry_hash="1" * 64,
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save()


@pytest.mark.pure
@given(attempts=st.integers(1, 1000))
def test_waiting_grows_and_ends_at_an_hour(attempts):
    wait, longer = rules.wait_after(attempts), rules.wait_after(attempts + 1)
    assert 2 <= wait.total_seconds() <= longer.total_seconds() <= 3600
