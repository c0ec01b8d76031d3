"""Wraps a certificate record as a W3C Verifiable Credential and checks one, offline.

*Source:* VC Data Model 2.0; Data Integrity EdDSA Cryptosuites v1.0, ``eddsa-jcs-2022``: Ed25519
over SHA-256(JCS(proof options)) and SHA-256(JCS(document)). Contexts are addresses only, since
other verifiers compare them by identity and refuse inline objects.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from diandian.kernel.canonical import canonical_json
from diandian.verifier import multibase
from diandian.verifier.checks import Check, failed

Document = dict[str, Any]
# The second one is W3C's own context for terms that have none.
CONTEXTS = (
    "https://www.w3.org/ns/credentials/v2",
    "https://www.w3.org/ns/credentials/undefined-terms/v2",
)
TYPES = ("VerifiableCredential", "CreditRetirementCertificate")
SUITE = "eddsa-jcs-2022"
_SIGNATURE_BYTES = 64
# Beyond this, JavaScript verifiers round integers and would disagree about the bytes.
_MAX_INTEGER = 2**53 - 1


class UnsignableError(ValueError):
    """The value cannot be canonicalised in the same way by everybody."""


_NONE = object()
_PLAIN = frozenset({str, bool, type(None)})


def _is_portable(value: object) -> bool:
    """Tell quickly what ``_require_portable`` would find; it says where, this does not."""
    waiting: list[Any] = [[value]]
    while waiting:
        holder = waiting.pop()
        if type(holder) is dict:
            try:
                if not "".join(holder).isascii():
                    return False
            except TypeError:  # a key that is no text
                return False
            holder = holder.values()
        for item in holder:
            kind = type(item)
            if kind in _PLAIN:
                continue
            if kind is dict or kind is list:
                waiting.append(item)
            elif kind is not int or not -_MAX_INTEGER <= item <= _MAX_INTEGER:
                return False
    return True


def _require_portable(value: object, where: str) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise UnsignableError(f"{where}: keys must be ASCII text")
            _require_portable(item, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _require_portable(item, f"{where}.{index}")
    elif isinstance(value, bool | None | str):
        return
    elif not isinstance(value, int) or abs(value) > _MAX_INTEGER:
        raise UnsignableError(f"{where}: only text, true, false, null and integers under 2^53")


def _signed_bytes(document: Mapping[str, object], options: Mapping[str, object]) -> bytes:
    """Return what is signed. Both were looked through: nothing but what is portable."""
    parts = (canonical_json(value, is_checked=True) for value in (options, document))
    return b"".join(hashlib.sha256(part).digest() for part in parts)


def _instant(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("the time of signing must be aware")
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def sign(
    record: Mapping[str, Any],
    *,
    issuer: str,
    key: Ed25519PrivateKey,
    verification_method: str,
    created: datetime,
    earlier: Mapping[str, Any] = MappingProxyType({}),
) -> Document:
    """Return the signed credential around a certificate record.

    ``issuer``: a DID or an address. ``verification_method``: where the public key is published.
    ``earlier``: a record that was signed before; members that are the very same are not looked
    through again.
    Raises: UnsignableError when the record holds anything but text, booleans and safe integers.
    """
    document: Document = {
        "@context": list(CONTEXTS),
        "type": list(TYPES),
        "id": record["verify_url"],
        "issuer": issuer,
        "validFrom": record["issued_at"],
        "credentialSubject": dict(record),
    }
    fresh = {name: item for name, item in record.items() if item is not earlier.get(name, _NONE)}
    if not _is_portable({**document, "credentialSubject": fresh}):
        _require_portable(document, "document")
    options: Document = {
        "type": "DataIntegrityProof",
        "cryptosuite": SUITE,
        "created": _instant(created),
        "verificationMethod": verification_method,
        "proofPurpose": "assertionMethod",
        "@context": list(CONTEXTS),
    }
    signature = key.sign(_signed_bytes(document, options))
    return {**document, "proof": {**options, "proofValue": multibase.encode(signature)}}


def record_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the certificate record inside a credential. Raises: KeyError, TypeError."""
    record = document["credentialSubject"]
    if not isinstance(record, dict):
        raise TypeError("the certificate is not an object")
    return record


def _shape(document: object) -> Check:
    """Check the parts that are read before any hashing, so that nothing below can surprise."""
    problem = ""
    if not isinstance(document, dict):
        return Check("shape", ok=False, detail="not a JSON object")
    proof = document.get("proof")
    if not isinstance(proof, dict):
        problem = "there is no proof"
    elif proof.get("type") != "DataIntegrityProof" or proof.get("cryptosuite") != SUITE:
        problem = f"the proof is not a {SUITE} one"
    elif proof.get("proofPurpose") != "assertionMethod":
        problem = "the proof has another purpose"
    elif not isinstance(proof.get("proofValue"), str):
        problem = "the proof has no value"
    else:
        try:
            record_of(document)
            _require_portable(document, "document")
        except (KeyError, TypeError) as error:
            problem = f"the certificate record is missing ({error})"
        except (ValueError, RecursionError) as error:
            problem = str(error)
    return Check("shape", not problem, problem)


def _contexts(document: Document) -> Check:
    found, proof = document.get("@context"), document["proof"].get("@context")
    ok = found == list(CONTEXTS) and proof in (None, found)
    return Check("contexts", ok, "" if ok else "other contexts than those of this kind of document")


def _envelope(document: Document) -> Check:
    record = record_of(document)
    same = (
        document.get("id") == record.get("verify_url")
        and document.get("validFrom") == record.get("issued_at")
        and document.get("type") == list(TYPES)
    )
    return Check("envelope", same, "" if same else "the wrapper and the record do not agree")


def _signature(document: Document, public_key: Ed25519PublicKey) -> Check:
    proof = dict(document["proof"])
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    try:
        signature = multibase.decode(proof.pop("proofValue"))
        if len(signature) != _SIGNATURE_BYTES:
            raise ValueError("a signature has 64 bytes")  # noqa: TRY301 - one way to refuse
        public_key.verify(signature, _signed_bytes(unsigned, proof))
    except (InvalidSignature, ValueError):
        detail = "the signature does not fit: the document was altered, or this is another key"
        return Check("signature", ok=False, detail=detail)
    return Check("signature", ok=True)


def checks(document: object, public_key: Ed25519PublicKey | None) -> list[Check]:
    """Return every check of the wrapper; without a key the signature is left out."""
    shape = _shape(document)
    if not shape.ok or not isinstance(document, dict):
        return [shape]
    found = [shape, _contexts(document), _envelope(document)]
    if public_key is not None:
        found.append(_signature(document, public_key))
    return found


def verify(document: object, public_key: Ed25519PublicKey) -> list[Check]:
    """Return what is wrong with a signed credential; an empty list means that it is genuine."""
    return failed(checks(document, public_key))
