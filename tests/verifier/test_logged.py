import copy
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from diandian.verifier import entries, logged, merkle, notes, policy, proof
from diandian.verifier.__main__ import main
from tests.certificates.documents import KEY, record, sign
from tests.verifier.log_bodies import LOG, body
from tests.verifier.test_merkle import LEAVES

pytestmark = pytest.mark.pure

INDEX, SIZE = 5, 12
WITNESS = notes.Signer("w.example", Ed25519PrivateKey.from_private_bytes(b"W" * 32), kind=4)
RULE = f"log {LOG.vkey()}\nwitness w {WITNESS.vkey()}\nquorum w\n"
HEX = KEY.public_key().public_bytes_raw().hex()


def entry_of(made):
    return body(
        "retire",
        retirement=made["retirement"],
        ranges=[[part["batch"], part["start_g"], part["end_g"]] for part in made["ranges"]],
        commit=made["subject_commit"],
        sample=made["sample"],
    )


def in_log(**changes):
    made = {**record(**changes), "retirement": "R-1", "subject_commit": "ab" * 32}
    return {**made, "log": {"origin": LOG.name, "index": INDEX, "entry": entry_of(made)}}


def proof_of(entry, *, signers=(LOG, WITNESS), index=INDEX, origin=LOG.name):
    leaves = [*LEAVES[:index], merkle.leaf_hash(entries.encode(entry)), *LEAVES[index + 1 : SIZE]]
    way = merkle.inclusion_proof(
        index, SIZE, lambda level, at: merkle.root_of(leaves[at << level : (at + 1) << level])
    )
    head = notes.Checkpoint(origin, SIZE, merkle.root_of(leaves)).text()
    return proof.write(index, way, notes.sign(head, signers, timestamp_s=9))


GOOD = in_log()
PROOF = proof_of(GOOD["log"]["entry"])


def found(made, *more):
    return [(one.key, one.ok) for one in logged.checks(made, *more)]


def test_a_certificate_its_entry_and_its_proof_agree():
    keys = [LOG.verifier]
    assert found(GOOD) == [("log", True)]
    checked = logged.checks(GOOD, PROOF, keys, policy.Policy.parse(RULE))
    assert [one.ok for one in checked] == [True, True]
    assert checked[1].detail == f"entry 5 of 12 in {LOG.name}; witnessed by w.example"


def test_an_earlier_certificate_is_accepted_with_a_remark():
    (check,) = logged.checks(record())
    assert (check.ok, check.detail) == (True, logged.OLDER)
    assert found(record(), PROOF, [LOG.verifier]) == [("log", False)]


def differing():
    """Yield records whose entry says something else, and what."""
    for member, value in {
        "retirement": "another",
        "ranges": [["B-9", 0, GOOD["mass_g"]]],
        "commit": "cd" * 32,
        "sample": not GOOD["sample"],
    }.items():
        made = copy.deepcopy(GOOD)
        made["log"]["entry"][member] = value
        yield member, made
    made = copy.deepcopy(GOOD)
    made["mass_g"] += 1
    yield "mass_g", made
    yield "type", {**GOOD, "log": {**GOOD["log"], "entry": body("freeze")}}
    yield "name", {**GOOD, "log": {**GOOD["log"], "entry": {**GOOD["log"]["entry"], "name": "x"}}}
    for member, value in {"origin": 7, "index": -1, "entry": []}.items():
        yield member, {**GOOD, "log": {**GOOD["log"], member: value}}
    for value in ({}, [], "log", 7, {"origin": LOG.name}):
        yield "log", {**GOOD, "log": value}


@pytest.mark.parametrize("case", list(differing()), ids=lambda case: case[0])
def test_what_differs_is_refused(case):
    checked = logged.checks(case[1], PROOF, [LOG.verifier])
    assert [(one.key, one.ok) for one in checked] == [("log", False)]
    assert checked[0].detail


def test_proofs_that_show_something_else_are_refused():
    entry = GOOD["log"]["entry"]
    rule = policy.Policy.parse(RULE)
    stranger = notes.Signer(LOG.name, Ed25519PrivateKey.generate())
    for text in (
        "",
        proof_of({**entry, "retirement": "another"}),
        proof_of(entry, index=6),
        proof_of(entry, signers=[LOG]),
        proof_of(entry, signers=[stranger, WITNESS]),
        proof_of(entry, origin="other.example"),
        PROOF.replace("\n12\n", "\n13\n"),
    ):
        checked = logged.checks(GOOD, text, [LOG.verifier], rule)
        assert [(one.key, one.ok) for one in checked] == [("log", True), ("log proof", False)], text


@pytest.fixture
def files(tmp_path):
    (tmp_path / "certificate.json").write_text(json.dumps(sign(GOOD), ensure_ascii=False))
    (tmp_path / "proof").write_text(PROOF)
    (tmp_path / "policy").write_text(RULE)
    return tmp_path


def run(files, *options):
    return main([str(files / "certificate.json"), "--key", HEX, *options])


def test_the_program_checks_the_proof_too(files, capsys):
    with_proof = ["--proof", str(files / "proof")]
    assert run(files, *with_proof, "--key", LOG.vkey()) == 0
    assert "ok   log proof: entry 5 of 12" in capsys.readouterr().out
    assert run(files, *with_proof, "--policy", str(files / "policy")) == 0
    assert "witnessed by w.example" in capsys.readouterr().out
    (files / "proof").write_text(proof_of(GOOD["log"]["entry"], signers=[LOG]))
    assert run(files, *with_proof, "--policy", str(files / "policy")) == 1
    assert "FAIL log proof: too few witnesses" in capsys.readouterr().out


def test_a_proof_needs_a_key_and_files_that_can_be_read(files, capsys):
    with_proof = ["--proof", str(files / "proof")]
    assert run(files, *with_proof) == 2
    assert "needs the log's key" in capsys.readouterr().err
    assert run(files, *with_proof, "--key", "a+b+c") == 2
    assert run(files, *with_proof, "--key", LOG.vkey(), "--key", HEX) == 2
    assert run(files, "--proof", str(files / "none"), "--key", LOG.vkey()) == 2
    (files / "proof").write_bytes(b"\xff")
    assert run(files, *with_proof, "--key", LOG.vkey()) == 2
    (files / "policy").write_text("trust everybody")
    assert run(files, "--policy", str(files / "policy")) == 2
