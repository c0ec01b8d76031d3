"""The signer and a real witness on this machine: cosigned, silent, ahead, of another mind."""

import http.client
import threading
from http.server import ThreadingHTTPServer

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from django.db import transaction

from diandian.transparency import queries, shown, witnesses
from diandian.transparency.heads import actions as head_actions
from diandian.transparency.heads import signer, trouble
from diandian.transparency.models import LogHead
from diandian.verifier import notes
from diandian.verifier.policy import Policy, PolicyError
from diandian.verifier.witness.__main__ import handler_of, main
from diandian.verifier.witness.judge import Witness
from diandian.verifier.witness.memory import Memory
from tests.registry.builders import AT
from tests.transparency.test_signer import all_bytes, older_backup

pytestmark = pytest.mark.django_db

NAME = "w.example/1"


class Neighbour:
    """A witness in a thread of its own; ``up`` when the log's key is known."""

    def __init__(self, folder, log_key, kind):
        makes = MLDSA44PrivateKey if kind == notes.ML_DSA_44 else Ed25519PrivateKey
        self.signer = notes.Signer(NAME, makes.generate(), kind=kind)
        self.memory = Memory(folder / "seen.json")
        known = {log_key.name: [log_key]}
        witness = Witness(self.signer, known, self.memory, clock=lambda: 1_800_000_000)
        handler = handler_of(witness)
        handler.log_message = lambda *_: None
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def leave(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)


@pytest.fixture
def kind():
    """What kind of signatures the neighbour makes."""
    return notes.COSIGNATURE


@pytest.fixture
def neighbour(log, settings, tmp_path, monkeypatch, kind):
    monkeypatch.setattr(signer, "_ASK_AGAIN_SECONDS", -1)
    log.grow(3)
    log.sign()
    log_key = notes.Verifier.parse(queries.keys_of(log.head)[0].vkey)
    made = Neighbour(tmp_path, log_key, kind)
    file = tmp_path / "witnesses.txt"
    file.write_text(f"witness w {made.signer.vkey()} {made.url}\nquorum w\n")
    settings.LOG_WITNESSES = str(file)
    yield made
    made.leave()


def names(log):
    return [each.name for each in shown.published(1, log.head).witnessed]


@pytest.mark.parametrize("kind", [notes.COSIGNATURE, notes.ML_DSA_44])
def test_a_head_is_published_with_the_witness_s_signature(log, neighbour):
    log.grow(300)
    assert log.sign() == 1
    assert names(log) == [NAME]
    assert neighbour.memory.of(log.head.origin).size == 304
    assert log.sign() == 0
    log.grow(5)
    log.sign()
    assert neighbour.memory.of(log.head.origin).size == 309


def test_a_head_that_was_published_alone_is_witnessed_later(log, neighbour):
    assert names(log) == []
    log.sign()
    assert names(log) == [NAME]


def test_a_silent_witness_stops_nothing_and_is_asked_again(log, neighbour, monkeypatch):
    def silent(*_):
        raise witnesses.WitnessSilentError("no answer")

    log.grow(1)
    with monkeypatch.context() as patch:
        patch.setattr(witnesses, "ask", silent)
        assert log.sign() == 1
    assert (log.published().size, names(log)) == (5, [])
    log.sign()
    assert names(log) == [NAME]


def test_nobody_at_the_address_stops_nothing(log, neighbour):
    neighbour.leave()
    log.grow(1)
    assert log.sign() == 1
    assert names(log) == []
    neighbour.leave = lambda: None


@pytest.mark.parametrize("kind", [notes.COSIGNATURE, notes.ML_DSA_44])
def test_after_a_restart_the_witness_is_met_where_it_is(log, neighbour):
    log.sign()
    log.restart()
    log.grow(1)
    log.sign()
    assert names(log) == [NAME]


def test_a_backup_older_than_what_a_witness_saw_signs_nothing(log, neighbour):
    log.grow(4)
    log.sign()
    lost = all_bytes()[5:]
    older_backup(5)
    log.folder.rename(log.folder.with_name("away"))
    log.restart()
    assert log.sign() == 0
    assert LogHead.objects.get().refusal == trouble.BEHIND_WITNESS
    assert log.files.published() is None
    with transaction.atomic():
        head_actions.restore(log.head, lost, at=AT)
    assert log.sign() == 1
    assert names(log) == [NAME]


def test_another_past_than_a_witness_saw_is_not_published(log, neighbour):
    log.grow(4)
    log.sign()
    older_backup(5)
    log.folder.rename(log.folder.with_name("away"))
    log.grow(9)
    log.restart()
    assert log.sign() == 0
    assert LogHead.objects.get().refusal == trouble.DIFFERS_FROM_WITNESS
    assert log.files.published() is None


@pytest.mark.parametrize("kind", [notes.COSIGNATURE, notes.ML_DSA_44])
def test_the_policy_that_is_shown_can_be_read_and_names_key_and_witness(log, neighbour):
    read = Policy.parse(shown.policy(log.head, "https://log.example/2026"))
    assert [key.vkey() for key in read.logs] == [row.vkey for row in queries.keys_of(log.head)]
    assert read.witnesses["w"] == neighbour.signer.verifier


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://w.example", "https://"])
def test_addresses_that_are_not_of_the_web_are_refused(settings, tmp_path, address):
    key = notes.Signer(NAME, Ed25519PrivateKey.generate(), kind=notes.COSIGNATURE).vkey()
    file = tmp_path / "w.txt"
    file.write_text(f"witness w {key} {address}\nquorum w\n")
    settings.LOG_WITNESSES = str(file)
    with pytest.raises(PolicyError):
        witnesses.load()


def test_the_witness_answers_heads_and_nothing_else(neighbour):
    def status(method, path, body=b"", **headers):
        place = http.client.HTTPConnection("127.0.0.1", neighbour.server.server_port, timeout=10)
        place.request(method, path, body, headers)
        found = place.getresponse().status
        place.close()
        return found

    assert status("POST", "/add-checkpoint", b"old 0\n\nnothing") == 400
    assert status("POST", "/", b"old 0") == 404
    assert status("POST", "/add-checkpoint/../x", b"old 0") == 404
    assert status("GET", "/add-checkpoint") == 405
    big = {"Content-Length": "99999999"}
    assert status("POST", "/add-checkpoint", b"", **big) == 400
    assert status("POST", "/add-checkpoint", b"", **{"Content-Length": "-1"}) == 400


def test_what_the_witness_cannot_remember_it_does_not_sign(log, neighbour, monkeypatch):
    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(Memory, "keep", full)
    log.grow(1)
    assert log.sign() == 1
    assert names(log) == []


@pytest.mark.parametrize("extra", [[], ["--ml-dsa-44"]])
def test_the_witness_s_command_makes_a_key_once_and_shows_it(tmp_path, capsys, extra):
    key = tmp_path / "w.pem"
    arguments = [NAME, "--key", str(key), "--memory", str(tmp_path / "seen.json"), *extra]
    assert main(arguments) == main(arguments) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    made = notes.Verifier.parse(first.removeprefix("public key: "))
    assert made.kind == (notes.ML_DSA_44 if extra else notes.COSIGNATURE)
    assert made.is_cosigner
    assert key.stat().st_mode & 0o077 == 0
    assert main([*arguments, "--log", "no key"]) == 2
    before = key.read_bytes()
    capsys.readouterr()
    assert main([*arguments, "--ml-dsa-44"] if not extra else arguments[:-1]) == 2
    assert "--ml-dsa-44" in capsys.readouterr().err
    assert key.read_bytes() == before
