"""Keys change and logs end without a gap; lost entries come back; another past is not joined."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from diandian.audit.models import AuditEntry
from diandian.config import guards
from diandian.flows import log_check, log_fill, log_keys, log_recover
from diandian.registry import actions as registry_actions
from diandian.registry.models import (
    Allocation,
    Beneficiary,
    CreditBatch,
    Holding,
    Lane,
    Retirement,
)
from diandian.transparency import actions, invariants, keys, queries
from diandian.transparency.errors import LogNameError, LogNotRecoverableError
from diandian.transparency.files import LogFiles, folder_of
from diandian.transparency.heads.signer import Signer
from diandian.transparency.models import LogCheckpoint, LogEntry, LogHead, LogKey
from diandian.verifier import entries
from diandian.verifier.merkle import leaf_hash, root_of
from diandian.verifier.notes import Checkpoint, Verifier, open_note
from tests.registry import builders

pytestmark = pytest.mark.django_db

AT = builders.AT
WHO = {"actor": "operator:lin", "reason": "yearly"}


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.KEYS_DIR = tmp_path / "keys"
    settings.LOG_ORIGIN = "log.example/2026"
    settings.LOG_WITNESSES = ""
    return tmp_path / "log"


@pytest.fixture
def head():
    builders.make_batch(tonnes=2)
    log_fill.fill()
    Signer().turn(at=AT)
    return queries.open_head()


def names_on(number, at):
    """Return the vkeys whose signatures stand on the published head."""
    note = LogFiles(folder_of(number)).published()
    head = queries.heads()[number - 1]
    _, signed = open_note(note, keys.verifiers(queries.keys_of(head)))
    return [each.verifier.vkey() for each in signed]


def test_old_and_new_key_sign_for_ninety_days_and_then_the_new_one(head):
    [old] = [row.vkey for row in queries.keys_of(head)]
    new, path = log_keys.rotate(**WHO, at=AT)
    assert new != old
    assert path.stat().st_mode & 0o077 == 0
    said = entries.decode(LogEntry.objects.get(kind="key").body.encode())
    assert (said["vkey"], said["from"]) == (new, "2026-03-01T08:00:00Z")
    Signer().turn(at=AT)
    assert names_on(1, AT) == [old, new]
    builders.make_batch()
    log_fill.fill()
    Signer().turn(at=AT + timedelta(days=91))
    assert names_on(1, AT) == [new]
    assert AuditEntry.objects.get(action="log.key_rotated").actor_ref == "operator:lin"


def test_a_log_ends_and_the_next_begins_with_its_head(head):
    following, _ = log_keys.close(**WHO, at=AT)
    assert following.origin == "log.example/2026/2"
    old = queries.heads()[0]
    assert (old.is_open, following.is_open) == (False, True)
    last = entries.decode([*queries.bodies(old)][-1])
    before = [leaf_hash(data) for data in queries.bodies(old)][:-1]
    assert (last["type"], last["size"], last["root"]) == (
        "close",
        len(before),
        root_of(before).hex(),
    )
    Signer().turn(at=AT)
    text, _ = open_note(LogFiles(folder_of(1)).published(), keys.verifiers(queries.keys_of(old)))
    ended = Checkpoint.parse(text)
    first = entries.decode(next(iter(queries.bodies(following))))
    assert first["previous"] == {
        "origin": "log.example/2026",
        "size": ended.size,
        "root": ended.root.hex(),
    }
    assert Verifier.parse(queries.keys_of(following)[0].vkey).public != (
        Verifier.parse(queries.keys_of(old)[0].vkey).public
    )
    builders.make_batch()
    log_fill.fill()
    assert queries.open_head().size == 2
    Signer().turn(at=AT)
    assert names_on(2, AT) == [queries.keys_of(following)[0].vkey]
    assert (folder_of(2) / "checkpoint").parent.name == "2"
    assert log_check.check() == []


@pytest.mark.parametrize("origin", ["log.example/2026", "two words", "a" * 121])
def test_a_name_that_is_none_or_was_used_closes_nothing(head, origin):
    with pytest.raises(LogNameError):
        log_keys.close(**WHO, next_origin=origin, at=AT)
    assert [each.is_open for each in queries.heads()] == [True]


def restored(size):

    with guards.lifted():
        LogEntry.objects.filter(position__gte=size).delete()
        LogCheckpoint.objects.filter(size__gt=size).delete()
        LogHead.objects.update(size=size)


def sold(project, number):
    builders.hold(project, 1_000, f"order:{number}")

    with transaction.atomic():
        registry_actions.retire_many([builders.request(f"order:{number}")], at=AT)
    log_fill.fill()


def test_lost_entries_come_back_and_what_the_registry_lost_is_frozen(head):
    project = CreditBatch.objects.get().project
    sold(project, 1)
    Signer().turn(at=AT)
    published = LogFiles(folder_of(1)).published()
    all_before = list(queries.bodies(queries.open_head()))
    # The backup knows neither the entry nor the retirement.

    with guards.lifted():
        Allocation.objects.filter(kind="retire").delete()
        Beneficiary.objects.all().delete()
        Retirement.objects.all().delete()
        Holding.objects.all().delete()
        Lane.objects.update(cursor=0, held_g=0)
    restored(len(all_before) - 1)
    assert Signer().turn(at=AT) == 0
    number = CreditBatch.objects.get().public_id
    done = log_recover.recover(actor="operator:lin", reason="disk broke", at=AT)
    assert (done.entries, done.frozen) == (1, (number,))
    assert list(queries.bodies(queries.open_head()))[: len(all_before)] == all_before
    assert CreditBatch.objects.get().state == "frozen"
    Signer().turn(at=AT)
    assert LogHead.objects.get().refusal == ""
    assert LogFiles(folder_of(1)).published() != published
    assert invariants.check() == []


def test_a_restored_backup_that_lost_a_key_gets_it_back_with_the_entries(head):
    new, _ = log_keys.rotate(**WHO, at=AT)
    Signer().turn(at=AT)
    size = queries.open_head().size

    with guards.lifted():
        LogKey.objects.filter(vkey=new).delete()
        LogKey.objects.update(drops_at=None)
    restored(size - 1)
    assert log_recover.recover(actor="operator:lin", reason="disk broke", at=AT).entries == 1
    assert [row.vkey for row in queries.keys_of(head)][-1] == new
    builders.make_batch()
    log_fill.fill()
    Signer().turn(at=AT)
    assert len(names_on(1, AT)) == 2


def test_another_past_is_not_joined(head, monkeypatch):
    builders.make_batch()
    log_fill.fill()
    Signer().turn(at=AT)
    size = queries.open_head().size
    restored(size - 1)

    # Somebody without the guard of appends entered something else.
    monkeypatch.setattr(actions, "published_sizes", lambda _: {})
    with transaction.atomic():
        actions.append_many([{"type": "freeze", "batch": "b-9", "reason": "other"}], at=AT)
    before = list(queries.bodies(queries.open_head()))
    with pytest.raises(LogNotRecoverableError):
        log_recover.recover(actor="operator:lin", reason="disk broke", at=AT)
    assert list(queries.bodies(queries.open_head())) == before


def test_a_folder_without_a_head_or_of_a_stranger_is_refused(head, tmp_path):
    with pytest.raises(LogNotRecoverableError):
        log_recover.recover(tmp_path / "nothing", actor="operator:lin", reason="x", at=AT)
    (tmp_path / "forged").mkdir()
    (tmp_path / "forged/checkpoint").write_text("log.example/2026\n3\nAAAA\n\n— x aGVsbG8=\n")
    with pytest.raises(LogNotRecoverableError):
        log_recover.recover(tmp_path / "forged", actor="operator:lin", reason="x", at=AT)


@pytest.mark.parametrize("task", ["rotate", "close", "recover"])
def test_commands_want_a_name_a_reason_and_a_yes(head, task):
    with pytest.raises(CommandError, match="Who decides"):
        call_command("log", task)
    said = StringIO()
    call_command("log", task, "--as", "lin", "--reason", "yearly", stdout=said)
    assert "Nothing was done" in said.getvalue()
    before = queries.open_head().size
    call_command("log", task, "--as", "lin", "--reason", "yearly", "--yes", stdout=said)
    assert (queries.open_head().size == before) == (task == "recover")
