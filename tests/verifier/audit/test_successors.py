"""A log that was closed and is continued under another name: both are one history."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from diandian.verifier import notes
from tests.verifier.audit.logs import LOG, Log, audit, issue, retire, upstream, write
from tests.verifier.log_bodies import body

pytestmark = pytest.mark.pure

NEW = "log.example/2027"
SIGNER = notes.Signer(NEW, Ed25519PrivateKey.from_private_bytes(b"N" * 32))
KEYS = ("--key", LOG.vkey(), "--key", SIGNER.vkey())


def closed(log):
    size, root = len(log.entries), log.root.hex()
    return log.add(body("close", size=size, root=root))


def first():
    return closed(Log(issue(), upstream(1, 9), retire(0, 0, 10), retire(1, 10, 20)))


def successor(old, **changes):
    previous = {"origin": LOG.name, "size": len(old.entries), "root": old.root.hex(), **changes}
    return Log(body("open", origin=NEW, previous=previous), origin=NEW)


@pytest.fixture
def check(tmp_path, capsys):
    def run(old, new, *options):
        folders = [old.publish(tmp_path / "old")]
        if new is not None:
            folders.append(new.publish(tmp_path / "new", signers=[SIGNER]))
        report = tmp_path / "report.json"
        names = [str(folder) for folder in folders]
        report.unlink(missing_ok=True)
        status = audit(names[0], *names[1:], *KEYS, "--json", str(report), *options)
        found = json.loads(report.read_text()) if report.exists() else {}
        return status, found, capsys.readouterr().err

    return run


def texts(report):
    return [one["text"] for one in report["findings"]]


def test_both_are_replayed_as_one(check):
    status, report, _ = check(first(), successor(first()).add(retire(2, 20, 30)))
    assert (status, report["origin"], report["batches"][0]["retired_g"]) == (0, NEW, 30)
    assert [one["origin"] for one in report["continues"]] == [LOG.name]


def test_a_gram_used_in_both_is_named_with_its_log(check):
    status, report, _ = check(first(), successor(first()).add(retire(2, 15, 30)))
    assert status == 1
    assert texts(report)[0] == (
        f"grams [15, 20) of B-1 are used twice: entry 4 of {LOG.name} (retirement R00001) "
        "and entry 1 (retirement R00002)"
    )


def test_a_retirement_entered_in_both_is_found(check):
    status, report, _ = check(first(), successor(first()).add(retire(1, 20, 30)))
    assert (status, report["findings"][0]["rule"]) == (1, "entry")


def test_a_successor_alone_cannot_be_checked(tmp_path, capsys):
    folder = successor(first()).publish(tmp_path / "new", signers=[SIGNER])
    assert audit(folder, *KEYS) == 2
    assert f"this log continues {LOG.name}: give that one too" in capsys.readouterr().err


@pytest.mark.parametrize("change", [{"size": 5}, {"root": "ab" * 32}, {"origin": "other.example"}])
def test_a_successor_of_another_end_is_found(check, change):
    status, report, _ = check(first(), successor(first(), **change))
    assert (status, report["findings"][0]["rule"]) == (1, "head")


def test_a_log_that_continues_one_that_was_not_closed_is_found(check):
    old = Log(issue(), upstream(1, 9), retire(0, 0, 10))
    status, report, _ = check(old, successor(old))
    assert (status, texts(report)) == (
        1,
        [f"the log {LOG.name} is continued by another one, and was not closed"],
    )


def test_the_state_goes_on_from_one_to_the_other(check, tmp_path):
    state = ("--state", str(tmp_path / "state"))
    old = first()
    assert check(old, None, *state)[0] == 0
    new = successor(old).add(retire(2, 20, 30))
    assert check(old, new, *state)[0] == 0
    new.add(retire(3, 30, 40))
    status, report, _ = check(old, new, *state)
    assert (status, report["new_entries"], report["batches"][0]["retired_g"]) == (0, 1, 40)
    status, report, _ = check(old, new, *state, "--full")
    assert (status, report["batches"][0]["retired_g"]) == (0, 40)
    # Less than what was seen cannot be compared.
    status, _, said = check(old, None, *state)
    assert status == 2
    assert "give them all, oldest first" in said


def test_a_closed_log_that_grows_is_found(check, tmp_path):
    state = ("--state", str(tmp_path / "state"))
    old = first()
    new = successor(old)
    assert check(old, new, *state)[0] == 0
    status, report, _ = check(old.add(retire(7, 20, 30)), new, *state)
    assert (status, texts(report)) == (1, [f"the log {LOG.name} grew, though another continues it"])


def test_a_gram_reused_after_the_change_is_named_by_a_later_run(check, tmp_path):
    state = ("--state", str(tmp_path / "state"))
    old, new = first(), successor(first())
    assert check(old, new, *state)[0] == 0
    status, report, _ = check(old, new.add(retire(2, 0, 1)), *state)
    assert status == 1
    assert f"entry 3 of {LOG.name} (retirement R00000)" in texts(report)[0]


def test_a_closed_log_is_read_again_only_in_full(check, tmp_path):
    state = ("--state", str(tmp_path / "state"))
    old, new = first(), successor(first())
    assert check(old, new, *state)[0] == 0
    bundle = tmp_path / "old/tile/entries/000.p/6"
    kept = bundle.read_bytes()
    old.publish = lambda folder: folder
    write(bundle, kept.replace(b'"sample":true', b'"sample":nope', 1))
    assert check(old, new, *state)[0] == 0
    status, report, _ = check(old, new, *state, "--full")
    assert (status, report["findings"][-1]["rule"]) == (1, "tree")


def test_a_key_of_the_closed_log_need_not_sign_its_successor(check):
    rotated = notes.Signer(LOG.name, Ed25519PrivateKey.from_private_bytes(b"K" * 32))
    key = body("key", **{"vkey": rotated.vkey(), "from": "2026-01-01T00:00:00Z"})
    old = closed(Log(key, issue()))
    assert check(old, successor(old))[0] == 0
