import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from diandian.verifier import notes

pytestmark = pytest.mark.pure

ROOT = bytes(range(32))
HEAD = notes.Checkpoint("log.example/2026", 20852163, ROOT)
LOG = notes.Signer("log.example/2026", Ed25519PrivateKey.from_private_bytes(b"L" * 32))
WITNESS = notes.Signer(
    "w.example", Ed25519PrivateKey.from_private_bytes(b"W" * 32), kind=notes.COSIGNATURE
)
LATTICE = notes.Signer("pq.example", MLDSA44PrivateKey.from_seed_bytes(b"M" * 32))
ALL = (LOG, WITNESS, LATTICE)
KEYS = tuple(signer.verifier for signer in ALL)
NOTE = notes.sign(HEAD.text(), ALL, timestamp_s=1_700_000_000)

# The example of Go's note package.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_NOTE = (
    GO_TEXT + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKv"
    "qfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_note_of_another_implementation_is_opened():
    text, signed = notes.open_note(GO_NOTE, [notes.Verifier.parse(GO_KEY)])
    assert text == GO_TEXT
    assert [(item.name, item.timestamp_s) for item in signed] == [("PeterNeumann", None)]
    assert notes.Verifier.parse(GO_KEY).vkey() == GO_KEY


def test_a_checkpoint_has_the_lines_of_the_specification():
    assert HEAD.text() == (
        "log.example/2026\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    )
    assert notes.Checkpoint.parse(HEAD.text()) == HEAD
    more = notes.Checkpoint("log.example/2026", 0, ROOT, ("one", "two"))
    assert notes.Checkpoint.parse(more.text()) == more


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "o\n1\n",
        HEAD.text()[:-1],
        HEAD.text() + "\n",
        HEAD.text().replace("20852163", "020852163"),
        HEAD.text().replace("20852163", "-1"),
        HEAD.text().replace("20852163", "٣"),
        HEAD.text().replace("20852163", "9" * 19),
        HEAD.text().replace("20852163", "9" * 5000),
        HEAD.text().replace("Hh8=", "Hh8"),
        HEAD.text().replace("AAEC", ""),
        HEAD.text().replace("Hh8=", "Hh9="),
        HEAD.text().replace("log.example/2026\n", "\n"),
        HEAD.text().replace("log", "l\tog"),
    ],
)
def test_other_checkpoints_are_refused(text):
    with pytest.raises(notes.NoteError):
        notes.Checkpoint.parse(text)


def test_a_note_is_opened_by_each_kind_of_key():
    text, signed = notes.open_note(NOTE, KEYS)
    assert notes.Checkpoint.parse(text) == HEAD
    assert [(item.name, item.timestamp_s) for item in signed] == [
        ("log.example/2026", None),
        ("w.example", 1_700_000_000),
        ("pq.example", 1_700_000_000),
    ]
    assert notes.open_note(NOTE.encode(), KEYS) == (text, signed)


def test_the_bytes_that_witnesses_sign_are_those_of_the_specification():
    said = f"cosignature/v1\ntime 1700000000\n{HEAD.text()}".encode()
    assert notes._message(notes.COSIGNATURE, "w.example", HEAD.text(), 1_700_000_000) == said
    subtree = (
        b"subtree/v1\n\x00"
        b"\x0apq.example"
        b"\x00\x00\x00\x00\x65\x53\xf1\x00"
        b"\x10log.example/2026"
        b"\x00\x00\x00\x00\x00\x00\x00\x00"
        b"\x00\x00\x00\x00\x01\x3e\x2d\xc3" + ROOT
    )
    found = notes._message(notes.ML_DSA_44, "pq.example", HEAD.text(), 1_700_000_000)
    assert found == subtree


@pytest.mark.parametrize("signer", ALL)
def test_keys_are_read_back_from_their_line(signer):
    assert notes.Verifier.parse(signer.vkey()) == signer.verifier
    assert notes.Verifier.parse(f" {signer.vkey()}\n") == signer.verifier


def with_material(kind, body, name="log.example/2026"):
    key_id = notes._key_id(name, kind, body).hex()
    return f"{name}+{key_id}+{base64.b64encode(bytes([kind]) + body).decode()}"


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        "++",
        GO_KEY.replace("c74f", "c74e"),
        GO_KEY.replace("c74f20a3", "C74F20A3"),
        GO_KEY.replace("Peter", "Peter "),
        GO_KEY[:-4],
        GO_KEY + "=",
        with_material(2, b"x" * 32),
        with_material(1, b"x" * 31),
        with_material(6, b"x" * 32),
        with_material(1, b"x" * 32, "n" * 300),
    ],
)
def test_other_keys_are_refused(vkey):
    with pytest.raises(notes.NoteError):
        notes.Verifier.parse(vkey)


def test_unknown_keys_are_passed_over_even_under_a_known_name():
    stranger = notes.Signer("log.example/2026", Ed25519PrivateKey.from_private_bytes(b"X" * 32))
    both = notes.sign(HEAD.text(), [stranger, LOG])
    assert [item.verifier for item in notes.open_note(both, [LOG.verifier])[1]] == [LOG.verifier]
    with pytest.raises(notes.NoteError, match="no signature of a known key"):
        notes.open_note(notes.sign(HEAD.text(), [stranger]), [LOG.verifier])


@pytest.mark.parametrize("signer", ALL)
def test_a_changed_text_or_signature_of_a_known_key_refuses_the_note(signer):
    note = notes.sign(HEAD.text(), [signer], timestamp_s=7)
    with pytest.raises(notes.NoteError, match="does not fit"):
        notes.open_note(note.replace("20852163", "20852164"), KEYS)
    body, _, data = note.rpartition(" ")
    raw = bytearray(base64.b64decode(data))
    for place in (4, len(raw) - 1):
        raw[place] ^= 1
        spoilt = f"{body} {base64.b64encode(bytes(raw)).decode()}\n"
        with pytest.raises(notes.NoteError):
            notes.open_note(spoilt, KEYS)
        raw[place] ^= 1
    short = f"{body} {base64.b64encode(bytes(raw[:-1])).decode()}\n"
    with pytest.raises(notes.NoteError, match="wrong length"):
        notes.open_note(short, KEYS)


def test_the_lattice_signature_binds_the_name_and_not_the_extensions():
    more = notes.Checkpoint(HEAD.origin, HEAD.size, HEAD.root, ("said too",))
    line = LATTICE.line(HEAD.text(), timestamp_s=0)
    _, signed = notes.open_note(f"{more.text()}\n{line}", KEYS)
    assert signed[0].timestamp_s == 0
    other = notes.Verifier("other.example", notes.ML_DSA_44, LATTICE.verifier.public)
    with pytest.raises(notes.NoteError):
        other.verify(HEAD.text(), base64.b64decode(line.split()[-1])[4:])


def test_whoever_signs_with_a_time_is_given_one():
    for timestamp_s in (None, -1, 2**63):
        with pytest.raises(notes.NoteError, match="signs with a time"):
            notes.sign(HEAD.text(), [WITNESS], timestamp_s=timestamp_s)


def test_a_time_beyond_what_the_specification_allows_is_refused():
    key = Ed25519PrivateKey.from_private_bytes(b"W" * 32)
    for timestamp_s, fits in ((2**63 - 1, True), (2**63, False)):
        message = f"cosignature/v1\ntime {timestamp_s}\n{HEAD.text()}".encode()
        signature = timestamp_s.to_bytes(8, "big") + key.sign(message)
        if fits:
            assert WITNESS.verifier.verify(HEAD.text(), signature) == timestamp_s
        else:
            with pytest.raises(notes.NoteError, match="impossible time"):
                WITNESS.verifier.verify(HEAD.text(), signature)


def test_a_key_makes_only_its_kind_of_signature():
    with pytest.raises(notes.NoteError):
        notes.Signer("a", Ed25519PrivateKey.generate(), kind=notes.ML_DSA_44)
    with pytest.raises(notes.NoteError):
        notes.Signer("a", MLDSA44PrivateKey.generate(), kind=notes.COSIGNATURE)
    with pytest.raises(notes.NoteError, match="spaces"):
        notes.Signer("a b", Ed25519PrivateKey.generate())


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\nno signature\n",
        GO_NOTE[:-1],
        GO_NOTE.replace("— ", "- "),
        GO_NOTE.replace("— Peter", "—  Peter"),
        GO_NOTE.replace("PeterNeumann x08", "Peter Neumann x08"),
        GO_NOTE.replace("PeterNeumann x08", "PeterNeumann+1 x08"),
        GO_NOTE.replace("x08go", "x08g"),
        GO_NOTE.replace("If", "\tIf"),
        GO_NOTE.encode() + b"\xff",
        GO_NOTE + "\udc80",
        GO_TEXT + "\n" + GO_NOTE.splitlines(keepends=True)[-1] * 65,
        "x" * 300_000 + GO_NOTE,
        GO_TEXT + "\n— PeterNeumann x08goA==\n",
    ],
)
def test_malformed_notes_are_refused(note):
    with pytest.raises(notes.NoteError):
        notes.open_note(note, [notes.Verifier.parse(GO_KEY)])


def test_sixteen_signatures_of_the_longest_kind_fit():
    signers = [
        notes.Signer(f"w{number}.example", MLDSA44PrivateKey.from_seed_bytes(bytes([number]) * 32))
        for number in range(16)
    ]
    note = notes.sign(HEAD.text(), signers, timestamp_s=1)
    assert len(notes.open_note(note, [signer.verifier for signer in signers])[1]) == 16


def test_cosignatures_are_added_once():
    note = notes.sign(HEAD.text(), [LOG])
    line = WITNESS.line(HEAD.text(), timestamp_s=5)
    added = notes.add_lines(notes.add_lines(note, [line, line]), [line])
    assert added == note + line
    assert len(notes.open_note(added, KEYS)[1]) == 2
    with pytest.raises(notes.NoteError):
        notes.add_lines(note, ["no signature"])


def test_a_text_may_hold_empty_lines_and_must_end_its_last():
    text = "one\n\n\ntwo\n"
    assert notes.open_note(notes.sign(text, [LOG]), KEYS)[0] == text
    for bad in ("no end", "tab\there\n"):
        with pytest.raises(notes.NoteError):
            notes.sign(bad, [LOG])
    with pytest.raises(notes.NoteError, match="at least one"):
        notes.sign(text, [])


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_text_surprises_the_reader(text, tail):
    for note in (text, f"{text}\n\n— {tail}\n", f"{GO_TEXT}{text}\n\n{tail}"):
        try:
            notes.open_note(note, [notes.Verifier.parse(GO_KEY)])
        except notes.NoteError:
            continue
        raise AssertionError("nobody signed this")
