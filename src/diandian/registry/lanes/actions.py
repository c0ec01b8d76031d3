"""Moves the hot row: every change of a lane's cursor and held grams is one statement here.

Each asks only the row itself, so that a writer who waited for it sees what the other left.
*Source:* design of the registry, sections 3.2 and 4.2; R1, R2.
"""

from collections.abc import Callable, Sequence

from django.db.models import BigIntegerField, F

from diandian.registry.models import (
    LANE_STRIDE,
    Allocation,
    AllocationKind,
    BatchState,
    CreditBatch,
    Lane,
    LaneKind,
)
from diandian.store.inserts import InsertMany
from diandian.store.running import Answer, database
from diandian.store.statements import Param, Update

_TAKE = Param("take_g", BigIntegerField())
_PROMISED = Update(
    lambda _: Lane.objects.filter(id=Param("id"), hi__gte=F("cursor") + F("held_g") + _TAKE),
    held_g=F("held_g") + _TAKE,
)

_ADVANCED = (
    'UPDATE registry_lane SET "cursor" = "cursor" + %s, held_g = held_g - %s'
    ' WHERE id = %s AND held_g >= %s AND "cursor" + held_g - %s + %s <= hi'
    ' RETURNING "cursor", hi'
)
_RETIRED = InsertMany(
    Allocation,
    "start_g",
    "end_g",
    "end_key",
    "start_key_id",
    "retirement_id",
    shared=("lane_id", "kind"),
)


def lock_lane(lane_id: int) -> Lane:
    """Return a lane whose cursor and held grams nobody else moves now. Locks: the lane."""
    rows = Lane.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("batch").get(id=lane_id)


def promise(lane_id: int, take_g: int) -> bool:
    """Count grams as held if they are still free. Only the row itself is asked: no oversell."""
    assert take_g > 0, "nothing to promise"
    changed = _PROMISED.run(id=lane_id, take_g=take_g)
    assert changed <= 1, "a lane is one row"
    return changed == 1


def give_back(lane_id: int, mass_g: int) -> None:
    """Count held grams as free again."""
    assert mass_g > 0, "nothing to give back"
    lane = Lane.objects.filter(id=lane_id, held_g__gte=mass_g)
    changed = lane.update(held_g=F("held_g") - mass_g)
    assert changed == 1, "R6: held grams are counted in their lane"


def advance(lane_id: int, mass_g: int, *, held_g: int) -> tuple[int, bool]:
    """Move a lane's cursor over grams, ``held_g`` of which were held.

    Returns where it stood, and whether the lane is used up now.
    """
    return ask_advance(lane_id, mass_g, held_g=held_g)()


def ask_advance(lane_id: int, mass_g: int, *, held_g: int) -> Callable[[], tuple[int, bool]]:
    """Have a lane's cursor moved; what it returns tells what ``advance`` does."""
    assert mass_g > 0, "a cursor only moves on"
    assert 0 <= held_g <= mass_g, "held grams are among those used"
    answer = Answer(database(), _ADVANCED, [mass_g, held_g, lane_id, held_g, held_g, mass_g])

    def moved() -> tuple[int, bool]:
        rows = answer.rows()
        assert rows, "R2: the lane has the grams that were promised"
        cursor_g, hi = rows[0]
        assert mass_g <= cursor_g <= hi, "R2: the cursor stays inside"
        return cursor_g - mass_g, cursor_g == hi

    return moved


def link_retired(lane_id: int, used: Sequence[tuple[int, int, int]]) -> None:
    """Write the chain links of retired ranges ``(retirement, start_g, end_g)`` of one lane.

    After the cursor has moved: the database refuses a range that lies beyond it.
    """
    assert all(0 <= start_g < end_g for _, start_g, end_g in used), "a range has grams"
    assert used[-1][2] < LANE_STRIDE, "a key stays in its lane's part of the number line"
    zero = lane_id * LANE_STRIDE
    _RETIRED.along(
        [
            (start_g, end_g, zero + end_g, zero + start_g, retirement_id)
            for retirement_id, start_g, end_g in used
        ],
        lane_id=lane_id,
        kind=AllocationKind.RETIRE,
    )


def link_to(lane_id: int, kind: AllocationKind, span: tuple[int, int]) -> Allocation:
    """Make the chain link of a used range; the caller writes it, after the cursor has moved."""
    start_g, end_g = span
    assert 0 <= start_g < end_g, "a range has grams"
    assert end_g < LANE_STRIDE, "a key stays in its lane's part of the number line"
    return Allocation(
        lane_id=lane_id,
        kind=kind,
        start_g=start_g,
        end_g=end_g,
        start_key_id=lane_id * LANE_STRIDE + start_g,
        end_key=lane_id * LANE_STRIDE + end_g,
    )


def close_if_sold_out(batch_id: int) -> None:
    """Call an open batch exhausted when its last gram for sale is used."""
    left = Lane.objects.filter(batch_id=batch_id, kind=LaneKind.SALE, cursor__lt=F("hi"))
    if not left.exists():
        CreditBatch.objects.filter(id=batch_id, state=BatchState.OPEN).update(
            state=BatchState.EXHAUSTED
        )
