import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from diandian.verifier import entries, merkle, notes, policy, proof
from tests.verifier.log_bodies import LOG, body
from tests.verifier.test_merkle import LEAVES

pytestmark = pytest.mark.pure

INDEX, SIZE = 57, 130
ENTRY = entries.encode(body("retire"))
HASHES = [*LEAVES[:INDEX], merkle.leaf_hash(ENTRY), *LEAVES[INDEX + 1 : SIZE]]
WITNESS = notes.Signer("w.example", Ed25519PrivateKey.from_private_bytes(b"W" * 32), kind=4)
RULE = policy.Policy.parse(f"witness w {WITNESS.vkey()}\nquorum w\n")
KEYS = (LOG.verifier,)


def hash_at(level, index):
    return merkle.root_of(HASHES[index << level : (index + 1) << level])


WAY = merkle.inclusion_proof(INDEX, SIZE, hash_at)
HEAD = notes.Checkpoint(LOG.name, SIZE, merkle.root_of(HASHES))
ALONE = proof.write(INDEX, WAY, notes.sign(HEAD.text(), [LOG]))
TEXT = proof.write(INDEX, WAY, notes.sign(HEAD.text(), [LOG, WITNESS], timestamp_s=9))


def test_a_proof_has_the_lines_of_the_specification():
    lines = TEXT.split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 57"]
    assert lines[2 + len(WAY) :][:3] == ["", LOG.name, str(SIZE)]
    assert proof.read(TEXT).hashes == tuple(WAY)


def test_a_genuine_proof_shows_who_signed_and_who_witnessed():
    shown = proof.check(TEXT, ENTRY, KEYS, quorum=RULE)
    assert (shown.index, shown.checkpoint) == (INDEX, HEAD)
    assert [(item.name, item.timestamp_s) for item in shown.signed] == [
        (LOG.name, None),
        ("w.example", 9),
    ]
    assert len(proof.check(TEXT, ENTRY, KEYS).signed) == 1


def test_too_few_witnesses_are_said():
    with pytest.raises(merkle.ProofError, match="too few witnesses"):
        proof.check(ALONE, ENTRY, KEYS, quorum=RULE)


def test_another_entry_is_refused():
    with pytest.raises(merkle.ProofError, match="entry 57 leads to another root"):
        proof.check(TEXT, entries.encode(body("retire", sample=False)), KEYS)


def test_a_log_that_did_not_sign_is_refused():
    other = notes.Signer(LOG.name, Ed25519PrivateKey.generate())
    with pytest.raises(notes.NoteError):
        proof.check(TEXT, ENTRY, [other.verifier])


def test_a_proof_for_no_possible_tree_is_refused_before_it_is_hashed():
    text = proof.write(INDEX, WAY[:1] * 64, TEXT.split("\n\n", 1)[1])
    with pytest.raises(merkle.ProofError, match="more hashes than any tree"):
        proof.read(text)


def test_extra_data_is_passed_over():
    text = TEXT.replace("\nindex", "\nextra aGVsbG8=\nindex", 1)
    assert proof.check(text, ENTRY, KEYS).index == INDEX


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        TEXT.replace("@v1", "@v2"),
        TEXT.replace("index 57", "index 057"),
        TEXT.replace("index 57", "index -1"),
        TEXT.replace("index 57", "index"),
        TEXT.replace("index 57\n", ""),
        TEXT.replace("index 57", "index 56"),
        TEXT.replace("index 57", "index 130"),
        TEXT.replace("\nindex", "\n\nindex", 1),
        TEXT.replace("=\n\n", "\n\n", 1),
        TEXT.replace("=\n\n", "=\nAAAA\n\n", 1),
        TEXT.replace("=\n\n", "=\n" + "AAAA" * 11 + "\n" * 2, 1),
        proof.write(INDEX, WAY[:1] * 64, TEXT.split("\n\n", 1)[1]),
        proof.write(INDEX, WAY, ""),
        proof.write(INDEX, WAY[:-1], TEXT.split("\n\n", 1)[1]),
    ],
)
def test_broken_proofs_are_refused(text):
    with pytest.raises((merkle.ProofError, notes.NoteError)):
        proof.check(text, ENTRY, KEYS, quorum=RULE)


@given(st.integers(0, 2**32))
def test_one_changed_letter_is_refused(seed):
    """All but the case of what is passed over: here nothing is."""
    rng = random.Random(seed)
    place = rng.randrange(len(TEXT))
    letter = rng.choice([one for one in "aZ9+/ \n=—" if one != TEXT[place]])
    with pytest.raises((merkle.ProofError, notes.NoteError)):
        proof.check(TEXT[:place] + letter + TEXT[place + 1 :], ENTRY, KEYS, quorum=RULE)
