"""Many append to the public log at once: no number twice, none left out, one log."""

import threading
from contextlib import suppress

import pytest
from django.db import connection, transaction

from diandian.transparency import actions, invariants
from diandian.transparency.models import LogEntry, LogHead
from tests.registry.builders import AT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

WRITERS, EACH = 6, 8


def freeze(number):
    return {"type": "freeze", "batch": f"b-{number}", "reason": "under-review"}


class ChangedItsMindError(Exception):
    pass


def append_twice(writer, *, changes_its_mind):
    with transaction.atomic():
        found = actions.append_many([freeze(writer), freeze(writer)], at=AT)
        if changes_its_mind:
            raise ChangedItsMindError
    return found


def test_writers_at_once_get_numbers_without_gap_or_double():
    ready = threading.Barrier(WRITERS)
    places, errors = [], []

    def write(writer):
        try:
            ready.wait(10)
            for turn in range(EACH):
                with suppress(ChangedItsMindError):
                    places.extend(append_twice(writer, changes_its_mind=(turn + writer) % 4 == 0))
        except Exception as error:  # noqa: BLE001 - a thread tells the test
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    head = LogHead.objects.get()
    written = WRITERS * EACH * 2 * 3 // 4
    assert head.size == written + 1 == LogEntry.objects.count()
    assert sorted(place.index for place in places) == list(range(1, head.size))
    assert LogEntry.objects.filter(kind="open").count() == 1
    assert invariants.check() == []
