"""Writes of certificates: issue the signed record; revoke it; take the name out of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from diandian.certificates import keys
from diandian.certificates.models import Certificate, CertificateState
from diandian.emissions.estimate import without_person
from diandian.kernel.canonical import digest_hex
from diandian.registry.models import Retirement
from diandian.verifier.credential import record_of, sign


@dataclass(frozen=True, slots=True)
class Issue:
    """One certificate to write: ``record`` is what it says, ``order_ref`` whose it is."""

    retirement: Retirement
    order_ref: str
    record: Mapping[str, Any]


def _signed(record: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    return sign(
        record,
        issuer=keys.issuer(),
        key=keys.signing_key(),
        verification_method=keys.verification_method(),
        created=at,
    )


def issue(wanted: Sequence[Issue], *, at: datetime) -> list[Certificate]:
    """Sign and write certificates, in the caller's transaction.

    Raises: IntegrityError when a retirement already has a current certificate (C2).
    """
    rows = []
    for item in wanted:
        credential = _signed(item.record, at)
        rows.append(
            Certificate(
                code=item.record["code"],
                retirement=item.retirement,
                order_ref=item.order_ref,
                credential=credential,
                sha256=digest_hex(credential),
                issued_at=at,
            )
        )
    return Certificate.objects.bulk_create(rows)


def revoke(certificate: Certificate, *, reason: str) -> bool:
    """Mark a certificate void; what was retired stays retired. Idempotent by the certificate."""
    assert reason, "a revocation says why"
    return bool(
        Certificate.objects.filter(id=certificate.id, state=CertificateState.CURRENT).update(
            state=CertificateState.REVOKED, state_reason=reason[:200]
        )
    )


def take_name_out(certificate: Certificate, *, at: datetime) -> None:
    """Sign the record anew without the person's name and inputs; the grams and the code stay.

    The signed document with the name is not kept: that is the point of erasing.
    """
    record = dict(record_of(certificate.credential))
    record["beneficiary"] = {"display_name": ""}
    if record.get("estimate"):
        record["estimate"] = without_person(record["estimate"])
    record["version"] = certificate.version + 1
    credential = _signed(record, at)
    Certificate.objects.filter(id=certificate.id).update(
        credential=credential, sha256=digest_hex(credential), version=certificate.version + 1
    )
