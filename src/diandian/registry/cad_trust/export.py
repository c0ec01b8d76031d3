"""Our projects, issuances and units as records of the CAD Trust data model, version 1.

Labels, estimations, ratings and co-benefits are left out: we have no data of that kind. Batches
that nobody verified are left out, since an issuance there has a verification.
*Source:* see ``picklists``.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from diandian.registry.cad_trust import picklists
from diandian.registry.cad_trust.blocks import Block, Grams, blocks
from diandian.registry.models import (
    GRAMS_PER_CREDIT,
    Allocation,
    AllocationKind,
    BatchState,
    CreditBatch,
    Custody,
    Lane,
    LaneKind,
    Project,
    Recall,
    UpstreamRetirement,
)
from diandian.registry.models.batches import AdjustmentDeclaration
from diandian.registry.recalls.queries import PUBLIC, Totals, totals_of
from diandian.registry.serials import format_serial

Record = dict[str, Any]
# What a recall is, and what became of the certified grams that it met.
_Remedied = tuple[str, str]
_SAMPLE = "sample data"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds the units, and where our pages stand."""

    name: str
    base_url: str


@dataclass(frozen=True, slots=True)
class Export:
    """The records of every table that we have data for."""

    projects: list[Record]
    locations: list[Record]
    issuances: list[Record]
    units: list[Record]


def export(owner: Owner) -> Export:
    """Return every project and verified batch, oldest first."""
    batches = list(
        CreditBatch.objects.filter(is_ex_ante=False, verified_on__isnull=False)
        .exclude(verified_by="")
        .select_related("project__programme", "serial_block")
        .order_by("id")
    )
    first_day: dict[int, str] = {}
    for batch in batches:
        first_day.setdefault(batch.project_id, batch.issued_at.date().isoformat())
    rows = Project.objects.select_related("programme").order_by("id")
    listed = [row for row in rows if row.id in first_day]
    facts = _facts(batches)
    return Export(
        projects=[_project(row, owner, first_day[row.id]) for row in listed],
        locations=[_location(row, owner) for row in listed],
        issuances=[_issuance(batch, owner) for batch in batches],
        units=[
            _unit(batch, block, facts, owner)
            for batch in batches
            for block in blocks(facts.grams(batch))
        ],
    )


# Tables ------------------------------------------------------------------------------------------


def _id(owner: Owner, kind: str, key: object) -> str:
    """Return an id that stays the same as long as our address does."""
    return str(uuid5(NAMESPACE_URL, f"{owner.base_url}/cad-trust/{kind}/{key}"))


def _page(owner: Owner, project: Project) -> str:
    return f"{owner.base_url}/projects/{project.code}"


def _project(row: Project, owner: Owner, since: str) -> Record:
    return {
        "warehouseProjectId": _id(owner, "project", row.code),
        "currentRegistry": row.programme.code,
        "projectId": row.code,
        "originProjectId": row.registry_number or row.code,
        "registryOfOrigin": _english(row.programme.names),
        "program": row.programme.code,
        "projectName": _english(row.names),
        "projectLink": _page(owner, row),
        "projectDeveloper": _english(row.supplier_names),
        "sector": picklists.SECTORS.get(row.kind, picklists.NOT_SPECIFIED),
        "projectType": picklists.PROJECT_TYPES.get(row.kind, picklists.NOT_SPECIFIED),
        "projectTags": _SAMPLE if row.is_sample else "",
        "coveredByNDC": "Unknown",
        "ndcInformation": None,
        "projectStatus": "Registered" if row.is_active else "Inactive",
        "projectStatusDate": since,
        "unitMetric": "tCO2e",
        "methodology": row.methodology_code,
        "methodology2": None,
        "validationBody": None,
        "validationDate": None,
        "description": _english(row.descriptions),
    }


def _location(row: Project, owner: Owner) -> Record:
    return {
        "id": _id(owner, "location", row.code),
        "warehouseProjectId": _id(owner, "project", row.code),
        "country": _country(row.country),
        "inCountryRegion": row.region,
        "geographicIdentifier": f"{row.latitude},{row.longitude}",
    }


def _issuance(batch: CreditBatch, owner: Owner) -> Record:
    assert batch.verified_on is not None, "only verified batches are exported"
    return {
        "id": _id(owner, "issuance", batch.public_id),
        "warehouseProjectId": _id(owner, "project", batch.project.code),
        "startDate": batch.period_start.isoformat(),
        "endDate": batch.period_end.isoformat(),
        "verificationApproach": "Third-party verification",
        "verificationDate": batch.verified_on.isoformat(),
        "verificationBody": batch.verified_by,
    }


def _unit(batch: CreditBatch, block: Block, facts: "_Facts", owner: Owner) -> Record:
    serials, project = batch.serial_block, batch.project
    first = serials.first + block.first
    last = first + block.count - 1
    proofs = facts.proofs[batch.id]
    mine = [row for row in proofs if row.first_serial <= last and first <= row.last_serial]
    links = [row.registry_url for row in mine] + [project.programme.registry_url]
    return {
        "warehouseUnitId": _id(owner, "unit", f"{batch.public_id}/{first}-{last}"),
        "issuanceId": _id(owner, "issuance", batch.public_id),
        "projectLocationId": _id(owner, "location", project.code),
        "unitOwner": owner.name,
        "countryJurisdictionOfOwner": picklists.NOT_SPECIFIED,
        "inCountryJurisdictionOfOwner": None,
        "unitBlockStart": format_serial(serials, first),
        "unitBlockEnd": format_serial(serials, last),
        "unitCount": block.count,
        "vintageYear": batch.vintage_year,
        "unitType": picklists.UNIT_TYPES.get(project.kind, "Not Determined"),
        "marketplace": None,
        "marketplaceLink": None,
        "marketplaceIdentifier": None,
        "unitTags": _tags(batch, block, facts.remedies, owner),
        "unitStatus": block.status,
        "unitStatusReason": _reason(block, mine),
        "unitRegistryLink": next((link for link in links if link), _page(owner, project)),
        "correspondingAdjustmentDeclaration": picklists.DECLARATIONS[batch.adjustment_declaration],
        "correspondingAdjustmentStatus": _adjusted(batch),
    }


def _adjusted(batch: CreditBatch) -> str:
    """Return how far a corresponding adjustment is, where somebody committed to one."""
    if batch.adjustment_declaration != AdjustmentDeclaration.COMMITTED:
        return "Not Applicable"
    return picklists.STATUSES[batch.adjustment_status]


def _tags(batch: CreditBatch, block: Block, remedies: Mapping[str, _Remedied], owner: Owner) -> str:
    whole_g = block.count * GRAMS_PER_CREDIT
    parts = [block.note, _SAMPLE if batch.is_sample else ""]
    for number, recalled_g in block.recalled:
        what, remedy = remedies[number]
        parts.append(f"recalled as {number} ({what}): {recalled_g} g of {whole_g} g")
        parts.append(f"{remedy}: {owner.base_url}/recalls/{number}")
    if batch.state == BatchState.FROZEN:
        parts.append("paused here")
    elif batch.state == BatchState.RECALLED:
        parts.append("its batch is recalled in whole or part, and never sold again here")
    return "; ".join(part for part in parts if part)


def _reason(block: Block, proofs: list[UpstreamRetirement]) -> str | None:
    """Return why, which the data model asks for of what is retired or cancelled."""
    if block.status == "Cancelled":
        return "cancelled without a claim"
    if block.status != "Retired":
        return None
    references = "; ".join(sorted({row.reference for row in proofs}))
    return f"retired at the issuing registry: {references}" if references else "retired here"


def _english(names: dict[str, str]) -> str:
    return (names.get("en") or next(iter(names.values()), "")).replace("|", "")


def _country(code: str) -> str:
    return picklists.COUNTRIES.get(code, picklists.NOT_SPECIFIED)


# Grams -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Facts:
    """Lanes, cancelled ranges, outside retirements and recalls of batches, by batch.

    ``remedies``: by the number of the recall.
    """

    lanes: dict[int, list[Lane]]
    cancelled: dict[int, list[tuple[int, int]]]
    proofs: dict[int, list[UpstreamRetirement]]
    recalls: dict[int, dict[str, tuple[int, int]]]
    remedies: dict[str, _Remedied]

    def grams(self, batch: CreditBatch) -> Grams:
        lanes, first = self.lanes[batch.id], batch.serial_block.first
        buffers = [lane for lane in lanes if lane.kind == LaneKind.BUFFER]
        return Grams(
            total_g=batch.total_g,
            used=[(lane.lo, lane.cursor) for lane in lanes],
            # What is used of a buffer was cancelled to make up for a loss.
            cancelled=[
                *self.cancelled[batch.id],
                *((lane.lo, lane.cursor) for lane in buffers),
            ],
            buffer=[(lane.cursor, lane.hi) for lane in buffers],
            outside=[
                (
                    (row.first_serial - first) * GRAMS_PER_CREDIT,
                    (row.last_serial - first + 1) * GRAMS_PER_CREDIT,
                )
                for row in self.proofs[batch.id]
            ],
            is_native=batch.custody == Custody.NATIVE,
            recalled=self.recalls[batch.id],
        )


def _facts(batches: Iterable[CreditBatch]) -> _Facts:
    found = _Facts(
        lanes=defaultdict(list),
        cancelled=defaultdict(list),
        proofs=defaultdict(list),
        recalls=defaultdict(dict),
        remedies={},
    )
    ids = [batch.id for batch in batches]
    for lane in Lane.objects.filter(batch_id__in=ids).order_by("lo"):
        found.lanes[lane.batch_id].append(lane)
    uses = Allocation.objects.filter(kind=AllocationKind.CANCEL, lane__batch_id__in=ids)
    for batch_id, start_g, end_g in uses.values_list("lane__batch_id", "start_g", "end_g"):
        found.cancelled[batch_id].append((start_g, end_g))
    for row in UpstreamRetirement.objects.filter(batch_id__in=ids).order_by("first_serial"):
        found.proofs[row.batch_id].append(row)
    for recall in Recall.objects.filter(batch_id__in=ids, state__in=PUBLIC).order_by("id"):
        found.recalls[recall.batch_id][recall.public_id] = (recall.start_g, recall.end_g)
        found.remedies[recall.public_id] = (
            f"{recall.kind}, {recall.reason}",
            _remedy(totals_of(recall)),
        )
    return found


def _remedy(totals: Totals) -> str:
    """Return what became of a recall as a whole: remedies are for retirements, not for units."""
    return (
        f"of {totals.affected_g} g certified under it: replaced {totals.replaced_g} g, from the"
        f" buffer {totals.buffer_g} g, short {totals.short_g} g, not answered yet"
        f" {totals.waiting_g} g"
    )
