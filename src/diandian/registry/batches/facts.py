"""The facts of programmes, projects and issuances, and whether they fit together; pure."""

from datetime import date
from decimal import Decimal
from typing import NotRequired, TypedDict

from diandian.registry.errors import IssuanceError
from diandian.registry.serials import GRAMS_PER_CREDIT, PARSERS, SerialRange

# A lane addresses its grams below 2^40, so a batch holds less than 1,099,512 tonnes.
LARGEST_BATCH_G = 2**40 - 1

Texts = dict[str, str]


class ProgrammeFacts(TypedDict):
    """What is known of an issuing programme. ``level``: national, provincial, city ..."""

    names: Texts
    level: str
    serial_parser: NotRequired[str]
    retires_whole_units: NotRequired[bool]
    registry_url: NotRequired[str]
    is_simulated: NotRequired[bool]


class ProjectFacts(TypedDict):
    """What is known of a project. Texts by language; ``region`` as in ISO 3166-2."""

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
    is_active: NotRequired[bool]
    is_sample: NotRequired[bool]


def refuse_unfit_issuance(
    serials: SerialRange, *, vintage_year: int, period: tuple[date, date], buffer_g: int
) -> None:
    """Refuse an issuance whose facts contradict each other. Raises: IssuanceError."""
    start, end = period
    total_g = serials.count * GRAMS_PER_CREDIT
    reason = ""
    if end < start:
        reason = "the monitoring period ends before it begins"
    elif not start.year <= vintage_year <= end.year:
        reason = "the vintage lies outside the monitoring period"
    elif not 0 <= buffer_g < total_g:
        reason = "the buffer is not smaller than the issuance"
    elif total_g > LARGEST_BATCH_G:
        reason = "it is too large for one batch and must be split by serials"
    if reason:
        raise IssuanceError(field="issuance", reason=reason)


def refuse_unknown_parser(parser_key: str) -> None:
    """Refuse a numbering that nobody can read. Raises: IssuanceError."""
    if parser_key not in PARSERS:
        known = ", ".join(sorted(PARSERS))
        raise IssuanceError(field="serial_parser", reason=f"its numbering is not one of {known}")
