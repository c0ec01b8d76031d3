"""Retires grams, and re-exports what else is written. What is retired is never undone.

Issuing is in ``batches``, setting aside in ``holds``, the hot row in ``lanes``.
*Source:* design of the registry, sections 3 and 4.2; R1 to R11.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from diandian.kernel.clock import now
from diandian.registry import queries, rules
from diandian.registry.batches.actions import (
    cancel,
    create_programme,
    create_project,
    freeze,
    issue,
    record_upstream,
    restate,
    thaw,
)
from diandian.registry.errors import (
    AlreadyRetiredError,
    BatchNotOpenError,
    BatchRecalledError,
    HoldGoneError,
)
from diandian.registry.holds.actions import commit_hold, hold, release, settle
from diandian.registry.lanes.actions import advance, close_if_sold_out, link_to
from diandian.registry.models import (
    Allocation,
    AllocationKind,
    BatchState,
    Beneficiary,
    Holding,
    HoldState,
    Retirement,
)
from diandian.registry.requests.actions import ask_cancellation, decide_cancellation
from diandian.registry.rules import RetireRequest
from diandian.registry.sites.actions import enter_site, withdraw_site
from diandian.registry.stock import may_serve
from diandian.store.statements import Insert, SelectMany
from diandian.store.transactions import require_transaction

__all__ = [
    "RetireRequest",
    "ask_cancellation",
    "cancel",
    "commit_hold",
    "create_programme",
    "create_project",
    "decide_cancellation",
    "enter_site",
    "erase_beneficiary",
    "freeze",
    "hold",
    "issue",
    "record_upstream",
    "release",
    "restate",
    "retire",
    "retire_many",
    "thaw",
    "withdraw_site",
]

_RETIREMENTS = Insert(Retirement)
_BENEFICIARIES = Insert(Beneficiary)
_ALLOCATIONS = Insert(Allocation)
_HELD = SelectMany(
    lambda owners: (
        Holding.objects.select_for_update(of=("self",))
        .filter(owner_ref__in=owners, state__in=queries.LIVE_HOLDS)
        .select_related("lane__batch__project__programme", "lane__batch__serial_block")
        .order_by("id")
    )
)

# --- retirement ---------------------------------------------------------------------------------


def retire(  # noqa: PLR0913 - one retirement, all its facts
    *,
    owner_ref: str,
    source_ref: str,
    subject: Mapping[str, object],
    purpose: str,
    at: datetime,
    context_ref: str = "",
    holder_kind: str = "person",
    claim_from: date | None = None,
    claim_to: date | None = None,
    is_sample: bool = False,
) -> Retirement:
    """Retire what one owner holds: ``retire_many`` of one."""
    request = RetireRequest(
        owner_ref=owner_ref,
        source_ref=source_ref,
        subject=subject,
        purpose=purpose,
        context_ref=context_ref,
        holder_kind=holder_kind,
        claim_from=claim_from,
        claim_to=claim_to,
        is_sample=is_sample,
    )
    retirements = retire_many([request], at=at)
    assert len(retirements) == 1, "one request, one retirement"
    return retirements[0]


def retire_many(requests: Sequence[RetireRequest], *, at: datetime) -> list[Retirement]:
    """Retire what owners hold, in their order: five statements, one more per lane.

    Inside the caller's transaction. Idempotent by: each ``source_ref``. All or none: an error
    names one owner, and the caller leaves that one out.
    Locks: the owners' holds by id, then lanes by id, last.
    Raises: HoldGoneError, AlreadyRetiredError, BatchNotOpenError.
    """
    require_transaction()
    assert len({request.source_ref for request in requests}) == len(requests), "each source once"
    assert len({request.owner_ref for request in requests}) == len(requests), "each owner once"
    held = _lock_holds([request.owner_ref for request in requests])
    done = _retired_before([request for request in requests if request.owner_ref not in held])
    fresh = [request for request in requests if request.owner_ref in held]
    if fresh:
        made = _write_retirements(fresh, held, at)
        settle([row for rows in held.values() for row in rows], HoldState.USED)
        _consume([(made[request.source_ref], held[request.owner_ref]) for request in fresh])
        done |= made
    return [done[request.source_ref] for request in requests]


def _lock_holds(owner_refs: Iterable[str]) -> dict[str, list[Holding]]:
    """Lock live holds, with all that their retirement needs to know; refuse idle batches (R9)."""
    rows = _HELD.all(list(owner_refs))
    held: dict[str, list[Holding]] = defaultdict(list)
    for row in rows:
        if not may_serve(row.lane.batch):
            is_recalled = row.lane.batch.state == BatchState.RECALLED
            refusal = BatchRecalledError if is_recalled else BatchNotOpenError
            raise refusal(batch=row.lane.batch.public_id, owner_ref=row.owner_ref)
        assert row.mass_g > 0, "a hold has grams"
        held[row.owner_ref].append(row)
    return dict(held)


def _retired_before(requests: Sequence[RetireRequest]) -> dict[str, Retirement]:
    """Return the retirements of requests that hold nothing; refuse those that never had one."""
    if not requests:
        return {}
    found = queries.retirement_by_source(request.source_ref for request in requests)
    for request in requests:
        if request.source_ref in found:
            continue
        if any(row.state == HoldState.USED for row in queries.holds_of(request.owner_ref)):
            raise AlreadyRetiredError(owner_ref=request.owner_ref)
        raise HoldGoneError(owner_ref=request.owner_ref)
    assert len(found) == len(requests), "each has its retirement, or was refused"
    return found


def _write_retirements(
    requests: Sequence[RetireRequest], held: Mapping[str, Sequence[Holding]], at: datetime
) -> dict[str, Retirement]:
    assert at.tzinfo is not None, "instants are aware"
    salts = [rules.new_salt() for _ in requests]
    made = [
        _retirement(request, held[request.owner_ref], salt, at)
        for request, salt in zip(requests, salts, strict=True)
    ]
    _RETIREMENTS.run(made)
    _BENEFICIARIES.run(
        [
            Beneficiary(retirement=row, salt=salt, subject=dict(request.subject))
            for row, salt, request in zip(made, salts, requests, strict=True)
        ]
    )
    assert len(made) == len(requests), "one retirement each"
    return {row.source_ref: row for row in made}


def _retirement(
    request: RetireRequest, holdings: Sequence[Holding], salt: str, at: datetime
) -> Retirement:
    batches = [row.lane.batch for row in holdings]
    assert len({batch.project_id for batch in batches}) == 1, "R8: one project"
    assert all(may_serve(batch) for batch in batches), "R9"
    return Retirement(
        public_id=rules.new_public_id(at),
        source_ref=request.source_ref,
        project=batches[0].project,
        mass_g=sum(row.mass_g for row in holdings),
        vintage_year=min(batch.vintage_year for batch in batches),
        subject_commit=rules.subject_commit(salt, request.subject),
        purpose=request.purpose,
        context_ref=request.context_ref,
        holder_kind=request.holder_kind,
        claim_from=request.claim_from,
        claim_to=request.claim_to,
        replaces_id=request.replaces_id,
        is_sample=request.is_sample,
        retired_at=at,
    )


def _consume(retired: Iterable[tuple[Retirement, Sequence[Holding]]]) -> None:
    """Turn holds into ranges: each lane's cursor moves once, the ranges follow each other (R1)."""
    by_lane: dict[int, list[tuple[Retirement, Holding]]] = defaultdict(list)
    for retirement, holdings in retired:
        for row in holdings:
            by_lane[row.lane_id].append((retirement, row))
    allocations, used_up = [], set()
    for lane_id, uses in sorted(by_lane.items()):
        masses_g = [row.mass_g for _, row in uses]
        start_g, is_used_up = advance(lane_id, sum(masses_g), held_g=sum(masses_g))
        for (retirement, _), span in zip(
            uses, rules.running_ranges(start_g, masses_g), strict=True
        ):
            link = link_to(lane_id, AllocationKind.RETIRE, span)
            link.retirement = retirement
            allocations.append(link)
        if is_used_up:
            used_up.add(uses[0][1].lane.batch_id)
    assert allocations, "something is retired"
    assert _whole(allocations), "R7: a retirement's grams are those of its ranges"
    _ALLOCATIONS.run(allocations)
    for batch_id in sorted(used_up):
        close_if_sold_out(batch_id)


def _whole(allocations: Iterable[Allocation]) -> bool:
    """Tell whether the ranges of every retirement hold exactly its grams."""
    left: dict[str, int] = {}
    for link in allocations:
        assert link.retirement is not None, "a retired range has a retirement"
        asked_g = left.setdefault(link.retirement.source_ref, link.retirement.mass_g)
        left[link.retirement.source_ref] = asked_g - (link.end_g - link.start_g)
    return not any(left.values())


# --- names --------------------------------------------------------------------------------------


def erase_beneficiary(retirement: Retirement, *, at: datetime | None = None) -> bool:
    """Forget in whose name a retirement stands; the retirement and its seal stay.

    Idempotent by: the retirement. Returns False when nothing was left to forget.
    """
    assert retirement.id is not None, "only what is retired has a beneficiary"
    left = Beneficiary.objects.filter(retirement=retirement, erased_at__isnull=True)
    changed = left.update(subject=None, salt="", erased_at=at or now())
    assert changed <= 1, "one beneficiary each"
    return changed == 1
