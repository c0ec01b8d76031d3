"""One retirement at an address that stays: its grams by serial, and the evidence for each.

Nobody's name is here; what stands for it is the commitment, which its holder alone can open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext

from diandian.kernel.errors import N_, NotFoundError
from diandian.registry import queries
from diandian.registry.queries import RetiredRange
from diandian.registry.recalls import marks
from diandian.transparency import queries as log_queries
from diandian.web.errors import not_found
from diandian.web.register_filters import HOLDERS, scenes_of

PURPOSES = {
    "trip": N_("Trip"),
    "lump_sum": N_("Amount without a trip"),
    "life": N_("Year of life"),
    "completion": N_("Rest of a tonne, bought by the platform"),
    "remedy": N_("In place of recalled tonnes"),
}
_MARK = "R-"


def number_of(public_id: str) -> str:
    """Return a retirement's number as people read it."""
    return _MARK + public_id


def path_of(public_id: str) -> str:
    """Return a retirement's address."""
    return reverse("retirement", args=[number_of(public_id)])


def logged(rows: Sequence[Any]) -> dict[str, tuple[str, int]]:
    """Return where the public log speaks of retirements, by their public ids: origin and number."""
    refs = {f"retire:{row.public_id}": row.public_id for row in rows}
    return {refs[ref]: place for ref, place in log_queries.places_of(list(refs)).items()}


@dataclass(frozen=True, slots=True)
class Piece:
    """A range with the outside retirements that it lies in. ``is_native``: issued here."""

    range: RetiredRange
    proofs: Sequence[Any]
    is_native: bool


def _found(number: str) -> Any:  # noqa: ANN401 - a row of the registry
    """Return a retirement by its number, however it was typed. Raises: NotFoundError."""
    public_id = number.strip().removeprefix(_MARK.lower()).removeprefix(_MARK).lower()
    if not (public_id.isascii() and public_id.isalnum()):
        raise NotFoundError
    return queries.retirement_by_public_id(public_id)


def page(request: HttpRequest, number: str) -> HttpResponse:
    """Show one retirement; a number that does not exist is answered kindly."""
    try:
        row = _found(number)
    except NotFoundError:
        return not_found(request)
    ranges = queries.ranges_of(row)
    proofs = queries.evidence_of(ranges)
    shown = {
        "row": row,
        "number": number_of(row.public_id),
        "pieces": [
            Piece(piece, proofs[piece], piece.batch_row.custody == "native") for piece in ranges
        ],
        "upstream": queries.upstream_state(ranges),
        "scene": scenes_of([row.context_ref]).get(row.context_ref),
        "holder": gettext(HOLDERS.get(row.holder_kind, row.holder_kind)),
        "purpose": gettext(PURPOSES.get(row.purpose, row.purpose)),
        "log": logged([row]).get(row.public_id),
        "replaces": number_of(row.replaces.public_id) if row.replaces else "",
        "replaced_by": [number_of(public_id) for public_id in queries.replacements_of(row)],
        "mark": marks.marks_of([row])[row.id],
        "recalls": marks.recalls_of(row),
        "link": settings.BASE_URL + path_of(row.public_id),
    }
    return render(request, "web/register/retirement.html", shown)


def as_json(request: HttpRequest, number: str) -> HttpResponse:
    """Send one retirement as the register's file has it, with the evidence of its ranges."""
    try:
        row = _found(number)
    except NotFoundError:
        return not_found(request)
    ranges = queries.ranges_of(row)
    proofs = queries.evidence_of(ranges)
    record = queries.public_record(row)
    origin, index = logged([row]).get(row.public_id, ("", None))
    record["log"] = {"origin": origin, "index": index} if index is not None else None
    record |= marks.marks_of([row])[row.id].public()
    record["replaced_by"] = queries.replacements_of(row)
    record["recalls"] = marks.recalls_of(row)
    record["ranges"] = [
        {
            **queries.public_range(piece),
            "evidence": [
                {
                    "reference": proof.reference,
                    "registry_url": proof.registry_url,
                    "retired_at": proof.retired_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "evidence_sha256": proof.evidence_sha256,
                    "simulated": proof.is_simulated,
                }
                for proof in proofs[piece]
            ],
        }
        for piece in ranges
    ]
    return JsonResponse(record, json_dumps_params={"ensure_ascii": False})
