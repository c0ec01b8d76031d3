"""Reads stock, ranges and the public register; nobody's name leaves this room from here."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Unpack

from django.db.models import BigIntegerField, Count, F, Max, Min, Q, QuerySet, Sum

from diandian.kernel.clock import business_day
from diandian.kernel.errors import NotFoundError
from diandian.registry import rules
from diandian.registry.models import (
    Allocation,
    BatchState,
    CreditBatch,
    Custody,
    Holding,
    HoldState,
    Lane,
    LaneKind,
    Project,
    Retirement,
    UpstreamRetirement,
)
from diandian.registry.serials import format_serial, gram_to_serial
from diandian.registry.stock import BatchStock, Stock, lanes_with_cancelled, stock_of
from diandian.registry.wanted import Wanted, narrowed
from diandian.store.statements import Param, Select, SelectMany

LIVE_HOLDS = (HoldState.ACTIVE, HoldState.COMMITTED)
_FREE = F("hi") - F("cursor") - F("held_g")

_HOLDS = Select(lambda: Holding.objects.filter(owner_ref=Param("owner_ref")).order_by("id"))
_RANGES: SelectMany[Any] = SelectMany(
    lambda ids: (
        Allocation.objects.filter(retirement__id__in=ids)
        .order_by("retirement_id", "id")
        .values_list("retirement_id", "lane_id", "start_g", "end_g")
    )
)
_LANES = SelectMany(
    lambda ids: Lane.objects.filter(id__in=ids).select_related("batch__serial_block")
)
_EVIDENCE = SelectMany(
    lambda ids: UpstreamRetirement.objects.filter(batch__id__in=ids).order_by("first_serial")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredRange:
    """The exact grams of one batch that a retirement used.

    Units: grams from the start of the batch, ``end_g`` excluded. The offsets are grams inside the
    first and the last serial, so 0 .. 999,999 and 1 .. 1,000,000.
    """

    batch: str
    batch_row: CreditBatch
    start_g: int
    end_g: int
    mass_g: int
    first_number: int
    last_number: int
    serial_first: str
    serial_last: str
    offset_first_g: int
    offset_last_g: int
    vintage_year: int


@dataclass(frozen=True, slots=True)
class UpstreamState:
    """Whether every tonne touched is retired at its origin: "retired", else "held" (R10).

    A native batch originates here; its grams are retired by our own record, without a reference.
    """

    state: str
    reference: str = ""
    registry_url: str = ""
    retired_at: datetime | None = None
    evidence_sha256: str = ""
    is_simulated: bool = False


# --- catalogue ----------------------------------------------------------------------------------


def projects(*, active_only: bool = True) -> list[Project]:
    """Return the projects with their programmes."""
    rows = Project.objects.select_related("programme")
    return list(rows.filter(is_active=True) if active_only else rows)


def project_by_code(code: str) -> Project:
    """Return a project. Raises: NotFoundError."""
    project = Project.objects.select_related("programme").filter(code=code).first()
    if project is None:
        raise NotFoundError
    return project


def vintage_by_project(project_ids: Collection[int]) -> dict[int, int]:
    """Return the newest vintage of each project that has an open batch."""
    rows = CreditBatch.objects.filter(servable(""), project_id__in=project_ids).order_by()
    return dict(rows.values_list("project_id").annotate(year=Max("vintage_year")))


# --- stock --------------------------------------------------------------------------------------


def servable(prefix: str = "batch__") -> Q:
    """Return the condition under which a batch may serve, as ``rules.refusal_to_serve`` has it."""
    facts = {"state": BatchState.OPEN, "is_ex_ante": False, "verified_on__isnull": False}
    condition = Q(**{f"{prefix}{name}": value for name, value in facts.items()})
    return condition & ~Q(**{f"{prefix}verified_by": ""})


def free_lanes(project_id: int | Param) -> QuerySet[Lane]:
    """Return the lanes from which a project can be held now, with their batch's age."""
    return (
        Lane.objects.filter(servable(), batch__project_id=project_id, kind=LaneKind.SALE)
        .filter(hi__gt=F("cursor") + F("held_g"))
        .order_by("id")
    )


_FREE_LANES = Select(lambda: free_lanes(Param("project_id", BigIntegerField())))


def available_g(project_id: int) -> int:
    """Return the grams of a project that can be held now."""
    return sum(
        lane.hi - lane.cursor - lane.held_g for lane in _FREE_LANES.all(project_id=project_id)
    )


def available_by_project(project_ids: Collection[int]) -> dict[int, int]:
    """Return the grams that can be held now, for each project asked."""
    rows = (
        Lane.objects.filter(servable(), batch__project_id__in=project_ids, kind=LaneKind.SALE)
        .values_list("batch__project_id")
        .annotate(free=Sum(_FREE))
    )
    return dict.fromkeys(project_ids, 0) | dict(rows)


def stock(project: Project) -> dict[str, int]:
    """Return where a project's grams are; the parts add up to ``issued_g`` (R6)."""
    total = sum((entry.stock for entry in batch_stocks(project)), Stock())
    return {name: getattr(total, name) for name in Stock.__slots__}


def batch_by_public_id(public_id: str) -> CreditBatch:
    """Return a batch by its public number. Raises: NotFoundError."""
    found = CreditBatch.objects.select_related("serial_block").filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError
    return found


def lanes_of(batch: CreditBatch) -> list[Lane]:
    """Return a batch's lanes, from its first gram on."""
    return list(Lane.objects.filter(batch=batch).order_by("lo"))


def batch_stocks(project: Project) -> list[BatchStock]:
    """Return a project's batches, oldest first, each with its stock."""
    batches = CreditBatch.objects.filter(project=project).select_related("serial_block")
    lanes: dict[int, list[Lane]] = {}
    for lane in lanes_with_cancelled().filter(batch__project=project):
        lanes.setdefault(lane.batch_id, []).append(lane)
    return [
        BatchStock(
            batch,
            stock_of(batch, lanes.get(batch.id, [])),
            format_serial(batch.serial_block, batch.serial_block.first),
            format_serial(batch.serial_block, batch.serial_block.last),
        )
        for batch in batches
    ]


# --- holds --------------------------------------------------------------------------------------


def holds_of(owner_ref: str) -> list[Holding]:
    """Return every hold of an owner, whatever its state."""
    return _HOLDS.all(owner_ref=owner_ref)


def expired_holds(at: datetime, limit: int = 100) -> list[str]:
    """Return owners whose unpaid holds have run out, longest first."""
    rows = Holding.objects.filter(state=HoldState.ACTIVE, expires_at__lte=at)
    owners = rows.order_by("expires_at").values_list("owner_ref", flat=True)[:limit]
    return list(dict.fromkeys(owners))


# --- retirements --------------------------------------------------------------------------------


def ranges_of(retirement: Retirement) -> list[RetiredRange]:
    """Return the exact grams of a retirement, in the order of the batches' lanes."""
    return ranges_of_many([retirement])[retirement.id]


def ranges_of_many(retirements: Iterable[Retirement]) -> dict[int, list[RetiredRange]]:
    """Return the exact grams of retirements, by their ids, in two queries."""
    found: dict[int, list[RetiredRange]] = {retirement.id: [] for retirement in retirements}
    if not found:
        return {}
    rows = _RANGES.all(list(found))
    lanes = {lane.id: lane for lane in _LANES.all(sorted({lane_id for _, lane_id, _, _ in rows}))}
    for retirement_id, lane_id, start_g, end_g in rows:
        found[retirement_id].append(retired_range(lanes[lane_id].batch, start_g, end_g))
    return found


def retired_range(batch: CreditBatch, start_g: int, end_g: int) -> RetiredRange:
    """Return grams of a batch as a range with its serials."""
    block = batch.serial_block
    first, offset_first_g = gram_to_serial(block.first, start_g)
    last, offset_of_last_gram = gram_to_serial(block.first, end_g - 1)
    return RetiredRange(
        batch=batch.public_id,
        batch_row=batch,
        start_g=start_g,
        end_g=end_g,
        mass_g=end_g - start_g,
        first_number=first,
        last_number=last,
        serial_first=format_serial(block, first),
        serial_last=format_serial(block, last),
        offset_first_g=offset_first_g,
        offset_last_g=offset_of_last_gram + 1,
        vintage_year=batch.vintage_year,
    )


def upstream_state(ranges: Sequence[RetiredRange]) -> UpstreamState:
    """Return whether every tonne that the ranges touch is retired at its origin, with evidence."""
    return upstream_states({0: ranges})[0]


def upstream_states(
    ranges_by_id: Mapping[int, Sequence[RetiredRange]],
) -> dict[int, UpstreamState]:
    """Return ``upstream_state`` of many retirements, by their ids, with one query at most."""
    outside = {
        piece.batch_row.id
        for ranges in ranges_by_id.values()
        for piece in ranges
        if piece.batch_row.custody == Custody.EXTERNAL
    }
    evidence = _evidence_of(outside) if outside else {}
    return {key: _upstream_state(ranges, evidence) for key, ranges in ranges_by_id.items()}


def _upstream_state(
    ranges: Sequence[RetiredRange], evidence: Mapping[int, Sequence[UpstreamRetirement]]
) -> UpstreamState:
    outside = [piece for piece in ranges if piece.batch_row.custody == Custody.EXTERNAL]
    if not ranges or not outside:
        return UpstreamState("retired" if ranges else "held")
    used: dict[int, UpstreamRetirement] = {}
    for piece in outside:
        rows = evidence.get(piece.batch_row.id, [])
        spans = [(row.first_serial, row.last_serial) for row in rows]
        if not rules.covers(spans, piece.first_number, piece.last_number):
            return UpstreamState("held")
        for row in rows:
            if row.first_serial <= piece.last_number and piece.first_number <= row.last_serial:
                used[row.id] = row
    newest = max(used.values(), key=lambda row: row.retired_at)
    return UpstreamState(
        "retired",
        reference="; ".join(sorted({row.reference for row in used.values()})),
        registry_url=newest.registry_url,
        retired_at=newest.retired_at,
        evidence_sha256=newest.evidence_sha256,
        is_simulated=any(row.is_simulated for row in used.values()),
    )


def evidence_of(
    ranges: Sequence[RetiredRange],
) -> dict[RetiredRange, list[UpstreamRetirement]]:
    """Return which outside retirements each range lies in, first serial first."""
    rows = _evidence_of({piece.batch_row.id for piece in ranges})
    return {
        piece: [
            row
            for row in rows.get(piece.batch_row.id, [])
            if row.first_serial <= piece.last_number and piece.first_number <= row.last_serial
        ]
        for piece in ranges
    }


def _evidence_of(batch_ids: Collection[int]) -> dict[int, list[UpstreamRetirement]]:
    found: dict[int, list[UpstreamRetirement]] = {}
    for row in _EVIDENCE.all(list(batch_ids)):
        found.setdefault(row.batch_id, []).append(row)
    return found


def retirements(
    *, before_id: int | None = None, limit: int = 50, **wanted: Unpack[Wanted]
) -> list[Retirement]:
    """Return retirements, newest first; the next page begins ``before_id`` the last one shown."""
    rows = narrowed(wanted)
    if before_id is not None:
        rows = rows.filter(id__lt=before_id)
    return list(rows.select_related("project__programme").order_by("-id")[:limit])


def retirement_totals(**wanted: Unpack[Wanted]) -> tuple[int, int]:
    """Return how many retirements the same filters of ``retirements`` find, and their grams."""
    total = narrowed(wanted).order_by().aggregate(count=Count("id"), mass_g=Sum("mass_g"))
    return total["count"], total["mass_g"] or 0


def retired_years() -> list[int]:
    """Return the years of business days from the first retirement to the last, newest first."""
    ends = Retirement.objects.aggregate(first=Min("retired_at"), last=Max("retired_at"))
    if ends["first"] is None:
        return []
    first, last = business_day(ends["first"]).year, business_day(ends["last"]).year
    return list(range(last, first - 1, -1))


def retirement_by_public_id(public_id: str) -> Retirement:
    """Return a retirement by its public number. Raises: NotFoundError."""
    rows = Retirement.objects.select_related("project__programme", "replaces")
    found = rows.filter(public_id=public_id).first()
    if found is None:
        raise NotFoundError
    return found


def replacements_of(retirement: Retirement) -> list[str]:
    """Return the public numbers of what replaced recalled grams of a retirement, oldest first."""
    rows = Retirement.objects.filter(replaces=retirement).order_by("id")
    return list(rows.values_list("public_id", flat=True))


def retirement_by_source(source_refs: Iterable[str]) -> dict[str, Retirement]:
    """Return the retirements that exist among some source references."""
    rows = Retirement.objects.filter(source_ref__in=set(source_refs))
    return {row.source_ref: row for row in rows.select_related("project__programme")}


def public_record(retirement: Retirement) -> dict[str, object]:
    """Return what anyone may know about a retirement: everything but the name."""
    return public_records([retirement])[0]


def public_records(rows: Sequence[Retirement]) -> list[dict[str, object]]:
    """Return what anyone may know about each retirement, with one query for all ranges."""
    ranges = ranges_of_many(rows)
    return [_public(row, ranges[row.id]) for row in rows]


def _public(row: Retirement, ranges: Sequence[RetiredRange]) -> dict[str, object]:
    return {
        "retirement": row.public_id,
        "project": row.project.code,
        "programme": row.project.programme.code,
        "mass_g": row.mass_g,
        "vintage_year": row.vintage_year,
        "purpose": row.purpose,
        "context_ref": row.context_ref,
        "holder_kind": row.holder_kind,
        "claim_from": row.claim_from.isoformat() if row.claim_from else None,
        "claim_to": row.claim_to.isoformat() if row.claim_to else None,
        "retired_at": row.retired_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "subject_commit": row.subject_commit,
        "ranges": [public_range(piece) for piece in ranges],
        "upstream_state": upstream_state(ranges).state,
        "sample": row.is_sample,
    }


def public_range(piece: RetiredRange) -> Mapping[str, object]:
    """Return a range as the register and the certificate show it."""
    hidden = {"batch_row", "first_number", "last_number"}
    return {name: getattr(piece, name) for name in piece.__slots__ if name not in hidden}
