"""Retires grams, and re-exports what else is written. What is retired is never undone.

Issuing is in ``batches``, setting aside in ``holds``, the hot row in ``lanes``.
*Source:* design of the registry, sections 3 and 4.2; R1 to R11.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from diandian.kernel.clock import now
from diandian.registry import queries, rules
from diandian.registry.batches.actions import (
    cancel,
    create_programme,
    create_project,
    freeze,
    issue,
    restate,
    thaw,
)
from diandian.registry.errors import (
    AlreadyRetiredError,
    BatchNotOpenError,
    HoldGoneError,
)
from diandian.registry.holds.actions import ask_settle, commit_hold, hold, release
from diandian.registry.lanes.actions import ask_advance, close_if_sold_out, link_retired
from diandian.registry.lanes.idle import named, refuse
from diandian.registry.models import (
    Beneficiary,
    CreditBatch,
    Holding,
    HoldState,
    Lane,
    Retirement,
)
from diandian.registry.outside.actions import lock_batch, record_upstream
from diandian.registry.queries import RetiredRange
from diandian.registry.requests.actions import ask_cancellation, decide_cancellation
from diandian.registry.rules import RetireRequest
from diandian.registry.sites.actions import enter_site, withdraw_site
from diandian.registry.stock import may_serve
from diandian.store.inserts import InsertMany, NewIds
from diandian.store.running import pipelined, set_off
from diandian.store.statements import SelectMany
from diandian.store.transactions import require_transaction

__all__ = [
    "RetireRequest",
    "Retiring",
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
    "lock_batch",
    "record_upstream",
    "release",
    "restate",
    "retire",
    "retire_all",
    "retire_many",
    "thaw",
    "withdraw_site",
]

_RETIREMENTS = InsertMany(
    Retirement,
    "id",
    "public_id",
    "source_ref",
    "project_id",
    "mass_g",
    "vintage_year",
    "subject_commit",
    "purpose",
    "context_ref",
    "holder_kind",
    "claim_from",
    "claim_to",
    "replaces_id",
    "is_sample",
    shared=("retired_at",),
)
_BENEFICIARIES = InsertMany(Beneficiary, "retirement_id", "salt", "subject")
_HELD: SelectMany[Any] = SelectMany(
    lambda owners: (
        Holding.objects.select_for_update()
        .filter(owner_ref__in=owners, state__in=queries.LIVE_HOLDS)
        .order_by("id")
        .values_list("owner_ref", "id", "lane_id", "mass_g")
    )
)
# Asked after the holds are locked, together with them: so it sees the same ones.
_LANES = SelectMany(
    lambda owners: Lane.objects.filter(
        id__in=Holding.objects.filter(owner_ref__in=owners, state__in=queries.LIVE_HOLDS).values(
            "lane_id"
        )
    ).select_related("batch__project__programme", "batch__serial_block")
)


class _Held(NamedTuple):
    """Grams of one lane that an owner holds, locked."""

    owner_ref: str
    id: int
    lane_id: int
    mass_g: int


class _Fresh(NamedTuple):
    """A retirement about to be written: its id, its seal, and the holds that it uses."""

    id: int
    request: RetireRequest
    salt: str
    commit: str
    holdings: list[_Held]


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
    """Retire what owners hold: ``retire_all`` without the ranges."""
    return retire_all(requests, at=at)[0]


def retire_all(
    requests: Sequence[RetireRequest], *, at: datetime
) -> tuple[list[Retirement], dict[int, list[RetiredRange]]]:
    """Retire what owners hold, in their order: eight statements, two more per further lane.

    Returns the retirements, and the exact grams of each by its id. ``Retiring`` is the same in
    three parts.

    Inside the caller's transaction. Idempotent by: each ``source_ref``. All or none: an error
    names one owner, and the caller leaves that one out.
    Locks: the owners' holds by id, then lanes by id, last.
    Raises: HoldGoneError, AlreadyRetiredError, BatchNotOpenError.
    """
    with pipelined():
        retiring = Retiring(requests, at=at)
        set_off()
        retiring.write()
        return retiring.finish()


class Retiring:
    """``retire_all`` in three parts, so that other rooms ask and write between them.

    Making it locks and asks, ``write`` writes what does not depend on the lanes' cursors and has
    them moved, ``finish`` writes the ranges. All in one transaction, each once.
    """

    def __init__(self, requests: Sequence[RetireRequest], *, at: datetime) -> None:
        require_transaction()
        owners = [request.owner_ref for request in requests]
        assert requests, "something is retired"
        assert len({request.source_ref for request in requests}) == len(requests), "sources once"
        assert len(set(owners)) == len(requests), "each owner once"
        self._requests, self._at = requests, at
        self._ids = NewIds(Retirement, len(requests))
        self._asked_holds, self._asked_lanes = _HELD.ask(owners), _LANES.ask(owners)

    def write(self) -> None:
        """Write retirements and in whose name they are; settle the holds.

        Raises: as ``retire_all``.
        """
        requests = self._requests
        # What needs no answer is made while the database looks for the holds.
        seals = [
            _seal(request, salt)
            for request, salt in zip(requests, rules.new_salts(len(requests)), strict=True)
        ]
        lanes = {lane.id: lane for lane in self._asked_lanes()}
        held = _held_by_owner(self._asked_holds(), lanes)
        others = [request for request in requests if request.owner_ref not in held]
        self._done = _retired_before(others)
        self._ranges = queries.ranges_of_many(self._done.values())
        fresh = [
            _Fresh(number, request, *seal, held[request.owner_ref])
            for number, request, seal in zip(self._ids.read(), requests, seals, strict=True)
            if request.owner_ref in held
        ]
        used = [row.id for each in fresh for row in each.holdings]
        self._settle = ask_settle(used, HoldState.USED) if used else None
        self._used = len(used)
        self._made = _write_retirements(fresh, lanes, self._at) if fresh else list
        self._moves = _ask_moves(fresh, lanes)
        set_off()

    def finish(self) -> tuple[list[Retirement], dict[int, list[RetiredRange]]]:
        """Write the ranges; return what ``retire_all`` does."""
        # Made while the lanes' turn comes.
        self._done |= {row.source_ref: row for row in self._made()}
        self._ranges |= _link(self._moves)
        if self._settle is not None:
            assert self._settle.count() == self._used, "a hold ends once"
        return [self._done[request.source_ref] for request in self._requests], self._ranges


def _seal(request: RetireRequest, salt: str) -> tuple[str, str]:
    return salt, rules.subject_commit(salt, request.subject)


def _held_by_owner(
    rows: Iterable[tuple[str, int, int, int]], lanes: Mapping[int, Lane]
) -> dict[str, list[_Held]]:
    """Return locked holds by owner. Refuses batches that may not serve (R9), all owners at once."""
    idle = {lane.id for lane in lanes.values() if not may_serve(lane.batch)}
    held: dict[str, list[_Held]] = defaultdict(list)
    refused: dict[str, BatchNotOpenError] = {}
    for row in map(_Held._make, rows):
        assert row.mass_g > 0, "a hold has grams"
        held[row.owner_ref].append(row)
        if row.lane_id in idle:
            refuse(refused, row.owner_ref, lanes[row.lane_id].batch)
    if refused:
        raise named(refused)
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
    fresh: Sequence[_Fresh], lanes: Mapping[int, Lane], at: datetime
) -> Callable[[], list[Retirement]]:
    """Write retirements and in whose name they are, in their order; return what gives them."""
    assert at.tzinfo is not None, "instants are aware"
    public_ids = rules.new_public_ids(len(fresh), at)
    batches = {lane.id: lane.batch for lane in lanes.values()}
    projects = {lane_id: batch.project for lane_id, batch in batches.items()}
    rows = [
        _row(each, public_id, [batches[row.lane_id] for row in each.holdings])
        for each, public_id in zip(fresh, public_ids, strict=True)
    ]
    _RETIREMENTS.along(rows, retired_at=at)
    _BENEFICIARIES.along([(each.id, each.salt, dict(each.request.subject)) for each in fresh])

    def instances() -> list[Retirement]:
        made: list[Retirement] = _RETIREMENTS.instances(rows, retired_at=at)
        for retirement, each in zip(made, fresh, strict=True):
            # As the attribute does, without asking each time whether it may.
            project = projects[each.holdings[0].lane_id]
            retirement._state.fields_cache["project"] = project  # noqa: SLF001
        return made

    return instances


def _row(each: _Fresh, public_id: str, batches: Sequence[CreditBatch]) -> tuple[object, ...]:
    request, project_id = each.request, batches[0].project_id
    assert all(batch.project_id == project_id for batch in batches), "R8: one project"
    return (
        each.id,
        public_id,
        request.source_ref,
        project_id,
        sum(row.mass_g for row in each.holdings),
        min(batch.vintage_year for batch in batches),
        each.commit,
        request.purpose,
        request.context_ref,
        request.holder_kind,
        request.claim_from,
        request.claim_to,
        request.replaces_id,
        request.is_sample,
    )


class _Move(NamedTuple):
    """A lane whose cursor moves over what retirements use: each its id and grams, in order."""

    lane: Lane
    ids: list[int]
    masses_g: list[int]
    read: Callable[[], tuple[int, bool]]


def _ask_moves(fresh: Iterable[_Fresh], lanes: Mapping[int, Lane]) -> list[_Move]:
    """Have each lane's cursor moved once, over the grams of all holds in it.

    Locks: the lanes, by id.
    """
    by_lane: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for each in fresh:
        for row in each.holdings:
            by_lane[row.lane_id].append((each.id, row.mass_g))
    moves = []
    for lane_id, uses in sorted(by_lane.items()):
        ids, masses_g = zip(*uses, strict=True)
        mass_g = sum(masses_g)
        read = ask_advance(lane_id, mass_g, held_g=mass_g)
        moves.append(_Move(lanes[lane_id], list(ids), list(masses_g), read))
    return moves


def _laid(move: _Move, start_g: int) -> list[tuple[int, RetiredRange]]:
    """Return a lane's ranges from a start on, each with its retirement's id."""
    spans = rules.running_ranges(start_g, move.masses_g)
    ranges = [queries.retired_range(move.lane.batch, *span) for span in spans]
    return list(zip(move.ids, ranges, strict=True))


def _link(moves: Iterable[_Move]) -> dict[int, list[RetiredRange]]:
    """Turn holds into ranges that follow each other in their lane (R1).

    A retirement's grams are those of its holds, and each hold becomes one range (R7). Returns the
    ranges by their retirements' ids.
    """
    ranges: dict[int, list[RetiredRange]] = defaultdict(list)
    used_up = set()
    for move in moves:
        # Where the cursor stood when it was read is nearly always where it stands.
        planned = _laid(move, move.lane.cursor)
        start_g, is_used_up = move.read()
        if start_g != move.lane.cursor:
            planned = _laid(move, start_g)
        link_retired(move.lane.id, [(number, span.start_g, span.end_g) for number, span in planned])
        for number, span in planned:
            ranges[number].append(span)
        if is_used_up:
            used_up.add(move.lane.batch_id)
    for batch_id in sorted(used_up):
        close_if_sold_out(batch_id)
    return dict(ranges)


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
