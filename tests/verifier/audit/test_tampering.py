"""Whatever is changed in a published log is named exactly."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from diandian.verifier import notes, tiles
from tests.verifier.audit.logs import LOG, audit, busy, retire, write

pytestmark = pytest.mark.pure

COUNT = 700


@pytest.fixture(scope="module")
def log():
    return busy(COUNT)


@pytest.fixture
def folder(log, tmp_path):
    return log.publish(tmp_path / "log")


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


def found(capsys):
    shown = capsys.readouterr().out
    return [line for line in shown.splitlines() if line.startswith("FOUND")]


def change(folder, number, alter):
    """Alter the entries of one bundle, and leave its tiles."""
    for found in (folder / "tile/entries").glob(f"{number:03d}*"):
        path = found if found.is_file() else next(found.iterdir())
        entries = tiles.decode_entries(path.read_bytes())
        alter(entries)
        path.write_bytes(tiles.encode_entries(entries))


def test_a_clean_log_is_clean(folder, capsys):
    assert audit(folder) == 0
    shown = capsys.readouterr().out
    assert "703 entries (703 new)" in shown
    assert "retired                               700 kg" in shown
    assert shown.endswith("CLEAN: every gram is used at most once\n")


def test_one_flipped_byte_is_named(folder, capsys):
    def flip(entries):
        entries[44] = entries[44].replace(b'"sample":true', b'"sample":trua')

    change(folder, 1, flip)
    assert audit(folder) == 1
    shown = found(capsys)
    assert shown[0].startswith("FOUND entry: this is no entry of the log")
    assert any("the bytes of entry 300 are not those under the signed head" in one for one in shown)


def test_one_changed_gram_is_named_though_the_entry_is_well_formed(folder, capsys):
    def alter(entries):
        entries[-1] = entries[-1].replace(b"700000]", b"700001]")

    change(folder, 2, alter)
    assert audit(folder) == 1
    assert found(capsys) == [
        "FOUND tree: the bytes of entry 702 are not those under the signed head [entry 702]"
    ]


def test_swapped_entries_are_named(folder, capsys):
    def swap(entries):
        entries[10], entries[20] = entries[20], entries[10]

    change(folder, 1, swap)
    assert audit(folder) == 1
    assert found(capsys) == [
        "FOUND tree: the entries 266 and 276 have changed places [entry 266, 276]"
    ]


def test_a_reused_gram_is_named_with_both_entries(log, tmp_path, capsys):
    again = busy(COUNT).add(retire(9999, 5_500, 6_500)).publish(tmp_path / "log")
    assert audit(again) == 1
    shown = found(capsys)
    assert shown[0] == (
        "FOUND R1: grams [5500, 6000) of B-1 are used twice: entry 8 (retirement R00005) and "
        "entry 703 (retirement R09999) [entry 8, 703]"
    )
    assert shown[1].startswith("FOUND R1: grams [6000, 6500) of B-1 are used twice: entry 9")
    assert shown[2].startswith("FOUND R6: B-1: 10000000 g issued")


def test_a_reused_gram_is_remembered_by_later_runs(tmp_path, state, capsys):
    log = busy(20).add(retire(9999, 5_500, 6_000))
    folder = log.publish(tmp_path / "log")
    assert audit(folder, "--state", str(state)) == 1
    first = found(capsys)
    log.add(retire(10_000, 20_000, 21_000)).publish(folder, old_size=len(log.entries) - 1)
    assert audit(folder, "--state", str(state)) == 1
    assert found(capsys)[0] == first[0]


def test_a_gram_reused_in_a_later_run_is_named_with_the_earlier_entry(tmp_path, state, capsys):
    log = busy(600)
    folder = log.publish(tmp_path / "log")
    assert audit(folder, "--state", str(state)) == 0
    log.add(retire(9999, 5_000, 5_001)).publish(folder, old_size=603)
    assert audit(folder, "--state", str(state)) == 1
    assert (
        "entry 8 (retirement R00005) and entry 603 (retirement R09999)" in capsys.readouterr().out
    )


def test_another_root_of_the_same_size_is_named(folder, state, tmp_path, capsys):
    assert audit(folder, "--state", str(state)) == 0
    kept = state.read_bytes()
    other = busy(COUNT - 1).add(retire(8, 699_000, 700_000)).publish(tmp_path / "other")
    capsys.readouterr()
    assert audit(other, "--state", str(state)) == 1
    shown = found(capsys)
    assert len(shown) == 1
    assert shown[0].startswith("FOUND head: two different roots of the same 703 entries: ")
    assert state.read_bytes() == kept


def test_a_log_that_shrank_is_named(folder, state, tmp_path, capsys):
    assert audit(folder, "--state", str(state)) == 0
    capsys.readouterr()
    shorter = busy(COUNT - 1).publish(tmp_path / "other")
    assert audit(shorter, "--state", str(state)) == 1
    assert found(capsys) == [
        "FOUND head: the log shrank: 703 entries in the last run, 702 in this one"
    ]


@pytest.mark.parametrize("place", [3, 255, 256, 511, 690, 702])
def test_a_longer_log_with_another_past_is_named(log, folder, state, tmp_path, place, capsys):
    assert audit(folder, "--state", str(state)) == 0
    capsys.readouterr()
    other = busy(COUNT).add(retire(COUNT, 700_000, 701_000))
    other.entries[place] = other.entries[place].replace(b'"sample":true', b'"sample":false')
    other.publish(tmp_path / "other")
    for options in ((), ("--full",)):
        assert audit(tmp_path / "other", "--state", str(state), *options) == 1
        shown = found(capsys)
        about = place if place >= 512 else place // 256 * 256
        told = [one for one in shown if "of the last run" in one]
        assert told, shown
        assert all(f"[entry {about}]" in one for one in told), shown


def test_a_head_signed_by_another_key_is_named(log, folder, capsys):
    thief = notes.Signer(LOG.name, Ed25519PrivateKey.from_private_bytes(b"T" * 32))
    log.publish(folder, signers=[thief])
    assert audit(folder) == 1
    assert found(capsys) == ["FOUND head: the note carries no signature of a known key"]


def test_a_changed_head_is_named(folder, capsys):
    note = (folder / "checkpoint").read_text()
    (folder / "checkpoint").write_text(note.replace("\n703\n", "\n702\n"))
    assert audit(folder) == 1
    assert found(capsys) == [f"FOUND head: the signature of {LOG.name} does not fit this text"]


def test_a_broken_bundle_is_named(folder, capsys):
    path = folder / "tile/entries/002.p/191"
    path.write_bytes(path.read_bytes()[:-1])
    assert audit(folder) == 1
    assert found(capsys)[0] == (
        "FOUND tree: tile/entries/002.p/191: a bundle ends in the middle of an entry [entry 512]"
    )


def test_a_changed_tile_alone_does_not_confuse_the_audit(folder):
    write(folder / "tile/0/000", b"\0" * 8192)
    assert audit(folder) == 0


def test_entries_and_tiles_that_both_differ_are_told(folder, capsys):
    change(folder, 0, lambda entries: entries.__setitem__(9, entries[9].replace(b"true", b"false")))
    write(folder / "tile/0/000", b"\0" * 8192)
    write(folder / "tile/1/000.p/2", b"\0" * 64)
    assert audit(folder) == 1
    assert found(capsys) == [
        "FOUND tree: neither entries nor tiles lead to the signed root of 703 entries"
    ]


def test_a_missing_bundle_cannot_be_checked(folder, capsys):
    (folder / "tile/entries/001").unlink()
    assert audit(folder) == 2
    assert "could not check: the log does not serve" in capsys.readouterr().err


def test_bytes_changed_at_the_edge_since_the_last_run_are_named(log, folder, state, capsys):
    assert audit(folder, "--state", str(state)) == 0
    kept = state.read_bytes()
    more = busy(COUNT).add(retire(COUNT, 700_000, 701_000))
    more.publish(folder, old_size=703)
    change(folder, 2, lambda entries: entries.__setitem__(4, entries[5]))
    capsys.readouterr()
    (folder / "tile/entries/002.p/191").unlink(missing_ok=True)
    assert audit(folder, "--state", str(state)) == 1
    assert "the entry 516 is not that of the last run" in capsys.readouterr().out
    assert state.read_bytes() == kept


def test_a_head_of_an_absurd_size_is_not_prepared_for(log, folder, capsys):
    head = notes.Checkpoint(LOG.name, 2**62, log.root).text()
    write(folder / "checkpoint", notes.sign(head, [LOG]).encode())
    assert audit(folder) == 2
    assert "does not serve" in capsys.readouterr().err


def test_names_that_would_steer_a_terminal_are_not_printed(log, folder, capsys):
    name = "log.example/\x9b2J"
    odd = notes.Signer(name, Ed25519PrivateKey.from_private_bytes(b"O" * 32))
    head = notes.Checkpoint(name, len(log.entries), log.root).text()
    write(folder / "checkpoint", notes.sign(head, [odd]).encode())
    assert audit(folder, "--key", odd.vkey()) == 1
    shown = capsys.readouterr().out
    assert "log.example/?2J" in shown
    assert "\x9b" not in shown
