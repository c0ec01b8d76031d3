"""Answers anyone who checks a code: is it real, and does its signature hold."""

from dataclasses import dataclass, field
from typing import Any, Literal

from diandian.certificates import keys
from diandian.certificates.models import Certificate, CertificateState
from diandian.certificates.queries import by_code, record_of, version_of
from diandian.kernel.tokens import is_well_formed, normalise_code
from diandian.verifier import credential as credential_check
from diandian.verifier.certificate import check as failures_of_record

Answer = Literal["valid", "pending", "revoked", "replaced", "not_found", "malformed", "broken"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer and what it rests on. ``failures`` names each check that did not hold."""

    answer: Answer
    code: str
    certificate: Certificate | None = None
    record: dict[str, Any] = field(default_factory=dict)
    failures: tuple[str, ...] = ()


def verify_code(text: str, version: int | None = None) -> Verdict:
    """Check a typed or scanned code against the register and the signature.

    ``version``: an earlier one; without it the newest answers. ``malformed``: the check character
    does not fit, most likely a slip. ``broken``: the stored document does not verify, which must
    never happen and is said openly. ``replaced`` without a certificate: that version existed and is
    no longer kept, since a name in it was erased.
    """
    code = normalise_code(text[:200])
    if not is_well_formed(code):
        return Verdict("malformed", code[:20])
    newest = by_code(code)
    if newest is None or (version is not None and not 0 < version <= newest.version):
        return Verdict("not_found", code)
    found = newest if version in {None, newest.version} else version_of(code, version or 0)
    if found is None:
        return Verdict("replaced", code)
    record = record_of(found)
    failures = tuple(
        check.key
        for check in (
            *credential_check.verify(found.credential, keys.public_key()),
            *failures_of_record(record),
        )
    )
    if failures:
        return Verdict("broken", code, found, record, failures)
    if found.state != CertificateState.CURRENT:
        ended: Answer = "revoked" if found.state == CertificateState.REVOKED else "replaced"
        return Verdict(ended, code, found, record)
    return Verdict("valid" if record["state"] == "retired" else "pending", code, found, record)
