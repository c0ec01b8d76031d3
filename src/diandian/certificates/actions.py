"""Writes of certificates: issue, follow what happened outside, revoke, take the name out.

A code names the newest version; a signed document is never changed, a new version stands beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from diandian.certificates import keys
from diandian.certificates.models import Certificate, CertificateState
from diandian.emissions.estimate import without_person
from diandian.registry.models import Retirement
from diandian.store.inserts import InsertMany, NewIds
from diandian.store.running import pipelined
from diandian.store.statements import Param, Update
from diandian.verifier.credential import Signer, record_of

_ISSUED = InsertMany(
    Certificate,
    "code",
    "retirement_id",
    "order_ref",
    "credential",
    "sha256",
    "promised_by",
    shared=("issued_at",),
)
_FOLLOWING = InsertMany(
    Certificate,
    "id",
    "code",
    "version",
    "retirement_id",
    "order_ref",
    "credential",
    "sha256",
    "design",
    "promised_by",
    "issued_at",
)
_SUPERSEDED = Update(
    lambda ids: Certificate.objects.filter(id__in=ids, state=CertificateState.CURRENT),
    state=CertificateState.SUPERSEDED,
    state_reason=Param("reason"),
    promised_by=None,
)
# Of those signed in one commit, how many go to the database together.
_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Issue:
    """One certificate to write: ``record`` is what it says, ``order_ref`` whose it is."""

    retirement: Retirement
    order_ref: str
    record: Mapping[str, Any]


def _signer(at: datetime) -> Signer:
    return Signer(
        issuer=keys.issuer(),
        key=keys.signing_key(),
        verification_method=keys.verification_method(),
        created=at,
    )


def issue(wanted: Sequence[Issue], *, at: datetime) -> None:
    """Sign and write certificates, in the caller's transaction.

    Raises: IntegrityError when a retirement already has a current certificate (C2).
    """
    signer, rows = _signer(at), []
    before: Mapping[str, Any] = {}
    for item in wanted:
        # What it has in common with the one before was looked through.
        signed = signer.sign(item.record, earlier=before)
        before = item.record
        rows.append(
            (
                item.record["code"],
                item.retirement.id,
                item.order_ref,
                signed.document,
                signed.sha256,
                _promised_day(item.record),
            )
        )
    _ISSUED.along(rows, issued_at=at)


def _promised_day(record: Mapping[str, Any]) -> date | None:
    return date.fromisoformat(record["retire_by"]) if record["retire_by"] else None


def supersede(
    earlier: Sequence[Certificate],
    records: Iterable[Mapping[str, Any]],
    *,
    reason: str,
    at: datetime,
) -> list[Mapping[str, Any]]:
    """Sign and write the next version of each certificate; the one before stays, superseded.

    ``records``: what each says from now on, in the order of the certificates; one is taken when it
    is its turn. Returns them.
    In the caller's transaction, which has locked the orders: nobody else writes their versions.
    Raises, at the latest with the commit: IntegrityError when a version was written already.
    """
    assert reason, "a new version says why"
    signer, written = _signer(at), []
    # The database writes some while the next are signed.
    with pipelined():
        ids = NewIds(Certificate, len(earlier)).read()
        changed = _SUPERSEDED.ask([row.id for row in earlier], reason=reason[:200])
        following = zip(ids, earlier, records, strict=True)
        while some := list(islice(following, _AT_ONCE)):
            _FOLLOWING.along([_next_row(signer, *each) for each in some])
            written += [record for _, _, record in some]
        assert changed.count() == len(earlier), "only what is current is followed, once"
    return written


def _next_row(
    signer: Signer, number: int, certificate: Certificate, record: Mapping[str, Any]
) -> tuple[object, ...]:
    assert record["version"] == certificate.version + 1, "versions are counted"
    signed = signer.sign(record, earlier=record_of(certificate.credential))
    return (
        number,
        certificate.code,
        record["version"],
        certificate.retirement_id,
        certificate.order_ref,
        signed.document,
        signed.sha256,
        certificate.design,
        _promised_day(record),
        certificate.issued_at,
    )


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

    ``certificate``: the newest version, its order locked. No signed document with the name is kept,
    also not among earlier versions: that is the point of erasing.
    """
    Certificate.objects.filter(code=certificate.code).exclude(id=certificate.id).delete()
    record = dict(record_of(certificate.credential))
    record.pop("replaces", None)
    record["beneficiary"] = {"display_name": ""}
    if record.get("estimate"):
        record["estimate"] = without_person(record["estimate"])
    record["version"] = certificate.version + 1
    signed = _signer(at).sign(record)
    Certificate.objects.filter(id=certificate.id).update(
        credential=signed.document,
        sha256=signed.sha256,
        version=certificate.version + 1,
    )
