"""Enters programmes, projects and issued credits; cancels, freezes.

Issued serials are entered once and stay; what was entered wrongly is frozen or cancelled, never
changed. *Source:* design of the registry, sections 3.1 and 3.3; R3, R4.
"""

from dataclasses import asdict
from datetime import date, datetime
from typing import Unpack

from diandian.audit.actions import record
from diandian.kernel.clock import now
from diandian.registry import rules
from diandian.registry.batches import growth
from diandian.registry.batches.facts import (
    BatchFacts,
    ProgrammeFacts,
    ProjectFacts,
    Standing,
    refuse_other_serials,
    refuse_unfit_issuance,
    refuse_unfit_standing,
    refuse_unfit_verification,
    refuse_unknown_parser,
    two_parts,
)
from diandian.registry.errors import (
    CancelledDifferentlyError,
    IssuedDifferentlyError,
    NotEnoughCreditsError,
    SerialOverlapError,
    UnderRecallError,
)
from diandian.registry.lanes.actions import advance, close_if_sold_out, link_to
from diandian.registry.models import (
    LANE_STRIDE,
    Allocation,
    AllocationKind,
    BatchState,
    CreditBatch,
    Lane,
    LaneKind,
    Programme,
    Project,
    Recall,
    RecallState,
    SerialBlock,
)
from diandian.registry.serials import GRAMS_PER_CREDIT, SerialRange, parse
from diandian.registry.stock import may_serve
from diandian.store.transactions import joined

# What stays as it was issued; how it stands (``Standing``) may be told later.
_COMPARED = (
    *("project_id", "vintage_year", "period_start", "period_end", "custody", "buffer_g"),
    *("is_ex_ante", "verified_by", "verified_on", "verification_ref", "verified_g"),
    *("evidence_sha256", "site_id"),
)


def create_programme(*, code: str, **facts: Unpack[ProgrammeFacts]) -> Programme:
    """Add an issuing programme. Idempotent by: ``code``; a known one is returned as it is."""
    assert code, "a programme has a code"
    refuse_unknown_parser(facts.get("serial_parser", "generic"))
    programme, _ = Programme.objects.get_or_create(code=code, defaults=dict(facts))
    return programme


def create_project(*, programme: Programme, code: str, **facts: Unpack[ProjectFacts]) -> Project:
    """Add a project of a programme. Idempotent by: ``code``; a known one is returned as it is."""
    assert code, "a project has a code"
    project, _ = Project.objects.get_or_create(
        code=code, defaults={"programme": programme, **facts}
    )
    assert project.programme_id == programme.id, "a project stays with its programme"
    return project


def issue(  # noqa: PLR0913 - one issuance, all its facts
    *,
    project: Project,
    serial_text: str,
    vintage_year: int,
    period_start: date,
    period_end: date,
    custody: str,
    source_ref: str,
    site_code: str = "",
    quantity: int | None = None,
    buffer_g: int = 0,
    is_ex_ante: bool = False,
    is_sample: bool = False,
    sale_lanes: int = 1,
    at: datetime | None = None,
    **facts: Unpack[BatchFacts],
) -> CreditBatch:
    """Enter issued credits as a batch; ex-ante and unverified ones stay drafts and never sell.

    ``quantity``: what the registry states, compared with the serials. Units: buffer in grams, off
    the end of the batch. Idempotent by: ``source_ref``. Locks: the project.
    Raises: SerialFormatError, SerialOverlapError, IssuanceError, IssuedDifferentlyError,
    GrowthClaimedError, NotVerifiedSoMuchError.
    """
    assert source_ref, "an issuance has a source"
    assert sale_lanes > 0, "at least one lane sells"
    serials = parse(project.programme.serial_parser, serial_text)
    period = (period_start, period_end)
    refuse_unfit_issuance(
        serials, vintage_year=vintage_year, period=period, buffer_g=buffer_g, quantity=quantity
    )
    refuse_other_serials(
        serials,
        vintage_year=vintage_year,
        period=period,
        country=project.country,
        registry_number=project.registry_number,
    )
    verification, standing = two_parts(facts)
    refuse_unfit_verification(verification, period_end)
    refuse_unfit_standing(standing)
    batch = CreditBatch(
        project=project,
        vintage_year=vintage_year,
        period_start=period_start,
        period_end=period_end,
        custody=custody,
        total_g=serials.count * GRAMS_PER_CREDIT,
        buffer_g=buffer_g,
        is_ex_ante=is_ex_ante,
        ccp_label=standing.ccp_label,
        state=BatchState.OPEN,
        source_ref=source_ref,
        is_sample=is_sample,
        issued_at=at or now(),
        **asdict(verification),
        **asdict(standing),
    )
    if not may_serve(batch):
        batch.state = BatchState.DRAFT
    with joined():
        Project.objects.select_for_update(no_key=True).get(id=project.id)
        batch.site = growth.site_of(project, site_code)
        earlier = CreditBatch.objects.filter(source_ref=source_ref).first()
        if earlier is not None:
            return _same_issuance(earlier, batch, serials)
        _refuse_overlap(project, serials)
        growth.refuse_unproven(batch)
        return _enter(batch, serials, sale_lanes)


def _same_issuance(earlier: CreditBatch, asked: CreditBatch, serials: SerialRange) -> CreditBatch:
    assert earlier.source_ref == asked.source_ref, "one source, two tellings"
    block = earlier.serial_block
    same = (block.prefix, block.first, block.last) == (serials.prefix, serials.first, serials.last)
    if not same or any(getattr(earlier, name) != getattr(asked, name) for name in _COMPARED):
        raise IssuedDifferentlyError(source_ref=earlier.source_ref)
    return earlier


def _refuse_overlap(project: Project, serials: SerialRange) -> None:
    """Say early and kindly what the database would refuse anyhow (R4)."""
    assert 0 < serials.first <= serials.last, "a range runs forward"
    other = (
        SerialBlock.objects.filter(
            programme_id=project.programme_id,
            prefix=serials.prefix,
            first__lte=serials.last,
            last__gte=serials.first,
        )
        .select_related("batch")
        .first()
    )
    if other is not None:
        raise SerialOverlapError(text=serials.raw, other=f"{other.batch.public_id} ({other.raw})")


def _enter(batch: CreditBatch, serials: SerialRange, sale_lanes: int) -> CreditBatch:
    assert batch.total_g == serials.count * GRAMS_PER_CREDIT, "R3: a credit is a tonne"
    batch.serial_block = SerialBlock.objects.create(
        programme_id=batch.project.programme_id,
        prefix=serials.prefix,
        first=serials.first,
        last=serials.last,
        raw=serials.raw,
        numbering=serials.numbering,
    )
    batch.public_id = f"b-{batch.vintage_year}-{batch.serial_block.id}"
    batch.save(force_insert=True)
    for_sale_g = batch.total_g - batch.buffer_g
    spans = [
        (LaneKind.SALE, *span)
        for span in rules.split_evenly(for_sale_g, sale_lanes, GRAMS_PER_CREDIT)
    ]
    if batch.buffer_g:
        spans.append((LaneKind.BUFFER, for_sale_g, batch.total_g))
    lanes = Lane.objects.bulk_create(
        [Lane(batch=batch, kind=kind, lo=lo, hi=hi, cursor=lo) for kind, lo, hi in spans]
    )
    Allocation.objects.bulk_create([_genesis(lane) for lane in lanes])
    assert sum(lane.hi - lane.lo for lane in lanes) == batch.total_g, "R3"
    return batch


def _genesis(lane: Lane) -> Allocation:
    assert lane.id is not None, "the key needs the lane's number"
    assert lane.cursor == lane.lo, "nothing was used before the beginning"
    return Allocation(
        lane=lane,
        kind=AllocationKind.GENESIS,
        start_g=lane.lo,
        end_g=lane.lo,
        end_key=lane.id * LANE_STRIDE + lane.lo,
    )


def cancel(
    *,
    batch: CreditBatch,
    mass_g: int,
    reason: str,
    source_ref: str,
    from_buffer: bool = False,
    actor_ref: str = "platform",
    at: datetime | None = None,
) -> list[Allocation]:
    """Take free grams out for good without a claim; ``from_buffer`` for a reversal (R12).

    Idempotent by: ``source_ref``. Locks: the batch's lanes, in id order.
    Raises: NotEnoughCreditsError, CancelledDifferentlyError.
    """
    assert mass_g > 0, "nothing to cancel"
    assert reason, "a cancellation has a reason"
    with joined():
        earlier = list(Allocation.objects.filter(source_ref=source_ref).select_related("lane"))
        if earlier:
            return _same_cancellation(earlier, batch, mass_g)
        kind = LaneKind.BUFFER if from_buffer else LaneKind.SALE
        lanes = (
            Lane.objects.select_for_update(no_key=True)
            .filter(batch=batch, kind=kind)
            .order_by("id")
        )
        stretches = [
            rules.Stretch(lane.id, lane.hi - lane.cursor - lane.held_g, batch.issued_at)
            for lane in lanes
        ]
        plan = rules.plan_hold(stretches, mass_g)
        if not plan:
            raise NotEnoughCreditsError(available_g=sum(stretch.free_g for stretch in stretches))
        links = []
        for lane_id, take_g in plan:
            start_g, _ = advance(lane_id, take_g, held_g=0)
            use = AllocationKind.REVERSAL if from_buffer else AllocationKind.CANCEL
            link = link_to(lane_id, use, (start_g, start_g + take_g))
            link.source_ref = source_ref
            links.append(link)
        assert sum(link.end_g - link.start_g for link in links) == mass_g, "all of it"
        Allocation.objects.bulk_create(links)
        close_if_sold_out(batch.id)
        record(
            actor_ref=actor_ref,
            action="batch.reversed" if from_buffer else "batch.cancelled",
            subject_ref=f"batch:{batch.public_id}",
            details={"mass_g": mass_g, "reason": reason, "source_ref": source_ref},
            at=at,
        )
        return links


def _same_cancellation(
    earlier: list[Allocation], batch: CreditBatch, mass_g: int
) -> list[Allocation]:
    assert earlier, "something to compare with"
    assert len({row.source_ref for row in earlier}) == 1, "one cancellation"
    cancelled_g = sum(row.end_g - row.start_g for row in earlier)
    if cancelled_g != mass_g or any(row.lane.batch_id != batch.id for row in earlier):
        raise CancelledDifferentlyError(source_ref=earlier[0].source_ref)
    return earlier


def restate(batch: CreditBatch, standing: Standing, *, actor_ref: str) -> bool:
    """Tell how a batch stands now: class, recognition, adjustment, label; the trail keeps both.

    Returns False when it stood so before. Locks: the batch. Raises: IssuanceError.
    """
    assert actor_ref, "somebody decided"
    refuse_unfit_standing(standing)
    told = asdict(standing)
    with joined():
        row = CreditBatch.objects.select_for_update(no_key=True).get(id=batch.id)
        before = {name: getattr(row, name) for name in told}
        if before == told:
            return False
        now_so = told | {"ccp_label": standing.ccp_label}
        CreditBatch.objects.filter(id=batch.id).update(**now_so)
        record(
            actor_ref=actor_ref,
            action="batch.restated",
            subject_ref=f"batch:{batch.public_id}",
            details={
                name: [str(before[name] or ""), str(value or "")]
                for name, value in told.items()
                if before[name] != value
            },
        )
    for name, value in now_so.items():
        setattr(batch, name, value)
    return True


def freeze(batch: CreditBatch, reason: str, *, actor_ref: str = "platform") -> None:
    """Stop a batch from serving until ``thaw``: what is held of it waits, paid or not.

    A retirement that has begun to write still finishes. What is recalled stays recalled.
    """
    assert reason, "a freeze has a reason"
    _set_state(batch, BatchState.FROZEN, reason, actor_ref)
    assert not may_serve(batch), "R9"


def thaw(batch: CreditBatch, reason: str, *, actor_ref: str = "platform") -> None:
    """Let a frozen batch serve again, if it is verified and has grams left.

    Raises: UnderRecallError while somebody asks for its recall.
    """
    assert reason, "a thaw has a reason"
    batch.refresh_from_db()
    if batch.state != BatchState.FROZEN:
        return
    if recall := Recall.objects.filter(batch=batch, state=RecallState.OPENED).first():
        raise UnderRecallError(batch=batch.public_id, recall=recall.public_id)
    batch.state = BatchState.OPEN
    to = BatchState.OPEN if may_serve(batch) else BatchState.DRAFT
    with joined():
        _set_state(batch, to, reason, actor_ref)
        close_if_sold_out(batch.id)
        batch.refresh_from_db()
        assert batch.state != BatchState.FROZEN, "thawed"


def _set_state(batch: CreditBatch, state: BatchState, reason: str, actor_ref: str) -> None:
    assert reason, "a change has a reason"
    assert actor_ref, "somebody decided"
    with joined():
        known = CreditBatch.objects.filter(id=batch.id)
        if known.exclude(state__in=(state, BatchState.RECALLED)).update(state=state):
            record(
                actor_ref=actor_ref,
                action=f"batch.{state}",
                subject_ref=f"batch:{batch.public_id}",
                details={"reason": reason},
            )
    batch.refresh_from_db(fields=["state"])
