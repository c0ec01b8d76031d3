"""The facts of programmes, projects and issuances, and whether they fit together; pure."""

from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any, NotRequired, TypedDict

from diandian.kernel.errors import N_
from diandian.registry.errors import IssuanceError
from diandian.registry.serial_formats.base import bare_number
from diandian.registry.serials import GRAMS_PER_CREDIT, SerialRange, numberings

# A lane addresses its grams below 2^40, so a batch holds less than 1,099,512 tonnes.
LARGEST_BATCH_G = 2**40 - 1
DIGEST_LENGTH = 64
_DIGEST = frozenset("0123456789abcdef")

Texts = dict[str, str]
WHY = {
    "period": N_("the monitoring period ends before it begins"),
    "vintage": N_("the vintage lies outside the monitoring period"),
    "buffer": N_("the buffer is not smaller than the issuance"),
    "large": N_("it is too large for one batch and must be split by serials"),
    "quantity": N_("the quantity is not that of the serials, both ends counted"),
    "serial_vintage": N_("the serials state another vintage"),
    "serial_period": N_("the serials state another monitoring period"),
    "serial_country": N_("the serials state another country than the project's"),
    "serial_project": N_("the serials state another project number than the project's"),
    "verified_early": N_("it was verified before the monitoring period ended"),
    "digest": N_("a digest is not 64 hexadecimal digits of SHA-256"),
    "ccp": N_("the CCP label needs a reference and its day"),
    "adjusted": N_("a completed adjustment needs a reference and its day"),
    "unneeded": N_("an adjustment that is not required was neither begun nor completed"),
    "recognised": N_("a recognition needs its reference, its day and the digest of its document"),
    "site": N_("the project has no such site"),
    "site_needed": N_("the project has sites, and it does not say whose growth it is"),
    "verified_needed": N_(
        "growth on a site serves as far as verified; the verified tonnes are missing"
    ),
    "numbering": N_("its numbering is none that is known here"),
}


class ProgrammeFacts(TypedDict):
    """What is known of an issuing programme. ``level``: national, provincial, city ..."""

    names: Texts
    level: str
    serial_parser: NotRequired[str]
    retires_whole_units: NotRequired[bool]
    registry_url: NotRequired[str]
    is_simulated: NotRequired[bool]


class ProjectFacts(TypedDict):
    """What is known of a project. Texts by language; ``region`` as in ISO 3166-2.

    ``registry_number``: its number at the issuing registry, which serials may state.
    """

    names: Texts
    category_names: Texts
    place_names: Texts
    descriptions: Texts
    supplier_names: Texts
    supplier_ref: str
    kind: str
    methodology_code: str
    country: str
    region: str
    latitude: Decimal
    longitude: Decimal
    registry_number: NotRequired[str]
    is_active: NotRequired[bool]
    is_sample: NotRequired[bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What else is on file about an issuance, and may be told later or change (``restate``).

    ``recognition_*``: by whom and where it was recognised, for claims that need it.
    ``adjustment_*``: the corresponding adjustment, words as in CAD Trust. ``ccp_*``: the label of
    the Core Carbon Principles, never without a dated reference.
    """

    credit_class: str = "other"
    recognition_evidence: str = ""
    recognised_on: date | None = None
    recognition_sha256: str = ""
    adjustment_declaration: str = "unknown"
    adjustment_status: str = "not_started"
    adjustment_reference: str = ""
    adjustment_on: date | None = None
    ccp_reference: str = ""
    ccp_on: date | None = None

    @property
    def ccp_label(self) -> bool:
        """Tell whether the label may be shown."""
        return bool(self.ccp_reference) and self.ccp_on is not None

    @property
    def is_recognised(self) -> bool:
        """Tell whether reference, day and document of a recognition are on file."""
        return bool(self.recognition_evidence and self.recognised_on and self.recognition_sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Who verified an issuance, when, by which report, and how much. Units: grams.

    ``verified_g`` None: the statement names no amount, so it is that of the serials.
    """

    verified_by: str = ""
    verified_on: date | None = None
    verification_ref: str = ""
    verified_g: int | None = None
    evidence_sha256: str = ""


class BatchFacts(TypedDict, total=False):
    """The fields of ``Verification`` and ``Standing``, as an issuance takes them."""

    verified_by: str
    verified_on: date | None
    verification_ref: str
    verified_g: int | None
    evidence_sha256: str
    credit_class: str
    recognition_evidence: str
    recognised_on: date | None
    recognition_sha256: str
    adjustment_declaration: str
    adjustment_status: str
    adjustment_reference: str
    adjustment_on: date | None
    ccp_reference: str
    ccp_on: date | None


def two_parts(facts: BatchFacts) -> tuple[Verification, Standing]:
    """Return what was verified, and how the batch stands."""
    verified = {field.name for field in fields(Verification)}
    given: dict[str, Any] = dict(facts)
    return (
        Verification(**{name: given[name] for name in given if name in verified}),
        Standing(**{name: given[name] for name in given if name not in verified}),
    )


# Which column of a file is to be corrected; the rest is about the issuance as a whole.
_FIELDS = {
    "period": "period_end",
    "vintage": "vintage_year",
    "buffer": "buffer_tonnes",
    "quantity": "quantity",
    "serial_vintage": "vintage_year",
    "serial_period": "period_start",
    "verified_early": "verified_on",
    "ccp": "ccp_reference",
    "adjusted": "adjustment_status",
    "unneeded": "adjustment_status",
    "recognised": "recognition_evidence",
}


def _refuse(key: str) -> None:
    raise IssuanceError(field=_FIELDS.get(key, "serials"), why=WHY[key])


def refuse_unfit_issuance(
    serials: SerialRange,
    *,
    vintage_year: int,
    period: tuple[date, date],
    buffer_g: int,
    quantity: int | None = None,
) -> None:
    """Refuse an issuance whose facts contradict each other. Raises: IssuanceError."""
    start, end = period
    total_g = serials.count * GRAMS_PER_CREDIT
    wrong = {
        "period": end < start,
        "vintage": not start.year <= vintage_year <= end.year,
        "buffer": not 0 <= buffer_g < total_g,
        "large": total_g > LARGEST_BATCH_G,
        "quantity": quantity is not None and quantity != serials.count,
    }
    _refuse_first(wrong)


def refuse_other_serials(
    serials: SerialRange,
    *,
    vintage_year: int,
    period: tuple[date, date],
    country: str,
    registry_number: str,
) -> None:
    """Refuse serials that state other facts than those of the issuance. Raises: IssuanceError."""
    said = serials.stated
    if said is None:
        return
    project = said.project.lstrip("0") or said.project
    wrong = {
        "serial_vintage": said.vintage_year not in {None, vintage_year},
        "serial_period": said.period not in {None, period},
        "serial_country": said.country not in {"", country},
        "serial_project": bool(project) and project != bare_number(registry_number),
    }
    _refuse_first(wrong)


def refuse_unfit_verification(facts: Verification, period_end: date) -> None:
    """Refuse a verification that cannot be. Raises: IssuanceError."""
    on = facts.verified_on
    _refuse_first({"verified_early": on is not None and on < period_end})
    if not is_digest(facts.evidence_sha256):
        raise IssuanceError(field="evidence_sha256", why=WHY["digest"])


def refuse_unfit_standing(facts: Standing) -> None:
    """Refuse labels, recognitions and adjustments without their proof. Raises: IssuanceError."""
    dated = bool(facts.adjustment_reference) and facts.adjustment_on is not None
    begun = facts.adjustment_status != "not_started"
    wrong = {
        "ccp": bool(facts.ccp_reference) != (facts.ccp_on is not None),
        "adjusted": facts.adjustment_status == "completed" and not dated,
        "unneeded": facts.adjustment_declaration == "not_required" and begun,
        "recognised": any(
            (facts.recognition_evidence, facts.recognised_on, facts.recognition_sha256)
        )
        and not facts.is_recognised,
    }
    _refuse_first(wrong)
    if not is_digest(facts.recognition_sha256):
        raise IssuanceError(field="recognition_sha256", why=WHY["digest"])


def is_digest(text: str) -> bool:
    """Tell whether a text is a SHA-256 in hexadecimal, or empty."""
    return not text or (len(text) == DIGEST_LENGTH and set(text) <= _DIGEST)


def _refuse_first(wrong: dict[str, bool]) -> None:
    for key, is_wrong in wrong.items():
        if is_wrong:
            _refuse(key)


def refuse_unknown_parser(parser_key: str) -> None:
    """Refuse a numbering that nobody can read. Raises: IssuanceError."""
    if parser_key not in numberings():
        raise IssuanceError(field="serial_parser", why=WHY["numbering"])
