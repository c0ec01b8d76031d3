"""Sets grams aside for an owner, binds them when paid, gives them back.

A lane row is the hot one: a hold touches it last, in lane order, by one conditional UPDATE, so that
nobody waits for more than a moment and no gram is promised twice.
*Source:* design of the registry, sections 3 and 4.2; R2, R6, R11.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import BigIntegerField

from diandian.registry import queries, rules
from diandian.registry.errors import (
    AlreadyRetiredError,
    HoldGoneError,
    HoldMismatchError,
    NotEnoughCreditsError,
)
from diandian.registry.lanes.actions import give_back, promise
from diandian.registry.models import Holding, HoldState
from diandian.store.inserts import Insert
from diandian.store.running import Answer
from diandian.store.statements import Param, Select, Update
from diandian.store.transactions import joined

_HOLDINGS = Insert(Holding)
_FREE_LANES = Select(
    lambda: queries.free_lanes(Param("project_id", BigIntegerField())).select_related("batch")
)
# No key: a hold that refers to a lane looks at its row on commit and must not wait for us.
_LOCKED_LANES = Select(
    lambda: (
        queries.free_lanes(Param("project_id", BigIntegerField()))
        .select_related("batch")
        .select_for_update(of=("self",), no_key=True)
    )
)
_SETTLED = Update(
    lambda ids: Holding.objects.filter(id__in=ids, state__in=queries.LIVE_HOLDS),
    state=Param("state"),
)
_COMMITTED = Update(
    lambda _: Holding.objects.filter(owner_ref=Param("owner_ref"), state=HoldState.ACTIVE),
    state=HoldState.COMMITTED,
)
_OWNER_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


def hold(
    *,
    project_id: int,
    mass_g: int,
    owner_ref: str,
    expires_at: datetime,
    is_first: bool = False,
) -> list[Holding]:
    """Set grams aside for an owner, oldest issuance first; they may span lanes and batches.

    ``is_first``: the owner was made in this transaction, so nothing is held for it yet; the rows
    may then come back without ids.
    Idempotent by: ``owner_ref``; of two that race with one owner the second waits and gets what the
    first holds. With ``is_first`` nobody else knows the owner yet, so nobody is waited for.
    Locks: the owner (unless ``is_first``), then lanes, in id order.
    Raises: NotEnoughCreditsError (nothing is held, the caller may go on), HoldMismatchError,
    AlreadyRetiredError.
    """
    assert mass_g > 0, "nothing to hold"
    assert expires_at.tzinfo is not None, "instants are aware"
    with joined():
        if not is_first:
            _one_by_one(owner_ref)
        earlier = [] if is_first else queries.holds_of(owner_ref)
        live = _live_or_refuse(earlier, owner_ref, mass_g)
        if live:
            return live
        again = bool(earlier)
        plan = _plan(project_id, mass_g, locked=False)
        if len(plan) == 1:
            # The usual case: one lane, promised by one conditional UPDATE, without waiting first.
            holdings = _write_holds(plan, owner_ref, expires_at, again=again, along=is_first)
            if promise(*plan[0]):
                return holdings
            mine = queries.holds_of(owner_ref) if is_first else holdings
            settle([row.id for row in mine], HoldState.RELEASED)
            again = True
        plan = _plan(project_id, mass_g, locked=True)
        holdings = _write_holds(plan, owner_ref, expires_at, again=again)
        promised = [promise(lane_id, take_g) for lane_id, take_g in plan]
        assert all(promised), "locked lanes keep their grams"
        return holdings


def _one_by_one(owner_ref: str) -> None:
    """Let one caller at a time hold for an owner, until its commit.

    Two would take the same released row up again, and each promise its grams. There may be no row
    to lock; on SQLite a writer is alone anyhow.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_OWNER_LOCK, [f"hold:{owner_ref}"])


def _live_or_refuse(earlier: Sequence[Holding], owner_ref: str, mass_g: int) -> list[Holding]:
    assert mass_g > 0, "nothing to hold"
    assert all(row.owner_ref == owner_ref for row in earlier), "holds of one owner"
    if any(row.state == HoldState.USED for row in earlier):
        raise AlreadyRetiredError(owner_ref=owner_ref)
    live = [row for row in earlier if row.state in queries.LIVE_HOLDS]
    held_g = sum(row.mass_g for row in live)
    if live and held_g != mass_g:
        raise HoldMismatchError(owner_ref=owner_ref, held_g=held_g, asked_g=mass_g)
    return live


def _plan(project_id: int, mass_g: int, *, locked: bool) -> list[tuple[int, int]]:
    lanes = (_LOCKED_LANES if locked else _FREE_LANES).all(project_id=project_id)
    stretches = [
        rules.Stretch(lane.id, lane.hi - lane.cursor - lane.held_g, lane.batch.issued_at)
        for lane in lanes
    ]
    plan = rules.plan_hold(stretches, mass_g)
    if not plan:
        raise NotEnoughCreditsError(available_g=sum(stretch.free_g for stretch in stretches))
    assert sum(take_g for _, take_g in plan) == mass_g, "all of it and no more"
    assert plan == sorted(plan), "the lane order is the lock order"
    return plan


def _write_holds(
    plan: Iterable[tuple[int, int]],
    owner_ref: str,
    expires_at: datetime,
    *,
    again: bool,
    along: bool = False,
) -> list[Holding]:
    """Write one hold per lane.

    ``again``: this owner's released rows are taken up once more. ``along``: they go with what comes
    next, and their ids stay unknown.
    """
    rows = [
        Holding(lane_id=lane_id, owner_ref=owner_ref, mass_g=take_g, expires_at=expires_at)
        for lane_id, take_g in plan
    ]
    assert rows, "a plan has at least one lane"
    assert len({row.lane_id for row in rows}) == len(rows), "one hold per lane"
    if not again:
        (_HOLDINGS.along if along else _HOLDINGS.run)(rows)
        return rows
    return Holding.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["owner_ref", "lane"],
        update_fields=["mass_g", "state", "expires_at"],
    )


def hold_in_lane(lane_id: int, mass_g: int, *, owner_ref: str, expires_at: datetime) -> Holding:
    """Set the next free grams of one lane aside; the caller has locked it and knows they are free.

    Raises: IntegrityError when this owner has held in this lane before.
    """
    assert mass_g > 0, "nothing to hold"
    holding = Holding(lane_id=lane_id, owner_ref=owner_ref, mass_g=mass_g, expires_at=expires_at)
    _HOLDINGS.run([holding])
    promised = promise(lane_id, mass_g)
    assert promised, "locked lanes keep their grams"
    return holding


def ask_settle(hold_ids: Sequence[int], state: HoldState) -> Answer:
    """End live holds, used or released, each once; the answer counts those that ended."""
    assert state not in queries.LIVE_HOLDS, "settled is used or released"
    return _SETTLED.ask(hold_ids, state=state)


def settle(hold_ids: Sequence[int], state: HoldState) -> None:
    """End live holds and see that each did."""
    assert ask_settle(hold_ids, state).count() == len(hold_ids), "a hold ends once"


def commit_hold(owner_ref: str) -> None:
    """Bind an owner's holds: paid, so they no longer expire. Idempotent by: ``owner_ref``.

    Raises: HoldGoneError when nothing is held, AlreadyRetiredError.
    """
    assert owner_ref, "a hold has an owner"
    if _COMMITTED.run(owner_ref=owner_ref):
        return
    states = {row.state for row in queries.holds_of(owner_ref)}
    if HoldState.USED in states:
        raise AlreadyRetiredError(owner_ref=owner_ref)
    assert HoldState.ACTIVE not in states, "every active hold was bound above"
    if HoldState.COMMITTED not in states:
        raise HoldGoneError(owner_ref=owner_ref)


def release(owner_ref: str, *, unless_committed: bool = False) -> bool:
    """Give an owner's held grams back to the stock. Returns False when nothing was held.

    Idempotent by: ``owner_ref``. ``unless_committed`` leaves paid holds alone.
    Locks: the owner's holds, then lanes, in id order.
    """
    assert owner_ref, "a hold has an owner"
    states = (HoldState.ACTIVE,) if unless_committed else queries.LIVE_HOLDS
    with joined():
        rows = list(
            Holding.objects.select_for_update()
            .filter(owner_ref=owner_ref, state__in=states)
            .order_by("id")
        )
        if not rows:
            return False
        assert len({row.lane_id for row in rows}) == len(rows), "one hold per lane"
        settle([row.id for row in rows], HoldState.RELEASED)
        for row in sorted(rows, key=lambda row: row.lane_id):
            give_back(row.lane_id, row.mass_g)
        return True
