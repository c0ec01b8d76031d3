import copy
import hashlib
import json
from datetime import UTC, datetime

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from diandian.kernel.canonical import canonical_json
from diandian.verifier import credential, multibase
from tests.certificates.documents import KEY, held, lump_sum, record, sign

pytestmark = pytest.mark.pure

PUBLIC = KEY.public_key()
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner)
    ),
    max_leaves=20,
)


def every_value(value, path=()):
    """Yield the way to each plain value of a document."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from every_value(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from every_value(item, (*path, index))
    else:
        yield path, value


def altered(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return "x" if value is None else value[:-1] + ("b" if value.endswith("a") else "a")


@pytest.mark.parametrize("made", [record(), held(), lump_sum()])
def test_a_signed_record_is_genuine(made):
    document = sign(made)
    assert credential.verify(document, PUBLIC) == []
    assert credential.record_of(document) == made
    assert credential.verify(json.loads(json.dumps(document)), PUBLIC) == []


def test_any_altered_value_is_refused():
    document = sign(record())
    tried = 0
    for path, value in every_value(document):
        forged = copy.deepcopy(document)
        target = forged
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = altered(value)
        assert credential.verify(forged, PUBLIC), path
        tried += 1
    assert tried > 80


def test_any_added_removed_or_renamed_name_is_refused():
    document = sign(record())
    assert credential.verify({**document, "note": "genuine"}, PUBLIC)
    for name in document:
        assert credential.verify({k: v for k, v in document.items() if k != name}, PUBLIC)
    assert credential.verify(sign(record()) | {"credentialSubject": record(mass_g=1)}, PUBLIC)


def test_another_key_is_refused():
    stranger = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32).public_key()
    assert [check.key for check in credential.verify(sign(record()), stranger)] == ["signature"]


def test_the_suite_hashes_options_then_document():
    """Recompute the signature base with another canonicaliser, as the cryptosuite describes it."""
    document = sign(record())
    proof = dict(document["proof"])
    signature = multibase.decode(proof.pop("proofValue"))
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    base = b"".join(hashlib.sha256(rfc8785.dumps(part)).digest() for part in (proof, unsigned))
    PUBLIC.verify(signature, base)
    assert proof["@context"] == unsigned["@context"]
    assert all(isinstance(context, str) for context in unsigned["@context"])
    assert proof["cryptosuite"] == "eddsa-jcs-2022"


@given(PLAIN)
def test_canonical_json_agrees_with_a_second_implementation(value):
    try:
        expected = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        with pytest.raises(UnicodeEncodeError):
            canonical_json(value)
        return
    assert canonical_json(value) == expected


@pytest.mark.parametrize("value", [1.5, 2**53, {"é": 1}, b"x", float("nan")])
def test_what_others_would_read_differently_is_never_signed(value):
    with pytest.raises(credential.UnsignableError):
        sign(record(purpose=value))


@pytest.mark.parametrize("made", [record(), held(), lump_sum()])
def test_the_digest_is_that_of_the_document(made):
    signer = credential.Signer(
        issuer="did:web:diandian.example",
        key=KEY,
        verification_method="did:web:diandian.example#test",
        created=datetime(2026, 11, 27, 8, tzinfo=UTC),
    )
    signed = signer.sign(made)
    assert signed.document == sign(made)
    assert signed.sha256 == hashlib.sha256(rfc8785.dumps(signed.document)).hexdigest()


@given(st.floats() | st.integers(min_value=2**53) | st.just({"键": 1}))
def test_what_is_new_in_a_next_version_is_looked_through(value):
    first = sign(record())["credentialSubject"]
    same = {**first, "version": 2}
    assert sign(same, earlier=first) == sign(same)
    for name in ("version", "added"):
        with pytest.raises(credential.UnsignableError):
            sign({**first, name: value}, earlier=first)
    with pytest.raises(credential.UnsignableError):
        sign({**first, "键": 1}, earlier=first)


def test_a_local_time_is_never_signed():
    with pytest.raises(ValueError, match="aware"):
        credential.sign(
            record(),
            issuer="i",
            key=KEY,
            verification_method="k",
            created=datetime(2026, 1, 1),  # noqa: DTZ001
        )
    assert sign(record())["proof"]["created"] == "2026-11-27T08:00:00Z"
    assert datetime.fromisoformat(sign(record())["proof"]["created"]).tzinfo is UTC


@pytest.mark.parametrize(
    "junk",
    [
        None, [], "x", {}, {"proof": 1}, {"proof": {}},
        {"proof": {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022"}},
        sign(record()) | {"credentialSubject": []},
        sign(record()) | {"validFrom": 1.5},
        sign(record()) | {"@context": [{"inline": "object"}]},
    ],
)  # fmt: skip
def test_junk_is_refused_without_an_accident(junk):
    assert credential.verify(junk, PUBLIC)


@pytest.mark.parametrize("value", ["", "z", "zz", "u123", "z0OIl", "z" * 300, "ñ"])
def test_a_broken_signature_text_is_refused(value):
    document = sign(record())
    document["proof"]["proofValue"] = value
    assert [check.key for check in credential.verify(document, PUBLIC)] == ["signature"]


@given(st.binary(max_size=80))
def test_base58_comes_back(data):
    assert multibase.decode(multibase.encode(data)) == data


def test_keys_in_both_forms():
    text = multibase.encode_key(PUBLIC)
    assert text.startswith("z6Mk")
    assert multibase.decode_key(text) == PUBLIC
    assert multibase.decode_key(PUBLIC.public_bytes_raw().hex()) == PUBLIC
    for wrong in ("", "zz", "12", "g" * 64, multibase.encode(b"\x00\x01" + bytes(32))):
        with pytest.raises(ValueError, match=r"."):
            multibase.decode_key(wrong)
