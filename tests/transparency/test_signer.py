"""The signer: files, one root a size, publication last, and never another past after a restore."""

from contextlib import contextmanager

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from diandian.kernel.memory import Memory
from diandian.store.key_files import SigningKeyMissingError
from diandian.transparency import actions as log_actions
from diandian.transparency import invariants, keys, queries, shown
from diandian.transparency.errors import LogRefusedError
from diandian.transparency.files import DamagedFilesError, LogFiles
from diandian.transparency.heads import actions as head_actions
from diandian.transparency.heads import high_water, trouble
from diandian.transparency.models import LogCheckpoint, LogEntry, LogHead
from diandian.verifier import entries, notes, proof
from diandian.verifier.merkle import consistency_proof as consistent
from diandian.verifier.merkle import leaf_hash, root_of, verify_consistency
from diandian.verifier.tiles import HashReader, decode_entries, entries_path, tile_path
from tests.registry.builders import AT

pytestmark = pytest.mark.django_db


def all_bytes():
    return [data for head in queries.heads() for data in queries.bodies(head)]


def refusal():
    return LogHead.objects.get().refusal


def test_what_is_published_is_the_tree_of_all_entries(log):
    log.grow(3)
    assert log.sign() == 1
    found = log.published()
    assert (found.origin, found.size) == ("log.example/2026", 4)
    assert found.root == root_of(leaf_hash(data) for data in all_bytes())
    assert decode_entries(log.files.read(entries_path(0, 4))) == all_bytes()
    assert log.sign() == 0
    assert LogCheckpoint.objects.count() == 1
    assert invariants.check() == []


def test_an_empty_installation_has_nothing_to_sign(log):
    assert log.sign() == 0
    assert log.files.published() is None


def test_each_head_continues_the_one_before_and_full_files_stay(log):
    log.grow(200)
    log.sign()
    first = log.published()
    log.grow(400)
    log.sign()
    second = log.published()
    reader = HashReader(log.files.read, second.size)
    hashes = consistent(first.size, second.size, reader.hash_at)
    verify_consistency(first.size, first.root, second.size, second.root, hashes)
    assert len(decode_entries(log.files.read(entries_path(0)))) == 256
    assert len(log.files.read(tile_path(1, 0, 2))) == 64
    # Partial files that a full one follows are gone.
    assert not (log.folder / "tile/0/000.p").exists()
    assert list(LogCheckpoint.objects.order_by("size").values_list("previous_size", "size")) == [
        (0, 201),
        (201, 601),
    ]


@hypothesis_settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(sizes=st.lists(st.integers(1, 300), min_size=1, max_size=4))
def test_files_of_any_growth_hold_the_same_tree(tmp_path_factory, sizes):
    files, items, built = LogFiles(tmp_path_factory.mktemp("log")), [], 0
    for count in sizes:
        items += [f"{len(items)}-{number}".encode() for number in range(count)]
        files.grow(built, len(items), items[built // 256 * 256 :])
        built = len(items)
        reader = HashReader(files.read, built)
        level = built.bit_length() - 1
        wanted = root_of(leaf_hash(item) for item in items[: 1 << level])
        assert reader.hash_at(level, 0) == wanted


def test_a_proof_of_every_entry_holds_and_of_no_other(log):
    log.grow(300)
    log.sign()
    found = shown.published(1, log.head)
    verifiers = keys.verifiers(queries.keys_of(log.head))
    for index, data in enumerate(all_bytes()):
        text = shown.proof_of(1, found, index)
        assert proof.check(text, data, verifiers).index == index
    with pytest.raises(proof.merkle.ProofError):
        proof.check(shown.proof_of(1, found, 3), all_bytes()[4], verifiers)
    assert shown.proof_of(1, found, 301) is None
    log.grow(1)
    assert shown.proof_of(1, shown.published(1, log.head), 301) is None


def test_a_crash_between_storing_and_publishing_is_made_good(log, monkeypatch):
    log.grow(2)
    log.sign()

    def crash(*_):
        raise KeyboardInterrupt

    log.grow(2)
    with monkeypatch.context() as patch:
        patch.setattr(LogFiles, "publish", crash)
        with pytest.raises(KeyboardInterrupt):
            log.sign()
    assert (LogCheckpoint.objects.count(), log.published().size) == (2, 3)
    log.restart()
    log.sign()
    assert (LogCheckpoint.objects.count(), log.published().size) == (2, 5)


def test_of_two_signers_of_one_size_one_is_heard(log):
    log.grow(2)
    head = log.head
    row = {"size": 3, "previous_size": 0, "note": "n", "at": AT}
    assert head_actions.keep_checkpoint(head, root=b"\1" * 32, **row) is not None
    assert head_actions.keep_checkpoint(head, root=b"\2" * 32, **row) is None
    assert head_actions.keep_checkpoint(head, root=b"\2" * 32, **row | {"size": 2}) is None
    assert LogCheckpoint.objects.get().root == "01" * 32


def test_the_first_key_signs_also_for_who_began_before_another_entered_it(log):
    log.grow(3)
    first = keys.vkey_of(log.head.origin, keys.first_key())
    head_actions.register_key(log.head, first, at=log.later(seconds=1))

    assert log.sign() == 1

    assert log.published().size == 4
    assert log.head.refusal == ""


def test_the_database_keeps_a_signed_head_as_it_is_but_for_cosignatures(log):
    log.grow(1)
    log.sign()
    for change in ({"root": "0" * 64}, {"size": 9}, {"note": "x"}, {"previous_size": 1}):
        with pytest.raises(DatabaseError), transaction.atomic():
            LogCheckpoint.objects.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        LogCheckpoint.objects.all()._raw_delete("default")
    head_actions.add_cosignatures(LogCheckpoint.objects.get(), ["— w aGVsbG8=", "— w aGVsbG8="])
    assert LogCheckpoint.objects.get().cosignatures == "— w aGVsbG8=\n"


@contextmanager
def tampered(log, path):
    file = log.folder / path
    data = bytearray(file.read_bytes())
    data[20] ^= 1
    file.write_bytes(data)
    yield
    data[20] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize(
    "path",
    [tile_path(0, 0), tile_path(0, 1, 45), tile_path(1, 0, 1), entries_path(0)],
)
def test_a_tampered_file_is_named_and_gives_no_wrong_proof(log, path, caplog):
    log.grow(300)
    log.sign()
    assert invariants.check() == []
    found = shown.published(1, log.head)
    proofs = [shown.proof_of(1, found, index) for index in (0, 1, 299)]
    with tampered(log, path):
        [breach] = invariants.check()
        assert path in breach.detail
        if path != entries_path(0):
            now = [shown.proof_of(1, found, index) for index in (0, 1, 299)]
            assert None in now
            assert all(text in {None, proofs[place]} for place, text in enumerate(now))


def test_a_tampered_tile_on_the_way_is_noticed_before_anything_more_is_signed(log):
    log.grow(300)
    log.sign()
    file = log.folder / tile_path(1, 0, 1)
    data = bytearray(file.read_bytes())
    data[20] ^= 1
    file.write_bytes(data)
    log.grow(1)
    log.restart()
    assert log.sign() == 0
    assert refusal() == trouble.DAMAGED
    assert log.published().size == 301
    data[20] ^= 1
    file.write_bytes(data)
    assert log.sign() == 1
    assert (refusal(), log.published().size) == ("", 302)


def test_a_full_file_is_never_written_over(log):
    log.grow(300)
    log.sign()
    with pytest.raises(DamagedFilesError):
        log.files.grow(0, 256, [b"another"] * 256)


def test_a_folder_that_is_gone_is_built_again_and_is_the_same(log):
    log.grow(300)
    log.sign()
    before = log.files.published()
    log.folder.rename(log.folder.with_name("away"))
    log.restart()
    log.sign()
    assert log.files.published() == before
    assert (
        log.files.read(tile_path(0, 0))
        == (log.folder.with_name("away") / "tile/0/000").read_bytes()
    )


def older_backup(size):
    """Bring the database back to an earlier moment, as a restored backup does."""
    from diandian.config import guards

    with guards.lifted():
        LogEntry.objects.filter(position__gte=size).delete()
        LogCheckpoint.objects.filter(size__gt=size).delete()
        LogHead.objects.update(size=size)


def test_a_restored_older_backup_signs_nothing_until_it_has_caught_up(log, caplog):
    log.grow(4)
    log.sign()
    log.grow(3)
    log.sign()
    lost = all_bytes()[5:]
    older_backup(5)
    log.restart()
    assert log.sign() == log.sign() == 0
    assert refusal() == trouble.BEHIND_PUBLISHED
    assert caplog.text.count("older backup") == 1, "told once"
    assert log.published().size == 8
    with transaction.atomic():
        head_actions.restore(log.head, lost, at=AT)
    assert log.sign() == 1
    assert refusal() == ""
    log.grow(1)
    log.sign()
    assert log.published().size == 9
    assert invariants.check() == []


def test_another_past_than_the_published_one_is_never_signed(log, monkeypatch):
    log.grow(4)
    log.sign()
    log.grow(3)
    log.sign()
    older_backup(5)
    Memory.forget_everything()
    with pytest.raises(LogRefusedError):
        log.grow(9)
    # Somebody without that guard did it all the same.
    monkeypatch.setattr(log_actions, "published_sizes", lambda _: {})
    log.grow(9)
    log.restart()
    assert log.sign() == 0
    assert refusal() == trouble.DIFFERS_FROM_PUBLISHED
    assert [each.rule for each in invariants.check()] == ["L3"]
    assert LogCheckpoint.objects.count() == 1


@pytest.mark.parametrize(
    "damage",
    [lambda data: b"", lambda data: data.replace(b" 5 ", b" 5x "), lambda data: b"\xff" + data],
)
def test_a_high_water_file_that_cannot_be_read_refuses(log, settings, tmp_path, damage):
    file = tmp_path / "elsewhere" / "marks"
    settings.HIGH_WATER = str(file)
    log.grow(4)
    log.sign()
    assert file.read_text().split(" ")[2] == "5"
    file.write_bytes(damage(file.read_bytes()))
    log.restart()
    log.grow(1)
    # An empty file knows nothing, which is no refusal; another text is.
    is_empty = not file.read_bytes()
    assert log.sign() == int(is_empty)
    assert refusal() == ("" if is_empty else trouble.DIFFERS_FROM_HIGH_WATER)


def test_a_mark_with_another_root_refuses_and_marks_only_go_up(log, settings, tmp_path):
    file = tmp_path / "marks"
    settings.HIGH_WATER = str(file)
    log.grow(4)
    log.sign()
    [first] = keys.verifiers(queries.keys_of(log.head))
    high_water.raise_to(log.head.origin, first, high_water.Mark(3, bytes(32)))
    assert high_water.read(log.head.origin, first).size == 5
    high_water.raise_to("log.example/other", first, high_water.Mark(7, bytes(32)))
    assert high_water.read(log.head.origin, first).size == 5
    log.grow(1)
    log.sign()
    assert high_water.read(log.head.origin, first).size == 6
    file.write_text(file.read_text().replace(log.published().root.hex(), "00" * 32))
    log.restart()
    assert log.sign() == 0
    assert refusal() == trouble.DIFFERS_FROM_HIGH_WATER


def test_a_head_whose_row_alone_is_lost_counts_as_signed(log):
    log.grow(4)
    log.sign()
    root = log.published().root
    from diandian.config import guards

    with guards.lifted():
        LogCheckpoint.objects.all().delete()
    log.grow(1)
    log.restart()
    log.sign()
    assert LogCheckpoint.objects.get(size=5).root == root.hex()
    assert log.published().size == 6


def test_production_invents_no_key(log, settings):
    settings.TEST_MODE = False
    log.grow(1)
    with pytest.raises(SigningKeyMissingError):
        log.sign()
    assert not LogCheckpoint.objects.exists()


def test_the_log_key_is_not_the_certificate_key(log):
    from diandian.certificates import keys as certificate_keys

    log.grow(1)
    log.sign()
    [row] = queries.keys_of(log.head)
    assert notes.Verifier.parse(row.vkey).public.hex() != certificate_keys.public_key_hex()
    assert entries.TYPES
