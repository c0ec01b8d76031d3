"""Answers anyone who checks a code: is it real, and does its signature hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from diandian.certificates import keys
from diandian.certificates.models import Certificate, CertificateState
from diandian.certificates.queries import by_code, record_of, version_of
from diandian.kernel.memory import ttl_cache
from diandian.kernel.tokens import is_well_formed, normalise_code
from diandian.registry.models import Recall
from diandian.registry.recalls.queries import running_recalls, touches
from diandian.verifier import credential as credential_check
from diandian.verifier.certificate import check as failures_of_record

Answer = Literal[
    "valid",
    "pending",
    "recalled",
    "remedied",
    "short",
    "revoked",
    "replaced",
    "not_found",
    "malformed",
    "broken",
]


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
    no longer kept, since a name in it was erased. ``recalled``: a recall is being worked off and
    has not come to it yet.
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
    return Verdict(_standing(record), code, found, record)


def _standing(record: Mapping[str, Any]) -> Answer:
    """Return what is said of a current certificate whose document holds."""
    if waits_for_remedy(record):
        return "recalled"
    if record["state"] in {"remedied", "short"}:
        return "short" if record["state"] == "short" else "remedied"
    return "valid" if record["state"] == "retired" else "pending"


def waits_for_remedy(record: Mapping[str, Any]) -> bool:
    """Tell whether a recall that is at work meets a record which does not know of it yet."""
    at_work = _at_work()
    if not at_work:
        return False
    known = {each["recall"] for each in record.get("recalls", [])}
    parts = list(record["ranges"])
    for each in record.get("recalls", []):
        parts += [part for new in each["replacements"] for part in new["ranges"]]
    return any(
        recall.public_id not in known
        and any(touches(recall, part["batch"], part["start_g"], part["end_g"]) for part in parts)
        for recall in at_work
    )


@ttl_cache(1)
def _at_work() -> list[Recall]:
    """Return the recalls at work; nearly always none, and asked for with every certificate."""
    return running_recalls()
