from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from diandian.audit import actions, queries, rules
from diandian.audit.models import OutboxEvent, OutboxState
from diandian.kernel.clock import now

pytestmark = pytest.mark.django_db
KINDS = ["order.completed"]


def publish(number=1, **facts):
    facts = {"kind": KINDS[0], "key": f"order:{number}:completed", "payload": {"n": number}} | facts
    actions.publish(**facts)


def claim(limit=10, **facts):
    return actions.claim_events(KINDS, limit, 60, **facts)


def test_the_same_key_twice_is_one_event():
    with CaptureQueriesContext(connection) as captured:
        publish()
    assert len(captured) == 1
    publish(payload={"n": "other"})
    assert OutboxEvent.objects.get().payload == {"n": 1}


def test_an_event_goes_with_the_transaction_that_wrote_it():
    with transaction.atomic():
        publish()
        transaction.set_rollback(True)
    assert claim() == []


def test_a_claimed_event_is_nobody_elses_until_the_lease_ends():
    publish()
    start = now()
    (event,) = claim(at=start)
    assert event.payload == {"n": 1}
    assert claim(at=start + timedelta(seconds=59)) == []
    (again,) = claim(at=start + timedelta(seconds=60))
    assert (again.id, again.attempts) == (event.id, 2)
    # The first worker woke up too late: its word counts no more.
    assert actions.finish(event) is False
    assert actions.fail(event, "late") is False
    assert actions.finish(again) is True
    assert claim(at=start + timedelta(days=9)) == []


def test_events_come_in_order_of_their_time_and_kind():
    later = now() + timedelta(hours=1)
    publish(1, available_at=later)
    publish(2)
    publish(3, kind="other")
    publish(4)
    due = claim()
    assert [event.payload["n"] for event in due] == [2, 4]
    assert [actions.finish(event) for event in due] == [True, True]
    assert [event.payload["n"] for event in claim(at=later)] == [1]


def test_no_more_than_asked():
    for number in range(5):
        publish(number)
    assert [len(claim(limit=2)) for _ in range(4)] == [2, 2, 1, 0]


def test_a_failed_event_waits_and_is_put_aside_at_last():
    publish()
    at = now()
    for attempt in range(1, rules.GIVE_UP_AFTER + 1):
        (event,) = claim(at=at)
        assert event.attempts == attempt
        assert actions.fail(event, f"error {attempt}", at=at) is True
        assert claim(at=at) == []
        at += rules.wait_after(attempt)
    assert claim(at=at + timedelta(days=9)) == []
    row = OutboxEvent.objects.get()
    assert (row.state, row.error) == (OutboxState.DEAD, f"error {rules.GIVE_UP_AFTER}")
    assert queries.outbox_lag().dead == 1


def test_the_lag_is_the_age_of_the_oldest_due_event():
    assert queries.outbox_lag() == queries.OutboxLag(0, 0, 0)
    at = now()
    publish(1, available_at=at - timedelta(seconds=90))
    publish(2, available_at=at - timedelta(seconds=10))
    publish(3, available_at=at + timedelta(seconds=10))
    assert queries.outbox_lag(at) == queries.OutboxLag(2, 90, 0)
