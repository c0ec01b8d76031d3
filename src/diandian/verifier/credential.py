"""Wraps a certificate record as a W3C Verifiable Credential and checks one, offline.

*Source:* VC Data Model 2.0; Data Integrity EdDSA Cryptosuites v1.0, ``eddsa-jcs-2022``: Ed25519
over SHA-256(JCS(proof options)) and SHA-256(JCS(document)). Contexts are addresses only, since
other verifiers compare them by identity and refuse inline objects.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


_PLAIN = frozenset({str, bool, type(None)})


def _is_ascii(names: Iterable[Any]) -> bool:
    try:
        return "".join(names).isascii()
    except TypeError:  # a key that is no text
        return False


def _is_portable(value: object) -> bool:
    """Tell quickly what ``_require_portable`` would find; it says where, this does not."""
    waiting: list[Any] = [[value]]
    while waiting:
        holder = waiting.pop()
        if type(holder) is dict:
            if not _is_ascii(holder):
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


def _digests(options: bytes, document: bytes) -> bytes:
    """Return what is signed, from the canonical JSON of both."""
    return hashlib.sha256(options).digest() + hashlib.sha256(document).digest()


def _instant(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("the time of signing must be aware")
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed credential, and the SHA-256 of its canonical JSON in lower-case hexadecimal."""

    document: Document
    sha256: str


class Signer:
    """Signs records with one key at one instant; what they share is written out once.

    ``issuer``: a DID or an address. ``verification_method``: where the public key is published.
    Raises: ValueError for a local time, UnsignableError.
    """

    def __init__(
        self, *, issuer: str, key: Ed25519PrivateKey, verification_method: str, created: datetime
    ) -> None:
        self._issuer, self._key = issuer, key
        self._options: Document = {
            "type": "DataIntegrityProof",
            "cryptosuite": SUITE,
            "created": _instant(created),
            "verificationMethod": verification_method,
            "proofPurpose": "assertionMethod",
            "@context": list(CONTEXTS),
        }
        _require_portable({"issuer": issuer, "proof": self._options}, "document")
        self._proof = canonical_json(self._options, is_checked=True)
        # The signature stands among the options, again in the order of their names.
        head, tail = self._proof.split(b',"type":')
        self._sealed = b'%s,"proofValue":"%%s","type":%s' % (
            head.replace(b"%", b"%%"),
            tail.replace(b"%", b"%%"),
        )
        contexts, types = canonical_json(CONTEXTS), canonical_json(TYPES)
        # A document in the order of its names, around what differs.
        self._before = b'{"@context":%s,"credentialSubject":' % contexts
        self._between = b',"issuer":%s' % canonical_json(issuer)
        self._after = b',"type":%s,"validFrom":' % types

    def sign(
        self, record: Mapping[str, Any], *, earlier: Mapping[str, Any] = MappingProxyType({})
    ) -> Signed:
        """Return the signed credential around a certificate record.

        ``earlier``: a record that was signed before; members that are the very same are not looked
        through again.
        Raises: UnsignableError when the record holds anything but text, booleans and safe integers.
        """
        subject = dict(record)
        before = map(earlier.get, subject)
        fresh = [
            item for item, old in zip(subject.values(), before, strict=True) if item is not old
        ]
        if not _is_ascii(subject) or not _is_portable(fresh):
            _require_portable(subject, "document.credentialSubject")
        where, since = record["verify_url"], record["issued_at"]
        subject_bytes = canonical_json(subject, is_checked=True)
        where_bytes = canonical_json(where, is_checked=True)
        first = b"".join((self._before, subject_bytes, b',"id":', where_bytes, self._between))
        last = b"%s%s}" % (self._after, canonical_json(since, is_checked=True))
        signature = self._key.sign(_digests(self._proof, first + last))
        value = multibase.encode(signature)
        proof = {**self._options, "proofValue": value}
        document: Document = {
            "@context": list(CONTEXTS),
            "type": list(TYPES),
            "id": where,
            "issuer": self._issuer,
            "validFrom": since,
            "credentialSubject": subject,
            "proof": proof,
        }
        whole = b'%s,"proof":%s%s' % (first, self._sealed % value.encode(), last)
        return Signed(document, hashlib.sha256(whole).hexdigest())


def sign(
    record: Mapping[str, Any],
    *,
    issuer: str,
    key: Ed25519PrivateKey,
    verification_method: str,
    created: datetime,
    earlier: Mapping[str, Any] = MappingProxyType({}),
) -> Document:
    """Return the signed credential around one record: ``Signer`` for one."""
    signer = Signer(
        issuer=issuer, key=key, verification_method=verification_method, created=created
    )
    return signer.sign(record, earlier=earlier).document


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
        # Both were looked through: nothing but what is portable.
        parts = (canonical_json(part, is_checked=True) for part in (proof, unsigned))
        public_key.verify(signature, _digests(*parts))
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
