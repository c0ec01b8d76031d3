"""Which free grams may stand in for recalled ones: like for like or better, and the buffer.

*Source:* market study, M7; design of the registry, section 3.4 (R10, R12).
"""

from collections.abc import Collection, Sequence
from functools import cache

from django.db.models import F, Q

from diandian.registry.models import (
    GRAMS_PER_CREDIT,
    CreditBatch,
    CreditClass,
    Custody,
    Lane,
    LaneKind,
    Project,
    Recall,
    UpstreamRetirement,
)
from diandian.registry.queries import servable
from diandian.registry.recalls import rules
from diandian.store.statements import Param, Select


@cache
def _lanes(
    classes: tuple[str, ...] | None,
    *,
    has_recognition: bool,
    adjusted: tuple[tuple[str, str], ...] | None,
    has_label: bool,
    sources: int,
    locks: bool,
) -> Select[Lane]:
    """Return the question for lanes that may replace, of all recalls that ask for the same."""
    codes = [Param(f"source_{number}") for number in range(sources)]
    like = Q(batch__project__programme=Param("programme_id"), batch__project__kind=Param("kind"))
    near = Q(batch__project=Param("project_id")) | like
    if codes:
        near |= Q(batch__project__code__in=codes)
    kept = Q(batch__vintage_year__gte=Param("vintage_year"), batch__is_sample=Param("is_sample"))
    if classes is not None:
        kept &= Q(batch__credit_class__in=classes)
    if has_recognition:
        kept &= ~Q(batch__recognition_evidence="")
    if adjusted is not None:
        enough = Q()
        for declaration, status in adjusted:
            enough |= Q(batch__adjustment_declaration=declaration, batch__adjustment_status=status)
        kept &= enough
    if has_label:
        kept &= Q(batch__ccp_label=True)
    every = Lane.objects.select_for_update(of=("self",), no_key=True) if locks else Lane.objects
    return Select(
        lambda: (
            every.filter(servable(), near, kept, kind=LaneKind.SALE)
            # A batch that is only looked at still serves.
            .exclude(batch=Param("batch_id"))
            .filter(hi__gt=F("cursor") + F("held_g"))
            .select_related("batch__project", "batch__serial_block")
            .order_by("id")
        )
    )


def lots_for(
    recall: Recall, *, project_ids: Collection[int] | None = None, locks: bool = True
) -> list[rules.Lot]:
    """Return free grams that are as good or better than the recalled ones, nearest first.

    Same project, then same programme and kind, then the recall's own list; never an older vintage
    or a worse class, never a batch without the recognition, label or adjustment that the recalled
    one had, never samples for what is none, and only tonnes that are retired at their origin.
    Without ``locks`` only to look; the recall need not be saved then. Locks: the lanes, by id.
    """
    bad = recall.batch
    project = bad.project
    better = rules.as_good_as(bad.credit_class, CreditClass.values)
    statement = _lanes(
        None if better is None else tuple(better),
        has_recognition=bool(bad.recognition_evidence),
        adjusted=rules.adjusted_as_well(bad.adjustment_declaration, bad.adjustment_status),
        has_label=bad.ccp_label,
        sources=len(recall.sources),
        locks=locks,
    )
    rows = statement.all(
        batch_id=bad.id,
        project_id=project.id,
        programme_id=project.programme_id,
        kind=project.kind,
        vintage_year=bad.vintage_year,
        is_sample=bad.is_sample,
        **{f"source_{number}": code for number, code in enumerate(recall.sources)},
    )
    lanes = [lane for lane in rows if project_ids is None or lane.batch.project_id in project_ids]
    ends = _retired_ends(lanes)
    return rules.nearest_first(
        rules.Lot(
            lane_id=lane.id,
            project_id=lane.batch.project_id,
            tier=_tier(recall, lane.batch.project),
            issued_at=lane.batch.issued_at,
            free_g=min(lane.hi - lane.held_g, ends.get(lane.id, lane.hi)) - lane.cursor,
        )
        for lane in lanes
    )


def _tier(recall: Recall, other: Project) -> int:
    own = recall.batch.project
    if other.id == own.id:
        return 0
    if (other.programme_id, other.kind) == (own.programme_id, own.kind):
        return 1
    return 2 + list(recall.sources).index(other.code)


def _retired_ends(lanes: Sequence[Lane]) -> dict[int, int]:
    """Return up to which gram the tonnes of outside lanes are retired at their origin (R10)."""
    outside = [lane for lane in lanes if lane.batch.custody == Custody.EXTERNAL]
    if not outside:
        return {}
    spans: dict[int, list[tuple[int, int]]] = {}
    rows = UpstreamRetirement.objects.filter(batch__in={lane.batch_id for lane in outside})
    firsts = {lane.batch_id: lane.batch.serial_block.first for lane in outside}
    for row in rows:
        first = firsts[row.batch_id]
        spans.setdefault(row.batch_id, []).append(
            (
                (row.first_serial - first) * GRAMS_PER_CREDIT,
                (row.last_serial - first + 1) * GRAMS_PER_CREDIT,
            )
        )
    return {
        lane.id: rules.covered_until(lane.cursor, spans.get(lane.batch_id, [])) for lane in outside
    }


def buffer_left_g(batch: CreditBatch) -> int:
    """Return the free grams of a batch's buffer. Locks: its lanes."""
    rows = Lane.objects.select_for_update(no_key=True).filter(batch=batch, kind=LaneKind.BUFFER)
    return sum(lane.hi - lane.cursor - lane.held_g for lane in rows.order_by("id"))
