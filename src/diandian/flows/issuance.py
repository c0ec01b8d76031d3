"""Credits from outside into the book: programme, project, batch with its evidence, price on sale.

An issuance and the outside retirements that are known with it are entered in one commit, each with
its line in the audit trail. What was entered once is not entered again.
*Source:* design of the registry, sections 3.3 and 8 (R3, R4, R9, R10).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Unpack

from django.conf import settings
from django.db import transaction

from diandian.audit import actions as audit_actions
from diandian.flows import log_entries, promises, split_terms
from diandian.kernel.canonical import digest_hex
from diandian.kernel.clock import now
from diandian.orders import actions as order_actions
from diandian.orders import offers
from diandian.orders.errors import UnknownOfferError
from diandian.orders.models import Offer
from diandian.registry import actions as registry_actions
from diandian.registry import queries as registry_queries
from diandian.registry.batches.facts import BatchFacts, ProgrammeFacts, ProjectFacts
from diandian.registry.batches.lookups import batch_by_source, has_evidence
from diandian.registry.models import CreditBatch, Programme, Project, UpstreamRetirement
from diandian.transparency import actions as log_actions


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideRetirement:
    """Whole tonnes that the issuing registry has retired for us (R10).

    ``first_tonne``, ``last_tonne``: counted from 1 within the batch, both included. ``evidence``:
    what the registry stated, strings and integers; the book keeps its digest, or that of the file.
    """

    first_tonne: int
    last_tonne: int
    reference: str
    retired_at: datetime
    evidence: Mapping[str, object] = field(default_factory=dict)
    evidence_sha256: str = ""
    registry_url: str = ""
    is_simulated: bool = False

    @property
    def digest(self) -> str:
        """Return the digest of the evidence: of its file, or of what was stated."""
        return self.evidence_sha256 or digest_hex(dict(self.evidence))


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuance:
    """What an issuing registry states about one run of serials. Units: buffer in grams.

    ``facts``: what was verified, and how the batch stands; some have a name of their own here.
    """

    serial_text: str
    vintage_year: int
    period_start: date
    period_end: date
    custody: str
    source_ref: str
    facts: BatchFacts = field(default_factory=BatchFacts)
    verified_by: str = ""
    verified_on: date | None = None
    recognition_evidence: str = ""
    site_code: str = ""
    quantity: int | None = None
    buffer_g: int = 0
    is_ex_ante: bool = False
    is_sample: bool = False
    issued_at: datetime | None = None
    retired: Sequence[OutsideRetirement] = ()

    def all_facts(self) -> BatchFacts:
        """Return what was verified and how the batch stands."""
        own = BatchFacts()
        if self.verified_by:
            own["verified_by"] = self.verified_by
        if self.verified_on:
            own["verified_on"] = self.verified_on
        if self.recognition_evidence:
            own["recognition_evidence"] = self.recognition_evidence
        return own | self.facts


@transaction.atomic
def open_programme(*, code: str, actor_ref: str, **facts: Unpack[ProgrammeFacts]) -> Programme:
    """Enter an issuing programme. Idempotent by: ``code``."""
    programme = registry_actions.create_programme(code=code, **facts)
    _record(actor_ref, "programme.entered", f"programme:{code}")
    return programme


@transaction.atomic
def open_project(
    *, programme: Programme, code: str, actor_ref: str, **facts: Unpack[ProjectFacts]
) -> Project:
    """Enter a project of a programme. Idempotent by: ``code``."""
    project = registry_actions.create_project(programme=programme, code=code, **facts)
    _record(actor_ref, "project.entered", f"project:{code}")
    return project


@dataclass(frozen=True, slots=True)
class Written:
    """An issuance in the book, not told yet. ``is_new``: False for one on record already."""

    batch: CreditBatch
    is_new: bool
    outside: Sequence["WrittenOutside"]


@dataclass(frozen=True, slots=True)
class WrittenOutside:
    """An outside retirement in the book, not told yet."""

    batch: CreditBatch
    row: UpstreamRetirement
    told: Mapping[str, object]
    is_new: bool


@transaction.atomic
def issue_batch(*, project_code: str, issuance: Issuance, actor_ref: str) -> CreditBatch:
    """Enter an issuance and its outside retirements; unverified and ex-ante ones never sell.

    Idempotent by: ``source_ref`` of the issuance. Raises: as ``write_batch``.
    """
    written = write_batch(project_code=project_code, issuance=issuance)
    tell_batch(written, actor_ref=actor_ref)
    return written.batch


def write_batch(*, project_code: str, issuance: Issuance) -> Written:
    """Write an issuance into the registry alone; the caller tells trail and log in one commit.

    Apart from ``tell_batch``, because those two are what everybody waits for.
    Raises: NotFoundError, SerialFormatError, SerialOverlapError, IssuanceError,
    IssuedDifferentlyError, GrowthClaimedError, NotVerifiedSoMuchError, EvidenceError.
    """
    is_known = batch_by_source(issuance.source_ref) is not None
    batch = registry_actions.issue(
        project=registry_queries.project_by_code(project_code),
        serial_text=issuance.serial_text,
        vintage_year=issuance.vintage_year,
        period_start=issuance.period_start,
        period_end=issuance.period_end,
        custody=issuance.custody,
        source_ref=issuance.source_ref,
        site_code=issuance.site_code,
        quantity=issuance.quantity,
        buffer_g=issuance.buffer_g,
        is_ex_ante=issuance.is_ex_ante,
        is_sample=issuance.is_sample,
        at=issuance.issued_at,
        **issuance.all_facts(),
    )
    outside = [_write_outside(batch, each) for each in issuance.retired]
    return Written(batch, not is_known, outside)


def tell_batch(written: Written, *, actor_ref: str) -> None:
    """Tell the trail and the public log of what was written. Idempotent by: the batch.

    Locks: the trail, the head of the log.
    """
    batch = written.batch
    if written.is_new:
        _record(actor_ref, "batch.issued", f"batch:{batch.public_id}")
    entry = log_entries.issued(batch, registry_queries.lanes_of(batch))
    log_actions.append_new([entry], at=batch.issued_at)
    for outside in written.outside:
        _tell_outside(outside, actor_ref)


@transaction.atomic
def record_outside(batch: CreditBatch, outside: OutsideRetirement, *, actor_ref: str) -> None:
    """Enter tonnes of a batch that the issuing registry has retired.

    Certificates that wait for these tonnes follow in commits of their own, by the worker.
    Idempotent by: batch, tonnes and reference. Raises: EvidenceError.
    """
    _tell_outside(_write_outside(batch, outside), actor_ref)


def _write_outside(batch: CreditBatch, outside: OutsideRetirement) -> WrittenOutside:
    first = batch.serial_block.first
    # Of two who enter the same at once the second knows that it is there.
    registry_actions.lock_batch(batch)
    is_known = has_evidence(batch, first + outside.first_tonne - 1, outside.reference)
    row = registry_actions.record_upstream(
        batch=batch,
        first_serial=first + outside.first_tonne - 1,
        last_serial=first + outside.last_tonne - 1,
        reference=outside.reference,
        retired_at=outside.retired_at,
        evidence_sha256=outside.digest,
        registry_url=outside.registry_url,
        is_simulated=outside.is_simulated,
    )
    told = {
        "first": outside.first_tonne,
        "last": outside.last_tonne,
        "reference": outside.reference,
    }
    return WrittenOutside(batch, row, told, not is_known)


def _tell_outside(written: WrittenOutside, actor_ref: str) -> None:
    batch = written.batch
    if written.is_new:
        _record(actor_ref, "batch.retired_outside", f"batch:{batch.public_id}", written.told)
    promises.ask_to_follow(f"upstream:{written.row.id}")
    log_actions.append_new([log_entries.retired_outside(batch, written.row)], at=now())


@transaction.atomic
def put_on_sale(
    *,
    project_code: str,
    price_per_tonne_minor: int,
    position: int,
    actor_ref: str,
    currency: str = "CNY",
    at: datetime | None = None,
) -> Offer:
    """Offer a project at a price per tonne; our fee is that of the settings, frozen in the offer.

    Idempotent by: the terms; the same ones again return the offer that stands.
    Raises: FeeOverCapError.
    """
    project = registry_queries.project_by_code(project_code)
    terms = {
        "price_per_tonne_minor": price_per_tonne_minor,
        "fee_basis_points": settings.FEE_BASIS_POINTS,
        "fee_minimum_minor": settings.FEE_MINIMUM_MINOR,
        "position": position,
    }
    split_terms.refuse_over_cap(project.supplier_ref, settings.FEE_BASIS_POINTS)
    standing = _standing_offer(project_code, currency)
    if standing and all(getattr(standing, name) == value for name, value in terms.items()):
        return standing
    offer = order_actions.set_offer(project=project, currency=currency, at=at or now(), **terms)
    _record(actor_ref, "offer.set", f"project:{project_code}", {**terms, "currency": currency})
    return offer


def _standing_offer(project_code: str, currency: str) -> Offer | None:
    try:
        return offers.of_project(project_code, currency)
    except UnknownOfferError:
        return None


def _record(
    actor_ref: str, action: str, subject_ref: str, details: Mapping[str, object] | None = None
) -> None:
    audit_actions.record(
        actor_ref=actor_ref, action=action, subject_ref=subject_ref, details=details
    )
