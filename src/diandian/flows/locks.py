"""The one lock order of the house: order, payment, lane, account.

Row locks on PostgreSQL; on SQLite a transaction begins IMMEDIATE and is the only writer, so nothing
more is taken. Whoever changes an order's money or grams holds the order's lock first.
"""

from collections.abc import Sequence

from django.db import connection

from diandian.orders.models import Intake, IntakeState, Order, OrderState


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
    return Order.objects.select_for_update(no_key=True).filter(id=int(number)).first()


def lock_intakes(intake_ids: Sequence[int]) -> list[Intake]:
    """Return the still waiting intakes of paid orders, by id, with all that fulfilling needs.

    An order that people look at (review) keeps its place in the queue and is left out.
    Locks: the orders' rows, in id order; orders that somebody else is just changing are left out.
    """
    assert connection.in_atomic_block, "a lock lives as long as its transaction"
    waiting = Intake.objects.filter(
        id__in=intake_ids, state=IntakeState.WAITING, order__state=OrderState.PAID
    )
    if connection.features.has_select_for_update:
        # No key: rows that only refer to an order look at it on commit and must not wait.
        orders = Order.objects.select_for_update(skip_locked=True, no_key=True)
        free = orders.filter(intake__id__in=intake_ids)
        ids = list(free.order_by("id").values_list("id", flat=True))
        # The state is read after the lock: before it, the answer could be out of date.
        waiting = waiting.filter(order_id__in=ids)
    return list(
        waiting.select_related(
            "order__quote__offer", "order__footprint", "order__scene", "order__project__programme"
        ).order_by("id")
    )
