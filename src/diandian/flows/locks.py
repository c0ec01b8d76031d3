"""The one lock order of the house: order, payment, covered scene, lane, batch, account, trail, log.

Row locks on PostgreSQL; on SQLite a transaction begins IMMEDIATE and is the only writer, so nothing
more is taken. Whoever changes an order's money or grams holds the order's lock first. Whoever
claims lines for an organiser holds the scene's; guests claim their own lines without it, and of two
who claim the same part the database's constraint decides.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, Q, QuerySet

from diandian.orders.models import Intake, IntakeState, Order, OrderState
from diandian.registry.models import CreditBatch, Project
from diandian.registry.queries import batch_by_public_id
from diandian.scenes.models import Scene
from diandian.store.statements import Param, Select, SelectMany

_INSTANT = DateTimeField()
_LOCKED = Select(lambda: Order.objects.select_for_update(no_key=True).filter(id=Param("id")))


# No key: rows that only refer to an order look at it on commit and must not wait. The state of an
# order that somebody changed meanwhile is looked at again once its lock is ours.
# The same goes for its time: nobody retires what its guest may still withdraw from.
def _waiting(ids: list[Any]) -> QuerySet[Intake]:
    found = Intake.objects.filter(
        Q(order__retire_after__isnull=True) | Q(order__retire_after__lte=Param("at", _INSTANT)),
        order__id__in=ids,
        state=IntakeState.WAITING,
        order__state=OrderState.PAID,
    )
    return found.select_related("order__quote", "order__footprint").order_by("order_id")


_LOCKED_INTAKES = SelectMany(
    lambda ids: _waiting(ids).select_for_update(of=("order",), skip_locked=True, no_key=True)
)
_LOCKED_INTAKE = SelectMany(
    lambda ids: (
        _waiting(ids)
        .select_related("order__quote", "order__footprint", "order__scene", "order__project")
        .select_for_update(of=("order",), no_key=True)
    )
)
_SCENES = SelectMany(lambda ids: Scene.objects.filter(id__in=ids))
_PROJECTS = SelectMany(lambda ids: Project.objects.filter(id__in=ids))
_LOCKED_MANY: SelectMany[Any] = SelectMany(
    lambda ids: (
        Order.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(id__in=ids)
        .order_by("id")
        .values_list("id")
    )
)


def lock_order(order_id: int) -> Order:
    """Return an order, locked until the transaction ends. Locks: the order's row."""
    assert connection.in_atomic_block, "a lock lives as long as its transaction"
    return Order.objects.select_for_update(no_key=True).get(id=order_id)


def lock_order_of_ref(ref: str) -> Order | None:
    """Return the order of an opaque reference, locked; None when it is none. Locks: its row."""
    assert connection.in_atomic_block, "a lock lives as long as its transaction"
    kind, _, number = ref.partition(":")
    if kind != "order" or not number.isdigit():
        return None
    return _LOCKED.first(id=int(number))


def lock_orders_of_refs(refs: Sequence[str]) -> set[str]:
    """Lock the orders of opaque references; return those locked now.

    Locks: their rows, in id order; orders that somebody else is just changing are left out.
    """
    assert connection.in_atomic_block, "a lock lives as long as its transaction"
    numbers = [
        number
        for kind, _, number in (ref.partition(":") for ref in refs)
        if kind == "order" and number.isdigit()
    ]
    found = _LOCKED_MANY.all([int(number) for number in numbers])
    return {f"order:{number}" for (number,) in found}


def lock_scene(scene_id: int) -> Scene:
    """Return a scene whose cover nobody else changes now. Locks: the scene's row.

    Guests' orders, which only refer to the scene, do not wait for it.
    """
    assert connection.in_atomic_block, "a lock lives as long as its transaction"
    return Scene.objects.select_for_update(no_key=True).get(id=scene_id)


def lock_intakes(order_ids: Sequence[int], *, at: datetime) -> list[Intake]:
    """Return the still waiting intakes of paid orders, by order, with all that fulfilling needs.

    An order that people look at (review) keeps its place in the queue and is left out, and so is
    one that is held at that moment because its guest may withdraw.
    Locks: the orders' rows, in id order. Of many, those that somebody else just changes are left
    out; one alone is waited for, its guest looks at the page.
    """
    assert connection.in_atomic_block, "a lock lives as long as its transaction"
    if len(order_ids) == 1:
        return _LOCKED_INTAKE.all(order_ids, at=at)
    intakes = _LOCKED_INTAKES.all(order_ids, at=at)
    # Few scenes and projects stand behind many orders: each is read once.
    orders = [intake.order for intake in intakes]
    projects = {row.id: row for row in _PROJECTS.all(sorted({row.project_id for row in orders}))}
    scene_ids = {order.scene_id for order in orders if order.scene_id is not None}
    scenes = {row.id: row for row in _SCENES.all(sorted(scene_ids))}
    for order in orders:
        order.project = projects[order.project_id]
        order.scene = scenes[order.scene_id] if order.scene_id is not None else None
    return intakes


def lock_batch(number: str) -> CreditBatch:
    """Return a batch by its public number, locked until the transaction ends. Locks: its row.

    Raises: NotFoundError.
    """
    assert connection.in_atomic_block, "a lock lives as long as its transaction"
    batch = batch_by_public_id(number)
    locked = CreditBatch.objects.select_for_update(no_key=True, of=("self",))
    return locked.select_related("serial_block").get(id=batch.id)
