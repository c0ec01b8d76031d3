"""A witness signs what continues that it has seen, remembers before it signs, and nothing else."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from diandian.verifier import notes
from diandian.verifier.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    leaf_hash,
    node_hash,
    root_of,
)
from diandian.verifier.witness import judge
from diandian.verifier.witness.memory import DamagedMemoryError, Memory, Seen

pytestmark = pytest.mark.pure

ORIGIN = "log.example/2026"
LOG = notes.Signer(ORIGIN, Ed25519PrivateKey.generate())
SELF = notes.Signer("w.example/1", Ed25519PrivateKey.generate(), kind=notes.COSIGNATURE)
LEAVES = [leaf_hash(str(number).encode()) for number in range(40)]


def hash_at(level, index):
    start = index << level
    hashes = LEAVES[start : start + (1 << level)]
    while len(hashes) > 1:
        hashes = [node_hash(*hashes[place : place + 2]) for place in range(0, len(hashes), 2)]
    return hashes[0]


def head(size, root=None, signer=LOG, origin=ORIGIN):
    root = root if root is not None else (root_of(LEAVES[:size]) if size else EMPTY_ROOT)
    return notes.sign(notes.Checkpoint(origin, size, root).text(), [signer])


def body(old, note, proof=()):
    lines = [f"old {old}", *(base64.b64encode(item).decode() for item in proof), "", note]
    return "\n".join(lines).encode()


def continuing(old, new):
    return body(old, head(new), consistency_proof(old, new, hash_at))


@pytest.fixture
def memory(tmp_path):
    return Memory(tmp_path / "seen.json")


@pytest.fixture
def witness(memory):
    return judge.Witness(SELF, {ORIGIN: [LOG.verifier]}, memory, clock=lambda: 1_800_000_000)


def status(witness, *request):
    return witness.answer(*request).status


def test_what_continues_is_signed_with_the_time(witness, memory):
    answer = witness.answer(continuing(0, 7))
    assert answer.status == 200
    text, [signed] = notes.open_note(head(7) + answer.body, [SELF.verifier])
    assert (signed.name, signed.timestamp_s) == ("w.example/1", 1_800_000_000)
    assert text == notes.Checkpoint(ORIGIN, 7, root_of(LEAVES[:7])).text()
    assert status(witness, continuing(7, 20)) == 200
    assert status(witness, continuing(20, 20)) == 200
    assert memory.of(ORIGIN) == Seen(20, root_of(LEAVES[:20]))


def test_it_remembers_over_a_restart(witness, memory):
    assert status(witness, continuing(0, 7)) == 200
    again = judge.Witness(SELF, {ORIGIN: [LOG.verifier]}, Memory(memory.path), clock=lambda: 1)
    answer = again.answer(continuing(0, 9))
    assert (answer.status, answer.body, answer.content_type) == (409, "7\n", "text/x.tlog.size")


def test_another_past_is_refused_and_forgotten(witness, memory):
    witness.answer(continuing(0, 7))
    forked = body(7, head(9, root=b"\1" * 32), consistency_proof(7, 9, hash_at))
    assert status(witness, forked) == 422
    assert status(witness, body(7, head(7, root=b"\1" * 32))) == 409
    assert status(witness, body(7, head(9))) == 422
    assert memory.of(ORIGIN).size == 7


def test_it_never_goes_back(witness):
    witness.answer(continuing(0, 9))
    answer = witness.answer(continuing(0, 7))
    assert (answer.status, answer.body) == (409, "9\n")
    assert status(witness, body(9, head(7))) == 400


def test_only_known_logs_and_keys_are_signed_for(witness):
    stranger = notes.Signer(ORIGIN, Ed25519PrivateKey.generate())
    assert status(witness, body(0, head(7, signer=stranger))) == 403
    other = notes.Signer("other.example", Ed25519PrivateKey.generate())
    assert status(witness, body(0, head(7, signer=other, origin="other.example"))) == 404
    # A known key under an unknown name says nothing about that name.
    assert status(witness, body(0, head(7, origin="other.example"))) == 404


@pytest.mark.parametrize(
    "request_body",
    [
        b"",
        b"old 0\n",
        b"\xff\xfe",
        b"old 00\n\n" + head(7).encode(),
        b"old -1\n\n" + head(7).encode(),
        b"old 0\nnot base 64\n\n" + head(7).encode(),
        b"old 0\naGVsbG8=\n\n" + head(7).encode(),
        b"old 0\n" + b"A" * 43 + b"=\n" * 64 + b"\n" + head(7).encode(),
        b"old 0\n\nno checkpoint",
        b"new 0\n\n" + head(7).encode(),
    ],
)
def test_what_is_no_request_is_told_so(witness, memory, request_body):
    assert status(witness, request_body) == 400
    assert memory.of(ORIGIN) == Seen()


def test_what_cannot_be_remembered_is_not_signed(witness, memory, monkeypatch):
    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr("diandian.verifier.witness.memory._write", full)
    with pytest.raises(OSError, match="no space"):
        witness.answer(continuing(0, 7))
    assert memory.of(ORIGIN) == Seen()


@pytest.mark.parametrize("text", ["{", "[]", '{"a": {"size": -1, "root": ""}}', '{"a": 1}'])
def test_a_damaged_memory_stops_the_start(tmp_path, text):
    path = tmp_path / "seen.json"
    path.write_text(text)
    with pytest.raises(DamagedMemoryError):
        Memory(path)
