"""Editors of one inventory at the same instant, over connections of their own."""

import hashlib
import threading

import pytest
from django.db import connections

from diandian.flows import invariants, inventory_files
from diandian.flows import inventory as flow
from diandian.footprints.errors import (
    AlreadyImportedError,
    ImportGoneError,
    InventoryMovedError,
)
from diandian.footprints.models import InventoryVersion
from diandian.people import queries as people
from diandian.scenes.models import Scene
from tests.office.host_world import client_of, draft, organisation, person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]
TABLE = b"activity,amount,note\nbeer,30,party\nwine,3,party\n"


@pytest.fixture
def who(db, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return person("zhou@example.org")


@pytest.fixture
def scene(who):
    return draft(client_of(who), organisation(who))


def sheet_of(scene):
    return flow._standing(Scene.objects.get(id=scene.id)).sheet


def together(*calls):
    """Run calls in threads that start at one moment; return their results and errors."""
    barrier, results, errors = threading.Barrier(len(calls)), [], []

    def one(call):
        barrier.wait()
        try:
            results.append(call())
        except Exception as error:  # noqa: BLE001 - looked at by the test
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results, errors


def putting(who, scene, note, key="", since=0):
    raw = {"activity": "coach", "amount": "10", "unit": "km", "note": note}
    return lambda: flow.put_entry(people.visitor(who), scene, raw, key=key, since=since)


def test_entries_that_are_added_at_once_are_all_there(who, scene):
    _, errors = together(*(putting(who, scene, f"note {number}") for number in range(6)))
    assert not errors
    notes = [entry.note for entry in sheet_of(scene).all_entries()]
    assert sorted(notes) == [f"note {number}" for number in range(6)]
    assert InventoryVersion.objects.count() == 1
    assert len(set(sheet_of(scene).entries)) == 6


def test_of_those_who_change_one_entry_at_once_one_succeeds(who, scene):
    putting(who, scene, "first")()
    results, errors = together(
        *(putting(who, scene, f"change {number}", key="e1", since=1) for number in range(4))
    )
    assert len(results) == 1
    assert [type(error) for error in errors] == [InventoryMovedError] * 3
    assert sheet_of(scene).revision == 2


def test_a_table_imported_twice_at_once_is_imported_once(who, scene):
    inventory_files.check_import(people.visitor(who), scene, TABLE, {})
    digest = hashlib.sha256(TABLE).hexdigest()
    results, errors = together(
        *(
            lambda: inventory_files.import_checked(people.visitor(who), scene, digest, {})
            for _ in range(3)
        )
    )
    assert results == [2]
    assert {type(error) for error in errors} <= {AlreadyImportedError, ImportGoneError}
    assert len(sheet_of(scene).entries) == 2


def test_a_version_closed_while_somebody_adds_holds_all_or_none_of_it(who, scene):
    putting(who, scene, "first")()

    def closing():
        return flow.close_version(people.visitor(who), scene, since=1)

    together(closing, putting(who, scene, "late"), closing)
    version = InventoryVersion.objects.get()
    if version.closed_at is not None:
        lines = {line["details"]["entry"] for line in version.document["lines"]}
        assert lines == {"e1"}
        assert len(version.work["entries"]) == 1
    else:
        assert len(version.work["entries"]) == 2
    assert invariants.check() == []
