"""Entries get the next numbers, once each, for ever; and nothing else than the list allows."""

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from diandian.kernel.canonical import canonical_json
from diandian.transparency import actions, invariants, queries
from diandian.transparency.errors import LogClosedError
from diandian.transparency.models import LogEntry, LogHead
from diandian.verifier import entries
from tests.registry.builders import AT

pytestmark = pytest.mark.django_db


def freeze(batch="b-1"):
    return {"type": "freeze", "batch": batch, "reason": "under-review"}


def retire(number, start_g=0):
    return {
        "type": "retire",
        "retirement": f"{number:032x}",
        "ranges": [["b-2025-1", start_g, start_g + 1000]],
        "commit": "0" * 64,
        "purpose": "trip",
        "claim_from": None,
        "claim_to": None,
        "replaces": None,
        "sample": True,
    }


def append(*bodies):
    with transaction.atomic():
        return actions.append_many(bodies, at=AT)


def test_the_first_entry_opens_the_log_and_the_next_follow(settings):
    settings.LOG_ORIGIN = "log.example/2026"
    first, second = append(retire(1), retire(2, 1000))
    assert (first.origin, first.index, second.index) == ("log.example/2026", 1, 2)
    [third] = append(freeze())
    assert third.index == 3
    opened, *rest = [entries.decode(data) for data in queries.bodies(queries.open_head())]
    assert opened == {
        "type": "open",
        "at": "2026-03-01T08:00:00Z",
        "schema": "diandian/log/1",
        "origin": "log.example/2026",
        "previous": None,
    }
    assert rest == [first.entry, second.entry, third.entry]
    assert invariants.check() == []


def test_the_name_of_the_log_stays_when_the_setting_changes(settings):
    settings.LOG_ORIGIN = "log.example/2026"
    append(freeze())
    settings.LOG_ORIGIN = "elsewhere.example/log"
    assert append(freeze())[0].origin == "log.example/2026"
    assert [head.origin for head in queries.heads()] == ["log.example/2026"]


def test_nothing_is_entered_twice_and_a_failed_attempt_leaves_no_number_behind():
    append(retire(1))
    with pytest.raises(IntegrityError):
        append(freeze(), retire(1))
    assert queries.open_head().size == 2
    assert [place.index for place in append(freeze(), freeze())] == [2, 3]


def test_what_is_known_is_left_out_where_it_may_come_again():
    append(retire(1))
    with transaction.atomic():
        places = actions.append_new([retire(1), retire(2, 1000)], at=AT)
    assert [(place.index, place.entry["retirement"]) for place in places] == [(2, f"{2:032x}")]


@pytest.mark.parametrize(
    "change",
    [{"beneficiary": "林晚"}, {"purpose": "for Lin Wan"}, {"ranges": []}, {"commit": "x"}],
    ids=["member", "sentence", "no grams", "no seal"],
)
def test_what_the_list_does_not_allow_is_not_entered(change):
    with pytest.raises(entries.EntryError):
        append(retire(1) | change)
    assert not LogEntry.objects.exists()


def test_the_bytes_are_canonical():
    [place] = append(retire(1))
    row = LogEntry.objects.get(position=place.index)
    assert row.body.encode() == canonical_json(place.entry)
    assert row.ref == f"retire:{1:032x}"


@pytest.mark.parametrize(
    ("rows", "change"),
    [
        (LogEntry.objects, {"body": "{}"}),
        (LogEntry.objects, {"position": 99}),
        (LogHead.objects, {"size": 1}),
        (LogHead.objects, {"origin": "another.example"}),
        (LogHead.objects, {"base": 7}),
    ],
)
def test_the_database_keeps_entries_and_heads_as_they_are(rows, change):
    append(retire(1), freeze())
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(**change)
    for each in (LogEntry, LogHead):
        with pytest.raises(DatabaseError), transaction.atomic():
            each.objects.all()._raw_delete("default")


def test_one_log_at_a_time_is_open_and_a_closed_one_takes_nothing():
    append(freeze())
    with pytest.raises(IntegrityError), transaction.atomic():
        LogHead.objects.create(origin="second.example", opened_at=AT)
    LogHead.objects.update(is_open=False, closed_at=AT)
    with pytest.raises(LogClosedError):
        append(freeze())
    assert LogEntry.objects.count() == 2


def test_an_entry_that_is_missing_or_other_than_its_name_is_noticed():
    append(retire(1))
    LogHead.objects.update(size=3)
    assert [breach.rule for breach in invariants.check()] == ["L1"]
    LogEntry.objects.create(position=2, kind="thaw", ref=None, body='{"type":"freeze"}')
    assert [breach.rule for breach in invariants.check()] == ["L5"]


def append_in_halves(*bodies, taken=None):
    with transaction.atomic():
        finish = actions.ask_append(len(bodies) if taken is None else taken, at=AT)
        return finish(bodies)


def test_numbers_taken_first_are_those_of_the_entries():
    first = append_in_halves(retire(1), retire(2, 1000))
    again = append_in_halves(freeze(), retire(3, 2000))
    assert [place.index for place in first + again] == [1, 2, 3, 4]
    assert [entries.decode(data) for data in queries.bodies(queries.open_head())][1:] == [
        place.entry for place in first + again
    ]
    assert invariants.check() == []


@pytest.mark.parametrize(
    ("bodies", "taken", "error"),
    [
        ([retire(1), retire(2) | {"purpose": "for my mother"}], None, entries.EntryError),
        ([retire(1)], 2, AssertionError),
    ],
)
def test_numbers_that_were_taken_in_vain_are_given_back(bodies, taken, error):
    append(freeze())
    with pytest.raises(error):
        append_in_halves(*bodies, taken=taken)
    [next_one] = append(freeze())
    assert next_one.index == 2
    assert invariants.check() == []
